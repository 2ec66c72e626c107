"""The header of a safetensors file, checked against the file before any tensor is read.

    8 bytes: length of the header │ the header, JSON: name → dtype, shape, place │ the numbers, end to end

Nothing in it can be executed. But a file can be truncated, can state wrong sizes, or can be a pickle with another name,
so the header is first compared with the size of the file. The format: huggingface/safetensors, README, "Format".
"""

import json
import math
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.checkpoint import CheckpointError
from model.importers.bounded_read import refuse_devices

MAX_HEADER = 32 << 20  # bytes; a tensor needs about 150, and the safetensors library allows 100 MB
BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}  # of one number, in the kinds that are read
OTHERS = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "I32": 4, "U32": 4, "I64": 8, "U64": 8}


@dataclass(frozen=True)
class TensorHeader:
    """The entry of one tensor in the header."""

    file: Path
    dtype: str
    shape: tuple[int, ...]


def read_headers(path: Path) -> dict[str, TensorHeader]:
    """Name → entry of the header, for every tensor of the file.

    Raises:
        CheckpointError: the file is not a safetensors file, or its header does not fit its size.
    """
    try:
        refuse_devices(path)
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CheckpointError(f"{path.name} is not an ordinary file.")
        with path.open("rb") as file:
            start = file.read(9)
            _refuse_pickle(path.name, start)
            length = int.from_bytes(start[:8], "little")
            file.seek(8)
            if len(start) < 9 or length > status.st_size - 8:
                raise CheckpointError(
                    f"{path.name} is cut short or not a safetensors file: its header should have {length:,} bytes and "
                    f"the whole file has {status.st_size:,}."
                )
            if length > MAX_HEADER:
                raise CheckpointError(f"The header of {path.name} has {length:,} bytes; {MAX_HEADER:,} are allowed.")
            header = file.read(length)
    except (OSError, RuntimeError) as error:  # RuntimeError: circular links, before Python 3.13
        raise CheckpointError(f"{path.name} cannot be read: {_reason(error)}.") from error
    try:
        entries = json.loads(header)
        entries.pop("__metadata__", None)
        headers = {name: _claim(path, entry) for name, entry in entries.items()}
        _fill(path.name, [entry["data_offsets"] for entry in entries.values()], status.st_size - 8 - length)
    except CheckpointError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"The header of {path.name} is not what safetensors writes: {_reason(error)}.") from error
    return headers


def _refuse_pickle(name: str, start: bytes) -> None:
    """Refuse a pickle, which begins with 0x80 and its version or is a zip archive; a header begins with a brace."""
    if start[8:] != b"{" and (start[:1] == b"\x80" or start[:4] == b"PK\x03\x04"):
        raise CheckpointError(
            f"{name} is a pickle, whatever its name says. Opening a pickle can run any program inside it, so the lab "
            "never does; save the model again as safetensors."
        )


def _claim(path: Path, entry: Any) -> TensorHeader:
    shape, dtype = tuple(entry["shape"]), entry["dtype"]
    begin, end = entry["data_offsets"]
    if any(type(size) is not int or size < 0 for size in (*shape, begin, end)):
        raise ValueError("a size is not a whole number from 0 upwards")
    bytes_each = (BYTES | OTHERS).get(dtype)
    if bytes_each is not None and end - begin != math.prod(shape) * bytes_each:
        raise ValueError(f"{' × '.join(map(str, shape))} numbers of kind {dtype} do not fill {end - begin:,} bytes")
    return TensorHeader(path, dtype, shape)


def _fill(name: str, places: list[list[int]], size: int) -> None:
    """Check that the tensors are contiguous and fill the rest of the file."""
    reached = 0
    for begin, end in sorted(places):
        if begin != reached:
            raise ValueError("tensors overlap, or leave room between them")
        reached = end
    if reached != size:
        raise CheckpointError(
            f"{name} is cut short or too long: {reached:,} bytes of numbers are announced, {size:,} follow."
        )


def _reason(error: BaseException) -> str:
    if type(error) is RuntimeError:  # before Python 3.13
        return "its links lead in a circle"
    reason = getattr(error, "strerror", None) or str(error)[:200] or type(error).__name__
    return str(reason).partition("\n")[0].rstrip(".")
