"""What the page computes besides its trainings, once for all visitors."""

from model.training.live.initial import InitialGradients, initial_gradients
from model.training.live.settings import LiveSettings
from model.training.live.smoothness import Smoothness, smoothness
from viz.ui import server_cache, slots


@server_cache.cached
def gradients(settings: LiveSettings) -> InitialGradients:
    """Gradients of untrained models with these settings."""
    with slots.long("Computing gradients at initialisation"):
        return initial_gradients(settings)


@server_cache.cached
def along_gradient(settings: LiveSettings) -> dict[str, Smoothness]:
    """The loss along its gradient, with each norm and without."""
    with slots.long("Training three models and following their gradients"):
        return smoothness(settings)
