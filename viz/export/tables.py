"""Figures and data as files: names that say the experiment, tables as CSV, arrays with named axes as NPZ."""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from viz.labels import named

BLANK = " \t\r\n\u00a0\u200b\u2060\ufeff\u3000"
Column = Sequence[object] | np.ndarray[Any, Any]  # one value a line: a list, a tuple, a range or an array (N,)
Table = Mapping[str, Column]


@dataclass(frozen=True)
class NamedArray:
    """An array whose axes have names, and whose places along each axis have labels.

    Raises:
        ValueError: the labels do not fit the shape.
    """

    values: Column
    axes: Mapping[str, Column]  # name of the axis → one label for each place, axis by axis

    def __post_init__(self) -> None:
        shape, labelled_shape = np.asarray(self.values).shape, tuple(len(labels) for labels in self.axes.values())
        if shape != labelled_shape:
            raise ValueError(f"labels for {labelled_shape} do not fit values of {shape}")


Arrays = Mapping[str, NamedArray]


def file_name(experiment: str, figure: str) -> str:
    """ "grammar-without-scale" and "L1H2 weights" give "grammar-without-scale-L1H2-weights"."""
    return re.sub(r"[^\w.-]+", "-", f"{experiment} {figure}").strip("-")


def with_screen_names(table: Table) -> dict[str, Column]:
    """The table with marks such as <s> under the names that the screen gives them."""
    return {named(name): _screen_names(column) for name, column in table.items()}


def _screen_names(column: Column) -> Column:
    if isinstance(column, range) or (isinstance(column, np.ndarray) and column.dtype.kind not in "OU"):
        return column
    return [named(cell) if isinstance(cell, str) else cell for cell in column]


def to_csv(table: Table) -> bytes:
    """Columns by name, all of one length, as CSV that a spreadsheet opens as text and not as formulas."""
    lengths = {len(column) for column in table.values()}
    if len(lengths) > 1:
        raise ValueError(f"columns of a table must have one length, not {sorted(lengths)}")
    table = with_screen_names(table)
    text = io.StringIO()
    writer = csv.writer(text)  # lines end in \r\n, so that either of the two in a cell is put in quotes
    writer.writerow([_inert(name) for name in table])
    writer.writerows([_inert(cell) for cell in row] for row in zip(*table.values(), strict=True))
    return text.getvalue().encode("utf-8-sig", errors="replace")


def _inert(cell: object) -> object:
    # A cell that begins with one of these is a formula to a spreadsheet; some read the full-width forms alike, and some
    # pass over what is blank before.
    if not isinstance(cell, str):
        return cell
    first = unicodedata.normalize("NFKC", cell.lstrip(BLANK)[:1])
    return f"'{cell}" if first in ("=", "+", "-", "@") or cell[:1] in ("\t", "\r", "\n") else cell


def columns(table: Table) -> dict[str, NamedArray]:
    """A table as arrays, one a column, named so that Python can name a variable after it."""
    arrays: dict[str, NamedArray] = {}
    for name, column in with_screen_names(table).items():
        word = re.sub(r"\W+", "_", name).strip("_") or "column"
        word = f"_{word}" if word[0].isdigit() else word
        while word in arrays:
            word += "_"
        arrays[word] = NamedArray(column, {"row": range(len(column))})
    return arrays


def to_npz(arrays: Arrays, origin: Mapping[str, object]) -> bytes:
    """One entry for each array, one for the labels of each axis, and two texts of JSON: `axes`, the names of each
    array's axes in order, and `origin`. Nothing in it is pickled.

    Raises:
        ValueError: two axes of one name bear different labels, or a name is taken twice.
    """
    entries = {name: _plain(array.values) for name, array in arrays.items()}
    axes: dict[str, list[str]] = {}
    labels: dict[str, np.ndarray[Any, Any]] = {}
    for name, array in arrays.items():
        axes[name] = list(array.axes)
        for axis, marks in array.axes.items():
            plain = _plain(_screen_names(marks))
            if axis in labels and not np.array_equal(labels[axis], plain):
                raise ValueError(f'two axes are called "{axis}" and have different labels')
            labels[axis] = plain
    twice = (entries.keys() & labels.keys()) | (entries.keys() | labels.keys()) & {"axes", "origin"}
    if twice:
        raise ValueError(f"names used twice: {', '.join(sorted(twice))}")
    file = io.BytesIO()
    texts = {
        name: np.array(json.dumps(text, ensure_ascii=False)) for name, text in (("axes", axes), ("origin", origin))
    }
    np.savez_compressed(file, allow_pickle=False, **entries, **labels, **texts)
    return file.getvalue()


def _plain(values: Column) -> np.ndarray[Any, Any]:
    """Numbers as they are, None as a missing number, everything else as text: never objects."""
    array = np.asarray(values)
    if array.dtype != object:
        return array
    missing = [value is None or isinstance(value, (int, float, np.number)) for value in array.ravel()]
    if all(missing):
        return array.astype(np.float64)  # None becomes NaN
    return array.astype(str)
