"""Training on the first-digit task: one small model for each position scheme."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from torch import Tensor
from torch.nn import functional as F

from model.config import ModelConfig
from model.evaluation.first_digit import accuracy, to_ids
from model.model_card import JsonObject
from model.position import POSITIONS
from model.tasks.first_digit import WORDS, FirstDigitQuestion, make_question
from model.tokenizer import WordTokenizer
from model.training.optimizer import Schedule
from model.training.trainer import TRAINING, Options, Run, Training
from model.transformer import Transformer

KINDS = {"encoder": False, "decoder": True}  # name → is it causal?
Accuracies = dict[int, float | None]  # symbols of a question → accuracy; None: the position table is too short


@dataclass(frozen=True)
class OrderRecipe:
    """Everything that determines a training run, except its seed."""

    config: ModelConfig
    shortest: int = 4  # symbols of a question in training
    longest: int = 16
    steps: int = 700
    batch: int = 64
    lr: float = 6e-3
    warmup: int = 50
    clip: float = 1.0
    lengths: tuple[int, ...] = (4, 8, 12, 16, 20, 24, 32, 48, 64, 96)  # lengths of the evaluation
    examined: int = 1000  # questions of each length

    @property
    def schedule(self) -> Schedule:
        return Schedule(self.lr, self.steps, self.warmup)

    def with_steps(self, steps: int) -> "OrderRecipe":
        return replace(self, steps=steps)

    def training(self, name: str) -> "FirstDigitTraining":
        return FirstDigitTraining(name, self)

    def train(self, name: str, options: Options) -> JsonObject:
        return self.training(name).train_seeds(options)


def _recipe(position: str, causal: bool) -> OrderRecipe:
    sizes = ModelConfig(len(WORDS) + 3, n_layers=2, n_heads=4, d_model=32, d_ff=64, position=position, causal=causal)
    return OrderRecipe(replace(sizes, context=OrderRecipe.longest + 2))  # <s> and "?" are added to the symbols


ORDER_RECIPES = {
    f"order-{kind}-{position}": _recipe(position, causal) for kind, causal in KINDS.items() for position in POSITIONS
}


class FirstDigitTraining(Training[Transformer, list[FirstDigitQuestion], Accuracies]):
    """Every batch contains new questions of one length. The seed with the fewest wrong answers is saved."""

    half = False
    tokenizer = WordTokenizer(WORDS)
    chosen = (
        "of the seeds tried, the one with the fewest wrong answers at the trained lengths, on questions used for "
        "nothing else; longer questions were not considered"
    )
    notes = (
        "A length is the number of symbols before the question mark. A guess between the two digits is right half of "
        "the time.",
        "'accuracy' is of the shipped seed on new questions; 'seeds' are on the questions that chose the seed.",
        "None: a learned position table is too short.",
    )

    def __init__(self, name: str, recipe: OrderRecipe) -> None:
        super().__init__(name, "order", recipe)
        self.recipe: OrderRecipe = recipe

    def make_network(self) -> Transformer:
        return Transformer(self.recipe.config)

    def batches(self, seed: int) -> Iterator[list[FirstDigitQuestion]]:
        rng = Random(1000 * seed + TRAINING)
        while True:
            length = rng.randint(self.recipe.shortest, self.recipe.longest)
            yield [make_question(length, rng) for _ in range(self.recipe.batch)]

    def loss(self, network: Transformer, batch: list[FirstDigitQuestion]) -> Tensor:
        ids, answers = to_ids(batch, self.tokenizer)
        return F.cross_entropy(network(ids).logits[:, -1], answers[:, 0])

    def evaluate(self, network: Transformer, examples: int) -> Accuracies:
        recipe = self.recipe
        return {n: accuracy(network, self.tokenizer, n, recipe.examined, examples) for n in recipe.lengths}

    def rank(self, run: Run[Transformer, Accuracies]) -> tuple[float, ...]:
        return self.shortfall(run.scores), run.seed

    def shortfall(self, scores: Accuracies) -> float:
        """The mean error rate at the lengths of the training."""
        trained = [share for length, share in scores.items() if length <= self.recipe.longest and share is not None]
        return 1 - sum(trained) / len(trained)

    def measured(
        self,
        best: Run[Transformer, Accuracies],
        report: Accuracies,
        runs: Sequence[Run[Transformer, Accuracies]],
    ) -> JsonObject:
        return {
            "examined": self.recipe.examined,
            "accuracy": _rounded(report),
            "seeds": [{"seed": run.seed, "accuracy": _rounded(run.scores)} for run in runs],
        }


def _rounded(shares: Accuracies) -> Accuracies:
    return {length: None if share is None else round(share, 4) for length, share in shares.items()}
