"""What the browser reads out of a block of bytes that viz/pack.py has made."""

import json

import numpy as np


def unpack(block):
    """What `unpack` in frontend/lib/page_state.js does, in Python: (header, arrays by name)."""
    length = int.from_bytes(block[:4], "little")
    header = json.loads(block[4 : 4 + length])
    found = {}
    for name, told in header.pop("arrays").items():
        start = 4 + length + told["at"]
        raw = block[start : start + told["bytes"]]
        found[name] = np.frombuffer(raw, dtype=f"<{told['dtype']}").reshape(told["shape"])
    return header, found
