"""The parts of a Transformer that can be removed, each declared once.

Controls, links, file names, help texts and tests all read these declarations. `Switches()` is the model as it was
trained; an ablation is a `False`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any


def _part(label: str, hint: str) -> Any:
    return field(default=True, metadata={"label": label, "hint": hint})


@dataclass(frozen=True)
class Switches:
    """The parts that a forward pass uses."""

    scale: bool = _part("Scaling by √d_k", "Scores grow √d_k times as large, and most rows become sharper.")
    mask: bool = _part("Causal mask", "Words can attend to later words.")
    position: bool = _part(
        "Positions", "Heads that attend by distance, such as “previous token”, can lose their stripe."
    )
    norm: bool = _part("Layer norm", "Vectors keep whatever size the sums happen to have.")
    residual: bool = _part("Residual", "Each sublayer replaces the vectors instead of adding to them.")
    mlp: bool = _part(
        "Feed-forward", "Only attention is left in the layers; the softmax and the norms are the only non-linear steps."
    )
    heads_off: frozenset[tuple[int, int]] = frozenset()
    """(layer, head) pairs whose output is set to zero: self-attention, in an encoder–decoder of the decoder."""
    cross_off: frozenset[tuple[int, int]] = frozenset()
    """The same for the cross-attention of an encoder–decoder."""
    encoder_off: frozenset[tuple[int, int]] = frozenset()
    """The same for the self-attention of the encoder of an encoder–decoder."""

    def __and__(self, other: "Switches") -> "Switches":
        """The parts that are on in both. A run uses the parts that were trained and are not removed."""
        present = {part.name: getattr(self, part.name) and getattr(other, part.name) for part in PARTS}
        silent = {name: getattr(self, name) | getattr(other, name) for name in HEAD_FIELDS}
        return Switches(**present, **silent)

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> "Switches":
        """The switches as a model card writes them: heads as lists of (layer, head).

        Raises:
            TypeError, ValueError: a switch is unknown, or heads are not pairs.
        """
        heads = {name: frozenset((layer, head) for layer, head in json.get(name, ())) for name in HEAD_FIELDS}
        return cls(**{**json, **heads})

    def without(self, *names: str) -> "Switches":
        """These switches with the named parts off."""
        off: dict[str, Any] = dict.fromkeys(names, False)
        return replace(self, **off)

    @property
    def removed(self) -> tuple[str, ...]:
        """Names of the parts that are off, in the order of declaration."""
        return tuple(part.name for part in PARTS if not getattr(self, part.name))

    @property
    def ablated_heads(self) -> tuple[str, ...]:
        """Names of the heads that are off: "L0H1", in cross-attention "X0H1", in an encoder beside a decoder "E0H1"."""
        return tuple(
            f"{letter}{layer}H{head}"
            for field, letter in HEAD_FIELDS.items()
            for layer, head in sorted(getattr(self, field))
        )


@dataclass(frozen=True)
class Part:
    """One removable part: its field in `Switches`, its name on screen, and the effect of removing it."""

    name: str
    label: str
    hint: str


PARTS = tuple(Part(f.name, f.metadata["label"], f.metadata["hint"]) for f in fields(Switches) if f.metadata)
HEAD_FIELDS = {
    "heads_off": "L",
    "cross_off": "X",
    "encoder_off": "E",
}  # field → the letter its heads have in names: X0H1
