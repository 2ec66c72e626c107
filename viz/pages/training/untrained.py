"""Gradients of untrained models, against depth and by layer."""

from functools import partial

import numpy as np
import streamlit as st

from model.training.live.initial import DEEP, MOST_LAYERS, InitialGradients
from viz import canvas
from viz.captions.counting import counted
from viz.captions.training_views import describe_gradient_by_depth
from viz.export.tables import NamedArray, Table
from viz.pages.training import compute
from viz.pages.training.controls import Chosen
from viz.ui import copy_as_python, figure_panel, visitor
from viz.ui.state import Param

HELP = "Layers of an untrained model. Its gradients are added to the curves."
NORM_NAMES = {"pre": "pre-norm", "post": "post-norm", "none": "no norm"}


def show(chosen: Chosen) -> None:
    """What arrives at the embedding of models of 1 to 24 layers, and at each layer of one depth."""
    a = chosen.a
    depth = int(
        st.slider("Depth", 1, MOST_LAYERS, DEEP, key=Param.TRAIN_DEPTH, bind="query-params", width=480, help=HELP)
    )
    initial = compute.gradients(a, depth)
    depth_curves = [
        canvas.Curve(
            case_name(*case),
            initial.depths,
            np.median(norms, axis=0).tolist(),
            accent=not case[1],
            dashed=case[0] == "none",
        )
        for case, norms in initial.embedding.items()
    ]
    layer_curves = [
        canvas.Curve(NORM_NAMES[norm], range(depth), np.median(norms, axis=0).tolist(), accent=norm == "post")
        for norm, norms in initial.layers.items()
    ]
    drawn = canvas.line_panels(
        [
            canvas.CurvePanel("Gradient norm at the embedding", "layers of the model", depth_curves),
            canvas.CurvePanel(f"Gradient norm by layer, {counted(depth, 'layer')}", "layer", layer_curves),
        ],
        key="initial_gradients",
        theme=visitor.theme(),
    )
    figure_panel.below(
        drawn,
        sentence=describe_gradient_by_depth(
            initial.depths,
            {case_name(*case): np.median(norms, axis=0) for case, norms in initial.embedding.items()},
            {norm: np.median(norms, axis=0) for norm, norms in initial.layers.items()},
            depth,
        ),
        table=partial(_table, initial),
        file=f"initial-gradients-{a.task}-{depth}",
        of=figure_panel.Subject(title="Gradients before any training"),
        arrays=partial(_arrays, initial, a.seed),
        python=copy_as_python.python(
            f"initial = initial_gradients({copy_as_python.code_of(a)}, depths={initial.depths}, deep={depth})\n"
            "embedding = np.stack(list(initial.embedding.values()))  # (case, seed, depth)\n"
            "by_layer = np.stack(list(initial.layers.values()))  # (norm, seed, layer)",
            "import numpy as np\n\n"
            "from model.training.live.initial import initial_gradients\n"
            "from model.training.live.settings import LiveSettings",
        ),
    )


def case_name(norm: str, residual: bool) -> str:
    """For example "pre-norm, without residual connections"."""
    return f"{NORM_NAMES[norm]}, {'with' if residual else 'without'} residual connections"


def _table(initial: InitialGradients) -> Table:
    """One line for each depth: the median of the seeds."""
    columns = {f"gradient norm: {case_name(*case)}": np.median(of, axis=0) for case, of in initial.embedding.items()}
    return {"layers": initial.depths, **columns}


def _arrays(initial: InitialGradients, seed: int) -> dict[str, NamedArray]:
    cases, norms = [case_name(*case) for case in initial.embedding], [NORM_NAMES[norm] for norm in initial.layers]
    embedding, by_layer = np.stack(list(initial.embedding.values())), np.stack(list(initial.layers.values()))
    seeds = range(seed, seed + embedding.shape[1])
    return {
        "embedding": NamedArray(embedding, {"case": cases, "seed": seeds, "layers": initial.depths}),
        "by_layer": NamedArray(by_layer, {"norm": norms, "seed": seeds, "layer": range(by_layer.shape[2])}),
    }
