"""Files of maps that somebody made to fill the memory or to stop the lab: refused from their headers, in a sentence."""

import time
import tracemalloc

import numpy as np
import pytest
from equal import same_bits
from test_arrays import Trap, even, npy, npz, zipped
from test_arrays_page import dropped

from viz.export.attention_arrays import MAX_HEADS, MAX_TOKENS, read
from viz.export.npz import MAX_UNPACKED_BYTES, ArraysError
from viz.pages.your_model import uploaded_maps

TOKENS = npy("<U1", "(3,)", np.array(list("abc")).tobytes())
ONE = np.array(["a"])


def noughts(shape, descr="|u1"):
    """An array of noughts of which only the header is long: a thousandth of its size in a ZIP."""
    return npy(descr, str(shape), b"\0" * int(np.prod(shape, dtype=object)) * np.dtype(descr).itemsize)


def encrypted(file):
    """The same ZIP, whose entries say that they are encrypted (bit 0 of their flags)."""
    for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        offset = file.find(start)
        while offset >= 0:
            file = file[: offset + flags] + bytes([file[offset + flags] | 1]) + file[offset + flags + 1 :]
            offset = file.find(start, offset + 1)
    return file


ATTACKS = {
    "24 million heads in 24 kB": lambda: npz(attention=np.zeros((400, 600, 1, 1), np.uint8), tokens=ONE),
    "24 million heads that are not there": lambda: zipped(
        attention=npy("|u1", "(4000, 6000, 1, 1)"), tokens=npy("<U1", "(1,)")
    ),
    "one layer too many": lambda: npz(attention=even(1, MAX_HEADS + 1, 1, 1), tokens=ONE),
    "heads in one axis": lambda: npz(attention=even(MAX_HEADS + 1, 1, 1), tokens=ONE),
    "heads in the lab's own names": lambda: npz(weights=even(MAX_HEADS + 1, 1, 1), looks=ONE, looked_at=ONE),
    "a hundred axes": lambda: zipped(attention=npy(shape=str((1,) * 60)), tokens=TOKENS),
    "a billion cells": lambda: zipped(attention=npy("|u1", "(1, 1, 32000, 32000)"), tokens=TOKENS),
    "a mask larger than the maps": lambda: npz(
        attention=even(3, 3), tokens=np.array(list("abc")), mask=np.ones((3000, 3, 3), bool)
    ),
    "arrays that are small one by one": lambda: zipped(
        attention=npy("<f8", "(1, 1, 5000, 5000)"), tokens=TOKENS, mask=npy("<i8", "(1, 1, 5000, 5000)")
    ),
    "as many tokens as cells": lambda: zipped(attention=npy(), tokens=noughts((MAX_TOKENS + 1,), "<U1")),
    "a token of a megabyte": lambda: zipped(attention=npy(), tokens=npy("<U1000000", "(3,)")),
    "bytes of a megabyte": lambda: zipped(attention=npy(), tokens=npy("|S1000000", "(3,)")),
    "columns of a megabyte": lambda: npz(attention=even(1, 3), tokens=ONE, looked_at=np.array(["a" * 9000, "b", "c"])),
    "sides called True": lambda: zipped(attention=npy("<f4", "(True, True)", b"\0" * 4), tokens=npy("<U1", "(True,)")),
    "letters beyond Unicode": lambda: zipped(
        attention=npy("<f4", "(1, 1)", b"\0" * 4), tokens=npy("<U1", "(1,)", b"\xff\xff\xff\x7f")
    ),
    "letters beyond Unicode, the other way round": lambda: zipped(
        attention=npy("<f4", "(1, 1)", b"\0" * 4), tokens=npy(">U1", "(1,)", b"\x7f\xff\xff\xff")
    ),
    "letters of no bytes": lambda: zipped(attention=npy("<f4", "(1, 1)", b"\0\0\x80\x3f"), tokens=npy("<U0", "(1,)")),
    "half a letter": lambda: zipped(
        attention=npy("<f4", "(1, 1)", b"\0\0\x80\x3f"), tokens=npy("<U1", "(1,)", b"\x00\xd8\x00\x00")
    ),
    "pickled objects": lambda: npz(attention=even(1, 1), tokens=np.array([Trap()], dtype=object)),
    "a record": lambda: npz(attention=np.zeros((1, 1), [("a", "f4"), ("b", "f4")]), tokens=ONE),
    "a moment": lambda: npz(attention=np.zeros((1, 1), "datetime64[s]"), tokens=ONE),
    "moments as tokens": lambda: npz(attention=even(1, 1), tokens=np.zeros(1, "datetime64[s]")),
    "complex numbers": lambda: npz(attention=np.ones((1, 1), complex), tokens=ONE),
    "nothing but NaN": lambda: npz(attention=np.full((1, 1), np.nan), tokens=ONE),
    "infinities": lambda: npz(attention=np.full((1, 1), np.inf), tokens=ONE),
    "tables of tokens": lambda: npz(attention=even(1, 1), tokens=np.array([["a"]])),
    "no tokens": lambda: npz(attention=even(1, 1), tokens=np.zeros(0, "<U1")),
    "no heads": lambda: npz(attention=np.zeros((0, 0, 1, 1)), tokens=ONE),
    "negative sides": lambda: zipped(attention=npy(shape="(-3, -3)"), tokens=TOKENS),
    "sides beyond numbers": lambda: zipped(attention=npy(shape="(9" + "0" * 400 + ", 1)"), tokens=TOKENS),
    "a shape that is a call": lambda: zipped(attention=npy(shape="__import__('os').getcwd()"), tokens=TOKENS),
    "a shape of brackets": lambda: zipped(attention=npy(shape="(" * 3000), tokens=TOKENS),
    "a header of noughts": lambda: zipped(attention=b"\x93NUMPY\x01\x00\xff\x0f" + b"\0" * 4095, tokens=TOKENS),
    "a ZIP in a ZIP": lambda: zipped(attention=zipped(attention=npy()), tokens=TOKENS),
    "an encrypted entry": lambda: encrypted(npz(attention=even(1, 1), tokens=ONE)),
    "nothing": lambda: b"",
    "a picture": lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    "a page": lambda: b"<script>alert(1)</script>",
    "a pickle": lambda: b"\x80\x04\x95\x0b\x00\x00\x00",
}  # fmt: skip
READ = ("half a letter", "letters of no bytes", "moments as tokens", "sides called True")  # odd, and no harm in them


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_file_is_read_or_refused_in_a_sentence_within_little_memory_and_time(attack, outcome):
    file = ATTACKS[attack]()
    assert len(file) < 2_000_000
    tracemalloc.start()
    started = time.process_time()
    try:
        read(file)
        assert attack in READ
        outcome("read")
    except ArraysError as refusal:
        message = str(refusal)
        assert message.endswith(".")
        assert len(message) < 400
        outcome("refused in a sentence")
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 30_000_000, "refused from the header, before anything is unpacked"
    assert time.process_time() - started < 5


def test_all_arrays_together_have_one_bound():
    side = int((MAX_UNPACKED_BYTES / 2 / 8) ** 0.5) + 1
    file = zipped(
        attention=npy("<f8", f"({side}, {side})"), mask=npy("<i8", f"({side}, {side})"), tokens=npy("<U1", "(1,)")
    )
    with pytest.raises(ArraysError, match=r"The arrays of this file would take [\d,]+ bytes"):
        read(file)


@pytest.mark.parametrize(
    "attack",
    ["24 million heads that are not there", "letters beyond Unicode", "sides called True", "half a letter", "a record"],
)
def test_the_page_goes_on_after_it(attack, outcome):
    dropped(ATTACKS[attack]())
    outcome("the page goes on")


class Upload:
    """A file under an id that its visitor has chosen."""

    file_id = "the id of somebody else's file"

    def __init__(self, data):
        self.getvalue = lambda: data


def test_a_file_is_kept_under_its_content_and_not_under_an_id_that_a_visitor_chooses(outcome):
    ours, theirs = (npz(attention=np.eye(2)[order], tokens=np.array(["a", "b"])) for order in ([0, 1], [1, 0]))
    key = uploaded_maps._hash(ours)
    assert uploaded_maps._hash(theirs) != key
    with pytest.raises(ArraysError, match="changed while it was read"):
        uploaded_maps._read(key, Upload(theirs))
    assert same_bits(uploaded_maps._read(key, Upload(ours)).weights[0, 0], np.eye(2), "copied")
    assert same_bits(uploaded_maps._read(key, Upload(theirs)).weights[0, 0], np.eye(2), "copied"), (
        "what is kept is what was hashed"
    )
    outcome("refused in a sentence")
