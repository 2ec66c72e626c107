"""Inputs that reach every branch of the sentences about heads, predictions, parts and what somebody typed or brought.

One entry for each function: its case in words → a call. `captions.py` prints them, `test_captions.py` checks them.
"""

from collections.abc import Callable, Mapping

import numpy as np

from viz.captions.heads import (
    CROWDED,
    Named,
    blocks,
    read_candidates,
    read_change,
    read_curves,
    read_effects,
    read_grid,
    read_knockouts,
    read_layers,
    read_maps,
    read_next,
    read_overwritten,
    read_rolled_row,
    read_rollout,
    read_row,
    read_stream,
    read_twin,
)
from viz.captions.score_scaling import read_gradient, read_head, read_step
from viz.captions.typed_text import read_altered
from viz.export.weight_values import unusual

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


def _grid(found: int, heads: int, **more: object) -> str:
    named = Named(str(more.pop("on", "128 new sentences")), 0.5, int(more.pop("better", 0)), str(more.pop("last", "")))
    settings = {"intact": True, "pooled": False} | more
    return read_grid([[["verb → subject"]] * found + [[]] * (heads - found)], named, **settings)  # type: ignore[arg-type]


def _twin(never: list[float], **more: bool) -> str:
    return read_twin(A([1.0, 1.1, 1.2]), A(never), 3.0, 128, "Scaling by √d_k", **more)


CASES: dict[str, Cases] = {
    "heads.read_row": {
        "a word": lambda: read_row(_row(0, 0, 0.8, 0.1, 0.1), WORDS, 4),
        "one step back": lambda: read_row(_row(0, 0, 0.1, 0.8, 0.1), WORDS, 4),
        "ahead": lambda: read_row(np.eye(5)[[1, 2, 3, 4, 0]], WORDS, 1),
        "itself": lambda: read_row(_row(0, 0, 0, 0, 1), WORDS, 4),
        "the start": lambda: read_row(_row(0.9, 0, 0, 0, 0.1), WORDS, 4),
        "spread": lambda: read_row(_row(0.2, 0.29, 0.17, 0.17, 0.17), WORDS, 4, each="token"),
        "alike": lambda: read_row(_row(0.5, 0.5, 0, 0, 0), WORDS, 4),
        "nothing": lambda: read_row(_row(0, 0, 0, 0, 0), WORDS, 4),
        "no numbers": lambda: read_row(_row(NAN, 0, 0, 0, 0), WORDS, 4),
        "another text": lambda: read_row(A([[0.1, 0.9]]), ["le"], 0, looked_at=["the", "cat"]),
    },
    "heads.read_rolled_row": {
        "a word": lambda: read_rolled_row(_row(0, 0.7, 0.1, 0.1, 0.1), WORDS, 4),
        "alike": lambda: read_rolled_row(np.full((5, 5), 0.2), WORDS, 4),
        "no numbers": lambda: read_rolled_row(np.full((5, 5), NAN), WORDS, 4),
    },
    "heads.blocks": {"": lambda: blocks(), "of tokens": lambda: blocks("token")},
    "heads.read_grid": {
        "some": lambda: _grid(9, 12, last="first token", better=3),
        "one": lambda: _grid(1, 12, better=1, intact=False),
        "none": lambda: _grid(0, 12, intact=False, pooled=True, each="token"),
        "not measured": lambda: _grid(0, 12, on=""),
        "one head, not measured": lambda: _grid(0, 1, on=""),
        "crowded": lambda: _grid(3, CROWDED + 1),
    },
    "heads.read_maps": {
        "one head": lambda: read_maps(EYE / 2, EYE == 1, pooled=False),
        "two": lambda: read_maps(np.concatenate([EYE / 2, EYE], 1), np.tri(2) * np.ones((1, 2, 2, 2)), pooled=True),
    },
    "heads.read_rollout": {"with": lambda: read_rollout(True), "without": lambda: read_rollout(False)},
    "heads.read_layers": {
        "the last": lambda: read_layers([["a"], ["b"], ["tired"]]),
        "from one on": lambda: read_layers([["a"], ["tired"], ["tired"]]),
        "all": lambda: read_layers([["tired"], ["tired"]]),
        "no numbers": lambda: read_layers([["a"]], A([[NAN]])),
    },
    "heads.read_change": {
        "next": lambda: read_change(A([0, 2.0]), ["the", "was"], "without layer norm and head L0H2"),
        "here": lambda: read_change(A([0, 2.0]), ["the", "was"], "without layer norm", "here"),
        "vectors": lambda: read_change(A([0, 0.3]), ["the", "was"], "trained without layer norm", "nothing"),
        "small": lambda: read_change(A([0, 4e-5]), ["the", "was"], "without layer norm"),
        "none": lambda: read_change(A([0, 0.0]), ["the", "was"], "without causal mask"),
        "no vector": lambda: read_change(A([0, 0.0]), ["the", "was"], "without causal mask", "nothing"),
        "the same": lambda: read_change(A([0, 0.0]), ["the", "was"], "the same"),
        "one is no number": lambda: read_change(A([NAN, 0.0]), ["the", "was"], "without layer norm"),
        "two are": lambda: read_change(A([NAN, NAN]), ["the", "was"], "without layer norm"),
    },
    "heads.read_next": {
        "three": lambda: read_next(A([0.2, 0.7, 0.1]), ["big", "tired", "honest"], "was"),
        "here": lambda: read_next(A([0.7]), ["tired"], "was", "A", "here"),
        "no numbers": lambda: read_next(A([NAN]), ["tired"], "was", "B"),
    },
    "heads.read_candidates": {
        "as the model": lambda: read_candidates(A([0.5]), A([0.5]), ["tired"], "was", 1200),
        "changed": lambda: read_candidates(A([0.5]), A([1.0]), ["tired"], "was", 1),
        "no numbers": lambda: read_candidates(A([NAN]), A([NAN]), ["tired"], "was", 1),
    },
    "heads.read_stream": {
        "apart": lambda: read_stream(A([[1.0, 3]]), A([[4.0, 8]]), "length", ["L2 feed-forward"]),
        "alike": lambda: read_stream(A([[1.0]]), A([[1.0]]), "standard deviation", ["L2 feed-forward"], "token"),
        "no number": lambda: read_stream(A([[1.0]]), A([[NAN]]), "mean", ["embedding"]),
    },
    "heads.read_knockouts": {
        "several": lambda: read_knockouts(A([[0.33, 0.005, 0.001]])),
        "one": lambda: read_knockouts(A([[0.33, 0.005]])),
        "no other": lambda: read_knockouts(A([[0.33, 0.05]])),
        "none matters": lambda: read_knockouts(A([[-0.3, -0.02]])),
        "none changes": lambda: read_knockouts(A([[0.0, -0.02]])),
        "answers": lambda: read_knockouts(A([[0, 0.25]]), "main verb"),
        "one answer": lambda: read_knockouts(A([[0, 0.01]]), "main verb"),
        "no answers": lambda: read_knockouts(A([[0, -0.1]]), "main verb"),
        "no numbers": lambda: read_knockouts(A([[NAN, 0.1]])),
    },
    "heads.read_overwritten": {
        "not": lambda: read_overwritten("was", 0.0, False),
        "large": lambda: read_overwritten("was", 0.25, True),
        "small": lambda: read_overwritten("was", 3e-7, True, "here"),
        "none": lambda: read_overwritten("was", 0.0, True),
        "no number": lambda: read_overwritten("was", NAN, True),
    },
    "heads.read_twin": {
        "worse": lambda: _twin([1.4, 1.5, 1.6]),
        "alike": lambda: _twin([1.0, 1.1, 1.14]),
        "better": lambda: _twin([0.7, 0.8, 0.9]),
        "some seeds": lambda: _twin([1.0, 1.1, 1.6]),
        "cheats": lambda: _twin([0.1, 0.1, 0.2], ahead=True),
        "one seed": lambda: read_twin(A([1.0]), A([2.0]), float("inf"), 1, "Positions"),
    },
    "heads.read_curves": {
        "one seed": lambda: read_curves(
            {"with every part": A([[9.0, 1]]), "trained without it": A([[9.0, 2]])}, "loss"
        ),
        "two": lambda: read_curves({"with every part": A([[9.0, 1], [9, 2]])}, "share of right answers"),
    },
    "heads.read_effects": {
        "the same": lambda: read_effects(A([0.9, 0.1]), A([0.5, 0.1]), ["the", "dogs"], None),
        "another": lambda: read_effects(A([0.9, 0.1]), A([0.1, 0.5]), ["the", "dogs"], (0.5, -0.75)),
        "here, small": lambda: read_effects(A([0.9, 0.1]), A([1e-5, 0]), ["the", "dogs"], None, "here"),
        "no effect": lambda: read_effects(A([0.9, 0.1]), np.zeros(2), ["the", "dogs"], None),
        "no weights": lambda: read_effects(np.zeros(2), np.zeros(2), ["the", "dogs"], None),
        "no numbers": lambda: read_effects(A([0.9, 0.1]), A([NAN, 0]), ["the", "dogs"], None),
    },
    "score_scaling.read_step": {
        "width 1": lambda: read_step(1, 16, (0.2, 0.2), (0.3, 0.3), (0.2, 0.25)),
        "narrow": lambda: read_step(2, 16, (0.22, 0.2), (0.3, 0.31), (0.2, 0.25)),
        "wide": lambda: read_step(64, 16, (0.9, 0.2), (0.1, 0.3), (0.2, 0.25)),
    },
    "score_scaling.read_head": {
        "divided": lambda: read_head(1, 2, 16, 48.0, (0.9, 0.4), (0.1, 0.3)),
        "never": lambda: read_head(1, 2, 16, 48.0, (0.9, 0.4), (0.1, 0.3), divides=False),
    },
    "score_scaling.read_gradient": {
        "larger": lambda: read_gradient(64, 3.0, 1.5),
        "smaller": lambda: read_gradient(64, 1.5, 3.0),
    },
    "typed_text.read_altered": {
        "one": lambda: read_altered(["\u2028"], []),
        "both": lambda: read_altered(["\u2028", "\x0b"], ["\xad"]),
        "many": lambda: read_altered([], list("\x01\x02\x03\x04\x05\x06")),
        "none": lambda: read_altered([], []) or "(nothing)",
    },
    "weight_values.unusual": {
        "all, alike": lambda: unusual(np.full((2, 2), 0.25), np.ones((2, 2), bool))[0],
        "one": lambda: unusual(A([[1.0, 0], [0.5, 0.3]]), np.ones((2, 2), bool))[0],
        "some, both sides": lambda: unusual(A([[1.0, 0], [0.5, 0.3], [0.9, 0.9]]), np.ones((3, 2), bool))[0],
        "none": lambda: " ".join(unusual(np.eye(2), np.ones((2, 2), bool))) or "(nothing)",
    },
}
