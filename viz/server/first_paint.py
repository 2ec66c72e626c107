"""The page that Streamlit serves, with the lab's own style and a script in it before anything is painted.

A style sheet that a page script sends takes effect some 0.4 s after the first elements are painted, and moves them.
So Streamlit's `index.html` gets it on its way out, with the script that shows each part when it has its size.
"""

import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from functools import cache, partial
from hashlib import sha256
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from viz.server.import_map import FOLDER, SHARED, import_map
from viz.server.preview.markup import Preview
from viz.server.preview.previews import has_preview, previews
from viz.styles import component_style, modules_of, script_of
from viz.theme import THEMES, css_colours

STYLES = Path(__file__).parents[1] / "ui"
SCRIPT = Path(__file__).parents[1] / "canvas/frontend/page/opening.js"
UNTIL_OPEN = ("alone.css", "waiting.css")  # of a page that shows one figure alone
MAX_PAGE = 1_000_000  # bytes: a larger answer is no page of Streamlit's and goes out as it is
# With these headers in a request, Streamlit's answer is compressed, a part, or “not modified”.
REQUEST_HEADERS = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range")
SCRIPTS = f"{FOLDER}{SHARED}/"
DRAWING = f'<script type="module" async src="{SCRIPTS}page/preview.js"></script>'
TITLE = "<title>Streamlit</title>"
BODY = b"<body>"
Coming = Callable[[], Awaitable[Preview | None]]  # a preview that is made when it is awaited


class FirstPaint:
    """ASGI middleware: puts the style sheet into every page, and the name of the lab."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; change the answer where it is a page."""
        accepted = Headers(scope=scope).get("accept", "") if scope["type"] == "http" else ""
        if "text/html" not in accepted or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name not in REQUEST_HEADERS]
        query = scope["query_string"].decode("latin-1")
        page = scope["path"].removeprefix(scope.get("root_path", "")).strip("/")
        sheets, preview = sheets_for(dict(parse_qsl(query))), None
        if has_preview(page, query):
            sheets, preview = (*sheets, "preview.css"), partial(previews().of, page, query)
        await self.app({**scope, "headers": headers}, receive, Rewriting(send, sheets, preview))


class Rewriting:
    """`send` for one answer: a page is held until it is whole, and sent with the style sheet in it.

    Where a preview may come, the head of the page is sent before it: the browser fetches and compiles Streamlit's
    scripts while the preview is made.
    """

    def __init__(self, send: Send, sheets: tuple[str, ...], preview: Coming | None = None) -> None:
        self.send, self.sheets, self.preview = send, sheets, preview
        self.start: Message | None = None  # the head of an answer that is held
        self.body = b""

    async def __call__(self, message: Message) -> None:
        """Hold, send, or pass on one message of the answer."""
        if message["type"] == "http.response.start" and _is_page(message):
            self.start = message
            return
        if self.start is None or message["type"] != "http.response.body":
            await self.send(message)
            return
        self.body += message.get("body", b"")
        more = message.get("more_body", False)
        if more and len(self.body) <= MAX_PAGE:
            return
        start, self.start = self.start, None
        if not more:
            self.body = with_style(self.body, self.sheets)
            headers = MutableHeaders(scope=start)
            headers["content-length"] = str(len(self.body))
            headers["cache-control"] = "no-cache"
            for name in ("etag", "last-modified", *(("content-length",) if self.preview else ())):
                if name in headers:  # they are those of the file, or not known yet
                    del headers[name]
        await self.send(start)
        if self.preview is not None and not more:
            head, body, rest = self.body.partition(BODY)
            await self.send({"type": "http.response.body", "body": head + body, "more_body": True})
            preview = await self.preview()
            self.body = (placed(preview) if preview is not None else b"") + rest
        await self.send({"type": "http.response.body", "body": self.body, "more_body": more})


def sheets_for(query: Mapping[str, str]) -> tuple[str, ...]:
    """The style sheets of a page that a link with these parameters opens, by their names in viz/ui."""
    lesson = ("lesson.css",) if "lesson" in query else ()
    alone = UNTIL_OPEN if {"figure", "present"} & query.keys() else ()
    return ("style.css", *lesson, *alone)


def read_sheet(name: str) -> str:
    """The style sheet of that name. Those of a figure alone end when the page is open: see viz/app/shell.py."""
    sheet = (STYLES / name).read_text(encoding="utf-8")
    return f"html:root:not([data-open]) {{\n{sheet}}}" if name in UNTIL_OPEN else sheet


def with_style(page: bytes, sheets: tuple[str, ...]) -> bytes:
    """Streamlit's page with the lab's name, these style sheets, the script, and the import map of the figures."""
    head = (
        f"<title>Attention Lab</title><style>{style(sheets)}</style><script>{script()}</script>"
        f'<script type="importmap">{import_map()}</script>'
    )
    text = page.decode("utf-8")
    if TITLE in text:
        return text.replace(TITLE, head, 1).encode()
    return text.replace("</head>", f"{head}</head>", 1).encode()


def placed(preview: Preview) -> bytes:
    """What a link shows, and the scripts that draw it, for the beginning of the page's body."""
    dark = escape(json.dumps(vars(THEMES["dark"])))
    place = f'<div id="preview" inert data-dark="{dark}"><div class="page">{preview.html}</div></div>'
    return f"{preview_scripts(preview.components)}{place}{DRAWING}".encode()


@cache
def preview_scripts(components: tuple[str, ...]) -> str:
    """The scripts of a preview, named so that the browser fetches all of them at once, and the styles they need."""
    needed = dict.fromkeys(
        name for start in ("page/preview", *map(script_of, components)) for name in modules_of(start)
    )
    fetched = "".join(f'<link rel="modulepreload" href="{SCRIPTS}{name}.js">' for name in needed)
    worn = "".join(
        f'<script type="text/plain" id="preview-{name}">{component_style(name)}</script>'
        for name in dict.fromkeys(components)
    )
    return fetched + worn


@cache
def style(sheets: tuple[str, ...]) -> str:
    """These style sheets, in the colours that the browser prefers until the page has said which it shows."""
    sheet = "\n".join(map(read_sheet, sheets))
    dark = f"@media (prefers-color-scheme: dark) {{ {css_colours(THEMES['dark'])} }}"
    return f"{css_colours(THEMES['light'])}\n{dark}\n{sheet}"


@cache
def script() -> str:
    """The script that shows the parts of a page as they come to rest."""
    return SCRIPT.read_text(encoding="utf-8")


def script_sources() -> tuple[str, ...]:
    """What a content security policy calls that script and the import map."""
    return tuple(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in (script(), import_map()))


def _is_page(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return start["status"] == 200 and headers.get("content-type", "").startswith("text/html")
