"""The answers to the questions of lessons, each computed from the model as it stands on the screen when it is asked.

A lesson names one of ANSWERS and says of what: `strongest(layer=2, row=10)`. What it leaves out is taken from the page.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from model import company, order, saturation, waves
from model import leak as leaks
from model.bilinear import numerical_rank, singular_values
from model.mask import MASKS, Looks, read_drawing
from model.rearrange import score_changes, shuffle
from model.run import Array, Experiment, model
from model.switches import PARTS, Switches
from model.transformer import Trace
from viz.lesson import Call, Question
from viz.places import ROUNDING
from viz.ui import controls, facts, knockouts, masks_cheat, norms, removal, runs, schemes

Answer = float | str
ENDS = "the table ends"


@dataclass(frozen=True)
class Here:
    """What stands on the screen: the experiment, and the head that is enlarged."""

    experiment: Experiment
    layer: int
    head: int

    @property
    def trace(self) -> Trace[Array]:
        return runs.trace(self.experiment)

    @property
    def words(self) -> Sequence[str]:
        return runs.encoding(self.experiment).typed

    def row(self, row: int, layer: int | None, head: int | None) -> Array:
        """One row of weights (S,)."""
        weights: Array = self.trace.layers[self.layer if layer is None else layer].attention.weights
        values: Array = weights[self.head if head is None else head, row]
        return values


def here() -> Here:
    """The state of the controls, as the page reads it."""
    state = st.session_state
    weights = state.get("weights", "grammar")
    kind = state.get("looks", "own")
    looks = Looks(kind, int(state.get("size") or MASKS[kind].opens_with)) if kind in MASKS else None
    if kind == "drawn":
        looks = read_drawing(state.get("drawn") or "") or looks
    switches = Switches().without(*(part.name for part in PARTS if not state.get(part.name, True)))
    layer, head = facts.headline(weights)
    return Here(
        Experiment(weights=weights, text=state.get("text") or controls.EXAMPLE, switches=switches, looks=looks),
        int(state.get("layer", layer)),
        int(state.get("head", head)),
    )


# One row of one head


def weight(here: Here, *, row: int, column: int, layer: int | None = None, head: int | None = None) -> Answer:
    """How much of its attention the word at `row` gives to the word at `column`."""
    return float(here.row(row, layer, head)[column])


def row_sum(here: Here, *, row: int, layer: int | None = None, head: int | None = None) -> Answer:
    """All weights of a row together."""
    return float(here.row(row, layer, head).sum())


def strongest(here: Here, *, row: int, layer: int | None = None, head: int | None = None) -> Answer:
    """The word that the word at `row` looks at most."""
    return here.words[int(np.argmax(here.row(row, layer, head)))]


def apart(here: Here, *, row: int, layer: int | None = None, head: int | None = None) -> Answer:
    """How many words lie from the word at `row` to the one it looks at most."""
    return float(abs(row - int(np.argmax(here.row(row, layer, head)))))


def ahead(here: Here, *, row: int, layer: int | None = None, head: int | None = None) -> Answer:
    """How much of its attention the word at `row` gives to words that come later."""
    return float(here.row(row, layer, head)[row + 1 :].sum())


def seen(here: Here, *, row: int) -> Answer:
    """How many words the word at `row` may look at."""
    return float(here.trace.layers[0].attention.mask[0, row].sum())


# The whole text


def tokens(here: Here) -> Answer:
    """How many words the text has, the start mark among them: so many rows every map has."""
    return float(len(here.words))


def next_word(here: Here, *, row: int) -> Answer:
    """The word that the model finds likeliest after the one at `row`."""
    return runs.tokenizer(here.experiment.weights).vocabulary[int(np.argmax(here.trace.logits[row]))]


def moved_before(here: Here, *, at: int, by: str) -> Answer:
    """How many outputs before the word at `at` change, in any digit, when `by` is put in its place."""
    after = runs.trace(leaks.edited(here.experiment, at, by))
    return float(np.count_nonzero(leaks.leak(here.trace, after).logits[:at]))


def reshuffled(here: Here, *, position: bool, mask: bool) -> Answer:
    """Whether the words, in reverse order, come out as the same vectors: “the same” or “others”."""
    order = [0, *range(len(here.words) - 1, 0, -1)]
    with runs.computing:
        cases = shuffle(here.experiment, order).values()
    case = next(case for case in cases if (case.present.position, case.present.mask) == (position, mask))
    return "the same" if case.largest < ROUNDING else "others"


def outside_the_hull(here: Here) -> Answer:
    """Whether some output is no mixture of its values: a weight below 0, or a row that sums to more than 1."""
    weights, _ = facts.all_weights(here.trace)
    sums = weights.sum(axis=-1)  # (L, H, T)
    outside = bool((weights < 0).any() or (sums > 1 + ROUNDING).any())
    return "yes, if a score is large enough" if outside else "no, never"


# The model itself


def heads(here: Here) -> Answer:
    """How many heads the model has in all its layers."""
    config = runs.about(here.experiment.weights)["config"]
    return float(config["n_layers"] * config["n_heads"])


def width(here: Here) -> Answer:
    """d_k, the width of queries and keys."""
    return float(here.trace.layers[0].attention.q.shape[-1])


def rank(here: Here, *, layer: int | None = None, head: int | None = None) -> Answer:
    """The rank of W_Q W_Kᵀ of a head."""
    layer, head = (here.layer if layer is None else layer), (here.head if head is None else head)
    with runs.computing:
        return float(numerical_rank(singular_values(here.experiment.weights, layer, head)))


def loss(here: Here, *, without: str = "") -> Answer:
    """Mean −ln p of a word of fresh sentences, in nats, without these parts ("scale mask")."""
    return removal.held_out(here.experiment.weights, Switches().without(*without.split())).loss


def costliest(here: Here, *, among: str) -> Answer:
    """Which of these parts costs most loss when it is removed; "scale norm" → its name on the switch."""
    labels = {part.name: part.label for part in PARTS}
    costs = {name: removal.held_out(here.experiment.weights, Switches().without(name)).loss for name in among.split()}
    return labels[max(costs, key=lambda name: costs[name])]


def learns_without(here: Here, *, part: str) -> Answer:
    """Whether the model trained without a part ends clearly worse: by more than 0.1 nats, median of the seeds."""
    ends = [
        np.median([seed["loss"] for seed in runs.about(name)["seeds"]])
        for name in ("grammar", f"grammar-without-{part}")
    ]
    return "clearly worse" if ends[1] > ends[0] + 0.1 else "nearly as well"


def missed_most(here: Here) -> Answer:
    """The head whose removal raises the loss most, as "layer 1, head 2"."""
    costs, _ = knockouts.knockout_maps(here.experiment.weights)
    layer, head = np.unravel_index(int(np.argmax(costs)), costs.shape)
    return f"layer {layer}, head {head}"


def listens(here: Here, *, norm: str, replaced: int) -> Answer:
    """How many other sentences of the batch change under this norm when sentence `replaced`, from 1, is replaced."""
    sentences, substitutes = company.draw_batch(runs.task(here.experiment.weights), norms.SIZE)
    with runs.computing:
        found = company.company(*model(here.experiment.weights), sentences, replaced - 1, substitutes[replaced - 1])
    others = np.delete(found.moved[norm], replaced - 1, axis=0)  # (B − 1, T)
    return float((np.nan_to_num(others) > 0).any(axis=-1).sum())


def side_of_entropy(here: Here, *, weights: str) -> Answer:
    """On which side of the entropy of the language the loss of these weights lies."""
    _, same = masks_cheat.language()
    side = "below" if removal.held_out(weights, Switches()).loss < same.nats else "above"
    return f"{side} the entropy of the language"


# Scaling and positions


def variance(here: Here, *, d_k: int) -> Answer:
    """The measured variance of q·k for unit coordinates, divided by d_k."""
    return _step(d_k).undivided.variance / d_k


def largest(here: Here, *, d_k: int, divided: bool) -> Answer:
    """The largest weight of a row of 16 random keys, on average, with the division by √d_k or without."""
    step = _step(d_k)
    return (step.divided if divided else step.undivided).largest


def _step(d_k: int) -> saturation.Step:
    return next(step for step in scaling_steps() if step.d_k == d_k)


@st.cache_resource(max_entries=1, show_spinner=False)
def scaling_steps() -> tuple[saturation.Step, ...]:
    """Every step of d_k, measured."""
    with runs.computing:
        return saturation.unit_steps()


def wavelength(here: Here, *, pair: int, width: int, base: int = 10_000) -> Answer:
    """Places after which this pair of dimensions of the sinusoidal encoding repeats."""
    return float(waves.wavelengths(width, base)[pair])


def shifted(here: Here, *, scheme: str, by: int, kind: str = "encoder") -> Answer:
    """What happens to a scheme's scores when the whole sentence moves: “stay”, “change” or “the table ends”."""
    transformer, tokenizer = schemes.model(kind, scheme)
    with runs.computing:
        change = score_changes(transformer, tokenizer.encode(schemes.QUESTION).ids, [by])[by]
    if change is None:
        return ENDS
    return "stay" if float(np.nanmax(np.abs(change))) < ROUNDING else "change"


def ends_at(here: Here, *, signs: int, kind: str = "encoder") -> Answer:
    """The scheme whose table of places ends before a question of this many signs."""
    ended = (name for name in schemes.NAMES if share_right(here, scheme=name, signs=signs, kind=kind) == ENDS)
    return schemes.NAMES[next(ended)]


def share_right(here: Here, *, scheme: str, signs: int, kind: str = "encoder") -> Answer:
    """Percent of fresh questions of this many signs that the small model with this scheme answers rightly."""
    with runs.computing:
        share = order.accuracy(*schemes.model(kind, scheme), signs, schemes.N, schemes.SEED)
    return ENDS if share is None else 100 * share


ANSWERS: dict[str, Callable[..., Answer]] = {
    made.__name__: made
    for made in (
        weight,
        row_sum,
        strongest,
        apart,
        ahead,
        seen,
        tokens,
        next_word,
        moved_before,
        reshuffled,
        heads,
        width,
        rank,
        loss,
        costliest,
        missed_most,
        side_of_entropy,
        learns_without,
        outside_the_hull,
        ends_at,
        listens,
        variance,
        largest,
        wavelength,
        shifted,
        share_right,
    )
}


def names() -> Mapping[str, frozenset[str]]:
    """The functions a lesson may name, and what each takes."""
    return {name: frozenset(inspect.signature(made).parameters) - {"here"} for name, made in ANSWERS.items()}


def compute(call: Call) -> Answer:
    """The answer, here and now.

    Raises:
        ValueError: there is none in this state, for example a row that the text does not have.
    """
    return _computed(call, here())


@st.cache_resource(max_entries=256, show_spinner=False)
def _computed(call: Call, here: Here) -> Answer:
    arguments: dict[str, Any] = dict(call.arguments)
    try:
        return ANSWERS[call.name](here, **arguments)
    except (IndexError, KeyError, StopIteration, TypeError) as error:
        raise ValueError(f"{call.name} has no answer in this state") from error


def spelt(answer: Answer, question: Question) -> str:
    """An answer as people read it: to as many digits as the question asks for."""
    if isinstance(answer, str):
        return answer
    digits = 0 if question.within >= 1 or answer == round(answer) else 2 if question.within >= 0.005 else 4
    return f"{answer:.{digits}f}"


def is_right(question: Question, given: str, answer: Answer) -> bool:
    """Whether what was chosen or typed is the answer. A decimal comma is a point."""
    if isinstance(answer, str):
        return given.strip().casefold() == answer.casefold()
    if question.choices:
        nearest = min(question.choices, key=lambda choice: abs(_number(choice) - answer))
        return given == nearest and abs(_number(nearest) - answer) <= question.within
    return abs(_number(given) - answer) <= question.within


def _number(text: str) -> float:
    try:
        return float(text.strip().removesuffix("%").replace("−", "-").replace(",", "."))
    except ValueError:
        return float("nan")
