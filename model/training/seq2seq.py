"""The training of the sequence-to-sequence models."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random

from torch import Tensor
from torch.nn import functional as F

from model.config import ModelConfig
from model.encoder_decoder import EncoderDecoder
from model.evaluation.seq2seq import Network, accuracy_at_length, alignment, exact_match, to_batch
from model.model_card import JsonObject
from model.recurrent import Recurrent, RecurrentConfig
from model.subword import train_bpe
from model.tasks import PAIRS, Pair
from model.tasks.copying import LONGEST
from model.tasks.pair import DETERMINED
from model.tasks.pair_sampling import draw_pairs
from model.tokenizer import EOS, PAD, START, CharacterTokenizer, Tokenizer, WordTokenizer
from model.training.optimizer import Schedule
from model.training.trainer import REPORTING, TRAINING, Options, Run, Training

BATCHES_DRAWN_TOGETHER = 8  # batches whose pairs are drawn together and sorted by length, for little padding


@dataclass(frozen=True)
class PairRecipe:
    """Everything that determines a training run, except its seed."""

    task: str
    config: ModelConfig | RecurrentConfig  # its vocab_size is set from the task
    steps: int
    batch: int = 64
    lr: float = 3e-3
    warmup: int = 100
    clip: float = 1.0
    pieces: int = 0  # size of a subword vocabulary; 0: the words of the task
    examined: int = 1000  # held-out pairs
    lengths: tuple[int, ...] = ()  # lengths of additional evaluations, each with `of_each` pairs
    of_each: int = 500

    @property
    def schedule(self) -> Schedule:
        return Schedule(self.lr, self.steps, self.warmup)

    def with_steps(self, steps: int) -> "PairRecipe":
        return replace(self, steps=steps)

    def training(self, name: str) -> "Seq2SeqTraining":
        return Seq2SeqTraining(name, self)

    def train(self, name: str, options: Options) -> JsonObject:
        return self.training(name).train_seeds(options)


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
    """A tokenizer of words or characters, or a subword tokenizer trained on two thousand training pairs."""
    task = PAIRS[recipe.task]
    if recipe.pieces:
        pairs = draw_pairs(recipe.task, 2000, Random(TRAINING))
        texts = [text for pair in pairs for text in (pair.source_text, pair.target_text)]
        return train_bpe(texts, recipe.pieces, special=(PAD, START, EOS))
    return (CharacterTokenizer if task.spelled else WordTokenizer)((EOS, *task.words))


@dataclass(frozen=True)
class PairScores:
    """The exact match of a model."""

    exact: float  # share of held-out pairs
    lengths: dict[int, float]  # share of copies of each length of the recipe


class Seq2SeqTraining(Training[Network, list[Pair], PairScores]):
    """Every batch contains new pairs of similar length. The seed with the best exact match is saved."""

    chosen = "of the seeds tried, the one with the most sentences right on pairs used for nothing else"
    notes = (
        "Exact match: greedy decoding gives the correct target, word for word, and ends it.",
        "One pair in ten is held out, and the figures are from those. Copies are only drawn anew, because there are "
        "too few short ones to hold any out.",
        "Alignment: mean weight on the gold source words (mass), and how often the largest weight of the row is on "
        "one of them (top1), layers × heads; the last column is the mean of the heads.",
        f"“{DETERMINED}”: the word needs no source word, so attention to any source word is right.",
    )

    def __init__(self, name: str, recipe: PairRecipe) -> None:
        super().__init__(name, recipe.task, recipe)
        self.recipe: PairRecipe = recipe

    @cached_property
    def tokenizer(self) -> Tokenizer:
        return make_tokenizer(self.recipe)

    def make_network(self) -> Network:
        config, vocab_size = self.recipe.config, len(self.tokenizer.vocabulary)
        if isinstance(config, RecurrentConfig):
            return Recurrent(replace(config, vocab_size=vocab_size))
        return EncoderDecoder(replace(config, vocab_size=vocab_size))

    def batches(self, seed: int) -> Iterator[list[Pair]]:
        rng, size = Random(1000 * seed + TRAINING), self.recipe.batch
        while True:
            pairs = draw_pairs(self.recipe.task, BATCHES_DRAWN_TOGETHER * size, rng)
            pairs.sort(key=lambda pair: len(pair.target))
            waiting = [pairs[start : start + size] for start in range(0, len(pairs), size)]
            rng.shuffle(waiting)
            while waiting:
                yield waiting.pop()

    def loss(self, network: Network, batch: list[Pair]) -> Tensor:
        encoded = to_batch(batch, self.tokenizer)
        logits: Tensor = network(encoded.source, encoded.target, encoded.is_token).decoder.logits  # (B, T, V)
        return F.cross_entropy(logits[encoded.loss_mask], encoded.labels[encoded.loss_mask])

    def evaluate(self, network: Network, examples: int) -> PairScores:
        recipe = self.recipe
        return PairScores(
            exact_match(network, self.tokenizer, self.held_out(examples)),
            {n: accuracy_at_length(network, self.tokenizer, n, recipe.of_each, examples) for n in recipe.lengths},
        )

    def held_out(self, examples: int) -> list[Pair]:
        """Held-out pairs, drawn with the seed `examples`."""
        return draw_pairs(self.recipe.task, self.recipe.examined, Random(examples), fresh=True)

    def rank(self, run: Run[Network, PairScores]) -> tuple[float, ...]:
        return -run.scores.exact, run.seed

    def summary(self, run: Run[Network, PairScores]) -> str:
        return f"seed {run.seed}: {run.scores.exact:.3f} exact"

    def measured(
        self, best: Run[Network, PairScores], report: PairScores, runs: Sequence[Run[Network, PairScores]]
    ) -> JsonObject:
        scores = alignment(best.network, self.tokenizer, self.held_out(REPORTING))
        return {
            "examined": self.recipe.examined,
            "exact": round(report.exact, 4),
            "alignment": {name: score.json() for name, score in scores.items()},
            "losses": best.losses,
            "seeds": [
                {"seed": run.seed, "exact": round(run.scores.exact, 4), **_lengths(run.scores.lengths)} for run in runs
            ],
            **_lengths(report.lengths),
        }


def _lengths(shares: dict[int, float]) -> JsonObject:
    return {"lengths": {length: round(share, 4) for length, share in shares.items()}} if shares else {}
