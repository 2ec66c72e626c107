"""Inputs that reach every branch of the sentences of Masks, Inside a head, Positions, the norms and Translate."""

import numpy as np
from caption_cases import NAN, A, Cases

from viz.captions.batch_norm import read_moved, read_tensor
from viz.captions.claims import (
    read_cross,
    read_decoder_layer,
    read_one_vector,
    read_pronouns,
    read_settled,
    read_word_by_word,
)
from viz.captions.claims import read_nouns as read_noun_share
from viz.captions.inside import read_averaging, read_forms, read_sizes, read_spectrum
from viz.captions.masks import named, read_cheating, read_guess, read_leak, read_mask, read_ways
from viz.captions.positions import read_lengths, read_round, read_shift, read_shuffle, read_sight, spelt
from viz.captions.translate import (
    LONG,
    read_hits,
    read_map,
    read_networks,
    read_nouns,
    read_quality,
    read_referent,
    read_removed,
    read_tree,
    read_two_looks,
    read_written,
)

WORDS = ["the", "dogs", "chase", "cats"]
CAUSAL = np.tri(4, dtype=bool)
HOLES = CAUSAL & (np.arange(4) != 2)[:, None]
BOTH = CAUSAL & (np.arange(4) < 2)[:, None]
EVEN = CAUSAL / CAUSAL.sum(axis=-1, keepdims=True)
MANY = ["a"] * 8
FLAT = np.zeros((4, 4))
BATCH = [["the", "dog"], ["a", "cat"]]
TENSOR, REAL = np.arange(12.0).reshape(2, 2, 3), A([[True, True], [True, False]])


def _mask(row: int, *, scores: np.ndarray = FLAT, mask: np.ndarray = CAUSAL, each: str = "word") -> str:
    return read_mask(scores, mask, np.where(mask, EVEN, 0), WORDS, row, each)


def _leak(logits: list[float], edited: int, *, causal: bool = True) -> str:
    changed = A(logits)
    return read_leak(changed, changed / 9, np.tri(4) if causal else np.ones((4, 4)), WORDS, edited, "bridges")


def _lengths(none: float, scheme: float, decoder: float, beyond: float) -> str:
    found = A([[[none, none], [scheme, beyond]], [[decoder, decoder], [1.0, 1.0]]])
    return read_lengths(["None", "RoPE"], [16, 32], found, 16, "These numbers are from the model cards")


def _decoded(**more: object) -> str:
    usual = {"tokens": 3, "each": "word", "apart": 1e-7, "ended": True, "attends_ahead": False}
    return read_word_by_word(**(usual | more))  # type: ignore[arg-type]


def _quality(*shares: float, trained: int | None = 2) -> str:
    return read_quality({"GRU": A(shares)}, [1, 2, 3][: len(shares)], trained, "60 new texts per point", "Correct")


CASES: dict[str, Cases] = {
    "masks.named": {"few": lambda: f"{named(WORDS)}.", "many": lambda: f"{named(list('abcdef'))}."},
    "masks.read_mask": {
        "one of all": lambda: _mask(0),
        "two of all": lambda: _mask(1, each="token"),
        "all": lambda: _mask(3),
        "a single word": lambda: read_mask(np.zeros((1, 1)), np.ones((1, 1), bool), np.ones((1, 1)), ["the"], 0),
        "hardly": lambda: _mask(0, scores=np.where(CAUSAL, 9.0, -9.0)),
        "nearly": lambda: _mask(0, scores=np.where(CAUSAL, -9.0, 9.0)),
        "nothing": lambda: _mask(2, mask=HOLES),
        "one other empty": lambda: _mask(1, mask=HOLES),
        "two others empty": lambda: _mask(1, mask=BOTH),
        "no numbers": lambda: read_mask(FLAT, CAUSAL, EVEN * NAN, WORDS, 1),
    },
    "masks.read_leak": {
        "causal": lambda: _leak([0, 0, 9, 1], 2),
        "nothing after": lambda: _leak([0, 9, 0, 0], 1),
        "one after": lambda: _leak([0, 9, 0, 1], 1),
        "does not reach the last": lambda: _leak([0, 0, 9, 0], 2),
        "the last word": lambda: _leak([0, 0, 0, 9], 3),
        "the first word": lambda: _leak([9, 1, 1, 1], 0),
        "a leak": lambda: _leak([1, 1, 9, 1], 2, causal=False),
        "one leak": lambda: _leak([1, 9, 1, 1], 1, causal=False),
        "no change": lambda: _leak([0, 0, 0, 0], 2, causal=False),
        "no numbers": lambda: _leak([NAN, 0, 0, 0], 2),
    },
    "masks.read_ways": {
        "rounding": lambda: read_ways(1e-5, 15.0, (0.001, 0.01, 0.02), 13),
        "exact": lambda: read_ways(0.0, 15.0, (0.001, 0.01, 0.01005), 1),
        "apart": lambda: read_ways(0.5, 15.0, (0.001, 0.02, 0.01), 13),
        "no numbers": lambda: read_ways(NAN, NAN, (0.001, 0.01, 0.02), 13),
    },
    "masks.read_cheating": {
        "cheats": lambda: read_cheating(1.52, 1.60, 0.1, 128),
        "honest": lambda: read_cheating(1.52, 1.60, 1.6, 1),
        "no numbers": lambda: read_cheating(1.52, NAN, NAN, 128),
    },
    "masks.read_guess": {
        "some": lambda: read_guess(1, 4, "rows", "A random guess would get 1.5 right on average."),
        "one": lambda: read_guess(1, 1, "rows", "A random guess would get 0.5 right on average."),
    },
    "inside.read_forms": {
        "the same": lambda: read_forms((1e-3, 2e-3), (1e-12, 0.0)),
        "others": lambda: read_forms((0.1, 0.1), (0.1, 0.1)),
        "no numbers": lambda: read_forms((NAN, NAN), (NAN, NAN)),
    },
    "inside.read_averaging": {
        "several": lambda: read_averaging(EVEN, CAUSAL, WORDS, 2, 0.5),
        "one": lambda: read_averaging(EVEN, CAUSAL, WORDS, 0, 0.5),
        "nothing": lambda: read_averaging(EVEN, HOLES, WORDS, 2, 0.5),
        "below 0": lambda: read_averaging(EVEN - 0.4, CAUSAL, WORDS, 2, 0.5),
        "no numbers": lambda: read_averaging(EVEN * NAN, CAUSAL, WORDS, 2, 0.5),
    },
    "inside.read_spectrum": {
        "several": lambda: read_spectrum(15, 16, 64, 0.5, 1e-17),
        "one": lambda: read_spectrum(1, 16, 64, 0.5, 0.0),
        "none": lambda: read_spectrum(0, 16, 64, 0.0, 0.0),
    },
    "inside.read_sizes": {
        "one": lambda: read_sizes(1, 1, 1, 1, 0.0),
        "several": lambda: read_sizes(4, 4096, 99999, 676, 5e-7),
        "another": lambda: read_sizes(4, 4096, 99999, 676, 0.5),
        "no number": lambda: read_sizes(4, 4096, 99999, 676, NAN),
    },
    "positions.read_shift": {
        "all kinds": lambda: read_shift(
            {"RoPE": 1e-6, "Sinusoidal": 0.5, "T5 buckets": 0.2, "ALiBi": NAN, "Learned": None}, 5, {"Learned": 18}
        ),
        "exactly": lambda: read_shift({"ALiBi": 0.0}, 1, {}),
        "not moved": lambda: read_shift({"ALiBi": 0.0}, 0, {}),
    },
    "positions.spelt": {
        "a change": lambda: f"{', '.join(map(spelt, (0, 3e-7, 0.42, 12.3)))}.",
        "others": lambda: f"{spelt(-0.42)}, {spelt(NAN)}.",
    },
    "positions.read_sight": {
        "both": lambda: read_sight({"a": A([1, 0.9, 0.1]), "b": A([0, -0.9, -0.1])}, {"a": True, "b": False}, 2),
        "similar": lambda: read_sight({"a": A([1, 0.9, 0.1]), "b": A([1, 0.8, 0.2])}, {"a": True, "b": True}, 2),
        "added": lambda: read_sight({"b": A([0, -0.9, -0.1])}, {"b": False}, 2),
        "neither": lambda: read_sight({"b": np.zeros(3)}, {"b": False}, 2),
    },
    "positions.read_shuffle": {
        "both": lambda: read_shuffle({"No positions, no mask": 1e-7, "Mask": 0.5, "Positions": 0.2}, 2),
        "exact": lambda: read_shuffle({"No positions, no mask": 0.0}, 2),
        "change": lambda: read_shuffle({"Mask and positions": 0.5}, 2),
        "no number": lambda: read_shuffle({"Mask and positions": NAN}, 2),
        "not moved": lambda: read_shuffle({"Mask": 0.0}, 0),
    },
    "positions.read_lengths": {
        "usual": lambda: _lengths(0.5, 1.0, 0.99, 0.7),
        "neither has learnt": lambda: _lengths(0.5, 0.6, 0.52, NAN),
        "not well": lambda: _lengths(0.5, 1.0, 0.7, 0.7),
        "both know": lambda: _lengths(0.8, 1.0, 0.99, 0.7),
        "only the encoder": lambda: _lengths(0.8, 1.0, 0.5, 0.7),
    },
    "positions.read_round": {
        "to blame": lambda: read_round(0.31, 64, 20.0, 1, 4, [0.3, 0.9, 0.4]),
        "alone": lambda: read_round(0.31, 64, 20.0, 0, 4, [0.9]),
        "not": lambda: read_round(0.6, 64, 20.0, 1, 4, [0.3, 0.9]) or "(nothing)",
    },
    "batch_norm.read_moved": {
        "none": lambda: read_moved("layer norm", A([[NAN, NAN], [0, 0]]), BATCH),
        "no other": lambda: read_moved("layer norm", A([[NAN, NAN], [0, NAN]]), BATCH),
        "one of two": lambda: read_moved("batch norm", A([[NAN, NAN], [0, 0.5]]), BATCH),
        "all": lambda: read_moved("batch norm", A([[NAN, NAN], [0.25, 0.5]]), BATCH),
        "the only one": lambda: read_moved("batch norm", A([[NAN, NAN], [NAN, 0.5]]), BATCH),
    },
    "batch_norm.read_tensor": {
        "layer": lambda: read_tensor(TENSOR, REAL, "channels", 1, 0, "dog"),
        "batch": lambda: read_tensor(-TENSOR, REAL, "batch", 1, 0, "dog"),
        "one number": lambda: read_tensor(TENSOR[..., :1], REAL, "channels", 1, 0, "dog"),
    },
    "translate.read_written": {
        "right": lambda: read_written("le chat dort .", "le chat dort .", -0.5),
        "wrong": lambda: read_written("le chien dort .", "le chat dort .", -0.5),
        "nothing": lambda: read_written("", "a b", 0.0, ended=False, unit="symbol"),
        "long": lambda: read_written(" ".join(["le"] * (LONG + 1)), None, NAN, ended=False),
        "letters": lambda: read_written("1" * (LONG + 1), "1979-05-03", -2.0, unit="character"),
    },
    "translate.read_map": {
        "said": lambda: read_map(A([[0.3, 0.7]]), ["rue"], ["the", "street"], 0, True),
        "its own row": lambda: read_map(A([[0.3, 0.7]]), ["it"], ["the", "street"], 0, False),
        "no numbers": lambda: read_map(A([[NAN, 0.7]]), ["rue"], ["the", "street"], 0, True),
    },
    "translate.read_hits": {
        "some": lambda: read_hits(9, 8, 0.84, (4, 2)),
        "none": lambda: read_hits(9, 0, 0.1, (4, 0)),
        "one": lambda: read_hits(1, 1, 0.84, (1, 1)),
        "one misses": lambda: read_hits(1, 0, 0.1, (1, 0), "symbol"),
        "no gold": lambda: read_hits(0, 0, 0.0, (4, 1)),
        "no gold, one settled": lambda: read_hits(0, 0, 0.0, (1, 1)),
    },
    "translate.read_tree": {
        "the same": lambda: read_tree(4, 31, 60, -3.0, -3.0, True),
        "better": lambda: read_tree(4, 1, 0, -3.0, -4.0, False),
        "worse": lambda: read_tree(4, 9, 1, -3.0, -2.0, False),
    },
    "translate.read_networks": {
        "some": lambda: read_networks({"GRU": "x", "Transformer": "le chat", "T": "le chat"}, "le chat"),
        "all": lambda: read_networks({"GRU": "y", "Transformer": "y"}, "y"),
        "none": lambda: read_networks({"GRU": "x", "Transformer": "z"}, "y"),
        "one": lambda: read_networks({"GRU": "x"}, "y", "symbol"),
        "not known": lambda: read_networks({"GRU": "x"}, None),
    },
    "translate.read_quality": {
        "beyond": lambda: _quality(1.0, 0.5, 0.1),
        "only beyond": lambda: _quality(NAN, NAN, 0.1),
        "one": lambda: _quality(1.0, trained=None),
        "not asked": lambda: _quality(NAN),
        "classes": lambda: read_quality({"GRU": A([1.0])}, [8], None, "60 new sentences", "Correct", ["3 to 8 words"]),
    },
    "translate.read_removed": {
        "nothing": lambda: read_removed("x", "x", "the same", (0.9, 0.9), 100),
        "the same": lambda: read_removed("x", "x", "without layer norm", (0.9, 0.1), 100),
        "another": lambda: read_removed("x", "le chien", "without layer norm", (0.9, 0.1), 100),
        "no word": lambda: read_removed("x", "", "without layer norm", (0.9, 0.0), 100),
    },
    "translate.read_nouns": {
        "several": lambda: read_nouns(["cat", "box"], A([0.9, 0.05])),
        "small": lambda: read_nouns(["cat", "box"], A([0.9, 0.001])),
        "one": lambda: read_nouns(["cat"], A([0.9])),
    },
    "translate.read_referent": {
        "right": lambda: read_referent("cat", 0.9, "cat"),
        "wrong": lambda: read_referent("cat", 0.9, "box"),
        "not known": lambda: read_referent("cat", 0.9, None),
    },
    "translate.read_two_looks": {
        "in order": lambda: read_two_looks(A([0.66, 0.17]), A([0.08, 0.63])),
        "not": lambda: read_two_looks(A([0.1, 0.7]), A([0.6, 0.1])),
    },
    "claims.read_one_vector": {
        "not enough": lambda: read_one_vector((4, 8, 12, 16), (0.99, 0.49, 0.02, 0), (1, 1, 0.99, 0.97), 500),
        "enough": lambda: read_one_vector((4, 8), (1, 0.9), (1, 0.8), 500),
        "undecided": lambda: read_one_vector((4, 8), (1, 0.1), (1, 0.2), 500),
    },
    "claims.read_nouns": {
        "holds": lambda: read_noun_share("the mean of layer 1's heads", 0.98),
        "not": lambda: read_noun_share("its only head", 0.2),
    },
    "claims.read_pronouns": {
        "holds": lambda: read_pronouns(0.57, 0.86, 0),
        "holds, alone": lambda: read_pronouns(0.9, 0.2, 0),
        "adjective": lambda: read_pronouns(0.1, 0.95, 0),
        "neither": lambda: read_pronouns(0.1, 0.24, 0),
    },
    "claims.read_settled": {"": lambda: read_settled(0.36)},
    "claims.read_cross": {
        "exact": lambda: read_cross(16, 15, 0.0),
        "rounding": lambda: read_cross(1, 1, 5e-7),
        "another": lambda: read_cross(16, 15, 0.3),
        "no numbers": lambda: read_cross(16, 15, NAN),
    },
    "claims.read_decoder_layer": {
        "usual": lambda: read_decoder_layer(0.0, masked=True, feeds_forward=True),
        "leaks": lambda: read_decoder_layer(0.1, masked=True, feeds_forward=False),
        "unmasked": lambda: read_decoder_layer(0.9, masked=False, feeds_forward=True),
        "unmasked, unused": lambda: read_decoder_layer(0.0, masked=False, feeds_forward=True, unit="symbol"),
    },
    "claims.read_word_by_word": {
        "usual": lambda: _decoded(),
        "exact": lambda: _decoded(apart=0.0, tokens=4, ended=False),
        "one": lambda: _decoded(tokens=1, ended=False, each="token"),
        "only the end": lambda: _decoded(tokens=1),
        "looks ahead": lambda: _decoded(apart=15.3, attends_ahead=True),
        "apart": lambda: _decoded(apart=15.3),
        "no numbers": lambda: _decoded(apart=NAN),
        "one, no number": lambda: _decoded(apart=NAN, tokens=1),
    },
}
