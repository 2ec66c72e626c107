"""Every model that the lab trains: its name on the command line, and its recipe."""

from typing import Any

from model.training.coreference import RESOLVER, ResolverRecipe
from model.training.first_digit import ORDER_RECIPES
from model.training.language_model import LANGUAGE_RECIPES
from model.training.seq2seq import PAIR_RECIPES
from model.training.stories import NAME, StoriesRecipe
from model.training.trainer import Recipe, SeededRecipe, Training

# Those of which several seeds are trained from nothing else than the recipe.
SEEDED: dict[str, SeededRecipe] = {
    **dict(sorted(LANGUAGE_RECIPES.items())),
    **ORDER_RECIPES,
    **PAIR_RECIPES,
    RESOLVER: ResolverRecipe(),
}
RECIPES: dict[str, Recipe] = {**SEEDED, NAME: StoriesRecipe()}


def training_of(name: str, steps: int | None = None) -> Training[Any, Any, Any]:
    """The training of a recipe of SEEDED. steps: another number of steps than the recipe's."""
    recipe = SEEDED[name]
    return (recipe.with_steps(steps) if steps else recipe).training(name)
