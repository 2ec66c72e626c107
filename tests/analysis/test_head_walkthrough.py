"""Inside a head: every vector of a row follows from the one before it, and the laws that hold for all of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from equal import same_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from model import Experiment, Switches, run
from model.analysis import loop_attention, value_projection
from model.analysis.attention_cost import AttentionCost, random_layer, run_head, run_random
from model.analysis.head_walkthrough import walk_through_cross_row, walk_through_row
from model.analysis.qk_circuit import numerical_rank, singular_values
from model.attention import MultiHeadAttention, attend
from model.checkpoint import names
from model.config import ModelConfig
from model.position import Position
from model.run import get_model, run_pair
from model.switches import PARTS

TEXT = "the wizard near the bridge visited the nun because she lost her bell ."
GRAMMARS = [name for name in names() if name.startswith("grammar")]
REMOVED = [(), *[(part.name,) for part in PARTS], ("scale", "residual")]


def walks(weights, removed=()):
    """Every head of every layer of one experiment, at three of its words."""
    experiment = Experiment(weights=weights, text=TEXT, switches=Switches().without(*removed))
    trace = run(experiment)
    for layer, layer_trace in enumerate(trace.layers):
        for head in range(len(layer_trace.attention.weights)):
            for row in (0, 5, len(trace.tokens) - 1):
                yield walk_through_row(experiment, trace, layer, head, row), layer_trace, head


def close(a, b, size=1e-4):
    return np.allclose(a, b, atol=size * max(1.0, float(np.abs(b).max())))


@pytest.mark.parametrize("weights", GRAMMARS)
def test_queries_keys_and_values_are_three_pictures_of_x(weights):
    for walkthrough, _, _ in walks(weights):
        assert close(walkthrough.x[walkthrough.row] @ walkthrough.w_q.matrix + walkthrough.w_q.bias, walkthrough.q)
        assert close(walkthrough.x @ walkthrough.w_k.matrix + walkthrough.w_k.bias, walkthrough.k)
        assert close(walkthrough.x @ walkthrough.w_v.matrix + walkthrough.w_v.bias, walkthrough.v)


@pytest.mark.parametrize("removed", REMOVED, ids=lambda removed: "-".join(removed) or "whole")
@pytest.mark.parametrize("weights", ["grammar", "grammar-without-norm"])
def test_every_step_of_a_row_follows_from_the_one_before(weights, removed):
    for walkthrough, layer_trace, head in walks(weights, removed):
        assert close(walkthrough.k @ walkthrough.q, walkthrough.scores)
        assert close(walkthrough.scores / walkthrough.divisor, walkthrough.scaled)
        assert close(walkthrough.scaled + walkthrough.bias, walkthrough.biased)
        odds = np.exp(
            np.where(walkthrough.mask, walkthrough.biased - walkthrough.biased[walkthrough.mask].max(), -np.inf)
        )
        assert close(odds / odds.sum(), walkthrough.weights)
        assert close(walkthrough.weights @ walkthrough.v, walkthrough.z)
        assert close(walkthrough.z @ walkthrough.w_o, walkthrough.head_outputs[head])
        present = 0 if "residual" in removed else 1
        assert close(
            present * walkthrough.resid + walkthrough.head_outputs.sum(axis=0) + walkthrough.b_o,
            walkthrough.resid_after,
        )
        assert same_bits(walkthrough.resid_after, layer_trace.resid_mid[walkthrough.row], "copied"), (
            "and the layer goes on with it"
        )
        assert same_bits(walkthrough.masked, np.where(walkthrough.mask, walkthrough.biased, -np.inf), "copied")
        assert close(
            (walkthrough.resid - walkthrough.mean) / walkthrough.std * walkthrough.gamma + walkthrough.beta,
            walkthrough.x[walkthrough.row],
        )
        assert walkthrough.mask.tolist() == layer_trace.attention.mask[head, walkthrough.row].tolist()


def test_what_all_heads_carry_and_the_bias_is_what_attention_gave():
    experiment = Experiment(text=TEXT)
    trace = run(experiment)
    walkthrough = walk_through_row(experiment, trace, 1, 0, 4)
    assert close(walkthrough.head_outputs.sum(axis=0) + walkthrough.b_o, trace.layers[1].attention.out[4])


# Two forms of the same sum


def random_head(seed, dtype=np.float64):
    random = np.random.default_rng(seed)
    t, s, d, e = random.integers(1, 9, 4)
    q, k, v = (random.normal(size=size).astype(dtype) * 2 for size in ((t, d), (s, d), (s, e)))
    mask = random.random((t, s)) < 0.7  # now and then a row that may look at nothing
    return q, k, v, mask, random.normal(size=(t, s)).astype(dtype)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.booleans())
def test_the_loop_over_words_equals_the_matrix_form_in_double_precision(seed, scale):
    for rows, whole in zip(
        loop_attention.attention_loop(*random_head(seed), scale),
        loop_attention.attention_matmul(*random_head(seed), scale),
        strict=True,
    ):
        assert rows.shape == whole.shape
        assert np.abs(rows - whole).max(initial=0) < 1e-12


def test_a_row_of_the_loop_is_the_sum_done_by_hand():
    q, k, v = np.array([[2.0]]), np.array([[1.0], [0.0]]), np.array([[10.0], [20.0]])
    weights, z = loop_attention.attention_loop(q, k, v, np.ones((1, 2), bool), np.zeros((1, 2)))
    share = np.exp(2) / (np.exp(2) + 1)
    assert weights[0].tolist() == pytest.approx([share, 1 - share])
    assert z[0, 0] == pytest.approx(10 * share + 20 * (1 - share))


def test_both_forms_are_the_models_own_numbers():
    attention = run(Experiment(text=TEXT)).layers[2].attention
    for head in range(4):
        bias = attention.biased[head] - attention.scaled[head]
        single, double = loop_attention.compare(
            attention.q[head], attention.k[head], attention.v[head], attention.mask[head], bias
        )
        assert close(single.matmul, attention.weights[head], 1e-5)
        assert 0 < single.weights_difference < 1e-5
        assert double.weights_difference < 1e-13 < single.weights_difference, "double precision brings them together"


# Sizes


@st.composite
def sizes(draw):
    lengths, widths = st.integers(1, 12), st.integers(1, 24)
    return AttentionCost(
        draw(lengths), draw(lengths), draw(st.integers(1, 6)), draw(widths), draw(widths), draw(widths)
    )


def attention_of(size):
    config = ModelConfig(
        vocab_size=4, n_heads=size.n_heads, d_model=size.d_model, d_k=size.d_k, d_v=size.d_v, attention_bias=False
    )
    return MultiHeadAttention(config, 0), Position(config)


@settings(deadline=None, max_examples=40)
@given(sizes())
def test_shapes_parameters_and_operations_are_those_of_the_real_module(size):
    attention, position = attention_of(size)
    queries, keys = torch.randn(1, size.queries, size.d_model), torch.randn(1, size.keys, size.d_model)
    mask = torch.ones(size.queries, size.keys, dtype=torch.bool)
    with torch.no_grad(), FlopCounterMode(display=False) as counted:
        attention_trace = attention(queries, keys, mask, position, Switches())
    assert size.operations == counted.get_total_flops()
    assert size.parameters == sum(weight.numel() for weight in attention.parameters())
    assert size.weights == attention_trace.weights.numel()
    for stage, array in {
        "q": attention_trace.q,
        "k": attention_trace.k,
        "v": attention_trace.v,
        "weights": attention_trace.weights,
        "z": attention_trace.z,
    }.items():
        assert size.shapes[stage] == tuple(array.shape[1:]), stage
    assert size.shapes["out"] == tuple(attention_trace.out.shape[1:])
    assert size.shapes["scores, scaled, masked"] == tuple(attention_trace.scores.shape[1:])


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 4), st.integers(0, 4), st.integers(1, 64))
def test_more_heads_on_the_same_width_cost_the_same_and_make_more_maps(t, s, few, more, width):
    cost = AttentionCost(t, s, 2**few, 16 * width // 2**few * 1 or 1, 32, 64)
    if cost.n_heads * cost.d_k % 2**more or cost.n_heads * cost.d_v % 2**more:
        return
    other = cost.shared_by(2**more)
    assert (other.parameters, other.operations) == (cost.parameters, cost.operations)
    assert other.weights * cost.n_heads == cost.weights * other.n_heads


@settings(deadline=None, max_examples=40)
@given(sizes())
def test_free_sizes_agree_with_pytorchs_own_operator(size):
    tried = run_random(size)
    assert tried.weights.shape == (size.n_heads, size.queries, size.keys)
    assert np.allclose(tried.weights.sum(axis=-1), 1, atol=1e-5)
    assert tried.difference < 1e-5


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 8), st.integers(1, 24))
def test_inputs_of_different_widths_are_the_kdim_and_vdim_of_pytorch(t, s, n_heads, width, d_source):
    d_model = n_heads * width  # nn.MultiheadAttention splits this width among its heads
    size = AttentionCost(t, s, n_heads, width, width, d_model, d_source)
    x, source, *matrices = random_layer(size)
    theirs = torch.nn.MultiheadAttention(
        d_model, n_heads, bias=False, kdim=d_source, vdim=d_source, batch_first=True, dtype=torch.float32
    )
    own = [theirs.q_proj_weight, theirs.k_proj_weight, theirs.v_proj_weight]  # None where the widths are the same
    if d_source == d_model:
        own = list(theirs.in_proj_weight.chunk(3))
    with torch.no_grad():
        for parameter, matrix in zip(own, matrices, strict=True):
            parameter.copy_(matrix.T)
        _, weights = theirs(x[None], source[None], source[None], average_attn_weights=False)
    assert np.allclose(run_random(size).weights, weights[0].numpy(), atol=1e-5)
    assert size.parameters == sum(parameter.numel() for parameter in theirs.parameters())
    assert [tuple(matrix.shape) for matrix in matrices] == [size.shapes[name] for name in ("W_Q", "W_K", "W_V")]


@settings(deadline=None, max_examples=20)
@given(sizes(), st.integers(1, 24))
def test_the_operations_of_inputs_of_different_widths_are_those_of_their_products(size, d_source):
    size = replace(size, d_source=d_source)
    x, source, w_q, w_k, w_v = random_layer(size)
    with FlopCounterMode(display=False) as counted:
        q, k, v = x @ w_q, source @ w_k, source @ w_v
        heads = [tensor.unflatten(-1, (size.n_heads, -1)).transpose(0, 1)[None] for tensor in (q, k, v)]
        trace = attend(*heads)
        trace.z[0].transpose(0, 1).flatten(1) @ torch.zeros(size.shapes["W_O"])
    assert size.operations == counted.get_total_flops()
    assert trace.weights.shape[1:] == size.shapes["weights"]


def test_a_size_below_one_is_refused():
    assert AttentionCost(d_model=40).d_source == 40
    for field in ("queries", "keys", "n_heads", "d_k", "d_v", "d_model"):
        with pytest.raises(ValueError, match="at least 1"):
            AttentionCost(**{field: 0})


@pytest.mark.parametrize("scale", [True, False])
def test_a_trained_layer_cut_to_other_lengths_agrees_with_pytorchs_own_operator(scale):
    attention = run(Experiment(text=TEXT, switches=Switches(scale=scale))).layers[1].attention
    bias = attention.biased - attention.scaled
    tried = run_head(
        attention.q[:, :5], attention.k[:, :9], attention.v[:, :9], attention.mask[:, :5, :9], bias[:, :5, :9], scale
    )
    assert tried.difference < 1e-4
    assert np.allclose(tried.weights, attention.weights[:, :5, :9], atol=1e-5), "a causal row needs no later key"


# W_Q W_Kᵀ


@pytest.mark.parametrize("weights", GRAMMARS)
def test_the_rank_of_what_a_head_likes_is_at_most_d_k(weights):
    config = get_model(weights)[0].config
    for layer in range(config.n_layers):
        for head in range(config.n_heads):
            values = singular_values(weights, layer, head)
            assert len(values) == config.d_model
            assert (np.diff(values) <= 0).all()
            assert numerical_rank(values) <= config.key_width


def test_the_singular_values_make_up_every_score_of_the_bilinear_form():
    attention = get_model("grammar")[0].layers[0].attention
    w_q, w_k = (linear.weight[16:32].double() for linear in (attention.w_q, attention.w_k))
    form = w_q.T @ w_k  # (C, C)
    assert np.allclose(
        np.sort((singular_values("grammar", 0, 1)) ** 2), torch.linalg.eigvalsh(form.T @ form), atol=1e-9
    )


def test_the_rank_counts_what_is_not_rounding():
    assert numerical_rank(np.array([2.0, 1.0, 1e-17])) == 2
    assert numerical_rank(np.ones(3)) == 3


# Only averaging


def test_no_output_leaves_the_hull_of_the_values_it_may_look_at():
    for weights in GRAMMARS:
        for layer in run(Experiment(weights=weights, text=TEXT)).layers:
            attention = layer.attention
            assert (attention.weights >= 0).all()
            assert np.allclose(attention.weights.sum(axis=-1), 1, atol=1e-5)
            assert not attention.weights[~attention.mask].any()
            assert close(attention.weights @ attention.v, attention.z, 1e-5)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6))
def test_a_mean_of_values_lands_on_the_mean_of_their_points(seed):
    q, k, v, _, _ = (torch.as_tensor(array)[None, None] for array in random_head(seed))
    attention_trace = attend(q, k, v)
    laid = value_projection.project_values(v[0, 0].numpy(), attention_trace.z[0, 0].numpy())
    assert np.allclose(attention_trace.weights[0, 0].numpy() @ laid.values, laid.means, atol=1e-9)
    assert 0 <= laid.explained_variance <= 1 + 1e-9


def test_values_on_a_plane_are_shown_whole():
    random = np.random.default_rng(0)
    v = random.normal(size=(7, 2)) @ random.normal(size=(2, 9)) + 3
    laid = value_projection.project_values(v, v)
    assert laid.explained_variance == pytest.approx(1)
    apart = np.linalg.norm(v[:, None] - v[None], axis=-1)
    assert np.allclose(np.linalg.norm(laid.values[:, None] - laid.values[None], axis=-1), apart), "distances stay"


@pytest.mark.parametrize("removed", [(), ("scale",), ("norm",), ("residual",)], ids=str)
@pytest.mark.parametrize("weights", ["translate", "copy-transformer"])
def test_a_row_of_cross_attention_asks_with_the_decoder_and_reads_the_encoder(weights, removed):
    text, target = ("the cat sleeps .", "le chat dort .") if weights == "translate" else ("c a f d", "c a f d")
    experiment = Experiment(weights, text, Switches().without(*removed), target=target)
    trace = run_pair(experiment)
    for layer, stages in enumerate(trace.decoder.layers):
        for head in range(len(stages.cross.weights)):
            row = walk_through_cross_row(experiment, trace, layer, head, 2)
            assert len(row.x) == len(trace.encoder.tokens) and same_bits(row.x, trace.encoder.final_norm.out, "copied")
            normed = (row.resid - row.mean) / row.std * row.gamma + row.beta
            assert close(normed, row.x_query) and same_bits(row.resid, stages.resid_mid[2], "copied")
            assert close(row.x_query @ row.w_q.matrix + row.w_q.bias, row.q)
            assert close(row.x @ row.w_k.matrix + row.w_k.bias, row.k)
            assert close(row.x @ row.w_v.matrix + row.w_v.bias, row.v)
            scores = row.k @ row.q / row.divisor
            odds = np.exp(scores - scores.max())
            assert row.mask.all() and not row.bias.any() and row.divisor == (1 if "scale" in removed else 4)
            assert close(odds / odds.sum(), row.weights, 1e-3) and close(row.weights @ row.v, row.z)
            kept = 0 if "residual" in removed else row.resid
            assert close(kept + row.head_outputs.sum(axis=0) + row.b_o, row.resid_after)
            assert same_bits(row.resid_after, stages.resid_cross[2], "copied")


def test_other_models_have_no_row_of_cross_attention():
    experiment = Experiment("copy-gru-attention", "c a f", target="c a")
    with pytest.raises(ValueError, match="no cross-attention of Transformer layers"):
        walk_through_cross_row(experiment, run_pair(experiment), 0, 0, 0)
