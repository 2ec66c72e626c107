"""What many figures take alike: the words of both axes, the row in focus, and the head that is selected."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st


@dataclass(frozen=True)
class Axes:
    """The words of a map: T queries as rows and S keys as columns. In self-attention both are the same words."""

    query_tokens: Sequence[str]
    key_tokens: Sequence[str] | None = None  # None: the queries

    @property
    def columns(self) -> Sequence[str]:
        """The words of the keys."""
        return self.query_tokens if self.key_tokens is None else self.key_tokens

    @property
    def shape(self) -> tuple[int, int]:
        """(T, S)."""
        return len(self.query_tokens), len(self.columns)


@dataclass(frozen=True)
class TokenFocus:
    """The query row that is lit while the pointer is on none, and whether a person has pinned it.

    on_pin is called with the row that a person clicks, or with None when a click releases it. Without it no row can be
    pinned in the figure.
    """

    row: int | None = None
    pinned: bool = False
    on_pin: Callable[[int | None], None] | None = None

    @property
    def header(self) -> dict[str, Any]:
        """What is sent to the browser."""
        return {"row": self.row, "pinned": self.pinned}

    def callbacks(self, key: str) -> dict[str, Callable[[], None]]:
        """The callbacks of the component under this key."""
        on_pin = self.on_pin
        return {} if on_pin is None else {"on_pin_change": lambda: on_pin(st.session_state[key]["pin"]["row"])}


@dataclass(frozen=True)
class SelectedHead:
    """The head that is shown large. on_select is called with the layer and head that a person clicks."""

    layer: int
    head: int
    on_select: Callable[[int, int], None]

    @property
    def index(self) -> tuple[int, int]:
        """(layer, head)."""
        return self.layer, self.head

    def callbacks(self, key: str) -> dict[str, Callable[[], None]]:
        """The callbacks of the component under this key."""
        return {"on_head_change": lambda: self.on_select(*st.session_state[key]["head"])}
