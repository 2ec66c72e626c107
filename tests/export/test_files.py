"""What every figure of every page saves, column by column and value by value, against a reading of the model."""

import io
import json
import re
from base64 import b64decode

import every
import expected_costs
import expected_machine
import expected_pairs
import expected_parts
import expected_text
import expected_training
import expected_why
import numpy as np
import pytest
from expected_files import READINGS, Seen, counted
from screen import component, figures, visit, well
from test_arrays import npz
from test_arrays_page import dropped
from test_export import read

from model import Experiment, Switches, run
from model.checkpoint import read_card
from viz.export.column_names import ARRAYS, AXES, COLUMNS, OLD_NAMES, is_column
from viz.export.tables import NamedArray, to_csv, to_npz
from viz.labels import truncate
from viz.pages.positions.models import NAMES
from viz.pages.translate.compute import TRANSLATE_TASKS
from viz.ui.controls import EXAMPLE, PROSE

# They enter their readings.
assert all(
    (expected_text, expected_parts, expected_pairs, expected_machine, expected_training, expected_why, expected_costs)
)

ROUGH = {"ways": 1e-4, "forms": 1e-5}  # where two ways to the same number are the figure
NEAR = 2e-5  # float32, summed in another order


def same(actual, wanted, where, near=NEAR):
    """Whether two columns, or two arrays, hold the same: numbers to rounding, everything else to the letter."""
    actual, wanted = np.asarray(actual), np.asarray(wanted)
    if actual.dtype.kind in "fiu" and wanted.dtype.kind in "fiub":
        assert actual.shape == wanted.shape, where
        np.testing.assert_allclose(actual, wanted, rtol=20 * near, atol=near, err_msg=where)
    else:
        assert actual.astype(str).tolist() == wanted.astype(str).tolist(), where


def plain(cell):
    """Without the mark that keeps a spreadsheet from reading a formula."""
    return re.sub(r"^'(?=[=+\-@\t\r])", "", cell)


def column(cells, like):
    """The cells of a CSV as what stands in the other column: numbers, where that holds numbers."""
    if any(isinstance(item, (str, bool, np.bool_)) for item in like):
        return [plain(cell) for cell in cells]
    return [float(cell) if cell else np.nan for cell in cells]


def numbers(cells):
    """None is a number that is not there."""
    cells = list(cells)
    if any(cell is None for cell in cells):
        return [np.nan if cell is None else cell for cell in cells]
    return cells


# Columns that bear the name of a network, of a position scheme or of a question that the model is asked.
FREE_COLUMNS = {
    *(network for task in TRANSLATE_TASKS.values() for network in task.networks),
    *NAMES.values(),
    *read_card("grammar")["exam"]["accuracy"],
}


def check_names(columns, arrays, axes, where):
    """Every name is on the list of names, and none is of an earlier version."""
    columns = [plain(name) for name in columns]
    assert not [name for name in columns if not is_column(name) and name not in FREE_COLUMNS], where
    assert not [name for name in arrays if name not in ARRAYS and f"seed_{name}" not in axes], where
    assert not {name for name in axes if not name.startswith("seed_")} - AXES, where
    assert not (set(columns) | set(arrays) | set(axes)) & set(OLD_NAMES), where


def check_csv(file, reading, where, near):
    head, *lines = read(file)
    check_names(head, (), (), where)
    assert [plain(name) for name in head] == list(reading.table), where
    for name, actual, wanted in zip(head, zip(*lines, strict=True), reading.table.values(), strict=True):
        wanted = numbers(wanted)
        same(column(actual, wanted), wanted, f"{where}: {name}", near)


def check_npz(file, reading, where, near):
    with np.load(io.BytesIO(file), allow_pickle=False) as held:
        axes = json.loads(str(held["axes"]))
        if reading.arrays is None:
            assert {axis for names in axes.values() for axis in names} == {"row"}, where
            check_names((), (), ("row",), where)
            for axis_name, wanted in zip(axes, reading.table.values(), strict=True):
                same(held[axis_name], numbers(wanted), f"{where}: {axis_name}", near)
            return
        assert axes == {name: list(labels) for name, (labels, _) in reading.arrays.items()}, where
        check_names((), axes, {axis for names in axes.values() for axis in names}, where)
        for name, (labels, values) in reading.arrays.items():
            same(held[name], values, f"{where}: {name}", near)
            for axis, marks in labels.items():
                same(held[axis], list(marks), f"{where}: {axis} of {name}")


def check_html(file, seen):
    """The page in the file draws what the lab draws, and says where it comes from."""
    text = file.decode()
    origin = json.loads(re.search(r'id="origin">(.*?)</script>', text).group(1))
    assert (origin["figure"], origin["link"]) == (seen.key, f"/{seen.page}")
    charts = figures(seen.screen)
    if seen.key in charts:
        drawn = json.loads(re.search(r"Plotly\.newPlot\(\s*\"[^\"]+\",\s*(\[.*?\]),\s*\{", text, re.DOTALL).group(1))
        for chart_trace, other in zip(drawn, charts[seen.key]["data"], strict=True):
            assert {name: chart_trace.get(name) for name in "xyz"} == {name: other.get(name) for name in "xyz"}
    else:
        (mount,) = [
            element.proto for element in seen.screen.get("bidi_component") if element.proto.id.endswith(f"-{seen.key}")
        ]
        assert b64decode(re.search(r'id="data">(.*?)</script>', text).group(1)) == mount.bytes


def named(case):
    page, state = case
    return "-".join([page, *(value for _, value in state)])


@pytest.mark.parametrize("case", every.SHOWN, ids=named)
def test_every_file_of_a_page_holds_what_is_read_from_the_model(case):
    page, state = case
    for key in every.SHOWN[case]:
        seen, near = Seen(page, state, key), ROUGH.get(key, NEAR)
        reading = READINGS[key](seen)
        check_csv(every.files(page, state, "csv")[key].file, reading, f"{key}, CSV", near)
        check_npz(every.files(page, state, "npz")[key].file, reading, f"{key}, NPZ", near)
        check_html(every.files(page, state, "html")[key].file, seen)


@pytest.mark.parametrize(
    "names",
    [
        (["looks"], [], []),
        (["may look", "weight"], [], []),
        (["nobody"], [], []),
        ([], ["share_right"], []),
        ([], ["nobody"], []),
        ([], ["weights"], ["looked_at"]),
        ([], ["weights"], ["nobody"]),
    ],
    ids=str,
)
def test_the_rule_of_names_in_files_can_fail(names):
    with pytest.raises(AssertionError):
        check_names(*names, "a file")


def test_the_rule_of_names_in_files_can_hold():
    check_names(
        ["query", "0 the", "weight from 3 dog", "Transformer"], ["weights"], ["layer", "query", "key"], "a file"
    )


def test_no_name_of_an_earlier_version_is_a_name_of_today():
    assert not set(OLD_NAMES) & (COLUMNS | ARRAYS | AXES)
    assert not [name for name in OLD_NAMES if is_column(name)]
    assert not [name for name in OLD_NAMES.values() if not (is_column(name) or name in ARRAYS | AXES)]


def test_every_figure_has_a_reading_and_every_reading_a_figure():
    assert set(READINGS) == {key for keys in every.SHOWN.values() for key in keys}


# Tables that a page shows and does not save


@pytest.mark.parametrize("weights", ["grammar", "stories"])
def test_the_statistics_of_the_heads_are_those_of_their_rows(weights):
    screen = well(visit("viz/pages/heads/page.py", weights=weights, panel="Head statistics"))
    seen = Experiment(weights, PROSE if weights == "stories" else EXAMPLE)
    table = screen.dataframe[0].value
    trace, roles = run(seen), read_card(weights)["exam"]["relations"]
    each = "tokens" if weights == "stories" else "words"
    assert list(table)[:4] == ["layer", "head", "entropy (nats)", f"distance ({each})"]
    assert set(list(table)[4:]) == set(roles)
    heads = [(layer, head) for layer in range(len(trace.layers)) for head in range(len(trace.layers[0].attention.q))]
    assert list(zip(table["layer"], table["head"], strict=True)) == heads
    for line, (layer, head) in enumerate(heads):
        rows = trace.layers[layer].attention.weights[head].astype(np.float64)
        wide = np.mean([-sum(p * np.log(p) for p in row if p > 0) for row in rows])
        far = np.mean([sum(p * abs(t - s) for s, p in enumerate(row)) for t, row in enumerate(rows)])
        assert table["entropy (nats)"][line] == pytest.approx(wide, abs=0.0051)
        assert table[f"distance ({each})"][line] == pytest.approx(far, abs=0.0051)
        for name, score in roles.items():
            assert table[name][line] == pytest.approx(score["mass"][layer][head], abs=0.0051)


def test_the_table_of_the_norms_is_of_the_vectors_before_and_after_each():
    screen = well(visit("viz/pages/remove/page.py", scale="false", panel="Residual stream"))
    for shown, switches in zip(
        (frame.value for frame in screen.dataframe), (Switches(), Switches(scale=False)), strict=True
    ):
        layers = run(Experiment(text=EXAMPLE, switches=switches)).layers
        names = [f"L{layer} {which}" for layer in range(len(layers)) for which in ("first", "second")]
        assert list(shown["norm"]) == [*names, "final"]
        last = run(Experiment(text=EXAMPLE, switches=switches)).final_norm
        norms = [norm for layer in layers for norm in (layer.norm1, layer.norm2)] + [last]
        before = [x for layer in layers for x in (layer.resid_pre, layer.resid_mid)] + [layers[-1].resid_post]
        for line, (x, norm) in enumerate(zip(before, norms, strict=True)):
            for stage, vectors in (("before", x), ("normalised", norm.normalised), ("after", norm.out)):
                assert shown[f"mean {stage}"][line] == pytest.approx(np.mean([v.mean() for v in vectors]), abs=6e-4)
                assert shown[f"variance {stage}"][line] == pytest.approx(np.mean([v.var() for v in vectors]), abs=6e-4)


RNG = np.random.default_rng(3)
CROSSED = RNG.dirichlet(np.ones(5), (2, 4, 3)).astype(np.float32)  # (L, H, T, S): no two axes alike
THREE, FIVE = ["the", "the", "dog"], list("abcab")


@pytest.mark.parametrize("key", ["sentence", "grid", "enlarged"])
def test_the_tables_of_maps_from_a_file_are_those_maps(key):
    file = npz(attention=CROSSED, tokens=np.array(THREE), key_tokens=np.array(FIVE))
    screen = dropped(file, layer=1, head=2, query=1)
    screen.session_state[f"ask_{key}"] = {"kind": "csv", "link": "/your-model"}
    head, *lines = read(component(well(screen.run()), f"save_{key}")[1]["bytes"].tobytes())
    rows, columns = counted(THREE), counted(FIVE)
    if key == "sentence":
        assert head == ["position", "key", "weight from 1 the"]
        wanted = [(s, columns[s], CROSSED[1, 2, 1, s]) for s in range(5)]
    elif key == "grid":
        assert head == ["layer", "head", "row", "query", "column", "key", "weight"]
        cells = np.ndindex(CROSSED.shape)
        wanted = [(n, h, t, rows[t], s, columns[s], CROSSED[n, h, t, s]) for n, h, t, s in cells]
    else:
        assert head == ["query", *columns]
        wanted = [(rows[t], *CROSSED[1, 2, t]) for t in range(3)]
    for name, actual, those in zip(head, zip(*lines, strict=True), zip(*wanted, strict=True), strict=True):
        same(column(actual, those), list(those), name)


def test_the_rollout_of_maps_from_a_file_is_that_of_its_layers():
    square = RNG.dirichlet(np.ones(3), (2, 4, 3)).astype(np.float32)
    screen = dropped(npz(attention=square, tokens=np.array(THREE)), panel="Rollout")
    screen.session_state["ask_rollout"] = {"kind": "csv", "link": "/your-model"}
    head, *lines = read(component(well(screen.run()), "save_rollout")[1]["bytes"].tobytes())
    first, second = ((layer.mean(axis=0) + np.eye(3)) / 2 for layer in square)
    assert head == ["query", *counted(THREE)]
    assert [line[0] for line in lines] == counted(THREE)
    assert np.allclose(np.array([line[1:] for line in lines], dtype=float), second @ first, atol=1e-6)


def test_no_two_lines_of_a_table_have_one_key():
    """Words are keys of tables with one line a cell; three words "the" are three."""
    for (page, state), keys in every.SHOWN.items():
        if page != "translate" and ("view", "Why √d_k") not in state:
            for key in keys:
                head, *cells = read(every.files(page, state, "csv")[key].file) if key in CELLS else [()]
                lines = [tuple(line[head.index(name)] for name in CELLS[key]) for line in cells]
                assert len(set(lines)) == len(lines), key


CELLS = {
    "grid": ("layer", "head", "query", "key"),
    "compare": ("layer", "head", "query", "key"),
    "stages": ("query", "key"),
    "sentence": ("key",),
    "stream_length": ("stage", "word"),
    "leaks": ("word",),
    "worth": ("word",),
    "shuffled": ("word",),
    "moved_layer": ("sentence", "word"),
}


def test_marks_have_one_name_on_the_screen_and_in_every_file():
    table = {"<s>": ["<s>", "</s>", "the"], "n": [1, 2, 3]}
    wanted = [["⟨start⟩", "n"], ["⟨start⟩", "1"], ["⟨end⟩", "2"], ["the", "3"]]
    assert read(to_csv(table)) == wanted
    data = to_npz({"x": NamedArray(np.zeros(2), {"query": ["<s>", "<unk>"]})}, {})
    with np.load(io.BytesIO(data)) as held:
        assert held["query"].tolist() == [truncate("<s>"), truncate("<unk>")]
    for page, state in every.SHOWN:
        for key, saved in every.files(page, state, "csv").items() if page in ("heads", "masks") else ():
            assert "<s>" not in saved.file.decode(), key


def test_the_maps_that_are_read_are_not_symmetric():
    """Else a map that was transposed on its way into a file would go unnoticed."""
    for key in ("enlarged", "rollout"):
        state = (("panel", "Rollout"),)
        reading = READINGS[key](Seen("heads", state, key))
        ((_, values),) = reading.arrays.values()
        assert abs(np.asarray(values) - np.asarray(values).T).max() > 0.1
