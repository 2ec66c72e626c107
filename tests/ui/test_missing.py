"""What a view still has to compute keeps no other figure and no prose of its page waiting."""

import pytest
import streamlit as st
from screen import component, visit, well

from viz.ui import server_cache
from viz.ui.progress import Missing

# The view → what it computes first, in words; the figures that stand meanwhile; and those that come with the results.
VIEWS = {
    "length generalisation": (
        "positions",
        {"view": "Length generalisation"},
        "Testing the encoder",
        {"lengths"},
        set(),
    ),
    "accuracy by length": (
        "translate",
        {"panel": "Accuracy by length"},
        "Testing the Transformer on sentences of 3 to 8 words",
        {"copies"},
        {"translations"},
    ),
    "trained without the mask": (
        "masks",
        {"view": "Trained without the mask"},
        "Generating sentences for the entropy",
        {"stages", "cheating"},
        set(),
    ),
    "head ablation": (
        "remove",
        {"panel": "Head ablation", "metric": "induction"},
        "Removing each head",
        {"compare"},
        {"knockouts"},
    ),
    "trained without": (
        "remove",
        {"view": "Trained without"},
        "Measuring the model with this part removed",
        {"loss_curves", "answer_curves"},
        set(),
    ),
}
each_view = pytest.mark.parametrize(("page", "state", "first", "meanwhile", "later"), VIEWS.values(), ids=VIEWS)


def figures(screen):
    """The keys of the figures that have their files under them."""
    keys = {mount.proto.id.rpartition("-")[2] for mount in screen.get("bidi_component")}
    return {key.removeprefix("save_") for key in keys if key.startswith("save_")}


@each_view
def test_the_page_stands_before_anything_long_is_computed(monkeypatch, page, state, first, meanwhile, later):
    server_cache.clear()
    held = []

    def hold(missing):
        held.append(missing)
        st.stop()

    monkeypatch.setattr(Missing, "compute", hold)
    screen = well(visit(f"viz/pages/{page}/page.py", **state))
    assert meanwhile <= figures(screen)
    assert not later & figures(screen)
    assert component(screen, "whole_page"), "the end of the page stands"
    (missing,) = held
    assert missing.work[0][0].startswith(first)


@each_view
def test_then_it_is_computed_once_and_the_page_is_whole(page, state, first, meanwhile, later):
    screen = well(visit(f"viz/pages/{page}/page.py", **state))
    assert meanwhile | later <= figures(screen)
    assert "…" not in [metric.value for metric in screen.metric]
    assert not screen.get("progress")
    assert not [code for code in screen.code if code.value == "…"]
