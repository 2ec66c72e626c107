"""The parts of a model in order, and what flows between tokens: by hand, and by laws that hold for every text."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from model import Experiment, Switches, run
from model.analysis.whole_model.architecture import architecture, position_place
from model.analysis.whole_model.data_flow import (
    contribution_lengths,
    data_flow,
    flow_to,
    most_important_tokens,
    most_mixed_row,
    product,
    written_values,
)
from model.analysis.whole_model.hidden_units import hidden_units
from model.config import ModelConfig
from model.run import get_transformer

FULL = Experiment(text="the person who the dogs near the trees chase was tired .")
RUNS = {
    "every part": FULL,
    "no residual": replace(FULL, switches=Switches(residual=False)),
    "no mask": replace(FULL, switches=Switches(mask=False)),
    "no norm": replace(FULL, switches=Switches(norm=False)),
    "two heads out": replace(FULL, switches=Switches(heads_off=frozenset({(0, 1), (2, 3)}))),
    "a layer of heads out": replace(FULL, switches=Switches(heads_off=frozenset((1, head) for head in range(4)))),
    "any text": Experiment("stories", "Alice saw the White Rabbit."),
}


@pytest.fixture(scope="module", params=RUNS)
def ran(request):
    experiment = RUNS[request.param]
    trace = run(experiment)
    return experiment, trace, data_flow(experiment, trace)


# The parts


def test_a_pre_norm_decoder_has_a_norm_before_each_part_and_one_before_the_words():
    steps = architecture(ModelConfig(vocab_size=9, n_layers=2))
    assert [(step.kind, step.layer, step.norm) for step in steps] == [
        ("embedding", None, "none"),
        ("attention", 0, "before"),
        ("mlp", 0, "before"),
        ("attention", 1, "before"),
        ("mlp", 1, "before"),
        ("unembedding", None, "before"),
    ]


def test_a_bert_has_its_norms_after_each_part_and_one_after_the_embedding():
    config = ModelConfig(
        vocab_size=9, n_layers=1, causal=False, norm="post", embedding_norm=True, read_out="transformed"
    )
    assert [(step.kind, step.norm) for step in architecture(config)] == [
        ("embedding", "after"),
        ("attention", "after"),
        ("mlp", "after"),
        ("unembedding", "before"),
    ]
    assert architecture(replace(config, read_out="none"))[-1].kind == "mlp", "nothing reads words out"


@pytest.mark.parametrize(
    ("switches", "gone"),
    [
        (Switches(mlp=False), {("mlp", 0), ("mlp", 1)}),
        (Switches(heads_off=frozenset({(1, 0), (1, 1)})), {("attention", 1)}),
        (Switches(heads_off=frozenset({(1, 0)})), set()),
    ],
)
def test_a_part_is_absent_where_it_is_removed_or_was_never_trained(switches, gone):
    config = ModelConfig(vocab_size=9, n_layers=2, n_heads=2)
    removed = {(step.kind, step.layer) for step in architecture(config, switches) if not step.present}
    never = architecture(replace(config, trained=switches))
    assert removed == gone == {(step.kind, step.layer) for step in never if not step.present}
    assert architecture(config, Switches(norm=False)) == architecture(config), "a removed norm keeps its place"
    without = architecture(replace(config, norm="none"))
    assert {step.norm for step in without} == {"none"}


@pytest.mark.parametrize(
    ("scheme", "place"),
    [
        ("learned", "embedding"),
        ("sinusoidal", "embedding"),
        ("rope", "attention"),
        ("alibi", "attention"),
        ("relative", "attention"),
        ("none", "none"),
    ],
)
def test_positions_come_in_where_their_scheme_acts(scheme, place):
    assert position_place(ModelConfig(vocab_size=9, position=scheme)) == place


# What flows


def test_a_contribution_by_hand():
    """Two heads of width 1. Token 0 gets W_O v = (3, 0) and (0, 4) with weight 1 each: a vector of length 5."""
    weights = np.array([[[1.0, 0.0], [0.5, 0.5]], [[1.0, 0.0], [0.0, 1.0]]])  # (2, 2, 2)
    v = np.array([[[3.0], [1.0]], [[4.0], [2.0]]])  # (2, 2, 1)
    w_o = np.eye(2)  # head 0 writes the first number, head 1 the second
    expected = [[5.0, 0.0], [1.5, np.hypot(0.5, 2.0)]]
    written = written_values(v, w_o, [0, 1])
    assert written == pytest.approx(np.array([[[3.0, 0.0], [1.0, 0.0]], [[0.0, 4.0], [0.0, 2.0]]]))
    assert contribution_lengths(weights, written) == pytest.approx(np.array(expected))
    second = written_values(v[1:], w_o, [1])
    assert contribution_lengths(weights[1:], second) == pytest.approx(np.array([[4.0, 0.0], [0.0, 2.0]]))
    none = written_values(v[:0], w_o, [])
    assert none.shape == (0, 2, 2) and contribution_lengths(weights[:0], none) == pytest.approx(np.zeros((2, 2)))


def test_the_contributions_are_the_terms_of_the_sum_that_attention_gives(ran):
    experiment, trace, flow = ran
    off = (experiment.switches & get_transformer(experiment.weights)[0].config.trained).heads_off
    for index, layer in enumerate(trace.layers):
        w_o = get_transformer(experiment.weights)[0].layers[index].attention.w_o
        attention = layer.attention
        alive = np.array([(index, head) not in off for head in range(len(attention.v))])[:, None, None]
        per_head = np.einsum("hts,hsd->tshd", attention.weights * alive, attention.v)  # (T, S, H, D)
        vectors = per_head.reshape(*per_head.shape[:2], -1) @ w_o.weight.numpy().T  # (T, S, C)
        heads = [head for head in range(len(attention.v)) if (index, head) not in off]
        written = written_values(attention.v[heads], w_o.weight.numpy(), heads)
        lengths = contribution_lengths(attention.weights[heads], written)
        assert lengths == pytest.approx(np.linalg.norm(vectors, axis=-1), abs=1e-3)
        own = vectors[np.arange(len(vectors)), np.arange(len(vectors))]  # (T, C)
        if experiment.switches.residual:
            own = own + layer.resid_pre
        share = flow.shares[index]
        others = np.linalg.norm(vectors, axis=-1)
        assert (
            np.diagonal(share) / share.sum(axis=1)
            == pytest.approx(
                np.linalg.norm(own, axis=-1)
                / (np.linalg.norm(own, axis=-1) + others.sum(axis=1) - np.diagonal(others)),
                abs=1e-5,
            )
            or not alive.any()
        )
        bias = 0 if w_o.bias is None else w_o.bias.numpy()
        assert vectors.sum(axis=1) + bias == pytest.approx(attention.out, abs=1e-3)


def test_shares_of_every_token_sum_to_one_and_none_comes_from_where_it_may_not_attend(ran):
    _, trace, flow = ran
    assert flow.shares.sum(axis=-1) == pytest.approx(np.ones(flow.shares.shape[:2]))
    for layer, shares in zip(trace.layers, flow.shares, strict=True):
        own = np.eye(len(shares), dtype=bool)
        assert shares[~layer.attention.mask.any(axis=0) & ~own] == pytest.approx(0)


def test_lengths_are_those_of_the_stream_in_the_order_of_the_parts(ran):
    _, trace, flow = ran
    stream = [trace.embed, *(part for layer in trace.layers for part in (layer.resid_mid, layer.resid_post))]
    given = [part for layer in trace.layers for part in (layer.attention.out, layer.mlp_out)]
    assert flow.stream.shape[0] == 2 * len(trace.layers) + 1
    assert flow.lengths == pytest.approx(np.sqrt(np.square(np.stack(stream)).sum(axis=-1)), rel=1e-4)
    assert flow.added == pytest.approx(np.sqrt(np.square(np.stack(given)).sum(axis=-1)), rel=1e-4, abs=1e-5)


def test_nothing_is_lost_on_the_way_back(ran):
    _, _, flow = ran
    rows = range(flow.shares.shape[1])
    reach, edges = flow_to(flow.shares, rows)
    assert reach.sum(axis=-1) == pytest.approx(np.ones(reach.shape[:2]))
    assert edges.sum(axis=2) == pytest.approx(reach[:, :-1]), "what leaves the tokens below"
    assert edges.sum(axis=3) == pytest.approx(reach[:, 1:]), "what arrives at the tokens above"
    assert reach[:, 0] == pytest.approx(flow.sources), "the product of all layers"


def test_two_layers_of_flow_by_hand():
    below = np.array([[1.0, 0.0], [0.5, 0.5]])
    above = np.array([[1.0, 0.0], [0.25, 0.75]])
    # Token 1 at the end: a quarter came from token 0; of the rest half stood at token 0 one layer before.
    reach, edges = flow_to(np.stack([below, above]), [0, 1])
    assert reach[1] == pytest.approx(np.array([[0.625, 0.375], [0.25, 0.75], [0.0, 1.0]]))
    assert edges[1, 0] == pytest.approx(np.array([[0.25, 0.0], [0.375, 0.375]]))
    assert edges[1, 1] == pytest.approx(np.array([[0.0, 0.0], [0.25, 0.75]]))
    alone = flow_to(np.stack([below, above]), [1])
    assert alone[0] == pytest.approx(reach[1:]) and alone[1] == pytest.approx(edges[1:, :, 1:, 1:])
    assert product([below, above])[1] == pytest.approx([0.625, 0.375])


def test_the_row_to_open_with_holds_most_of_others_and_the_first_token_does_not_count():
    sources = np.array([[1.0, 0, 0, 0], [0.9, 0.1, 0, 0], [0.1, 0.5, 0.4, 0], [0.3, 0.1, 0.0, 0.6]])
    assert most_mixed_row(sources) == 2  # half of it is from token 1; token 1 holds nine tenths of the first
    assert most_important_tokens(sources, 3, 2) == (0, 3)
    assert most_important_tokens(sources, 3, 9) == (0, 1, 2, 3)
    assert most_mixed_row(np.ones((1, 1))) == 0


def test_vectors_that_are_no_numbers_have_shares_that_are_no_numbers():
    trace = run(FULL)
    broken = replace(trace.layers[0], resid_pre=np.full_like(trace.layers[0].resid_pre, np.nan))
    flow = data_flow(FULL, replace(trace, layers=(broken, *trace.layers[1:])))
    assert np.isnan(flow.shares[0]).all() and np.isfinite(flow.shares[1:]).all()
    assert np.isnan(flow.sources).all(), "so no part can be given"


# Hidden units


@pytest.mark.parametrize("layer", [0, 2])
def test_all_hidden_units_together_write_what_the_network_gives(layer):
    trace = run(FULL)
    F = get_transformer("grammar")[0].config.d_ff
    units = hidden_units(FULL, trace, layer, 9, n=F, k=1)
    module = get_transformer("grammar")[0].layers[layer].mlp_out
    written = sum(
        activation * module.weight[:, unit].numpy()
        for unit, activation in zip(units.units, units.activations, strict=True)
    )
    assert written + module.bias.numpy() == pytest.approx(trace.layers[layer].mlp_out[9], abs=1e-4)
    assert sorted(units.units) == list(range(F))
    assert np.all(np.diff(units.lengths) <= 0), "the longest first"
    sizes = np.linalg.norm(module.weight.numpy()[:, list(units.units)], axis=0)
    assert units.lengths == pytest.approx(np.abs(units.activations) * sizes, rel=1e-5), "below 0 it writes as well"
    assert units.activations.min() < 0
    assert units.total == F and units.active == int((trace.layers[layer].mlp_hidden[9] > 0).sum())


def test_what_a_unit_raises_is_what_the_logits_gain_with_the_norm_held_still():
    trace = run(FULL)
    transformer, tokenizer = get_transformer("grammar")
    units = hidden_units(FULL, trace, 2, 9, n=1, k=3)
    column = transformer.layers[2].mlp_out.weight[:, units.units[0]] * float(units.activations[0])  # (C,)
    norm, std = transformer.final_norm, float(trace.final_norm.std[9, 0])
    x = torch.tensor(trace.layers[2].resid_post[9])

    def logits(vector):
        return transformer.unembedding((vector - vector.mean()) / std * norm.weight + norm.bias)

    with torch.inference_mode():
        gained = (logits(x) - logits(x - column)).numpy()
    named = [gained[tokenizer.vocabulary.index(word)] for word in units.raised[0]]
    assert named == pytest.approx(units.logit_changes[0], abs=1e-4)
    allowed = np.delete(gained, list(tokenizer.special_ids))
    assert named == pytest.approx(sorted(allowed)[::-1][:3], abs=1e-4)
