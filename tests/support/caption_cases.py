"""Inputs that reach every branch of the sentences about heads, predictions, parts and what somebody typed or brought.

One entry for each function: its case in words → a call. `captions.py` prints them, `test_captions.py` checks them.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from viz.captions.heads import (
    MAX_LABELLED_HEADS,
    Named,
    blocks,
    describe_attribution,
    describe_change,
    describe_head_ablation,
    describe_head_grid,
    describe_learning_curves,
    describe_logit_lens,
    describe_maps,
    describe_next_token,
    describe_opening,
    describe_override,
    describe_residual_stream,
    describe_rollout,
    describe_rollout_row,
    describe_row,
    describe_sampling,
    describe_sink,
    describe_trained_without,
)
from viz.captions.score_scaling import describe_head_scaling, describe_query_gradient, describe_width
from viz.captions.typed_text import describe_altered, describe_pair_model, describe_unknown
from viz.export.weight_values import warnings_of

Cases = Mapping[str, Callable[[], str]]

A = np.array
NAN = float("nan")
WORDS = ["<s>", "the", "dogs", "chase", "was"]
EYE = np.ones((1, 1, 2, 2))


def _row(*weights: float) -> np.ndarray:
    """Weights (5, 5) whose last row is this one."""
    rows = np.zeros((5, 5))
    rows[4] = weights
    return rows


def _grid(n_named: int, heads: int, **more: object) -> str:
    named = Named(str(more.pop("on", "128 new sentences")), 0.5, int(more.pop("better", 0)), str(more.pop("last", "")))
    settings: dict[str, Any] = {"intact": True, "pooled": False} | more
    return describe_head_grid([[["verb → subject"]] * n_named + [[]] * (heads - n_named)], named, **settings)


def _twin(never: list[float], **more: bool) -> str:
    return describe_trained_without(A([1.0, 1.1, 1.2]), A(never), 3.0, 128, "Scaling by √d_k", **more)


CASES: dict[str, Cases] = {
    "heads.describe_row": {
        "a word": lambda: describe_row(_row(0, 0, 0.8, 0.1, 0.1), WORDS, 4),
        "one step back": lambda: describe_row(_row(0, 0, 0.1, 0.8, 0.1), WORDS, 4),
        "ahead": lambda: describe_row(np.eye(5)[[1, 2, 3, 4, 0]], WORDS, 1),
        "itself": lambda: describe_row(_row(0, 0, 0, 0, 1), WORDS, 4),
        "the start": lambda: describe_row(_row(0.9, 0, 0, 0, 0.1), WORDS, 4),
        "spread": lambda: describe_row(_row(0.2, 0.29, 0.17, 0.17, 0.17), WORDS, 4, unit="token"),
        "alike": lambda: describe_row(_row(0.5, 0.5, 0, 0, 0), WORDS, 4),
        "nothing": lambda: describe_row(_row(0, 0, 0, 0, 0), WORDS, 4),
        "no numbers": lambda: describe_row(_row(NAN, 0, 0, 0, 0), WORDS, 4),
        "another text": lambda: describe_row(A([[0.1, 0.9]]), ["le"], 0, key_tokens=["the", "cat"]),
    },
    "heads.describe_opening": {
        "by its role": lambda: describe_opening(2, 2, "verb → subject"),
        "by the text": lambda: describe_opening(1, 0, "", "token"),
        "the role is a sink": lambda: describe_opening(3, 5, "", role_is_sink=True),
        "all are sinks": lambda: describe_opening(3, 5, "", role_is_sink=True, all_sinks=True),
    },
    "heads.describe_sink": {
        "on the start": lambda: describe_sink(A([[1.0, 0, 0], [0.9, 0.1, 0], [0.7, 0.2, 0.1]]), WORDS[:3]),
        "elsewhere": lambda: describe_sink(np.eye(3), WORDS[:3]) or "(nothing)",
    },
    "heads.describe_rollout_row": {
        "a word": lambda: describe_rollout_row(_row(0, 0.7, 0.1, 0.1, 0.1), WORDS, 4),
        "alike": lambda: describe_rollout_row(np.full((5, 5), 0.2), WORDS, 4),
        "no numbers": lambda: describe_rollout_row(np.full((5, 5), NAN), WORDS, 4),
    },
    "heads.blocks": {"": lambda: blocks(), "of tokens": lambda: blocks("token")},
    "heads.describe_head_grid": {
        "some": lambda: _grid(9, 12, last="first token", better=3),
        "one": lambda: _grid(1, 12, better=1, intact=False),
        "none": lambda: _grid(0, 12, intact=False, pooled=True, unit="token"),
        "not measured": lambda: _grid(0, 12, on=""),
        "one head, not measured": lambda: _grid(0, 1, on=""),
        "crowded": lambda: _grid(3, MAX_LABELLED_HEADS + 1),
    },
    "heads.describe_maps": {
        "one head": lambda: describe_maps(EYE / 2, EYE == 1, pooled=False),
        "two": lambda: describe_maps(np.concatenate([EYE / 2, EYE], 1), np.tri(2) * np.ones((1, 2, 2, 2)), pooled=True),
    },
    "heads.describe_rollout": {"with": lambda: describe_rollout(True), "without": lambda: describe_rollout(False)},
    "heads.describe_logit_lens": {
        "the last": lambda: describe_logit_lens([["a"], ["b"], ["tired"]]),
        "from one on": lambda: describe_logit_lens([["a"], ["tired"], ["tired"]]),
        "all": lambda: describe_logit_lens([["tired"], ["tired"]]),
        "no numbers": lambda: describe_logit_lens([["a"]], A([[NAN]])),
    },
    "heads.describe_change": {
        "next": lambda: describe_change(A([0, 2.0]), ["the", "was"], "without layer norm and head L0H2"),
        "here": lambda: describe_change(A([0, 2.0]), ["the", "was"], "without layer norm", "here"),
        "vectors": lambda: describe_change(A([0, 0.3]), ["the", "was"], "trained without layer norm", "nothing"),
        "small": lambda: describe_change(A([0, 4e-5]), ["the", "was"], "without layer norm"),
        "none": lambda: describe_change(A([0, 0.0]), ["the", "was"], "without causal mask"),
        "no vector": lambda: describe_change(A([0, 0.0]), ["the", "was"], "without causal mask", "nothing"),
        "the same": lambda: describe_change(A([0, 0.0]), ["the", "was"], "the same"),
        "one is no number": lambda: describe_change(A([NAN, 0.0]), ["the", "was"], "without layer norm"),
        "two are": lambda: describe_change(A([NAN, NAN]), ["the", "was"], "without layer norm"),
    },
    "heads.describe_next_token": {
        "three": lambda: describe_next_token(A([0.2, 0.7, 0.1]), ["big", "tired", "honest"], "was"),
        "here": lambda: describe_next_token(A([0.7]), ["tired"], "was", "A", "here"),
        "no numbers": lambda: describe_next_token(A([NAN]), ["tired"], "was", "B"),
    },
    "heads.describe_sampling": {
        "as the model": lambda: describe_sampling(A([0.5]), A([0.5]), ["tired"], "was", 1200),
        "changed": lambda: describe_sampling(A([0.5]), A([1.0]), ["tired"], "was", 1),
        "no numbers": lambda: describe_sampling(A([NAN]), A([NAN]), ["tired"], "was", 1),
    },
    "heads.describe_residual_stream": {
        "apart": lambda: describe_residual_stream(A([[1.0, 3]]), A([[4.0, 8]]), "length", ["L2 feed-forward"]),
        "alike": lambda: describe_residual_stream(
            A([[1.0]]), A([[1.0]]), "standard deviation", ["L2 feed-forward"], "token"
        ),
        "no number": lambda: describe_residual_stream(A([[1.0]]), A([[NAN]]), "mean", ["embedding"]),
    },
    "heads.describe_head_ablation": {
        "several": lambda: describe_head_ablation(A([[0.33, 0.005, 0.001]])),
        "one": lambda: describe_head_ablation(A([[0.33, 0.005]])),
        "no other": lambda: describe_head_ablation(A([[0.33, 0.05]])),
        "none matters": lambda: describe_head_ablation(A([[-0.3, -0.02]])),
        "none changes": lambda: describe_head_ablation(A([[0.0, -0.02]])),
        "answers": lambda: describe_head_ablation(A([[0, 0.25]]), "main verb"),
        "one answer": lambda: describe_head_ablation(A([[0, 0.01]]), "main verb"),
        "no answers": lambda: describe_head_ablation(A([[0, -0.1]]), "main verb"),
        "no numbers": lambda: describe_head_ablation(A([[NAN, 0.1]])),
    },
    "heads.describe_override": {
        "not": lambda: describe_override("was", 0.0, False),
        "large": lambda: describe_override("was", 0.25, True),
        "small": lambda: describe_override("was", 3e-7, True, "here"),
        "none": lambda: describe_override("was", 0.0, True),
        "no number": lambda: describe_override("was", NAN, True),
    },
    "heads.describe_trained_without": {
        "worse": lambda: _twin([1.4, 1.5, 1.6]),
        "alike": lambda: _twin([1.0, 1.1, 1.14]),
        "better": lambda: _twin([0.7, 0.8, 0.9]),
        "some seeds": lambda: _twin([1.0, 1.1, 1.6]),
        "cheats": lambda: _twin([0.1, 0.1, 0.2], ahead=True),
        "one seed": lambda: describe_trained_without(A([1.0]), A([2.0]), float("inf"), 1, "Positions"),
    },
    "heads.describe_learning_curves": {
        "one seed": lambda: describe_learning_curves(
            {"with every part": A([[9.0, 1]]), "trained without it": A([[9.0, 2]])}, "loss"
        ),
        "two": lambda: describe_learning_curves({"with every part": A([[9.0, 1], [9, 2]])}, "share of right answers"),
    },
    "heads.describe_attribution": {
        "the same": lambda: describe_attribution(A([0.9, 0.1]), A([0.5, 0.1]), ["the", "dogs"], None),
        "another": lambda: describe_attribution(A([0.9, 0.1]), A([0.1, 0.5]), ["the", "dogs"], (0.5, -0.75)),
        "here, small": lambda: describe_attribution(A([0.9, 0.1]), A([1e-5, 0]), ["the", "dogs"], None, "here"),
        "no effect": lambda: describe_attribution(A([0.9, 0.1]), np.zeros(2), ["the", "dogs"], None),
        "no weights": lambda: describe_attribution(np.zeros(2), np.zeros(2), ["the", "dogs"], None),
        "no numbers": lambda: describe_attribution(A([0.9, 0.1]), A([NAN, 0]), ["the", "dogs"], None),
    },
    "score_scaling.describe_width": {
        "width 1": lambda: describe_width(1, 16, (0.2, 0.2), (0.3, 0.3), (0.2, 0.25)),
        "narrow": lambda: describe_width(2, 16, (0.22, 0.2), (0.3, 0.31), (0.2, 0.25)),
        "wide": lambda: describe_width(64, 16, (0.9, 0.2), (0.1, 0.3), (0.2, 0.25)),
    },
    "score_scaling.describe_head_scaling": {
        "divided": lambda: describe_head_scaling(1, 2, 16, 48.0, (0.9, 0.4), (0.1, 0.3)),
        "never": lambda: describe_head_scaling(1, 2, 16, 48.0, (0.9, 0.4), (0.1, 0.3), divides=False),
    },
    "score_scaling.describe_query_gradient": {
        "larger": lambda: describe_query_gradient(64, 3.0, 1.5),
        "smaller": lambda: describe_query_gradient(64, 1.5, 3.0),
    },
    "typed_text.describe_unknown": {
        "one": lambda: describe_unknown(["zebra"], 0.2),
        "many words": lambda: describe_unknown([f"w{number}" for number in range(9)], 0.2),
        "most of the text": lambda: describe_unknown(["zebra", "eats"], 0.7),
        "of a language": lambda: describe_unknown(["zebra", "eats"], 0.7, 167, "English"),
    },
    "typed_text.describe_pair_model": {
        "a Transformer": lambda: describe_pair_model("translate", "grammar", True),
        "another": lambda: describe_pair_model("translate-gru", "grammar", False),
    },
    "typed_text.describe_altered": {
        "one": lambda: describe_altered(["\u2028"], []),
        "both": lambda: describe_altered(["\u2028", "\x0b"], ["\xad"]),
        "many": lambda: describe_altered([], list("\x01\x02\x03\x04\x05\x06")),
        "none": lambda: describe_altered([], []) or "(nothing)",
    },
    "weight_values.warnings_of": {
        "all, alike": lambda: warnings_of(np.full((2, 2), 0.25), np.ones((2, 2), bool))[0],
        "one": lambda: warnings_of(A([[1.0, 0], [0.5, 0.3]]), np.ones((2, 2), bool))[0],
        "some, both sides": lambda: warnings_of(A([[1.0, 0], [0.5, 0.3], [0.9, 0.9]]), np.ones((3, 2), bool))[0],
        "none": lambda: " ".join(warnings_of(np.eye(2), np.ones((2, 2), bool))) or "(nothing)",
    },
}
