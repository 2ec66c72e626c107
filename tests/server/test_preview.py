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
from viz.server.preview.text import html_of_html, html_of_paragraphs, html_of_text
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
    message.delta.add_block.flex_container.gap_config.gap_size = 1
    for name, value in fields.items():
        setattr(message.delta.add_block, name, value)
    return message


def markdown(body, *path):
    message, element = placed(*path)
    element.markdown.body, element.markdown.element_type = body, 1
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


def field(label, *path, labelled=True):
    message, element = placed(*path)
    element.selectbox.label = label
    element.selectbox.label_visibility.value = 0 if labelled else 2
    return message


def button(label, kind, *path):
    message, element = placed(*path)
    element.button.label, element.button.type, element.button.id = label, kind, "$$ID-1-open_first"
    return message


def html(body, *path):
    message, element = placed(*path)
    element.html.body = body
    return message


def beside(message, **width):
    """The message with a width of its own, as elements of a row have it."""
    placed_there = message.delta.new_element if message.delta.HasField("new_element") else message.delta.add_block
    for name, value in width.items():
        setattr(placed_there.width_config, name, value)
    return message


def row_of(*children):
    """A row at place 1, of these children."""
    row = block(1, id="$$ID-1-comparisons")
    flex = row.delta.add_block.flex_container
    flex.direction, flex.wrap, flex.align, flex.gap_config.gap_size = 2, True, 2, 1
    return row, *children


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
        markdown("A [link](x).", 1),
        markdown("#### A heading", 1),
        field("", 1, labelled=False),
        button("Press", "primary", 1),
        html("<ul></ul>", 1),
        component("save", "save_x", 1, reading=[["It has a sentence.", False]]),
        component("save", "save_x", 1, table_open=True),
        component("lesson", "lesson", 1),
    ],
    ids=["a link", "a heading", "no label", "a framed button", "a list", "a caption", "a table", "a lesson"],
)
def test_nothing_is_placed_below_an_element_of_unknown_size(above):
    assert shown(above, component("maps", "large", 2)) is None
    assert shown(component("maps", "large", 0), above).components == ("maps",)


def test_a_figure_below_columns_is_placed_only_where_both_columns_are_known():
    row = columns(0.6, 0.4)
    known = [component("maps", "left", 1, 0, 0), component("maps", "right", 1, 1, 0)]
    below = component("sentence", "below", 2)
    assert shown(*row, *known, below).components == ("maps", "maps", "sentence")
    unknown = markdown("A [link](x).", 1, 1, 0)
    preview = shown(*row, known[0], unknown, component("maps", "right", 1, 1, 1), below)
    assert preview.components == ("maps",)
    # In a narrow window the second column stands below the first.
    assert shown(*row, markdown("A [link](x).", 1, 0, 0), known[1], below) is None
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
    for body in ("<script>alert(1)</script>", "<p onclick='alert(1)'>a</p>", "<img src=x>", "<!-- a --><p></p>"):
        assert shown(html(body, 0), component("maps", "large", 1)) is None
    assert "<script" not in shown(html('<p title="&quot;><script>">&lt;script></p>', 0), component("maps", "a", 1)).html


@pytest.mark.parametrize(
    ("markdown_text", "expected"),
    [
        ("A word: and 1 < 2 not", None),
        ("**Scaling by √d_k:** it grows", "<strong>Scaling by √d_k:</strong> it grows"),
        (r"“\*” is \<a letter\>", "“*” is &lt;a letter&gt;"),
        ("It is long.  \n:gray[8 steps · 14 minutes]", 'It is long.<br><span class="grey">8 steps · 14 minutes</span>'),
        (":gray[a **bold** word]", None),
        ("one *stressed* word", None),
        ("**never closed", None),
        ("_stressed_", None),
        (":red[colour]", None),
        ("a -- dash", None),
        ("- a list", None),
        ("1. a list", None),
        ("two\nlines", None),
        ("", ""),
    ],
)
def test_markdown_is_read_only_where_it_is_certain_what_streamlit_shows(markdown_text, expected):
    assert html_of_text(markdown_text) == expected


def test_each_paragraph_of_a_text_has_its_element():
    assert html_of_paragraphs("One.\n\nTwo **bold** words.\n") == "<p>One.</p><p>Two <strong>bold</strong> words.</p>"
    assert html_of_paragraphs("One.\n\n- a list") is None


def test_html_of_the_lab_is_written_anew():
    body = '<div class="strip"><p title="a &quot;b&quot;">1 &lt; 2 &amp; 3</p></div>'
    assert html_of_html(body) == body


def test_the_elements_of_a_row_stand_beside_each_other_with_the_width_that_they_have():
    figure = component("maps", "large", 2)
    preview = shown(
        *row_of(
            beside(choices(["a"], 1, 0, labelled=True), use_content=True),
            beside(field("Size", 1, 1), pixel_width=130),
            block(1, 2, id="$$ID-1-unseen_size"),
            markdown("Nobody sees it.", 1, 2, 0),
        ),
        figure,
    )
    assert '<div class="row st-key-comparisons" style="--gap: 15.0px; --align: end">' in preview.html
    assert '<div style="flex: 0 0 fit-content"><div class="choices"><div class="label">' in preview.html
    assert '<div style="flex: 0 0 130px"><div class="field"></div></div><div style="flex: 1 1 8rem">' in preview.html
    assert "Nobody" not in preview.html and preview.components == ("maps",)


@pytest.mark.parametrize(
    "child",
    [field("Of unknown width", 1, 1), beside(markdown("A [link](x).", 1, 1), use_content=True)],
    ids=["no width", "unknown"],
)
def test_a_row_with_one_element_of_unknown_size_is_left_out(child):
    known = beside(component("sentence", "words", 1, 0), pixel_width=300)
    assert shown(*row_of(known, child), component("maps", "large", 2)) is None
    assert shown(*row_of(known), component("maps", "large", 2)).components == ("sentence", "maps")


def test_a_page_without_figures_shows_its_heading_and_what_stands_below_it():
    heading = (block(0), markdown("# Who?\n\nA sentence.", 0, 0))
    preview = shown(*heading, button("First", "tertiary", 1), markdown("What it is.", 2))
    assert preview.components == ()
    assert preview.html.endswith(
        '<div class="button st-key-open_first"><button><div><p>First</p></div></button></div>'
        '<div class="text"><p>What it is.</p></div>'
    )


def test_what_is_placed_has_the_bytes_of_the_figure_and_the_scripts_that_draw_it():
    html = first_paint.placed(shown(component("sentence", "words", 0))).decode()
    assert html.index('id="preview"') < html.index('page/preview.js"></script>')
    for name in ("page/preview", "figures/sentence", "lib/page_state"):
        assert f'<link rel="modulepreload" href="{first_paint.SCRIPTS}{name}.js">' in html
    assert '<script type="text/plain" id="preview-sentence">' in html
    assert "&quot;paper&quot;: &quot;" + THEMES["dark"].paper in html


def visit(previews_of):
    """The parts in which a page is sent, and its headers, where this makes the previews; and when each was sent."""
    sent = []

    async def send(message):
        sent.append(message)

    async def app(scope, receive, answer):
        headers = [(b"content-type", b"text/html"), (b"content-length", b"1"), (b"etag", b"1")]
        await answer({"type": "http.response.start", "status": 200, "headers": headers})
        await answer({"type": "http.response.body", "body": INDEX})

    async def coming(page, query):
        return await previews_of(page, query, sent)

    kept = Previews()
    kept.of = coming
    scope = {"type": "http", "method": "GET", "path": "/lab/masks", "root_path": "/lab", "query_string": b"text=a"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first_paint, "previews", lambda: kept)
        alone(first_paint.FirstPaint(app)({**scope, "headers": [(b"accept", b"text/html")]}, None, send))
    return (
        dict(sent[0]["headers"]),
        [part["body"].decode() for part in sent[1:]],
        [part["more_body"] for part in sent[1:]],
    )


def test_the_head_of_a_page_is_sent_while_its_preview_is_made():
    async def of(page, query, sent):
        assert (page, query) == ("masks", "text=a")
        assert sent[-1]["body"].endswith(b"<body>")
        return shown(component("sentence", "words", 0))

    headers, (head, rest), more = visit(of)
    assert more == [True, False]
    assert not {b"content-length", b"etag"} & headers.keys()
    assert first_paint.read_sheet("preview.css") in head
    assert rest.startswith("<link") and rest.index('id="preview"') < rest.index("id='root'")


def test_a_page_without_a_preview_is_sent_whole():
    async def of(page, query, sent):
        return None

    _, (head, rest), _ = visit(of)
    assert rest == "<div id='root'></div></body></html>"
    assert head.count("<style>") == 1


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
        ("lessons", "", True),
        ("nowhere", "", False),
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
    monkeypatch.setattr(module, "imports", Importing(0))
    return ran


class Importing:
    """The imports of a server; they end after so many seconds."""

    def __init__(self, seconds, *, begun=True):
        self.seconds, self.have_begun = seconds, begun

    async def done(self):
        await asyncio.sleep(self.seconds)


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


def test_a_page_is_run_when_everything_is_imported(runs, monkeypatch):
    monkeypatch.setattr(module, "WAIT", 0.1)

    async def visit_while(importing, start):
        monkeypatch.setattr(module, "imports", importing)
        monkeypatch.setattr(module, "START", start)
        runs.clear()
        return await Previews().of("", "")

    assert alone(visit_while(Importing(0.3), 5)) is not None
    assert runs == [""]
    assert alone(visit_while(Importing(0.5), 0.05)) is None  # the answer goes out without
    assert runs == []
    assert alone(visit_while(Importing(0, begun=False), 5)) is None
    assert runs == []


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
