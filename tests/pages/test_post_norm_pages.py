"""A model whose norms stand after the sublayers, on the pages: what is said and drawn of it is of such a model."""

import numpy as np
import pytest
from equal import close
from foreign import publish, random_model
from screen import component, visit, well

from model import Experiment, Switches, run
from model.analysis.head_walkthrough import walk_through_row
from model.importers import bring
from model.registry import registry
from viz.pages.remove.norm_table import norm_table

TEXT = "the dogs saw two very tired birds ."
KINDS = {"bert": "word head", "bert without a head": None, "roberta": "word head", "distilbert": "word head"}


@pytest.fixture(params=KINDS)
def weights(request, tmp_path):
    """A small post-norm model on the shelf, alone there; its name, and what its last norm is called."""
    for name in (*registry().names(), *registry().names(maps_only=True)):
        registry().let_go(name)
    name = bring(publish(random_model(request.param), tmp_path / "little"))
    yield name, KINDS[request.param]
    registry().let_go(name)


@pytest.mark.parametrize("removed", [(), ("norm",), ("residual",), ("norm", "residual"), ("position",)], ids="-".join)
def test_the_walk_of_a_row_ends_with_the_sum_that_enters_the_norm(weights, removed):
    experiment = Experiment(weights[0], TEXT, Switches().without(*removed))
    trace = run(experiment)
    for layer in range(len(trace.layers)):
        walkthrough = walk_through_row(experiment, trace, layer, 0, 4)
        stream = 0 if "residual" in removed else walkthrough.resid
        assert np.allclose(
            stream + walkthrough.head_outputs.sum(axis=0) + walkthrough.b_o, walkthrough.resid_after, atol=1e-4
        )
        norm = trace.layers[layer].norm1
        assert close(norm.input[4], walkthrough.resid_after)
        assert norm.present == ("norm" not in removed)


@pytest.mark.parametrize("norm", ["true", "false"])
def test_the_walk_on_the_page_says_whether_a_norm_takes_the_sum(weights, norm):
    screen = well(visit("viz/pages/inside/page.py", weights=weights[0], text=TEXT, norm=norm))
    header = component(screen, "walk")[0]
    assert header["norm"] is None, "no norm comes first"
    assert header["norm_after"] == (norm == "true")


def test_the_page_shows_the_norms_of_a_and_says_that_b_has_none(weights):
    name, final = weights
    screen = well(visit("viz/pages/remove/page.py", weights=name, text=TEXT, norm="false", panel="Residual stream"))
    captions = "\n".join(caption.value for caption in screen.caption)
    assert (
        "A: each norm comes after its sublayer. It normalises the sum of the residual stream and the sublayer output"
        in captions
    )
    assert "B has no layer norm" in captions
    assert f"{name} has a norm after every sublayer" in captions
    assert "B has none, so its vectors are the sums." in captions
    both = well(visit("viz/pages/remove/page.py", weights=name, text=TEXT, scale="false", panel="Residual stream"))
    assert not any("B has none" in caption.value for caption in both.caption)
    (table,) = [frame.value for frame in screen.dataframe]
    last = len(run(Experiment(name, TEXT)).layers) - 1
    assert [table["norm"][0], table["norm"].iloc[-1]] == ["embedding", final or f"L{last} second"]
    assert table["variance before"].tolist() == norm_table(run(Experiment(name, TEXT)))["variance before"]
