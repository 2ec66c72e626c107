"""The recurrent models: nn.GRU as we use it against a step written by hand, and the laws of what they may know."""

from itertools import product

import numpy as np
import pytest
import torch
from equal import differ, same_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_reference import assert_same, assert_same_gradients, exact, seeds, stir

from model.recurrent import SCORE_FUNCTIONS, AttentiveDecoderTrace, Recurrent, RecurrentConfig

shapes = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 6))  # B, T, S
V = 11


def build(attention, width, seed, device):
    torch.manual_seed(seed)
    return stir(Recurrent(RecurrentConfig(V, width, attention=attention)).to(**exact(device)), 0.3)


def ids(B, n, device):
    return torch.randint(V, (B, n), device=device)


def step_by_hand(gru, x, h):
    """Cho et al. 2014, equations 5 to 8, with the reset gate on the product as in torch. x and h (B, C)."""
    x_r, x_z, x_n = (x @ gru.weight_ih_l0.T + gru.bias_ih_l0).chunk(3, dim=-1)
    h_r, h_z, h_n = (h @ gru.weight_hh_l0.T + gru.bias_hh_l0).chunk(3, dim=-1)
    reset, update = (x_r + h_r).sigmoid(), (x_z + h_z).sigmoid()
    new = (x_n + reset * h_n).tanh()
    return (1 - update) * new + update * h


def by_hand(ours, source, target, lengths):
    """Logits (B, T, V), word by word and sentence by sentence, with loops."""
    rows = []
    for b, length in enumerate(lengths):
        h = torch.zeros(1, ours.config.d_model).to(ours.embedding.weight)
        states = []
        for step in range(length):
            h = step_by_hand(ours.encoder, ours.embedding(source[b, step])[None], h)
            states.append(h[0])
        row = []
        for step in range(target.size(1)):
            h = step_by_hand(ours.decoder, ours.embedding(target[b, step])[None], h)
            hidden = h[0]
            if ours.config.attention == "dot":
                scores = torch.stack([h[0] @ state for state in states])
            if ours.config.attention == "additive":
                look = ours.attention
                scores = torch.stack([look.v((look.w_q(h[0]) + look.w_k(state)).tanh()).squeeze() for state in states])
            if ours.config.attention != "none":
                context = sum(w * state for w, state in zip(scores.softmax(0), states, strict=True))
                hidden = (ours.mix.weight @ torch.cat((context, h[0]))).tanh()
            row.append(ours.unembedding(hidden))
        rows.append(torch.stack(row))
    return torch.stack(rows)


@pytest.mark.parametrize("attention", SCORE_FUNCTIONS)
@settings(max_examples=15)
@given(width=st.integers(1, 5), shape=shapes, seed=seeds, data=st.data())
def test_reading_and_writing_is_the_step_written_by_hand_forward_and_backward(
    device, attention, width, shape, seed, data
):
    B, T, S = shape
    lengths = data.draw(st.lists(st.integers(1, S), min_size=B, max_size=B))
    ours = build(attention, width, seed, device)
    source, target = ids(B, S, device), ids(B, T, device)
    real = torch.arange(S, device=device) < torch.tensor(lengths, device=device)[:, None]
    logits, expected = ours(source, target, real).decoder.logits, by_hand(ours, source, target, lengths)
    assert_same(logits, expected)
    assert_same_gradients(logits, expected, ours.parameters())


@pytest.mark.parametrize("attention", SCORE_FUNCTIONS)
def test_the_decoder_begins_with_the_last_state_and_is_told_no_more(device, attention):
    ours = build(attention, 4, 0, device)
    source, target = ids(2, 5, device), ids(2, 3, device)
    trace = ours(source, target)
    assert same_bits(trace.encoder.final_state, trace.encoder.hidden[:, -1], "copied")
    other = ours.encode(ids(2, 5, device))
    with_this_vector = type(other)((), other.embed, other.hidden, trace.encoder.final_state)
    logits = ours.decode(with_this_vector, target).logits
    if attention == "none":
        assert same_bits(logits, trace.decoder.logits, "same operation"), (
            "another source with the same vector is the same source"
        )
    else:
        assert differ(logits, trace.decoder.logits), "with attention every state of the source counts"


@pytest.mark.parametrize("attention", SCORE_FUNCTIONS)
def test_the_past_is_untouched_by_the_future_and_the_source_by_the_target(device, attention):
    ours = build(attention, 4, 0, device)
    source, target = ids(2, 5, device), ids(2, 4, device)
    other = torch.cat((target[:, :2], (target[:, 2:] + 1) % V), dim=1)
    first, second = ours(source, target), ours(source, other)
    assert same_bits(first.decoder.logits[:, :2], second.decoder.logits[:, :2], "untouched")
    assert same_bits(first.encoder.hidden, second.encoder.hidden, "untouched")


@pytest.mark.parametrize("attention", SCORE_FUNCTIONS)
def test_word_by_word_is_one_pass(device, attention):
    ours = build(attention, 4, 0, device)
    source, target = ids(2, 5, device), ids(2, 4, device)
    whole, past = ours(source, target).decoder, None
    for t in range(4):
        past = ours.decode(ours.encode(source), target[:, t : t + 1], past=past)
        assert_same(past.logits[:, 0], whole.logits[:, t])


@pytest.mark.parametrize("attention", [name for name, look in SCORE_FUNCTIONS.items() if look])
def test_an_alignment_weighs_all_real_words_and_sums_to_one(device, attention):
    ours = build(attention, 4, 0, device)
    real = torch.tensor([[True] * 5, [True] * 3 + [False] * 2], device=device)
    decoder = ours(ids(2, 5, device), ids(2, 4, device), real).decoder
    assert isinstance(decoder, AttentiveDecoderTrace)
    weights = decoder.attention.weights
    assert weights.shape == (2, 1, 4, 5)
    assert_same(weights.sum(-1), torch.ones_like(weights[..., 0]))
    assert not weights[1, :, :, 3:].any()


def test_without_attention_there_is_no_alignment_to_show(device):
    decoder = build("none", 4, 0, device)(ids(1, 3, device), ids(1, 2, device)).decoder
    assert not isinstance(decoder, AttentiveDecoderTrace)


@pytest.mark.parametrize(("field", "wrong"), list(product(("vocab_size", "d_model", "context"), (0, -1, 1.5, "8"))))
def test_a_size_that_is_none_is_refused(field, wrong):
    with pytest.raises(ValueError, match=f"{field} must be a whole number"):
        RecurrentConfig(**{"vocab_size": 3, field: wrong})


def test_an_alignment_nobody_wrote_is_refused():
    with pytest.raises(ValueError, match="attention must be one of none, dot, additive"):
        Recurrent(RecurrentConfig(3, attention="nonsense"))


def test_a_dot_product_by_hand():
    """State (1, 2), source states (1, 0) and (0, 1): scores 1 and 2, weights 1/(1 + e) and e/(1 + e)."""
    look = SCORE_FUNCTIONS["dot"](2)
    states = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])
    trace = look(torch.tensor([[[[1.0, 2.0]]]]), states, torch.ones(1, 2, dtype=torch.bool))
    np.testing.assert_allclose(trace.scores.flatten(), [1, 2])
    np.testing.assert_allclose(trace.weights.flatten(), [1 / (1 + np.e), np.e / (1 + np.e)], rtol=1e-6)
    np.testing.assert_allclose(trace.out.flatten(), trace.weights.flatten())
