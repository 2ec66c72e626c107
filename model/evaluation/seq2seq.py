"""The evaluation of a sequence-to-sequence model: exact match, and the match of its attention with gold alignment."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.compute.progress import steps
from model.encoder_decoder import DecoderTrace, EncoderDecoder
from model.evaluation.head_scores import Score, score_relations
from model.recurrent import AttentiveDecoderTrace, Recurrent, RecurrentDecoderTrace
from model.run import DecoderOutput, Seq2SeqNetwork, encode_text
from model.subword import SubwordTokenizer
from model.switches import Switches
from model.tasks import Pair, Relation
from model.tasks.copying import copy_of
from model.tokenizer import EOS, Tokenizer
from model.word_aggregation import merge_to_words

Array = NDArray[np.floating]
Network = EncoderDecoder | Recurrent
BATCH = 100
EXTRA_TOKENS = 8  # tokens that a model may write beyond the length of the target


@dataclass(frozen=True)
class PairBatch:
    """Pairs as the input of a model, padded to the longest."""

    source: Tensor  # (B, S)  <s> … </s>
    is_token: Tensor  # (B, S)  False: padding
    target: Tensor  # (B, T)  <s> …: the input of the decoder
    labels: Tensor  # (B, T)  … </s>: the expected predictions
    loss_mask: Tensor  # (B, T)  False: padding


def to_batch(pairs: Sequence[Pair], tokenizer: Tokenizer) -> PairBatch:
    """Encode pairs and pad them."""
    end = tokenizer.vocabulary.index(EOS)
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


def greedy_decode(
    network: Seq2SeqNetwork, tokenizer: Tokenizer, batch: PairBatch, switches: Switches = Switches()
) -> Tensor:
    """Greedy decoding of all sentences of a batch: token ids (B, T), with the end mark after a sentence.

    switches: the parts of a Transformer that are used.
    """
    end = tokenizer.vocabulary.index(EOS)
    silent = torch.tensor([index for index in tokenizer.special_ids if index != end])
    last = batch.target[:, :1]  # (B, 1)
    written = [last]
    over = torch.zeros(len(last), dtype=torch.bool)
    past: DecoderOutput | None = None
    use_cache = network.can_cache(switches)
    with torch.inference_mode():
        read = network.encode(batch.source, batch.is_token, switches)
        for _ in steps(range(batch.labels.size(1) + EXTRA_TOKENS)):
            # Without the mask every new token changes the stages of the earlier ones, so all are computed again.
            new = last if use_cache else torch.cat(written, dim=1)
            trace = network.decode(read, new, batch.is_token, switches, past)
            past = trace if use_cache else None
            last = trace.logits[:, -1:].index_fill(-1, silent, -torch.inf).argmax(-1)  # (B, 1)
            written.append(last)
            over |= last[:, 0] == end
            if over.all():
                break
    return torch.cat(written[1:], dim=1)


def exact_match(
    network: Seq2SeqNetwork, tokenizer: Tokenizer, pairs: Sequence[Pair], switches: Switches = Switches()
) -> float:
    """Exact match: the share of pairs whose target is written without a mistake, including its end."""
    right = 0
    for start in steps(range(0, len(pairs), BATCH)):
        batch = to_batch(pairs[start : start + BATCH], tokenizer)
        written = greedy_decode(network, tokenizer, batch, switches)
        T = min(batch.labels.size(1), written.size(1))
        same = (written[:, :T] == batch.labels[:, :T]) | ~batch.loss_mask[:, :T]  # (B, T)
        long_enough = batch.loss_mask.sum(1) <= written.size(1)
        right += int((same.all(1) & long_enough).sum())
    return right / len(pairs)


def alignment(network: EncoderDecoder | Recurrent, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> dict[str, Score]:
    """Compare the cross-attention with the gold links, for each class of words: scores (L, H + 1).

    The last column is for the mean of the heads of a layer. Empty for a network without attention. The target is given
    (teacher forcing), so that a row and its link belong to the same word.
    """

    def examples() -> Iterator[tuple[Array, Sequence[Relation]]]:
        for start in range(0, len(pairs), BATCH):
            part = pairs[start : start + BATCH]
            weights = cross_attention(network, to_batch(part, tokenizer))  # (B, L, H, T, S)
            weights = np.concatenate((weights, weights.mean(2, keepdims=True)), axis=2)
            for b, pair in enumerate(part):
                yield merge_pair_to_words(weights[b], tokenizer, pair), pair.alignment

    if not cross_attention(network, to_batch(pairs[:1], tokenizer)).shape[1]:
        return {}
    return dict(score_relations(examples()))


def merge_pair_to_words(weights: Array, tokenizer: Tokenizer, pair: Pair, which: str = "cross") -> Array:
    """Weights (L, H, T, S) of subword tokens as weights of the words of a pair; see model/word_aggregation.py.

    which: "cross" for attention of the target to the source; "source" or "target" for self-attention. A row of the
    target belongs to the word that it predicts. If every word is a token, nothing changes.
    """
    if not isinstance(tokenizer, SubwordTokenizer):
        return weights
    source_ids, target_ids = (
        token_word_ids(tokenizer, text, words)
        for text, words in ((pair.source_text, pair.source), (pair.target_text, pair.target))
    )
    source_columns = (0, *source_ids, len(pair.source) + 1)  # <s> and </s> count as words
    rows = (*(word - 1 for word in target_ids), len(pair.target))  # row t predicts word t + 1, and the last row the end
    sides = {
        "cross": (rows, source_columns),
        "source": (source_columns, source_columns),
        "target": (rows, (0, *target_ids)),
    }
    query_ids, key_ids = sides[which]
    return merge_to_words(weights[..., : len(query_ids), : len(key_ids)], query_ids, key_ids)


def token_word_ids(tokenizer: Tokenizer, text: str, words: Sequence[str]) -> tuple[int, ...]:
    """The word of each subword token, counted from 1: the one of `words` with the last letter of the token."""
    ids = encode_text(tokenizer, text).ids[1:]
    ends: list[int] = []  # the end of each word in the text
    for word in words:
        begins = ends[-1] if ends else 0
        ends.append(text.index(word, begins) + len(word))
    reached = (len(tokenizer.decode(ids[: index + 1])) for index in range(len(ids)))
    return tuple(bisect_left(ends, end) + 1 for end in reached)


def cross_attention(network: EncoderDecoder | Recurrent, batch: PairBatch) -> Array:
    """Weights (B, L, H, T, S) of each target row on the source; L = 0 for a network without attention."""
    with torch.inference_mode():
        decoder: object = network(batch.source, batch.target, batch.is_token).decoder
    if isinstance(decoder, AttentiveDecoderTrace):
        return np.asarray(decoder.attention.weights[:, None])  # (B, 1, 1, T, S)
    if isinstance(decoder, RecurrentDecoderTrace):
        return np.zeros((len(batch.source), 0, 1, batch.target.size(1), batch.source.size(1)), dtype=np.float32)
    assert isinstance(decoder, DecoderTrace)
    return torch.stack([layer.cross.weights for layer in decoder.layers], 1).numpy()


def accuracy_at_length(network: Seq2SeqNetwork, tokenizer: Tokenizer, length: int, n: int, seed: int) -> float:
    """Exact match on `n` new copies of one length."""
    rng = Random(1000 * seed + length)
    return exact_match(network, tokenizer, [copy_of(length, rng) for _ in range(n)])
