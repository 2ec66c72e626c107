"""ε inside and outside the root of a layer norm: at which variance the two differ."""

from functools import partial

import numpy as np
import streamlit as st

from model.analysis.norm_comparison import EpsilonComparison
from model.run import Experiment
from viz import canvas
from viz.captions.batch_norm import describe_epsilon
from viz.export.tables import NamedArray, Table, file_name
from viz.pages.remove.compute import SIZE, epsilon_comparison_of
from viz.ui import copy_as_python, figure_panel, visitor

SHARE = 0.01  # a vector that is so much shorter counts as different


def show(weights: str) -> None:
    """The length of a normalised vector against the variance of the vector, and where the vectors of the model are."""
    compared = epsilon_comparison_of(weights)
    st.markdown("**ε inside the root, and outside**")
    drawn = canvas.line_panels(
        [
            canvas.CurvePanel(
                "Standard deviation after the norm",
                "variance before the norm",
                [
                    canvas.Curve("ε inside, √(σ² + ε)", compared.scaled_variance.tolist(), compared.inside.tolist()),
                    canvas.Curve(
                        "ε outside, σ + ε",
                        compared.scaled_variance.tolist(),
                        compared.outside.tolist(),
                        dashed=True,
                    ),
                    canvas.Curve("vectors of the six sentences", *_vectors(compared), accent=True),
                ],
                log=False,
                log_x=True,
            )
        ],
        key="epsilon",
        theme=visitor.theme(),
    )
    figure_panel.below(
        drawn,
        sentence=describe_epsilon(
            compared.eps, compared.matters_below(SHARE), SHARE, compared.variance, compared.difference
        ),
        table=partial(_table, compared),
        file=file_name(weights, "layer-norm-epsilon"),
        of=Experiment(weights),
        arrays=partial(_arrays, compared),
        python=copy_as_python.python(
            f"compared = epsilon_in_batch({weights!r}, size={SIZE})\n"
            "std = np.stack([compared.inside, compared.outside])  # (2, K)\n"
            "difference = compared.difference  # (N,)",
            "import numpy as np\n\nfrom model.analysis.norm_comparison import epsilon_in_batch",
        ),
    )


def _vectors(compared: EpsilonComparison) -> tuple[list[float], list[float]]:
    """Variance before the norm and standard deviation after it, of every vector that enters, by variance."""
    variance = np.sort(compared.variance)
    return variance.tolist(), np.sqrt(variance / (variance + compared.eps)).tolist()


def _table(compared: EpsilonComparison) -> Table:
    """One line for each variance to which the vector is scaled."""
    return {
        "variance": compared.scaled_variance,
        "standard deviation, ε inside": compared.inside,
        "standard deviation, ε outside": compared.outside,
    }


def _arrays(compared: EpsilonComparison) -> dict[str, NamedArray]:
    return {
        "std": NamedArray(
            np.stack([compared.inside, compared.outside]),
            {"epsilon": ("inside", "outside"), "variance": compared.scaled_variance},
        ),
        "difference": NamedArray(compared.difference, {"vector": range(len(compared.difference))}),
    }
