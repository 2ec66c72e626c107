"""A reader of QR codes (ISO/IEC 18004) for the tests: from the dark modules back to the text. It trusts no encoder.

Enough for clean codes in byte mode: format, mask, zigzag, blocks, mode, length. Errors are not corrected: a wrong
module gives a wrong text, and the test fails.
"""

import re

import numpy as np

# Error correction codewords a block, and number of blocks, for each version and level L, M, Q, H (table 9).
ECC = {
    "L": "7 10 15 20 26 18 20 24 30 18 20 24 26 30 22 24 28 30 28 28 28"
    " 28 30 30 26 28 30 30 30 30 30 30 30 30 30 30 30 30 30 30",
    "M": "10 16 26 18 24 16 18 22 22 26 30 22 22 24 24 28 28 26 26 26"
    " 26 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28 28",
    "Q": "13 22 18 26 18 24 18 22 20 24 28 26 24 20 30 24 28 28 26 30"
    " 28 30 30 30 30 28 30 30 30 30 30 30 30 30 30 30 30 30 30 30",
    "H": "17 28 22 16 22 28 26 26 24 28 24 28 22 24 24 30 28 28 26 28"
    " 30 24 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30 30",
}
BLOCKS = {
    "L": "1 1 1 1 1 2 2 2 2 4 4 4 4 4 6 6 6 6 7 8 8 9 9 10 12 12 12 13 14 15 16 17 18 19 19 20 21 22 24 25",
    "M": "1 1 1 2 2 4 4 4 5 5 5 8 9 9 10 10 11 13 14 16 17 17 18 20 21 23 25 26 28 29 31 33 35 37 38 40 43 45 47 49",
    "Q": "1 1 2 2 4 4 6 6 8 8 8 10 12 16 12 17 16 18 21 20 23 23 25 27 29 34 34 35 38 40 43 45 48 51 53 56 59 62 65 68",
    "H": "1 1 2 4 4 4 5 6 8 8 11 11 16 16 18 16 19 21 25 25 25 34 30 32"
    " 35 37 40 42 45 48 51 54 57 60 63 66 70 74 77 81",
}
LEVELS = {0b01: "L", 0b00: "M", 0b11: "Q", 0b10: "H"}
MASKS = (
    lambda i, j: (i + j) % 2,
    lambda i, j: i % 2,
    lambda i, j: j % 3,
    lambda i, j: (i + j) % 3,
    lambda i, j: (i // 2 + j // 3) % 2,
    lambda i, j: i * j % 2 + i * j % 3,
    lambda i, j: (i * j % 2 + i * j % 3) % 2,
    lambda i, j: ((i + j) % 2 + i * j % 3) % 2,
)


def modules(side, path):
    """The square of modules, 1 is dark, from the SVG path of its dark runs."""
    square = np.zeros((side, side), dtype=int)
    for x, y, wide, back in re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", path):
        assert wide == back
        square[int(y), int(x) : int(x) + int(wide)] = 1
    return square


def _reserved(side, version):
    """Where no data stands: finders, timing, alignment, format and version."""
    taken = np.zeros((side, side), dtype=bool)
    taken[:9, :9] = taken[:9, -8:] = taken[-8:, :9] = True
    taken[6, :] = taken[:, 6] = True
    if version > 1:
        n = version // 7 + 2
        step = 26 if version == 32 else (version * 4 + n * 2 + 1) // (2 * n - 2) * 2
        centres = [6, *[side - 7 - k * step for k in range(n - 1)][::-1]]
        for y in centres:
            for x in centres:
                if (y, x) not in ((6, 6), (6, side - 7), (side - 7, 6)):
                    taken[y - 2 : y + 3, x - 2 : x + 3] = True
    if version >= 7:
        taken[:6, -11:-8] = taken[-11:-8, :6] = True
    return taken


def decode(side, path):
    """The text in a QR code."""
    square, version = modules(side, path), (side - 17) // 4
    order = [(8, x) for x in (0, 1, 2, 3, 4, 5, 7, 8)] + [(y, 8) for y in (7, 5, 4, 3, 2, 1, 0)]
    format_bits = int("".join(str(square[place]) for place in order), 2) ^ 0b101010000010010
    level, mask = LEVELS[format_bits >> 13], MASKS[format_bits >> 10 & 7]
    taken = _reserved(side, version)
    bits = []
    columns = [x for x in range(side - 1, 0, -2) if x > 6] + [5, 3, 1]
    for turn, right in enumerate(columns):
        for y in range(side) if turn % 2 else range(side - 1, -1, -1):
            for x in (right, right - 1):
                if not taken[y, x]:
                    bits.append(int(square[y, x]) ^ (mask(y, x) == 0))
    words = [int("".join(map(str, bits[begin : begin + 8])), 2) for begin in range(0, len(bits) - 7, 8)]
    blocks, ecc = (int(table[level].split()[version - 1]) for table in (BLOCKS, ECC))
    short = len(words) // blocks - ecc
    lengths = [short + (block >= blocks - len(words) % blocks) for block in range(blocks)]
    rows = [[] for _ in range(blocks)]
    stream = iter(words)
    for index in range(max(lengths)):
        for block in range(blocks):
            if index < lengths[block]:
                rows[block].append(next(stream))
    data = "".join(f"{word:08b}" for row in rows for word in row)
    assert data[:4] == "0100", "byte mode"
    wide = 8 if version < 10 else 16
    n = int(data[4 : 4 + wide], 2)
    start = 4 + wide
    return bytes(int(data[start + 8 * k : start + 8 * k + 8], 2) for k in range(n)).decode()
