"""What the browser reads out of a block of bytes that viz/pack.py has made."""

import json

import numpy as np


def unpack(block):
    """What `unpack` in frontend/lib/page_state.js does, in Python: (header, arrays by name)."""
    length = int.from_bytes(block[:4], "little")
    header = json.loads(block[4 : 4 + length])
    arrays = {}
    for name, block_header in header.pop("arrays").items():
        start = 4 + length + block_header["at"]
        raw = block[start : start + block_header["bytes"]]
        arrays[name] = np.frombuffer(raw, dtype=f"<{block_header['dtype']}").reshape(block_header["shape"])
    return header, arrays
