"""Training a language model: its batches, its learning rate, its steps."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

import torch

from model.evaluation.language_model import to_batch, word_losses
from model.tasks import TASKS, Sentence
from model.tokenizer import Tokenizer, WordTokenizer
from model.training.optimizer import optimizer_for, train_step
from model.training.recipes import Recipe
from model.transformer import Transformer


def build_model(recipe: Recipe, seed: int) -> tuple[Transformer, WordTokenizer]:
    """An untrained model for the recipe's task, the same for the same seed."""
    tokenizer = WordTokenizer(TASKS[recipe.task].vocabulary)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Transformer(replace(recipe.config, vocab_size=len(tokenizer.vocabulary))), tokenizer


def learning_rate(recipe: Recipe, step: int) -> float:
    """Rises in a straight line for `warmup` steps, then falls to zero along half a cosine."""
    if step < recipe.warmup:
        return recipe.lr * (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * done))


def train_steps(
    transformer: Transformer, tokenizer: Tokenizer, sentences: Sequence[Sentence], recipe: Recipe, seed: int
) -> Iterator[float]:
    """Train in place, one step for each loss that is taken; whoever stops taking them stops the training."""
    rng = Random(seed)
    optimizer = optimizer_for(transformer, recipe.lr)
    transformer.train()
    for step in range(recipe.steps):
        batch = to_batch(rng.sample(sentences, recipe.batch), tokenizer)
        losses = word_losses(transformer(batch.ids, batch.is_token).logits, batch.ids)  # (B, T − 1)
        counts = batch.is_token[:, 1:] * (1 + (recipe.foreseeable_weight - 1) * batch.predictable[:, 1:])
        loss = (losses * counts).sum() / counts.sum()
        yield train_step(transformer, optimizer, loss, learning_rate(recipe, step), recipe.clip)
