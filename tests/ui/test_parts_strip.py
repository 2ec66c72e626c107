"""The strip at the head of every page: each part has a page that exists, and each page lights its own parts."""

import subprocess
import sys

import pytest

from viz.ui import visitor
from viz.ui.links import part_pages
from viz.ui.links.part_pages import ABOUT, PAGE_OF, STRIP
from viz.ui.state import PER_PAGE, Key, Param


@pytest.fixture
def session(monkeypatch):
    """A visitor's session, in place of Streamlit's; and where the page goes."""
    kept = {}
    monkeypatch.setattr(part_pages.st, "session_state", kept)
    monkeypatch.setattr(part_pages.st, "query_params", {})
    went = []
    monkeypatch.setattr(part_pages.st, "switch_page", lambda script, query_params: went.append((script, query_params)))
    return kept, went


def test_every_page_says_which_parts_it_is_about_and_every_part_lights_its_own_page(session):
    kept, _ = session
    assert {page for page in ABOUT if isinstance(page, str)} == set(visitor.page_names())
    for name, (_, opens) in STRIP.items():
        kept.clear()
        kept.update(opens.state)
        assert name in {part.name for part in part_pages.parts_of_strip(opens.page) if part.lit}, name
    assert not [part for part in part_pages.parts_of_strip("lessons") if part.lit]


def test_the_view_of_a_page_decides_which_parts_are_lit(session):
    kept, _ = session
    lit = [part.name for part in part_pages.parts_of_strip("inside") if part.lit]
    assert lit == ["dot_product", "scale", "mask", "weights", "values"]
    kept[Param.VIEW] = "Average of values"
    assert [part.name for part in part_pages.parts_of_strip("inside") if part.lit] == ["values"]


def test_all_views_named_in_the_strip_exist():
    sources = {
        page: "".join(p.read_text() for p in (visitor.PAGES / page).glob("*.py")) for page in visitor.page_names()
    }
    named = [(page[0], page[1]) for page in ABOUT if isinstance(page, tuple)]
    named += [(opens.page, value) for _, opens in STRIP.values() for value in opens.state.values()]
    named += [(opens.page, value) for opens in PAGE_OF.values() for value in opens.state.values()]
    controls = "".join(p.read_text() for p in (visitor.PAGES.parent / "ui/controls").glob("*.py"))
    for page, value in named:
        assert f'"{value}"' in sources[page] + controls, (page, value)


def test_only_what_a_page_holds_for_itself_is_set_on_the_way_to_it():
    for opens in (*PAGE_OF.values(), *(opens for _, opens in STRIP.values())):
        assert set(opens.state) <= set(PER_PAGE)


def test_a_click_opens_the_page_in_its_view_and_on_the_page_itself_only_the_view(session):
    kept, went = session
    part_pages.request("scale")
    part_pages.open_requested("heads")
    assert went == [(visitor.script_of("remove"), {})]
    assert kept[Key.OF_PAGES] == {"remove": {Param.VIEW: ("Why √d_k", ["Why √d_k"])}}
    part_pages.request("scale")
    part_pages.open_requested("remove")
    assert len(went) == 1 and kept[Param.VIEW] == "Why √d_k"


def test_the_first_layer_and_the_first_head_are_taken_along(session):
    kept, went = session
    part_pages.request("head", 0, 0)
    part_pages.open_requested("machine")
    assert went == [(visitor.script_of("inside"), {"head": "0"})]
    assert kept[Param.LAYER] == 0 and kept[Key.DEFAULTS] == {Param.LAYER: None}
    part_pages.request("attention", 1, 2)
    part_pages.open_requested("machine")
    assert went[1:] == [(visitor.script_of("heads"), {})] and kept[Param.LAYER] == 1, "all heads: none is chosen"


def test_a_part_is_opened_once_and_what_its_page_held_besides_stays(session):
    kept, went = session
    kept[Key.OF_PAGES] = {"remove": {Param.HEADS_OFF: (["L1H2"], ["L1H2"])}}
    part_pages.request("scale")
    part_pages.open_requested("heads")
    part_pages.open_requested("remove")
    assert len(went) == 1
    assert kept[Key.OF_PAGES]["remove"] == {
        Param.HEADS_OFF: (["L1H2"], ["L1H2"]),
        Param.VIEW: ("Why √d_k", ["Why √d_k"]),
    }


def test_a_part_of_the_strip_has_a_short_label_and_the_sentence_of_its_page_and_a_link_lights_its_view(session):
    part_pages.st.query_params[Param.VIEW] = "Average of values"
    parts = {part.name: part for part in part_pages.parts_of_strip("inside")}
    assert [name for name, part in parts.items() if part.lit] == ["values"]
    assert (parts["mask"].label, parts["mask"].hint) == ("Mask", "Open Masks: which tokens may attend to which")


@pytest.mark.parametrize("name", ["", "__class__", "../../etc/passwd", "x" * 10_000])
def test_a_part_that_is_not_in_the_strip_opens_nothing(session, name):
    kept, went = session
    part_pages.request(name)
    part_pages.open_requested("heads")
    assert went == [] and kept == {}


def test_what_stands_at_the_head_of_a_page_needs_no_pytorch():
    """So the question of a page is on the screen before PyTorch is imported, on a server that has just started."""
    imports = "import sys, viz.app.shell; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", imports], capture_output=True, text=True).stdout.strip() == "False"
