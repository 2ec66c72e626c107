"""What each shipped model is trained on, how long, and what is asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from model.config import ModelConfig
from model.switches import PARTS, Switches
from model.tasks import TASKS, Sentence

CURVE_SENTENCES = 400  # fresh sentences that every snapshot is examined on
TRAINING, CHOOSING, REPORTING = 1, 2, 3  # seeds of the sentences to learn from, to choose a run by, to report on


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run but its seed."""

    task: str
    config: ModelConfig  # its vocab_size is the task's to fill in
    probe_goals: Mapping[str, float]  # probe → the accuracy wished for
    head_goals: Mapping[str, float]  # relation → the weight wished for on its gold keys, in the best head
    steps: int
    batch: int = 32
    lr: float = 3e-3
    warmup: int = 100
    clip: float = 1.0
    foreseeable_weight: float = 4.0  # in the loss, of a word that can be foretold; every other word counts 1
    sentences: int = 60_000  # to learn from
    examined: int = 3_000  # held out: as many to choose a seed by, and as many others to report on
    snapshots: tuple[int, ...] = ()  # the steps at which the model is looked in on
    kept: bool = True  # whether the weights of those steps are shipped too


def draw_sentences(recipe: Recipe, count: int, seed: int, apart_from: frozenset[str] = frozenset()) -> list[Sentence]:
    """`count` sentences of the recipe's task; none of them, word for word, in `apart_from`."""
    rng, draw = Random(seed), TASKS[recipe.task].draw
    drawn: list[Sentence] = []
    while len(drawn) < count:
        sentence = draw(None, rng)
        if sentence.text not in apart_from:
            drawn.append(sentence)
    return drawn


GRAMMAR = Recipe(
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


def without(recipe: Recipe, part: str) -> Recipe:
    """The same recipe, seeds and steps for a model that never has this part."""
    return replace(recipe, config=replace(recipe.config, trained=Switches().without(part)), kept=False)


RECIPES: dict[str, Recipe] = {
    "grammar": GRAMMAR,
    **{f"grammar-without-{part.name}": without(GRAMMAR, part.name) for part in PARTS},
}
