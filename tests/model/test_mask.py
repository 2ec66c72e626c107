"""Masks: True means may attend. Each by hand, cell by cell, against PyTorch's operator, and by its laws in a model."""

import math
from dataclasses import replace

import pytest
import torch
from equal import same_bits
from hypothesis import given
from hypothesis import strategies as st
from pytorch_reference import assert_same, assert_same_gradients, build, configs, exact, random_ids, seeds
from torch.nn import functional as F

from model import Experiment, run
from model import mask as masks
from model.attention import attend
from model.mask import MASKS, MaskSpec, mask_from_cells, mask_from_hex

sizes = st.integers(1, 9)
kinds = pytest.mark.parametrize("kind", MASKS)
TEXT = "the person who the dogs near the trees chase was tired ."


@pytest.fixture(scope="module")
def positions():
    return torch.arange(4)


def test_causal_is_a_triangle(positions):
    assert masks.causal(positions, positions).int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]


def test_a_window_of_two_is_a_band(positions):
    assert masks.window(positions, positions, 2).int().tolist() == [
        [1, 1, 0, 0],
        [1, 1, 1, 0],
        [0, 1, 1, 1],
        [0, 0, 1, 1],
    ]


def test_a_sliding_window_of_two_is_a_staircase(positions):
    assert masks.sliding(positions, positions, 2).int().tolist() == [
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [0, 1, 1, 0],
        [0, 0, 1, 1],
    ]


def test_a_prefix_of_two_is_seen_by_all(positions):
    assert masks.prefix(positions, positions, 2).int().tolist() == [
        [1, 1, 0, 0],
        [1, 1, 0, 0],
        [1, 1, 1, 0],
        [1, 1, 1, 1],
    ]


def test_blocks_of_three_are_squares_on_the_diagonal(positions):
    assert masks.block(positions, positions, 3).int().tolist() == [
        [1, 1, 1, 0],
        [1, 1, 1, 0],
        [1, 1, 1, 0],
        [0, 0, 0, 1],
    ]


def test_across_a_cut_all_look_at_what_stands_before_it(positions):
    assert masks.cross(positions, positions, 1).int().tolist() == [[1, 0, 0, 0]] * 4


def test_one_filler_at_the_end_is_seen_by_nobody_not_even_itself(positions):
    assert masks.padded(positions, positions, 1).int().tolist() == [
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [1, 1, 1, 0],
        [1, 1, 1, 0],
    ]


def test_filler_is_seen_by_nobody():
    real = torch.tensor([[True, True, False], [True, False, False]])
    assert masks.padding_mask(real).shape == (2, 1, 1, 3)
    assert masks.padding_mask(real).squeeze().tolist() == real.tolist()


@given(T=sizes, S=sizes, number=sizes)
def test_masks_say_what_their_rule_says_cell_by_cell(device, T, S, number):
    queries, keys = torch.arange(T, device=device) + 2, torch.arange(S, device=device)
    rules = {
        masks.causal(queries, keys): lambda q, k: k <= q,
        masks.full(queries, keys): lambda q, k: True,
        masks.window(queries, keys, number): lambda q, k: abs(k - q) < number,
        masks.sliding(queries, keys, number): lambda q, k: 0 <= q - k < number,
        masks.prefix(queries, keys, number): lambda q, k: k <= q or k < number,
        masks.block(queries, keys, number): lambda q, k: any(
            {q, k} <= set(range(b, b + number)) for b in range(0, 30, number)
        ),
        masks.cross(queries, keys, number): lambda q, k: k < number,
        masks.padded(queries, keys, number): lambda q, k: k <= q and k < S - number,
    }
    assert len(rules) == len({kind.rule for kind in MASKS.values()})
    for mask, rule in rules.items():
        assert mask.dtype == torch.bool
        assert mask.device.type == device.type
        assert mask.tolist() == [[rule(q, k) for k in range(S)] for q in range(2, T + 2)]


def test_a_prepared_mask_says_the_same_in_numbers(device):
    allowed = torch.tensor([[True, False], [False, False], [True, True]], device=device)
    ready = masks.prepare_mask(allowed)
    inf = float("inf")
    assert ready.allowed is allowed
    assert ready.upper_bound.tolist() == [[inf, -inf], [-inf, -inf], [inf, inf]]
    assert ready.fully_masked.tolist() == [[False], [True], [False]]
    assert masks.prepare_mask(allowed[[0, 2]]).fully_masked is None


def test_a_forbidden_score_of_infinity_weighs_nothing():
    """As in half precision, where a score overflows: ∞ + (−∞) would be no number."""
    q = torch.tensor([[[[300.0], [1.0]]]], dtype=torch.float16)
    k = torch.tensor([[[[1.0], [300.0]]]], dtype=torch.float16)
    positions = torch.arange(2)
    trace = attend(q, k, k, masks.causal(positions, positions), scale=False)
    assert trace.scores[0, 0, 0, 1] == math.inf
    assert trace.weights[0, 0].tolist() == [[1, 0], [0, 1]]


# A mask instead of the model's own


def drawn_at_random(T, seed):
    """Some cells of a (T, T) mask, among them often a row with none."""
    generator = torch.Generator().manual_seed(seed)
    return mask_from_cells((torch.rand(T, T, generator=generator) < 0.4).tolist())


def looks_of(kind, T, number, seed):
    """Any mask of that kind over T words."""
    if kind == "drawn":
        return drawn_at_random(T, seed)
    entry = MASKS[kind]
    return MaskSpec(kind, max(entry.minimum, min(number, T)) if entry.parameter_label else 0)


@kinds
@given(B=st.integers(1, 2), H=st.integers(1, 3), T=sizes, d=st.integers(1, 5), number=st.integers(0, 9), seed=seeds)
def test_every_mask_is_torchs_operator_with_that_mask_forward_and_backward(device, kind, B, H, T, d, number, seed):
    torch.manual_seed(seed)
    q, k, v = (torch.randn(B, H, T, d, **exact(device), requires_grad=True) for _ in range(3))
    allowed = looks_of(kind, T, number, seed).build(T).to(device)
    trace = attend(q, k, v, allowed)
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    assert_same(trace.z, expected)
    assert_same_gradients(trace.z, expected, [q, k, v])


@kinds
@given(config=configs(), T=st.integers(1, 7), number=st.integers(0, 7), seed=seeds)
def test_in_every_layer_the_forbidden_weighs_exactly_nothing_and_rows_sum_to_one(device, kind, config, T, number, seed):
    model = build(config, seed, device)
    allowed = looks_of(kind, T, number, seed).build(T).to(device)
    for layer in model(random_ids(config, 1, T, device), mask=allowed).layers:
        weights = layer.attention.weights
        assert (weights[..., ~allowed] == 0).all()
        assert_same(weights.sum(-1), allowed.any(-1).to(weights).expand_as(weights.sum(-1)))


def reached(allowed, layers):
    """[t, s]: whether word s can have told word t anything, after so many layers of looking."""
    step = allowed | torch.eye(len(allowed), dtype=torch.bool, device=allowed.device)  # and the residual
    total = torch.eye(len(allowed), dtype=torch.bool, device=allowed.device)
    for _ in range(layers):
        total = (step.int() @ total.int()) > 0
    return total


@kinds
@given(config=configs(), T=st.integers(2, 7), number=st.integers(0, 7), seed=seeds, data=st.data())
def test_a_word_changes_exactly_nothing_where_no_chain_of_looks_leads_to_it(
    device, kind, config, T, number, seed, data
):
    model = build(config, seed, device)
    allowed = looks_of(kind, T, number, seed).build(T).to(device)
    edited = data.draw(st.integers(0, T - 1))
    ids = random_ids(config, 1, T, device)
    other = ids.clone()
    other[0, edited] = (ids[0, edited] + 1) % config.vocab_size
    before, after = (model(text, mask=allowed).logits[0] for text in (ids, other))
    deaf = ~reached(allowed, config.n_layers)[:, edited]
    assert same_bits(before[deaf], after[deaf], "untouched")


@given(config=configs(norm="pre", n_layers=2, d_model=8), seed=seeds)
def test_where_a_chain_of_looks_leads_something_changes(device, config, seed):
    model = build(config, seed, device)
    ids = random_ids(config, 1, 5, device)
    other = ids.clone()
    other[0, 4] = (ids[0, 4] + 1) % config.vocab_size
    allowed = MaskSpec("window", 3).build(5).to(device)
    moved = (model(ids, mask=allowed).logits - model(other, mask=allowed).logits)[0].abs().amax(-1) > 0
    assert moved.tolist() == reached(allowed, 2)[:, 4].tolist()


@given(config=configs(), T=st.integers(1, 6), filler=st.integers(0, 6), seed=seeds)
def test_padding_is_the_text_without_its_filler(device, config, T, filler, seed):
    model = build(config, seed, device)
    ids = random_ids(config, 1, T + filler, device)
    looks = MaskSpec("padding", filler).build(T + filler).to(device)
    causal = MaskSpec("causal").build(T).to(device)
    assert_same(model(ids, mask=looks).logits[:, :T], model(ids[:, :T], mask=causal).logits)


@given(config=configs(causal=True), T=sizes, seed=seeds)
def test_a_decoders_own_mask_is_the_causal_one_and_an_encoders_is_none(device, config, T, seed):
    model = build(config, seed, device)
    ids = random_ids(config, 1, T, device)
    assert same_bits(
        model(ids).logits, model(ids, mask=MaskSpec("causal").build(T).to(device)).logits, "same operation"
    )
    encoder = build(replace(config, causal=False), seed, device)
    assert same_bits(
        encoder(ids).logits, encoder(ids, mask=MaskSpec("none").build(T).to(device)).logits, "same operation"
    )


# Looks: a part of the experiment and of its link


@given(T=st.integers(1, 20), seed=seeds)
def test_a_drawing_goes_through_a_link_and_comes_back(T, seed):
    looks = drawn_at_random(T, seed)
    again = mask_from_hex(looks.hex_rows)
    assert again == looks and hash(again) == hash(looks)
    assert same_bits(again.build(T), looks.build(T))


def test_a_drawing_is_read_row_by_row_in_hexadecimal():
    looks = mask_from_hex("1.2.4")
    assert looks.build(3).int().tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert mask_from_cells(looks.build(3).tolist()) == looks


def test_a_drawing_fits_any_text_cut_short_or_causal_beyond_it():
    looks = mask_from_cells([[True, True], [False, False]])
    assert looks.build(1).int().tolist() == [[1]]
    assert looks.build(4).int().tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]


@pytest.mark.parametrize(
    "text", ["", "zz", "1.", ".1", "4", "1.2.8", "1 2", "-1", "0x1", "1\n", "１", "f" * 200, "<b>"]
)
def test_what_is_no_drawing_is_none(text):
    assert mask_from_hex(text) is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "zip"}, "causal, none"),
        ({"kind": "window"}, "at least 1"),
        ({"kind": "drawn", "rows": (2,)}, "columns"),
    ],
)
def test_a_mask_that_cannot_be_is_refused_with_the_reason(wrong, message):
    with pytest.raises(ValueError, match=message):
        MaskSpec(**wrong)


@kinds
def test_run_uses_the_mask_and_the_file_name_says_so(kind):
    T = 13
    looks = looks_of(kind, T, 3, 0)
    experiment = Experiment(text=TEXT, mask_spec=looks)
    for layer in run(experiment).layers:
        assert all(same_bits(head, looks.build(T).numpy()) for head in layer.attention.mask)
    assert kind in experiment.name and "mask" in experiment.name
    assert looks.name != looks_of(kind, T, 5, 0).name or not MASKS[kind].parameter_label


def test_every_kind_says_what_it_means_and_opens_with_a_number_it_takes():
    for name, kind in MASKS.items():
        assert kind.description.endswith(".")
        if kind.parameter_label:
            assert kind.default >= kind.minimum
            MaskSpec(name, kind.default)
