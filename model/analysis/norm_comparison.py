"""Does a word's vector depend on the company it is in? A batch of sentences, one of them replaced, and who moves.

Layer norm takes its mean and variance over C, within one vector: no other sentence enters. Batch norm takes them over
B and T, for each channel: every sentence of the batch enters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.checkpoint import load_card
from model.evaluation.language_model import to_batch
from model.norm import BatchNorm, LayerNorm, NormTrace
from model.run import get_transformer
from model.tasks import TASKS, Sentence, Task
from model.tokenizer import Tokenizer
from model.transformer import Trace, Transformer

Array = NDArray[np.floating]
Norm = Callable[[Tensor, Tensor], NormTrace[Tensor]]  # of x (B, T, C) and real (B, T)


def _alone(norm: LayerNorm) -> Norm:
    return lambda x, real: norm(x)


# Both with the scale and shift they start from, so that only what they average over differs.
NORMS_COMPARED: dict[str, Callable[[int], Norm]] = {
    "layer norm": lambda width: _alone(LayerNorm(width)),
    "batch norm": BatchNorm,
}


@dataclass(frozen=True)
class NormComparison:
    """What a batch does to its members when one of them is replaced."""

    tokens: tuple[tuple[str, ...], ...]  # B sentences as they were, each with its start mark
    replaced: int  # which of them
    replacement: tuple[str, ...]  # the words that stand there now
    is_token: NDArray[np.bool_]  # (B, T)  False: filler
    resid: Array  # (B, T, C)  what enters the first norm of the model, before the replacement
    change: dict[str, Array]  # norm → (B, T)  how far each output moved; NaN for filler and for the replaced sentence


def output_change(norm: Norm, before: Tensor, after: Tensor, real_before: Tensor, real_after: Tensor) -> Tensor:
    """How far each output of a norm moves, as the root mean square over C: (B, T).

    before, after (B, T, C): two batches; the outputs have variance 1, so 1 is as far as they spread.
    """
    change = norm(after, real_after).out - norm(before, real_before).out  # (B, T, C)
    return change.square().mean(dim=-1).sqrt()


def first_norm(trace: Trace[Tensor]) -> NormTrace[Tensor]:
    """The first norm that a run meets; of a model without norms, the place where a layer would have its first."""
    return trace.embedding_norm if trace.embedding_norm.present else trace.layers[0].norm1


def make_batch(task: Task, size: int = 6, longest: int = 9, seed: int = 2) -> tuple[list[Sentence], list[Sentence]]:
    """`size` short sentences and a substitute for each, all different, the same every time."""
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
    """Run both batches through the model and compare what each norm makes of what enters the model's first norm."""
    B = len(sentences)
    changed = [by if b == replaced else sentence for b, sentence in enumerate(sentences)]
    batch = to_batch([*sentences, *changed], tokenizer)  # both filled up to the same length
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
