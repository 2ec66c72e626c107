"""Answers about the model itself: its sizes, and what its parts and heads are worth."""

from dataclasses import replace

import numpy as np

from model.analysis.attention_metrics import stream_sizes
from model.analysis.qk_circuit import numerical_rank, singular_values
from model.evaluation.head_roles import FIRST
from model.switches import PARTS, Switches
from viz.pages.lessons.answers.on_screen import Answer, OnScreen
from viz.pages.masks import compute as masks_compute
from viz.pages.remove import compute as remove_compute
from viz.ui import ablation, head_facts, model_calls


def heads(screen: OnScreen) -> Answer:
    """How many heads the model has in all its layers."""
    config = model_calls.about(screen.experiment.weights).model_config
    return float(config.n_layers * config.n_heads)


def width(screen: OnScreen) -> Answer:
    """d_k, the width of queries and keys."""
    return float(screen.trace.layers[0].attention.q.shape[-1])


def rank(screen: OnScreen, *, layer: int | None = None, head: int | None = None) -> Answer:
    """The rank of W_Q W_Kᵀ of a head."""
    layer, head = (screen.layer if layer is None else layer), (screen.head if head is None else head)
    with model_calls.compute_slots:
        return float(numerical_rank(singular_values(screen.experiment.weights, layer, head)))


def loss(screen: OnScreen, *, without: str = "") -> Answer:
    """Mean −ln p of a word of fresh sentences, in nats, without these parts ("scale mask")."""
    return ablation.held_out(screen.experiment.weights, Switches().without(*without.split())).loss


def most_important_part(screen: OnScreen, *, parts: str) -> Answer:
    """Which of these parts costs most loss when it is removed; "scale norm" → its name on the switch."""
    labels = {part.name: part.label for part in PARTS}
    costs = {
        name: ablation.held_out(screen.experiment.weights, Switches().without(name)).loss for name in parts.split()
    }
    return labels[max(costs, key=lambda name: costs[name])]


def learns_without(screen: OnScreen, *, part: str) -> Answer:
    """Whether the model trained without a part ends clearly worse: by more than 0.1 nats, median of the seeds."""
    ends = [
        np.median([seed.loss for seed in model_calls.about(name).language.seeds])
        for name in ("grammar", f"grammar-without-{part}")
    ]
    return "clearly worse" if ends[1] > ends[0] + 0.1 else "nearly as well"


def most_important_head(screen: OnScreen) -> Answer:
    """The head whose removal raises the loss most, as "layer 1, head 2"."""
    costs, _ = remove_compute.head_ablation_maps(screen.experiment.weights)
    layer, head = np.unravel_index(int(np.argmax(costs)), costs.shape)
    return f"layer {layer}, head {head}"


def best_relation(screen: OnScreen, *, layer: int, head: int) -> Answer:
    """The relation on whose right word a head puts most of its weight on held-out sentences."""
    masses = {
        relation: mass[layer, head]
        for relation, mass in head_facts.relation_scores(screen.experiment.weights).items()
        if "," not in relation and relation != FIRST
    }
    return max(masses, key=lambda relation: float(masses[relation]))


def stream_length_ratio(screen: OnScreen, *, without: str) -> Answer:
    """How many times as long as in the full model the vectors are after the last layer, without these parts.

    The mean length of all tokens of the text is compared.
    """
    full = replace(screen.experiment, switches=Switches())
    removed = replace(full, switches=Switches().without(*without.split()))
    b, a = (stream_sizes(model_calls.trace(each))["length"][-1].mean() for each in (removed, full))
    return float(b / a)


def affected_sentences(screen: OnScreen, *, norm: str, replaced: int) -> Answer:
    """How many other sentences of the batch change under this norm when sentence `replaced`, from 1, is replaced."""
    comparison = remove_compute.norm_comparison_of(screen.experiment.weights, replaced - 1)
    others = np.delete(comparison.change[norm], replaced - 1, axis=0)  # (B − 1, T)
    return float((np.nan_to_num(others) > 0).any(axis=-1).sum())


def above_or_below_entropy(screen: OnScreen, *, weights: str) -> Answer:
    """On which side of the entropy of the language the loss of these weights lies."""
    _, same = masks_compute.language()
    side = "below" if ablation.held_out(weights, Switches()).loss < same.nats else "above"
    return f"{side} the entropy of the language"
