"""The settings of A and B: every control is bound to the address. B differs from A in one thing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from model.norm import NORMS
from model.position import POSITIONS
from model.training.live.settings import DECAYS, MOST, LiveSettings
from model.training.live.tasks import LIVE_TASKS
from viz.pages.training.runs import Run
from viz.ui import controls
from viz.ui.state import Key, Param, key_of

NOTHING = "nothing"
NO_CLIP = "none"


@dataclass(frozen=True)
class Setting:
    """One setting of a model: its field in LiveSettings, its name on the screen, and the values it can have."""

    field: str
    label: str
    param: Param
    values: tuple[Any, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The values as the screen and the address spell them."""
        return tuple(spelled(value) for value in self.values)

    def value(self, text: str) -> Any:
        """The value that is spelled so."""
        return self.values[self.texts.index(text)]


def spelled(value: Any) -> str:
    """A value in words: "with" and "without" for parts."""
    if isinstance(value, bool):
        return "with" if value else "without"
    return NO_CLIP if value is None else f"{value:g}" if isinstance(value, float) else str(value)


PARTS = (
    Setting("scale", "scaling by √d_k", Param.TRAIN_SCALE, (True, False)),
    Setting("mask", "causal mask", Param.TRAIN_MASK, (True, False)),
    Setting("residual", "residual connections", Param.TRAIN_RESIDUAL, (True, False)),
    Setting("mlp", "feed-forward network", Param.TRAIN_MLP, (True, False)),
)
SIZES = (
    Setting("layers", "layers", Param.TRAIN_LAYERS, (1, 2, 3, 4, 6, 8, 12)),
    Setting("heads", "heads", Param.TRAIN_HEADS, (1, 2, 4, 8)),
    Setting("width", "width", Param.TRAIN_WIDTH, (16, 32, 64, 128)),
)
CHOICES = (
    Setting("position", "positions", Param.TRAIN_POSITION, tuple(POSITIONS)),
    Setting("activation", "activation", Param.TRAIN_ACTIVATION, ("gelu", "relu")),
    Setting("norm", "norm", Param.TRAIN_NORM, ("pre", "post", "none")),
    Setting("norm_kind", "kind of norm", Param.TRAIN_NORM_KIND, tuple(NORMS)),
)
OPTIMIZER = (
    Setting("lr", "learning rate", Param.TRAIN_RATE, (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)),
    Setting("warmup", "warm-up steps", Param.TRAIN_WARMUP, (0, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300)),
    Setting("decay", "decay", Param.TRAIN_DECAY, DECAYS),
    Setting("clip", "clipping", Param.TRAIN_CLIP, (None, 0.1, 1.0)),
)
SEED = Setting("seed", "seed", Param.TRAIN_SEED, tuple(range(10)))
TASKS = {task.title: name for name, task in LIVE_TASKS.items()}
SEEDS = 3  # of each model, at most
STEPS = (50, 100, 150, 200, 300, 400)
SETTINGS = {setting.field: setting for setting in (*PARTS, *CHOICES, *SIZES, *OPTIMIZER, SEED)}
assert max(STEPS) <= MOST["steps"]


@dataclass(frozen=True)
class Comparison:
    """A known comparison: the settings of A that are not the usual ones, and in what B differs."""

    label: str
    a: Mapping[str, Any]
    change: str  # a key of SETTINGS
    value: Any


COMPARISONS = (
    Comparison("No positions", {}, "position", "none"),
    Comparison("No residual, 6 layers", {"layers": 6}, "residual", False),
    Comparison("No mask", {"task": "markov", "position": "relative"}, "mask", False),
    Comparison("Unscaled, d_k 128", {"heads": 1, "width": 128, "lr": 1e-3}, "scale", False),
    Comparison("Post-norm, 12 layers", {"layers": 12, "warmup": 0, "steps": 150}, "norm", "post"),
    Comparison("Post-norm, no warm-up", {"layers": 12, "norm": "post", "warmup": 100}, "warmup", 0),
    Comparison("Block of 2017, 6 layers", {"layers": 6, "activation": "relu"}, "norm", "post"),
    Comparison("Batch norm", {"layers": 4}, "norm_kind", "batch"),
    Comparison("No norm, high rate", {"layers": 4, "warmup": 0, "lr": 3e-2, "clip": None}, "norm", "none"),
    Comparison("No feed-forward", {"task": "sort", "layers": 1, "steps": 300}, "mlp", False),
)
DEFAULT = LiveSettings()


@dataclass(frozen=True)
class Chosen:
    """The settings of both, and the one thing in which they differ; None: in nothing."""

    a: LiveSettings
    b: LiveSettings
    change: Setting | None
    seeds: int = 1  # how many of each are trained

    @property
    def names(self) -> tuple[str, str]:
        """What A and B have of the thing in which they differ."""
        if self.change is None:
            return "", ""
        return difference(self.change, self.a), difference(self.change, self.b)


def difference(setting: Setting, settings: LiveSettings) -> str:
    """What a model has of this setting, in words: "without residual connections", "12 layers", "norm: post"."""
    value = getattr(settings, setting.field)
    if isinstance(value, bool):
        return f"{spelled(value)} {setting.label}"
    if setting.field in ("layers", "heads", "warmup"):
        noun = setting.label[:-1] if value == 1 else setting.label
        return f"{value or 'no'} {noun}"
    if value in ("none", None):
        return f"no {setting.label}"
    return f"{setting.label}: {spelled(value)}"


LIVE, BACK = "Learn live", "Wind back"
VIEWS = (LIVE, BACK, "Learning rate", "Before training", "Along the gradient")


def choose_view() -> str:
    """What the page shows: two models that learn, a training at its saved steps, or what is behind a training."""
    controls.note_link_values()
    return controls.choice("View", VIEWS, key=Param.VIEW)


def _sidebar(seen: bool, name: str) -> DeltaGenerator:
    """The sidebar; or a hidden place in it, so that the values of the controls stay."""
    return st.sidebar if seen else st.sidebar.container(key=f"unseen_{name}")


def choose(seen: bool = True, shows_b: bool = True) -> Chosen:
    """The settings that the controls hold. seen: whether they do something in the open view; shows_b: those of B."""
    with _sidebar(seen, "training"):
        task = TASKS[st.selectbox("Task", list(TASKS), key=Param.TRAIN_TASK, bind="query-params")]
        st.caption(LIVE_TASKS[task].purpose)
        values = _row(SIZES) | _row(CHOICES[:2], widths=(3, 2)) | _row(CHOICES[2:])
        st.caption("Components of A")
        for part in PARTS:
            values[part.field] = st.toggle(
                part.label[0].upper() + part.label[1:],
                True,
                key=Param(part.param),
                bind="query-params",
                disabled=part.field == "mask" and not LIVE_TASKS[task].causal,
            )
        values |= _row(OPTIMIZER[:2]) | _row(OPTIMIZER[2:])
        with st.container(horizontal=True, gap="small"):
            values["seed"] = int(
                st.number_input("Seed", 0, MOST["seed"], 0, key=Param.TRAIN_SEED, bind="query-params", width=110)
            )
            values["steps"] = st.selectbox(
                "Steps", STEPS, STEPS.index(DEFAULT.steps), key=Param.TRAIN_STEPS, bind="query-params", width=110
            )
        seeds = st.slider("Seeds, of each model", 1, SEEDS, 1, key=Param.TRAIN_SEEDS, bind="query-params")
    a = LiveSettings(task=task, **values)
    with st.container() if seen and shows_b else _sidebar(False, "difference"):
        return replace(_with_b(a), seeds=int(seeds))


def _row(settings: Sequence[Setting], widths: Sequence[int] | None = None) -> dict[str, Any]:
    """Selects side by side. widths: relative to each other; None: all the same. Returns field → value."""
    values = {}
    for setting, column in zip(settings, st.columns(widths or len(settings), gap="small"), strict=True):
        with column:
            text = st.selectbox(
                setting.label[0].upper() + setting.label[1:],
                setting.texts,
                setting.values.index(getattr(DEFAULT, setting.field)),
                key=Param(setting.param),
                bind="query-params",
            )
            values[setting.field] = setting.value(text)
    return values


def _with_b(a: LiveSettings) -> Chosen:
    labels = {NOTHING: NOTHING} | {setting.label: name for name, setting in SETTINGS.items()}
    if not a.live_task.causal:
        del labels[SETTINGS["mask"].label]
    if st.session_state.get(Param.TRAIN_CHANGE) not in (None, *labels):
        st.session_state[Param.TRAIN_CHANGE] = NOTHING  # the task has no mask
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="train_change_row"):
        label = st.selectbox(
            "B differs in",
            list(labels),
            list(labels).index(SETTINGS["position"].label),
            key=Param.TRAIN_CHANGE,
            bind="query-params",
            width=220,
        )
        if label == NOTHING:
            return Chosen(a, a, None)
        setting = SETTINGS[labels[label]]
        own = spelled(getattr(a, setting.field))
        others = [text for text in setting.texts if text != own]
        if st.session_state.get(Param.TRAIN_VALUE) not in (None, *others):
            st.session_state[Param.TRAIN_VALUE] = others[0]
        value = st.selectbox(
            f"{setting.label}: A has {own}, B has",
            others,
            key=Param.TRAIN_VALUE,
            bind="query-params",
            width=260,
        )
    return Chosen(a, a.changed(setting.field, setting.value(value)), setting)


def comparison_buttons() -> None:
    """A button for each known comparison."""
    with st.container(horizontal=True, gap="small", key="comparisons"):
        for number, comparison in enumerate(COMPARISONS):
            st.button(
                comparison.label,
                key=key_of(Key.COMPARISON, number),
                type="tertiary",
                on_click=set_comparison,
                args=(comparison,),
            )


def set_comparison(comparison: Comparison) -> None:
    """Set every control as the comparison needs it."""
    settings = LiveSettings(**comparison.a)
    session = st.session_state
    session[Param.TRAIN_TASK], session[Param.TRAIN_STEPS] = settings.live_task.title, settings.steps
    session[Param.TRAIN_SEED] = settings.seed
    for setting in (*SIZES, *CHOICES, *OPTIMIZER):
        session[setting.param] = spelled(getattr(settings, setting.field))
    for part in PARTS:
        session[part.param] = getattr(settings, part.field)
    session[Param.TRAIN_CHANGE] = SETTINGS[comparison.change].label
    session[Param.TRAIN_VALUE] = spelled(comparison.value)


FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)


def rate_factor(run: Run, seen: bool = True) -> None:
    """What the learning rate of both models is multiplied by, from the next step on."""
    factor = _sidebar(seen, "rate").select_slider(
        "Learning rate × from now on",
        FACTORS,
        1.0,
        key=key_of(Key.RATE_FACTOR, run.name),
        format_func=spelled,
    )
    run.pair.set_factor(float(factor))
