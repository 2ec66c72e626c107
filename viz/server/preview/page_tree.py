"""The elements of a page as a tree, from the messages that Streamlit sends for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


@dataclass
class Node:
    """An element, or a block with its children in the order of the page."""

    proto: Any = None  # Element or Block of Streamlit
    children: dict[int, "Node"] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The field of the message that is set: "markdown", "bidi_component"; of a block "flex_container", "column"."""
        return str(self.proto.WhichOneof("type") or "") if self.proto is not None else ""

    @property
    def content(self) -> Any:
        """The message in that field."""
        return getattr(self.proto, self.kind)

    def __iter__(self) -> Iterator["Node"]:
        return (self.children[index] for index in sorted(self.children))


def page_tree(messages: Sequence[ForwardMsg], container: int = 0) -> Node:
    """The main column of the page (container 0), or another container of Streamlit's."""
    root = Node()
    for message in messages:
        path = tuple(message.metadata.delta_path)
        kind = message.delta.WhichOneof("type")
        if path[0] != container or len(path) < 2 or kind not in ("new_element", "add_block"):
            continue
        node = root
        for index in path[1:-1]:
            node = node.children.setdefault(index, Node())
        placed = message.delta.new_element if kind == "new_element" else message.delta.add_block
        node.children[path[-1]] = Node(placed)
    return root
