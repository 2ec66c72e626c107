"""The training of the language models of the lab: recipes, goals and cards."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from random import Random

from torch import Tensor

from model import checkpoint
from model.config import ModelConfig
from model.evaluation.language_model import Evaluation, evaluate, to_batch, word_losses
from model.model_card import JsonObject
from model.switches import PARTS, Switches
from model.tasks import TASKS, Sentence
from model.tokenizer import Tokenizer, WordTokenizer
from model.training.optimizer import Schedule
from model.training.trainer import CHOOSING, REPORTING, TRAINING, Options, Run, Training
from model.transformer import Transformer

CURVE_SENTENCES = 400  # held-out sentences for the evaluation of every snapshot


@dataclass(frozen=True)
class LanguageRecipe:
    """Everything that determines a training run, except its seed."""

    task: str
    config: ModelConfig  # its vocab_size is set from the task
    probe_goals: Mapping[str, float]  # probe → target accuracy
    head_goals: Mapping[str, float]  # relation → target weight on its gold keys, in the best head
    steps: int
    batch: int = 32
    lr: float = 3e-3
    warmup: int = 100
    clip: float = 1.0
    foreseeable_weight: float = 4.0  # weight in the loss of a predictable word; every other word has weight 1
    sentences: int = 60_000  # for training
    examined: int = 3_000  # held-out sentences: this many to choose a seed, and this many others to report on
    snapshots: tuple[int, ...] = ()  # the steps at which the model is evaluated
    kept: bool = True  # whether the weights of those steps are shipped too

    @property
    def schedule(self) -> Schedule:
        return Schedule(self.lr, self.steps, self.warmup, decay_from=self.warmup)

    def with_steps(self, steps: int) -> "LanguageRecipe":
        return replace(self, steps=steps, snapshots=tuple(step for step in self.snapshots if step <= steps))

    def training(self, name: str) -> "LanguageTraining":
        return LanguageTraining(name, self)

    def train(self, name: str, options: Options) -> JsonObject:
        return self.training(name).train_seeds(options)


def draw_sentences(
    recipe: LanguageRecipe, count: int, seed: int, apart_from: frozenset[str] = frozenset()
) -> list[Sentence]:
    """`count` sentences of the recipe's task, none of which is in `apart_from`."""
    rng, draw = Random(seed), TASKS[recipe.task].draw
    drawn: list[Sentence] = []
    while len(drawn) < count:
        sentence = draw(None, rng)
        if sentence.text not in apart_from:
            drawn.append(sentence)
    return drawn


def goal_gap(scores: Evaluation, recipe: LanguageRecipe) -> float:
    """The distance from the goals of a recipe: missing accuracy and missing weight of the best head, summed."""
    missing = [goal - scores.probes[name].share for name, goal in recipe.probe_goals.items()]
    missing += [goal - scores.relations[name].mass.max() for name, goal in recipe.head_goals.items()]
    return float(sum(max(0.0, gap) for gap in missing))


class LanguageTraining(Training[Transformer, list[Sentence], Evaluation]):
    """Batches from a fixed set of sentences. The seed that is closest to the goals of the recipe is saved."""

    half = False
    chosen = (
        "of the seeds tried, the one closest to the goals: least missing accuracy and missing weight of the best head, "
        "summed over the goals, on sentences used for nothing else"
    )

    def __init__(self, name: str, recipe: LanguageRecipe) -> None:
        super().__init__(name, recipe.task, recipe)
        self.recipe: LanguageRecipe = recipe
        self.snapshot_steps = recipe.snapshots
        self.notes = (
            f"In the loss a predictable word counts {recipe.foreseeable_weight:g} times, any other word once.",
            "Figures under 'exam' are from new sentences, used neither for training nor for the choice of the seed.",
        )

    @cached_property
    def sentences(self) -> list[Sentence]:
        """The training sentences, the same for every seed."""
        return draw_sentences(self.recipe, self.recipe.sentences, TRAINING)

    @cached_property
    def held_out(self) -> list[Sentence]:
        """The sentences by which a seed is chosen."""
        return self._unseen(CHOOSING)

    def _unseen(self, examples: int) -> list[Sentence]:
        training_texts = frozenset(sentence.text for sentence in self.sentences)
        return draw_sentences(self.recipe, self.recipe.examined, examples, training_texts)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        return WordTokenizer(TASKS[self.recipe.task].vocabulary)

    def make_network(self) -> Transformer:
        return Transformer(replace(self.recipe.config, vocab_size=len(self.tokenizer.vocabulary)))

    def batches(self, seed: int) -> Iterator[list[Sentence]]:
        rng = Random(seed)
        while True:
            yield rng.sample(self.sentences, self.recipe.batch)

    def loss(self, network: Transformer, batch: list[Sentence]) -> Tensor:
        encoded = to_batch(batch, self.tokenizer)
        losses = word_losses(network(encoded.ids, encoded.is_token).logits, encoded.ids)  # (B, T − 1)
        weight = self.recipe.foreseeable_weight
        counts = encoded.is_token[:, 1:] * (1 + (weight - 1) * encoded.predictable[:, 1:])
        return (losses * counts).sum() / counts.sum()

    def evaluate(self, network: Transformer, examples: int) -> Evaluation:
        sentences = self.held_out if examples == CHOOSING else self._unseen(examples)
        return evaluate(network, self.tokenizer, sentences)

    def look(self, network: Transformer) -> JsonObject:
        scores = evaluate(network, self.tokenizer, self.held_out[:CURVE_SENTENCES])
        accuracies = {name: round(probe.share, 4) for name, probe in scores.probes.items()}
        return {"loss": round(scores.loss, 4), "accuracy": accuracies}

    def rank(self, run: Run[Transformer, Evaluation]) -> tuple[float, ...]:
        return goal_gap(run.scores, self.recipe), run.scores.loss

    def summary(self, run: Run[Transformer, Evaluation]) -> str:
        return str({name: value for name, value in self._seed(run).items() if name != "curve"})

    def _seed(self, run: Run[Transformer, Evaluation]) -> JsonObject:
        """The results of one seed, for the comparison of seeds on the card."""
        scores = run.scores
        return {
            "seed": run.seed,
            "shortfall": round(goal_gap(scores, self.recipe), 4),
            "loss": round(scores.loss, 4),
            "accuracy": {name: round(probe.share, 4) for name, probe in scores.probes.items()},
            "best_head": {name: round(float(score.mass.max()), 4) for name, score in scores.relations.items()},
            "curve": run.curve,
            "wall_seconds": round(run.wall_seconds, 1),
            "cpu_seconds": round(run.cpu_seconds, 1),
        }

    def settings(self) -> JsonObject:
        goals = ("probe_goals", "head_goals")  # the card has a separate entry for them
        return {name: value for name, value in super().settings().items() if name not in goals}

    def measured(
        self,
        best: Run[Transformer, Evaluation],
        report: Evaluation,
        runs: Sequence[Run[Transformer, Evaluation]],
    ) -> JsonObject:
        return {
            "wall_seconds": round(best.wall_seconds, 1),
            "goals": self._goals(report),
            "exam": report.json(),
            "curve": best.curve,
            "seeds": [self._seed(run) for run in runs],
        }

    def _goals(self, report: Evaluation) -> dict[str, JsonObject]:
        """The goals beside the results, whether they were reached or not."""
        recipe = self.recipe
        accuracy = {name: (goal, report.probes[name].share) for name, goal in recipe.probe_goals.items()}
        best_head = {name: (goal, float(report.relations[name].mass.max())) for name, goal in recipe.head_goals.items()}
        return {
            title: {name: {"goal": goal, "reached": round(reached, 4)} for name, (goal, reached) in pairs.items()}
            for title, pairs in (("accuracy", accuracy), ("best_head", best_head))
        }

    def save_best(self, runs: Sequence[Run[Transformer, Evaluation]], options: Options) -> JsonObject:
        card = super().save_best(runs, options)
        if self.recipe.kept:
            (best,) = [run for run in runs if run.seed == card["seed"]]
            for step, network in best.snapshots.items():
                checkpoint.save_step(self.name, network, step, options.folder)
            self.measure_steps(options.folder)
        return card

    def measure_steps(self, folder: Path) -> None:
        """Measure the saved steps, on the sentences of the card's exam, and write the results beside them."""
        sentences = self._unseen(REPORTING)
        exams = {}
        for step in checkpoint.saved_steps(self.name, folder):
            network, tokenizer = checkpoint.load_transformer(checkpoint.step_name(self.name, step), folder)
            exams[step] = evaluate(network, tokenizer, sentences).json()
        checkpoint.save_exams(self.name, exams, folder)


GRAMMAR = LanguageRecipe(
    task="grammar",
    config=ModelConfig(vocab_size=1, n_layers=3, n_heads=4, d_model=64, d_ff=256, context=48),
    steps=2400,
    snapshots=(0, 50, 100, 200, 300, 400, 500, 600, 800, 1000, 1300, 1800, 2400),
    probe_goals={"verb in the relative clause": 0.98, "induction": 0.95},
    head_goals={
        "verb → subject, 8+ words away": 0.95,
        "induction": 0.9,
        "previous token": 0.7,
        "previous token, where it is needed": 0.7,
        "possessive → referent": 0.7,
        "word before the closer → opener": 0.65,
    },
)


# The block of Vaswani et al. 2017: LayerNorm(x + sublayer(x)), ReLU, and sinusoidal positions.
PAPER_CONFIG = replace(GRAMMAR.config, norm="post", activation="relu", position="sinusoidal")


def without(recipe: LanguageRecipe, part: str) -> LanguageRecipe:
    """The same recipe, seeds and steps for a model that is trained without this part."""
    return replace(recipe, config=replace(recipe.config, trained=Switches().without(part)), kept=False)


LANGUAGE_RECIPES: dict[str, LanguageRecipe] = {
    "grammar": GRAMMAR,
    "grammar-2017": replace(GRAMMAR, config=PAPER_CONFIG, kept=False),
    **{f"grammar-without-{part.name}": without(GRAMMAR, part.name) for part in PARTS},
}
