"""What the page computes besides its trainings, once for all visitors."""

from bisect import bisect

import numpy as np
import streamlit as st

from model.training.live.initial import DEPTHS, InitialGradients, embedding_gradients, layer_gradients
from model.training.live.settings import LiveSettings
from model.training.live.smoothness import Smoothness, smoothness
from viz.pages.training.runs import RUNS, Run
from viz.types import Array
from viz.ui import server_cache, slots
from viz.ui.state import Key


def visitor_run() -> Run | None:
    """The training of this visit; None: there is none, or the server has let go of it."""
    return RUNS.find(str(st.session_state.get(Key.TRAINING, "")))


def visitor_state() -> tuple[str, int]:
    """The name of that training and how many steps it has made; ("", 0) where there is none."""
    run = visitor_run()
    return (run.name, run.pair.step) if run else ("", 0)


def gradients(settings: LiveSettings, depth: int) -> InitialGradients:
    """Gradients of untrained models with these settings, of the usual depths and of this one, and by layer at this one.

    A new depth costs what its own models cost: those of the usual depths are kept.
    """
    embedding, layers = _at_embedding(settings, DEPTHS), _by_layer(settings, depth)
    if depth in DEPTHS:
        return InitialGradients(DEPTHS, embedding, layers)
    place, chosen = bisect(DEPTHS, depth), _at_embedding(settings, (depth,))
    joined = {case: np.insert(norms, place, chosen[case][:, 0], axis=1) for case, norms in embedding.items()}
    return InitialGradients((*DEPTHS[:place], depth, *DEPTHS[place:]), joined, layers)


@server_cache.cached
def _at_embedding(settings: LiveSettings, depths: tuple[int, ...]) -> dict[tuple[str, bool], Array]:
    with slots.long("Computing gradients at initialisation"):
        return embedding_gradients(settings, depths)


@server_cache.cached
def _by_layer(settings: LiveSettings, depth: int) -> dict[str, Array]:
    with slots.long("Computing the gradient of every layer at initialisation"):
        return layer_gradients(settings, depth)


@server_cache.cached
def along_gradient(settings: LiveSettings) -> dict[str, Smoothness]:
    """The loss along its gradient, with each norm and without."""
    with slots.long("Training three models and following their gradients"):
        return smoothness(settings)
