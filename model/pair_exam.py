"""What a model of two sentences has learnt: how often it writes the right one, and whether it looks where gold says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.encoder_decoder import EncoderDecoder
from model.measure import Array, Score, score_relations
from model.recurrent import AlignedWritingTrace, Recurrent, WritingTrace
from model.switches import Switches
from model.tasks import Pair, Relation
from model.tokenizer import END, Tokenizer

BATCH = 100
ROOM = 8  # words that a model may write beyond the right answer before it is stopped


@dataclass(frozen=True)
class PairBatch:
    """Pairs as a model takes them, filled up to the longest."""

    source: Tensor  # (B, S)  <s> … </s>
    real: Tensor  # (B, S)  False: filler
    target: Tensor  # (B, T)  <s> …: where the decoder stands
    said: Tensor  # (B, T)  … </s>: what it is to say there
    counts: Tensor  # (B, T)  False: filler


def to_batch(pairs: Sequence[Pair], tokenizer: Tokenizer) -> PairBatch:
    """Encode pairs and fill them up."""
    end = tokenizer.vocabulary.index(END)
    sources = [(*tokenizer.encode(pair.source_text).ids, end) for pair in pairs]
    targets = [(*tokenizer.encode(pair.target_text).ids, end) for pair in pairs]
    source, real = _filled(sources)
    target, counts = _filled(targets)
    return PairBatch(source, real, target[:, :-1], target[:, 1:], counts[:, 1:])


def _filled(rows: Sequence[tuple[int, ...]]) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.zeros(len(rows), int(lengths.max()), dtype=torch.int64)
    real = torch.arange(ids.size(1)) < lengths[:, None]
    ids[real] = torch.tensor([index for row in rows for index in row])
    return ids, real


def write_all(network: EncoderDecoder | Recurrent, batch: PairBatch, switches: Switches = Switches()) -> Tensor:
    """The likeliest next word again and again, for all sentences at once: (B, words), the end mark where one ended.

    switches: the parts of a Transformer that take part.
    """
    end = int(batch.said[0][batch.counts[0]][-1])
    said = batch.target[:, :1]  # (B, 1)
    written = [said]
    over = torch.zeros(len(said), dtype=torch.bool)
    past: Any = None
    parts: Any = {} if isinstance(network, Recurrent) else {"switches": switches}
    with torch.inference_mode():
        read: Any = network.encode(batch.source, batch.real, **parts)
        for _ in range(batch.said.size(1) + ROOM):
            # Without the mask every new word changes what those before it gave: then all is read again.
            new = said if switches.mask else torch.cat(written, dim=1)
            trace = network.decode(read, new, batch.real, past=past, **parts)
            past = trace if switches.mask else None
            said = trace.logits[:, -1:, 3:].argmax(-1) + 3  # (B, 1)  the special tokens are never said
            written.append(said)
            over |= said[:, 0] == end
            if over.all():
                break
    return torch.cat(written[1:], dim=1)


def exact(
    network: EncoderDecoder | Recurrent, tokenizer: Tokenizer, pairs: Sequence[Pair], switches: Switches = Switches()
) -> float:
    """Share of pairs whose target is written without a mistake, word for word, and ended where it ends."""
    right = 0
    for start in range(0, len(pairs), BATCH):
        batch = to_batch(pairs[start : start + BATCH], tokenizer)
        written = write_all(network, batch, switches)
        T = min(batch.said.size(1), written.size(1))
        same = (written[:, :T] == batch.said[:, :T]) | ~batch.counts[:, :T]  # (B, T)
        long_enough = batch.counts.sum(1) <= written.size(1)
        right += int((same.all(1) & long_enough).sum())
    return right / len(pairs)


def alignment(network: EncoderDecoder | Recurrent, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> dict[str, Score]:
    """Hold every look at the source against the gold links, class by class: scores (L, H + 1).

    The last column is the mean over the heads of a layer. Empty where nobody looks. The model is told the right words
    before each, so that row and link are of the same word.
    """

    def examples() -> Iterator[tuple[Array, Sequence[Relation]]]:
        for start in range(0, len(pairs), BATCH):
            part = pairs[start : start + BATCH]
            weights = looks(network, to_batch(part, tokenizer))  # (B, L, H, T, S)
            weights = np.concatenate((weights, weights.mean(2, keepdims=True)), axis=2)
            for b, pair in enumerate(part):
                yield weights[b], pair.links

    if not looks(network, to_batch(pairs[:1], tokenizer)).shape[1]:
        return {}
    return dict(score_relations(examples()))


def looks(network: EncoderDecoder | Recurrent, batch: PairBatch) -> Array:
    """Weights (B, L, H, T, S) of each target row on the source; L = 0 for a network that does not look."""
    with torch.inference_mode():
        decoder: Any = network(batch.source, batch.target, batch.real).decoder
    if isinstance(decoder, AlignedWritingTrace):
        return np.asarray(decoder.attention.weights[:, None])  # (B, 1, 1, T, S)
    if isinstance(decoder, WritingTrace):
        return np.zeros((len(batch.source), 0, 1, batch.target.size(1), batch.source.size(1)), dtype=np.float32)
    return torch.stack([layer.cross.weights for layer in decoder.layers], 1).numpy()
