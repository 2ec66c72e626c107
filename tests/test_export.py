"""Figures and data as files."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.run import Experiment
from model.switches import PARTS, Switches
from viz.export import file_name, to_csv


def read(data):
    """The lines of a CSV file, as a spreadsheet reads them."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_table_reads_back_cell_by_cell():
    table = {"word": ["the", 'a "quoted" one', "two\nlines", "comma, semicolon;"], "weight": [0.25, 0.5, 1.0, 0.0]}
    assert read(to_csv(table)) == [
        ["word", "weight"],
        ["the", "0.25"],
        ['a "quoted" one', "0.5"],
        ["two\nlines", "1.0"],
        ["comma, semicolon;", "0.0"],
    ]


def test_the_numbers_in_the_file_are_the_numbers_in_the_array():
    values = np.random.default_rng(0).random(50).astype(np.float32)
    lines = read(to_csv({"weight": values}))[1:]
    assert np.array_equal(np.array([line[0] for line in lines], dtype=np.float32), values)


def test_what_is_not_a_number_is_said():
    assert read(to_csv({"score": np.array([np.nan, -np.inf], dtype=np.float32)}))[1:] == [["nan"], ["-inf"]]


def test_a_spreadsheet_knows_the_encoding():
    assert to_csv({"word": ["naïve"]}).startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")'])
def test_a_word_is_never_a_formula(formula):
    (header,), (cell,) = read(to_csv({formula: [formula]}))
    assert header == cell == f"'{formula}"


def test_a_negative_number_stays_a_number():
    assert read(to_csv({"score": np.array([-1.5])}))[1] == ["-1.5"]


def test_columns_of_different_lengths_are_refused_with_both():
    with pytest.raises(ValueError, match=r"\[2, 3\]"):
        to_csv({"word": ["a", "b"], "weight": [1, 2, 3]})


def test_an_empty_table_is_a_line_of_names():
    assert read(to_csv({"word": [], "weight": np.zeros(0)})) == [["word", "weight"]]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_any_words_read_back(words):
    lines = read(to_csv({"n": range(len(words)), "word": words}))[1:]
    assert [line[0] for line in lines] == [str(n) for n in range(len(words))]
    for (_, cell), word in zip(lines, words, strict=True):
        assert cell in (word, f"'{word}")


def test_half_a_character_spoils_no_file():
    assert read(to_csv({"word": ["a\ud800b"]}))[1] == ["a?b"]


def test_a_name_says_the_experiment_and_the_figure():
    experiment = Experiment(switches=Switches(scale=False, heads_off=frozenset({(1, 2)})))
    assert file_name(experiment.name, "L0H3 weights") == "grammar-without-scale-L1H2-L0H3-weights"


@pytest.mark.parametrize("part", [part.name for part in PARTS])
def test_every_switch_gives_the_file_another_name(part):
    name = file_name(Experiment(switches=Switches().without(part)).name, "x")
    assert part in name
    assert name != file_name(Experiment().name, "x")


@settings(deadline=None)
@given(st.text(), st.text())
def test_a_file_name_is_a_file_name(experiment, figure):
    name = file_name(experiment, figure)
    assert not set(name) & set('/\\:*?"<>|\x00\n ')
    assert not name.startswith("-")
