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

from streamlit.proto.Block_pb2 import Block
from streamlit.proto.ButtonGroup_pb2 import ButtonGroup
from streamlit.proto.GapSize_pb2 import GapSize
from streamlit.proto.LabelVisibility_pb2 import LabelVisibility
from streamlit.proto.Markdown_pb2 import Markdown

from viz.server.preview.page_tree import Node
from viz.server.preview.text import html_of_html, html_of_paragraphs, html_of_text
from viz.styles import PAGE_TOOLS

COMPONENT = "attention-lab."
HEADING = re.compile(r"# ([^\n]+)\n\n([^\n]+)")
GAPS = {GapSize.NONE: 0.0, GapSize.SMALL: 15.0, GapSize.MEDIUM: 30.0, GapSize.LARGE: 60.0}  # pixels
FLEX = Block.FlexContainer
ALIGNED = {FLEX.ALIGN_START: "start", FLEX.ALIGN_END: "end", FLEX.ALIGN_CENTER: "center"}
FROM_THE_LEFT = (FLEX.JUSTIFY_UNDEFINED, FLEX.JUSTIFY_START)
UNSEEN = ("address", "unseen_")  # how the keys of blocks begin that style.css hides
IN_A_ROW = "1 1 8rem"  # a block without a width of its own, in a row of elements


@dataclass(frozen=True)
class Preview:
    """The upper part of a page. components: those it draws, in their order."""

    html: str
    components: tuple[str, ...]


Part = tuple[str, bool]  # HTML, and whether it is all of the element: nothing can be placed below a part of one
UNKNOWN: Part = ("", False)


def preview_of(page: Node) -> Preview | None:
    """The preview of a page; None where it would show neither its heading nor a drawing."""
    components: list[str] = []
    html, _ = _inside(page, components)
    return Preview(html, tuple(components)) if components or HEADING_PLACE in html else None


def _inside(block: Node, components: list[str]) -> Part:
    """The children of a vertical block, down to the first unknown one. Adds the components that are drawn."""
    parts = []
    for child in filter(_takes_room, block):
        html, whole = _element(child, components)
        parts.append(html)
        if not whole:
            return "".join(parts), False
    return "".join(parts), True


def _takes_room(node: Node) -> bool:
    """Whether Streamlit keeps a place for it: not for an empty block, and for no piece of HTML that is only style."""
    if _is_block(node) and not node.children:
        return False
    return node.kind not in ("", "empty") and not (node.kind == "html" and node.content.body.startswith("<style>"))


def _element(node: Node, components: list[str]) -> Part:
    if node.kind in ELEMENTS:
        return ELEMENTS[node.kind](node.content, components)
    if node.kind != "flex_container":
        return UNKNOWN
    if _key(node.proto).startswith(UNSEEN):
        return "<div></div>", True  # the space around it stays
    if any(child.kind == "markdown" and child.content.body.startswith("# ") for child in node):
        return _heading(node)
    if all(child.kind == "column" for child in node):
        return _columns(node, components)
    if node.content.direction == FLEX.HORIZONTAL:
        return _row(node, components)
    gap = GAPS.get(node.content.gap_config.gap_size)
    if gap is None:
        return UNKNOWN
    html, whole = _inside(node, components)
    return f'<div class="block" style="gap: {gap}px">{html}</div>', whole


def _is_block(node: Node) -> bool:
    return node.proto is not None and node.proto.DESCRIPTOR.name == "Block"


def _key(content: Any) -> str:
    """The key that Python has given to a block or a control, "" for none: "$$ID-9f0a…-heading" → "heading"."""
    return escape(str(content.id).split("-", 2)[-1])


def _heading(node: Node) -> Part:
    """The title and the sentence of a page, as viz/app/shell.py places them."""
    body = next(child.content.body for child in node if child.kind == "markdown")
    words = HEADING.fullmatch(body)
    title, sentence = map(html_of_text, words.groups()) if words else (None, None)
    if title is None or sentence is None:
        return UNKNOWN
    return f"{HEADING_PLACE}<h1>{title}</h1><p>{sentence}</p></div>", True


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


def _markdown(content: Any, _components: list[str]) -> Part:
    kinds = {Markdown.NATIVE: "text", Markdown.CAPTION: "text caption"}
    html = html_of_paragraphs(content.body)
    if html is None or content.help or content.element_type not in kinds:
        return UNKNOWN
    return f'<div class="{kinds[content.element_type]}">{html}</div>', True


def _html(content: Any, _components: list[str]) -> Part:
    html = html_of_html(content.body)
    return UNKNOWN if html is None else (f"<div>{html}</div>", True)


def _button(content: Any, _components: list[str]) -> Part:
    label = html_of_text(content.label)
    if label is None or content.type != "tertiary" or content.icon or content.help:
        return UNKNOWN
    return f'<div class="button st-key-{_key(content)}"><button><div><p>{label}</p></div></button></div>', True


def _choices(content: Any, _components: list[str]) -> Part:
    if content.style != ButtonGroup.SEGMENTED_CONTROL:
        return UNKNOWN
    options = "".join(f"<span>{escape(option.content)}</span>" for option in content.options)
    label = '<div class="label"></div>' if _has_label(content) else ""
    return f'<div class="choices">{label}<div>{options}</div></div>', True


def _field(content: Any, _components: list[str]) -> Part:
    return ('<div class="field"></div>', True) if _has_label(content) else UNKNOWN


def _has_label(content: Any) -> bool:
    return bool(content.label_visibility.value == LabelVisibility.VISIBLE)


def _columns(node: Node, components: list[str]) -> Part:
    gap = GAPS.get(node.content.gap_config.gap_size)
    if gap is None:
        return UNKNOWN
    html, all_whole = [], True
    for column in node:
        # In a narrow window a column stands below the one before it.
        inner, all_whole = _inside(column, components) if all_whole else UNKNOWN
        basis = f"calc({100 * column.content.weight:.4f}% - {gap}px)"
        html.append(f'<div class="block" style="flex-basis: {basis}">{inner}</div>')
    return f'<div class="columns" style="gap: {gap}px">{"".join(html)}</div>', all_whole


def _row(node: Node, components: list[str]) -> Part:
    """Elements beside each other. One of unknown size may move all others, so a row is placed whole or not."""
    flex = node.content
    gap, align = GAPS.get(flex.gap_config.gap_size), ALIGNED.get(flex.align)
    if gap is None or align is None or not flex.wrap or flex.justify not in FROM_THE_LEFT:
        return UNKNOWN
    html: list[str] = []
    drawn: list[str] = []
    for child in filter(_takes_room, node):
        basis = _basis(child)
        inner, whole = _element(child, drawn)
        if basis is None or not whole:
            return UNKNOWN
        html.append(f'<div style="flex: {basis}">{inner}</div>')
    components += drawn
    return (
        f'<div class="row st-key-{_key(node.proto)}" style="--gap: {gap}px; --align: {align}">{"".join(html)}</div>',
        True,
    )


def _basis(node: Node) -> str | None:
    """How wide an element is in a row: "flex" of CSS; None where that depends on its kind."""
    width = node.proto.width_config
    if width.use_content:
        return "0 0 fit-content"
    if width.pixel_width:
        return f"0 0 {width.pixel_width}px"
    if node.kind == "markdown":
        return "0 1 auto"
    return IN_A_ROW if _is_block(node) else None


HEADING_PLACE = '<div class="heading">'
ELEMENTS = {
    "bidi_component": _component,
    "button": _button,
    "button_group": _choices,
    "html": _html,
    "markdown": _markdown,
    "number_input": _field,
    "selectbox": _field,
    "text_input": _field,
}
