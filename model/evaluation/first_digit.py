"""Accuracy on “which digit came first”, at any length."""

from collections.abc import Sequence
from random import Random

import torch
from torch import Tensor

from model.compute.progress import steps
from model.tasks.first_digit import Question, ask
from model.tokenizer import Tokenizer
from model.transformer import Transformer

MOST_CELLS = 2**16  # of the (T, S) maps of one head in one batch: every stage of every head is kept


def to_ids(questions: Sequence[Question], tokenizer: Tokenizer) -> tuple[Tensor, Tensor]:
    """Questions of one length: ids (B, T), and the ids (B, 2) of the right answer and of the wrong one."""
    ids = torch.tensor([tokenizer.encode(question.text).ids for question in questions])
    id_of = {sign: index for index, sign in enumerate(tokenizer.vocabulary)}
    answers = [(id_of[question.first], id_of[question.second]) for question in questions]
    return ids, torch.tensor(answers)


def chances(transformer: Transformer, tokenizer: Tokenizer, questions: Sequence[Question]) -> Tensor:
    """Probability of the right digit against the wrong one, read where "?" stands: (N,). Questions of one length.

    Raises:
        ValueError: the questions are longer than a learned position table.
    """
    at_once = max(1, MOST_CELLS // (len(questions[0].words) + 1) ** 2)
    found = []
    with torch.inference_mode():
        for start in steps(range(0, len(questions), at_once)):
            ids, answers = to_ids(questions[start : start + at_once], tokenizer)
            odds = transformer(ids).logits[:, -1].gather(1, answers)  # (B, 2)
            found.append(odds.softmax(dim=-1)[:, 0])
    return torch.cat(found)


def accuracy(transformer: Transformer, tokenizer: Tokenizer, length: int, n: int, seed: int) -> float | None:
    """Share of `n` questions of this length answered rightly; None where a learned position table has ended."""
    rng = Random(1000 * seed + length)
    try:
        right = chances(transformer, tokenizer, [ask(length, rng) for _ in range(n)])
    except ValueError:
        return None
    return (right > 0.5).float().mean().item()
