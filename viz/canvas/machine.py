"""A whole Transformer on one sentence, or on two: what each part adds to the stream, and what flows to one token."""

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

    kind: str  # "embedding", "attention", "cross", "mlp", "output" of an encoder, or "unembedding"
    layer: int | None
    norm: str  # "before", "after" or "none"
    present: bool
    shape: str  # of what it gives: "13 × 64"
    stack: str = ""  # "encoder" or "decoder" in a model of both


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
    purposes: Mapping[str, str]  # also of "cross_head", a head of cross-attention
    short: Mapping[str, str]  # what it is for, in a few words
    pages: Mapping[str, str]  # label of the button that opens its page


@dataclass(frozen=True)
class MachineSource:
    """N drawn tokens of a source on their way through the encoder, and into the cross-attention of the decoder."""

    tokens: Sequence[str]  # N
    followed: Sequence[int]  # of each token of the target, the drawn source token that gives most to it
    arrays: Mapping[str, Array]  # of the encoder: weights, mask (L, H, N, N), stream (J, N, C), hidden (L, N, F),
    # lengths (J, N), added (2L, N), reach (T, L + 1, N), edges (T, L, N, N), output (1, N, C), its last vectors
    cross: Mapping[str, Array]  # weights, mask (L, H, T, N), edges (T, L, T, N)


@dataclass(frozen=True)
class MachineView:
    """T drawn tokens on their way through L layers. In a model of two sentences they are those of the target."""

    tokens: Sequence[str]  # T
    positions: Sequence[int]  # T, of the drawn tokens in the text
    parts: Sequence[MachinePart]
    switches: Sequence[MachineSwitch]
    heads_off: Sequence[str]  # names: "L1H2", in cross-attention "X1H2", in an encoder "E1H2"
    arrays: Mapping[str, Array]  # weights, mask (L, H, T, T), stream (J, T, C), hidden (L, T, F), lengths (J, T),
    # added (2L, T), reach (T, L + 1, T), edges (T, L, T, T); with a source: added (3L, T), reach (T, 2L + 1, T)
    sentences: Sequence[Sequence[str]]  # of each token, what each part did
    next_tokens: Sequence[Sequence[tuple[str, float, float]]]  # of each token: word, probability, and that of the full
    # model; empty where the model predicts no words
    predicts: str  # title of the last column
    position_place: str  # where positions come in: "embedding", "attention" or "none"
    words: MachineWords
    source: MachineSource | None = None


@dataclass(frozen=True)
class MachineEvents:
    """What a person does in the figure.

    on_part: name of a switch; on_layer, on_head: heads to remove or put back, and the letter of their attention;
    on_open: kind of a part, its layer and its head, −1 where there is none, and its stack.
    """

    on_part: Callable[[str], None]
    on_layer: Callable[[int, str], None]
    on_head: Callable[[int, int, str], None]
    on_open: Callable[[str, int, int, str], None]

    def callbacks(self, key: str) -> dict[str, Callable[[], None]]:
        """The callbacks of the component under this key."""

        def sent(name: str) -> Any:
            return st.session_state[key][name]

        def layer(number: Any, letter: Any) -> None:
            self.on_layer(int(number), str(letter))

        def head(layer: Any, number: Any, letter: Any) -> None:
            self.on_head(int(layer), int(number), str(letter))

        def opened(kind: Any, layer: Any, head: Any, stack: Any) -> None:
            self.on_open(str(kind), int(layer), int(head), str(stack))

        return {
            "on_part_change": lambda: self.on_part(str(sent("part"))),
            "on_layer_change": lambda: layer(*sent("layer")),
            "on_head_change": lambda: head(*sent("head")),
            "on_open_change": lambda: opened(*sent("open")),
        }


def machine(
    view: MachineView, *, key: str, focus: TokenFocus, detail: str, events: MachineEvents, theme: Theme
) -> Drawn:
    """The whole model. detail: what stands below each part, "words", "shapes" or "numbers"."""
    source = view.source
    header = {
        "key": key,
        "tokens": [truncate(token) for token in view.tokens],
        "positions": list(view.positions),
        "parts": [asdict(part) for part in view.parts],
        "switches": [asdict(switch) for switch in view.switches],
        "heads_off": list(view.heads_off),
        "source": source and {"tokens": [truncate(token) for token in source.tokens], "followed": source.followed},
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
        **_packed(view.arrays, ""),
        **(_packed(source.arrays, "encoder_") | _packed(source.cross, "cross_") if source else {}),
    )
    return component("machine")(key=key, data=data, **focus.callbacks(key), **events.callbacks(key))


def _packed(arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    """The arrays of one stack as the browser reads them: maps and vectors as colours, all other numbers as they are."""
    packed = {"cells": encode_weights(arrays["weights"], arrays["mask"])}
    for name, values in arrays.items():
        if name in ("stream", "hidden", "output"):
            packed[name] = encode_vectors(values)
        elif name != "mask":
            packed[name] = values.astype(np.float32)
    return {prefix + name: values for name, values in packed.items()}


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
