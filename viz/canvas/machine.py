"""A whole Transformer on one sentence: what each part adds to the residual stream, and what flows to one token."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import streamlit as st

from viz.canvas.components import Drawn, component
from viz.canvas.focus import TokenFocus
from viz.labels import truncate
from viz.pack import FULL, encode_weights, pack
from viz.theme import Theme
from viz.types import Array

STRIP_CELLS = 22  # of a strip that stands for a vector
HEADROOM = 98  # percent of all numbers that the colours of the strips tell apart; the rest has the colour of the end


@dataclass(frozen=True)
class MachinePart:
    """One part of the model, as the figure draws it."""

    kind: str  # "embedding", "attention", "mlp" or "unembedding"
    layer: int | None
    norm: str  # "before", "after" or "none"
    present: bool
    shape: str  # of what it gives: "13 × 64"


@dataclass(frozen=True)
class MachineSwitch:
    """A part that a click removes and puts back; `available` is False where the weights never had it."""

    name: str  # field of Switches
    label: str  # short enough for a button
    on: bool
    available: bool


@dataclass(frozen=True)
class MachineWords:
    """By kind of part or name of a switch, what the figure says of it."""

    names: Mapping[str, str]
    purposes: Mapping[str, str]
    short: Mapping[str, str]  # what it is for, in a few words
    pages: Mapping[str, str]  # label of the button that opens its page


@dataclass(frozen=True)
class MachineView:
    """T drawn tokens on their way through L layers."""

    tokens: Sequence[str]  # T
    positions: Sequence[int]  # T, of the drawn tokens in the text
    parts: Sequence[MachinePart]
    switches: Sequence[MachineSwitch]
    heads_off: Sequence[tuple[int, int]]
    arrays: Mapping[str, Array]  # weights, mask (L, H, T, T), stream (J, T, C), hidden (L, T, F), lengths (J, T),
    # added (2L, T), reach (T, L + 1, T), edges (T, L, T, T)
    sentences: Sequence[Sequence[str]]  # of each token, what each part did
    next_tokens: Sequence[Sequence[tuple[str, float, float]]]  # of each token: word, probability, and that of the full
    # model; empty where the model predicts no words
    predicts: str  # title of the last column
    position_place: str  # where positions come in: "embedding", "attention" or "none"
    words: MachineWords


@dataclass(frozen=True)
class MachineEvents:
    """What a person does in the figure.

    on_part: name of a switch; on_layer, on_head: heads to remove or put back; on_open: kind of a part, its layer and
    its head, −1 where there is none.
    """

    on_part: Callable[[str], None]
    on_layer: Callable[[int], None]
    on_head: Callable[[int, int], None]
    on_open: Callable[[str, int, int], None]

    def callbacks(self, key: str) -> dict[str, Callable[[], None]]:
        """The callbacks of the component under this key."""

        def sent(name: str) -> Any:
            return st.session_state[key][name]

        return {
            "on_part_change": lambda: self.on_part(str(sent("part"))),
            "on_layer_change": lambda: self.on_layer(int(sent("layer"))),
            "on_head_change": lambda: self.on_head(*map(int, sent("head"))),
            "on_open_change": lambda: self.on_open(str(sent("open")[0]), *map(int, sent("open")[1:])),
        }


def machine(
    view: MachineView, *, key: str, focus: TokenFocus, detail: str, events: MachineEvents, theme: Theme
) -> Drawn:
    """The whole model. detail: what stands below each part, "words", "shapes" or "numbers"."""
    arrays = view.arrays
    header = {
        "key": key,
        "tokens": [truncate(token) for token in view.tokens],
        "positions": list(view.positions),
        "parts": [asdict(part) for part in view.parts],
        "switches": [asdict(switch) for switch in view.switches],
        "heads_off": [list(head) for head in view.heads_off],
        "sentences": view.sentences,
        "next_tokens": [[[truncate(word), *shares] for word, *shares in row] for row in view.next_tokens],
        "predicts": view.predicts,
        "position_place": view.position_place,
        "detail": detail,
        "names": dict(view.words.names),
        "purposes": dict(view.words.purposes),
        "short": dict(view.words.short),
        "pages": dict(view.words.pages),
        **focus.header,
        "theme": vars(theme),
    }
    data = pack(
        header,
        cells=encode_weights(arrays["weights"], arrays["mask"]),
        weights=arrays["weights"].astype(np.float32),
        stream=encode_vectors(arrays["stream"]),
        hidden=encode_vectors(arrays["hidden"]),
        lengths=arrays["lengths"].astype(np.float32),
        added=arrays["added"].astype(np.float32),
        reach=arrays["reach"].astype(np.float32),
        edges=arrays["edges"].astype(np.float32),
    )
    return component("machine")(key=key, data=data, **focus.callbacks(key), **events.callbacks(key))


def encode_vectors(vectors: Array, cells: int = STRIP_CELLS) -> Array:
    """Vectors (N, T, C) as strips of at most `cells` bytes: code 0 far below zero, FULL / 2 zero, FULL far above.

    Each of the N places has its own limit: the stream grows so much that early vectors would vanish beside late ones. A
    cell shows the number farthest from zero of those that it stands for, so that a large number is never averaged away.
    The code grows with the square root of the number, so that small numbers stay visible. Not a number is shown as
    zero.
    """
    finite = np.nan_to_num(vectors, nan=0.0, posinf=0.0, neginf=0.0)
    width = finite.shape[-1]
    if width > cells:
        starts = (np.arange(cells) * width) // cells
        high, low = np.maximum.reduceat(finite, starts, axis=-1), np.minimum.reduceat(finite, starts, axis=-1)
        finite = np.where(high >= -low, high, low)
    limit = np.percentile(np.abs(finite), HEADROOM, axis=(1, 2), keepdims=True)  # (N, 1, 1)
    limit = np.where(limit > 0, limit, 1.0)
    half = FULL // 2
    share = np.sign(finite) * np.sqrt(np.minimum(np.abs(finite) / limit, 1.0))  # −1 … 1
    codes: Array = np.round(share * half + half).astype(np.uint8)
    return codes


def hidden_units(
    units: Sequence[int], lengths: Array, raised: Sequence[Sequence[str]], *, key: str, theme: Theme
) -> Drawn:
    """The hidden units of a feed-forward network that write most for one token.

    units (N,), lengths (N,) of the vectors that they write, raised (N, K): the words whose logits each raises most.
    """
    header = {
        "key": key,
        "units": list(units),
        "raised": [", ".join(truncate(word) for word in row) for row in raised],
        "theme": vars(theme),
    }
    return component("hidden_units")(key=key, data=pack(header, lengths=lengths.astype(np.float32)))
