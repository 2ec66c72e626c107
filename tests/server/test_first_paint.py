"""What stands in Streamlit's page before its scripts run, and the answers that are left as they are."""

import gzip
import json
import re
from pathlib import Path

import pytest
import streamlit
from protocol import alone

from viz.server import first_paint
from viz.server.first_paint import FirstPaint, script, script_sources, style, with_style
from viz.server.headers import policy
from viz.server.import_map import FOLDER, MANIFEST, SHARED, component_names, import_map
from viz.styles import script_of
from viz.theme import THEMES, css_colours

INDEX = (Path(streamlit.__file__).parent / "static/index.html").read_bytes()
SHEETS = ("style.css", "lesson.css", "alone.css", "waiting.css")
BROWSER = [(b"accept", b"text/html,*/*;q=0.8"), (b"accept-encoding", b"gzip"), (b"if-none-match", b'"1"')]


def application(body, *, kind=b"text/html; charset=utf-8", status=200, parts=1):
    """An application that answers every request so, and keeps the headers it was asked with."""

    async def app(scope, receive, send):
        app.request_headers = dict(scope["headers"])
        length = str(len(body)).encode()
        headers = [(b"content-type", kind), (b"content-length", length), (b"etag", b'"1"'), (b"last-modified", b"x")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        size = -(-len(body) // parts) or 1
        for start in range(0, max(len(body), 1), size):
            more = start + size < len(body)
            await send({"type": "http.response.body", "body": body[start : start + size], "more_body": more})

    return app


def answer(app, *, headers=BROWSER, query=b"", method="GET"):
    """What a visitor gets: the status, the headers and the body."""
    messages = []

    async def send(message):
        messages.append(message)

    # A page that gets no preview: those are in test_preview.py.
    scope = {"type": "http", "method": method, "path": "/nowhere", "query_string": query, "headers": headers}
    alone(FirstPaint(app)(scope, None, send))
    assert [message["type"] for message in messages[:1]] == ["http.response.start"]
    assert not messages[-1].get("more_body")
    return messages[0]["status"], dict(messages[0]["headers"]), b"".join(part.get("body", b"") for part in messages[1:])


@pytest.mark.parametrize("parts", [1, 7])
def test_a_page_carries_the_style_and_the_script_before_streamlits_own(parts):
    _, headers, body = answer(application(INDEX, parts=parts))
    text = body.decode()
    assert "<title>Attention Lab</title>" in text
    assert "<title>Streamlit</title>" not in text
    assert text.index(f"<style>{style(('style.css',))}</style>") < text.index(f"<script>{script()}</script>")
    assert text.index(f"<script>{script()}</script>") < text.index('<script type="module"')
    assert headers[b"content-length"] == str(len(body)).encode()
    assert headers[b"cache-control"] == b"no-cache"


def test_a_page_that_was_kept_by_the_browser_is_asked_for_as_a_whole_and_uncompressed():
    app = application(INDEX)
    _, headers, _ = answer(app)
    assert app.request_headers == {b"accept": BROWSER[0][1]}
    assert not {b"etag", b"last-modified"} & headers.keys()


def test_all_of_streamlits_page_is_kept_but_its_title():
    _, _, body = answer(application(INDEX))
    added = f"<title>Attention Lab</title><style>{style(('style.css',))}</style><script>{script()}</script>"
    added += f'<script type="importmap">{import_map()}</script>'
    assert body.decode().replace(added, "<title>Streamlit</title>") == INDEX.decode()


def test_a_page_without_the_title_gets_the_style_at_the_end_of_its_head():
    page = with_style(b"<html><head><meta></head><body></body></html>", ("style.css",)).decode()
    assert re.search(r"<meta><title>Attention Lab</title><style>.*</script></head>", page, re.DOTALL)


@pytest.mark.parametrize(
    "answered, sent",
    [
        ({"kind": b"application/json"}, {}),
        ({"status": 404}, {}),
        ({"parts": 3}, {"headers": [(b"accept", b"*/*"), (b"accept-encoding", b"gzip")]}),
        ({}, {"method": "HEAD"}),
    ],
    ids=["no page", "no answer", "not asked by a person", "head only"],
)
def test_every_other_answer_is_left_as_it_is(answered, sent):
    app = application(INDEX, **answered)
    status, headers, body = answer(app, **sent)
    assert (status, body) == (answered.get("status", 200), INDEX)
    assert headers[b"etag"] == b'"1"'
    assert headers[b"content-length"] == str(len(INDEX)).encode()


def test_a_page_larger_than_any_of_streamlits_is_passed_on_and_not_gathered(monkeypatch):
    monkeypatch.setattr(first_paint, "MAX_PAGE", 1000)
    _, headers, body = answer(application(INDEX, parts=9))
    assert body == INDEX
    assert headers[b"content-length"] == str(len(INDEX)).encode()


@pytest.mark.parametrize("query", [b"figure=stages", b"present=true&text=a"])
def test_a_page_of_one_figure_alone_is_hidden_from_the_first_paint_on(query):
    rules = (first_paint.STYLES / "alone.css").read_text(encoding="utf-8")
    until_open = f"html:root:not([data-open]) {{\n{rules}}}"  # afterwards the page itself says whether it is alone
    assert until_open.encode() in answer(application(INDEX), query=query)[2]
    assert rules.encode() not in answer(application(INDEX), query=b"text=figure")[2]


def test_only_a_lesson_carries_the_rules_of_a_lesson():
    rules = (first_paint.STYLES / "lesson.css").read_text(encoding="utf-8")
    assert rules.encode() in answer(application(INDEX), query=b"lesson=masks.1")[2]
    assert rules.encode() not in answer(application(INDEX), query=b"text=lesson")[2]


def test_the_colours_are_those_of_the_theme_that_the_browser_prefers():
    dark = style(("style.css",)).partition("@media (prefers-color-scheme: dark)")
    assert css_colours(THEMES["light"]) in dark[0]
    assert css_colours(THEMES["dark"]) in dark[2]


def test_the_policy_lets_the_script_run_by_its_hash_and_no_other_inline_script():
    allowed = re.search(r"script-src ([^;]*)", policy("", framed=False))[1].split()
    assert all(source in allowed for source in script_sources())
    assert "'unsafe-inline'" not in allowed
    assert "</script" not in script() and "</style" not in style(SHEETS)  # either would end its element


def test_the_page_is_small_enough_to_come_with_the_first_packets():
    """Some 14 kB compressed are sent before a server waits for the browser (RFC 6928)."""
    assert len(gzip.compress(with_style(INDEX, SHEETS))) < 14_000


def test_every_component_finds_its_modules_in_the_one_folder():
    folders = json.loads(import_map())["imports"]
    assert folders == {f"{FOLDER}{name}/": f"{FOLDER}{SHARED}/" for name in component_names() if name != SHARED}
    assert len(folders) > 20
    scripts = [MANIFEST.parent / "frontend" / f"{script_of(name)}.js" for name in component_names()]
    assert [script for script in scripts if not script.is_file()] == []
