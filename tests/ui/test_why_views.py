"""The views of Why attention: what a browser may set, what stands beside each drawing, and their tables."""

import numpy as np
import pytest

from model.cost.schedule import schedule
from viz.canvas import Slider
from viz.pages.why import compute, distance, views, windows
from viz.pages.why import schedule as schedule_view
from viz.ui.state import Param

SLIDERS = (Slider(Param.FROM_TOKEN, "from token", (0, 1, 2)), Slider(Param.TO_TOKEN, "to token", (0, 1, 2)))
MISSING = float("nan")


@pytest.fixture
def session(monkeypatch):
    """A visitor's session, in place of Streamlit's."""
    kept = {}
    monkeypatch.setattr(views.st, "session_state", kept)
    return kept


def test_only_a_value_that_a_slider_has_is_taken_from_a_browser(session):
    views.choose(SLIDERS, from_token=2, to_token=3, view="Windows")
    assert session == {Param.FROM_TOKEN: 2}


def test_a_shorter_text_moves_a_slider_to_its_last_stop(session, monkeypatch):
    monkeypatch.setattr(views.st, "selectbox", lambda label, values, index, key, bind: session.get(key, values[index]))
    session[Param.FROM_TOKEN] = 9
    assert views.addressed(SLIDERS, (0, 1)) == {"from_token": 2, "to_token": 1}


def test_beside_a_path_stands_its_length_or_why_there_is_none():
    steps = np.array([[1.0, 2.0, MISSING], [MISSING, 1.0, 2.0], [MISSING, MISSING, 1.0]])
    assert distance._labels(steps) == [
        *("1 step", "2 steps", "does not arrive"),
        *("no way back", "1 step", "2 steps"),
        *("no way back", "no way back", "1 step"),
    ]
    table = distance._path_table(["a", "b", "c"], 0, {"GRU": steps})
    np.testing.assert_allclose(table["steps: GRU"], [1, 2, MISSING])


def test_only_convolution_and_windows_have_more_layers():
    layers = distance._layers(4)
    assert {kind for kind, count in layers.items() if count == 4} == set(compute.STACKED) & set(layers)
    assert compute.network("gru", 4).n_layers == 1
    assert compute.network("window", 4).n_layers == 4


def test_the_nodes_of_a_path_are_counted_from_one_and_a_token_has_a_path_to_itself():
    orders = compute.path_orders("attention", 3, 1).reshape(3, 3, 2, 3)
    for source, target in ((0, 2), (1, 1)):
        assert orders[source, target, 0, source] == 1
        assert orders[source, target, 1, target] == 2
    assert not orders[2, 0].any(), "there is no way back"


def test_a_schedule_says_at_each_moment_how_much_of_it_is_done():
    plan = schedule("parallel", 3, 2)
    assert schedule_view._labels(plan, 3) == [
        "0 of 6 cells",
        "3 of 6 cells",
        "done after 2 steps",
        "done after 2 steps",
    ]
    table = schedule_view._table({"parallel": plan})
    assert list(table["step"]) == [1, 2]
    assert list(table["cells: parallel"]) == [3, 3]


def test_the_inputs_of_each_token_are_counted_not_the_cells_above_them():
    region = compute.fields(compute.network("window", 2), 6)
    assert windows._labels(region)[:6] == ["1 token", "2 tokens", "3 tokens", "4 tokens", "5 tokens", "5 tokens"]
    counts = windows._table(list("abcdef"), {"window attention": region})["tokens that reach it: window attention"]
    assert list(counts) == [1, 2, 3, 4, 5, 5]


@pytest.mark.parametrize(("sides", "causal"), [("before", True), ("both sides", False)])
def test_the_choices_of_windows_are_those_of_the_network(monkeypatch, sides, causal):
    chosen = {Param.WINDOW_SIDES: sides, Param.DILATION: windows.DILATIONS[1]}
    monkeypatch.setattr(windows.controls, "choice", lambda label, values, key, **_: chosen[key])
    monkeypatch.setattr(
        windows.st, "selectbox", lambda label, values, *index, key, **_: values[index[0] if index else 0]
    )
    stack = windows._stack()
    assert stack.causal == causal
    assert stack.dilations == (1, 2, 4, 8)
