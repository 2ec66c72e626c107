"""Reading an .npz file that a stranger made: nothing is unpickled, and no size is believed before it is checked.

An .npz is a ZIP of .npy files. A .npy begins with a short header that says type and shape; only when those are known to
be small is anything unpacked, and then no more than they say.
"""

import io
import math
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from viz.types import Array

MAX_BYTES = 160_000_000  # of the file
MAX_UNPACKED_BYTES = 2 * MAX_BYTES  # of all arrays together
MAX_HEADER_BYTES = 10_000
MAX_ENTRIES = 100
MAX_WRITTEN_COUNT = 10**30  # a number of more digits is not written out
# What zipfile, zlib and numpy raise on a broken file; the last three come from headers that only look like Python.
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    SyntaxError,
    TokenError,
    TypeError,
    MemoryError,
)


class ArraysError(ValueError):
    """These arrays cannot be drawn. The message is one sentence, or two, for the person who brought them."""


@dataclass(frozen=True)
class Header:
    """What an array in the file says of itself before it is unpacked."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool

    @property
    def count(self) -> int:
        """How many values it would hold."""
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """How many bytes it would take."""
        return self.count * self.dtype.itemsize


def read_npz(
    file: bytes,
    *,
    names: Iterable[str],
    most: int,
    check: Callable[[Mapping[str, Header]], None] = lambda headers: None,
) -> dict[str, Array]:
    """The arrays of these names, as far as they are there; others are not even unpacked.

    most: how many numbers an array may hold; check: is called with the headers before anything is unpacked, and raises
    an ArraysError for what it does not want.

    Raises:
        ArraysError: the file is none, is broken, is too large once unpacked, or holds pickled Python objects.
    """
    if len(file) > MAX_BYTES:
        raise ArraysError(f"This file has {len(file):,} bytes; the lab reads up to {MAX_BYTES:,}.")
    if file[:6] == npy.MAGIC_PREFIX:
        raise ArraysError("This is one array, an .npy file. Save an .npz, which holds the tokens too.")
    try:
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            entries = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
            if len(entries) > MAX_ENTRIES:
                raise ArraysError(f"This file holds {len(entries):,} entries; an .npz of maps holds two to four.")
            wanted = {name: entries[name] for name in names if name in entries}
            headers = {}
            for name, entry in wanted.items():
                with archive.open(entry) as stream:
                    headers[name] = _header(stream, name, most)
            if (size := sum(header.size for header in headers.values())) > MAX_UNPACKED_BYTES:
                size_text = f"{size:,} bytes; the lab unpacks up to {MAX_UNPACKED_BYTES:,}"
                raise ArraysError(f"The arrays of this file would take {size_text}. Save them in a smaller type.")
            check(headers)
            arrays = {}
            for name, entry in wanted.items():
                with archive.open(entry) as stream:
                    arrays[name] = _read(stream, name, _header(stream, name, most))
            return arrays
    except ArraysError:
        raise
    except BROKEN as error:
        raise ArraysError("This is not an .npz file, or it is broken. Save it again with np.savez.") from error


def _header(stream: IO[bytes], name: str, most: int) -> Header:
    start = stream.read(8)  # six letters, then the version
    if len(start) < 8 or start[:6] != npy.MAGIC_PREFIX:
        raise ArraysError(f'"{name}" in this file is not an array. Save it again with np.savez.')
    counted = stream.read(2 if start[6] == 1 else 4)
    length = int.from_bytes(counted, "little")
    if length > MAX_HEADER_BYTES:
        raise ArraysError(f'The header of "{name}" has {length:,} bytes, which no array needs.')
    header = io.BytesIO(counted + stream.read(length))
    parse = npy.read_array_header_1_0 if start[6] == 1 else npy.read_array_header_2_0
    sides, fortran, dtype = parse(header, max_header_size=MAX_HEADER_BYTES)
    if dtype.hasobject:
        raise ArraysError(
            f'"{name}" was saved as Python objects, which can run a stranger\'s code when they are opened. '
            f"Save it as {'text: np.array(tokens, dtype=str)' if name != 'attention' else 'numbers of one shape'}."
        )
    shape = tuple(int(side) for side in sides)  # a header may call its sides True
    header_of_array = Header(shape, dtype, bool(fortran))
    if any(side < 0 for side in shape) or header_of_array.count > most:
        sizes = (
            f"{header_of_array.count:,} values {shape}"
            if header_of_array.count < MAX_WRITTEN_COUNT
            else "more values than can be counted"
        )
        raise ArraysError(f'"{name}" would hold {sizes}; the lab draws up to {most:,}.')
    return header_of_array


def _read(stream: IO[bytes], name: str, header: Header) -> Array:
    data = stream.read(header.size)
    if len(data) < header.size:
        raise ArraysError(f'"{name}" ends after {len(data):,} of {header.size:,} bytes. Save the file again.')
    return np.frombuffer(data, dtype=header.dtype).reshape(header.shape, order="F" if header.fortran else "C")
