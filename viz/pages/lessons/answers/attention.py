"""Answers about the text on the screen: one row of one head, and what the whole model makes of it."""

from dataclasses import replace

import numpy as np

from model.analysis import mask_leak as leaks
from model.analysis.word_shuffle import shuffle_all
from model.attention import AttentionOverride, renormalise
from viz.captions.positions import ROUNDING
from viz.pages.lessons.answers.on_screen import Answer, OnScreen
from viz.ui import model_calls, slots


def weight(screen: OnScreen, *, row: int, column: int, layer: int | None = None, head: int | None = None) -> Answer:
    """How much of its attention the word at `row` gives to the word at `column`."""
    return float(screen.row(row, layer, head)[column])


def row_sum(screen: OnScreen, *, row: int, layer: int | None = None, head: int | None = None) -> Answer:
    """All weights of a row together."""
    return float(screen.row(row, layer, head).sum())


def most_attended(screen: OnScreen, *, row: int, layer: int | None = None, head: int | None = None) -> Answer:
    """The word that the word at `row` attends to most."""
    return screen.words[int(np.argmax(screen.row(row, layer, head)))]


def attention_distance(screen: OnScreen, *, row: int, layer: int | None = None, head: int | None = None) -> Answer:
    """How many words lie from the word at `row` to the one it attends to most."""
    return float(abs(row - int(np.argmax(screen.row(row, layer, head)))))


def attention_to_future(screen: OnScreen, *, row: int, layer: int | None = None, head: int | None = None) -> Answer:
    """How much of its attention the word at `row` gives to words that come later."""
    return float(screen.row(row, layer, head)[row + 1 :].sum())


def visible_keys(screen: OnScreen, *, row: int) -> Answer:
    """How many words the word at `row` may attend to."""
    return float(screen.trace.layers[0].attention.mask[0, row].sum())


def tokens(screen: OnScreen) -> Answer:
    """How many words the text has, the start mark among them: so many rows every map has."""
    return float(len(screen.words))


def next_word(screen: OnScreen, *, row: int) -> Answer:
    """The word that the model finds most likely after the one at `row`."""
    return model_calls.tokenizer(screen.experiment.weights).vocabulary[int(np.argmax(screen.trace.logits[row]))]


def prediction_after_override(
    screen: OnScreen, *, row: int, layer: int | None = None, head: int | None = None
) -> Answer:
    """Whether the most likely next word stays when a row of a head gets equal weights on all words that it may use."""
    layer, head = (screen.layer if layer is None else layer), (screen.head if head is None else head)
    allowed = screen.trace.layers[layer].attention.mask[head, row]  # (S,)
    override = AttentionOverride(layer, head, row, renormalise(allowed.astype(float).tolist()))
    after = model_calls.trace(replace(screen.experiment, override=override))
    same = int(np.argmax(after.logits[row])) == int(np.argmax(screen.trace.logits[row]))
    return "the same word" if same else "another word"


def changed_before(screen: OnScreen, *, position: int, by: str) -> Answer:
    """How many outputs before the word at `position` change, in any digit, when `by` is put in its place."""
    after = model_calls.trace(leaks.replace_word(screen.experiment, position, by))
    return float(np.count_nonzero(leaks.measure_leak(screen.trace, after).logits[:position]))


def shuffle_invariant(screen: OnScreen, *, position: bool, mask: bool) -> Answer:
    """Whether the words, in reverse order, come out as the same vectors: “the same” or “others”."""
    order = [0, *range(len(screen.words) - 1, 0, -1)]
    with slots.place("Reading both orders", model_calls.operations(screen.experiment, 8)):
        cases = shuffle_all(screen.experiment, order).values()
    case = next(case for case in cases if (case.active.position, case.active.mask) == (position, mask))
    return "the same" if case.largest < ROUNDING else "others"


def output_outside_hull(screen: OnScreen) -> Answer:
    """Whether some output is no mixture of its values: it is not Σ weight · value, added up here, or a weight is below
    0, or a row sums to more than 1."""
    outside = False
    for layer in screen.trace.layers:
        attention = layer.attention
        weights, values = attention.weights.astype(np.float64), attention.v.astype(np.float64)
        mixed = (weights[..., None] * values[:, None]).sum(axis=2)  # (H, T, S, 1) · (H, 1, S, D) → (H, T, D)
        far = np.abs(mixed - attention.z).max() > ROUNDING * max(1.0, float(np.abs(values).max()))
        outside |= bool(far or (weights < 0).any() or (weights.sum(axis=-1) > 1 + ROUNDING).any())
    return "yes, if a score is large enough" if outside else "no, never"
