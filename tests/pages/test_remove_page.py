"""“Remove a part”: each switch, each view and each link, run by Streamlit's own test runner."""

from dataclasses import replace

import numpy as np
import pytest
from equal import same_bits
from screen import component, notices, visit, visit_by_a_bad_link, well

from model import Experiment, Switches, run
from model.analysis.ablation import evaluate_held_out
from model.switches import PARTS
from model.transformer import Transformer
from viz.pages.remove.controls import THEN, VIEWS
from viz.pages.remove.summary import format_metric
from viz.ui import model_calls, server_cache
from viz.ui.controls import EXAMPLE

PAGE = "viz/pages/remove/page.py"
each_part = pytest.mark.parametrize("part", [part.name for part in PARTS])
each_view = pytest.mark.parametrize(
    "view", [{"view": view} for view in VIEWS] + [{"panel": then} for then in THEN], ids=str
)


def strip(screen):
    """The numbers above the comparison, as they were sent."""
    (body,) = [html.proto.body for html in screen.get("html") if 'class="strip"' in html.proto.body]
    return body


def removed_by(screen):
    return [name for name in (part.name for part in PARTS) if not screen.session_state[name]]


def test_the_page_opens_without_the_scaling_so_that_a_and_b_differ():
    screen = well(visit(PAGE))
    header, arrays = component(screen, "compare")
    assert "without scaling" in header["titles"][1] and arrays["change"].any()
    assert removed_by(screen) == ["scale"], "and its switch says so"
    assert "scale" not in screen.query_params, "a link to the page as it opens is short"


def test_the_scaling_comes_back_when_another_part_is_removed():
    screen = well(visit(PAGE).toggle(key="norm").set_value(False).run())
    assert removed_by(screen) == ["norm"]
    assert removed_by(well(visit(PAGE, norm="false"))) == ["norm"], "and a link to it opens the same"
    assert removed_by(well(visit(PAGE, heads_off="L0H1"))) == []


def test_a_scaling_that_a_person_removed_stays_removed_beside_another_part():
    screen = visit(PAGE).toggle(key="scale").set_value(True).run()
    assert removed_by(screen) == [] and screen.query_params["scale"] == "true"
    screen = screen.toggle(key="scale").set_value(False).run().toggle(key="norm").set_value(False).run()
    assert removed_by(well(screen)) == ["scale", "norm"]


@pytest.mark.parametrize(("before", "after"), [({}, []), ({"scale": "false"}, ["scale"]), ({"mlp": "false"}, ["mlp"])])
def test_every_other_page_finds_the_parts_as_they_were_before(before, after):
    screen = well(visit(**before).switch_page("../pages/remove/page.py").run())
    assert removed_by(screen) == (after or ["scale"])
    screen = well(screen.switch_page("../pages/masks/page.py").run())
    assert removed_by(screen) == after


def test_without_a_removal_b_is_a_and_the_page_offers_one():
    screen = well(visit(PAGE, scale="true"))
    header, arrays = component(screen, "compare")
    assert same_bits(arrays["a"], arrays["b"], "same operation") and not arrays["change"].any()
    screen.pills(key="offer").set_value("scale")
    header, arrays = component(well(screen.run()), "compare")
    assert "without scaling" in header["titles"][1] and arrays["change"].any()


@each_part
def test_a_is_whole_and_b_is_without_whatever_is_removed(part):
    _, arrays = component(well(visit(PAGE, **{part: "false"}, layer=1, head=2)), "compare")
    whole = run(Experiment(text=EXAMPLE)).layers[1].attention
    without = run(Experiment(text=EXAMPLE, switches=Switches().without(part))).layers[1].attention
    a, b, difference = arrays["large"]
    assert same_bits(np.nan_to_num(a), whole.weights[2], "same operation")
    assert same_bits(np.nan_to_num(b), without.weights[2], "same operation")
    either = whole.mask[2] | without.mask[2]
    np.testing.assert_allclose(difference[either], (whole.weights[2] - without.weights[2])[either], atol=1e-7)


@each_part
def test_the_strip_shows_the_loss_on_fresh_sentences(part):
    screen = visit(PAGE, **{part: "false"})
    loss = evaluate_held_out("grammar", Switches().without(part)).loss
    assert f">{loss:.2f}</div>" in strip(screen)


def test_a_small_number_of_the_strip_is_not_written_as_0():
    assert [format_metric(value) for value in (0.0, 1e-12, 4e-5, -0.002, 0.42, 1234.5, np.nan)] == [
        "0.00",
        "0.00",
        "4·10⁻⁵",
        "−2·10⁻³",
        "0.42",
        "1,234",
        "not a number",
    ]


def test_the_strip_says_of_how_many_and_when_right_answers_are_no_merit():
    evaluation = evaluate_held_out("grammar", Switches())
    body = strip(visit(PAGE))
    assert all(f"<td>{n}</td>" in body for n in evaluation.n.values())
    assert "not meaningful" not in body
    assert "not meaningful" in strip(visit(PAGE, mask="false"))


def test_a_number_that_is_none_is_shown_as_such_with_the_place_where_it_first_arose(monkeypatch):
    def broken(experiment):
        trace = run(experiment)
        if experiment.switches.scale:
            return trace
        first, second, third = trace.layers
        second = replace(second, resid_mid=np.full_like(second.resid_mid, np.nan))
        return replace(trace, layers=(first, second, third), logits=np.full_like(trace.logits, np.nan))

    monkeypatch.setattr(model_calls, "run_text", broken)
    server_cache.clear()
    screen = well(visit(PAGE, scale="false"))
    assert "first in layer 1, resid_mid" in notices(screen)
    assert ">not a number</div>" in strip(screen)
    server_cache.clear()


@each_view
@each_part
def test_every_view_stands_with_every_part_away(view, part):
    well(visit(PAGE, **{part: "false"}, **view))


@each_view
def test_every_view_stands_with_everything_away(view):
    everything = {part.name: "false" for part in PARTS}
    screen = visit(PAGE, **everything, **view)
    screen.multiselect(key="heads_off").set_value([f"L{layer}H{head}" for layer in range(3) for head in range(4)])
    well(screen.run())
    if view.get("view", VIEWS[0]) == VIEWS[0]:
        assert component(screen, "compare")[0]["titles"][1].startswith("B  without scaling")


@pytest.mark.parametrize("how", ["as it is", "uniform", "one word", "by hand"])
def test_a_row_is_overwritten_every_way(how):
    well(visit(PAGE, panel="Override one row", override=how, query=10))


def test_the_map_of_knock_outs_shows_each_heads_cost_and_frames_what_is_out():
    screen = well(visit(PAGE, panel="Head ablation", heads_off="L0H2"))
    header, arrays = component(screen, "knockouts")
    whole = evaluate_held_out("grammar", Switches()).loss
    without = evaluate_held_out("grammar", Switches(heads_off=frozenset({(1, 3)}))).loss
    assert arrays["values"][0].shape == (3, 4)
    assert arrays["values"][0, 1, 3] == pytest.approx(without - whole, abs=1e-5)
    assert header["panels"][0]["marks"] == [[0, 2]]
    assert not notices(screen), "a link with a head taken out is a good link"
    assert "head L0H2" in component(screen, "compare")[0]["titles"][1]


def test_a_flip_runs_the_model_once_for_the_text_and_once_for_the_fresh_sentences(monkeypatch):
    screen = visit(PAGE)
    server_cache.clear()
    count = []
    forward = Transformer.forward
    monkeypatch.setattr(Transformer, "forward", lambda self, *a, **k: (count.append(1), forward(self, *a, **k))[1])
    screen.run()
    count.clear()
    screen.toggle(key="norm").set_value(False)
    well(screen.run())
    assert len(count) == 2
    screen.toggle(key="norm").set_value(True)
    well(screen.run())
    assert len(count) == 2


def test_trained_without_says_when_there_is_no_such_model():
    screen = well(visit(PAGE, scale="false", norm="false", ablation="trained without"))
    assert any("one part at a time" in caption.value for caption in screen.caption)


@pytest.mark.parametrize(
    ("name", "value"), [("view", "zip"), ("heads_off", "L9H9"), ("ablation", "never"), ("override", "x")]
)
def test_a_bad_value_in_a_link_harms_nothing(name, value):
    well(
        visit_by_a_bad_link(PAGE, **{name: value}, panel="Override one row")
        if name != "view"
        else visit_by_a_bad_link(PAGE, view=value)
    )


@pytest.mark.parametrize("text", ["", "   ", "x" * 100_000, "<script>alert(1)</script>", "שלום", "the " * 511])
def test_any_text_gives_a_picture_or_one_sentence(text):
    screen = well(visit_by_a_bad_link(PAGE, text=text, scale="false"))
    assert notices(screen) or component(screen, "compare")


def test_what_a_flip_sends_is_tens_of_kilobytes_and_no_chart():
    screen = visit(PAGE)
    screen.toggle(key="scale").set_value(False).run()
    mounts = sum(len(mount.proto.bytes) for mount in screen.get("bidi_component"))
    assert not screen.get("plotly_chart"), "a chart is built anew at every flip and keeps the maps waiting"
    assert mounts < 40_000
