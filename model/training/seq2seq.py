"""Training the networks that read one sentence and write another."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch.nn import functional as F

from model import checkpoint
from model.config import ModelConfig
from model.encoder_decoder import EncoderDecoder
from model.evaluation.head_scores import Score
from model.evaluation.seq2seq import Network, accuracy_at_length, alignment, exact_match, to_batch
from model.recurrent import Recurrent, RecurrentConfig
from model.subword import train_bpe
from model.tasks import PAIRS, Pair
from model.tasks.copying import LONGEST
from model.tasks.pair import DETERMINED
from model.tasks.pair_sampling import draw_pairs
from model.tokenizer import EOS, PAD, START, CharacterTokenizer, Tokenizer, WordTokenizer
from model.training.optimizer import optimizer_for, train_step, warmup_cosine

TRAINING, CHOOSING, REPORTING = 1, 2, 3  # seeds of the pairs to learn from, to choose a run by, to report on
BATCHES_DRAWN_TOGETHER = 8  # batches whose pairs are drawn together and shared out by length, so that little is filler


@dataclass(frozen=True)
class PairRecipe:
    """Everything that decides a training run but its seed."""

    task: str
    config: ModelConfig | RecurrentConfig  # its vocab_size is the task's to fill in
    steps: int
    batch: int = 64
    lr: float = 3e-3
    warmup: int = 100
    clip: float = 1.0
    pieces: int = 0  # size of a vocabulary of sub-words; 0: the task's own words
    examined: int = 1000  # held-out pairs
    lengths: tuple[int, ...] = ()  # examined at each of these too, as many pairs of each as `of_each`
    of_each: int = 500


def _transformer(position: str = "sinusoidal", d_ff: int = 128, context: int = 40) -> ModelConfig:
    return ModelConfig(1, n_layers=2, n_heads=4, d_model=64, d_ff=d_ff, context=context, position=position)


def _recurrent(attention: str) -> RecurrentConfig:
    return RecurrentConfig(1, d_model=128, attention=attention)


EVERY_LENGTH = tuple(range(1, LONGEST + 1))

PAIR_RECIPES: dict[str, PairRecipe] = {
    "translate": PairRecipe("translation", _transformer(d_ff=256), steps=2000),
    "translate-gru": PairRecipe("translation", _recurrent("none"), steps=2000),
    "translate-gru-attention": PairRecipe("translation", _recurrent("dot"), steps=2000),
    "translate-pieces": PairRecipe("translation", _transformer(d_ff=256, context=64), steps=2000, pieces=600),
    "copy-transformer": PairRecipe("copy", _transformer("relative", context=26), steps=800, lengths=EVERY_LENGTH),
    "copy-gru": PairRecipe("copy", _recurrent("none"), steps=800, lengths=EVERY_LENGTH),
    "copy-gru-attention": PairRecipe("copy", _recurrent("dot"), steps=800, lengths=EVERY_LENGTH),
    "dates": PairRecipe("dates", _transformer(), steps=1000),
}


def make_tokenizer(recipe: PairRecipe) -> Tokenizer:
    """Words, characters, or pieces learnt from two thousand pairs of the training."""
    task = PAIRS[recipe.task]
    if recipe.pieces:
        pairs = draw_pairs(recipe.task, 2000, Random(TRAINING))
        texts = [text for pair in pairs for text in (pair.source_text, pair.target_text)]
        return train_bpe(texts, recipe.pieces, special=(PAD, START, EOS))
    return (CharacterTokenizer if task.spelled else WordTokenizer)((EOS, *task.words))


def build_model(recipe: PairRecipe, seed: int) -> tuple[Network, Tokenizer]:
    """An untrained model for the recipe's task, the same for the same seed."""
    tokenizer = make_tokenizer(recipe)
    vocab_size = len(tokenizer.vocabulary)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if isinstance(recipe.config, RecurrentConfig):
            return Recurrent(replace(recipe.config, vocab_size=vocab_size)), tokenizer
        return EncoderDecoder(replace(recipe.config, vocab_size=vocab_size)), tokenizer


def train_steps(network: Network, tokenizer: Tokenizer, recipe: PairRecipe, seed: int) -> Iterator[float]:
    """Train in place, one step for each loss that is taken. Every batch holds new pairs of about one length."""
    rng = Random(1000 * seed + TRAINING)
    optimizer = optimizer_for(network, recipe.lr)
    network.train()
    waiting: list[list[Pair]] = []
    for step in range(recipe.steps):
        if not waiting:
            drawn = sorted(
                draw_pairs(recipe.task, BATCHES_DRAWN_TOGETHER * recipe.batch, rng), key=lambda pair: len(pair.target)
            )
            waiting = [drawn[start : start + recipe.batch] for start in range(0, len(drawn), recipe.batch)]
            rng.shuffle(waiting)
        batch = to_batch(waiting.pop(), tokenizer)
        logits = network(batch.source, batch.target, batch.is_token).decoder.logits  # (B, T, V)
        loss = F.cross_entropy(logits[batch.loss_mask], batch.labels[batch.loss_mask])
        rate = recipe.lr * warmup_cosine(step, recipe.steps, recipe.warmup)
        yield train_step(network, optimizer, loss, rate, recipe.clip)


@dataclass(frozen=True)
class PairRun:
    """One seed, trained, and how it does on the pairs that a seed is chosen by."""

    seed: int
    network: Network
    exact: float
    lengths: dict[int, float]  # exact match at each length of the recipe
    losses: dict[int, float]  # mean loss in training up to that step, since the one before
    cpu_seconds: float


def train(recipe: PairRecipe, seed: int, after_step: Callable[[int, float], None]) -> PairRun:
    """One seed from nothing. `after_step` is told the number and the loss of every step."""
    cpu = time.process_time()
    network, tokenizer = build_model(recipe, seed)
    every = max(1, recipe.steps // 10)
    losses: dict[int, float] = {}
    lately: list[float] = []
    for step, loss in enumerate(train_steps(network, tokenizer, recipe, seed), start=1):
        after_step(step, loss)
        lately.append(loss)
        if step % every == 0:
            losses[step] = round(sum(lately) / len(lately), 4)
            lately = []
    network.eval()
    cpu = time.process_time() - cpu
    chosen_by = draw_pairs(recipe.task, recipe.examined, Random(CHOOSING), fresh=True)
    share = exact_match(network, tokenizer, chosen_by)
    return PairRun(seed, network, share, accuracy_by_length(network, tokenizer, recipe, CHOOSING), losses, cpu)


def accuracy_by_length(network: Network, tokenizer: Tokenizer, recipe: PairRecipe, seed: int) -> dict[int, float]:
    """Exact match on copies of each length of the recipe."""
    return {length: accuracy_at_length(network, tokenizer, length, recipe.of_each, seed) for length in recipe.lengths}


def save_best(name: str, recipe: PairRecipe, runs: Sequence[PairRun], command: str, folder: Path) -> dict[str, Any]:
    """Write the run with the most sentences right, in half precision, and its card; return the card."""
    best = max(runs, key=lambda run: (run.exact, -run.seed))
    _, tokenizer = build_model(recipe, best.seed)
    best.network.half().float()  # what is on the card was measured with the numbers that are shipped
    fresh = draw_pairs(recipe.task, recipe.examined, Random(REPORTING), fresh=True)
    settings = asdict(recipe)
    del settings["config"]
    card = {
        "task": recipe.task,
        "command": command,
        "seed": best.seed,
        "recipe": settings,
        "chosen": "of the seeds tried, the one with the most sentences right on pairs used for nothing else",
        "notes": [
            "Exact match: the likeliest word again and again gives the right sentence, word for word, and ends it.",
            "A pair out of ten is never learnt from; figures are from those. Copies are drawn anew: the short ones "
            "are too few to keep any back.",
            "Alignment: mean weight on the source words that count as right (mass), and how often the largest weight "
            "of the row lies on one (top1), layers × heads; the last column is the mean of the heads.",
            f"“{DETERMINED}”: nothing has to be looked up, and a look anywhere is as good.",
        ],
        "cpu_seconds": round(best.cpu_seconds, 1),
        "examined": recipe.examined,
        "exact": round(exact_match(best.network, tokenizer, fresh), 4),
        "alignment": {name: _scored(score) for name, score in alignment(best.network, tokenizer, fresh).items()},
        "losses": best.losses,
        "seeds": [{"seed": run.seed, "exact": round(run.exact, 4), **_lengths(run.lengths)} for run in runs],
        **_lengths(accuracy_by_length(best.network, tokenizer, recipe, REPORTING)),
    }
    checkpoint.save(name, best.network, tokenizer, card, folder, half=True)
    return card


def _scored(score: Score) -> dict[str, Any]:
    return {
        "n": score.n,
        "mass": score.mass.astype(float).round(4).tolist(),
        "top1": score.top1.astype(float).round(4).tolist(),
    }


def _lengths(shares: dict[int, float]) -> dict[str, Any]:
    return {"lengths": {length: round(share, 4) for length, share in shares.items()}} if shares else {}
