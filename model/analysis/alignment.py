"""From a translation to arrays: who looked where, what else could have come, and whether the looks were right."""

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
    """Every map that there is, as weights (L, H, T, S): "cross", the target on the source; and in a Transformer
    "source" and "target", each on itself. Row t of a target stands at word t and says word t + 1."""
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
    """One head (T, S) of weights (L, H, T, S), or the mean of its layer's heads where `head` is None."""
    chosen: Array = weights[layer].mean(axis=0) if head is None else weights[layer, head]
    return chosen


def cross_map(trace: PairTrace, layer: int, head: int | None = None) -> Array:
    """The cross-attention (T, S) of one head, or the mean of its layer's heads where `head` is None.

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
    """The n most likely words after each row of logits (T, V), and their probabilities (T, n). Marks are never said.

    temperature, top_k, top_p: as they are when a word is drawn, see model/generation/sampling.py.
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
    """How many words, from the first, are the right ones; the mark at the end counts as one."""
    pairs = zip(predicted, (*target, EOS), strict=False)
    return next(
        (index for index, (word, gold) in enumerate(pairs) if word != gold), min(len(predicted), len(target) + 1)
    )


@dataclass(frozen=True)
class AlignmentHits:
    """How the looks of one class of words did."""

    n: int
    top1: int  # of which so many looked most at a right place
    mass: float  # mean weight on the right places


def alignment_hits(weights: Array, pair: Pair, upto: int) -> dict[str, AlignmentHits]:
    """Weights (T, S) against the gold links of the rows before `upto`, class by class.

    Up to the first wrong word the rows are those of the right sentence; behind it gold says nothing.
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
    """The cells (row, column) that gold marks, in the rows before `upto`; none where nothing has to be looked up."""
    return [
        (link.query, key)
        for link in pair.alignment
        if link.query < upto and link.name != DETERMINED
        for key in link.keys
    ]


def pool_hits(each: Mapping[str, AlignmentHits]) -> AlignmentHits:
    """All classes of words that have to be looked up, as one."""
    counted = [hits for name, hits in each.items() if name != DETERMINED]
    n = sum(hits.n for hits in counted)
    return AlignmentHits(n, sum(hits.top1 for hits in counted), sum(hits.n * hits.mass for hits in counted) / max(n, 1))


def target_words(translation: Translation) -> tuple[str, ...]:
    """The words added without the end mark."""
    return translation.tokens[:-1] if translation.tokens[-1:] == (EOS,) else translation.tokens
