"""The figures, by their data and never by their pixels: what is drawn is what the model did."""

import re
from html import unescape

import numpy as np
import pytest
from equal import same_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from viz.captions.heads import (
    Named,
    alt_text,
    describe_head_grid,
    describe_next_token,
    describe_row,
    markdown_runs,
    most_informative_row,
)
from viz.figures.heatmap import MAX_LABELS, heatmap
from viz.labels import axis_labels, markdown, truncate
from viz.theme import THEMES

LIGHT, DARK = THEMES["light"], THEMES["dark"]
themes = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
HOSTILE = [
    "<a href='https://example.org'>x</a>",
    "<b>",
    "$x$",
    "_",
    "&",
    "&lt;",
    "<script>",
    "%{z}",
    "a\u202eb",
    "👩🏽\u200d🚀",
]
WORDS = ["<s>", "the", "dogs", "near", "the", "trees"]


def causal(n):
    """Weights (n, n) as a causal head makes them, and the mask (n, n) that allowed them."""
    mask = np.tril(np.ones((n, n), dtype=bool))
    scores = np.where(mask, np.random.default_rng(n).normal(size=(n, n)) * 3, -np.inf)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32), mask


def cells(figure):
    trace = figure.data[0]
    return np.asarray(trace.z)


def texts(figure):
    """Every string that Plotly may read as text, colours and the background image aside."""

    def walk(value, key=""):
        if isinstance(value, str) and key not in ("source", "family"):
            yield value
        elif isinstance(value, dict):
            for name, item in value.items():
                yield from walk(item, name)
        elif isinstance(value, (list, tuple)):
            for item in value:
                yield from walk(item, key)

    shown = figure.to_dict()
    shown["layout"].pop("template")
    return list(walk(shown))


# The heat map


def test_every_cell_holds_the_exact_number():
    weights, mask = causal(6)
    drawn = cells(heatmap(weights, WORDS, WORDS, theme=LIGHT, mask=mask))
    assert drawn.dtype == np.float32
    assert same_bits(drawn[mask], weights[mask], "copied")


def test_what_is_not_allowed_is_a_gap_and_not_a_nought():
    weights, mask = causal(6)
    drawn = cells(heatmap(weights, WORDS, WORDS, theme=LIGHT, mask=mask))
    assert same_bits(np.isnan(drawn), ~mask)


def test_an_allowed_nought_is_drawn_as_nought():
    mask = np.tril(np.ones((2, 2), dtype=bool))
    assert cells(heatmap(np.zeros((2, 2)), ["a", "b"], ["a", "b"], theme=LIGHT, mask=mask))[1].tolist() == [0, 0]


def test_without_a_mask_nothing_is_left_out():
    scores = np.arange(-6, 6, dtype=np.float32).reshape(3, 4)
    assert same_bits(cells(heatmap(scores, "abc", "abcd", theme=LIGHT, signed=True)), scores, "copied")


def test_infinite_scores_are_gaps_and_leave_the_scale_alone():
    scores = np.array([[1.0, -np.inf], [-3.0, 2.0]])
    figure = heatmap(scores, "ab", "ab", theme=LIGHT, signed=True)
    assert np.isnan(cells(figure)[0, 1])
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-3, 3)


def test_a_masked_score_never_stretches_the_scale():
    scores, mask = np.array([[1.0, 900.0], [2.0, -1.0]]), np.array([[True, False], [True, True]])
    figure = heatmap(scores, "ab", "ab", theme=LIGHT, signed=True, mask=mask)
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-2, 2)


@settings(deadline=None, max_examples=30)
@given(arrays.arrays(np.float32, (3, 3), elements=st.floats(0, 1, width=32)))
def test_weights_are_always_on_the_scale_from_nought_to_one(weights):
    (trace,) = heatmap(weights, "abc", "abc", theme=LIGHT).data
    assert (trace.zmin, trace.zmax) == (0, 1)
    assert list(trace.colorscale) == LIGHT.weight_scale


@settings(deadline=None, max_examples=30)
@given(arrays.arrays(np.float32, (3, 3), elements=st.floats(-1e6, 1e6, width=32)))
def test_scores_are_always_on_a_scale_symmetric_about_nought(scores):
    (trace,) = heatmap(scores, "abc", "abc", theme=DARK, signed=True).data
    assert trace.zmin == -trace.zmax < 0
    assert trace.zmax == pytest.approx(np.abs(scores).max() or trace.zmax)
    assert list(trace.colorscale) == DARK.signed_scale


@pytest.mark.parametrize("signed", [False, True])
def test_a_map_of_nothing_but_gaps_still_draws(signed):
    figure = heatmap(np.full((2, 2), np.nan), "ab", "ab", theme=LIGHT, signed=signed)
    assert np.isnan(cells(figure)).all()
    assert figure.data[0].zmin < figure.data[0].zmax


def test_a_repeated_word_keeps_its_own_row_and_column():
    weights, mask = causal(6)
    figure = heatmap(weights, WORDS, WORDS, theme=LIGHT, mask=mask)
    assert cells(figure).shape == (6, 6)
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert axis.tickmode == "array"
        assert list(axis.tickvals) == list(range(6)), "an axis counts positions"
        assert list(axis.ticktext) == axis_labels(WORDS)


def test_words_that_look_like_numbers_are_still_words():
    figure = heatmap(np.eye(3), ["7", "2", "7"], ["7", "2", "7"], theme=LIGHT)
    assert list(figure.layout.yaxis.tickvals) == [0, 1, 2]
    assert list(figure.layout.yaxis.ticktext) == ["7", "2", "7"]
    assert figure.data[0].x is None, "cells stand at their positions"
    assert figure.data[0].y is None


def test_the_first_word_stands_at_the_top_and_at_the_left():
    layout = heatmap(np.eye(2), "ab", "ab", theme=LIGHT).layout
    assert layout.yaxis.autorange == "reversed"
    assert layout.xaxis.autorange in (None, True)


def test_the_axes_say_that_columns_are_keys_and_rows_are_queries():
    layout = heatmap(np.eye(2), "ab", "ab", theme=LIGHT).layout
    assert layout.xaxis.title.text == "keys →"
    assert layout.yaxis.title.text == "← queries"


@pytest.mark.parametrize(("rows", "columns"), [(2, 3), (3, 2), (3, 4), (0, 3)])
def test_words_that_do_not_fit_are_refused_with_both_sides(rows, columns):
    with pytest.raises(ValueError, match=rf"{rows} .*{columns} .*\(3, 3\)"):
        heatmap(np.eye(3), ["a"] * rows, ["a"] * columns, theme=LIGHT)


@pytest.mark.parametrize("n", [1, 12, 32, 41, 100, 512])
def test_many_words_are_labelled_at_even_steps_and_few_all(n):
    words = [f"w{index}" for index in range(n)]
    axis = heatmap(np.zeros((n, n)), words, words, theme=LIGHT).layout.yaxis
    ticks = list(axis.tickvals)
    assert len(ticks) <= MAX_LABELS
    assert ticks == list(range(0, n, ticks[1] if len(ticks) > 1 else 1))
    assert list(axis.ticktext) == [words[position] for position in ticks]
    assert cells(heatmap(np.zeros((n, n)), words, words, theme=LIGHT)).shape == (n, n), "no cell is pooled away"


def test_the_row_that_is_read_is_outlined():
    (outline,) = heatmap(np.eye(4), "abcd", "abcd", theme=LIGHT, row=2).layout.shapes
    assert (outline.x0, outline.x1, outline.y0, outline.y1) == (-0.5, 3.5, 1.5, 2.5)
    assert not heatmap(np.eye(4), "abcd", "abcd", theme=LIGHT).layout.shapes


def test_the_hatching_lies_behind_the_cells_and_covers_them():
    (image,) = heatmap(np.zeros((3, 5)), "abc", "abcde", theme=LIGHT).layout.images
    assert (image.x, image.y, image.sizex, image.sizey) == (-0.5, -0.5, 5, 3)
    assert image.layer == "below"


def test_a_figure_leaves_its_input_alone():
    weights, mask = causal(5)
    weights.setflags(write=False)
    mask.setflags(write=False)
    heatmap(weights, "abcde", "abcde", theme=LIGHT, mask=mask)


# All figures


def drawings(words, theme=LIGHT):
    n = len(words)
    yield heatmap(np.eye(n), words, words, theme=theme, row=0)


@themes
def test_every_figure_sets_its_own_colours(theme):
    for figure in drawings(["a", "b"], theme):
        assert figure.layout.template.layout.paper_bgcolor == theme.paper
        other = LIGHT if theme is DARK else DARK
        assert other.paper not in str(figure.to_dict())


def test_no_word_becomes_markup_whatever_it_holds():
    for figure in drawings(HOSTILE[:8]):
        for text in texts(figure):
            assert not re.search(r"<(?!br>|/?extra>)", text), text
            assert "$" not in text, text


def test_every_hostile_word_is_still_there_to_read():
    figure = heatmap(np.eye(len(HOSTILE)), HOSTILE, HOSTILE, theme=LIGHT)
    read = [unescape(label) for label in figure.layout.xaxis.ticktext]
    assert read[1:] == ["<b>", "$x$", "_", "&", "&lt;", "<script>", "%{z}", "ab", "👩🏽\u200d🚀"]
    assert read[0].startswith("<a href=")


def test_a_figure_of_a_sentence_is_a_few_kilobytes():
    words = ["word"] * 16
    weights, mask = causal(16)
    assert len(heatmap(weights, words, words, theme=LIGHT, mask=mask).to_json()) < 20_000


# Sentences


def test_the_pieces_of_a_sentence_are_its_words_with_the_stressed_ones_marked():
    assert markdown_runs("After **was** it is 0.30.") == [("After ", False), ("was", True), (" it is 0.30.", False)]
    assert markdown_runs("") == []


@pytest.mark.parametrize("word", [*HOSTILE[:8], "**", "*", "a\\b", "**x**"])
def test_a_word_stands_in_the_pieces_as_it_is_whatever_it_holds(word):
    assert markdown_runs(f"**{markdown(word)}** looks") == [(truncate(word, 24), True), (" looks", False)]


def numbers(sentence):
    return [float(number) for number in re.findall(r"\d+\.\d+", sentence)]


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 12), st.integers(0, 11))
def test_the_number_in_the_sentence_is_the_number_in_the_row(n, row):
    row %= n
    weights, _ = causal(n)
    sentence = describe_row(weights, [f"w{index}" for index in range(n)], row)
    assert numbers(sentence) == [pytest.approx(weights[row].max(), abs=0.005)]


@pytest.mark.parametrize(
    ("row_weights", "sentence"),
    [
        ([0.0, 0.9, 0.1, 0.0], "**c** puts 0.90 of its attention on **b**, 1 word back."),
        ([0.1, 0.0, 0.0, 0.9], "**c** puts 0.90 of its attention on **d**, 1 word ahead."),
        ([0.0, 0.2, 0.8, 0.0], "**c** puts 0.80 of its attention on itself."),
        ([0.7, 0.1, 0.1, 0.1], "**c** puts 0.70 of its attention on the start token."),
        ([0.25, 0.26, 0.25, 0.24], "**c** spreads its attention. The largest share, 0.26, goes to **b**, 1 word back."),
        ([0.0, 0.0, 0.0, 0.0], "**c** attends to nothing: its row is zero."),
        ([np.nan, 0.5, 0.5, 0.0], "**c**: this row holds values that are not numbers."),
    ],
)
def test_a_row_is_read_as_what_it_is(row_weights, sentence):
    weights = np.zeros((4, 4))
    weights[2] = row_weights
    assert describe_row(weights, ["<s>", "b", "c", "d"], 2) == sentence


def test_a_sentence_names_no_link():
    weights = np.array([[1.0, 0.0], [1.0, 0.0]])
    sentence = describe_row(weights, ["[x](javascript:alert(1))", "<a href=x>"], 1)
    assert "<" not in sentence
    assert "](" not in sentence


def test_the_next_word_is_read_with_its_own_numbers():
    sentence = describe_next_token(np.array([0.75, 0.125, 0.0625, 0.01]), ["was", "were", "is", "a"], "tired")
    assert sentence == "After “tired” the model predicts **was** 0.75, **were** 0.12, **is** 0.06."


def test_the_telling_row_is_the_one_with_a_large_far_weight():
    weights = np.eye(6) * 0.9
    weights[4] = [0, 0.9, 0, 0, 0.1, 0]
    assert most_informative_row(weights) == 4


def test_resting_on_the_start_mark_tells_little():
    weights = np.zeros((6, 6))
    weights[:, 0] = 1
    weights[3] = [0, 1, 0, 0, 0, 0]
    assert most_informative_row(weights) == 3


def test_a_row_can_be_told_even_when_nothing_is_a_number():
    assert most_informative_row(np.full((3, 3), np.nan)) in range(3)


def test_the_grid_says_how_many_heads_were_found_a_job():
    sentence = describe_head_grid(
        [[["a 0.9", "c 0.6"], []], [[], ["b 0.7"]]], Named("1,200 fresh sentences", 0.6), intact=True, pooled=False
    )
    assert sentence.startswith("2 of 4 heads")
    assert "1,200" in sentence
    assert "0.60 or more" in sentence
    assert "part" not in sentence


def test_the_grid_says_what_its_names_leave_out():
    named = Named("12 passages", 0.5, parts_better=1, last="first token")
    sentence = describe_head_grid([[["a 0.9"], []]], named, intact=True, pooled=False)
    assert "“First token” labels a head only where no other relation does" in sentence
    assert "1 of these heads matches a part of a relation better" in sentence


def test_the_grid_says_when_a_cell_stands_for_a_block_of_words():
    assert "block" in describe_head_grid([[[]]], Named("1 sentence", 0.5), intact=True, pooled=True)
    assert "block" not in describe_head_grid([[[]]], Named("1 sentence", 0.5), intact=True, pooled=False)


def test_the_text_for_those_who_cannot_see_has_no_marks_and_no_entities():
    weights = np.array([[1.0, 0.0], [0.9, 0.1]])
    assert alt_text(describe_row(weights, ["$x$", "<b>"], 1)) == "<b> puts 0.90 of its attention on $x$, 1 word back."
