"""Bytes for the browser and files of strangers, at their bounds."""

import io
import json
import zipfile
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
from numpy.lib import format as npy

from viz.export import provenance
from viz.export.npz import MAX_UNPACKED_BYTES, ArraysError, read_npz
from viz.pack import FULL, encode_difference, encode_weights, pack


def archive(**entries: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as writer:
        for name, data in entries.items():
            writer.writestr(f"{name}.npy", data)
    return file.getvalue()


def promised(shape: tuple[int, ...], dtype: str) -> bytes:
    """The header of an array, and not one of its numbers."""
    head = io.BytesIO()
    npy.write_array_header_1_0(head, {"shape": shape, "fortran_order": False, "descr": dtype})
    return head.getvalue()


def test_an_array_that_would_take_too_much_memory_is_refused_with_its_size_and_then_the_limit():
    with pytest.raises(ArraysError, match=f"take 800,000,000 bytes; the lab unpacks up to {MAX_UNPACKED_BYTES:,}"):
        read_npz(archive(tokens=promised((200,), "<U1000000")), names=["tokens"], most=1000)


def test_an_array_of_too_many_numbers_is_refused_with_their_number_and_then_the_limit():
    with pytest.raises(ArraysError, match=r"1,001 values \(7, 143\); the lab draws up to 1,000"):
        read_npz(archive(attention=promised((7, 143), "<f4")), names=["attention"], most=1000)


def test_as_many_numbers_as_allowed_are_read():
    file = io.BytesIO()
    np.savez(file, attention=np.arange(6, dtype=np.float32).reshape(2, 3))
    weights = read_npz(file.getvalue(), names=["attention"], most=6)["attention"]
    assert weights.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_an_array_in_the_order_of_fortran_is_read_in_its_own_order():
    file = io.BytesIO()
    np.savez(file, attention=np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    weights = read_npz(file.getvalue(), names=["attention"], most=6)["attention"]
    assert weights.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_an_array_that_ends_early_is_refused_with_what_is_there_of_what_was_promised():
    with pytest.raises(ArraysError, match="ends after 4 of 24 bytes"):
        read_npz(archive(attention=promised((6,), "<f4") + b"\0" * 4), names=["attention"], most=100)


def test_a_weight_beyond_one_is_drawn_as_one_and_one_below_zero_as_zero():
    allowed = np.ones((1, 1, 1, 3), bool)
    assert encode_weights(np.array([[[[1.3, 1.0, -0.4]]]]), allowed).ravel().tolist() == [FULL, FULL, 0]
    assert encode_difference(np.array([[[[1.3, -1.3, 0.0]]]]), allowed).ravel().tolist() == [FULL, 0, FULL // 2]


@pytest.mark.parametrize("odd", ["", "x", "xx", "xxx"])
def test_the_header_is_padded_to_four_whatever_its_length(odd):
    block = pack({"odd": odd}, a=np.arange(3, dtype=np.float32))
    length = int.from_bytes(block[:4], "little")
    assert length % 4 == 0
    header = json.loads(block[4 : 4 + length])
    start = 4 + length + header["arrays"]["a"]["at"]
    assert np.frombuffer(block[start : start + 12], np.float32).tolist() == [0, 1, 2]


def test_three_arrays_in_one_block_each_begin_where_the_header_says():
    arrays = {name: np.arange(n, dtype=np.uint8) + n for name, n in (("a", 3), ("b", 5), ("c", 8))}
    block = pack({}, **arrays)
    length = int.from_bytes(block[:4], "little")
    entries = json.loads(block[4 : 4 + length])["arrays"]
    for name, array in arrays.items():
        start = 4 + length + entries[name]["at"]
        assert list(block[start : start + entries[name]["bytes"]]) == array.tolist()


def test_the_foot_names_the_file_that_was_brought_and_no_seed_where_none_is_known():
    origin = provenance.Provenance("maps", "0.1.0", file="maps.npz").to_json()
    assert provenance.footer(origin).endswith("maps.npz")
    unknown = provenance.Provenance("grid", "0.1.0", weights="own-gpt2").to_json()
    assert provenance.footer(unknown).endswith("own-gpt2")


def test_a_lab_that_was_never_installed_is_unreleased(monkeypatch):
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(provenance, "version", missing)
    assert provenance.version_of_lab.__wrapped__() == "unreleased"
