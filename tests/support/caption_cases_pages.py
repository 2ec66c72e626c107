"""Inputs that reach every branch of the sentences of Masks, Inside a head, Positions, the norms and Translate."""

from typing import Any

import numpy as np
from caption_cases import NAN, A, Cases

from viz.captions.batch_norm import describe_epsilon, describe_norm_axes, describe_norm_change
from viz.captions.claims import (
    describe_cross_attention,
    describe_decoder_layer,
    describe_decoding,
    describe_determined,
    describe_one_vector,
    describe_pronouns,
)
from viz.captions.claims import describe_nouns_attended as read_noun_share
from viz.captions.cost import (
    Crossing,
    Fitted,
    MethodError,
    describe_approximation,
    describe_cache,
    describe_costs,
    describe_tiles,
    describe_token_times,
)
from viz.captions.inside import (
    describe_averaging,
    describe_cost,
    describe_loop_and_matmul,
    describe_qk_spectrum,
    describe_widths,
)
from viz.captions.machine import (
    describe_attention,
    describe_cross,
    describe_embedding,
    describe_machine,
    describe_mlp,
    describe_output,
    describe_pair_machine,
    describe_translations,
    describe_unembedding,
    describe_units,
)
from viz.captions.masks import (
    describe_guess,
    describe_kv_cache,
    describe_leak,
    describe_mask,
    describe_no_mask_training,
    list_in_bold,
)
from viz.captions.positions import (
    describe_length_generalisation,
    describe_rope_period,
    describe_shift,
    describe_shuffle,
    describe_similarity,
    format_number,
)
from viz.captions.training import AnswerHead, Claim, Levels, Outcome, describe_training
from viz.captions.training_history import Role, describe_kept_steps, describe_training_history
from viz.captions.training_views import describe_gradient_by_depth, describe_schedules, describe_smoothness
from viz.captions.translate import (
    LONG,
    describe_ablation,
    describe_accuracy_by_length,
    describe_adjective_and_referent,
    describe_alignment_hits,
    describe_beam_tree,
    describe_map,
    describe_networks,
    describe_nouns,
    describe_referent,
    describe_translation,
    describe_typed_unknown,
    describe_unknown_words,
)
from viz.captions.why import (
    describe_initial_gradients,
    describe_path,
    describe_region,
    describe_schedule,
    describe_trained_gradients,
    describe_training_speed,
)

WORDS = ["the", "dogs", "chase", "cats"]
CAUSAL = np.tri(4, dtype=bool)
HOLES = CAUSAL & (np.arange(4) != 2)[:, None]
BOTH = CAUSAL & (np.arange(4) < 2)[:, None]
EVEN = CAUSAL / CAUSAL.sum(axis=-1, keepdims=True)
MANY = ["a"] * 8
FLAT = np.zeros((4, 4))
BATCH = [["the", "dog"], ["a", "cat"]]
LAYERS = [
    Fitted("self-attention", 2, (2.8, 0.1), (1.98, 0.01)),
    Fitted("linear attention", 1, (0.7, 0.05), None),
    Fitted("window", 1, (1.0, float("inf")), (1.0, 0.01)),
    Fitted("tanh RNN", 1, None, None),
]
TENSOR, REAL = np.arange(12.0).reshape(2, 2, 3), A([[True, True], [True, False]])


def _mask(row: int, *, scores: np.ndarray = FLAT, mask: np.ndarray = CAUSAL, each: str = "word") -> str:
    return describe_mask(scores, mask, np.where(mask, EVEN, 0), WORDS, row, each)


def _leak(logits: list[float], edited: int, *, causal: bool = True) -> str:
    changed = A(logits)
    return describe_leak(changed, changed / 9, np.tri(4) if causal else np.ones((4, 4)), WORDS, edited, "bridges")


LEVELS = Levels(1 / 16, 2.77, 0.0)
MARKOV = Levels(1 / 12, 2.48, 1.1)


def _training(a: Outcome, b: Outcome, claim: Claim | None = None, levels: Levels = LEVELS) -> str:
    return describe_training(a, b, levels, 200, claim)


def _history(*roles: Role) -> str:
    return describe_training_history([0, 800, 1000], [5.6, 2.0, 1.9], roles, 0.5)


def _lengths(none: float, scheme: float, decoder: float, beyond: float) -> str:
    accuracies = A([[[none, none], [scheme, beyond]], [[decoder, decoder], [1.0, 1.0]]])
    return describe_length_generalisation(
        ["None", "RoPE"], [16, 32], accuracies, 16, "These numbers are from the model cards"
    )


def _decoded(**more: object) -> str:
    usual: dict[str, Any] = {"tokens": 3, "each": "word", "apart": 1e-7, "ended": True, "attends_ahead": False}
    return describe_decoding(**(usual | more))


def _quality(*shares: float, trained: int | None = 2) -> str:
    return describe_accuracy_by_length(
        {"GRU": A(shares)}, [1, 2, 3][: len(shares)], trained, "60 new texts per point", "Correct"
    )


CASES: dict[str, Cases] = {
    "machine.describe_embedding": {"any": lambda: describe_embedding("dogs", 7.7)},
    "machine.describe_attention": {
        "two others": lambda: describe_attention("dogs", 7.7, 7.8, [("the, token 4", 0.4), ("near", 0.04)], True, 0.03),
        "none but itself": lambda: describe_attention("the", 7.7, 7.8, [], True, 0.03),
        "no residual": lambda: describe_attention("dogs", 7.7, 7.8, [("the", 0.996)], False, 0.03),
        "no heads": lambda: describe_attention("dogs", 7.7, 0.0, [], True, 0.03),
    },
    "machine.describe_cross": {
        "two": lambda: describe_cross("chat", 7.7, 7.8, [("cat", 0.4), ("the, token 1", 0.04)], True, 0.03),
        "none": lambda: describe_cross("chat", 7.7, 7.8, [], True, 0.03),
        "no residual": lambda: describe_cross("chat", 7.7, 7.8, [("cat", 0.996)], False, 0.03),
        "no heads": lambda: describe_cross("chat", 7.7, 0.0, [], True, 0.03),
    },
    "machine.describe_output": {
        "some": lambda: describe_output("chat", "cat", 0.21),
        "nothing": lambda: describe_output("chat", "cat", 0.0),
    },
    "machine.describe_pair_machine": {
        "all drawn": lambda: describe_pair_machine("chat", [("cat", 0.3), ("the", 0.1)], [("le", 0.05)], 0.8, 9, 9),
        "some drawn": lambda: describe_pair_machine("chat", [("cat", 0.3)], [], 0.8, 40, 60),
        "nothing of the source": lambda: describe_pair_machine("chat", [], [("le", 0.4)], 0.0, 9, 9),
        "only itself": lambda: describe_pair_machine("⟨start⟩", [], [], 0.0, 9, 9),
        "no numbers": lambda: describe_pair_machine("chat", [], [], float(NAN), 9, 9),
    },
    "machine.describe_translations": {
        "full": lambda: describe_translations("le chat dort .", None, given=False),
        "given": lambda: describe_translations("le chat dort .", None, given=True),
        "another": lambda: describe_translations("le chat dort .", "le chien dort .", given=False),
        "the same": lambda: describe_translations("le chat dort .", "le chat dort .", given=False),
        "nothing": lambda: describe_translations("le chat dort .", "", given=False),
        "long": lambda: describe_translations("le chat " * 40, None, given=False),
    },
    "machine.describe_mlp": {
        "many": lambda: describe_mlp("dogs", 7.7, 8.1, 77, 256, True),
        "one": lambda: describe_mlp("dogs", 7.7, 8.1, 1, 256, False),
        "removed": lambda: describe_mlp("dogs", 7.7, 0.0, 0, 256, True),
    },
    "machine.describe_unembedding": {
        "next": lambda: describe_unembedding("dogs", "chase", 0.22, "next"),
        "here": lambda: describe_unembedding("[MASK]", "dog", 1.0, "here"),
    },
    "machine.describe_machine": {
        "all drawn": lambda: describe_machine("dogs", [("the", 0.4), ("near", 0.1)], 0.07, 13, 13),
        "some drawn": lambda: describe_machine("dogs", [("the", 0.4)], 0.004, 24, 300),
        "itself": lambda: describe_machine("the", [], 1.0, 2, 2),
        "no numbers": lambda: describe_machine("the", [], float(NAN), 2, 2),
    },
    "machine.describe_units": {
        "words": lambda: describe_units("dogs", 2, 77, 256, ["was", "is"]),
        "one": lambda: describe_units("dogs", 0, 1, 256, ["was"]),
        "no words": lambda: describe_units("dogs", 0, 12, 256, []),
    },
    "masks.list_in_bold": {
        "few": lambda: f"{list_in_bold(WORDS)}.",
        "many": lambda: f"{list_in_bold(list('abcdef'))}.",
    },
    "masks.describe_mask": {
        "one of all": lambda: _mask(0),
        "two of all": lambda: _mask(1, each="token"),
        "all": lambda: _mask(3),
        "a single word": lambda: describe_mask(np.zeros((1, 1)), np.ones((1, 1), bool), np.ones((1, 1)), ["the"], 0),
        "hardly": lambda: _mask(0, scores=np.where(CAUSAL, 9.0, -9.0)),
        "nearly": lambda: _mask(0, scores=np.where(CAUSAL, -9.0, 9.0)),
        "nothing": lambda: _mask(2, mask=HOLES),
        "one other empty": lambda: _mask(1, mask=HOLES),
        "two others empty": lambda: _mask(1, mask=BOTH),
        "no numbers": lambda: describe_mask(FLAT, CAUSAL, EVEN * NAN, WORDS, 1),
    },
    "masks.describe_leak": {
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
    "masks.describe_kv_cache": {
        "rounding": lambda: describe_kv_cache(1e-5, 15.0, (0.001, 0.01, 0.02), 13),
        "exact": lambda: describe_kv_cache(0.0, 15.0, (0.001, 0.01, 0.01005), 1),
        "apart": lambda: describe_kv_cache(0.5, 15.0, (0.001, 0.02, 0.01), 13),
        "no numbers": lambda: describe_kv_cache(NAN, NAN, (0.001, 0.01, 0.02), 13),
    },
    "masks.describe_no_mask_training": {
        "cheats": lambda: describe_no_mask_training(1.52, 1.60, 0.1, 128),
        "honest": lambda: describe_no_mask_training(1.52, 1.60, 1.6, 1),
        "no numbers": lambda: describe_no_mask_training(1.52, NAN, NAN, 128),
    },
    "masks.describe_guess": {
        "some": lambda: describe_guess(1, 4, "rows", "A random guess would get 1.5 right on average."),
        "one": lambda: describe_guess(1, 1, "rows", "A random guess would get 0.5 right on average."),
    },
    "inside.describe_loop_and_matmul": {
        "the same": lambda: describe_loop_and_matmul((1e-3, 2e-3), (1e-12, 0.0)),
        "others": lambda: describe_loop_and_matmul((0.1, 0.1), (0.1, 0.1)),
        "no numbers": lambda: describe_loop_and_matmul((NAN, NAN), (NAN, NAN)),
    },
    "inside.describe_averaging": {
        "several": lambda: describe_averaging(EVEN, CAUSAL, WORDS, 2, 0.5),
        "one": lambda: describe_averaging(EVEN, CAUSAL, WORDS, 0, 0.5),
        "nothing": lambda: describe_averaging(EVEN, HOLES, WORDS, 2, 0.5),
        "below 0": lambda: describe_averaging(EVEN - 0.4, CAUSAL, WORDS, 2, 0.5),
        "no numbers": lambda: describe_averaging(EVEN * NAN, CAUSAL, WORDS, 2, 0.5),
    },
    "inside.describe_qk_spectrum": {
        "several": lambda: describe_qk_spectrum(15, 16, 64, 0.5, 1e-17),
        "one": lambda: describe_qk_spectrum(1, 16, 64, 0.5, 0.0),
        "none": lambda: describe_qk_spectrum(0, 16, 64, 0.0, 0.0),
    },
    "inside.describe_widths": {
        "same": lambda: describe_widths(64, 64, 16),
        "different": lambda: describe_widths(64, 48, 16),
    },
    "inside.describe_cost": {
        "one": lambda: describe_cost(1, 1, 1, 1, 0.0),
        "several": lambda: describe_cost(4, 4096, 99999, 676, 5e-7),
        "another": lambda: describe_cost(4, 4096, 99999, 676, 0.5),
        "no number": lambda: describe_cost(4, 4096, 99999, 676, NAN),
    },
    "positions.describe_shift": {
        "all kinds": lambda: describe_shift(
            {"RoPE": 1e-6, "Sinusoidal": 0.5, "T5 buckets": 0.2, "ALiBi": NAN, "Learned": None}, 5, {"Learned": 18}
        ),
        "exactly": lambda: describe_shift({"ALiBi": 0.0}, 1, {}),
        "not moved": lambda: describe_shift({"ALiBi": 0.0}, 0, {}),
    },
    "positions.format_number": {
        "a change": lambda: f"{', '.join(map(format_number, (0, 3e-7, 0.42, 12.3)))}.",
        "others": lambda: f"{format_number(-0.42)}, {format_number(NAN)}.",
    },
    "positions.describe_similarity": {
        "both": lambda: describe_similarity(
            {"a": A([1, 0.9, 0.1]), "b": A([0, -0.9, -0.1])}, {"a": True, "b": False}, 2
        ),
        "similar": lambda: describe_similarity(
            {"a": A([1, 0.9, 0.1]), "b": A([1, 0.8, 0.2])}, {"a": True, "b": True}, 2
        ),
        "added": lambda: describe_similarity({"b": A([0, -0.9, -0.1])}, {"b": False}, 2),
        "neither": lambda: describe_similarity({"b": np.zeros(3)}, {"b": False}, 2),
    },
    "positions.describe_shuffle": {
        "both": lambda: describe_shuffle({"No positions, no mask": 1e-7, "Mask": 0.5, "Positions": 0.2}, 2),
        "exact": lambda: describe_shuffle({"No positions, no mask": 0.0}, 2),
        "change": lambda: describe_shuffle({"Mask and positions": 0.5}, 2),
        "no number": lambda: describe_shuffle({"Mask and positions": NAN}, 2),
        "not moved": lambda: describe_shuffle({"Mask": 0.0}, 0),
    },
    "positions.describe_length_generalisation": {
        "usual": lambda: _lengths(0.5, 1.0, 0.99, 0.7),
        "neither has learnt": lambda: _lengths(0.5, 0.6, 0.52, NAN),
        "not well": lambda: _lengths(0.5, 1.0, 0.7, 0.7),
        "both know": lambda: _lengths(0.8, 1.0, 0.99, 0.7),
        "only the encoder": lambda: _lengths(0.8, 1.0, 0.5, 0.7),
    },
    "positions.describe_rope_period": {
        "to blame": lambda: describe_rope_period(0.31, 64, 20.0, 1, 4, [0.3, 0.9, 0.4]),
        "alone": lambda: describe_rope_period(0.31, 64, 20.0, 0, 4, [0.9]),
        "not": lambda: describe_rope_period(0.6, 64, 20.0, 1, 4, [0.3, 0.9]) or "(nothing)",
    },
    "batch_norm.describe_norm_change": {
        "none": lambda: describe_norm_change("layer norm", A([[NAN, NAN], [0, 0]]), BATCH),
        "no other": lambda: describe_norm_change("layer norm", A([[NAN, NAN], [0, NAN]]), BATCH),
        "one of two": lambda: describe_norm_change("batch norm", A([[NAN, NAN], [0, 0.5]]), BATCH),
        "all": lambda: describe_norm_change("batch norm", A([[NAN, NAN], [0.25, 0.5]]), BATCH),
        "the only one": lambda: describe_norm_change("batch norm", A([[NAN, NAN], [NAN, 0.5]]), BATCH),
    },
    "batch_norm.describe_norm_axes": {
        "layer": lambda: describe_norm_axes(TENSOR, REAL, "channels", 1, 0, "dog"),
        "batch": lambda: describe_norm_axes(-TENSOR, REAL, "batch", 1, 0, "dog"),
        "one number": lambda: describe_norm_axes(TENSOR[..., :1], REAL, "channels", 1, 0, "dog"),
    },
    "batch_norm.describe_epsilon": {
        "none": lambda: describe_epsilon(1e-5, 4.8e-4, 0.01, A([0.9, 0.012]), A([1e-6, 3.9e-4])),
        "one": lambda: describe_epsilon(1e-5, 4.8e-4, 0.01, A([0.9, 1e-4]), A([1e-6, 0.05])),
        "some": lambda: describe_epsilon(1e-5, 4.8e-4, 0.01, A([0.9, 1e-4, 1e-5]), A([1e-6, 0.05, 0.3])),
        "all": lambda: describe_epsilon(1e-5, 4.8e-4, 0.01, A([1e-4, 1e-5]), A([0.05, 0.3])),
    },
    "translate.describe_translation": {
        "right": lambda: describe_translation("le chat dort .", "le chat dort .", -0.5),
        "wrong": lambda: describe_translation("le chien dort .", "le chat dort .", -0.5),
        "nothing": lambda: describe_translation("", "a b", 0.0, ended=False, unit="symbol"),
        "long": lambda: describe_translation(" ".join(["le"] * (LONG + 1)), None, NAN, ended=False),
        "letters": lambda: describe_translation("1" * (LONG + 1), "1979-05-03", -2.0, unit="character"),
    },
    "translate.describe_map": {
        "said": lambda: describe_map(A([[0.3, 0.7]]), ["rue"], ["the", "street"], 0, True),
        "its own row": lambda: describe_map(A([[0.3, 0.7]]), ["it"], ["the", "street"], 0, False),
        "no numbers": lambda: describe_map(A([[NAN, 0.7]]), ["rue"], ["the", "street"], 0, True),
    },
    "translate.describe_alignment_hits": {
        "some": lambda: describe_alignment_hits(9, 8, 0.84, (4, 2)),
        "none": lambda: describe_alignment_hits(9, 0, 0.1, (4, 0)),
        "one": lambda: describe_alignment_hits(1, 1, 0.84, (1, 1)),
        "one misses": lambda: describe_alignment_hits(1, 0, 0.1, (1, 0), "symbol"),
        "no gold": lambda: describe_alignment_hits(0, 0, 0.0, (4, 1)),
        "no gold, one settled": lambda: describe_alignment_hits(0, 0, 0.0, (1, 1)),
    },
    "translate.describe_beam_tree": {
        "the same": lambda: describe_beam_tree(4, 31, 60, -3.0, -3.0, True),
        "better": lambda: describe_beam_tree(4, 1, 0, -3.0, -4.0, False),
        "worse": lambda: describe_beam_tree(4, 9, 1, -3.0, -2.0, False),
    },
    "translate.describe_networks": {
        "some": lambda: describe_networks({"GRU": "x", "Transformer": "le chat", "T": "le chat"}, "le chat"),
        "all": lambda: describe_networks({"GRU": "y", "Transformer": "y"}, "y"),
        "none": lambda: describe_networks({"GRU": "x", "Transformer": "z"}, "y"),
        "one": lambda: describe_networks({"GRU": "x"}, "y", "symbol"),
        "not known": lambda: describe_networks({"GRU": "x"}, None),
    },
    "translate.describe_accuracy_by_length": {
        "beyond": lambda: _quality(1.0, 0.5, 0.1),
        "only beyond": lambda: _quality(NAN, NAN, 0.1),
        "one": lambda: _quality(1.0, trained=None),
        "not asked": lambda: _quality(NAN),
        "classes": lambda: describe_accuracy_by_length(
            {"GRU": A([1.0])}, [8], None, "60 new sentences", "Correct", ["3 to 8 words"]
        ),
    },
    "translate.describe_typed_unknown": {
        "both": lambda: describe_typed_unknown({"Transformer": (1, 3), "Pieces": (0, 1)}),
    },
    "translate.describe_unknown_words": {
        "both": lambda: describe_unknown_words(
            [0, 1], {"T": A([1.0, 0.1]), "P": A([0.9, 0.2])}, {"T": A([0.0, 0.125]), "P": A([0.0, 0.0])}, 60
        ),
    },
    "translate.describe_ablation": {
        "nothing": lambda: describe_ablation("x", "x", "the same", (0.9, 0.9), 100),
        "the same": lambda: describe_ablation("x", "x", "without layer norm", (0.9, 0.1), 100),
        "another": lambda: describe_ablation("x", "le chien", "without layer norm", (0.9, 0.1), 100),
        "no word": lambda: describe_ablation("x", "", "without layer norm", (0.9, 0.0), 100),
    },
    "translate.describe_nouns": {
        "several": lambda: describe_nouns(["cat", "box"], A([0.9, 0.05])),
        "small": lambda: describe_nouns(["cat", "box"], A([0.9, 0.001])),
        "one": lambda: describe_nouns(["cat"], A([0.9])),
    },
    "translate.describe_referent": {
        "right": lambda: describe_referent("cat", 0.9, "cat"),
        "wrong": lambda: describe_referent("cat", 0.9, "box"),
        "not known": lambda: describe_referent("cat", 0.9, None),
    },
    "translate.describe_adjective_and_referent": {
        "in order": lambda: describe_adjective_and_referent(A([0.66, 0.17]), A([0.08, 0.63])),
        "not": lambda: describe_adjective_and_referent(A([0.1, 0.7]), A([0.6, 0.1])),
    },
    "claims.describe_one_vector": {
        "not enough": lambda: describe_one_vector((4, 8, 12, 16), (0.99, 0.49, 0.02, 0), (1, 1, 0.99, 0.97), 500),
        "enough": lambda: describe_one_vector((4, 8), (1, 0.9), (1, 0.8), 500),
        "undecided": lambda: describe_one_vector((4, 8), (1, 0.1), (1, 0.2), 500),
    },
    "claims.describe_nouns_attended": {
        "holds": lambda: read_noun_share("the mean of layer 1's heads", 0.98),
        "not": lambda: read_noun_share("the only head of the model", 0.2),
    },
    "claims.describe_pronouns": {
        "holds": lambda: describe_pronouns(0.57, 0.86, 0),
        "holds, alone": lambda: describe_pronouns(0.9, 0.2, 0),
        "adjective": lambda: describe_pronouns(0.1, 0.95, 0),
        "neither": lambda: describe_pronouns(0.1, 0.24, 0),
    },
    "why.describe_path": {
        "all arrive": lambda: describe_path("person", "was", 8, {"tanh RNN": 9, "convolution": 4, "self-attention": 1}),
        "one does not": lambda: describe_path("a", "b", 8, {"tanh RNN": 9, "convolution": NAN}),
        "two do not": lambda: describe_path("a", "b", 1, {"tanh RNN": 2, "convolution": NAN, "window attention": NAN}),
        "back": lambda: describe_path("was", "person", -8, {"tanh RNN": NAN}),
    },
    "why.describe_initial_gradients": {
        "usual": lambda: describe_initial_gradients(
            (1, 8, 64),
            {
                "tanh RNN": np.array([[1.2, 0.1, 3e-13]] * 2),
                "window": np.array([[1, 0.1, 0.0]] * 2),
                "attention": np.full((2, 3), 0.1),
            },
        ),
        "never": lambda: describe_initial_gradients((1, 64), {"nothing": np.zeros((3, 2))}),
        "a bias": lambda: describe_initial_gradients(
            (1, 64), {"GRU": np.array([[1, 1e-9]] * 2), "GRU, update-gate bias 1": np.array([[1, 1e-5]] * 2)}
        ),
    },
    "why.describe_trained_gradients": {
        "carried": lambda: describe_trained_gradients(
            (1, 20), {"GRU encoder": np.array([[1, 0.9]] * 2)}, {"GRU encoder": np.array([[1, 1e-4]] * 2)}
        ),
        "not": lambda: describe_trained_gradients(
            (1, 20), {"GRU": np.array([[1, 0.01]] * 3)}, {"GRU": np.array([[1, 1e-4]] * 3)}
        ),
    },
    "why.describe_region": {
        "some": lambda: describe_region("was", 9, 11, 4, True),
        "all": lambda: describe_region("was", 13, 13, 1, False),
        "the only one": lambda: describe_region("⟨start⟩", 1, 1, 4, True),
    },
    "why.describe_schedule": {
        "usual": lambda: describe_schedule(4, {"recurrent": 10, "parallel": 52}, 52, {"recurrent": 16, "parallel": 4}),
        "one step": lambda: describe_schedule(1, {"recurrent": 1}, 4, {"recurrent": 4}),
    },
    "why.describe_training_speed": {
        "always": lambda: describe_training_speed((64, 1024), {"GRU": np.array([9e3, 9e3]), "fused": np.full(2, 2e4)}),
        "once": lambda: describe_training_speed((64, 1024), {"GRU": np.array([9e3, 9e3]), "a": np.array([1e4, 9e2])}),
        "never": lambda: describe_training_speed((64,), {"GRU": np.array([9e3]), "a": np.array([1e3])}),
        "nothing": lambda: describe_training_speed((64,), {"GRU": np.array([NAN]), "a": np.array([1e3])}),
        "not begun": lambda: describe_training_speed((64,), {"GRU": np.array([NAN])}, begun=False),
    },
    "cost.describe_costs": {
        "not measured": lambda: describe_costs(
            LAYERS[3:], Crossing("the tanh RNN", "attention", 65, 9, None, 0), 0, 256
        ),
        "measured": lambda: describe_costs(LAYERS, Crossing("the tanh RNN", "attention", 65, 9, 430.4, 2048), 2, 256),
        "never": lambda: describe_costs(LAYERS[:1], Crossing("the GRU", "attention", None, 65536, None, 2048), 1, 64),
        "fused": lambda: describe_costs(
            LAYERS, Crossing("linear attention", "attention", 17, 9, 64.0, 2048, 64), 0, 256, fused=True
        ),
    },
    "cost.describe_approximation": {
        "causal": lambda: describe_approximation("L0H0", {"window": MethodError(7, 0.3, 0.2, 0.5)}, 13, False),
        "two-sided": lambda: describe_approximation("L0H0", {"linear": MethodError(0, 0.7, 0.47, 0.91)}, 1, True),
    },
    "cost.describe_tiles": {
        "causal": lambda: describe_tiles("L0H0", (4, 4), (10, 6), 4.4e-16),
        "one tile": lambda: describe_tiles("L0H0", (16, 16), (1, 0), 0.0),
        "one skipped": lambda: describe_tiles("L0H0", (7, 7), (3, 1), 2e-12),
    },
    "cost.describe_cache": {
        "usual": lambda: describe_cache(
            4096, {"multi-head": 2.0**31, "multi-query": 2.0**26, "window": 2.0**29}, 6e13, 1.5e10
        ),
        "one token": lambda: describe_cache(1, {"multi-head": 2048.0, "window": 2048.0, "odd": 1500.0}, 100.0, 100.0),
        "two": lambda: describe_cache(2, {"multi-head": 900.0, "window": 900.0}, 200.0, 100.0),
    },
    "cost.describe_token_times": {
        "usual": lambda: describe_token_times(
            (128, 2048), {"multi-head": np.array([2e-4, 7e-4]), "no cache": np.array([3e-3, 1.2])}, 4, 128
        ),
        "refused": lambda: describe_token_times(
            (128, 2048), {"multi-head": np.array([2e-4, 7e-4]), "no cache": np.array([3e-3, NAN])}, 1, 128
        ),
        "nothing": lambda: describe_token_times((128,), {"a": np.array([NAN]), "b": np.array([1.0])}, 4, 128),
    },
    "claims.describe_determined": {"": lambda: describe_determined(0.36)},
    "claims.describe_cross_attention": {
        "exact": lambda: describe_cross_attention(16, 15, 0.0),
        "rounding": lambda: describe_cross_attention(1, 1, 5e-7),
        "another": lambda: describe_cross_attention(16, 15, 0.3),
        "no numbers": lambda: describe_cross_attention(16, 15, NAN),
    },
    "claims.describe_decoder_layer": {
        "usual": lambda: describe_decoder_layer(0.0, masked=True, feeds_forward=True),
        "leaks": lambda: describe_decoder_layer(0.1, masked=True, feeds_forward=False),
        "unmasked": lambda: describe_decoder_layer(0.9, masked=False, feeds_forward=True),
        "unmasked, unused": lambda: describe_decoder_layer(0.0, masked=False, feeds_forward=True, unit="symbol"),
    },
    "claims.describe_decoding": {
        "usual": lambda: _decoded(),
        "exact": lambda: _decoded(apart=0.0, tokens=4, ended=False),
        "one": lambda: _decoded(tokens=1, ended=False, each="token"),
        "only the end": lambda: _decoded(tokens=1),
        "looks ahead": lambda: _decoded(apart=15.3, attends_ahead=True),
        "apart": lambda: _decoded(apart=15.3),
        "no numbers": lambda: _decoded(apart=NAN),
        "one, no number": lambda: _decoded(apart=NAN, tokens=1),
    },
    "training_history.describe_training_history": {
        "roles form": lambda: _history(Role("induction", 1, 2, 800, 1000, 0.05, 0.9)),
        "none forms": lambda: _history(),
        "many form": lambda: _history(*[Role("own token", 0, head, 800, 1000, 0.05, 0.9) for head in range(4)]),
        "one step": lambda: describe_training_history([0], [2.8], [], 0.5),
        "it goes on": lambda: describe_training_history([0, 5], [2.8, 2.7], [], 0.5, rests=False),
        "no number": lambda: describe_training_history([0, 50], [2.8, NAN], [], 0.5),
    },
    "training_history.describe_kept_steps": {
        "all": lambda: describe_kept_steps(67, 67, 12.31, 64),
        "thinned": lambda: describe_kept_steps(41, 67, 63.2, 64),
        "one": lambda: describe_kept_steps(1, 2, 0.24, 64),
    },
    "training.describe_training": {
        "untrained": lambda: _training(Outcome("", 0, 2.9, 0.06), Outcome("no positions", 0, 2.9, 0.07)),
        "on the way": lambda: _training(Outcome("", 40, 1.9, 0.4), Outcome("no positions", 40, 2.2, 0.2)),
        "while it goes on": lambda: describe_training(
            Outcome("", 40, 1.9, 0.4), Outcome("", 40, 2.2, 0.2), LEVELS, 200, rests=False
        ),
        "the claim shows": lambda: _training(
            Outcome("positions", 200, 0.01, 0.998), Outcome("no positions", 200, 1.9, 0.27), Claim("position")
        ),
        "it does not show": lambda: _training(
            Outcome("norm: pre", 200, 0.01, 0.98), Outcome("no norm", 200, 0.01, 0.99), Claim("norm")
        ),
        "the opposite": lambda: _training(
            Outcome("no warm-up", 200, 0.01, 0.98), Outcome("10 warm-up steps", 200, 2.0, 0.2), Claim("warmup", "A")
        ),
        "cheating": lambda: _training(
            Outcome("with causal mask", 200, 1.13, 0.34, legal=0.99),
            Outcome("without causal mask", 200, 0.001, 1.0, legal=0.05),
            Claim("mask"),
            MARKOV,
        ),
        "no cheating": lambda: _training(
            Outcome("with causal mask", 200, 1.5, 0.3),
            Outcome("without causal mask", 200, 1.4, 0.3),
            Claim("mask"),
            MARKOV,
        ),
        "one diverges": lambda: _training(
            Outcome("norm: pre", 200, 0.02, 0.99),
            Outcome("no norm", 1, 9.0, 0.1, "the output of layer 2 is the first that is not finite"),
            Claim("norm"),
        ),
        "both diverge": lambda: _training(
            Outcome("norm: pre", 3, NAN, 0.1, "the weights of layer 0 are the first that are not finite"),
            Outcome("no norm", 1, NAN, 0.1, "the output of layer 2 is the first that is not finite"),
        ),
        "no finite loss": lambda: _training(Outcome("1 layer", 200, 0.02, 0.99), Outcome("2 layers", 200, NAN, 0.1)),
        "exploded": lambda: _training(Outcome("seed: 0", 200, 0.02, 0.99), Outcome("seed: 1", 200, 5296.3, 0.07)),
        "alike": lambda: _training(Outcome("seed: 0", 200, 0.02, 0.99), Outcome("seed: 1", 200, 0.03, 0.98)),
        "the same": lambda: _training(Outcome("", 200, 0.02, 0.99), Outcome("", 200, 0.02, 0.99)),
        "three seeds": lambda: _training(
            Outcome("with residual connections", 200, 0.02, 0.99, others=(0.98, 0.3)),
            Outcome("without residual connections", 200, 2.0, 0.17, others=(0.14, 0.29)),
            Claim("residual"),
        ),
        "three seeds, no claim": lambda: _training(
            Outcome("1 layer", 200, 0.02, 0.5, others=(0.98, 0.3)),
            Outcome("2 layers", 200, 2.0, 0.99, others=(0.14, 0.29)),
        ),
        "a head of A": lambda: _training(
            Outcome("positions", 200, 0.01, 0.99, role=AnswerHead(1, 0, 120)), Outcome("no positions", 200, 2.0, 0.2)
        ),
        "a head of B": lambda: _training(
            Outcome("no positions", 200, 2.0, 0.2), Outcome("positions", 200, 0.01, 0.99, role=AnswerHead(1, 0, 120))
        ),
        "heads of both": lambda: _training(
            Outcome("1 layer", 200, 0.01, 0.99, role=AnswerHead(0, 1, 1200)),
            Outcome("2 layers", 200, 0.01, 0.99, role=AnswerHead(1, 0, 60)),
        ),
    },
    "training_views.describe_schedules": {
        "both regimes": lambda: describe_schedules(100, 32, 200, 3e-3, "cosine"),
        "only the rise": lambda: describe_schedules(300, 512, 200, 3e-3, "Vaswani 2017"),
        "no warm-up": lambda: describe_schedules(0, 16, 50, 1e-1, "constant"),
    },
    "training_views.describe_gradient_by_depth": {
        "some": lambda: describe_gradient_by_depth(
            [1, 24],
            {
                "pre-norm, with residual connections": A([0.1, 0.1]),
                "no norm, without residual connections": A([0.05, 1e-11]),
            },
            {"pre": A([0.7, 0.3]), "post": A([0.8, 0.9])},
            24,
        ),
        "one layer": lambda: describe_gradient_by_depth(
            [1, 24], {"no norm": A([0.05, 1e-11])}, {"pre": A([0.7]), "post": A([0.8])}, 1
        ),
    },
    "training_views.describe_smoothness": {
        "batch norm": lambda: describe_smoothness(
            {
                "layer norm": (A([0.1, 0.2]), A([3.0, 2.0])),
                "batch norm": (A([0.1, 0.1]), A([1.0, 0.5])),
                "no norm": (A([4.0, 7e5]), A([20.0, 30.0])),
            }
        ),
        "another": lambda: describe_smoothness(
            {
                "layer norm": (A([0.1]), A([0.2])),
                "batch norm": (A([0.1]), A([1.0])),
                "no norm": (A([NAN]), A([NAN])),
            }
        ),
    },
}
