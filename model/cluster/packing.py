"""Values as bytes and back: plain data and arrays, in the format of safetensors. Nothing is pickled.

The plain data are JSON in the metadata of the file. An array that occurs twice is stored once. Records are rebuilt from
the classes in RECORDS and from no others.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from model.attention import AttentionOverride, AttentionTrace
from model.config import ModelConfig
from model.evaluation.coreference import CoreferenceScores
from model.evaluation.head_scores import Score
from model.evaluation.language_model import Accuracy, Evaluation
from model.mask import MaskSpec
from model.norm import NormTrace
from model.switches import Switches
from model.training.seq2seq import PairScores
from model.transformer import LayerTrace, Trace

Array = np.ndarray[Any, Any]

_RECORDS = (
    *(Trace, LayerTrace, AttentionTrace, NormTrace, Switches, AttentionOverride, MaskSpec, ModelConfig),
    *(Evaluation, Accuracy, Score, PairScores, CoreferenceScores),
)
RECORDS: Mapping[str, type] = {record.__name__: record for record in _RECORDS}
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}
NAMES = {np.dtype(code): name for name, code in DTYPES.items()}
_LENGTH = struct.Struct("<Q")  # of the header, before it


def to_plain(value: Any, arrays: dict[str, Array], ids: dict[int, str] | None = None) -> Any:
    """A value as JSON can hold it. Its arrays are added to `arrays`, under a number. ids: id of an array → its number.

    Raises:
        TypeError: the value contains something else than plain data, arrays and records.
    """
    ids = {} if ids is None else ids
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray):
        if value.dtype not in NAMES:
            raise TypeError(f"an array of {value.dtype} cannot be sent")
        if id(value) not in ids:
            ids[id(value)] = str(len(arrays))
            arrays[ids[id(value)]] = value
        return {"array": ids[id(value)]}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [to_plain(item, arrays, ids) for item in value]}
    if isinstance(value, frozenset):
        return {"set": [to_plain(item, arrays, ids) for item in sorted(value)]}
    if isinstance(value, Mapping):
        return {"pairs": [[to_plain(item, arrays, ids) for item in pair] for pair in value.items()]}
    name = type(value).__name__
    if is_dataclass(value) and RECORDS.get(name) is type(value):
        content = {field.name: to_plain(getattr(value, field.name), arrays, ids) for field in fields(value)}
        return {"record": name, "fields": content}
    raise TypeError(f"a {name} cannot be sent")


def from_plain(plain: Any, arrays: Mapping[str, Array] = {}) -> Any:
    """The value of which `to_plain` made this.

    Raises:
        KeyError, ValueError: nothing that `to_plain` makes.
    """
    if not isinstance(plain, dict):
        return plain
    if "record" in plain:
        content = {name: from_plain(item, arrays) for name, item in plain["fields"].items()}
        return RECORDS[plain["record"]](**content)
    ((kind, content),) = plain.items()
    if kind == "array":
        return arrays[content]
    if kind == "pairs":
        return {from_plain(key, arrays): from_plain(item, arrays) for key, item in content}
    return {"tuple": tuple, "list": list, "set": frozenset}[kind](from_plain(item, arrays) for item in content)


def pack(value: Any) -> Array:
    """A value as one safetensors file, which is an array of bytes. Raises TypeError as `to_plain` does.

    It is written here, because a trace is large: the library copies every array three times, and this once.
    """
    arrays: dict[str, Array] = {}
    header: dict[str, Any] = {"__metadata__": {"value": json.dumps(to_plain(value, arrays))}}
    end = 0
    # The largest items first, so that every array begins at a multiple of the size of its items.
    for name, array in sorted(arrays.items(), key=lambda entry: -entry[1].itemsize):
        offsets = end, (end := end + array.nbytes)
        header[name] = {"dtype": NAMES[array.dtype], "shape": array.shape, "data_offsets": offsets}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    start = _LENGTH.size + len(text)
    content = np.empty(start + end, np.uint8)
    content[:start] = np.frombuffer(_LENGTH.pack(len(text)) + text, np.uint8)
    for name, array in arrays.items():
        begin, stop = (start + offset for offset in header[name]["data_offsets"])
        content[begin:stop].view(array.dtype).reshape(array.shape)[...] = array
    return content


def unpack(content: bytes) -> Any:
    """The value of such a file. Its arrays are read-only views of the bytes.

    Raises:
        KeyError, ValueError: the bytes are not such a file.
    """
    start = _LENGTH.size + _LENGTH.unpack_from(content)[0]
    header = json.loads(content[_LENGTH.size : start])
    plain = json.loads(header.pop("__metadata__")["value"])
    return from_plain(plain, {name: _array(content, start, about) for name, about in header.items()})


def _array(content: bytes, start: int, about: Mapping[str, Any]) -> Array:
    begin, end = about["data_offsets"]
    dtype = np.dtype(DTYPES[about["dtype"]])
    count = (end - begin) // dtype.itemsize
    # An empty array needs no bytes, and there may be none at its offset.
    flat = np.frombuffer(content, dtype, count, start + begin) if count else np.empty(0, dtype)
    flat.setflags(write=False)
    return flat.reshape(about["shape"])
