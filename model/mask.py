"""Attention masks. A mask is boolean, and True always means "may attend".

Masks combine with `&`. A rule takes the positions of queries and keys and returns (T, S); a mask on scores broadcasts
to (B, H, T, S). To add a mask, write its rule and enter it in MASKS. The tests check every entry of that table.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


def causal(query_positions: Tensor, key_positions: Tensor) -> Tensor:
    """A query attends to itself and to all keys before it. query_positions (T,), key_positions (S,). Returns (T, S)."""
    return key_positions[None, :] <= query_positions[:, None]


def full(query_positions: Tensor, key_positions: Tensor) -> Tensor:
    """Every query attends to every key. Returns (T, S)."""
    return torch.ones(query_positions.numel(), key_positions.numel(), dtype=torch.bool, device=query_positions.device)


def window(query_positions: Tensor, key_positions: Tensor, width: int) -> Tensor:
    """A query attends to keys less than `width` steps away. Beltagy et al. 2020, figure 2. Returns (T, S)."""
    return (key_positions[None, :] - query_positions[:, None]).abs() < width


def sliding(query_positions: Tensor, key_positions: Tensor, width: int) -> Tensor:
    """A query attends to itself and the `width` − 1 keys before it: the window of a decoder. Returns (T, S)."""
    return causal(query_positions, key_positions) & window(query_positions, key_positions, width)


def prefix(query_positions: Tensor, key_positions: Tensor, length: int) -> Tensor:
    """Every query attends to the first `length` keys; beyond these, the mask is causal. Returns (T, S)."""
    return causal(query_positions, key_positions) | (key_positions < length)[None, :]


def block(query_positions: Tensor, key_positions: Tensor, size: int) -> Tensor:
    """The text is cut into blocks of `size`; a query attends to its own block, on both sides. Returns (T, S)."""
    return key_positions[None, :] // size == query_positions[:, None] // size


def cross(query_positions: Tensor, key_positions: Tensor, cut: int) -> Tensor:
    """Every query attends to the keys before position `cut` and to no other key. Returns (T, S)."""
    return (key_positions < cut)[None, :].expand(query_positions.numel(), -1)


def padding_mask(is_token: Tensor) -> Tensor:
    """No query attends to padding. is_token (B, S), False for padding. Returns (B, 1, 1, S).

    This is also the mask of cross-attention, where S counts the positions of the source.
    """
    return is_token[:, None, None, :]


def padded(query_positions: Tensor, key_positions: Tensor, n_padding: int) -> Tensor:
    """A causal mask in which no query attends to the last `n_padding` keys. Returns (T, S)."""
    is_token = (
        torch.arange(key_positions.numel(), device=key_positions.device) < key_positions.numel() - n_padding
    )  # (S,)
    return causal(query_positions, key_positions) & padding_mask(is_token[None])[0, 0]


@dataclass(frozen=True)
class MaskKind:
    """A mask of the menu: its name on screen, what it means, its rule, and the number that the rule takes."""

    label: str
    description: str
    rule: Callable[..., Tensor]
    parameter_label: str | None = None  # what the number means; None: the rule takes no number
    minimum: int = 1  # the smallest number; the largest is the number of tokens
    default: int = 3


MASKS: dict[str, MaskKind] = {
    "causal": MaskKind("causal", "A word attends to itself and to the words before it.", causal),
    "none": MaskKind("none", "Every word attends to every word.", full),
    "window": MaskKind(
        "window", "A word attends to the words near it, on both sides.", window, "Steps, itself included"
    ),
    "sliding": MaskKind(
        "sliding",
        "A word attends to itself and to a few words before it.",
        sliding,
        "Words it attends to, itself included",
    ),
    "prefix": MaskKind(
        "prefix",
        "Every word attends to the first words. Beyond these, the mask is causal.",
        prefix,
        "First words that are visible to all",
        0,
    ),
    "block": MaskKind("block", "A word attends to the words of its own block.", block, "Words in a block", 1, 4),
    "padding": MaskKind(
        "padding",
        "The mask is causal, and no word attends to the last words, which are padding.",
        padded,
        "Last words that are padding",
        0,
    ),
    "cross": MaskKind(
        "cross", "Words after the cut attend only to the words before it.", cross, "Words before the cut", 0, 6
    ),
    "drawn": MaskKind("drawn", "You draw the mask cell by cell.", causal),  # beyond the drawing the mask is causal
}

HEX_ROWS = re.compile(r"[0-9a-f]{1,128}(\.[0-9a-f]{1,128})*")


@dataclass(frozen=True)
class MaskSpec:
    """The mask that a run uses instead of the model's own. It is small and hashable, as a part of an `Experiment`.

    Raises:
        ValueError: there is no such kind, or the number is below its minimum.
    """

    kind: str = "causal"  # a key of MASKS
    size: int = 0  # the number its rule takes; 0 for a rule that takes none
    rows: tuple[int, ...] = ()  # of a drawn mask: bit s of row t is 1 if t may attend to s

    def __post_init__(self) -> None:
        if self.kind not in MASKS:
            raise ValueError(f'a mask must be one of {", ".join(MASKS)}, not "{self.kind}"')
        kind = MASKS[self.kind]
        if kind.parameter_label and self.size < kind.minimum:
            raise ValueError(f"{self.kind}: the number must be at least {kind.minimum}, not {self.size}")
        if any(row < 0 or row >> len(self.rows) for row in self.rows):
            raise ValueError(f"a drawing of {len(self.rows)} rows has as many columns, and no row with more")

    @property
    def name(self) -> str:
        """For file names: "window-3-mask", "drawn-mask"."""
        return f"{self.kind}-{self.size}-mask" if MASKS[self.kind].parameter_label else f"{self.kind}-mask"

    @property
    def hex_rows(self) -> str:
        """The drawing as it is written in a link: its rows in hexadecimal, first row first, separated by dots."""
        return ".".join(f"{row:x}" for row in self.rows)

    def build(self, n_tokens: int) -> Tensor:
        """The mask (T, T) of a text of `n_tokens` tokens. Beyond a drawing the mask is causal."""
        positions = torch.arange(n_tokens)  # (T,)
        kind = MASKS[self.kind]
        allowed = (
            kind.rule(positions, positions, self.size) if kind.parameter_label else kind.rule(positions, positions)
        )  # (T, T)
        if self.rows:
            n_drawn = min(n_tokens, len(self.rows))
            cells = [[row >> key & 1 for key in range(n_drawn)] for row in self.rows[:n_drawn]]
            allowed = allowed.clone()
            allowed[:n_drawn, :n_drawn] = torch.tensor(cells, dtype=torch.bool)
        return allowed


def mask_from_cells(allowed: list[list[bool]]) -> MaskSpec:
    """A drawn mask from its cells (T, T)."""
    return MaskSpec("drawn", rows=tuple(sum(1 << key for key, may in enumerate(row) if may) for row in allowed))


def mask_from_hex(text: str) -> MaskSpec | None:
    """The inverse of `MaskSpec.hex_rows`; None if the text is not a drawing."""
    if not HEX_ROWS.fullmatch(text):
        return None
    rows = tuple(int(row, 16) for row in text.split("."))
    return None if any(row >> len(rows) for row in rows) else MaskSpec("drawn", rows=rows)


@dataclass(frozen=True, slots=True)
class PreparedMask:
    """A mask in the form that attention needs, computed once and used by every layer."""

    allowed: Tensor  # (…, T, S) True: may attend
    upper_bound: Tensor  # (…, T, S) ∞ where attention is allowed, −∞ elsewhere: the upper bound of the scores
    fully_masked: Tensor | None  # (…, T, 1) True for a query that may attend to nothing; None if there is no such query


def prepare_mask(allowed: Tensor) -> PreparedMask:
    """allowed (…, T, S), boolean."""
    upper_bound = torch.where(allowed, math.inf, -math.inf)  # (…, T, S)
    something = allowed.any(dim=-1, keepdim=True)  # (…, T, 1)
    return PreparedMask(allowed, upper_bound, None if something.all() else ~something)
