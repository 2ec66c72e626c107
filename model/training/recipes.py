"""Every model that the lab trains: its name on the command line, and its recipe."""

from model.training.coreference import RESOLVER, ResolverRecipe
from model.training.first_digit import ORDER_RECIPES
from model.training.language_model import LANGUAGE_RECIPES
from model.training.seq2seq import PAIR_RECIPES
from model.training.stories import NAME, StoriesRecipe
from model.training.trainer import Recipe

RECIPES: dict[str, Recipe] = {
    **dict(sorted(LANGUAGE_RECIPES.items())),
    **ORDER_RECIPES,
    **PAIR_RECIPES,
    RESOLVER: ResolverRecipe(),
    NAME: StoriesRecipe(),
}
