"""Figures and data as files."""

import csv
import io
import json

import numpy as np
import pytest
from equal import same_bits
from hypothesis import given, settings
from hypothesis import strategies as st

from model.run import Experiment
from model.switches import PARTS, Switches
from viz.export.provenance import Provenance, footer
from viz.export.tables import NamedArray, columns, file_name, to_csv, to_npz


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
    assert same_bits(np.array([line[0] for line in lines], dtype=np.float32), values, "copied")


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


# Arrays with named axes


def unpacked(data):
    """The arrays of an NPZ file. Nothing in it may be pickled."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return dict(file)


def test_arrays_come_back_exactly_with_the_names_of_their_axes():
    weights = np.random.default_rng(0).random((2, 3)).astype(np.float32)
    words = ["the", "dog", "the"]
    data = to_npz({"weights": NamedArray(weights, {"head": range(2), "key": words})}, {"weights": "grammar"})
    held = unpacked(data)
    assert held["weights"].dtype == np.float32
    assert same_bits(held["weights"], weights, "copied")
    assert held["key"].tolist() == words, "a repeated word keeps its own place"
    assert json.loads(str(held["axes"])) == {"weights": ["head", "key"]}
    assert json.loads(str(held["origin"])) == {"weights": "grammar"}


def test_labels_that_do_not_fit_are_refused_with_both_shapes():
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        NamedArray(np.zeros(2), {"word": ["a", "b", "c"]})


def test_two_axes_of_one_name_must_bear_the_same_labels():
    first, other = (NamedArray(np.zeros(2), {"word": words}) for words in (["a", "b"], ["a", "c"]))
    with pytest.raises(ValueError, match='two axes are called "word"'):
        to_npz({"x": first, "y": other}, {})


@pytest.mark.parametrize("name", ["axes", "origin", "word"])
def test_a_name_is_taken_once(name):
    with pytest.raises(ValueError, match="names used twice"):
        to_npz({name: NamedArray(np.zeros(2), {"word": ["a", "b"]})}, {})


def test_a_table_becomes_arrays_that_python_can_name():
    table = {
        "key token": ["a", "b"],
        "q·k": [1.0, None],
        "2nd": [1, 2],
        "q k": [3, 4],
        "…": [5, 6],
        "seen": [True, False],
    }
    held = unpacked(to_npz(columns(table), {}))
    assert held["key_token"].tolist() == ["a", "b"]
    assert same_bits(held["q_k"], [1.0, np.nan], "copied")
    assert held["_2nd"].tolist() == [1, 2]
    assert held["q_k_"].tolist() == [3, 4]
    assert held["column"].tolist() == [5, 6]
    assert held["seen"].tolist() == [True, False]
    assert all(name.isidentifier() for name in held)


def test_the_grid_of_all_heads_is_named_after_no_head():
    assert file_name(Experiment(switches=Switches(scale=False)).name, "all-heads") == "grammar-without-scale-all-heads"


def test_an_origin_leaves_out_what_there_is_none_of():
    origin = Provenance("waves", "0.1.0").to_json()
    assert origin == {"software": "Attention Lab", "figure": "waves", "version": "0.1.0"}
    assert footer(origin) == "Attention Lab 0.1.0"


def test_a_foot_says_where_it_all_comes_from():
    origin = Provenance("grid", "0.1.0", weights="grammar", seed=0, notice="without scaling").to_json(
        "http://localhost/"
    )
    assert footer(origin) == "Attention Lab 0.1.0  ·  grammar, seed 0  ·  without scaling  ·  http://localhost/"
