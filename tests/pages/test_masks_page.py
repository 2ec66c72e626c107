"""“Masks”: each mask, each section, each link and each stroke, run by Streamlit's own test runner."""

import math
import re

import numpy as np
import pytest
from equal import same_bits
from screen import WEIGHTS, component, notices, visit, visit_by_a_bad_link, well

from model import Experiment, Switches, run
from model.analysis.mask_leak import measure_leak, replace_word
from model.generation.kv_cache import is_cacheable
from model.mask import MASKS, MaskSpec, mask_from_cells, mask_from_hex
from model.run import encode, get_model
from viz.pages.masks import controls as masks_controls
from viz.pages.masks import guess
from viz.pages.masks.compute import CUSTOM, KINDS, OWN
from viz.pages.masks.controls import GUESSES, SECTIONS
from viz.ui.controls import EXAMPLE

PAGE = "viz/pages/masks/page.py"
T = 13  # tokens of the example
kinds = pytest.mark.parametrize("kind", MASKS)
SOME = {"drawn": mask_from_hex("1.2.0.f.1f.3f.7f.ff.1ff.3ff.7ff.fff.1fff")}


def looks_of(kind):
    return SOME.get(kind) or MaskSpec(kind, min(MASKS[kind].default, T) if MASKS[kind].parameter_label else 0)


def label_of(kind):
    """What the control calls a kind of mask."""
    return next((label for label, rule in KINDS.items() if rule == kind), kind)


def link(kind):
    return {"mask_kind": label_of(kind), **({"mask_rows": SOME[kind].hex_rows} if kind in SOME else {})}


def maps(screen):
    """scores, mask, masked scores and weights as they were sent, (4, T, T)."""
    header, arrays = component(screen, "stages")
    if header["step"] is None:
        return arrays["values"]
    return arrays["values"][header["step"]["values"].index(header["step"]["value"])]


@kinds
def test_the_four_maps_are_the_models_own_under_every_mask(kind):
    screen = well(visit(PAGE, layer=1, head=3, **link(kind)))
    attention = run(Experiment(text=EXAMPLE, mask_spec=looks_of(kind))).layers[1].attention
    scores, mask, masked, weights = maps(screen)
    allowed = attention.mask[3]
    assert same_bits(allowed, looks_of(kind).build(T).numpy())
    np.testing.assert_allclose(scores, attention.biased[3], atol=1e-4)  # a batch of masks rounds a little differently
    assert same_bits(mask.astype(bool), allowed)
    for shown, expected in ((masked, attention.masked[3]), (weights, attention.weights[3])):
        assert same_bits(np.isnan(shown), ~allowed), "the forbidden is absent"
        np.testing.assert_allclose(shown[allowed], expected[allowed], atol=1e-4)
    assert looks_of(kind).name in component(screen, "save_stages")[0]["file"]


def test_without_a_choice_the_mask_is_the_models_own():
    screen = well(visit(PAGE))
    assert screen.session_state["mask_kind"] == OWN
    assert same_bits(maps(screen)[1], np.tri(T), "copied")
    assert maps(well(visit(PAGE, mask="false")))[1].all()
    assert maps(well(visit(PAGE, weights="grammar-without-mask")))[1].all()


@kinds
def test_a_mask_is_chosen_by_hand_too(kind):
    screen = visit(PAGE)
    screen.segmented_control(key="mask_kind").set_value(label_of(kind))
    screen = well(screen.run())
    assert same_bits(maps(screen)[1].astype(bool), MaskSpec(kind, MASKS[kind].default).build(T).numpy())
    assert any(MASKS[kind].description in text.value for text in screen.markdown)


@pytest.mark.parametrize("kind", [name for name, kind in MASKS.items() if kind.parameter_label])
def test_the_number_changes_the_mask(kind):
    screen = visit(PAGE, mask_kind=kind)
    for number in (MASKS[kind].minimum, 5, T):
        screen.number_input(key="mask_size").set_value(number)
        screen = well(screen.run())
        assert same_bits(maps(screen)[1].astype(bool), MaskSpec(kind, number).build(T).numpy())


@pytest.mark.parametrize("kind", [name for name, kind in MASKS.items() if kind.parameter_label])
def test_the_slider_holds_what_the_model_does_at_every_number(kind):
    header, arrays = component(well(visit(PAGE, mask_kind=kind, mask_size=5, layer=1, head=3)), "stages")
    assert header["step"] == {
        "name": MASKS[kind].parameter_label,
        "value": 5,
        "values": list(range(MASKS[kind].minimum, T + 1)),
    }
    for number, (scores, mask, masked, weights) in zip(header["step"]["values"], arrays["values"], strict=True):
        attention = run(Experiment(text=EXAMPLE, mask_spec=MaskSpec(kind, number))).layers[1].attention
        allowed = attention.mask[3]
        assert same_bits(mask.astype(bool), allowed)
        np.testing.assert_allclose(scores, attention.biased[3], atol=1e-4)
        assert same_bits(np.isnan(masked), ~allowed) and same_bits(np.isnan(weights), ~allowed)
        np.testing.assert_allclose(weights[allowed], attention.weights[3][allowed], atol=1e-5)
    assert header["panels"][0]["limit"] == pytest.approx(np.abs(arrays["values"][:, 0]).max(), rel=1e-6)


def test_a_long_text_has_a_number_to_type_instead_of_a_slider():
    screen = well(visit(PAGE, mask_kind="window", text="the dog " * 15))
    assert component(screen, "stages")[0]["step"] is None
    screen.number_input(key="mask_size").set_value(20)
    assert maps(well(screen.run()))[1].sum() == MaskSpec("window", 20).build(31).sum()


def test_rows_with_nothing_to_look_at_are_empty_and_explained():
    screen = well(visit(PAGE, mask_kind="padding", mask_size=T))
    scores, mask, _, weights = maps(screen)
    assert not mask.any() and np.isnan(weights).all() and np.isfinite(scores).all()
    caption = "".join(text for text, _ in component(screen, "save_stages")[0]["reading"])
    assert "sets the row to zero" in caption and "attend to nothing and" in caption
    attention = run(Experiment(text=EXAMPLE, mask_spec=MaskSpec("padding", T))).layers[0].attention
    assert not attention.weights.any() and not attention.z.any()


def test_the_sentence_says_what_the_mask_took_and_dealt_out():
    screen = well(visit(PAGE, query=5, layer=0, head=0))
    attention = run(Experiment(text=EXAMPLE)).layers[0].attention
    scores = attention.biased[0, 5].astype(float)
    odds = np.exp(scores)
    share = odds[6:].sum() / odds.sum()
    caption = "".join(text for text, _ in component(screen, "save_stages")[0]["reading"])
    assert f"{share:.2f}" in caption
    np.testing.assert_allclose(attention.weights[0, 5, :6], odds[:6] / odds.sum() / (1 - share), rtol=1e-4)


# Drawn by hand


def test_a_stroke_starts_from_the_mask_that_was_shown_and_goes_into_the_link(monkeypatch):
    state = {"mask_kind": "window"}
    shown = MaskSpec("window", 2).build(T).numpy()
    with monkeypatch.context() as patch:
        patch.setattr(masks_controls.st, "session_state", state)
        masks_controls.painted(shown, [(0, 5, True), (0, 6, True), (3, 3, False), (99, 0, True), (0, -1, True)])
    expected = shown.copy()
    expected[0, 5:7], expected[3, 3] = True, False
    assert state["mask_kind"] == CUSTOM
    assert same_bits(mask_from_hex(state["mask_rows"]).build(T).numpy(), expected)
    assert not shown[0, 5], "what was shown is left as it was"
    screen = well(visit(PAGE, **state))
    assert not notices(screen)
    assert same_bits(maps(screen)[1].astype(bool), expected)
    assert screen.query_params["mask_rows"] == state["mask_rows"]


def test_a_drawing_on_another_text_is_cut_or_goes_on_causal():
    looks = mask_from_cells([[False, True], [True, True]])
    screen = well(visit(PAGE, mask_kind=CUSTOM, mask_rows=looks.hex_rows, text="the dog was tired ."))
    assert same_bits(maps(screen)[1].astype(bool), looks.build(6).numpy())


@pytest.mark.parametrize("text", ["zz", "1.2.8", "f" * 300, "<script>", "1..2", "drawn"])
def test_a_drawing_that_cannot_be_read_is_said_and_causal(text):
    screen = well(visit(PAGE, mask_kind=CUSTOM, mask_rows=text))
    assert "cannot be read" in notices(screen)
    assert same_bits(maps(screen)[1], np.tri(T), "copied")


def test_a_long_text_is_shown_but_not_drawn_on():
    header = component(well(visit(PAGE, text="the dog " * 40, mask_kind="block")), "stages")[0]
    assert header["paint"] is None
    assert component(well(visit(PAGE)), "stages")[0]["paint"] == 1


# The leak test


@pytest.mark.parametrize("kind", [OWN, "none", "window", "prefix", "cross", "drawn"])
def test_the_leak_test_shows_what_an_edit_moves_under_the_chosen_mask(kind):
    screen = well(visit(PAGE, edit_position=8, replacement="tree", **link(kind)))
    header, arrays = component(screen, "leaks")
    experiment = Experiment(text=EXAMPLE, mask_spec=None if kind == OWN else looks_of(kind))
    leak = measure_leak(run(experiment), run(replace_word(experiment, 8, "tree")))
    assert (header["edited"], header["replacement"]) == (8, "tree")
    np.testing.assert_allclose(arrays["change"], leak.kl, rtol=1e-4, atol=1e-9)
    assert same_bits(arrays["unchanged"].astype(bool), leak.logits == 0)
    if kind == OWN:
        assert arrays["unchanged"][:8].all() and not arrays["unchanged"][8:].any()
    if kind == "none":
        assert not arrays["unchanged"].any(), "without a mask the past hears the future"


def test_with_the_mask_switched_off_the_past_hears_the_future():
    _, arrays = component(well(visit(PAGE, mask="false")), "leaks")
    assert not arrays["unchanged"].any()


def test_the_first_view_already_shows_an_edit_that_matters():
    header, arrays = component(well(visit(PAGE)), "leaks")
    assert 1 < header["edited"] < T - 1
    assert arrays["change"].max() > 0.5
    assert arrays["unchanged"].any()


def test_every_word_can_be_edited_by_any_known_word():
    screen = visit(PAGE)
    for position in range(1, T):
        screen.number_input(key="edit_position").set_value(position)
        screen.selectbox(key="replacement").set_value("radio")
        assert component(well(screen.run()), "leaks")[0]["edited"] == position


# KV cache


def test_one_pass_and_many_are_run_when_asked_and_agree_to_rounding():
    screen = well(visit(PAGE, view="KV cache", copies="this text", layer=0, head=1))
    assert not screen.metric
    screen.button(key="measure").click()
    screen = well(screen.run())
    one_pass, cached, difference = component(screen, "ways")[1]["values"]
    expected = run(Experiment(text=EXAMPLE)).layers[0].attention.weights[1]
    seen = np.tri(T, dtype=bool)
    np.testing.assert_allclose(one_pass[seen], expected[seen], atol=1e-6)
    np.testing.assert_allclose(cached[seen], expected[seen], atol=1e-5)
    np.testing.assert_allclose(difference[seen], (cached - one_pass)[seen], atol=1e-7)
    assert re.fullmatch(r"0|\d\.\d·10⁻[⁵-⁹]", screen.metric[3].value), "rounding of float32"
    assert all(float(metric.value.removesuffix(" ms")) > 0 for metric in screen.metric[:3])


@pytest.mark.parametrize("state", [{"weights": "grammar-without-mask"}, {"mask": "false"}])
def test_a_model_that_looks_ahead_says_that_it_has_no_cache(state):
    screen = well(visit(PAGE, view="KV cache", **state))
    assert "not causal" in notices(screen)
    assert not is_cacheable(get_model(state.get("weights", "grammar"))[0], Switches(mask="mask" not in state))


def test_a_text_too_long_to_read_again_and_again_is_refused_in_words():
    screen = well(visit(PAGE, view="KV cache", text="the " * 100, copies="8 times"))
    assert any("this test accepts up to 256" in text.value for text in screen.markdown)


@pytest.mark.parametrize(("words", "copies"), [(12, "8 times"), (40, "4 times"), (100, "this text")])
def test_the_test_of_the_cache_opens_with_the_longest_text_that_it_accepts(words, copies):
    screen = well(visit(PAGE, view="KV cache", text="the " * words))
    assert screen.segmented_control(key="copies").value == copies


# Cheating


def test_cheating_is_measured_against_the_languages_own_entropy():
    screen = well(visit(PAGE, view="Trained without the mask"))
    language, whole, never, now = (float(metric.value) for metric in screen.metric)
    assert never < 0.1 * language < language < whole < now
    assert [len(code.value.split()) for code in screen.code] == [41, 41]


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_stands_with_every_weights(weights, section):
    well(visit(PAGE, weights=weights, view=section))


# Guess first


@pytest.mark.parametrize("what", GUESSES)
def test_a_guess_opens_from_a_link_hides_the_answer_and_scores_it_when_revealed(what):
    screen = well(visit(PAGE, guess=what, mask_kind="prefix", mask_size=4))
    assert not [mount for mount in screen.get("bidi_component") if mount.proto.id.endswith("-stages")]
    header, arrays = component(screen, "guessing")
    assert len(header["panels"]) == 1 and header["paint"] == 0
    assert not np.nan_to_num(arrays["values"]).any()
    screen.button(key="reveal").click()
    screen = well(screen.run())
    header, arrays = component(screen, "guessing")
    assert len(header["panels"]) == 2 and header["paint"] is None
    caption = "".join(text for text, _ in component(screen, "save_guessing")[0]["reading"])
    allowed = MaskSpec("prefix", 4).build(T).numpy()
    if what == "mask":
        assert same_bits(arrays["values"][1].astype(bool), allowed)
        assert f"{(~allowed).sum()} of {T * T} cells" in caption, "an empty panel is right where nothing is allowed"
    else:
        assert caption.startswith("You got 0 of 13 rows right")
    screen.button(key="restart").click()
    assert len(component(well(screen.run()), "guessing")[0]["panels"]) == 1


def test_a_right_guess_scores_everything_and_a_row_keeps_one_answer(monkeypatch):
    state = {}
    monkeypatch.setattr(guess.st, "session_state", state)
    allowed = np.tri(4, dtype=bool)
    empty = np.zeros((4, 4), dtype=bool)
    guess._painted(empty, allowed, "mask", [(r, c, True) for r, c in np.argwhere(allowed)])
    assert "**16 of 16** cells right (100 %)" in guess._about_mask(state["guess_cells"], allowed, True)[1]
    guess._painted(empty, allowed, "strongest", [(3, 0, True), (3, 2, True), (1, 1, True), (0, 3, True)])
    assert np.argwhere(state["guess_cells"]).tolist() == [[1, 1], [3, 2]], "one a row, and none where not allowed"
    weights = np.where(allowed, 0.1, 0.0)
    weights[1, 1] = weights[2, 0] = weights[3, 2] = 0.9
    assert "**2 of 3** rows right" in guess._about_strongest(state["guess_cells"], allowed, weights, True)[1]


def test_another_question_starts_with_an_empty_panel():
    screen = visit(PAGE, guess="mask")
    screen.session_state["guess_shown"] = True
    screen.segmented_control(key="mask_kind").set_value("block")
    assert len(component(well(screen.run()), "guessing")[0]["panels"]) == 1


# Links


BAD = {
    "mask_kind": ["zip", "Causal", "<b>"],
    "mask_size": ["0", "-1", "99", "many"],
    "edit_position": ["0", "-1", "99", "x"],
    "replacement": ["nobody", "<s>"],
    "guess": ["all", ""],
    "view": ["bogus"],
    "copies": ["9 times"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_value_in_a_link_falls_back_and_says_so(name, value):
    state = {"mask_kind": "window"} if name == "mask_size" else {"view": "KV cache"} if name == "copies" else {}
    screen = well(visit_by_a_bad_link(PAGE, **state, **{name: value}))
    assert name in notices(screen) or value == ""
    assert math.isfinite(maps(screen)[0].max())


@pytest.mark.parametrize(
    "text", ["", "   ", "x" * 100_000, "<script>alert(1)</script>", "שלום", "the " * 511, "👩‍👩‍👧 the"]
)
@pytest.mark.parametrize("section", SECTIONS)
def test_any_text_gives_a_picture_or_one_sentence(text, section):
    screen = well(visit_by_a_bad_link(PAGE, text=text, view=section))
    assert notices(screen) or maps(screen) is not None


def test_a_shorter_text_keeps_the_page_well():
    screen = visit(PAGE, mask_kind="window", mask_size=12, edit_position=12, query=12)
    screen.text_area(key="text").set_value("the dog .")
    screen = well(screen.run())
    assert maps(screen)[1].shape == (4, 4)
    assert encode(Experiment(text="the dog .")).ids
