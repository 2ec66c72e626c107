"""From a translation to arrays: attention maps, candidates of each step, and hits of the gold alignment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model.encoder_decoder import EncoderDecoderTrace
from model.evaluation.seq2seq import merge_pair_to_words
from model.generation.beam_tree import best_path as best_path
from model.generation.decoding import Decoding
from model.generation.sampling import sampling_probabilities
from model.generation.translate import Translation
from model.recurrent import AttentiveDecoderTrace
from model.run import Array, PairTrace, get_seq2seq
from model.tasks import Pair
from model.tasks.pair import DETERMINED
from model.tokenizer import EOS


def attention_maps(trace: PairTrace) -> dict[str, Array]:
    """The attention weights (L, H, T, S) of a trace by name.

    "cross" is attention of the target to the source. A Transformer also has the self-attention maps "source" and
    "target". Row t of the target is at token t and predicts token t + 1.
    """
    if isinstance(trace, EncoderDecoderTrace):
        return {
            "cross": np.stack([layer.cross.weights for layer in trace.decoder.layers]),
            "source": np.stack([layer.attention.weights for layer in trace.encoder.layers]),
            "target": np.stack([layer.attention.weights for layer in trace.decoder.layers]),
        }
    if isinstance(trace.decoder, AttentiveDecoderTrace):
        return {"cross": trace.decoder.attention.weights[None]}
    return {}


def select_map(weights: Array, layer: int, head: int | None) -> Array:
    """One head (T, S) of weights (L, H, T, S), or the mean of the heads of the layer if `head` is None."""
    chosen: Array = weights[layer].mean(axis=0) if head is None else weights[layer, head]
    return chosen


def cross_map(trace: PairTrace, layer: int, head: int | None = None) -> Array:
    """The cross-attention (T, S) of one head, or the mean of the heads of the layer if `head` is None.

    Raises:
        KeyError: the network has no attention.
    """
    return select_map(attention_maps(trace)["cross"], layer, head)


def generated_map(translation: Translation, which: str, layer: int, head: int | None = None) -> Array:
    """One map, with the rows that predicted the N tokens of a translation.

    which: "cross" gives (N, S), "source" (S, S) and "target" (N, N); the last has more columns if the translation
    continued a target. layer, head: as for `select_map`.
    """
    selected = select_map(attention_maps(translation.trace)[which], layer, head)
    rows = _generated_rows(translation)
    return {"cross": selected[rows], "source": selected, "target": selected[rows, : rows.stop]}[which]


def word_map(
    weights: str, translation: Translation, pair: Pair, which: str, layer: int, head: int | None = None
) -> Array:
    """One map of a subword model by word: (W, W') for the words of `pair`, which the translation must have written.

    which, layer, head: as for `generated_map`. See `merge_pair_to_words` for the rows and columns.
    """
    tokenizer = get_seq2seq(weights)[1]
    merged = merge_pair_to_words(attention_maps(translation.trace)[which], tokenizer, pair, which)  # (L, H, W, W')
    return select_map(merged, layer, head)


def _generated_rows(translation: Translation) -> slice:
    """The rows of the trace that predicted the added tokens.

    The rows before them belong to the target that was given. If the model did not end the sentence, there is one row
    after them, which predicts a token that was not added.
    """
    start = len(translation.trace.decoder.logits) - 1 - len(target_words(translation))
    return slice(start, start + len(translation.tokens))


def top_k_tokens(
    weights: str, logits: Array, n: int = 5, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> tuple[tuple[tuple[str, ...], ...], Array]:
    """The n most likely words after each row of logits (T, V), and their probabilities (T, n).

    Special tokens other than the end mark are excluded. temperature, top_k, top_p: see model/generation/sampling.py.
    """
    tokenizer = get_seq2seq(weights)[1]
    excluded = [index for index in tokenizer.special_ids if tokenizer.vocabulary[index] != EOS]
    allowed = logits.copy()
    allowed[:, excluded] = -np.inf
    probabilities = np.stack([sampling_probabilities(row, temperature, top_k, top_p) for row in allowed])  # (T, V)
    best = np.argsort(-probabilities, axis=-1, kind="stable")[:, :n]  # (T, n)
    words = tuple(tuple(tokenizer.vocabulary[index] for index in row) for row in best)
    return words, np.take_along_axis(probabilities, best, axis=-1)


SAMPLING = ("temperature", "top_k", "top_p")  # the fields of Decoding that change the probabilities


def step_candidates(
    weights: str, translation: Translation, n: int = 5, decoding: Decoding = Decoding()
) -> tuple[tuple[tuple[str, ...], ...], Array]:
    """The n most likely tokens at each step of a translation, and their probabilities (N, n), as `top_k_tokens`.

    decoding: how the translation was decoded. Sampling changes the probabilities; greedy decoding and beam search do
    not.
    """
    options = [decoding.used.get(name, getattr(Decoding(), name)) for name in SAMPLING]
    return top_k_tokens(weights, translation.trace.decoder.logits[_generated_rows(translation)], n, *options)


def matching_prefix(predicted: Sequence[str], target: Sequence[str]) -> int:
    """The number of words before the first wrong one. The end mark counts as a word."""
    pairs = zip(predicted, (*target, EOS), strict=False)
    return next(
        (index for index, (word, gold) in enumerate(pairs) if word != gold), min(len(predicted), len(target) + 1)
    )


@dataclass(frozen=True)
class AlignmentHits:
    """How often the attention of one class of words hits the gold alignment."""

    n: int
    top1: int  # rows with the largest weight on a gold key
    mass: float  # mean weight on the gold keys


def alignment_hits(weights: Array, pair: Pair, upto: int) -> dict[str, AlignmentHits]:
    """Compare weights (T, S) with the gold links of the rows before `upto`, for each class of words.

    Gold links are defined only up to the first wrong word.
    """
    per_class: dict[str, list[tuple[bool, float]]] = {}
    for link in pair.alignment:
        if link.query < min(upto, len(weights)):
            row = weights[link.query]
            right = int(row.argmax()) in link.keys
            per_class.setdefault(link.name, []).append((right, float(row[list(link.keys)].sum())))
    return {
        name: AlignmentHits(len(each), sum(right for right, _ in each), float(np.mean([mass for _, mass in each])))
        for name, each in per_class.items()
    }


def gold_cells(pair: Pair, upto: int) -> list[tuple[int, int]]:
    """The gold cells (row, column) in the rows before `upto`, without words that need no source word."""
    return [
        (link.query, key)
        for link in pair.alignment
        if link.query < upto and link.name != DETERMINED
        for key in link.keys
    ]


def pool_hits(each: Mapping[str, AlignmentHits]) -> AlignmentHits:
    """The hits of all classes together, without words that need no source word."""
    counted = [hits for name, hits in each.items() if name != DETERMINED]
    n = sum(hits.n for hits in counted)
    return AlignmentHits(n, sum(hits.top1 for hits in counted), sum(hits.n * hits.mass for hits in counted) / max(n, 1))


def target_words(translation: Translation) -> tuple[str, ...]:
    """The added tokens without the end mark."""
    return translation.tokens[:-1] if translation.tokens[-1:] == (EOS,) else translation.tokens
