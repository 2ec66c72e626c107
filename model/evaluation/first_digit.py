"""Accuracy at predicting the first digit of a question, for any length."""

import math
from collections.abc import Sequence
from random import Random

import torch
from torch import Tensor

from model.compute.progress import steps
from model.tasks.first_digit import FirstDigitQuestion, make_question
from model.tokenizer import Tokenizer
from model.transformer import Transformer

MAX_CELLS = 2**16  # of the (T, S) maps of one head in one batch: every stage of every head is recorded


def to_ids(questions: Sequence[FirstDigitQuestion], tokenizer: Tokenizer) -> tuple[Tensor, Tensor]:
    """Questions of one length: ids (B, T), and the ids (B, 2) of the correct answer and of the wrong one."""
    ids = torch.tensor([tokenizer.encode(question.text).ids for question in questions])
    id_of = {sign: index for index, sign in enumerate(tokenizer.vocabulary)}
    answers = [(id_of[question.first], id_of[question.second]) for question in questions]
    return ids, torch.tensor(answers)


def p_correct(transformer: Transformer, tokenizer: Tokenizer, questions: Sequence[FirstDigitQuestion]) -> Tensor:
    """The probability of the correct digit against the wrong one, predicted at "?": (N,). Questions of one length.

    Raises:
        ValueError: the questions are longer than a learned position table.
    """
    batch_size = max(1, MAX_CELLS // (len(questions[0].words) + 1) ** 2)
    shares = []
    with torch.inference_mode():
        for start in steps(range(0, len(questions), batch_size)):
            ids, answers = to_ids(questions[start : start + batch_size], tokenizer)
            odds = transformer(ids).logits[:, -1].gather(1, answers)  # (B, 2)
            shares.append(odds.softmax(dim=-1)[:, 0])
    return torch.cat(shares)


def accuracy(transformer: Transformer, tokenizer: Tokenizer, length: int, n: int, seed: int) -> float | None:
    """The accuracy on `n` questions of this length; None if a learned position table is too short for it."""
    rng = Random(1000 * seed + length)
    try:
        right = p_correct(transformer, tokenizer, [make_question(length, rng) for _ in range(n)])
    except ValueError:
        return None
    return (right > 0.5).float().mean().item()


def accuracy_by_length(
    transformer: Transformer, tokenizer: Tokenizer, lengths: Sequence[int], n: int, seed: int
) -> list[float]:
    """`accuracy` for each of `lengths`; NaN for the lengths that a learned position table does not reach."""
    accuracies = [accuracy(transformer, tokenizer, length, n, seed) for length in steps(lengths)]
    return [math.nan if share is None else share for share in accuracies]
