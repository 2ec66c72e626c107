"""Who may look at whom. A mask is boolean and True always means "may attend".

Masks combine with `&`. A rule takes the positions that look and those looked at, and returns (T, S); what acts on the
scores broadcasts to (B, H, T, S). To add a mask: write its rule, enter it in MASKS. The tests walk that table.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


def causal(queries_at: Tensor, keys_at: Tensor) -> Tensor:
    """A query sees itself and everything before it. queries_at (T,), keys_at (S,). Returns (T, S)."""
    return keys_at[None, :] <= queries_at[:, None]


def everything(queries_at: Tensor, keys_at: Tensor) -> Tensor:
    """Every query sees every key. Returns (T, S)."""
    return torch.ones(queries_at.numel(), keys_at.numel(), dtype=torch.bool, device=queries_at.device)


def window(queries_at: Tensor, keys_at: Tensor, width: int) -> Tensor:
    """A query sees keys fewer than `width` steps away, on both sides. Beltagy et al. 2020, figure 2. Returns (T, S)."""
    return (keys_at[None, :] - queries_at[:, None]).abs() < width


def sliding(queries_at: Tensor, keys_at: Tensor, width: int) -> Tensor:
    """A query sees itself and the `width` − 1 keys before it: the window of a decoder. Returns (T, S)."""
    return causal(queries_at, keys_at) & window(queries_at, keys_at, width)


def prefix(queries_at: Tensor, keys_at: Tensor, length: int) -> Tensor:
    """Everybody sees the first `length` keys, and beyond them only what came before. Returns (T, S)."""
    return causal(queries_at, keys_at) | (keys_at < length)[None, :]


def block(queries_at: Tensor, keys_at: Tensor, size: int) -> Tensor:
    """The text is cut into blocks of `size`; a query sees its own block, on both sides. Returns (T, S)."""
    return keys_at[None, :] // size == queries_at[:, None] // size


def cross(queries_at: Tensor, keys_at: Tensor, cut: int) -> Tensor:
    """Queries from `cut` on see the keys before it and nothing else; so do those before it. Returns (T, S)."""
    return (keys_at < cut)[None, :].expand(queries_at.numel(), -1)


def padding(real: Tensor) -> Tensor:
    """Nobody looks at filler. real (B, S), True for a real token. Returns (B, 1, 1, S).

    Also the mask of cross-attention: there, S are the positions of the source.
    """
    return real[:, None, None, :]


def padded(queries_at: Tensor, keys_at: Tensor, filler: int) -> Tensor:
    """Causal, and nobody looks at the last `filler` keys. Returns (T, S)."""
    real = torch.arange(keys_at.numel(), device=keys_at.device) < keys_at.numel() - filler  # (S,)
    return causal(queries_at, keys_at) & padding(real[None])[0, 0]


@dataclass(frozen=True)
class Kind:
    """A mask one can choose: its name on screen, what it means, its rule, and the number that the rule takes."""

    label: str
    means: str
    rule: Callable[..., Tensor]
    number: str | None = None  # what the number is; None: the rule takes none
    least: int = 1  # the number goes from here to the number of tokens
    opens_with: int = 3


MASKS: dict[str, Kind] = {
    "causal": Kind("causal", "A word attends to itself and to the words before it.", causal),
    "none": Kind("none", "Every word attends to every word.", everything),
    "window": Kind("window", "A word attends to the words near it, on both sides.", window, "Steps, itself included"),
    "sliding": Kind(
        "sliding",
        "A word attends to itself and to a few words before it.",
        sliding,
        "Words it attends to, itself included",
    ),
    "prefix": Kind(
        "prefix",
        "Every word attends to the first words. Beyond these, the mask is causal.",
        prefix,
        "First words that are visible to all",
        0,
    ),
    "block": Kind("block", "A word attends to the words of its own block.", block, "Words in a block", 1, 4),
    "padding": Kind(
        "padding",
        "The mask is causal, and no word attends to the last words, which are padding.",
        padded,
        "Last words that are padding",
        0,
    ),
    "cross": Kind(
        "cross", "Words after the cut attend only to the words before it.", cross, "Words before the cut", 0, 6
    ),
    "drawn": Kind("drawn", "You draw the mask cell by cell.", causal),  # beyond the drawing: causal
}

DRAWN = re.compile(r"[0-9a-f]{1,128}(\.[0-9a-f]{1,128})*")


@dataclass(frozen=True)
class Looks:
    """Which mask a run uses instead of the model's own. Small and hashable: a part of the experiment and of its link.

    Raises:
        ValueError: there is no such kind, or the number is below its least.
    """

    kind: str = "causal"  # a key of MASKS
    size: int = 0  # the number its rule takes; 0 for a rule that takes none
    rows: tuple[int, ...] = ()  # of a drawn mask: bit s of row t is 1 when t may look at s

    def __post_init__(self) -> None:
        if self.kind not in MASKS:
            raise ValueError(f'a mask must be one of {", ".join(MASKS)}, not "{self.kind}"')
        kind = MASKS[self.kind]
        if kind.number and self.size < kind.least:
            raise ValueError(f"{self.kind}: the number must be at least {kind.least}, not {self.size}")
        if any(row < 0 or row >> len(self.rows) for row in self.rows):
            raise ValueError(f"a drawing of {len(self.rows)} rows has as many columns, and no row with more")

    @property
    def name(self) -> str:
        """For file names: "window-3-mask", "drawn-mask"."""
        return f"{self.kind}-{self.size}-mask" if MASKS[self.kind].number else f"{self.kind}-mask"

    @property
    def drawn(self) -> str:
        """The drawing as a link carries it: rows in hexadecimal, from above, with dots between."""
        return ".".join(f"{row:x}" for row in self.rows)

    def over(self, tokens: int) -> Tensor:
        """The mask of a text of so many tokens, (T, T). A text longer than the drawing is causal beyond it."""
        at = torch.arange(tokens)  # (T,)
        kind = MASKS[self.kind]
        allowed = kind.rule(at, at, self.size) if kind.number else kind.rule(at, at)  # (T, T)
        if self.rows:
            seen = min(tokens, len(self.rows))
            cells = [[row >> key & 1 for key in range(seen)] for row in self.rows[:seen]]
            allowed = allowed.clone()
            allowed[:seen, :seen] = torch.tensor(cells, dtype=torch.bool)
        return allowed


def draw(allowed: list[list[bool]]) -> Looks:
    """A mask drawn by hand, from its cells (T, T)."""
    return Looks("drawn", rows=tuple(sum(1 << key for key, may in enumerate(row) if may) for row in allowed))


def read_drawing(text: str) -> Looks | None:
    """The inverse of `Looks.drawn`; None when the text is no drawing."""
    if not DRAWN.fullmatch(text):
        return None
    rows = tuple(int(row, 16) for row in text.split("."))
    return None if any(row >> len(rows) for row in rows) else Looks("drawn", rows=rows)


@dataclass(frozen=True, slots=True)
class Mask:
    """A mask made ready to act on scores: worked out once, used by every layer."""

    allowed: Tensor  # (…, T, S) True: may attend
    ceiling: Tensor  # (…, T, S) ∞ where allowed, −∞ where not: no score goes above it
    nothing: Tensor | None  # (…, T, 1) True for a query that may attend to nothing; None when there is no such query


def prepare(allowed: Tensor) -> Mask:
    """allowed (…, T, S), boolean."""
    ceiling = torch.where(allowed, math.inf, -math.inf)  # (…, T, S)
    something = allowed.any(dim=-1, keepdim=True)  # (…, T, 1)
    return Mask(allowed, ceiling, None if something.all() else ~something)
