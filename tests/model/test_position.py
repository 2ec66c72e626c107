"""Eight ways to know the order of words: against plain loops over the papers' formulas, and what each depends on."""

import math

import pytest
import torch
from equal import same_bits
from hypothesis import given
from hypothesis import strategies as st
from pytorch_reference import assert_same, build, exact, random_ids, seeds, stir

from model.attention import AttentionOverride, MultiHeadAttention, attend
from model.config import ModelConfig
from model.position import POSITIONS, RelativeVectors, alibi_slopes, sinusoid, t5_bucket
from model.switches import Switches

RELATIVE = {"none", "relative", "t5", "rope", "alibi", "shaw"}  # scores depend on the distance only
ABSOLUTE = {"sinusoidal", "learned"}  # each place has its own vector


def config_with(position, **choices):
    return ModelConfig(
        **{"vocab_size": 11, "n_layers": 2, "n_heads": 2, "d_model": 8, "context": 16, **choices}, position=position
    )


def scheme(position, device, seed=0, **choices):
    torch.manual_seed(seed)
    return stir(POSITIONS[position](config_with(position, **choices)).to(**exact(device)))


def test_every_scheme_is_either_relative_or_absolute():
    assert set(POSITIONS) == RELATIVE | ABSOLUTE
    assert not RELATIVE & ABSOLUTE


# ---------------------------------------------------------------------------- what a scheme depends on


def scores(position, x, query_positions, key_positions):
    """Scaled and biased scores (B, H, T, S) of the same vectors, standing at these places."""
    q, k = position.rotate(x, query_positions), position.rotate(x, key_positions)
    vectors = position.vectors(1, query_positions, key_positions)
    if vectors is not None:
        return (q[:, :, :, None] * (k[:, :, None] + vectors[0])).sum(-1) / math.sqrt(q.size(-1))
    return attend(q, k, x, bias=position.bias(1, query_positions, key_positions)).biased


@pytest.mark.parametrize("position", sorted(RELATIVE))
@given(shift=st.integers(1, 1000), T=st.integers(1, 9), causal=st.booleans(), seed=seeds)
def test_a_relative_scheme_sees_only_the_distance(device, position, shift, T, causal, seed):
    module = scheme(position, device, seed, causal=causal)
    x, positions = torch.randn(2, 2, T, 4, **exact(device)), torch.arange(T, device=device)
    assert_same(scores(module, x, positions + shift, positions + shift), scores(module, x, positions, positions))
    embeddings = torch.randn(2, T, 8, **exact(device))
    assert same_bits(module.add(embeddings, positions + shift), embeddings, "copied")


@pytest.mark.parametrize("position", sorted(ABSOLUTE))
@given(shift=st.integers(1, 8), T=st.integers(1, 8), seed=seeds)
def test_an_absolute_scheme_sees_the_place_itself(device, position, shift, T, seed):
    module = scheme(position, device, seed)
    x, positions = torch.randn(2, T, 8, **exact(device)), torch.arange(T, device=device)
    added, moved = module.add(x, positions) - x, module.add(x, positions + shift) - x
    assert (added - moved).abs().amax(-1).min() > 1e-3  # every place differs from the one `shift` further on
    assert_same(added[0], added[1])  # and what is added does not depend on the words
    assert module.bias(0, positions, positions) is None
    heads = torch.randn(2, 2, T, 4, **exact(device))
    assert same_bits(module.rotate(heads, positions), heads, "copied")


@pytest.mark.parametrize("position", [name for name in POSITIONS if name != "none"])
def test_with_a_scheme_the_order_of_words_matters(device, position):
    transformer = build(config_with(position, causal=False), 0, device)
    ids = torch.tensor([[3, 1, 4, 5, 9]], device=device)
    shuffle = [4, 2, 0, 3, 1]
    assert (transformer(ids).logits[:, shuffle] - transformer(ids[:, shuffle]).logits).abs().max() > 1e-3


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("causal", [True, False])
def test_beyond_the_context_all_run_on_but_a_learned_table_which_says_that_it_ends(device, position, causal):
    config = config_with(position, context=4, causal=causal)
    transformer = build(config, 0, device)
    assert transformer(random_ids(config, 2, 4, device)).logits.isfinite().all()
    longer = random_ids(config, 2, 12, device)
    if position == "learned":
        with pytest.raises(ValueError, match=r"This model learned 4 positions and the text has 12 tokens\. Shorten"):
            transformer(longer)
    else:
        assert transformer(longer).logits.isfinite().all()


def test_a_learned_table_ends_at_its_last_place_not_at_its_length(device):
    table = scheme("learned", device, context=4)
    x = torch.zeros(1, 1, 8, **exact(device))
    assert_same(table.add(x, torch.tensor([3], device=device))[0], table.table.weight[3:])
    with pytest.raises(ValueError, match="learned 4 positions and the text has 5 tokens"):
        table.add(x, torch.tensor([4], device=device))


# ---------------------------------------------------------------------------- each against its paper


def test_sinusoid_of_two_places_done_by_hand():
    # Width 4: divisors 10000^0 = 1 and 10000^(2/4) = 100. Place 0 is sin 0, cos 0 twice; place 1 is of 1 and of 1/100.
    table = sinusoid(torch.tensor([0.0, 1.0], dtype=torch.float64), 4)
    assert table[0].tolist() == [0, 1, 0, 1]
    assert table[1].tolist() == pytest.approx([math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)])


@given(places=st.lists(st.integers(0, 5000), min_size=1, max_size=5), width=st.integers(1, 9))
def test_sinusoid_is_the_formula_of_the_paper(places, width):
    """Vaswani et al. 2017: PE(pos, 2i) = sin(pos / 10000^(2i / d)), PE(pos, 2i + 1) = cos(pos / 10000^(2i / d))."""
    table = sinusoid(torch.tensor(places, dtype=torch.float64), width)
    assert table.shape == (len(places), width)
    for row, place in zip(table.tolist(), places, strict=True):
        for dimension, value in enumerate(row):
            i = dimension // 2
            wave = math.cos if dimension % 2 else math.sin
            assert value == pytest.approx(wave(place / 10000 ** (2 * i / width)), abs=1e-9)


@given(T=st.integers(1, 6), start=st.integers(0, 2000), pairs=st.integers(1, 4), seed=seeds)
def test_rope_turns_each_pair_as_a_complex_number(device, T, start, pairs, seed):
    """Su et al. 2021: (x_2i + j x_2i+1) · e^(j m θ_i), θ_i = 10000^(-2i / d), m the place."""
    rope = scheme("rope", device, d_k=2 * pairs)
    torch.manual_seed(seed)
    x = torch.randn(1, 2, T, 2 * pairs, **exact(device))
    positions = torch.arange(start, start + T, device=device)
    turned, before = rope.rotate(x, positions).tolist(), x.tolist()
    for h in range(2):
        for t in range(T):
            for i in range(pairs):
                angle = (start + t) * 10000 ** (-2 * i / (2 * pairs))
                pair = complex(before[0][h][t][2 * i], before[0][h][t][2 * i + 1])
                pair *= complex(math.cos(angle), math.sin(angle))
                tolerance = 1e-9 if x.dtype == torch.float64 else 1e-2
                assert turned[0][h][t][2 * i : 2 * i + 2] == pytest.approx([pair.real, pair.imag], abs=tolerance)


def test_rope_keeps_lengths_and_leaves_the_first_place_alone(device):
    x = torch.randn(2, 2, 7, 4, **exact(device))
    turned = scheme("rope", device).rotate(x, torch.arange(7, device=device))
    assert_same(turned.norm(dim=-1), x.norm(dim=-1))
    assert_same(turned[:, :, 0], x[:, :, 0])


def test_rope_refuses_a_width_without_pairs():
    with pytest.raises(ValueError, match="RoPE rotates pairs of coordinates: d_k must be even, not 3"):
        POSITIONS["rope"](config_with("rope", d_k=3))


def slopes_of_the_paper(n_heads):
    """Press et al. 2022: a geometric sequence from 2^(-8/n) with that ratio; other n take odd terms of the next one."""
    if math.log2(n_heads).is_integer():
        ratio = 2 ** (-8 / n_heads)
        return [ratio * ratio**i for i in range(n_heads)]
    nearest = 1
    while 2 * nearest <= n_heads:
        nearest *= 2
    return slopes_of_the_paper(nearest) + slopes_of_the_paper(2 * nearest)[0::2][: n_heads - nearest]


@pytest.mark.parametrize("n_heads", range(1, 41))
def test_alibi_slopes_are_the_papers(n_heads):
    assert alibi_slopes(n_heads) == pytest.approx(slopes_of_the_paper(n_heads))


def test_alibi_slopes_of_eight_heads_are_halves():
    assert alibi_slopes(8) == [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]


@given(T=st.integers(1, 6), S=st.integers(1, 6), n_heads=st.integers(1, 5))
def test_alibi_takes_slope_times_distance_off_every_score(device, T, S, n_heads):
    alibi = scheme("alibi", device, n_heads=n_heads, d_model=2 * n_heads)
    bias = alibi.bias(0, torch.arange(T, device=device), torch.arange(S, device=device)).tolist()
    for h, slope in enumerate(slopes_of_the_paper(n_heads)):
        for t in range(T):
            assert bias[h][t] == pytest.approx([-slope * abs(s - t) for s in range(S)])


def bucket_of_the_paper(distance, causal, buckets, furthest):
    """Raffel et al. 2020 in whole numbers: half the buckets are single distances, the rest grow by a constant factor.

    Far bucket j begins where (distance / exact) ^ (number of far buckets) reaches (furthest / exact) ^ j.
    """
    first = 0
    if causal:
        distance = max(-distance, 0)
    else:
        buckets //= 2
        first = buckets if distance > 0 else 0
        distance = abs(distance)
    exact_ones = buckets // 2
    if distance < exact_ones:
        return first + distance
    far, j = buckets - exact_ones, 0
    while j + 1 < far and distance**far * exact_ones ** (j + 1) >= furthest ** (j + 1) * exact_ones**far:
        j += 1
    return first + exact_ones + j


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("buckets", "furthest"), [(32, 128), (8, 20), (16, 1000)])
def test_t5_buckets_are_the_papers(device, causal, buckets, furthest):
    distances = torch.arange(-furthest - 9, furthest + 10, device=device)
    result = t5_bucket(distances, causal=causal, buckets=buckets, furthest=furthest).tolist()
    assert result == [bucket_of_the_paper(d, causal, buckets, furthest) for d in distances.tolist()]
    assert set(result) == set(range(buckets)) - (set() if causal else {buckets // 2})  # distance +0 is counted with −0


@pytest.mark.parametrize("position", ["t5", "relative"])
@given(T=st.integers(1, 6), S=st.integers(1, 24), causal=st.booleans())
def test_a_learned_bias_is_one_number_of_the_table_for_each_distance(device, position, T, S, causal):
    module = scheme(position, device, causal=causal, context=8)
    query_positions, key_positions = torch.arange(T, device=device), torch.arange(S, device=device)
    for layer in range(2):
        bias = module.bias(layer, query_positions, key_positions)
        assert bias.shape == (2, T, S)
        for t in range(T):
            for s in range(S):
                if position == "t5":  # shared by the layers
                    expected = module.table[:, bucket_of_the_paper(s - t, causal, 32, 128)]
                else:  # clipped at the context: 7 steps either way
                    expected = module.GAIN * module.table[layer, :, min(max(s - t, -7), 7) + 7]
                assert_same(bias[:, t, s], expected)


@pytest.mark.parametrize("scale", [True, False])
@given(T=st.integers(1, 5), cached=st.integers(0, 2), d_v=st.integers(1, 4), far=st.booleans(), seed=seeds)
def test_vectors_for_each_distance_are_added_to_keys_and_values_as_in_the_paper(
    device, scale, T, cached, d_v, far, seed
):
    """Shaw et al. 2018, equations 3 and 4, one sum after another; every query and key has vectors of its own."""
    relative = scheme("shaw", device, seed, d_v=d_v)
    relative.CLIP = 2  # on this instance: its tables are cut to it
    for name in ("key_vectors", "value_vectors"):
        table = getattr(relative, name)
        setattr(relative, name, torch.nn.Parameter(table[:, :, :5]))
    torch.manual_seed(seed)
    attention = stir(MultiHeadAttention(config_with("shaw", d_v=d_v), layer=1).to(**exact(device)))
    relative, attention = relative.requires_grad_(False), attention.requires_grad_(False)
    x = torch.randn(1, T + cached, 8, **exact(device)) * (3 if far else 1)
    allowed = torch.ones(T + cached, T + cached, dtype=torch.bool, device=device).tril()
    switches = Switches(scale=scale)
    whole = attention(x, x, allowed, relative, switches)
    for h in range(2):
        for t in range(T + cached):
            numbers = []
            for s in range(t + 1):
                clipped = min(max(s - t, -2), 2)
                key = whole.k[0, h, s] + relative.key_vectors[1, h, clipped + 2]
                numbers.append(float(whole.q[0, h, t] @ key) / (2.0 if scale else 1.0))
            odds = [math.exp(number - max(numbers)) for number in numbers]
            z = sum(
                odd / sum(odds) * (whole.v[0, h, s] + relative.value_vectors[1, h, min(max(s - t, -2), 2) + 2])
                for s, odd in enumerate(odds)
            )
            tolerance = 1e-9 if x.dtype == torch.float64 else 1e-3
            assert whole.biased[0, h, t, : t + 1].tolist() == pytest.approx(numbers, abs=tolerance)
            assert whole.z[0, h, t].tolist() == pytest.approx(z.tolist(), abs=tolerance)
    if cached:
        first = attention(x[:, :cached], x[:, :cached], allowed[:cached, :cached], relative, switches)
        rest = attention(x[:, cached:], x[:, cached:], allowed[cached:], relative, switches, kv_cache=first)
        assert_same(rest.out, whole.out[:, cached:])


def test_a_row_of_weights_set_by_hand_averages_the_same_vectors(device):
    relative = scheme("shaw", device)
    attention = stir(MultiHeadAttention(config_with("shaw"), layer=0).to(**exact(device)))
    x = torch.randn(1, 4, 8, **exact(device))
    allowed = torch.ones(4, 4, dtype=torch.bool, device=device)
    own = AttentionOverride(0, 1, 2, [0.0, 0.0, 0.0, 1.0])
    changed = attention(x, x, allowed, relative, Switches(), override=own)
    assert_same(changed.z[0, 1, 2], changed.v[0, 1, 3] + relative.value_vectors[0, 1, RelativeVectors.CLIP + 1])


@pytest.mark.parametrize("position", ["sinusoidal", "rope"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_neighbours_far_along_stay_apart_in_half_precision(device, position, dtype):
    """256 and 257 are the same number in bfloat16; as places they must not be."""
    module = POSITIONS[position](config_with(position)).to(device, dtype)
    positions = torch.tensor([256, 257, 4001, 4002], device=device)
    if position == "rope":
        moved = module.rotate(torch.ones(1, 1, 4, 4, device=device, dtype=dtype), positions)[0, 0]
    else:
        moved = module.add(torch.zeros(1, 4, 8, device=device, dtype=dtype), positions)[0]
    assert moved.dtype == dtype
    assert (moved[0] - moved[1]).abs().max() > 0.1
    assert (moved[2] - moved[3]).abs().max() > 0.1
