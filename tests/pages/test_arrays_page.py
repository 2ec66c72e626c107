"""“Your model”: a file of attention weights dropped on the page, run by Streamlit's own test runner."""

import io
import json

import numpy as np
import pytest
from equal import close, same_bits
from screen import component, ignored, large, notices, shows_a_picture, visit, visit_by_a_bad_link, well
from test_arrays import GOOD, WORDS, npy, npz, zipped

from model.run import Experiment, encode, run
from viz.export.attention_arrays import read
from viz.pack import encode_weights
from viz.pages.your_model import uploaded_maps
from viz.ui import head_facts
from viz.ui.controls import PROSE

PAGE = "viz/pages/your_model/page.py"
SQUARE = npz(attention=np.random.default_rng(0).dirichlet(np.ones(3), (2, 4, 3)), tokens=np.array(WORDS))
CROSS = npz(
    attention=np.random.default_rng(1).dirichlet(np.ones(5), (2, 4, 3)),
    tokens=np.array(WORDS),
    looked_at=np.array(list("abcde")),
)


def dropped(file, name="maps.npz", **parameters):
    """The page after that file was dropped on it. It holds every part of the link."""
    screen = dropped_by_a_bad_link(file, name, **parameters)
    assert not (unused := ignored(screen, parameters)), unused
    return screen


def dropped_by_a_bad_link(file, name="maps.npz", **parameters):
    """The same for a link of which the page may ignore a part."""
    screen = visit_by_a_bad_link(PAGE, **parameters)  # the controls come with the file
    screen.file_uploader[0].upload(name, file)
    return well(screen.run())


def sentence(screen, key):
    return "".join(text for text, _ in component(screen, f"save_{key}")[0]["reading"])


def test_without_a_file_the_page_says_how_to_make_one():
    screen = well(visit(PAGE))
    assert not shows_a_picture(screen)
    assert any("np.savez_compressed" in text.value for text in screen.markdown)
    assert not notices(screen)


def test_the_sample_holds_the_weights_that_stories_has_for_its_sentence():
    """After a new training of `stories`, `sample.npz` is saved anew: np.savez_compressed with these three arrays."""
    experiment = Experiment("stories", PROSE)
    layers = [layer.attention for layer in run(experiment).layers]
    expected = {
        "attention": np.stack([layer.weights for layer in layers]).astype(np.float16),
        "tokens": np.array(encode(experiment).tokens),
        "mask": layers[0].mask[0],
    }
    with np.load(uploaded_maps.SAMPLE) as sample:
        assert sample["tokens"].tolist() == expected["tokens"].tolist()
        assert sample["mask"].tolist() == expected["mask"].tolist()
        assert close(sample["attention"].astype(np.float64), expected["attention"].astype(np.float64), absolute=1e-3)
    assert uploaded_maps.SAMPLE.stat().st_size < 10_000


def test_the_sample_fills_the_page_and_a_link_opens_it():
    screen = visit(PAGE)
    assert not shows_a_picture(screen)
    screen.toggle(key="sample").set_value(True)
    assert component(well(screen.run()), "grid")[1]["cells"].shape == (4, 6, 16, 16)
    linked = visit(PAGE, sample="true", layer=2, head=3)
    assert component(linked, "grid")[0]["selected"] == [2, 3]
    assert not any("cannot contain the file" in note.value for note in [*linked.info, *linked.sidebar.caption])


def test_every_head_one_large_and_the_sentence_show_the_numbers_of_the_file():
    screen = dropped(SQUARE, layer=1, head=2, query=1)
    weights = read(SQUARE).weights
    assert component(screen, "grid")[1]["cells"].shape == (2, 4, 3, 3)
    assert same_bits(large(screen), weights[1, 2], "copied")
    header, arrays = component(screen, "sentence")
    assert (header["tokens"], header["row"], header["keys"]) == (WORDS, 1, None)
    assert same_bits(arrays["weights"], weights[1, 2], "copied")
    assert f"{weights[1, 2, 1].max():.2f}" in sentence(screen, "enlarged")


def test_a_map_that_is_no_square_bears_its_two_lists_of_words():
    screen = dropped(CROSS)
    assert component(screen, "grid")[0]["key_tokens"] == list("abcde")
    assert component(screen, "sentence")[0]["keys"]["tokens"] == list("abcde")
    header, _ = component(screen, "enlarged")
    assert (header["query_tokens"], header["key_tokens"]) == (WORDS, list("abcde"))
    assert "back" not in sentence(screen, "enlarged")
    screen.segmented_control(key="panel").set_value("Rollout")
    assert any("needs self-attention" in text.value for text in well(screen.run()).markdown)


def test_the_sharpest_head_is_shown_first():
    weights = np.full((2, 2, 3, 3), 1 / 3)
    weights[1, 0] = np.eye(3)
    screen = dropped(npz(attention=weights, tokens=np.array(WORDS)))
    assert component(screen, "grid")[0]["selected"] == [1, 0]
    assert "layer 1, head 0 is the sharpest: on average, it gives 1.00" in sentence(screen, "grid")


def test_statistics_are_a_line_for_each_head_checked_by_hand():
    weights = np.stack([np.eye(3), np.eye(3)[::-1], np.full((3, 3), 1 / 3)])
    table = dropped(npz(attention=weights, tokens=np.array(WORDS))).dataframe[0].value
    assert table["entropy (nats)"].tolist() == [0, 0, 1.1]  # ln 3
    assert table["distance (words)"].tolist() == [0, 1.33, 0.89]  # (2 + 0 + 2) / 3 and (3 + 2 + 3) / 9
    assert table["largest weight"].tolist() == [1, 1, 0.33]
    assert "distance (words)" not in dropped(CROSS).dataframe[0].value


def test_rollout_of_a_head_that_looks_at_itself_is_the_identity():
    screen = dropped(npz(attention=np.eye(3), tokens=np.array(WORDS)), panel="Rollout")
    assert same_bits(large(screen, "rollout"), np.eye(3), "exact")


def test_a_rollout_leaves_out_the_cells_that_no_layer_leads_to_and_no_others():
    first, second = np.eye(3), np.array([[1, np.nan, np.nan], [1, np.nan, np.nan], [np.nan, 0.5, 0.5]])
    first[first == 0] = np.nan  # the first layer has the diagonal alone
    screen = dropped(npz(attention=np.stack([first, second])[:, None], tokens=np.array(WORDS)), panel="Rollout")
    by_hand = [[1, np.nan, np.nan], [0.5, 0.5, np.nan], [np.nan, 0.25, 0.75]]
    assert close(large(screen, "rollout"), by_hand)
    assert "assumes that half of each step comes from a residual connection" in sentence(screen, "rollout")


def test_cells_that_are_not_there_are_absent_and_rows_that_do_not_sum_are_said():
    weights = np.array([[1, np.nan], [0.2, 0.3]])
    screen = dropped(npz(attention=weights, tokens=np.array(["a", "b"])))
    assert np.isnan(large(screen)[0, 1])
    assert "1 of 2 rows does not sum to 1: the sum is 0.50" in notices(screen)


OLD_AXES = {"query": "looks", "key": "looked_at"}  # in the files that earlier versions saved


@pytest.mark.parametrize("names", [{}, OLD_AXES], ids=["names of today", "names of earlier versions"])
def test_the_labs_own_file_of_all_heads_opens_again(names):
    screen = visit()
    screen.session_state["ask_grid"] = {"kind": "npz", "link": "/"}
    file = component(well(screen.run()), "save_grid")[1]["bytes"].tobytes()
    with np.load(io.BytesIO(file)) as saved:
        assert {"query", "key"} <= set(saved)
        file = npz(**{names.get(name, name): values for name, values in saved.items()})
        opened = dropped(file, layer=1, head=2)
        assert same_bits(large(opened), saved["weights"][1, 2], "copied")
        assert component(opened, "sentence")[0]["keys"] is None


@pytest.mark.parametrize("key", ["sentence", "grid", "enlarged", "rollout"])
def test_the_files_of_a_figure_name_the_file_they_came_from_and_its_lines_give_its_numbers(key, tmp_path, monkeypatch):
    screen = dropped(SQUARE, "my maps.npz", layer=1, head=2, query=1, panel="Rollout")
    screen.session_state[f"ask_{key}"] = {"kind": "npz", "link": "/your-model"}
    header, arrays = component(well(screen.run()), f"save_{key}")
    assert header["file"].startswith("my-maps-")
    (tmp_path / "my maps.npz").write_bytes(SQUARE)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    exec(header["python"], namespace)
    with np.load(io.BytesIO(arrays["bytes"].tobytes())) as saved:
        assert json.loads(str(saved["origin"]))["file"] == "my maps.npz"
        name = "rollout" if key == "rollout" else "weights"
        assert close(saved[name], namespace[name])


@pytest.mark.parametrize("file", [b"", b"no zip", GOOD[:-40], zipped(attention=npy(shape="(99999, 99999, 9, 9)"))])
def test_a_file_that_cannot_be_shown_is_answered_with_one_sentence(file):
    screen = dropped(file)
    assert notices(screen).endswith(".")
    assert not screen.dataframe


def test_names_in_a_file_are_letters_and_never_markup():
    evil = ["<b>bold</b>", "[a](javascript:alert(1))", "$x$"]
    screen = dropped(npz(attention=np.eye(3), tokens=np.array(evil)), "<img src=x>.npz")
    assert component(screen, "sentence")[0]["full"] == evil
    assert not any("<b>" in text.value or "<img" in text.value for text in (*screen.markdown, *screen.caption))


def test_a_link_that_was_made_with_a_file_says_that_it_cannot_hold_one():
    assert "A link cannot contain a file." in notices(well(visit_by_a_bad_link(PAGE, layer=1, head=2)))


def test_a_link_to_a_head_that_is_not_in_the_file_falls_back_and_says_so():
    screen = dropped_by_a_bad_link(SQUARE, layer=99)
    assert screen.session_state["layer"] < 2
    assert "layer" in notices(screen)


def test_a_table_of_too_many_cells_keeps_the_largest_and_says_so(monkeypatch):
    monkeypatch.setattr(head_facts, "MAX_TABLE_LINES", 10)
    weights = read(SQUARE).weights
    table = head_facts.cell_table(weights, WORDS)
    assert len(table["weight"]) == 10
    assert sorted(table["weight"]) == sorted(np.sort(weights.ravel())[-10:])
    places = zip(table["layer"], table["head"], table["row"], table["column"], strict=True)
    assert [weights[place] for place in places] == list(table["weight"])
    assert (
        head_facts.truncation_note(weights)
        == " The table and the CSV keep the 10 largest of 72 weights; the NPZ keeps all."
    )


def test_twelve_layers_of_twelve_heads_of_512_tokens_open_and_a_click_sends_three_megabytes(monkeypatch):
    packed = []
    monkeypatch.setattr(uploaded_maps, "encode_weights", lambda *maps: packed.append(1) or encode_weights(*maps))
    weights = np.broadcast_to(np.eye(512, dtype=np.float16), (12, 12, 512, 512))
    file = io.BytesIO()
    np.savez_compressed(file, attention=weights, tokens=np.array(["w"] * 512))
    screen = dropped(file.getvalue())
    screen.session_state["layer"], screen.session_state["head"] = 7, 5
    well(screen.run())
    sent = {mount.proto.id.rpartition("-")[2]: len(mount.proto.bytes) for mount in screen.get("bidi_component")}
    assert sent["grid"] < 620_000
    assert sum(sent.values()) < 3_100_000
    assert packed == [1], "the small maps are made once"
    assert "the 200,000 largest" not in sentence(screen, "grid"), "of these only 73,728 are not zero"
