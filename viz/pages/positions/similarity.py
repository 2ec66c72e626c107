"""Distance: what each scheme says of every pair of places before any word stands there."""

from functools import partial

import numpy as np
import streamlit as st

from model.analysis.position_similarity import PositionSimilarity, position_similarity
from model.transformer import Transformer
from viz import canvas
from viz.canvas import Panel
from viz.captions.positions import describe_similarity
from viz.export.tables import NamedArray, Table, file_name
from viz.pages.positions import controls as positions_controls
from viz.pages.positions import models
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, visitor
from viz.ui.state import Param

PLACES, FAR = 32, 16  # drawn, and compared at
WIDTHS = (8, 16, 32, 64, 128)


@st.fragment
def show() -> None:
    """What each scheme says of every pair of places."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="scheme_controls"):
        kind = positions_controls.kind()
        layer, head = _head(models.model(kind, "none")[0])
        width = st.selectbox(
            "Width of waves and RoPE", WIDTHS, WIDTHS.index(64), key=Param.WAVE_WIDTH, bind="query-params", width=200
        )
    similarities = {
        name: position_similarity(name, models.model(kind, name)[0], PLACES, layer, head, width)
        for name in models.NAMES
    }
    places = [str(place) for place in range(PLACES)]
    drawn = canvas.maps(
        [
            Panel(
                models.NAMES[name],
                similarity.values,
                "signed",
                mask=_defined(similarity, kind),
                limit=1.0 if similarity.is_similarity else None,
            )
            for name, similarity in similarities.items()
        ],
        canvas.Axes(places),
        key="distance",
        theme=visitor.theme(),
    )
    means = {models.NAMES[name]: similarity.by_distance() for name, similarity in similarities.items()}
    figure_panel.below(
        drawn,
        sentence=describe_similarity(
            means, {models.NAMES[name]: similarity.is_similarity for name, similarity in similarities.items()}, FAR
        ),
        table=partial(_table, means),
        file=file_name(f"distance-{kind}", f"L{layer}H{head}"),
        of=models.weights(kind),
        arrays=partial(_arrays, {name: similarity.values for name, similarity in similarities.items()}),
        python=copy_as_python.python(
            f"schemes = {tuple(models.NAMES)}\n"
            f'models = [load(f"order-{kind}-{{name}}")[0] for name in schemes]\n'
            f"sights = [position_similarity(name, one, {PLACES}, {layer}, {head}, {width})"
            " for name, one in zip(schemes, models)]\n"
            "values = np.stack([one.values for one in sights])  # (schemes, T, S)",
            "from model.checkpoint import load\nfrom model.analysis.position_similarity import position_similarity",
        ),
    )
    st.caption(
        "  ·  ".join(f"{models.NAMES[name]}: {similarity.quantity}" for name, similarity in similarities.items())
    )


def _head(transformer: Transformer) -> tuple[int, int]:
    config = transformer.config
    layer = st.number_input("Layer", 0, config.n_layers - 1, 0, key=Param.ORDER_LAYER, bind="query-params", width=130)
    head = st.number_input("Head", 0, config.n_heads - 1, 0, key=Param.ORDER_HEAD, bind="query-params", width=130)
    return int(layer), int(head)


def _arrays(values: dict[str, Array]) -> dict[str, NamedArray]:
    axes = {"scheme": list(values), "query": range(PLACES), "key": range(PLACES)}
    return {"values": NamedArray(np.stack(list(values.values())), axes)}


def _defined(similarity: PositionSimilarity, kind: str) -> Array:
    """A table that has ended says nothing; a bias of a decoder is never asked about what comes later."""
    finite = np.isfinite(similarity.values)
    return finite if similarity.is_similarity or kind == "encoder" else finite & np.tri(PLACES, dtype=bool)


def _table(means: dict[str, Array]) -> Table:
    return {"distance": list(range(PLACES)), **{name: values.tolist() for name, values in means.items()}}
