"""A broken card among the weights: it is left out and said, and every page goes on with the others."""

import pytest
from screen import PAGES, ROOT, visit, well

from model import checkpoint
from viz.pages.translate import compute as translate_compute
from viz.ui import model_calls

BROKEN = {
    "empty": "",
    "no-json": "{",
    "a-list": "[1, 2]",
    "a-number": "3",
    "nested": "[" * 100_000,
    "numbers": '{"task": 5}',
    "letters": "\udcff",
}


@pytest.fixture(params=BROKEN)
def broken(request, tmp_path, monkeypatch):
    for path in checkpoint.TRAINED.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / f"{request.param}.json").write_bytes(BROKEN[request.param].encode(errors="surrogateescape"))
    monkeypatch.setattr(checkpoint, "TRAINED", tmp_path)
    for cache in (model_calls._own_languages.cache_clear, translate_compute.available_tasks.clear):
        cache()
    yield request.param
    for cache in (model_calls._own_languages.cache_clear, translate_compute.available_tasks.clear):
        cache()


def test_a_broken_card_is_left_out_and_asked_for_by_name_it_says_what_is_wrong(broken, outcome):
    assert broken not in checkpoint.names()
    assert "grammar" in checkpoint.names()
    (fault,) = checkpoint.faults()
    assert fault.startswith(f'The card of "{broken}"')
    with pytest.raises(checkpoint.CheckpointError, match=f'The card of "{broken}"'):
        checkpoint.load(broken)
    outcome("left out and said")


@pytest.mark.parametrize("broken", ["no-json"], indirect=True)
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_every_page_goes_on_with_the_other_weights(path, broken, outcome):
    screen = well(visit(str(path.relative_to(ROOT))))
    assert screen.get("bidi_component")
    if path.parent.name != "translate":
        assert any("It is not listed below." in note.value for note in screen.caption)
    outcome("left out and said")
