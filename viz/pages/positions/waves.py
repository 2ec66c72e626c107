"""The waves and their turns, as two sections of a page: drawn in the browser, kept in the address unseen."""

from functools import partial

import streamlit as st

from model.analysis import sinusoid
from viz import canvas
from viz.canvas import Slider
from viz.export.tables import NamedArray, Table, file_name
from viz.ui import copy_as_python, figure_panel, visitor
from viz.ui.state import Param, in_address

BASES = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
WAVES = (
    Slider(Param.LENGTH, "length", tuple(range(8, 257))),
    Slider(Param.WIDTH, "width d", tuple(range(2, 130, 2))),
    Slider(Param.BASE, "base", BASES),
    Slider(Param.POS, "position", tuple(range(256))),
)
ROTATION = (
    Slider(Param.POS, "position", tuple(range(256))),
    Slider(Param.K, "k", tuple(range(65))),
    Slider(Param.ROTATION_WIDTH, "width d", tuple(range(2, 34, 2))),
    Slider(Param.BASE, "base", BASES),
)
WAVES_OPEN = {"length": 128, "width": 32, "base": 10_000, "pos": 12}
ROTATION_OPEN = {"pos": 12, "k": 3, "rotation_width": 16, "base": 10_000}
N_RESIDUAL_POSITIONS = 256  # positions over which the residual is taken, here and in the browser


def _addressed(sliders: tuple[Slider, ...], opens: dict[str, int]) -> dict[str, int]:
    """The state of the sliders as the address has it."""
    with in_address():
        return {
            slider.name: st.selectbox(
                slider.label,
                slider.values,
                slider.values.index(opens[slider.name]),
                key=Param(slider.name),
                bind="query-params",
            )
            for slider in sliders
        }


def _choose(sliders: tuple[Slider, ...], **state: int) -> None:
    for slider in sliders:
        if state.get(slider.name) in slider.values:
            st.session_state[Param(slider.name)] = state[slider.name]


@st.fragment
def show_waves() -> None:
    """Waves, map and clocks."""
    figure = st.container()
    state = _addressed(WAVES, WAVES_OPEN)
    with figure:
        drawn = canvas.sinusoid_waves(
            WAVES, state, key="waves_drawn", theme=visitor.theme(), on_state=partial(_choose, WAVES)
        )
    figure_panel.below(
        drawn,
        sentence="",
        table=partial(_wave_table, state["length"], state["width"], state["base"]),
        file=file_name("sinusoidal", f"d-{state['width']}-base-{state['base']}"),
        of=None,
        arrays=partial(_wave_arrays, state["length"], state["width"], state["base"]),
        python=copy_as_python.python(
            f"encoding = table({state['length']}, {state['width']}, {state['base']}).numpy()\n"
            f"wavelengths = wavelengths({state['width']}, {state['base']}).numpy()",
            "from model.analysis.sinusoid import table, wavelengths",
        ),
    )


def _wave_arrays(length: int, width: int, base: int) -> dict[str, NamedArray]:
    lengths = sinusoid.wavelengths(width, base).numpy()
    return {
        "encoding": NamedArray(
            sinusoid.table(length, width, base).numpy(), {"position": range(length), "dimension": range(width)}
        ),
        "wavelengths": NamedArray(lengths, {"pair": range(len(lengths))}),
    }


def _wave_table(length: int, width: int, base: int) -> Table:
    """One line a position, one column a dimension, which says its wave: "3 cos, wavelength 19.9"."""
    lengths = sinusoid.wavelengths(width, base).tolist()
    names = [
        f"{dimension} {('sin', 'cos')[dimension % 2]}, wavelength {lengths[dimension // 2]:.4g}"
        for dimension in range(width)
    ]
    columns = sinusoid.table(length, width, base).T.tolist()  # (width, length)
    return {"position": list(range(length)), **dict(zip(names, columns, strict=True))}


@st.fragment
def show_rotation() -> None:
    """A dial for each pair, and the matrix."""
    figure = st.container()
    state = _addressed(ROTATION, ROTATION_OPEN)
    with figure:
        drawn = canvas.rotation(
            ROTATION, state, key="turns_drawn", theme=visitor.theme(), on_state=partial(_choose, ROTATION)
        )
    figure_panel.below(
        drawn,
        sentence="",
        table=partial(_rotation_table, state["k"], state["rotation_width"], state["base"]),
        file=file_name("sinusoidal", f"shift-{state['k']}-d-{state['rotation_width']}"),
        of=None,
        arrays=partial(_rotation_arrays, state["k"], state["rotation_width"], state["base"]),
        python=copy_as_python.python(
            "# PE(pos + k) = R PE(pos)\n"
            f"R = rotation({state['k']}, {state['rotation_width']}, {state['base']}).numpy()",
            "from model.analysis.sinusoid import rotation",
        ),
    )


def _rotation_arrays(steps: int, width: int, base: int) -> dict[str, NamedArray]:
    axes = {"dimension_after": range(width), "dimension_before": range(width)}
    return {"R": NamedArray(sinusoid.rotation(steps, width, base).numpy(), axes)}


def _rotation_table(steps: int, width: int, base: int) -> Table:
    matrix = sinusoid.rotation(steps, width, base)
    pairs = range(width // 2)
    blocks = [matrix[2 * pair : 2 * pair + 2, 2 * pair : 2 * pair + 2] for pair in pairs]
    return {
        "pair": list(pairs),
        "cos(k / base^(2i/d))": [block[0, 0].item() for block in blocks],
        "sin(k / base^(2i/d))": [block[0, 1].item() for block in blocks],
        f"largest residual over {N_RESIDUAL_POSITIONS} positions": [
            sinusoid.rotation_error(steps, N_RESIDUAL_POSITIONS, width, base)
        ]
        * len(blocks),
    }
