"""Distance: what each scheme says of every pair of places before any word stands there."""

from functools import partial

import numpy as np
import streamlit as st

from model.analysis.position_similarity import PositionSimilarity, compare_schemes
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
    transformers = {name: models.model(kind, name)[0] for name in models.NAMES}
    similarities = compare_schemes(transformers, PLACES, layer, head, width)
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
            f'models = {{name: load(f"order-{kind}-{{name}}")[0] for name in {tuple(models.NAMES)}}}\n'
            f"similarities = compare_schemes(models, {PLACES}, {layer}, {head}, {width})\n"
            "values = np.stack([similarity.values for similarity in similarities.values()])  # (schemes, T, S)",
            "from model.checkpoint import load\nfrom model.analysis.position_similarity import compare_schemes",
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
    """NaN beyond the end of a learned table, and for later keys of a decoder, whose bias is never used."""
    finite = np.isfinite(similarity.values)
    return finite if similarity.is_similarity or kind == "encoder" else finite & np.tri(PLACES, dtype=bool)


def _table(means: dict[str, Array]) -> Table:
    return {"distance": list(range(PLACES)), **{name: values.tolist() for name, values in means.items()}}
