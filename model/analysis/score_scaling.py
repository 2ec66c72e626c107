"""Why scores are divided by √d_k: wide q and k give large scores, and then the softmax saturates.

With independent coordinates of mean 0 and variance 1, q · k = Σ q_i k_i has mean 0 and variance d_k
(Vaswani et al. 2017, footnote 4). All values here are computed with `attend` on random vectors with a fixed seed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model.attention import AttentionTrace, attend
from model.checkpoint import load_card
from model.evaluation.language_model import to_batch
from model.run import get_transformer
from model.tasks import TASKS, Sentence
from model.tokenizer import Tokenizer
from model.transformer import Transformer

Array = NDArray[np.floating]

WIDTHS = tuple(2**power for power in range(11))  # d_k = 1, 2, 4, …, 1024
N_KEYS = 16
BIN_EDGES = np.linspace(-4, 4, 33)  # of the histogram, in standard deviations of N(0, d_k)


@dataclass(frozen=True)
class SoftmaxStats:
    """Statistics of the rows of a softmax, as means over all rows."""

    variance: float  # of the input of the softmax
    density: Array  # (32,)  their histogram between BIN_EDGES, as a probability density
    entropy: float  # nats
    largest: float  # the largest weight of a row
    jacobian: float  # ‖∂ weights / ∂ scores‖, Frobenius
    rows: Array  # (R, S)  the same few rows at every d_k


@dataclass(frozen=True)
class WidthStep:
    """One width of q and k, with the division by √d_k and without."""

    d_k: int
    divided: SoftmaxStats
    undivided: SoftmaxStats

    @property
    def variance_ratio(self) -> float:
        """The variance of q · k, divided by d_k: 1 for independent coordinates of variance 1."""
        return self.undivided.variance / self.d_k


def jacobian_norm(weights: Tensor) -> Tensor:
    """Frobenius norm of the softmax's Jacobian, diag(p) − p pᵀ, for every row p.

    Its squared entries sum to Σ p² − 2 Σ p³ + (Σ p²)², so the matrix is not needed.
    weights (..., S) → (...).
    """
    p = weights.double()  # for p near 1 the three terms nearly cancel
    squares = p.square().sum(-1)
    return (squares - 2 * p.pow(3).sum(-1) + squares.square()).clamp_min(0).sqrt()


def sweep_widths(seed: int = 0, sequences: int = 256, rows: int = 12) -> tuple[WidthStep, ...]:
    """The statistics at every d_k for q and k of variance 1, over `sequences` sequences of 16 queries and 16 keys.

    All widths use the first d_k coordinates of the same random vectors. rows: how many rows of weights are kept.
    """
    source = torch.Generator().manual_seed(seed)
    q = torch.randn(sequences, 1, N_KEYS, WIDTHS[-1], generator=source)  # (B, 1, T, D)
    k = torch.randn(sequences, 1, N_KEYS, WIDTHS[-1], generator=source)  # (B, 1, S, D)
    v = torch.zeros(sequences, 1, N_KEYS, 1)
    with torch.inference_mode():
        return tuple(
            WidthStep(
                d_k,
                _softmaxed(attend(q[..., :d_k], k[..., :d_k], v), 1.0, rows),
                _softmaxed(attend(q[..., :d_k], k[..., :d_k], v, scale=False), math.sqrt(d_k), rows),
            )
            for d_k in WIDTHS
        )


def _softmaxed(trace: AttentionTrace[Tensor], spread: float, rows: int) -> SoftmaxStats:
    """spread: the expected standard deviation of the scores."""
    scores, weights = trace.scaled, trace.weights  # (B, 1, T, S)
    return SoftmaxStats(
        variance=scores.var().item(),
        density=_density(scores / spread),
        entropy=_entropy(weights).mean().item(),
        largest=weights.amax(-1).mean().item(),
        jacobian=jacobian_norm(weights).mean().item(),
        rows=weights[0, 0, :rows].numpy(),
    )


def _entropy(weights: Tensor) -> Tensor:
    return -torch.xlogy(weights, weights).sum(-1)  # 0 ln 0 is 0


def _density(scores: Tensor) -> Array:
    """The density of the scores in each bin. Scores beyond the edges count in the total."""
    counts = torch.histc(scores, len(BIN_EDGES) - 1, float(BIN_EDGES[0]), float(BIN_EDGES[-1]))
    density: Array = (counts / (scores.numel() * (BIN_EDGES[1] - BIN_EDGES[0]))).numpy()
    return density


@dataclass(frozen=True)
class HeadScores:
    """The scores of one trained head: q · k over every allowed pair, with and without the division."""

    d_k: int
    pairs: int
    variance: float  # of q · k
    mean: float  # of q · k
    edges: Array  # (N + 1,)  of both histograms
    raw: Array  # (N,)  density of q · k
    scaled: Array  # (N,)  density of q · k / √d_k
    highest_entropy: float  # mean of ln n over the rows: n keys are allowed
    divided: "RowStats"
    undivided: "RowStats"


@dataclass(frozen=True)
class RowStats:
    """Means over the rows of one head."""

    entropy: float
    largest: float
    jacobian: float


def head_scores(
    transformer: Transformer, tokenizer: Tokenizer, sentences: Sequence[Sentence], layer: int, head: int
) -> HeadScores:
    """One head on given sentences. Only the division of this head changes; its q, k, mask and position bias stay.

    A row with a single allowed key is not counted, because its softmax is always 1.
    """
    device = next(transformer.parameters()).device
    batch = to_batch(sentences, tokenizer)
    with torch.inference_mode():
        attention = transformer(batch.ids.to(device), batch.is_token.to(device)).layers[layer].attention
        q, k, v, mask = (x[:, [head]].cpu() for x in (attention.q, attention.k, attention.v, attention.mask))
        bias = (attention.biased - attention.scaled)[:, [head]].cpu()  # (B, 1, T, S)
        divided, undivided = (attend(q, k, v, mask, bias, scale) for scale in (True, False))
    choices = mask.sum(-1)  # (B, 1, T)
    counted = batch.is_token[:, None] & (choices > 1)  # (B, 1, T)
    pairs = mask & counted[..., None]  # (B, 1, T, S)
    raw, scaled = undivided.scores[pairs].numpy(), divided.scaled[pairs].numpy()
    reach = float(np.abs(raw).max()) or 1.0
    edges = np.linspace(-reach, reach, 121)
    return HeadScores(
        d_k=q.size(-1),
        pairs=raw.size,
        variance=float(raw.var(ddof=1)),
        mean=float(raw.mean()),
        edges=edges,
        raw=np.histogram(raw, edges, density=True)[0],
        scaled=np.histogram(scaled, edges, density=True)[0],
        highest_entropy=choices[counted].log().mean().item(),
        divided=_rows(divided.weights[counted]),
        undivided=_rows(undivided.weights[counted]),
    )


SENTENCES, SEED = 96, 5  # no training draws its sentences with this seed


def head_scores_of(weights: str, layer: int, head: int, sentences: int = SENTENCES, seed: int = SEED) -> HeadScores:
    """`head_scores` of trained weights, on new sentences of the language that they were trained on.

    weights: the name of a model of one text. sentences: how many are drawn, with the random seed `seed`.

    Raises:
        ValueError: the weights are unknown, or are a sequence-to-sequence model.
    """
    transformer, tokenizer = get_transformer(weights)
    draw, rng = TASKS[load_card(weights).task].draw, Random(seed)
    return head_scores(transformer, tokenizer, [draw(None, rng) for _ in range(sentences)], layer, head)


def _rows(weights: Tensor) -> RowStats:
    return RowStats(
        _entropy(weights).mean().item(), weights.amax(-1).mean().item(), jacobian_norm(weights).mean().item()
    )


@dataclass(frozen=True)
class QueryGradient:
    """Frobenius norm of ∂ loss / ∂ W_q at initialisation, for one width."""

    d_k: int
    divided: float
    undivided: float


def query_gradients(widths: Sequence[int] = (4, 8, 16, 32, 64, 128, 256), seed: int = 0) -> tuple[QueryGradient, ...]:
    """The gradient of W_q in an untrained attention layer with one head, Xavier weights and an input of variance 1.

    The loss is the mean over positions of out · g, with g of variance 1 / d_k, like that of an untrained next layer.
    """
    source = torch.Generator().manual_seed(seed)
    return tuple(QueryGradient(d_k, *_query_gradient(d_k, source)) for d_k in widths)


def _query_gradient(d_k: int, source: torch.Generator, sequences: int = 16) -> tuple[float, float]:
    x = torch.randn(sequences, 1, N_KEYS, d_k, generator=source)  # (B, 1, T, C), C = d_k
    g = torch.randn(x.shape, generator=source) / math.sqrt(d_k)
    w_q, w_k, w_v = (nn.init.xavier_uniform_(torch.empty(d_k, d_k), generator=source) for _ in range(3))
    w_q.requires_grad_()
    norms = []
    with torch.enable_grad():
        for scale in (True, False):
            z = attend(x @ w_q.T, x @ w_k.T, x @ w_v.T, scale=scale).z  # (B, 1, T, D)
            (gradient,) = torch.autograd.grad((z * g).sum(-1).mean(), w_q)
            norms.append(gradient.norm().item())
    return norms[0], norms[1]
