"""The tokens that a model finds most likely after one position: by layer, of two runs, and before one is drawn."""

from dataclasses import dataclass

import numpy as np

from model.generation.decoding import Decoding
from model.generation.sampling import sampling_probabilities
from model.probability import probabilities
from model.run import Array, Experiment, get_model, logit_lens
from model.transformer import Trace


@dataclass(frozen=True)
class NextTokens:
    """The n most likely next tokens of each layer; the last row is the output of the model."""

    probabilities: Array  # (L, n)
    words: tuple[tuple[str, ...], ...]  # L rows of n


def top_next_tokens(experiment: Experiment, trace: Trace[Array], position: int, n: int = 8) -> NextTokens:
    """What each layer predicts after the token at `position`, by the logit lens; most likely first."""
    shares = probabilities(logit_lens(experiment, trace, position))  # (L, V)
    best = np.argsort(-shares, axis=-1)[:, :n]  # (L, n)
    vocabulary = get_model(experiment.weights)[1].vocabulary
    words = tuple(tuple(vocabulary[index] for index in row) for row in best)
    return NextTokens(np.take_along_axis(shares, best, axis=-1), words)


def top_of_two(a: Array, b: Array, n: int = 8) -> tuple[Array, Array, Array]:
    """The n tokens that either of two predictions finds most likely.

    a, b (V,): logits. Returns the probabilities under A and under B, (n,) each, and the ids of the tokens (n,).
    """
    p, q = probabilities(a), probabilities(b)  # (V,)
    best = np.argsort(-np.fmax(p, np.nan_to_num(q)))[:n]
    return p[best], q[best], best


def candidate_probabilities(
    experiment: Experiment, trace: Trace[Array], position: int, decoding: Decoding
) -> tuple[Array, Array]:
    """The probabilities (V,) of the model after `position`, and those that the next token is drawn by.

    Special tokens have probability 0: they are never generated.
    """
    logits = trace.logits[position].astype(np.float64)  # (V,)
    logits[list(get_model(experiment.weights)[1].special_ids)] = -np.inf
    drawn = sampling_probabilities(logits, decoding.temperature, decoding.top_k, decoding.top_p)
    return probabilities(logits), drawn


@dataclass(frozen=True)
class SamplingCandidates:
    """The n tokens that a model finds most likely, with their sampling probabilities; most likely first."""

    model_probability: Array  # (n,)
    sampling_probability: Array  # (n,)  the next token is drawn by these
    ids: Array  # (n,)
    n_possible: int  # number of tokens of the vocabulary that can be drawn


def sampling_candidates(
    experiment: Experiment, trace: Trace[Array], position: int, decoding: Decoding, n: int = 8
) -> SamplingCandidates:
    """The n most likely tokens of `candidate_probabilities`, which takes the same parameters."""
    p, q = candidate_probabilities(experiment, trace, position, decoding)  # (V,)
    best = np.argsort(-p, kind="stable")[:n]
    return SamplingCandidates(p[best], q[best], best, int(np.count_nonzero(q)))
