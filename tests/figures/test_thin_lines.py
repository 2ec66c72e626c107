"""Figures that draw thin lines beside thick ones: the sentence under them says what a thin line is."""

import numpy as np
import pytest

from viz.captions.heads import describe_learning_curves, describe_residual_stream, thin_seeds
from viz.figures.learning_curves import curves
from viz.figures.residual_stream import stream
from viz.theme import LIGHT

THIN = 1.5  # pixels


def has_thin_lines(figure):
    """Whether it shows lines of two widths, and more thin ones than thick ones cover."""
    widths = [line.line.width for line in figure.data]
    return sum(width < THIN for width in widths) > sum(width >= THIN for width in widths)


@pytest.mark.parametrize("words", [["a"], ["a", "b"], ["a", "b", "c"]])
@pytest.mark.parametrize("each", ["word", "piece"])
def test_the_thin_lines_of_a_stream_are_told(words, each):
    values = np.arange(2.0 * len(words)).reshape(2, -1) + 1
    figure = stream(values, values, ["x", "y"], words, theme=LIGHT, title="length")
    text = describe_residual_stream(values, values, "length", ["x", "y"], each)
    assert has_thin_lines(figure) == (f"A thin line is one {each}, a thick line the mean of all." in text)
    assert f"averaged over the {each}s" in text


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_the_thin_lines_of_learning_curves_are_told(seeds):
    values = {"whole": np.arange(2.0 * seeds).reshape(seeds, 2), "never": np.ones((1, 2))}
    figure = curves([1, 2], {"whole": values["whole"]}, theme=LIGHT, value_name="loss")
    assert has_thin_lines(figure) == (seeds > 1) == bool(thin_seeds(values))
    text = describe_learning_curves(values, "loss")
    assert text.endswith(" A thin line is one seed, a thick line their median.") == (seeds > 1)
