"""“Inside a head”, run by Streamlit's own test runner."""

import numpy as np
import pytest
from equal import same_bits
from screen import component, figures, notices, visit, visit_by_a_bad_link, well

from model import Experiment, Switches, run
from model.switches import PARTS
from viz.pages.inside.steps import STEPS
from viz.pages.inside.views import VIEWS
from viz.ui.controls import EXAMPLE

PAGE = "viz/pages/inside/page.py"


def test_the_first_screen_walks_a_row_with_the_models_own_numbers():
    screen = well(visit(PAGE, layer=1, head=2, query=6))
    header, arrays = component(screen, "walk")
    attention = run(Experiment(text=EXAMPLE)).layers[1].attention
    assert header["words"][1:] == EXAMPLE.split()
    for name in ("scores", "scaled", "biased", "weights"):
        assert same_bits(arrays[name], getattr(attention, name)[2, 6], "same operation"), name
    assert same_bits(arrays["q"], attention.q[2, 6], "same operation")
    assert same_bits(arrays["v"], attention.v[2], "same operation")
    assert same_bits(np.isfinite(arrays["masked"]), attention.mask[2, 6])
    assert (header["row"], header["divisor"]) == (6, 4.0)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("part", [part.name for part in PARTS])
def test_every_view_stands_with_a_part_away(view, part):
    well(visit(PAGE, view=view, **{part: "false"}))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("text", ["", "x", "x" * 100_000, "<script>alert(1)</script>", "שלום", "the dog " * 200])
def test_any_text_gives_a_picture_or_one_sentence(view, text):
    screen = well(visit_by_a_bad_link(PAGE, view=view, text=text))
    assert notices(screen) or screen.get("bidi_component") or screen.get("plotly_chart")


@pytest.mark.parametrize(
    "link",
    [
        {"step": 99},
        {"step": -1},
        {"key": 500},
        {"key": "x"},
        {"view": "nobody"},
        {"view": "Size and cost", "d_k": 0},
        {"view": "Size and cost", "queries": 10**9},
        {"view": "Size and cost", "sizes_from": "nowhere"},
    ],
    ids=str,
)
def test_a_bad_link_falls_back_and_says_so(link):
    screen = well(visit_by_a_bad_link(PAGE, **link))
    assert notices(screen)


def test_a_link_opens_at_its_step_and_its_key():
    header, _ = component(well(visit(PAGE, step_number=STEPS, key=3)), "walk")
    assert (header["step"], header["key_index"]) == (STEPS - 1, 3)


def test_a_shorter_sentence_lets_go_of_a_word_that_is_not_there_any_more():
    screen = visit(PAGE, key=12)
    screen.text_area(key="text").set_value("the dog was tired .").run()
    assert component(well(screen), "walk")[0]["key_index"] is None


def test_without_scaling_positions_or_norm_the_walk_says_so():
    header, arrays = component(visit(PAGE, scale="false", position="false", norm="false"), "walk")
    assert (header["divisor"], header["has_bias"], header["norm"]) == (1.0, False, None)
    assert "removed" in header["position"]
    assert same_bits(arrays["scores"], arrays["scaled"], "exact")


def test_both_forms_show_the_weights_of_the_model_and_what_rounding_leaves():
    _, arrays = component(well(visit(PAGE, view="Loop or matrix", layer=2, head=1)), "forms")
    rows, whole, single, double = arrays["values"]
    attention = run(Experiment(text=EXAMPLE)).layers[2].attention
    seen = attention.mask[1]
    assert np.allclose(whole[seen], attention.weights[1][seen], atol=1e-6)
    assert same_bits(rows[seen] - whole[seen], single[seen], "same operation")
    assert np.abs(double[seen]).max() < np.abs(single[seen]).max() < 1e-5


def test_free_sizes_draw_a_map_for_every_head():
    screen = well(visit(PAGE, view="Size and cost", n_heads=5, queries=3, keys=7, d_k=2, d_v=9))
    assert component(screen, "sizes")[1]["values"].shape == (5, 3, 7)
    text_shown = "\n".join(text.value for text in screen.markdown)
    assert "5 × 3 × 9" in text_shown, "z"


def test_queries_and_keys_may_come_from_inputs_of_different_widths():
    screen = well(visit(PAGE, view="Size and cost", d_model=40, d_source=24, n_heads=2, d_k=5))
    text_shown = "\n".join(text.value for text in screen.markdown)
    assert "| W_Q | 40 × 10 |" in text_shown and "| W_K | 24 × 10 |" in text_shown and "| k | 2 × 9 × 5 |" in text_shown
    sentence = "".join(text for text, *_ in component(screen, "save_sizes")[0]["reading"])
    assert "vectors of width 40" in sentence and "vectors of width 24" in sentence
    trained = well(visit(PAGE, view="Size and cost", sizes_from="this layer"))
    assert trained.number_input(key="trained_size_d_source").value == 64


def test_free_sizes_of_a_trained_layer_keep_its_widths():
    screen = well(visit(PAGE, view="Size and cost", sizes_from="this layer", queries=4, keys=6, layer=1))
    values = component(screen, "sizes")[1]["values"]
    attention = run(Experiment(text=EXAMPLE)).layers[1].attention
    assert np.allclose(np.nan_to_num(values), attention.weights[:, :4, :6], atol=1e-6)
    shown = screen.number_input(key="trained_size_d_k")
    assert shown.disabled and shown.value == attention.q.shape[-1]


def test_outputs_stand_where_the_weights_put_them():
    _, arrays = component(well(visit(PAGE, view="Average of values")), "averaging")
    assert np.allclose(arrays["weights"] @ arrays["points"], arrays["outputs"], atol=1e-4)


def test_the_spectrum_falls_off_after_d_k():
    figure = figures(well(visit(PAGE, view="QK spectrum")))["spectrum"]
    values = figure["data"][0]["marker"]["color"]
    assert len(set(values[:16])) == len(set(values[16:])) == 1, "16 of 64 are more than rounding"
    assert values[0] != values[16]


def test_a_flip_sends_little_and_builds_no_chart():
    screen = visit(PAGE)
    screen.toggle(key="scale").set_value(False).run()
    mounts = sum(len(mount.proto.bytes) for mount in screen.get("bidi_component"))
    assert mounts < 40_000
    assert not screen.get("plotly_chart")
    _, arrays = component(screen, "walk")
    attention = run(Experiment(text=EXAMPLE, switches=Switches(scale=False))).layers[2].attention
    assert same_bits(arrays["weights"], attention.weights[2, component(screen, "walk")[0]["row"]], "same operation")
