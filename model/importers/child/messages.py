"""Messages between the server and its child process: lengths, a JSON object, and bytes.

4 bytes: length of the JSON │ 8 bytes: length of what follows it │ the JSON │ the bytes
"""

import json
import struct
from collections.abc import Mapping
from typing import IO, Any

HEAD = struct.Struct("<IQ")
MAX_JSON = 8 << 20  # bytes
MAX_PAYLOAD = 4 << 30

Message = tuple[dict[str, Any], bytes]


def send(file: IO[bytes], message: Mapping[str, Any], payload: bytes | memoryview = b"") -> None:
    """Write one message."""
    text = json.dumps(message).encode()
    file.write(HEAD.pack(len(text), memoryview(payload).nbytes))
    file.write(text)
    file.write(payload)
    file.flush()


def receive(file: IO[bytes]) -> Message | None:
    """Read one message. None if the other side has ended.

    Raises:
        ValueError: the bytes are not a message, or it is too long.
    """
    head = file.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    size, more = HEAD.unpack(head)
    if size > MAX_JSON or more > MAX_PAYLOAD:
        raise ValueError(f"a message of {size:,} + {more:,} bytes")
    text, payload = file.read(size), file.read(more)
    if len(text) < size or len(payload) < more:
        return None
    message = json.loads(text)
    if not isinstance(message, dict):
        raise ValueError("a message that is not an object")
    return message, payload
