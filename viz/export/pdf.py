"""A PDF that says where it comes from: one more Info dictionary, behind its old end (ISO 32000-1, 7.5.6 and 14.3.3)."""

import re
from collections.abc import Mapping


def with_info(pdf: bytes, texts: Mapping[str, str]) -> bytes:
    """The same pages with these texts in the file's own metadata, by name: "Title", "Subject", or one of your own.

    Nothing of the file is changed: what is added stands behind it and is read first.

    Raises:
        ValueError: the file does not end in a plain trailer, as those of a browser do.
    """
    last = pdf.rpartition(b"trailer")[2]
    matches = [re.search(what, last) for what in (rb"/Root (\d+ \d+ R)", rb"/Size (\d+)", rb"startxref\s+(\d+)")]
    if not all(matches):
        raise ValueError("this PDF has no plain trailer")
    root, size, before = [match[1].decode("ascii") for match in matches if match]
    number = int(size)  # the first that is free
    entries = " ".join(f"/{name} <{_utf16(text)}>" for name, text in texts.items())
    added = f"\n{number} 0 obj\n<<{entries}>>\nendobj\n"
    end = (
        f"xref\n{number} 1\n{len(pdf) + 1:010} 00000 n \n"
        f"trailer\n<</Size {number + 1} /Root {root} /Info {number} 0 R /Prev {before}>>\n"
        f"startxref\n{len(pdf) + len(added)}\n%%EOF\n"
    )
    return pdf + (added + end).encode("ascii")


def _utf16(text: str) -> str:
    """As hexadecimal digits behind the mark that says UTF-16, the only way for letters of every script."""
    return ("\ufeff" + text).encode("utf-16-be", errors="replace").hex()
