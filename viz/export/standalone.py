"""One figure in one file: it opens offline, answers the pointer, and asks nothing of any machine.

Our own drawings travel as the scripts and the bytes that the page itself was sent; a Plotly chart with Plotly in it.
"""

import json
import posixpath
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from viz.export.provenance import footer
from viz.styles import script_of, style_of
from viz.theme import SANS, Theme

FRONTEND = Path(__file__).parents[1] / "canvas" / "frontend"
PARTS = {"attention_browser": ("sentence", "head_grid", "maps")}  # what a drawing is made of, each in its own style
IMPORT = re.compile(r'from "(\.\.?/[\w/.-]+)\.js"')
# The file may run what it holds and load nothing: a browser enforces it.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)


def page(
    figure: tuple[str, bytes] | go.Figure,
    *,
    reading: Sequence[tuple[str, bool]],
    origin: Mapping[str, object],
    theme: Theme,
    foot: bool = False,
    picture: Mapping[str, Any] | None = None,
) -> str:
    """The file as HTML.

    figure: name and data of a component, or a chart; reading: its sentence in pieces (text, stressed or not); foot: the
    origin is also written below; picture: of a picture that the page makes of itself, see frontend/page/standalone.js.
    """
    caption = "".join(f"<strong>{escape(text)}</strong>" if strong else escape(text) for text, strong in reading)
    title = f"{origin.get('weights', '')} {origin['figure']}".strip()
    face = [f'<p class="{name}">{escape(str(origin[name]))}</p>' for name in ("shows", "says") if origin.get(name)]
    # The command line requests a picture of the figure, at this width.
    room = f' style="width: {int(picture["width"])}px"' if picture and "width" in picture else ""
    wish = {**picture, "theme": vars(theme), "title": "".join(text for text, _ in reading)} if picture else None
    name, held = ("chart", _chart(figure)) if isinstance(figure, go.Figure) else (figure[0], _data(figure[1]))
    styles = {} if name == "chart" else {"style": _style(name)}
    styles |= {f"style-{part}": _style(part) for part in PARTS.get(name, ())}
    worn = "\n".join(f'<script type="text/plain" id="{place}">{style}</script>' for place, style in styles.items())
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width">
<title>{escape(title)}</title>
<style>{_page_style(theme)}</style>
<script type="application/json" id="origin">{_json(origin)}</script>
<script type="application/json" id="asked">{_json(wish)}</script>
{worn}
<script type="importmap">{_json({"imports": _modules(name)})}</script>
</head>
<body>
{"".join(face)}
<div id="figure"{room}>{held}</div>
<p class="reading">{caption}</p>
{f'<p class="foot">{escape(footer(origin))}</p>' if foot else ""}
<script type="module">import "lab/page/standalone.js";</script>
</body>
</html>
"""


def _style(name: str) -> str:
    return (FRONTEND / f"{style_of(name)}.css").read_text(encoding="utf-8")


def _modules(name: str) -> dict[str, str]:
    """Every script that is needed, under the name that the others import it by."""
    drawn = "export default null;" if name == "chart" else f'export {{ default }} from "./{script_of(name)}.js";'
    sources, todo = {}, ["page/standalone", "figure"]
    while todo:
        script = todo.pop()
        if script not in sources:
            sources[script] = drawn if script == "figure" else (FRONTEND / f"{script}.js").read_text(encoding="utf-8")
            todo += [_module(script, path) for path in IMPORT.findall(sources[script])]
    # Inside data: addresses there is no "./"; the import map knows the scripts by bare names instead.
    return {
        f"lab/{script}.js": "data:text/javascript;base64," + b64encode(_by_bare_names(script, source).encode()).decode()
        for script, source in sources.items()
    }


def _module(importer: str, path: str) -> str:
    """The script that `importer` imports by a relative path: ("figures/maps", "../lib/cells") → "lib/cells"."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), path))


def _by_bare_names(name: str, source: str) -> str:
    return IMPORT.sub(lambda match: f'from "lab/{_module(name, match[1])}.js"', source)


def _data(data: bytes) -> str:
    return f'<script type="text/plain" id="data">{b64encode(data).decode()}</script>'


def _chart(figure: go.Figure) -> str:
    config = {"showSendToCloud": False, "displayModeBar": False, "responsive": True}
    return str(figure.to_html(full_html=False, include_plotlyjs=True, config=config))


def _json(value: object) -> str:
    """JSON that cannot end the script it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _page_style(theme: Theme) -> str:
    return (
        f"html {{ font: 15px/1.45 {SANS}; font-variant-numeric: tabular-nums; color: {theme.ink}; "
        f"background: {theme.paper}; }} body {{ max-width: 1280px; margin: 24px auto; padding: 0 24px; }} "
        f".reading {{ font: 1.1rem/1.45 Charter, 'Iowan Old Style', 'Noto Serif', Georgia, serif; }} "
        f".reading strong, .says {{ color: {theme.accent}; font-weight: 600; }} "
        f".foot {{ color: {theme.muted}; font-size: 12px; overflow-wrap: anywhere; }}"
    )
