"""Why scores are divided by √d_k: the slider, a head of the model itself, and what the textbook leaves out."""

from functools import partial

import numpy as np
import streamlit as st

from model.analysis import score_scaling
from model.analysis.score_scaling import BIN_EDGES, N_KEYS, WIDTHS, HeadScores, QueryGradient, SoftmaxStats, WidthStep
from model.run import Experiment
from viz import canvas
from viz.canvas import Measure
from viz.captions.score_scaling import describe_head_scaling, describe_query_gradient, describe_width
from viz.export.tables import NamedArray, Table, file_name
from viz.figures.score_scaling import score_histogram, two_lines
from viz.pages.remove.compute import width_steps
from viz.ui import copy_as_python, figure_panel, model_calls, not_available, server_cache, slots, visitor
from viz.ui.state import Param, in_address

OPENS_AT = 64  # d_k of Vaswani et al. 2017
MEASURES = {
    "variance": Measure("Variance of the scores", (0.5, 6000), log=True),
    "entropy": Measure("Entropy, nats", (0, 3.1), level=float(np.log(N_KEYS)), level_name=f"ln {N_KEYS}: all equal"),
    "largest": Measure("Largest weight", (0, 1.1)),
    "jacobian": Measure("Jacobian ‖diag(p) − p pᵀ‖", (0, 0.38), digits=3),
}


def show(weights: str, layer: int, head: int) -> None:
    """The whole section. `layer` and `head` choose the real head."""
    _slider()
    real, honest = st.columns(2, gap="large")
    with real:
        if missing := not_available.requires_lab_model(weights):
            st.info(missing)
        else:
            _head(weights, layer, head)
    with honest:
        _gradient()
    st.markdown(visitor.words("remove", "scaling")[0])


@server_cache.cached
def _gradients() -> tuple[QueryGradient, ...]:
    with model_calls.compute_slots:
        return score_scaling.query_gradients()


@server_cache.cached
def _head_scores(weights: str, layer: int, head: int) -> HeadScores:
    with slots.long("Computing the scores of a head"):
        return score_scaling.head_scores_of(weights, layer, head)


@st.fragment
def _slider() -> None:
    steps = width_steps()
    sides = ([step.undivided for step in steps], [step.divided for step in steps])
    largest = [step.divided.largest for step in steps]
    with in_address():
        d_k = st.selectbox("d_k", WIDTHS, index=WIDTHS.index(OPENS_AT), key=Param.D_K, bind="query-params")
    view = canvas.ScalingView(
        widths=WIDTHS,
        rows=np.array([[stats.rows for stats in side] for side in sides]),
        density=np.array([[stats.density for stats in side] for side in sides]),
        bin_edges=BIN_EDGES.tolist(),
        numbers=np.array([[_measured(stats) for stats in side] for side in sides]),
        measures=list(MEASURES.values()),
        titles=("Without the division", "Divided by √d_k"),
        notes=(f"rows of {N_KEYS} weights", "the same random draws at every d_k"),
        sentences=[
            describe_width(
                step.d_k,
                N_KEYS,
                (step.undivided.largest, step.divided.largest),
                (step.undivided.jacobian, step.divided.jacobian),
                (min(largest), max(largest)),
            )
            for step in steps
        ],
    )
    drawn = canvas.score_scaling(view, key="saturation", d_k=d_k, theme=visitor.theme(), on_d_k=_choose)
    figure_panel.below(
        drawn,
        sentence="",
        table=partial(_step_table, steps),
        file=file_name("why-scaling", f"d_k-{d_k}"),
        of=figure_panel.Subject(notice="random draws, no trained model"),
        python=copy_as_python.python(
            "steps = sweep_widths()\n"
            "variance_of_q_k_d_k = [step.variance_ratio for step in steps]\n"
            + "\n".join(
                f"{name}_{side} = [step.{side}.{name} for step in steps]"
                for name in MEASURES
                for side in ("undivided", "divided")
            ),
            "from model.analysis.score_scaling import sweep_widths",
        ),
    )


def _choose(d_k: int) -> None:
    if d_k in WIDTHS:
        st.session_state[Param.D_K] = d_k


def _measured(stats: SoftmaxStats) -> list[float]:
    return [getattr(stats, name) for name in MEASURES]


def _step_table(steps: tuple[WidthStep, ...]) -> Table:
    return {
        "d_k": [step.d_k for step in steps],
        "variance of q·k / d_k": [step.variance_ratio for step in steps],
        **{
            f"{name}, {side}": [getattr(getattr(step, side), name) for step in steps]
            for name in MEASURES
            for side in ("undivided", "divided")
        },
    }


def _head(weights: str, layer: int, head: int) -> None:
    scores = _head_scores(weights, layer, head)
    st.markdown("**The same for a trained head**")
    figure_panel.chart(
        score_histogram(scores.edges, scores.raw, scores.scaled, d_k=scores.d_k, theme=visitor.theme()),
        key="head_scores",
        sentence=describe_head_scaling(
            layer,
            head,
            scores.d_k,
            scores.variance,
            (scores.undivided.largest, scores.divided.largest),
            (scores.undivided.jacobian, scores.divided.jacobian),
            divides=model_calls.trained(weights).scale,
        ),
        table=partial(_head_table, scores),
        file=file_name(weights, f"L{layer}H{head}-scores"),
        of=Experiment(weights),
        arrays=partial(_score_arrays, scores),
        python=copy_as_python.python(
            f"scores = head_scores_of({weights!r}, {layer}, {head})\n"
            "raw, scaled = scores.raw, scores.scaled  # densities between scores.edges",
            "from model.analysis.score_scaling import head_scores_of",
        ),
    )


def _score_arrays(scores: HeadScores) -> dict[str, NamedArray]:
    middles = (scores.edges[:-1] + scores.edges[1:]) / 2
    return {
        "raw": NamedArray(scores.raw, {"bin_center": middles}),
        "scaled": NamedArray(scores.scaled, {"bin_center": middles}),
    }


def _head_table(scores: HeadScores) -> Table:
    d_k, both = scores.d_k, (scores.undivided, scores.divided)
    return {
        "measure": [
            "variance",
            "variance / d_k",
            "entropy (nats)",
            "highest entropy",
            "largest weight",
            "Jacobian",
        ],
        "undivided": _column(scores.variance, scores.variance / d_k, scores.highest_entropy, both[0]),
        "divided": _column(scores.variance / d_k, scores.variance / d_k**2, scores.highest_entropy, both[1]),
    }


def _column(variance: float, share: float, highest: float, rows: score_scaling.RowStats) -> list[float]:
    return [round(number, 4) for number in (variance, share, rows.entropy, highest, rows.largest, rows.jacobian)]


def _gradient() -> None:
    measured = _gradients()
    shown = next(step for step in measured if step.d_k == OPENS_AT)
    st.markdown("**Where the textbook is not exact**")
    figure_panel.chart(
        two_lines(
            [step.d_k for step in measured],
            [step.divided for step in measured],
            [step.undivided for step in measured],
            theme=visitor.theme(),
            name="gradient of W_q",
        ),
        key="query_gradient",
        sentence=describe_query_gradient(shown.d_k, shown.undivided, shown.divided),
        table=lambda: {
            "d_k": [step.d_k for step in measured],
            "‖∂loss/∂W_q‖ undivided": [step.undivided for step in measured],
            "‖∂loss/∂W_q‖ divided": [step.divided for step in measured],
        },
        file=file_name("gradient-of-w_q", "at-initialisation"),
        of=figure_panel.Subject(notice="untrained, at initialisation"),
        python=copy_as_python.python(
            "steps = query_gradients()\n"
            "loss_W_q_undivided = [step.undivided for step in steps]\n"
            "loss_W_q_divided = [step.divided for step in steps]",
            "from model.analysis.score_scaling import query_gradients",
        ),
    )
