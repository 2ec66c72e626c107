"""A saved step of a training is a model on every page: in the sidebar, in links, in Python and in files."""

import numpy as np
import pytest
from screen import ROOT, component, visit, visit_by_a_bad_link, well

from model import Experiment, Switches, run
from model.analysis.prediction_change import prediction_change
from model.checkpoint import saved_steps, step_name
from viz.ui import copy_as_python, head_facts, model_calls
from viz.ui.controls import EXAMPLE

STEP = "grammar@000300"


def test_the_maps_are_those_of_the_step_and_the_sidebar_names_it():
    screen = well(visit(weights=STEP))
    _, arrays = component(screen, "enlarged")
    head = screen.session_state["layer"], screen.session_state["head"]
    maps, final = (
        run(Experiment(name, EXAMPLE)).layers[head[0]].attention.weights[head[1]] for name in (STEP, "grammar")
    )
    shown = arrays["values"][0]
    assert shown[np.isfinite(shown)] == pytest.approx(maps[np.isfinite(shown)], abs=1e-6)
    assert np.abs(final - maps).max() > 0.1
    assert any("grammar after 300 training steps" in caption.value for caption in screen.sidebar.caption)


def test_heads_are_named_by_what_they_did_at_that_step():
    shape = (3, 4)
    assert not any(any(row) for row in head_facts.head_roles("grammar@000000", *shape))
    last = step_name("grammar", saved_steps("grammar")[-1])
    for relation, mass in head_facts.relation_scores("grammar").items():
        assert head_facts.relation_scores(last)[relation] == pytest.approx(mass, abs=0.01), relation  # half precision
    assert head_facts.default_role("grammar@001000").relation == "verb → subject"


@pytest.mark.parametrize("name", ["grammar@000301", "grammar@1000", "grammar@", "../grammar@001000", "stories@000100"])
def test_a_step_that_was_not_saved_is_refused_in_one_sentence(name):
    screen = well(visit_by_a_bad_link(weights=name))
    assert screen.session_state["weights"] == "grammar"
    assert any("could not be used" in notice.value for notice in screen.info)


def test_copied_lines_name_the_step():
    assert f"Experiment(weights={STEP!r}" in copy_as_python.every_head(Experiment(STEP, EXAMPLE))
    assert Experiment(STEP).name == STEP


@pytest.mark.parametrize("page", ["remove", "masks", "machine"])
def test_a_step_runs_on_a_page_and_offers_no_twin_that_it_does_not_have(page):
    screen = well(visit(f"viz/pages/{page}/page.py", weights=STEP))
    assert screen.session_state["weights"] == STEP
    assert (ROOT / "model/trained/grammar.steps/exams.json").exists()


# A beside B


def test_two_steps_stand_side_by_side_with_their_difference():
    page = "viz/pages/remove/page.py"
    screen = well(visit(page, weights="grammar@000300", model_b="grammar"))
    header, arrays = component(screen, "compare")
    assert header["titles"][0].startswith("A  grammar@000300") and header["titles"][1].endswith("weights of grammar")
    assert screen.session_state["scale"], "nothing but the weights differs"
    a, b = (run(Experiment(name, EXAMPLE)) for name in ("grammar@000300", "grammar"))
    assert arrays["change"] == pytest.approx(prediction_change(a, b), rel=1e-4, abs=1e-6)
    assert arrays["change"].max() > 0.1
    screen = well(screen.selectbox(key="weights").set_value("stories").run())
    assert not [box for box in screen.selectbox if box.key == "model_b"], "stories has no other step"


def test_only_models_of_the_same_words_and_as_many_heads_can_be_b():
    names = model_calls.comparable("grammar")
    assert "grammar@001000" in names and "grammar-without-mask" in names
    assert "grammar" not in names and "stories" not in names
    screen = well(visit_by_a_bad_link("viz/pages/remove/page.py", model_b="stories"))
    assert any("could not be used" in notice.value for notice in screen.info)


def test_parts_that_are_removed_are_missing_in_b_only():
    page = "viz/pages/remove/page.py"
    header, arrays = component(well(visit(page, model_b="grammar@001000", norm="false")), "compare")
    a = run(Experiment("grammar", EXAMPLE))
    b = run(Experiment("grammar@001000", EXAMPLE, Switches(norm=False)))
    assert arrays["change"] == pytest.approx(prediction_change(a, b), rel=1e-4, abs=1e-6)
    assert "and without layer norm" in header["titles"][1]
