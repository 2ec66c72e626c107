"""The page's computations, cached for all visitors."""

from model.analysis import ablation as ablate
from model.analysis import norm_comparison, score_scaling
from model.analysis.norm_comparison import EpsilonComparison, NormComparison
from model.analysis.score_scaling import WidthStep
from model.generation.next_token import top_of_two
from model.switches import Switches
from model.transformer import Trace
from viz.types import Array
from viz.ui import ablation, model_calls, server_cache, slots


def next_words(a: Trace[Array], b: Trace[Array], row: int, weights: str, n: int = 8) -> tuple[Array, Array, list[str]]:
    """The most likely words of A or B after the token at `row`: probabilities under A and B, and the words."""
    p, q, best = top_of_two(a.logits[row], b.logits[row], n)
    vocabulary = model_calls.tokenizer(weights).vocabulary
    return p, q, [vocabulary[index] for index in best]


@server_cache.cached
def head_ablation(weights: str) -> dict[tuple[int, int], ablate.HeldOutScores]:
    """The same with each head taken out alone."""
    with slots.long("Removing each head in turn"):
        return ablate.ablate_each_head(weights)


def head_ablation_maps(weights: str) -> tuple[Array, dict[str, Array]]:
    """What each head's removal costs: more loss (L, H), and for each kind of question less accuracy (L, H)."""
    intact, each = ablation.held_out(weights, Switches()), head_ablation(weights)
    return ablate.ablation_costs(intact, each)


SIZE = 6  # sentences in the batch


@server_cache.cached
def norm_comparison_of(weights: str, replaced: int) -> NormComparison:
    """A batch of SIZE sentences under each norm, before and after sentence `replaced`, from 0, is another one."""
    with model_calls.compute_slots:
        return norm_comparison.compare_in_batch(weights, replaced, SIZE)


@server_cache.cached
def epsilon_comparison_of(weights: str) -> EpsilonComparison:
    """Layer norm with ε inside the root and outside, on the vectors of the same batch."""
    with model_calls.compute_slots:
        return norm_comparison.epsilon_in_batch(weights, SIZE)


@server_cache.cached
def width_steps() -> tuple[WidthStep, ...]:
    """Scores and their softmax at every d_k, with the division by √d_k and without."""
    with model_calls.compute_slots:
        return score_scaling.sweep_widths()
