"""Layer norm against batch norm: one sentence of a batch is replaced, and the vectors of the others are compared. And
layer norm with ε inside the root against ε outside.

Layer norm takes its mean and variance over C, so a vector does not depend on other sentences. Batch norm takes them
over B and T for each channel, so a vector depends on every sentence of the batch.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.checkpoint import load_card
from model.evaluation.language_model import to_batch
from model.norm import BatchNorm, LayerNorm, LayerNormOutside, NormTrace
from model.run import get_transformer
from model.tasks import TASKS, Sentence, Task
from model.tokenizer import Tokenizer
from model.transformer import Trace, Transformer

Array = NDArray[np.floating]
Norm = Callable[[Tensor, Tensor], NormTrace[Tensor]]  # of x (B, T, C) and real (B, T)


def _alone(norm: LayerNorm) -> Norm:
    return lambda x, real: norm(x)


# Both have their initial scale and shift, so that they differ only in what they average over.
NORMS_COMPARED: dict[str, Callable[[int], Norm]] = {
    "layer norm": lambda width: _alone(LayerNorm(width)),
    "batch norm": BatchNorm,
}


@dataclass(frozen=True)
class NormComparison:
    """The outputs of the norms before and after one sentence of a batch is replaced."""

    tokens: tuple[tuple[str, ...], ...]  # the B sentences before the replacement, each with its start token
    replaced: int  # index of the replaced sentence
    replacement: tuple[str, ...]  # its tokens after the replacement
    is_token: NDArray[np.bool_]  # (B, T)  False: padding
    resid: Array  # (B, T, C)  input of the first norm of the model, before the replacement
    change: dict[str, Array]  # norm → (B, T)  change of each output; NaN for padding and for the replaced sentence


def output_change(norm: Norm, before: Tensor, after: Tensor, real_before: Tensor, real_after: Tensor) -> Tensor:
    """The change of each output of a norm, as the root mean square over C: (B, T).

    before, after (B, T, C): two batches; real_before, real_after (B, T): False for padding. The outputs have a standard
    deviation of 1, so a change of 1 is large.
    """
    change = norm(after, real_after).out - norm(before, real_before).out  # (B, T, C)
    return change.square().mean(dim=-1).sqrt()


def first_norm(trace: Trace[Tensor]) -> NormTrace[Tensor]:
    """The first norm of a trace. A model without norms has a record there too, which changes nothing."""
    return trace.embedding_norm if trace.embedding_norm.present else trace.layers[0].norm1


def make_batch(task: Task, size: int = 6, longest: int = 9, seed: int = 2) -> tuple[list[Sentence], list[Sentence]]:
    """`size` sentences of up to `longest` words and a substitute for each, all different, drawn with `seed`."""
    rng = Random(seed)
    drawn: dict[str, Sentence] = {}
    while len(drawn) < 2 * size:
        sentence = task.draw(None, rng)
        if len(sentence.words) <= longest:
            drawn[sentence.text] = sentence
    sentences = list(drawn.values())
    return sentences[:size], sentences[size:]


def compare_norms(
    transformer: Transformer,
    tokenizer: Tokenizer,
    sentences: Sequence[Sentence],
    replaced: int,
    by: Sentence,
) -> NormComparison:
    """Compare the norms on the input of the model's first norm, before and after `by` replaces one sentence."""
    B = len(sentences)
    changed = [by if b == replaced else sentence for b, sentence in enumerate(sentences)]
    batch = to_batch([*sentences, *changed], tokenizer)  # both are padded to the same length
    device = next(transformer.parameters()).device
    with torch.inference_mode():
        stream = first_norm(transformer(batch.ids.to(device), batch.is_token.to(device))).input.cpu()  # (2 B, T, C)
        real = batch.is_token
        others = real[:B].clone()
        others[replaced] = False
        apart = {
            name: output_change(make(stream.size(-1)), stream[:B], stream[B:], real[:B], real[B:])
            .masked_fill(~others, torch.nan)
            .numpy()
            for name, make in NORMS_COMPARED.items()
        }
    return NormComparison(
        tokens=tuple(tokenizer.encode(sentence.text).surface for sentence in sentences),
        replaced=replaced,
        replacement=tokenizer.encode(by.text).surface,
        is_token=real[:B].numpy(),
        resid=stream[:B].numpy(),
        change=apart,
    )


def compare_in_batch(weights: str, replaced: int, size: int = 6) -> NormComparison:
    """`compare_norms` on a batch of the language that the weights were trained on; see `make_batch`.

    weights: the name of a model of one text. replaced: the index of the sentence that is replaced, below `size`.
    """
    transformer, tokenizer = get_transformer(weights)
    sentences, substitutes = make_batch(TASKS[load_card(weights).task], size)
    return compare_norms(transformer, tokenizer, sentences, replaced, substitutes[replaced])


@dataclass(frozen=True)
class EpsilonComparison:
    """Layer norm with ε inside the root, √(σ² + ε), and outside, σ + ε. Of each vector the output before scale and
    shift. The N vectors are those that enter a norm; the K are one of them, scaled around its mean."""

    eps: float
    variance: Array  # (N,) of the vectors
    difference: Array  # (N,) root mean square over C of one output minus the other
    scaled_variance: Array  # (K,) of the scaled vectors
    inside: Array  # (K,) standard deviation of the output, with ε inside
    outside: Array  # (K,) with ε outside

    def matters_below(self, share: float = 0.01) -> float:
        """The variance below which the output with ε inside is shorter, by more than this share, than with ε outside.

        With k = (1 − share)² it is the larger root σ of (σ + ε)² = k (σ² + ε), squared.
        """
        k = (1 - share) ** 2
        root = math.sqrt(self.eps**2 + (1 - k) * (k * self.eps - self.eps**2))
        return ((root - self.eps) / (1 - k)) ** 2


SCALED_VARIANCES = np.logspace(-14, 1, 31)


def compare_epsilon(vectors: Array, eps: float, to: Sequence[float] | Array = SCALED_VARIANCES) -> EpsilonComparison:
    """Both layer norms on vectors (N, C), and on the one of the smallest variance, scaled around its mean to `to` (K,).

    Raises:
        ValueError: a vector is constant, so it cannot be scaled.
    """
    x = torch.from_numpy(np.array(vectors, dtype=np.float64))
    norms = [kind(x.size(-1), eps).double() for kind in (LayerNorm, LayerNormOutside)]
    variance = x.var(dim=-1, correction=0)  # (N,)
    if not variance.min() > 0:
        raise ValueError("a vector whose numbers are all the same cannot be scaled")
    quietest = x[variance.argmin()]
    direction = (quietest - quietest.mean()) / quietest.std(correction=0)
    scaled = quietest.mean() + direction * torch.tensor(np.array(to)).sqrt()[:, None]  # (K, C)
    with torch.inference_mode():
        apart = norms[0](x).normalised - norms[1](x).normalised
        inside, outside = (norm(scaled).normalised.std(dim=-1, correction=0).numpy() for norm in norms)
    return EpsilonComparison(
        eps, variance.numpy(), apart.square().mean(dim=-1).sqrt().numpy(), np.array(to), inside, outside
    )


def epsilon_in_batch(weights: str, size: int = 6) -> EpsilonComparison:
    """`compare_epsilon` on the vectors that enter the first norm, of the sentences of `make_batch`."""
    batch = compare_in_batch(weights, 0, size)
    return compare_epsilon(batch.resid[batch.is_token], get_transformer(weights)[0].config.norm_eps)
