"""The preview of a link: what it holds, where it ends, and which links get one."""

import asyncio
import json

import pytest
from protocol import alone
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from viz.pack import pack
from viz.server import first_paint
from viz.server.preview import first_run
from viz.server.preview import previews as module
from viz.server.preview.markup import Preview, preview_of
from viz.server.preview.page_tree import page_tree
from viz.server.preview.previews import MOST, Previews, has_preview
from viz.styles import FRONTEND, modules_of
from viz.theme import THEMES

INDEX = b"<html><head><title>Streamlit</title></head><body><div id='root'></div></body></html>"


def placed(*path):
    """An empty message for the element at this place of the main column."""
    message = ForwardMsg()
    message.metadata.delta_path.extend((0, *path))
    return message, message.delta.new_element


def block(*path, **fields):
    """A container at this place."""
    message = ForwardMsg()
    message.metadata.delta_path.extend((0, *path))
    message.delta.add_block.flex_container.SetInParent()
    for name, value in fields.items():
        setattr(message.delta.add_block, name, value)
    return message


def markdown(body, *path):
    message, element = placed(*path)
    element.markdown.body = body
    return message


def component(name, key, *path, **header):
    message, element = placed(*path)
    element.bidi_component.component_name = f"attention-lab.{name}"
    element.bidi_component.bytes = pack({"key": key, "reading": [], "table_open": False, **header})
    return message


def choices(options, *path, labelled=False):
    message, element = placed(*path)
    element.button_group.label_visibility.value = 0 if labelled else 2
    for option in options:
        element.button_group.options.add(content=option)
    return message


def columns(*weights, path=(1,)):
    """A row of columns with a medium gap."""
    row = block(*path)
    row.delta.add_block.flex_container.gap_config.gap_size = 2
    messages = [row]
    for index, weight in enumerate(weights):
        column = ForwardMsg()
        column.metadata.delta_path.extend((0, *path, index))
        column.delta.add_block.column.weight = weight
        messages.append(column)
    return messages


def shown(*messages):
    return preview_of(page_tree(messages))


def test_a_preview_holds_the_heading_and_the_drawings_in_the_order_of_the_page():
    preview = shown(
        component("maps", "large", 2),
        block(0, id="$$ID-1-heading"),
        component("share", "link", 0, 0),
        markdown("# Who?\n\nA sentence.", 0, 1),
        component("sentence", "words", 1),
    )
    assert preview.components == ("sentence", "maps")
    assert preview.html.startswith('<div class="heading"><h1>Who?</h1><p>A sentence.</p></div>')
    assert preview.html.index('data-key="words"') < preview.html.index('data-key="large"')


@pytest.mark.parametrize(
    "above",
    [
        markdown("Any text.", 1),
        choices(["a"], 1, labelled=True),
        component("save", "save_x", 1, reading=[["It has a sentence.", False]]),
        component("save", "save_x", 1, table_open=True),
        component("lesson", "lesson", 1),
    ],
    ids=["text", "a label", "a caption", "a table", "a lesson"],
)
def test_nothing_is_placed_below_an_element_of_unknown_size(above):
    assert shown(above, component("maps", "large", 2)) is None
    assert shown(component("maps", "large", 0), above).components == ("maps",)


def test_a_figure_below_columns_is_placed_only_where_both_columns_are_known():
    row = columns(0.6, 0.4)
    known = [component("maps", "left", 1, 0, 0), component("maps", "right", 1, 1, 0)]
    below = component("sentence", "below", 2)
    assert shown(*row, *known, below).components == ("maps", "maps", "sentence")
    preview = shown(*row, known[0], markdown("Any text.", 1, 1, 0), component("maps", "right", 1, 1, 1), below)
    assert preview.components == ("maps",)
    assert "calc(60.0000% - 30.0px)" in preview.html


def test_what_takes_no_room_is_left_out_and_hidden_controls_keep_the_space_around_them():
    empty, element = placed(0)
    element.empty.SetInParent()
    hidden = (block(1, id="$$ID-1-address"), choices(["a"], 1, 0))
    figure = component("maps", "large", 2)
    assert shown(empty, *hidden, figure).html == "<div></div>" + shown(figure).html
    assert shown(block(0), figure).html == shown(figure).html


def test_words_are_text_and_never_elements():
    preview = shown(choices(["<script>alert(1)</script>"], 0), component("maps", '"><script>', 1))
    assert "<script" not in preview.html
    for title in ("<b>bold</b>", "[link](x)", "*stressed*", "`code`", "$x$"):
        heading = (block(0), markdown(f"# {title}\n\nA sentence.", 0, 0))
        assert shown(*heading, component("maps", "large", 1)) is None


def test_the_page_carries_the_bytes_of_the_figure_and_the_scripts_that_draw_it():
    preview = shown(component("sentence", "words", 0))
    page = first_paint.with_preview(first_paint.with_style(INDEX, ("style.css",)), preview).decode()
    assert page.index('id="preview"') < page.index('page/preview.js"></script>') < page.index("id='root'")
    for name in ("page/preview", "figures/sentence", "lib/page_state"):
        assert f'<link rel="modulepreload" href="{first_paint.SCRIPTS}{name}.js">' in page
    assert '<script type="text/plain" id="preview-sentence">' in page
    assert "&quot;paper&quot;: &quot;" + THEMES["dark"].paper in page


def test_the_scripts_of_a_drawing_are_all_that_it_imports():
    modules = modules_of("figures/head_grid")
    assert modules[0] == "figures/head_grid"
    assert {"lib/page_state", "lib/shared"} <= set(modules)
    assert [name for name in modules if not (FRONTEND / f"{name}.js").is_file()] == []


@pytest.mark.parametrize(
    "page, query, expected",
    [
        ("", "", True),
        ("machine", "text=the+dog+sleeps+.", True),
        ("", "weights=stories", True),
        ("", "weights=own-model", False),
        ("", "lesson=masks.1", False),
        ("", "figure=grid", False),
        ("", "present=", False),
        ("", "embed=true", False),
        ("your-model", "", False),
        ("../etc", "", False),
        ("", "text=" + "a" * 2_000, False),
    ],
)
def test_which_links_get_a_preview(page, query, expected):
    assert has_preview(page, query) is expected


@pytest.fixture
def runs(monkeypatch):
    """The links that are run, without a server; each takes as many seconds as its query says."""
    ran = []

    async def first_run(page, query, seconds):
        ran.append(query)
        await asyncio.sleep(float(query.partition("sleep=")[2] or 0))
        return () if "broken" in query else (component("maps", query, 0),)

    monkeypatch.setattr(module, "first_run", first_run)
    monkeypatch.setattr(type(module.imports), "are_done", True)
    return ran


def test_a_link_is_run_once_and_a_broken_one_is_not_tried_again(runs):
    async def visits():
        kept = Previews()
        assert isinstance(await kept.of("", "a=1"), Preview)
        assert (await kept.of("", "a=1")).html == (await kept.of("", "a=1")).html
        assert await kept.of("", "broken") is None
        assert await kept.of("", "broken") is None

    alone(visits())
    assert runs == ["a=1", "broken"]


def test_one_link_is_run_at_a_time_and_no_answer_waits_long(runs, monkeypatch):
    monkeypatch.setattr(module, "WAIT", 0.05)

    async def visits():
        kept = Previews()
        assert await kept.of("", "sleep=0.3") is None  # the answer does not wait for it
        assert await kept.of("", "b") is None  # nor is another one run meanwhile
        assert runs == ["sleep=0.3"]
        await asyncio.sleep(0.5)
        assert await kept.of("", "sleep=0.3") is not None
        assert await kept.of("", "b") is not None

    alone(visits())


def test_as_many_previews_are_kept_as_there_is_room_for(runs, monkeypatch):
    async def visits():
        kept = Previews()
        for number in range(MOST + 1):
            await kept.of("", str(number))
        await kept.of("", str(MOST))
        assert len(runs) == MOST + 1
        await kept.of("", "0")  # the oldest is gone
        assert len(runs) == MOST + 2
        monkeypatch.setattr(module, "LARGEST", 10)
        assert await kept.of("", "large") is None

    alone(visits())


def test_before_everything_is_imported_no_page_is_run(runs, monkeypatch):
    monkeypatch.setattr(type(module.imports), "are_done", False)
    alone(_nothing())
    assert runs == []


async def _nothing():
    assert await Previews().of("", "") is None


def test_the_theme_of_a_figure_is_in_its_header_only():
    """preview.js changes it there for the dark."""
    data = pack({"key": "a", "theme": vars(THEMES["light"])})
    header = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
    assert set(header["theme"]) == set(vars(THEMES["dark"]))


class ServerOfOneRun:
    """The part of Streamlit's server that a first run uses: it sends two elements, and how the run ended."""

    def __init__(self, status):
        self.status, self.closed = status, []

    def connect_session(self, client, user_info):
        self.client = client
        return "a session"

    def handle_backmsg(self, session, message):
        ended = ForwardMsg()
        ended.script_finished = self.status
        for sent in (markdown("# Heads", 0), markdown("Every square", 1), ended):
            self.client.write_forward_msg(sent)

    def close_session(self, session):
        self.closed.append(session)


@pytest.mark.parametrize(
    ("status", "elements"),
    [
        (ForwardMsg.FINISHED_SUCCESSFULLY, 2),
        (ForwardMsg.FINISHED_WITH_COMPILE_ERROR, 0),
        (ForwardMsg.FINISHED_EARLY_FOR_RERUN, 0),
    ],
)
def test_a_run_that_has_failed_or_has_not_ended_gives_no_preview(monkeypatch, status, elements):
    server = ServerOfOneRun(status)
    monkeypatch.setattr(first_run.runtime, "exists", lambda: True)
    monkeypatch.setattr(first_run.runtime, "get_instance", lambda: server)
    assert len(alone(first_run.first_run("heads", "", seconds=0.2))) == elements
    assert server.closed == ["a session"]
