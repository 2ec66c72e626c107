"""“Positions”: each question, each control and each link, run by Streamlit's own test runner."""

import io
import re

import numpy as np
import pytest
from equal import same_bits
from screen import component, notices, visit, visit_by_a_bad_link, well
from test_position import ABSOLUTE, RELATIVE

from model import Experiment, checkpoint
from model.analysis import sinusoid
from model.analysis.position_shift import score_changes
from model.analysis.position_similarity import position_similarity
from model.analysis.sinusoid import rotation, rotation_error, wavelengths
from model.analysis.word_shuffle import SWITCH_CASES, shuffle_all
from model.evaluation import first_digit
from model.position import POSITIONS
from model.run import encode
from model.training.first_digit import OrderRecipe
from model.transformer import Transformer
from viz.captions.positions import (
    describe_length_generalisation,
    describe_rope_period,
    describe_shift,
    format_number,
    join_with_and,
)
from viz.pages.positions import compute as positions_compute
from viz.pages.positions import length_generalisation, shift_test
from viz.pages.positions import models as positions_models
from viz.pages.positions.models import KINDS, NAMES
from viz.pages.positions.views import VIEWS
from viz.pages.positions.waves import ROTATION, ROTATION_OPEN, WAVES, WAVES_OPEN
from viz.ui import server_cache
from viz.ui.controls import EXAMPLE

PAGE = "viz/pages/positions/page.py"
FIGURE = dict(zip(VIEWS, ("waves_drawn", "turns_drawn", "distance", "shift", "shuffled", "lengths"), strict=True))


@pytest.fixture(autouse=True)
def few_questions(monkeypatch):
    """Fewer questions a point than a visitor gets: what is asked here is whether they are asked."""
    monkeypatch.setattr(length_generalisation, "N", 20)
    server_cache.clear()


def saves(screen, key):
    """The sentence under a figure, as it is read."""
    return "".join(text for text, _ in component(screen, f"save_{key}")[0]["reading"])


def table(screen, key):
    screen.session_state[f"table_{key}"] = True
    (shown,) = well(screen.run()).dataframe
    return shown.value


def titles(screen, key):
    return [panel["title"] for panel in component(screen, key)[0]["panels"]]


def test_every_scheme_has_its_name_on_the_page():
    assert set(NAMES) == set(POSITIONS)


@pytest.mark.parametrize("view", VIEWS)
def test_every_question_opens_from_a_link_with_its_figure_its_sentence_and_its_table(view):
    screen = well(visit(PAGE, view=view))
    assert component(screen, FIGURE[view])
    assert component(screen, f"save_{FIGURE[view]}")[0]["figure"] == FIGURE[view]
    assert len(table(screen, FIGURE[view])) > 0


@pytest.mark.parametrize("view", VIEWS)
def test_every_question_opens_by_a_click(view):
    screen = visit(PAGE)
    screen.segmented_control(key="view").set_value(view)
    assert component(well(screen.run()), FIGURE[view])


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("text", ["", "x" * 100_000, "<script>alert(1)</script>", "שלום", "a", "the " * 400])
def test_any_text_gives_a_picture_or_one_sentence(view, text):
    screen = well(visit_by_a_bad_link(PAGE, view=view, text=text))
    assert notices(screen) or component(screen, FIGURE[view])


BAD = {
    "view": ["zip"],
    "length": ["0", "7", "1e9", "long"],
    "width": ["31", "0", "-2", "wide"],
    "base": ["3", "-10000", "e"],
    "pos": ["256", "-1", "here"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_value_in_a_link_falls_back_and_says_so(name, value):
    screen = well(visit_by_a_bad_link(PAGE, **{name: value}))
    assert component(screen, "waves_drawn")[0]["state"] == WAVES_OPEN
    assert name in notices(screen)


@pytest.mark.parametrize(
    ("view", "name", "value"),
    [
        ("Rotation", "k", "65"),
        ("Rotation", "rotation_width", "3"),
        ("Position and distance", "order_layer", "9"),
        ("Position and distance", "order_head", "-1"),
        ("Position and distance", "wave_width", "17"),
        ("Position and distance", "model_kind", "both"),
        ("Shift test", "shift_by", "7"),
        ("Shift test", "shift_by", "far"),
        ("Length generalisation", "question_length", "1"),
        ("Length generalisation", "question_id", "-3"),
    ],
)
def test_so_does_a_bad_value_of_every_other_question(view, name, value):
    screen = well(visit_by_a_bad_link(PAGE, view=view, **{name: value}))
    assert component(screen, FIGURE[view])
    assert name in notices(screen)


# ---------------------------------------------------------------------------- waves and turns


def test_the_sliders_open_where_the_link_says():
    state = {"length": 40, "width": 12, "base": 100, "pos": 9}
    header, _ = component(well(visit(PAGE, **state)), "waves_drawn")
    assert header["state"] == state
    assert [tuple(slider["values"]) for slider in header["sliders"]] == [slider.values for slider in WAVES]
    turned = {"pos": 7, "k": 12, "rotation_width": 8, "base": 50}
    assert component(well(visit(PAGE, view="Rotation", **turned)), "turns_drawn")[0]["state"] == turned
    assert set(ROTATION_OPEN) == {slider.name for slider in ROTATION}


def test_the_table_of_waves_holds_the_encoding_and_names_the_length_of_each_wave():
    shown = table(visit(PAGE, length=40, width=12, base=100), "waves_drawn")
    encoding = sinusoid.table(40, 12, 100)  # (40, 12)
    assert same_bits(shown["position"], np.arange(40))
    np.testing.assert_allclose(shown.iloc[:, 1:].to_numpy(), encoding.numpy())
    lengths = [float(name.rpartition(" ")[2]) for name in shown.columns[1:]]
    np.testing.assert_allclose(lengths, np.repeat(wavelengths(12, 100).numpy(), 2), rtol=1e-3)


def test_the_table_of_turns_holds_the_blocks_and_the_residual():
    shown = table(visit(PAGE, view="Rotation", k=7, rotation_width=8, base=100), "turns_drawn")
    matrix = rotation(7, 8, 100).numpy()
    np.testing.assert_allclose(shown.iloc[:, 1], np.diagonal(matrix)[::2])
    np.testing.assert_allclose(shown.iloc[:, 2], np.diagonal(matrix, 1)[::2])
    assert all(value == pytest.approx(rotation_error(7, 256, 8, 100), abs=1e-12) for value in shown.iloc[:, 3])


# ---------------------------------------------------------------------------- distance


@pytest.mark.parametrize("kind", KINDS)
def test_the_maps_of_distance_are_those_of_the_trained_models(kind):
    screen = well(
        visit(PAGE, view="Position and distance", model_kind=kind, order_layer=1, order_head=3, wave_width=16)
    )
    _, arrays = component(screen, "distance")
    assert titles(screen, "distance") == list(NAMES.values())
    for drawn, name in zip(arrays["values"], NAMES, strict=True):
        similarity = position_similarity(name, checkpoint.load(f"order-{kind}-{name}")[0], 32, 1, 3, 16)
        is_drawn = np.isfinite(drawn)
        np.testing.assert_allclose(drawn[is_drawn], similarity.values[is_drawn], atol=1e-6)
        expected = np.isfinite(similarity.values) & (
            similarity.is_similarity or kind == "encoder" or np.tri(32, dtype=bool)
        )
        assert same_bits(is_drawn, expected)


def test_the_sentence_under_the_distances_is_read_from_them():
    screen = visit(PAGE, view="Position and distance", order_head=0)
    assert "−0.25 to −4.00 (ALiBi)" in saves(screen, "distance")  # slope 2^(-8/4) of the first of four heads


# ---------------------------------------------------------------------------- shift test


@pytest.mark.parametrize("kind", KINDS)
def test_the_shift_test_draws_the_largest_change_of_every_score_for_every_k(kind):
    header, arrays = component(well(visit(PAGE, view="Shift test", model_kind=kind, shift_by=2)), "shift")
    assert (header["step"]["value"], tuple(header["step"]["values"])) == (2, shift_test.MOVES)
    assert {panel["kind"] for panel in header["panels"]} == {"size"}, "never negative: no sign on the scale"
    for number, name in enumerate(NAMES):
        transformer, tokenizer = checkpoint.load(f"order-{kind}-{name}")
        changes = score_changes(transformer, tokenizer.encode(positions_compute.QUESTION).ids, shift_test.MOVES)
        for steps, drawn in zip(shift_test.MOVES, arrays["values"][:, number], strict=True):
            if changes[steps] is None:
                assert name == "learned" and steps > 10 and np.isnan(drawn).all()
            else:
                assert same_bits(drawn, np.abs(changes[steps]).max(axis=(0, 1)), "same operation")
                assert (np.nanmax(drawn) > 0.1) == (name in ABSOLUTE and steps > 0)


def test_a_title_tells_the_largest_change_and_the_sentence_who_stays():
    screen = visit(PAGE, view="Shift test", shift_by=5)
    by_scheme = dict(title.rsplit("  ", 1) for title in titles(screen, "shift"))
    assert float(by_scheme["Sinusoidal"]) > 1 and by_scheme["ALiBi"] == "0"
    stays = re.search(r"No score of (.*?) changes", saves(screen, "shift"))[1]
    assert all(NAMES[name] in stays for name in RELATIVE)


def test_moved_out_of_its_table_the_learned_scheme_ends_and_the_others_go_on():
    screen = well(visit(PAGE, view="Shift test", shift_by=16))
    by_scheme = dict(title.rsplit("  ", 1) for title in titles(screen, "shift"))
    assert by_scheme["Learned"] == "ends"
    assert [name for name, change in by_scheme.items() if change == "ends"] == ["Learned"]
    assert "its table has only 18 positions" in saves(screen, "shift")


def test_the_table_of_the_shift_test_has_both_precisions():
    shown = table(visit(PAGE, view="Shift test", shift_by=5), "shift")
    rope = shown[shown["scheme"] == "RoPE"].iloc[0]
    assert 0 < rope["in float64"] < 1e-12 < rope["largest change of a score, float32"] < 1e-4


@pytest.mark.parametrize("text", ["", "   ", "dogs bark", "a " * 18, "<b>", "a7"])
def test_a_sentence_these_models_cannot_read_is_said_and_replaced(text):
    screen = well(visit(PAGE, view="Shift test", question=text))
    assert notices(screen)
    assert component(screen, "shift")[0]["query_tokens"][1:] == positions_compute.QUESTION.split()


def test_a_sentence_of_ones_own_is_moved():
    screen = well(visit(PAGE, view="Shift test", question="1 b 2 ?"))
    assert not notices(screen)
    assert component(screen, "shift")[0]["query_tokens"][1:] == ["1", "b", "2", "?"]


# ---------------------------------------------------------------------------- shuffle test


def test_the_shuffle_test_shows_every_case_as_the_model_made_it():
    order = [0, 12, 1, 11, 2, 10, 3, 9, 4, 8, 5, 7, 6]
    screen = well(visit(PAGE, view="Shuffle test", word_order=".".join(map(str, order[1:]))))
    header, arrays = component(screen, "shuffled")
    assert header["order"] == order
    assert [case["name"] for case in header["cases"]] == list(SWITCH_CASES)
    cases = shuffle_all(Experiment(text=EXAMPLE), order)
    np.testing.assert_allclose(arrays["change"], [case.change for case in cases.values()], atol=1e-6)
    assert "same vectors" in header["cases"][0]["result"]
    assert not any("same vectors" in case["result"] for case in header["cases"][1:])
    assert "No positions, no mask: the same vectors in another order" in saves(screen, "shuffled")


def test_it_opens_with_two_words_exchanged():
    order = component(well(visit(PAGE, view="Shuffle test")), "shuffled")[0]["order"]
    assert sum(place != token for place, token in enumerate(order)) == 2


@pytest.mark.parametrize("order", ["1.2", "x", "1.1.2.3.4.5.6.7.8.9.10.11", "0.1.2", "-1", "1" * 2000, "²."])
def test_an_order_that_does_not_fit_is_said_and_replaced(order):
    screen = well(visit(PAGE, view="Shuffle test", word_order=order))
    assert "does not fit the sentence" in notices(screen)
    assert len(component(screen, "shuffled")[0]["order"]) == len(encode(Experiment(text=EXAMPLE)).ids)


@pytest.mark.parametrize("text", ["hello", "the dog", "the dog was tired ."])
def test_a_short_sentence_can_be_shuffled_too(text):
    header, _ = component(well(visit(PAGE, view="Shuffle test", text=text)), "shuffled")
    assert sorted(header["order"]) == list(range(len(text.split()) + 1))


def test_words_in_their_own_order_do_not_move():
    screen = well(visit(PAGE, view="Shuffle test", word_order=".".join(map(str, range(1, 13)))))
    assert not component(screen, "shuffled")[1]["change"].any()
    assert "is at its original position" in saves(screen, "shuffled")


# ---------------------------------------------------------------------------- too long


def test_accuracies_are_those_of_the_models_asked_here_and_asked_once(monkeypatch):
    screen = well(visit(PAGE, view="Length generalisation"))
    header, arrays = component(screen, "lengths")
    assert header["schemes"] == list(NAMES.values()) and header["lengths"] == list(OrderRecipe.lengths)
    for kind in KINDS:
        for number, name in enumerate(NAMES):
            model = checkpoint.load(f"order-{kind}-{name}")
            accuracies = [
                first_digit.accuracy(*model, length, 20, positions_compute.SEED) for length in OrderRecipe.lengths
            ]
            assert same_bits(
                arrays["accuracy"][KINDS.index(kind), number], np.array(accuracies, dtype=np.float32), "same operation"
            )
    assert "20 new questions per point" in saves(screen, "lengths")
    assert "its pair 1 of coordinates, which makes a full turn in 63 positions" in "".join(
        text.value for text in screen.markdown
    )
    count, forward = [], Transformer.forward
    monkeypatch.setattr(Transformer, "forward", lambda self, *a, **k: (count.append(1), forward(self, *a, **k))[1])
    well(visit(PAGE, view="Length generalisation", question_length=30))
    assert len(count) <= len(positions_models.MODELS), "one question each, and nothing measured again"


def test_a_file_asked_for_while_the_models_are_being_asked_holds_their_answers():
    screen = well(visit(PAGE, view="Length generalisation"))
    _, before = component(screen, "lengths")
    length_generalisation._tested.clear()  # as when other visitors have filled the cache since
    screen.session_state["ask_lengths"] = {"kind": "npz", "link": "/positions"}
    well(screen.run())
    header, arrays = component(screen, "save_lengths")
    assert header["ready"] == "npz"
    with np.load(io.BytesIO(arrays["bytes"].tobytes())) as file:
        assert np.allclose(file["accuracy"], before["accuracy"], equal_nan=True)


def test_why_rope_errs_is_said_only_where_it_shows():
    text = describe_rope_period(0.31, 64, 62.8, 1, 4, [0.3, 0.98, 0.32, 0.31])
    assert (
        "to 31 %, at 64 symbols" in text
        and "more than 31 positions back" in text
        and "**98 %**" in text
        and "32 %" in text
    )
    assert describe_rope_period(0.55, 64, 62.8, 1, 4, [0.55, 0.98, 0.5, 0.5]) == "", "not below guessing"
    assert describe_rope_period(0.31, 64, 62.8, 1, 4, [0.3, 0.45, 0.32, 0.31]) == "", "no pair is to blame"


def test_the_spread_of_the_seeds_is_that_of_the_cards():
    _, arrays = component(visit(PAGE, view="Length generalisation"), "lengths")
    accuracies = [seed["accuracy"]["48"] for seed in checkpoint.read_card("order-encoder-alibi")["seeds"]]
    cell = (0, list(NAMES).index("alibi"), OrderRecipe.lengths.index(48))
    assert arrays["low"][cell] == pytest.approx(min(accuracies)) and arrays["high"][cell] == pytest.approx(
        max(accuracies)
    )


def answers(screen):
    (shown,) = [text.value for text in screen.markdown if text.value.startswith("| p(")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in shown.splitlines()[2:]]
    return {name: given for name, *given in rows}


def test_one_question_is_answered_by_every_model_and_past_its_table_the_learned_one_says_why():
    screen = well(visit(PAGE, view="Length generalisation", question_length=40, question_id=5))
    rows = answers(screen)
    assert list(rows) == list(NAMES.values())
    assert rows.pop("Learned") == ["ends", "ends"]
    assert all(0 <= float(share) <= 1 for shares in rows.values() for share in shares)
    assert "This model learned 18 positions and the text has 42 tokens" in notices(screen)


def test_within_the_trained_length_every_model_answers():
    screen = well(visit(PAGE, view="Length generalisation", question_length=12))
    assert "learned 18 positions" not in notices(screen)
    assert all(float(share) > 0.5 for name, shares in answers(screen).items() for share in shares if name != "None")


def test_nothing_that_only_changes_the_view_runs_the_model(monkeypatch):
    visit(PAGE, view="Shuffle test")
    count, forward = [], Transformer.forward
    monkeypatch.setattr(Transformer, "forward", lambda self, *a, **k: (count.append(1), forward(self, *a, **k))[1])
    for view in ("Waves", "Rotation", "Position and distance", "Shuffle test"):
        well(visit(PAGE, view=view))
    assert not count


# ---------------------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (3.2e-7, "3·10⁻⁷"), (1e-16, "1·10⁻¹⁶"), (3e-3, "3·10⁻³"), (0.4, "0.40"), (12.34, "12.3")],
)
def test_a_change_is_spelt_as_people_read_it(value, text):
    assert format_number(value) == text


def test_names_are_listed_as_people_say_them():
    assert join_with_and(["a"]) == "a"
    assert join_with_and(["a", "b", "c"]) == "a, b and c"


def test_before_anything_has_moved_the_sentence_says_so():
    assert describe_shift({"RoPE": 0.0}, 0, {}) == "The sentence is at its original position. Move the slider."


def test_the_sentence_of_lengths_names_the_best_first_and_what_has_ended():
    accuracies = np.full((2, 3, 2), 1.0)
    accuracies[0, 0], accuracies[0, 1], accuracies[:, 2] = [1, 0.6], [1, np.nan], 0.5
    text = describe_length_generalisation(["Waves", "Learned", "None"], [16, 32], accuracies, 16, "Here")
    assert (
        "the share of right answers of the encoders is: Waves 60 %. The position table ends before this "
        "length: Learned. Here." in text
    )
