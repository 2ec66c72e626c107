"""The command line: `attention-lab run` starts the lab, `attention-lab serve` several replicas of it; `attention-lab
export LINK --out figure.svg` needs no server.

A page is run as for a visitor who opens the link; its figure is the component or the chart that the visitor would have
been sent. Numbers and live pages are made right here. For pictures a browser on this machine opens the figure's own
offline page and writes down what it drew: no other library draws our components.
"""

import importlib
import json
import logging
import os
import shlex
import shutil
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree import ElementTree

from streamlit import logger
from streamlit.testing.v1 import AppTest

from viz import cache_limit
from viz.export.pdf import with_info
from viz.export.provenance import footer
from viz.server import launch
from viz.theme import THEMES
from viz.ui import visitor
from viz.ui.links import old_links
from viz.ui.links.tracking_parameters import without_tracking
from viz.ui.state import Key, key_of

ROOT = Path(__file__).parents[1]
NUMBERS, PICTURES = ("csv", "npz", "html"), ("svg", "png", "pdf")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
SVG = "{http://www.w3.org/2000/svg}"
HOME = "heads"  # the page at the address without a path
MIN_WIDTH, MAX_WIDTH = 240, 4000  # pixels of a figure
COLUMN = 1083  # pixels of the page's main column in a window of 1440
BARE_RUN_LOGGER = "streamlit.runtime.scriptrunner_utils.script_run_context"  # it warns of what is meant here: no server
LONGEST_LINE = 600  # characters of what is said of a failure
LARGEST_TEXT = 1_000_000  # bytes of an experiment.json or of a list
TIMEOUT_SECONDS = 300  # seconds: some pages ask a dozen models first


class ExportError(Exception):
    """The file cannot be made. The message is one sentence."""


@dataclass(frozen=True)
class ExportRequest:
    """One file to make."""

    link: str
    out: Path
    figure: str | None = None  # None: the one that the link names, or the first of the page


@dataclass(frozen=True)
class PageState:
    """Where a link leads: a page and its state."""

    page: str
    state: str  # as a query string

    @property
    def link(self) -> str:
        """The link without a host."""
        path = "" if self.page == HOME else _address(self.page)
        return f"/{path}" + (f"?{self.state}" if self.state else "")

    @property
    def figure(self) -> str:
        """The figure that the link shows alone; "" where it shows the page."""
        named = parse_qs(self.state)
        key: str = [*named.get("figure", []), *named.get("present", []), ""][0]
        return "" if key in ("true", "false") else key


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 1 where something could not be made."""
    parser = ArgumentParser("attention-lab", description="Type a sentence and see which words attend to which.")
    commands = parser.add_subparsers(required=True, metavar="run, serve or export")
    run = commands.add_parser("run", help="start the lab in the browser, for this machine only")
    run.add_argument("--lessons", metavar="FOLDER", help="a folder with your own lessons")
    run.add_argument("options", nargs="*", help="options of Streamlit, such as --server.port 9000")
    serve = commands.add_parser("serve", help="start several replicas of the lab behind HAProxy")
    serve.add_argument(
        "--replicas", type=int, default=2, metavar="N", help="how many; one for each core is a good start"
    )
    serve.add_argument("--lessons", metavar="FOLDER", help="a folder with your own lessons")
    serve.add_argument("options", nargs="*", help="options of Streamlit, such as --server.address 0.0.0.0")
    export = commands.add_parser("export", help="a figure as a file")
    export.add_argument("link", nargs="?", help="a link to a page of the lab, or experiment.json")
    export.add_argument(
        "--out", type=Path, help=f"the file to write; its ending is one of {', '.join(PICTURES + NUMBERS)}"
    )
    export.add_argument("--figure", help="the figure's key; by default that of the link, or the first of the page")
    export.add_argument(
        "--list", type=Path, help="a text file; each line has a link, a file to write, and optionally a figure"
    )
    export.add_argument(
        "--scale", type=int, default=2, choices=range(1, 9), help="pixels of a PNG per pixel on the page"
    )
    export.add_argument("--width", type=int, help="width of the figure in pixels; by default as on the page")
    export.add_argument("--theme", default="light", choices=tuple(THEMES), help="light or dark")
    export.add_argument("--transparent", action="store_true", help="no background behind the drawing")
    export.add_argument("--footer", action="store_true", help="write the origin below the figure")
    export.add_argument("--browser", help="the path of a Chromium or Chrome; by default the lab looks for one")
    export.set_defaults(do=_export)
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["run"] and not {"-h", "--help"} & set(words):
        return launch.start(words[1:])  # its options are Streamlit's, which this parser does not know
    if words[:1] == ["serve"] and not {"-h", "--help"} & set(words):
        return _serve(words[1:])
    options = parser.parse_args(words)
    cache_limit.check()
    try:
        return int(options.do(options))
    except ExportError as refusal:
        _print_error(str(refusal))
        return 1


def _serve(words: Sequence[str]) -> int:
    parser = ArgumentParser("attention-lab serve", add_help=False, allow_abbrev=False)
    parser.add_argument("--replicas", type=int, default=2)
    known, options = parser.parse_known_args(words)
    return int(importlib.import_module("viz.server.deploy.replicas").serve(known.replicas, options))


def _export(options: Namespace) -> int:
    logger.set_log_level("ERROR")
    logging.getLogger(BARE_RUN_LOGGER).disabled = True
    wishes = _listed(options.list) if options.list else [_request(options.link, options.out, options.figure)]
    failed = 0
    for wish in wishes:
        try:
            wish.out.parent.mkdir(parents=True, exist_ok=True)
            wish.out.write_bytes(_exported(wish, options))
            print(wish.out)
        except (ExportError, OSError) as error:
            failed += 1
            _print_error(f"{wish.out}: {_why(error)}")
    return 1 if failed else 0


def _request(link: str | None, out: Path | None, figure: str | None) -> ExportRequest:
    if link is None or out is None:
        raise ExportError(
            "Name a link and a file: attention-lab export LINK --out figure.svg, or a list of them with --list."
        )
    return ExportRequest(link, out, figure)


def _print_error(message: str) -> None:
    """One line that any terminal can print. The text may come from a stranger."""
    line = "".join(c if c.isprintable() else "?" for c in message)
    print(line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} …", file=sys.stderr)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)  # without the number of the error


def _listed(path: Path) -> list[ExportRequest]:
    """The lines of a list. Empty ones and those that begin with # are left out."""
    try:
        lines = _text_of(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"The list {path} cannot be read: {_why(error)}.") from error
    wishes = []
    for number, line in enumerate(lines, 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise ExportError(f"Line {number} of {path}: {error}.") from error
        if words and not 2 <= len(words) <= 3:
            raise ExportError(f"Line {number} of {path} must hold a link, a file, and optionally a figure.")
        if words:
            wishes.append(ExportRequest(words[0], Path(words[1]), words[2] if len(words) == 3 else None))
    return wishes


def page_state(link: str) -> PageState:
    """Where a link leads: of any host or of none, or the text or the path of an experiment.json.

    Raises:
        Refusal: there is no such page, or the JSON cannot be read.
    """
    if _is_json(link):
        return _page_state_of(_json(link))
    try:
        parts = urlsplit(link)
    except ValueError as error:
        raise ExportError(f"This link cannot be read: {error}.") from error
    named = parts.path.strip("/").rpartition("/")[2]
    page = HOME if named in ("", "home") else named.replace("-", "_")
    if page not in visitor.page_names():
        raise ExportError(f'There is no page "{named}". There are: {", ".join(map(_address, visitor.page_names()))}.')
    return PageState(page, parts.query)


def _address(page: str) -> str:
    """A page as the browser's address spells it."""
    return page.replace("_", "-")


def _is_json(link: str) -> bool:
    return link.lstrip().startswith("{") or link.endswith(".json")


def _json(text: str) -> Any:
    try:
        return json.loads(text if text.lstrip().startswith("{") else _text_of(Path(text)))
    except (OSError, ValueError) as error:
        raise ExportError(f"This experiment cannot be read: {_why(error)}.") from error
    except RecursionError as error:
        raise ExportError("This experiment cannot be read: its brackets are nested too deep.") from error


def _text_of(path: Path) -> str:
    """What a file of text holds: an ordinary file, up to a bound."""
    if path.exists() and not path.is_file():
        raise ExportError(f"{path} is not an ordinary file.")  # a device or a pipe may never end
    with path.open("rb") as file:
        data = file.read(LARGEST_TEXT + 1)
    if len(data) > LARGEST_TEXT:
        raise ExportError(
            f"The file {path} has more than {LARGEST_TEXT:,} bytes, which no experiment and no list needs."
        )
    return data.decode("utf-8")


def _page_state_of(content: Any) -> PageState:
    if isinstance(content, dict) and isinstance(content.get("link"), str):
        if _is_json(content["link"]):
            raise ExportError("The link in this JSON leads to another JSON. It must lead to a page of the lab.")
        return page_state(content["link"])
    if isinstance(content, dict) and isinstance(content.get("state"), dict):
        return page_state(f"/{content.get('page', '')}?{urlencode(content['state'], doseq=True)}")
    raise ExportError('This JSON holds neither a "link" nor a "page" with its "state".')


@lru_cache(maxsize=1)  # a list often names several figures of one page
def _opened(where: PageState, theme: str) -> AppTest:
    """The page as that link opens it in that theme, run once."""
    # As the server does: the threads of PyTorch would wait for each other on a busy machine. It knows torch, and a
    # refusal needs none.
    importlib.import_module("viz.ui.model_calls").start()
    screen = AppTest.from_file(str(visitor.PAGES / where.page / "page.py"), default_timeout=TIMEOUT_SECONDS)
    for name, values in old_links.of_today(where.page, parse_qs(where.state, keep_blank_values=True)).items():
        screen.query_params[name] = values
    screen.session_state[Key.THEME] = theme
    screen.run()
    _check(screen)
    for note in screen.info:
        if note.value.startswith("Part of this link"):
            raise ExportError(note.value.replace("\\", "") + " Nothing was written.")  # the command line shows no page
    return screen


def _check(screen: AppTest) -> None:
    if screen.exception:
        raise ExportError(f"The page could not be drawn: {screen.exception[0].value}")


def _mounts(screen: AppTest) -> dict[str, Any]:
    """Key → each component of the page."""
    return {mount.proto.id.rpartition("-")[2]: mount for mount in screen.get("bidi_component")}


def figures(screen: AppTest) -> list[str]:
    """The keys of the figures on the page, from above."""
    return [key.removeprefix("save_") for key in _mounts(screen) if key.startswith("save_")]


def _exported(wish: ExportRequest, options: Namespace) -> bytes:
    ending = wish.out.suffix.lower().lstrip(".")
    if ending not in NUMBERS + PICTURES:
        raise ExportError(f'A file can end in {", ".join(PICTURES + NUMBERS)}, not in "{wish.out.suffix}".')
    if options.width is not None and not MIN_WIDTH <= options.width <= MAX_WIDTH:
        raise ExportError(f"A figure can be {MIN_WIDTH} to {MAX_WIDTH} pixels wide, not {options.width}.")
    where = page_state(wish.link)
    browser = _browser(options.browser) if ending in PICTURES else ""
    screen = _opened(where, options.theme)
    keys = figures(screen)
    if not keys:
        reason = " ".join(note.value for note in screen.info) or "This page has no figure."
        raise ExportError(reason)
    figure = wish.figure or where.figure or keys[0]
    if figure not in keys:
        raise ExportError(f'There is no figure "{figure}" at this link. There are: {", ".join(keys)}.')
    link = without_tracking(wish.link if urlsplit(wish.link).scheme else where.link)
    wanted = {"kind": ending if ending in NUMBERS else "html", "foot": options.footer, "link": link}
    if ending in PICTURES:
        picture = {"kind": "png" if ending == "png" else "svg", "scale": options.scale}
        more = {"transparent": options.transparent, "foot": options.footer}
        wanted["asked"] = {**picture, **more, "width": options.width or _width(screen, figure)}
    file_bytes = _file_of_page(screen, figure, wanted)
    if ending in NUMBERS:
        return file_bytes
    drawn = _photographed(file_bytes, browser)
    return _printed(drawn, browser) if ending == "pdf" else drawn


def _file_of_page(screen: AppTest, figure: str, wanted: Mapping[str, Any]) -> bytes:
    """What the page answers to a click on "Save"."""
    screen.session_state[key_of(Key.ASK, figure)] = dict(wanted)
    screen.run()
    _check(screen)
    data = _mounts(screen)[f"save_{figure}"].proto.bytes
    length = int.from_bytes(data[:4], "little")
    block = json.loads(data[4 : 4 + length])["arrays"]["bytes"]
    return bytes(data[4 + length + block["at"] :][: block["bytes"]])


def _width(screen: AppTest, figure: str) -> int:
    """How wide the figure's place is on the page: the share of its columns."""
    wanted = _mounts(screen)[f"save_{figure}"]

    def share(block: Any) -> float:
        """Of the block's own width; 0 where the figure is not in it."""
        for child in getattr(block, "children", {}).values():
            inside = 1.0 if child is wanted else share(child)
            if inside:
                return inside * (child.weight if child.type == "column" else 1.0)
        return 0.0

    return round(COLUMN * share(screen.main))


def _browser(named: str | None) -> str:
    """Where this machine keeps a browser."""
    executable = next(filter(None, map(shutil.which, [named] if named else [*BROWSERS, MAC])), None)
    if executable is None:
        raise ExportError(
            f"Pictures are drawn by Chromium or Chrome, and {named or 'there is none'}{' is not' if named else ''} on "
            f"this machine; {', '.join(NUMBERS)} need no browser."
        )
    return executable


def _photographed(page: bytes, browser: str) -> bytes:
    """The picture that an offline page makes of itself."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "figure.html"
        file.write_bytes(page)
        shown = _headless(browser, folder, "--dump-dom", file.as_uri())
    _, marker, rest = shown.decode(errors="replace").partition('<pre id="made">')
    if not marker:
        raise ExportError("The browser did not draw the figure.")
    return b64decode(rest.partition("</pre>")[0])


def _printed(svg: bytes, browser: str) -> bytes:
    """A drawing as a PDF of its own size, with its origin in the file."""
    sheet = ElementTree.fromstring(svg)
    origin = json.loads(sheet.findtext(f"{SVG}metadata") or "")
    paper = f"@page {{ size: {sheet.get('width')}px {sheet.get('height')}px; margin: 0; }}"
    style = f"{paper} body {{ margin: 0; }} svg {{ display: block; }}"
    with TemporaryDirectory() as folder:
        file, pdf_file = Path(folder) / "figure.html", Path(folder) / "figure.pdf"
        file.write_text(f'<!doctype html><meta charset="utf-8"><style>{style}</style>{svg.decode()}', encoding="utf-8")
        _headless(browser, folder, "--no-pdf-header-footer", f"--print-to-pdf={pdf_file}", file.as_uri())
        if not pdf_file.exists():
            raise ExportError("The browser did not print the figure.")
        pdf = pdf_file.read_bytes()
    texts = {"Title": sheet.findtext(f"{SVG}title") or "", "Subject": footer(origin), "Creator": origin["software"]}
    return with_info(pdf, {**texts, "AttentionLab": json.dumps(origin, ensure_ascii=False)})


def _headless(browser: str, folder: str, *arguments: str) -> bytes:
    quiet = ["--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync"]
    quiet += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={folder}/profile"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        quiet.append("--no-sandbox")  # Chromium refuses to start as root with it
    try:
        done = subprocess.run([browser, *quiet, *arguments], capture_output=True, timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExportError(f"The browser {browser} did not answer: {error}.") from error
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
