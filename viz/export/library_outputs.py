"""Attention weights as a library returns them, as one array: tuples of layers, tensors, the steps of `generate`."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from viz.export.npz import ArraysError
from viz.types import Array

EAGER = (
    "The model returned no weights: its default attention does not keep them. Load it with "
    'from_pretrained(…, attn_implementation="eager") and call it with output_attentions=True.'
)


OUTPUTS = ("attentions", "encoder_attentions", "decoder_attentions", "cross_attentions")  # fields of `transformers`


def attention_array(values: Any) -> Array:
    """The weights as one array, of whatever shape.

    values: anything that `array` reads; or what `generate` of `transformers` returns, one tuple of layers for each
    step, with (1, H, T, S) in each layer: its steps become the rows of one array (L, H, T, S), NaN where a column was
    not there yet.

    Raises:
        ArraysError: the model returned no weights, or they are no array of numbers.
    """
    if not isinstance(values, (list, tuple)) and (names := [name for name in OUTPUTS if hasattr(values, name)]):
        raise ArraysError(f"This is all that a model returned; give its weights alone: output.{names[0]}.")
    if values is None or any(part is None for part in _parts(values)) or _is_empty(values):
        raise ArraysError(EAGER)
    if is_generated(values):
        return _joined(values)
    array_of_weights = array(values, "attention")
    if array_of_weights.shape == (0,):  # an empty tuple that was saved to a file
        raise ArraysError(EAGER)
    return array_of_weights


def array(values: object, name: str) -> Array:
    """Numbers as numpy: lists, numpy, torch on any device, with gradients or in bfloat16.

    Raises:
        ArraysError: they are no array.
    """
    if isinstance(values, (list, tuple)) and any(hasattr(part, "__array__") for part in _parts(values)):
        layers = [array(layer, name) for layer in values]
        if len({layer.shape for layer in layers}) > 1:
            raise ArraysError(
                f'The layers of "{name}" differ in shape: {", ".join(str(layer.shape) for layer in layers)}.'
            )
        return np.stack(layers)
    for step in ("detach", "cpu"):
        values = getattr(values, step)() if hasattr(values, step) else values
    if "bfloat16" in str(getattr(values, "dtype", "")):
        values = values.float() if hasattr(values, "float") else np.asarray(values).astype(np.float32)
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ArraysError(f'"{name}" is not an array: {str(error).rstrip(".")}.') from error


def _parts(values: Any) -> Iterator[Any]:
    """What lists and tuples hold, down to what is neither, or down to a list of plain numbers."""
    if not isinstance(values, (list, tuple)):
        yield values
    elif not all(isinstance(value, (int, float)) for value in values):
        for value in values:
            yield from _parts(value)


def _is_empty(values: Any) -> bool:
    """() and ((), ()), as the default attention returns them; an array without a layer is another fault."""
    return isinstance(values, (list, tuple)) and all(_is_empty(value) for value in values)


def is_generated(values: Any) -> bool:
    """Whether these are steps of layers of (1, H, T, S): what `generate(…, output_attentions=True)` returns."""
    return (
        isinstance(values, (list, tuple))
        and all(isinstance(step, (list, tuple)) and step for step in values)
        and all(len(getattr(layer, "shape", ())) == 4 for step in values for layer in step)
    )


def _joined(steps: Sequence[Sequence[Any]]) -> Array:
    """One array (L, H, T, S) from the steps of `generate`.

    With a cache each step after the first has one row, which follows those before it; without one each step has every
    row again. In self-attention the columns grow by one a step; in cross-attention they stay.
    """
    layers = [array(step, "attention") for step in steps]  # (L, 1, H, rows, columns) each
    if {step.shape[1] for step in layers} != {1}:
        n_texts = max(step.shape[1] for step in layers)
        raise ArraysError(
            f"These are the weights of {n_texts} texts or beams at once; generate one text, without beams."
        )
    end = 0
    rows = []
    for step in layers:
        n = step.shape[3]
        end = n if n > end else end + n
        rows.append((end - n, end))
    widths = [step.shape[4] for step in layers]
    grows = widths[0] != widths[-1]
    if any(width != (last if grows else widths[0]) for width, (_, last) in zip(widths, rows, strict=True)):
        raise ArraysError(
            f"The steps have {', '.join(map(str, widths[:8]))} columns, as a cache with a window leaves them. "
            "Call the model once on the whole text instead."
        )
    n_layers, _, n_heads = layers[0].shape[:3]
    joined = np.full((n_layers, n_heads, end, max(widths)), np.nan, dtype=np.float32)
    for step, (first, last), width in zip(layers, rows, widths, strict=True):
        joined[:, :, first:last, :width] = step[:, 0]
    return joined
