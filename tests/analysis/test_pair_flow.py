"""What flows through an encoder–decoder: by hand, and by laws that hold for every pair of sentences."""

from dataclasses import replace

import numpy as np
import pytest

from model import Experiment, Switches, run
from model.analysis.whole_model.architecture import architecture, pair_architecture
from model.analysis.whole_model.data_flow import DataFlow
from model.analysis.whole_model.hidden_units import hidden_units
from model.analysis.whole_model.pair_flow import PairFlow, most_mixed_pair_row, pair_flow, pair_paths
from model.config import ModelConfig
from model.run import get_seq2seq

FULL = Experiment("translate", "the animal did not cross the street .", target="l'animal n'a pas traversé la rue .")
CROSS = frozenset((layer, head) for layer in range(2) for head in range(4))
RUNS = {
    "every part": FULL,
    "no residual": replace(FULL, switches=Switches(residual=False)),
    "no mask": replace(FULL, switches=Switches(mask=False)),
    "no norm": replace(FULL, switches=Switches(norm=False)),
    "a head of each attention out": replace(
        FULL,
        switches=Switches(
            heads_off=frozenset({(0, 1)}), cross_off=frozenset({(1, 2)}), encoder_off=frozenset({(0, 3)})
        ),
    ),
    "no cross-attention": replace(FULL, switches=Switches(cross_off=CROSS)),
    "relative positions": Experiment("copy-transformer", "c a f e b a d", target="c a f e"),
    "subwords": Experiment("translate-pieces", "the cat sleeps .", target="le chat"),
    "no target yet": Experiment("dates", "3 may 1979"),
}


@pytest.fixture(scope="module", params=RUNS)
def ran(request):
    experiment = RUNS[request.param]
    trace = run(experiment)
    return experiment, trace, pair_flow(experiment, trace)


def written(attention, module, removed):
    """What each source token gives to each target token, (T, S, C), head by head."""
    w_o = module.w_o.weight.numpy().astype(np.float64)
    H, _, D = attention.v.shape
    vectors = 0.0
    for head in set(range(H)) - removed:
        values = attention.v[head].astype(np.float64) @ w_o[:, head * D : (head + 1) * D].T  # (S, C)
        vectors = vectors + attention.weights[head][..., None] * values
    return vectors + np.zeros((*attention.weights.shape[1:], len(w_o)))


# The parts


def test_the_parts_of_a_pre_norm_model_in_the_order_of_figure_1_of_the_paper():
    steps = pair_architecture(ModelConfig(vocab_size=9, n_layers=1))
    assert [(step.stack, step.kind, step.layer, step.norm) for step in steps] == [
        ("encoder", "embedding", None, "none"),
        ("encoder", "attention", 0, "before"),
        ("encoder", "mlp", 0, "before"),
        ("encoder", "output", None, "before"),
        ("decoder", "embedding", None, "none"),
        ("decoder", "attention", 0, "before"),
        ("decoder", "cross", 0, "before"),
        ("decoder", "mlp", 0, "before"),
        ("decoder", "unembedding", None, "before"),
    ]


def test_a_post_norm_model_has_its_norms_after_each_part_and_none_at_the_ends_as_the_network_has():
    config = ModelConfig(vocab_size=9, n_layers=2, norm="post")
    norms = {(step.kind, step.norm) for step in pair_architecture(config)}
    assert norms == {
        *((kind, "after") for kind in ("attention", "cross", "mlp")),
        *((kind, "none") for kind in ("embedding", "output", "unembedding")),
    }
    for norm in ("pre", "post"):
        network = get_seq2seq("translate")[0].__class__(replace(config, norm=norm))
        assert (network.encoder_norm is not None) == (norm == "pre") == (network.decoder_norm is not None)


@pytest.mark.parametrize(
    ("switches", "gone"),
    [
        (Switches(heads_off=CROSS), {("decoder", "attention", 0), ("decoder", "attention", 1)}),
        (Switches(encoder_off=CROSS), {("encoder", "attention", 0), ("encoder", "attention", 1)}),
        (Switches(cross_off=frozenset((1, head) for head in range(4))), {("decoder", "cross", 1)}),
        (Switches(cross_off=frozenset({(1, 0)})), set()),
    ],
)
def test_an_attention_is_absent_where_all_its_heads_are_removed(switches, gone):
    steps = pair_architecture(get_seq2seq("translate")[0].config, switches)
    assert {(step.stack, step.kind, step.layer) for step in steps if not step.present} == gone
    assert all(step.stack == "" for step in architecture(ModelConfig(vocab_size=9)))


# What flows


def test_the_shares_of_every_row_sum_to_one(ran):
    _, trace, flow = ran
    for shares in (flow.encoder.shares, flow.self_shares):
        assert shares.sum(axis=-1) == pytest.approx(np.ones(shares.shape[:2]))
    assert flow.cross_shares.sum(axis=-1) + flow.kept == pytest.approx(np.ones(flow.kept.shape))
    total = flow.from_source.sum(axis=-1) + flow.from_target.sum(axis=-1)
    assert total == pytest.approx(np.ones(len(trace.decoder.tokens)))
    assert min(map(np.min, (flow.from_source, flow.from_target, flow.kept, flow.cross_shares))) >= 0


def test_the_shares_of_cross_attention_are_lengths_of_the_terms_of_its_sum(ran):
    experiment, trace, flow = ran
    network, _ = get_seq2seq(experiment.weights)
    for index, layer in enumerate(trace.decoder.layers):
        removed = {head for number, head in experiment.switches.cross_off if number == index}
        vectors = written(layer.cross, network.decoder[index].cross, removed)  # (T, S, C)
        bias = network.decoder[index].cross.w_o.bias.numpy()
        assert vectors.sum(axis=1) + bias == pytest.approx(layer.cross.out, abs=1e-3), "the terms of its sum"
        lengths = np.linalg.norm(vectors, axis=-1)  # (T, S)
        own = np.linalg.norm(layer.resid_mid, axis=-1) if experiment.switches.residual else 0 * lengths[:, 0]
        total = lengths.sum(axis=-1) + own
        assert flow.cross_shares[index] == pytest.approx(lengths / np.where(total, total, 1)[:, None], abs=1e-4)
        assert flow.kept[index] == pytest.approx(np.where(total, own / np.where(total, total, 1), 1), abs=1e-4)


def test_lengths_are_those_of_both_streams_in_the_order_of_the_parts(ran):
    _, trace, flow = ran
    layers = trace.decoder.layers
    stream = [trace.decoder.embed, *(x for each in layers for x in (each.resid_mid, each.resid_cross, each.resid_post))]
    added = [x for each in layers for x in (each.attention.out, each.cross.out, each.mlp_out)]
    assert flow.lengths == pytest.approx(np.sqrt(np.square(np.stack(stream)).sum(axis=-1)), rel=1e-4)
    assert flow.added == pytest.approx(np.sqrt(np.square(np.stack(added)).sum(axis=-1)), rel=1e-4, abs=1e-5)
    read = [trace.encoder.embed, *(x for each in trace.encoder.layers for x in (each.resid_mid, each.resid_post))]
    assert flow.encoder.lengths == pytest.approx(np.sqrt(np.square(np.stack(read)).sum(axis=-1)), rel=1e-4)


def test_without_cross_attention_nothing_of_the_source_arrives():
    experiment = RUNS["no cross-attention"]
    flow = pair_flow(experiment, run(experiment))
    paths = pair_paths(flow, range(len(flow.from_target)), range(3))
    for nothing in (flow.from_source, flow.cross_shares, paths.cross_edges, paths.source_reach, paths.source_edges):
        assert nothing == pytest.approx(np.zeros(nothing.shape))
    assert flow.kept == pytest.approx(np.ones(flow.kept.shape))
    one_layer = replace(experiment, switches=Switches(cross_off=frozenset((0, head) for head in range(4))))
    left = pair_flow(one_layer, run(one_layer))
    assert not left.cross_shares[0].any() and (left.from_source.sum(axis=-1) > 0.1).all(), "the other layer still reads"


def test_without_the_heads_of_the_encoder_each_source_token_gives_only_itself():
    experiment = replace(FULL, switches=Switches(encoder_off=CROSS))
    flow = pair_flow(experiment, run(experiment))
    paths = pair_paths(flow, range(len(flow.from_target)), range(3))
    assert flow.from_source == pytest.approx(paths.source_reach[:, -1])
    assert flow.encoder.sources == pytest.approx(np.eye(len(flow.encoder.sources)))


def test_nothing_is_lost_on_the_way_back(ran):
    _, _, flow = ran
    T, S = flow.from_source.shape
    paths = pair_paths(flow, range(T), range(S))
    n_layers = len(flow.kept)
    for layer in range(n_layers):
        arrives = paths.self_edges[:, layer]
        assert arrives.sum(axis=1) == pytest.approx(paths.reach[:, 2 * layer], abs=1e-6), "at the tokens below"
        assert arrives.sum(axis=2) == pytest.approx(paths.reach[:, 2 * layer + 1], abs=1e-6), "at the tokens above"
        crossed = paths.cross_edges[:, layer].sum(axis=2)  # (R, T)
        assert crossed + paths.reach[:, 2 * layer + 1] == pytest.approx(paths.reach[:, 2 * layer + 2], abs=1e-6)
    assert paths.cross_edges.sum(axis=(1, 2)) == pytest.approx(paths.source_reach[:, -1], abs=1e-6)
    for layer in range(len(flow.encoder.shares)):
        assert paths.source_edges[:, layer].sum(axis=1) == pytest.approx(paths.source_reach[:, layer], abs=1e-6)
        assert paths.source_edges[:, layer].sum(axis=2) == pytest.approx(paths.source_reach[:, layer + 1], abs=1e-6)
    few = pair_paths(flow, [T - 1], [0, S - 1])
    assert few.cross_edges == pytest.approx(paths.cross_edges[-1:, :, -1:][..., [0, -1]])
    assert few.reach == pytest.approx(paths.reach[-1:]) and few.source_reach == pytest.approx(paths.source_reach[-1:])


def test_two_sentences_of_two_tokens_by_hand():
    encoder = np.array([[[1.0, 0.0], [0.5, 0.5]]])  # of source token 1, half began at source token 0
    between = np.array([[[1.0, 0.0], [0.25, 0.75]]])
    across = np.array([[[0.2, 0.0], [0.1, 0.5]]])
    stack = DataFlow(np.zeros(0), np.zeros(0), np.zeros(0), encoder, encoder[0])
    empty = np.zeros(0)
    flow = PairFlow(stack, empty, empty, empty, between, across, np.array([[0.8, 0.4]]), empty, empty)
    paths = pair_paths(flow, [0, 1], [0, 1])
    # Token 1 keeps 0.4, of which a quarter stood at token 0. It has 0.1 and 0.5 of the outputs of the encoder, and half
    # of the 0.5 began at source token 0.
    assert paths.reach[1] == pytest.approx(np.array([[0.1, 0.3], [0.0, 0.4], [0.0, 1.0]]))
    assert paths.source_reach[1] == pytest.approx(np.array([[0.35, 0.25], [0.1, 0.5]]))
    assert paths.cross_edges[1, 0] == pytest.approx(np.array([[0.0, 0.0], [0.1, 0.5]]))
    assert paths.self_edges[1, 0] == pytest.approx(np.array([[0.0, 0.0], [0.1, 0.3]]))
    assert paths.source_edges[1, 0] == pytest.approx(np.array([[0.1, 0.0], [0.25, 0.25]]))


def test_the_row_to_open_with_holds_most_of_other_tokens_and_the_first_token_of_the_target_does_not_count():
    flow = pair_flow(FULL, run(FULL))
    target = np.array([[0.9, 0.0, 0.0], [0.6, 0.1, 0.0], [0.1, 0.2, 0.3]])
    assert most_mixed_pair_row(replace(flow, from_target=target)) == 2
    target[2, 2] = 0.9
    assert most_mixed_pair_row(replace(flow, from_target=target)) == 1


def test_a_recurrent_network_has_no_such_flow():
    experiment = Experiment("translate-gru", "the cat sleeps .", target="le chat")
    with pytest.raises(ValueError, match="recurrent network: it has no residual stream"):
        pair_flow(experiment, run(experiment))


# Hidden units of the decoder


def test_all_hidden_units_of_a_decoder_together_write_what_its_network_gives_and_raise_what_moves_the_logits():
    trace = run(FULL).decoder
    network, tokenizer = get_seq2seq("translate")
    units = hidden_units(FULL, trace, 1, 3, n=network.config.d_ff, k=1)
    module = network.decoder[1].mlp_out
    total = sum(
        activation * module.weight[:, unit].numpy()
        for unit, activation in zip(units.units, units.activations, strict=True)
    )
    assert total + module.bias.numpy() == pytest.approx(trace.layers[1].mlp_out[3], abs=1e-3)
    # Without the longest unit the logits of its word fall by what is given, with the final norm as it stands.
    unit, word = units.units[0], tokenizer.vocabulary.index(units.raised[0][0])
    vector = units.activations[0] * module.weight[:, unit].numpy()
    scale = network.decoder_norm.weight.numpy() / trace.final_norm.std[3]
    change = ((vector - vector.mean()) * scale) @ network.unembedding.weight[word].numpy()
    assert units.logit_changes[0, 0] == pytest.approx(change, abs=1e-4)
    assert change == pytest.approx(
        max(
            ((vector - vector.mean()) * scale) @ row.numpy()
            for index, row in enumerate(network.unembedding.weight)
            if index not in tokenizer.special_ids
        )
    )
