"""RoPE with one pair slowed: the rotation by hand, and what it does to the shipped models."""

import math

import pytest
import torch
from equal import close, same_bits

from model.analysis.rope_frequency import SlowedRope, slow_each_frequency, with_slowed_frequency
from model.analysis.sinusoid import wavelengths
from model.checkpoint import load
from model.evaluation.first_digit import accuracy
from model.training.first_digit import KINDS

LENGTH, N, SEED = 64, 60, 11


def test_one_pair_turns_by_its_angle_over_four_and_the_others_as_they_do():
    transformer, _ = load("order-encoder-rope")
    width = transformer.config.key_width
    item = torch.zeros(1, 1, 2, width)
    item[..., 0::2] = 1.0  # every pair points along its first axis
    turned = SlowedRope(transformer.config, pair=1, by=4.0).rotate(item, torch.tensor([0, 20]))[0, 0, 1]
    speeds = [2 * math.pi / length for length in wavelengths(width).tolist()]
    angles = [20 * speed / (4 if pair == 1 else 1) for pair, speed in enumerate(speeds)]
    by_hand = [part for angle in angles for part in (math.cos(angle), math.sin(angle))]
    assert turned.tolist() == pytest.approx(by_hand, abs=1e-6)


def test_slowed_by_one_is_the_model_itself_and_the_model_stays_as_it_was():
    transformer, tokenizer = load("order-decoder-rope")
    ids = torch.tensor([tokenizer.encode("a 7 f c 2 h ?").ids])
    before = transformer(ids).logits
    assert close(with_slowed_frequency(transformer, 2, 1.0)(ids).logits, before)
    with_slowed_frequency(transformer, 1, 4.0)
    assert same_bits(transformer(ids).logits, before, "same operation")


@pytest.mark.parametrize("kind", KINDS)
def test_one_pair_alone_is_to_blame_and_it_is_the_one_that_comes_round(kind):
    transformer, tokenizer = load(f"order-{kind}-rope")
    usual = accuracy(transformer, tokenizer, LENGTH, N, SEED)
    shares = slow_each_frequency(transformer, tokenizer, LENGTH, 4.0, N, SEED)
    best = max(range(len(shares)), key=shares.__getitem__)
    assert shares[best] > 0.95 > 0.7 > usual
    assert all(abs(share - usual) < 0.05 for pair, share in enumerate(shares) if pair != best)
    half = wavelengths(transformer.config.key_width)[best] / 2
    assert 16 < half < LENGTH, "it comes round within this length, and did not within the trained one"
