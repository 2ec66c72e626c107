"""The upper part of a page as HTML, down to the first element whose size is not known here.

The elements stand where Streamlit will place them: preview.css has its measures. A drawing is a place with its name and
its bytes; viz/canvas/frontend/page/preview.js draws it with the script that draws it on the page itself.
"""

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from html import escape
from typing import Any

from viz.server.preview.page_tree import Node
from viz.styles import PAGE_TOOLS

COMPONENT = "attention-lab."
HEADING = re.compile(r"# ([^\n]+)\n\n([^\n]+)")
MARKUP = re.compile(r"[*_`$\[\]<>\\:&]")  # what Markdown may read as more than text
GAPS = {1: 15.0, 2: 30.0, 3: 60.0}  # pixels of Streamlit's small, medium and large
UNSEEN = "-address"  # the block of controls that only the address sets: style.css hides it
LABEL_IS_SHOWN = 0  # Streamlit's LabelVisibility.VISIBLE
BARE = ("empty", "html")  # elements that take no room


@dataclass(frozen=True)
class Preview:
    """The upper part of a page. components: those it draws, in their order."""

    html: str
    components: tuple[str, ...]


Part = tuple[str, bool]  # HTML, and whether it is all of the element: nothing can be placed below a part of one
UNKNOWN: Part = ("", False)


def preview_of(page: Node) -> Preview | None:
    """The preview of a page; None where it would show no drawing."""
    components: list[str] = []
    html, _ = _inside(page, components)
    return Preview(html, tuple(components)) if components else None


def _inside(block: Node, components: list[str]) -> Part:
    """The children of a vertical block, down to the first unknown one. Adds the components that are drawn."""
    parts = []
    for child in block:
        if child.kind in ("", *BARE) or (_is_block(child) and not child.children):
            continue
        html, whole = _element(child, components)
        parts.append(html)
        if not whole:
            return "".join(parts), False
    return "".join(parts), True


def _element(node: Node, components: list[str]) -> Part:
    if node.kind in ELEMENTS:
        return ELEMENTS[node.kind](node.content, components)
    if node.kind != "flex_container":
        return UNKNOWN
    if node.proto.id.endswith(UNSEEN):
        return "<div></div>", True  # the space around it stays
    if any(child.kind == "markdown" and child.content.body.startswith("# ") for child in node):
        return _heading(node)
    if all(child.kind == "column" for child in node):
        return _columns(node, components)
    html, whole = _inside(node, components)
    return f'<div class="block">{html}</div>', whole


def _is_block(node: Node) -> bool:
    return node.proto is not None and node.proto.DESCRIPTOR.name == "Block"


def _heading(node: Node) -> Part:
    """The title and the sentence of a page, as viz/app/shell.py places them."""
    body = next(child.content.body for child in node if child.kind == "markdown")
    words = HEADING.fullmatch(body)
    if words is None or MARKUP.search(words[1] + words[2]):
        return UNKNOWN
    return f'<div class="heading"><h1>{escape(words[1])}</h1><p>{escape(words[2])}</p></div>', True


def _component(content: Any, components: list[str]) -> Part:
    name = content.component_name.removeprefix(COMPONENT)
    header = header_of(content.bytes)
    if name == "save" and not header["reading"] and not header["table_open"]:
        return '<div class="save"></div>', True
    if name in PAGE_TOOLS:
        return UNKNOWN
    components.append(name)
    data = b64encode(content.bytes).decode()
    place = f'data-component="{escape(name)}" data-key="{escape(header["key"])}"'
    return f'<div class="figure" {place} data-bytes="{data}"></div>', True


def header_of(data: bytes) -> dict[str, Any]:
    """The header of what viz/pack.py packs."""
    header: dict[str, Any] = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
    return header


def _choices(content: Any, _components: list[str]) -> Part:
    if content.label_visibility.value == LABEL_IS_SHOWN:
        return UNKNOWN
    options = "".join(f"<span>{escape(option.content)}</span>" for option in content.options)
    return f'<div class="choices">{options}</div>', True


def _select(content: Any, _components: list[str]) -> Part:
    return ('<div class="select"></div>', True) if content.label_visibility.value == LABEL_IS_SHOWN else UNKNOWN


def _columns(node: Node, components: list[str]) -> Part:
    gap = GAPS.get(node.content.gap_config.gap_size)
    if gap is None:
        return UNKNOWN
    html, all_whole = [], True
    for column in node:
        inner, whole = _inside(column, components)
        all_whole = all_whole and whole
        basis = f"calc({100 * column.content.weight:.4f}% - {gap}px)"
        html.append(f'<div class="block" style="flex-basis: {basis}">{inner}</div>')
    return f'<div class="columns" style="gap: {gap}px">{"".join(html)}</div>', all_whole


ELEMENTS = {"bidi_component": _component, "button_group": _choices, "selectbox": _select}
