"""What the page computes besides its trainings, once for all visitors."""

import streamlit as st

from model.training.live.initial import InitialGradients, initial_gradients
from model.training.live.settings import LiveSettings
from model.training.live.smoothness import Smoothness, smoothness
from viz.pages.training.runs import RUNS, Run
from viz.ui import server_cache, slots
from viz.ui.state import Key


def visitor_run() -> Run | None:
    """The training of this visit; None: there is none, or the server has let go of it."""
    return RUNS.find(str(st.session_state.get(Key.TRAINING, "")))


def visitor_state() -> tuple[str, int]:
    """The name of that training and how many steps it has made; ("", 0) where there is none."""
    run = visitor_run()
    return (run.name, run.pair.step) if run else ("", 0)


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
