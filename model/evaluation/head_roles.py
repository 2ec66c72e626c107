"""Roles of the heads of any model, measured without a language that has gold relations.

Six known patterns of heads need only the tokens of a text. Two of them are measured on a repeated sequence of random
tokens (Olsson et al. 2022). Meaning cannot help there, so a head with the expected attention uses the earlier tokens.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from model.evaluation.head_scores import Score, score_relations
from model.evaluation.language_model import Accuracy, word_losses
from model.model_card import JsonObject
from model.run import Array
from model.tasks.task import PREVIOUS_TOKEN, Relation
from model.tokenizer import Encoding, Tokenizer
from model.transformer import Transformer

NEXT_TOKEN = "next token"
FIRST = "first token"
PUNCTUATION = "last punctuation mark"
EARLIER_TOKEN = "previous token, pieces of one word"
DUPLICATE = "duplicate token"
INDUCTION = "induction"

ROLES = {
    PREVIOUS_TOKEN: "one token back",
    NEXT_TOKEN: "one token ahead, in a model without a causal mask",
    FIRST: "the first token, which a head attends to if it finds nothing else",
    PUNCTUATION: "the nearest punctuation mark, two or more tokens back",
    EARLIER_TOKEN: "from a later token of a word to the earlier tokens of the word, mostly one back",
    DUPLICATE: "an earlier occurrence of the same token",
    INDUCTION: "the token after the last occurrence of the same token",
}
# Kinds of text. The values are keys of model cards.
RANDOM, FIRST_PASS, SECOND_PASS = "random tokens said again", "a passage", "a passage told again"
PREDICTED = (FIRST_PASS, SECOND_PASS, RANDOM)
PUNCTUATION_MARKS = frozenset(".,;:!?…—–-()[]{}\"'“”‘’«»")


@dataclass(frozen=True)
class Roles:
    """The measured roles of all heads of a model."""

    texts: int
    loss: float  # mean over all tokens of the texts, in nats; NaN for a model without next-token predictions
    accuracy: dict[str, Accuracy]  # accuracy on each kind of text of PREDICTED; empty without next-token predictions
    relations: dict[str, Score]


def gold_links(encoding: Encoding, causal: bool = True) -> Iterator[Relation]:
    """The gold links that follow from the tokens of a text."""
    mark: int | None = None
    for t, token in enumerate(encoding.tokens):
        if t > 0:
            yield Relation(FIRST, t, (0,))
        if t > 1:  # the previous token of the second token is the first one, which heads attend to for another reason
            yield Relation(PREVIOUS_TOKEN, t, (t - 1,))
        if not causal and t + 1 < len(encoding.tokens):
            yield Relation(NEXT_TOKEN, t, (t + 1,))
        if mark is not None and t - mark > 1:
            yield Relation(PUNCTUATION, t, (mark,))
        word = encoding.word_ids[t]
        before = tuple(s for s in range(t) if encoding.word_ids[s] == word)
        if before:
            yield Relation(EARLIER_TOKEN, t, before)
        if set(token.strip("␣·")) <= PUNCTUATION_MARKS and token.strip("␣·"):
            mark = t


def repeated_sequence(
    tokenizer: Tokenizer, n: int, rng: np.random.Generator
) -> tuple[tuple[int, ...], tuple[Relation, ...]]:
    """`n` random tokens, repeated once, as ids with the special tokens of a text, and the links between both halves."""
    special = tokenizer.encode("").ids  # <s>; [CLS] and [SEP]; or nothing
    sayable = np.setdiff1d(np.arange(len(tokenizer.vocabulary)), tokenizer.special_ids)
    sequence = rng.choice(sayable, n, replace=False).tolist()
    ids = (*special[:1], *sequence, *sequence, *special[1:])
    second = len(special[:1]) + n
    same = [Relation(DUPLICATE, second + index, (second + index - n,)) for index in range(n)]
    after = [Relation(INDUCTION, second + index, (second + index - n + 1,)) for index in range(n - 1)]
    return ids, (*same, *after)


def find_roles(
    transformer: Transformer,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    repeats: int = 40,
    n: int = 24,
    seed: int = 0,
    progress: Callable[[float], None] = lambda share: None,
) -> Roles:
    """Measure every head for every role, on the texts and on `repeats` repeated sequences of `n` random tokens.

    A vocabulary of fewer than `n` tokens is used as a whole. progress: called with the share that is done, 0 to 1.
    """
    rng = np.random.default_rng(seed)
    n = min(n, len(tokenizer.vocabulary) - len(tokenizer.special_ids))
    losses: list[float] = []
    predicted: dict[str, list[bool]] = {name: [] for name in PREDICTED}
    predicts_next = transformer.config.predicts == "next"

    def examples() -> Iterator[tuple[Array, Sequence[Relation]]]:
        for index, text in enumerate(texts):
            progress(index / (len(texts) + repeats))
            encoding = tokenizer.encode(text)
            weights, logits = _run(transformer, encoding.ids)
            if predicts_next:
                losses.extend(word_losses(logits, torch.tensor([encoding.ids]))[0].tolist())
            yield weights, tuple(gold_links(encoding, transformer.config.causal))
            marks = tokenizer.encode("").ids
            body = encoding.ids[len(marks[:1]) : len(encoding.ids) - len(marks[1:])]
            twice = (*marks[:1], *body, *body)
            if predicts_next and len(twice) <= transformer.config.context:
                right = _right(_run(transformer, twice)[1], twice)
                predicted[FIRST_PASS] += right[: -len(body)]
                predicted[SECOND_PASS] += right[1 - len(body) :]  # the first repeated token cannot be predicted
        for index in range(repeats):
            progress((len(texts) + index) / (len(texts) + repeats))
            ids, relations = repeated_sequence(tokenizer, n, rng)
            weights, logits = _run(transformer, ids)
            if predicts_next:
                right = _right(logits, ids)
                predicted[RANDOM] += [right[link.query] for link in relations if link.name == INDUCTION]
            yield weights, relations

    relations = dict(score_relations(examples()))
    loss = float(np.mean(losses)) if losses else math.nan
    accuracy = {name: Accuracy(len(hits), float(np.mean(hits))) for name, hits in predicted.items() if hits}
    return Roles(len(texts), loss, accuracy, relations)


def _right(logits: torch.Tensor, ids: Sequence[int]) -> list[bool]:
    """For every token but the first: whether it was the most likely prediction at the token before it."""
    return [predicted == actual for predicted, actual in zip(logits[0, :-1].argmax(-1).tolist(), ids[1:], strict=True)]


def _run(transformer: Transformer, ids: Sequence[int]) -> tuple[Array, torch.Tensor]:
    """The weights of all heads (L, H, T, T) and the logits (1, T, V) for one row of ids."""
    device = next(transformer.parameters()).device
    with torch.inference_mode():
        trace = transformer(torch.tensor([ids], device=device))
    weights = torch.stack([layer.attention.weights[0] for layer in trace.layers])
    return weights.float().cpu().numpy(), trace.logits.float().cpu()


def roles_card(roles: Roles) -> JsonObject:
    """The roles as a model card contains them, in the form of an evaluation."""
    return {
        "sentences": roles.texts,
        "loss": round(roles.loss, 4),
        "accuracy": {
            name: {"n": accuracy.n, "share": round(accuracy.share, 4)} for name, accuracy in roles.accuracy.items()
        },
        "relations": {name: score.json() for name, score in roles.relations.items()},
    }
