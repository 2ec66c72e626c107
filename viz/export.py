"""Figures and data as files: names that say the experiment, tables as CSV."""

import csv
import io
import re
from collections.abc import Mapping
from typing import Any

Table = Mapping[str, Any]  # column name → one value a line: a list, a tuple or an array (N,)


def file_name(experiment: str, figure: str) -> str:
    """ "grammar-without-scale" and "L1H2 weights" give "grammar-without-scale-L1H2-weights"."""
    return re.sub(r"[^\w.-]+", "-", f"{experiment} {figure}").strip("-")


def to_csv(table: Table) -> bytes:
    """Columns by name, all of one length, as CSV that a spreadsheet opens as text and not as formulas."""
    lengths = {len(column) for column in table.values()}
    if len(lengths) > 1:
        raise ValueError(f"columns of a table must have one length, not {sorted(lengths)}")
    text = io.StringIO()
    writer = csv.writer(text)  # lines end in \r\n, so that either of the two in a cell is put in quotes
    writer.writerow([_inert(name) for name in table])
    writer.writerows([_inert(cell) for cell in row] for row in zip(*table.values(), strict=True))
    return text.getvalue().encode("utf-8-sig", errors="replace")


def _inert(cell: Any) -> Any:
    # A cell that begins with one of these is a formula to a spreadsheet.
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
