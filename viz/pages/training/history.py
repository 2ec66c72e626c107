"""Winding back: a training at its saved steps, the lab's own or the live one of this page."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from model.checkpoint import saved_steps
from model.run import Experiment, InputTextError
from model.training.history import (
    LEAST,
    TrainingHistory,
    forming_roles,
    history_of_measurements,
    history_of_steps,
)
from model.training.live.kept_model import MOST_TITLE, NO_TOKEN_NORM, keep
from model.training.live.learner import KEPT_BYTES
from viz import canvas
from viz.captions.training_history import Role, describe_kept_steps, describe_training_history
from viz.export.tables import NamedArray, Table, file_name
from viz.labels import named
from viz.pages.training.figure import command
from viz.pages.training.runs import Run
from viz.types import Array
from viz.ui import controls, copy_as_python, figure_panel, kept_models, model_calls, server_cache, visitor
from viz.ui.state import Key, Param, in_address, key_of

FIGURE = "history"
MOST_BYTES = 1_500_000  # of the maps and scores that are sent to the browser
SHIPPED = "grammar"  # the training that the view opens with
LIVE = ("A of this page", "B of this page")
SIDES = ("A", "B")


def is_live() -> bool:
    """Whether the training to wind back is a live one, as the session or the link has it."""
    return controls.opened(Param.HISTORY_OF, (SHIPPED, *LIVE)) in LIVE


def choose_training() -> str:
    """The training to wind back: a model with saved steps, or one of LIVE."""
    names = tuple(name for name in model_calls.text_models() if saved_steps(model_calls.final_weights(name)))
    shipped = tuple(dict.fromkeys(map(model_calls.final_weights, names)))
    return controls.choice("Training to wind back", (*shipped, *LIVE), key=Param.HISTORY_OF)


@server_cache.cached
def shipped_history(name: str, text: str) -> TrainingHistory:
    """The saved steps of a model of the lab, and their attention on the text."""
    with model_calls.compute_slots:
        return history_of_steps(name, text)


def sentence_for_maps() -> str:
    """The text on which the maps are shown: the sentence of the other pages, or what is typed here."""
    text = (
        st.sidebar.text_area(
            "Sentence", controls.EXAMPLE, key=Param.TEXT, bind="query-params", height=controls.THREE_LINES
        )
        or ""
    )
    try:
        model_calls.encoding(Experiment("grammar", text))
    except InputTextError as error:
        st.info(str(error))
        return controls.EXAMPLE
    return text


def show(run: Run) -> None:
    """The training that is chosen, at the step that the slider of its figure chooses."""
    name = choose_training()
    live = None
    if name in LIVE:
        side = LIVE.index(name)
        settings = run.settings
        # Before the frames, so that none of a training that rests is missing.
        live = canvas.LiveTraining(
            run.name, SIDES[side].lower(), run.rests, run.pair.ended, LEAST, partial(command, run), run.touch
        )
        measured = [frame.a if side == 0 else frame.b for frame in run.frames]
        whole = history_of_measurements(settings[side], list(filter(None, measured)))
        st.caption(_kept_note(run))
        python = copy_as_python.python(
            f"pair = LivePair({copy_as_python.code_of(settings[0])}, {copy_as_python.code_of(settings[1])})\n"
            f"pair.advance_to({run.pair.step})\nhistory = history_of_learner(pair.{SIDES[side].lower()})\n{READ}",
            f"{FROM} history_of_learner\nfrom model.training.live.pair import LivePair\n"
            "from model.training.live.settings import LiveSettings",
        )
        title, of = f"{SIDES[side]} of a live training: {settings[side].live_task.title}", None
    else:
        text = sentence_for_maps()
        whole = shipped_history(name, text)
        python = copy_as_python.python(
            f"history = history_of_steps({name!r}, {text!r})\n{READ}", f"{FROM} history_of_steps"
        )
        title, of = f"The training of {name}", Experiment(name, text)
    step = _draw(whole.at_places(places_to_send(whole)), title, of, python, live)
    if name in LIVE:
        _keep_controls(run, LIVE.index(name), step)


FROM = "from model.training.history import"
READ = (
    "loss, rate = history.loss, history.rate  # (N,)\n"
    "scores = np.stack(list(history.scores.values()))  # (R, N, L, H)\n"
    "weights = history.weights  # (N, L, H, T, T)"
)


def _kept_note(run: Run) -> str:
    learners = run.pair.learners
    size = sum(learner.kept_bytes for learner in learners)
    return describe_kept_steps(len(run.pair.kept_steps), len(run.frames), size / 1e6, 2 * KEPT_BYTES / 1e6)


def places_to_send(history: TrainingHistory) -> list[int]:
    """The places of the steps that are sent to the browser: all, or as many as fit into MOST_BYTES, evenly spread."""
    n = len(history.steps)
    side = min(len(history.tokens), canvas.MOST_PIXELS)
    heads = history.weights.shape[1] * history.weights.shape[2]
    each = heads * (side**2 + 4 * len(history.scores))
    most = max(2, MOST_BYTES // each)
    return list(range(n)) if n <= most else sorted({round(place) for place in np.linspace(0, n - 1, most)})


def chosen_step(steps: Sequence[int], training: str) -> int:
    """The step of the slider, as the link has it; the last one at first.

    It stays where it is while the training goes on, and moves along where it is the newest one. training: its name.
    """
    newest = key_of(Key.NEWEST_STEP, training)
    with in_address():
        if st.session_state.get(Param.HISTORY_STEP) == st.session_state.get(newest, -1):
            st.session_state[Param.HISTORY_STEP] = steps[-1]
        st.session_state[newest] = steps[-1]
        if st.session_state.get(Param.HISTORY_STEP, steps[-1]) not in steps:
            st.session_state[Param.HISTORY_STEP] = min(
                steps, key=lambda step: abs(step - st.session_state[Param.HISTORY_STEP])
            )
        return int(st.selectbox("Step", steps, len(steps) - 1, key=Param.HISTORY_STEP, bind="query-params"))


def _choose_step(step: int) -> None:
    st.session_state[Param.HISTORY_STEP] = step  # it came from a browser: chosen_step takes the nearest one


def _draw(
    history: TrainingHistory, title: str, of: Experiment | None, python: str, live: canvas.LiveTraining | None
) -> int:
    steps, roles = history.steps, forming_roles(history)
    figure = st.container()
    step = chosen_step(steps, live.run if live else title)
    tokens = [named(token) for token in history.tokens]
    with figure:
        drawn = canvas.training_history(
            canvas.SavedTraining(
                steps,
                history.loss.tolist(),
                history.rate.tolist(),
                history.scores,
                [canvas.HeadRole(role.relation, role.layer, role.head, role.before, role.after) for role in roles],
                tokens,
                history.weights,
                history.mask,
            ),
            name=Param.HISTORY_STEP,
            step=step,
            key=FIGURE,
            theme=visitor.theme(),
            on_step=_choose_step,
            live=live,
        )
    figure_panel.below(
        drawn,
        sentence=describe_training_history(
            steps, history.loss.tolist(), [Role(**vars(role)) for role in roles], LEAST, live is None or live.rests
        ),
        table=partial(table, history),
        file=file_name("training-history", of.weights if of else title),
        of=figure_panel.Subject(of, title=title),
        arrays=partial(arrays, history, tokens),
        python=python,
    )
    return step


def _keep_controls(run: Run, side: int, step: int) -> None:
    """A name for the step that is shown, and the button that makes a model of it."""
    learner = run.pair.learners[side]
    if learner.settings.norm_kind == "batch":
        st.caption(NO_TOKEN_NORM)
        kept_models.show()
        return
    is_kept = run.rests and step in learner.kept_steps
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="keep_row"):
        title = st.text_input(
            "Name of the model",
            f"{learner.settings.live_task.title}, {SIDES[side]}, step {step}",
            max_chars=MOST_TITLE,
            key=key_of(Key.KEPT_TITLE, side, step),
            width=320,
        )
        st.button(
            f"Keep step {step:,} as a model",
            key=Key.KEEP_STEP,
            disabled=not is_kept,
            on_click=_keep,
            args=(run, side, step, title),
        )
    if not is_kept:
        st.caption("A step can be kept while the training rests, if its weights are still in memory.")
    kept_models.show()


def _keep(run: Run, side: int, step: int, title: str) -> None:
    learner = run.pair.learners[side]
    if run.rests and step in learner.kept_steps:
        kept_models.remember(keep(title or "model", learner.settings, step, learner.weights_of(step)))


def table(history: TrainingHistory) -> Table:
    """One line for each step, relation and head."""
    scores = np.stack(list(history.scores.values()), axis=1)  # (N, R, L, H)
    step, relation, layer, head = (place.ravel() for place in np.indices(scores.shape))
    return {
        "step": np.array(history.steps)[step],
        "held-out loss": history.loss[step],
        "learning rate": history.rate[step],
        "relation": np.array(list(history.scores), dtype=object)[relation],
        "layer": layer,
        "head": head,
        "weight on the right tokens": scores.ravel(),
    }


def arrays(history: TrainingHistory, tokens: Sequence[str]) -> dict[str, NamedArray]:
    """Loss and learning rate (N,), scores (R, N, L, H) and weights (N, L, H, T, T)."""
    steps = {"step": history.steps}
    heads = {"layer": range(history.weights.shape[1]), "head": range(history.weights.shape[2])}
    scores: Array = np.stack(list(history.scores.values()))
    return {
        "loss": NamedArray(history.loss, steps),
        "rate": NamedArray(history.rate, steps),
        "scores": NamedArray(scores, {"relation": list(history.scores), **steps, **heads}),
        "weights": NamedArray(history.weights, {**steps, **heads, "query": tokens, "key": tokens}),
    }
