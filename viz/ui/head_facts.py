"""What is known about the heads: their measured roles from the card, their statistics from the trace, all as tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from model.analysis.attention_metrics import distance, entropy, reachable, rollout, stack_weights
from model.evaluation.head_roles import FIRST, INDUCTION
from model.generation.next_token import NextTokens
from model.registry import SESSION_PREFIX
from model.run import Experiment
from model.tasks.task import PREVIOUS_TOKEN
from model.transformer import Trace
from viz.captions.counting import counted
from viz.captions.heads import Named
from viz.export.tables import NamedArray, Table
from viz.labels import numbered
from viz.types import Array
from viz.ui import model_calls, server_cache

MIN_MASS = 0.5  # a head is named after a relation when it puts at least half of its attention there
HEADLINES = ("verb → subject", INDUCTION, PREVIOUS_TOKEN)  # a newcomer sees the best head of the first that is found


def relation_scores(weights: str) -> dict[str, Array]:
    """Relation → mean weight (L, H) that each head puts on the right word, as measured on held-out sentences."""
    return {name: score.mass for name, score in model_calls.about(weights).language.relations.items()}


def head_roles(weights: str, n_layers: int, n_heads: int) -> list[list[list[str]]]:
    """What each head does, best first: the relations on whose right word it puts at least FOUND of its attention.

    Parts of a relation, after a comma, name no head: a head follows some part of what it does better than the whole,
    whatever it does. Rest is named last, for it is what a head does when it has nothing else to do.
    """
    roles: list[list[list[tuple[float, str]]]] = [[[] for _ in range(n_heads)] for _ in range(n_layers)]
    for relation, mass in relation_scores(weights).items():
        if "," not in relation:
            for layer, head in np.argwhere(mass >= MIN_MASS):
                roles[layer][head].append((float(mass[layer, head]), relation))
    return [
        [[f"{relation} {mass:.2f}" for mass, relation in sorted(head, key=_named_first)] for head in row]
        for row in roles
    ]


def _named_first(role: tuple[float, str]) -> tuple[bool, float]:
    mass, relation = role
    return relation == FIRST, -mass


def naming(weights: str) -> Named:
    """How the heads of these weights came by their names, for the sentence under the grid."""
    known = relation_scores(weights)
    no_mass = np.zeros(next((mass.shape for mass in known.values()), (0, 0)))  # (L, H)

    def best(masses: Iterable[Array]) -> Array:
        return np.max([no_mass, *masses], axis=0)  # (L, H)

    whole = best(mass for relation, mass in known.items() if "," not in relation and relation != FIRST)
    rest = known.get(FIRST, no_mass)
    names = np.where(
        whole >= MIN_MASS, whole, np.where(rest >= MIN_MASS, rest, np.inf)
    )  # (L, H): the number on the grid
    part = best(mass for relation, mass in known.items() if "," in relation)
    return Named(measurement_note(weights), MIN_MASS, int((part > names).sum()), FIRST if FIRST in known else "")


def roles_of_full_model(roles: Sequence[str]) -> list[str]:
    """What one head does, for a picture of its own: the numbers are of the full model, also where a part is removed."""
    return [f"{role} with the full model" for role in roles]


def measurement_note(weights: str) -> str:
    """What the roles were measured on, in words; "" where they were not measured."""
    if not relation_scores(weights):
        return ""
    n = model_calls.about(weights).language.sentences
    if weights.startswith(SESSION_PREFIX):
        return counted(n, "held-out sequence")
    if model_calls.task(weights).words:
        return counted(n, "new sentence")
    return f"{counted(n, 'passage')} of our own and repeated random tokens" if n else "repeated random tokens"


@dataclass(frozen=True)
class MeasuredRole:
    """The head that follows a relation best."""

    layer: int
    head: int
    relation: str


def default_role(weights: str) -> MeasuredRole | None:
    """The best head at the first headline relation that a head follows; None where no head follows any."""
    known = relation_scores(weights)
    for relation in HEADLINES:
        if relation in known and known[relation].max() >= MIN_MASS:
            layer, head = np.unravel_index(int(np.argmax(known[relation])), known[relation].shape)
            return MeasuredRole(int(layer), int(head), relation)
    return None


def all_weights(trace: Trace[Array]) -> tuple[Array, Array]:
    """Weights and masks of every head: two arrays (L, H, T, S)."""
    return stack_weights(trace), np.stack([layer.attention.mask for layer in trace.layers])


# Tables and arrays. `looked` are the words of the columns, where they are others than those of the rows.


def map_table(values: Array, words: Sequence[str], key_tokens: Sequence[str] | None = None) -> Table:
    """A map (T, S) as a table: one line for each row, one column for each position."""
    columns = numbered(words if key_tokens is None else key_tokens)
    return {"query": numbered(words), **dict(zip(columns, values.T, strict=True))}


def row_arrays(
    weights: Array, words: Sequence[str], row: int, key_tokens: Sequence[str] | None = None
) -> dict[str, NamedArray]:
    """One row of weights (T, S)."""
    return {"weights": NamedArray(weights[row], {"key": words if key_tokens is None else key_tokens})}


def maps(words: Sequence[str], key_tokens: Sequence[str] | None = None, /, **values: Array) -> dict[str, NamedArray]:
    """Maps (T, S) by name, as arrays whose axes bear the words."""
    axes = {"query": words, "key": words if key_tokens is None else key_tokens}
    return {name: NamedArray(value, axes) for name, value in values.items()}


def all_maps(
    words: Sequence[str], key_tokens: Sequence[str] | None = None, /, **weights: Array
) -> dict[str, NamedArray]:
    """Weights (L, H, T, S) of all heads by name, as arrays whose axes bear layers, heads and words."""
    axes = {"query": words, "key": words if key_tokens is None else key_tokens}
    return {
        name: NamedArray(value, {"layer": range(value.shape[0]), "head": range(value.shape[1]), **axes})
        for name, value in weights.items()
    }


MAX_TABLE_LINES = 200_000  # of a table with one line a cell; a browser shows no more in good time


def _lines(sizes: Array) -> tuple[Array, ...]:
    """The places of (L, H, T, S) that are not zero, in their order; of too many, the MOST_LINES largest."""
    if np.count_nonzero(sizes) <= MAX_TABLE_LINES:
        return np.nonzero(sizes)
    flat = np.nan_to_num(np.ravel(sizes), nan=np.inf)
    least = np.partition(flat, -MAX_TABLE_LINES)[-MAX_TABLE_LINES]
    return np.unravel_index(np.flatnonzero(flat >= least)[:MAX_TABLE_LINES], sizes.shape)


def truncation_note(weights: Array) -> str:
    """What is said of a table that cannot hold all weights (L, H, T, S); nothing where it can."""
    n = int(np.count_nonzero(weights)) if weights.size > MAX_TABLE_LINES else 0
    return (
        f" The table and the CSV keep the {MAX_TABLE_LINES:,} largest of {n:,} weights; the NPZ keeps all."
        if n > MAX_TABLE_LINES
        else ""
    )


def cell_table(weights: Array, words: Sequence[str], key_tokens: Sequence[str] | None = None) -> Table:
    """Weights (L, H, T, S) of all heads as a long table: one line for each cell that is not zero."""
    layer, head, row, column = _lines(weights)
    queries, keys = (
        np.array(numbered(labels), dtype=object) for labels in (words, words if key_tokens is None else key_tokens)
    )
    return {
        "layer": layer,
        "head": head,
        "row": row,
        "query": queries[row],
        "column": column,
        "key": keys[column],
        "weight": weights[layer, head, row, column],
    }


def pair_table(a: Array, b: Array, words: Sequence[str]) -> Table:
    """Weights (L, H, T, S) of two runs as a long table: one line for each cell that is not zero in both."""
    layer, head, row, column = _lines(np.maximum(a, b))
    labels = np.array(numbered(words), dtype=object)
    return {
        "layer": layer,
        "head": head,
        "query": labels[row],
        "key": labels[column],
        "A": a[layer, head, row, column],
        "B": b[layer, head, row, column],
    }


def next_table(guesses: NextTokens) -> Table:
    """The most likely next words of the model itself."""
    return {"word": guesses.words[-1], "probability": guesses.probabilities[-1]}


def row_table(weights: Array, words: Sequence[str], row: int, key_tokens: Sequence[str] | None = None) -> Table:
    """One row of weights (T, S): its words, and the attention of the word at `row` to each."""
    others = numbered(words if key_tokens is None else key_tokens)
    return {"position": range(len(others)), "key": others, f"weight from {numbered(words)[row]}": weights[row]}


def guess_table(guesses: NextTokens) -> Table:
    """The most likely next words after each layer."""
    n_layers, n = guesses.probabilities.shape
    return {
        "layer": [layer for layer in range(n_layers) for _ in range(n)],
        "word": [word for row in guesses.words for word in row],
        "probability": guesses.probabilities.ravel(),
    }


@server_cache.cached
def statistics(experiment: Experiment) -> dict[str, list[object]]:
    """One line for each head: how widely and how far it attends in this text, and its measured roles."""
    weights, _ = all_weights(model_calls.trace(experiment))
    n_layers, n_heads = weights.shape[:2]
    each = "words" if model_calls.task(experiment.weights).words else "tokens"
    roles = relation_scores(experiment.weights).items()
    heads = [(layer, head) for layer in range(n_layers) for head in range(n_heads)]
    return {
        "layer": [layer for layer, _ in heads],
        "head": [head for _, head in heads],
        "entropy (nats)": entropy(weights).mean(axis=-1).ravel().round(2).tolist(),
        f"distance ({each})": distance(weights).mean(axis=-1).ravel().round(2).tolist(),
        **{
            name: mass.ravel().round(2).tolist()
            for name, mass in sorted(roles, key=lambda role: ("," in role[0], -role[1].max()))
        },
    }


@server_cache.cached
def rolled(experiment: Experiment) -> tuple[Array, Array]:
    """Attention rollout (T, T) through all layers, and its mask (T, T): False where no path leads."""
    (weights, mask), residual = all_weights(model_calls.trace(experiment)), has_residual(experiment)
    return rollout(weights, residual), reachable(mask, residual)


def has_residual(experiment: Experiment) -> bool:
    """Whether this run has the residual connection: trained with it, and not removed."""
    return (experiment.switches & model_calls.trained(experiment.weights)).residual
