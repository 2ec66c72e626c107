"""What a PDF says of itself, read by a trusted twin: Pillow's own reader of PDF."""

import io

import pytest
from PIL import Image
from PIL.PdfParser import PdfParser, decode_text

from viz.export.pdf import with_info


def plain():
    file = io.BytesIO()
    Image.new("RGB", (30, 20)).save(file, "PDF", title="before")
    return file.getvalue()


def info(pdf):
    return {name.name_as_str(): decode_text(text) for name, text in PdfParser(buf=pdf).info.items()}


def test_what_is_told_is_read_again_and_takes_the_place_of_what_was_there():
    texts = {"Title": "the “dog” → (was) \\ 猫 🐈", "AttentionLab": '{"link": "http://a/?b=1&c=<2>"}'}
    assert info(plain())["Title"] == "before"
    assert info(with_info(plain(), texts)) == texts


def test_it_can_be_told_twice():
    assert info(with_info(with_info(plain(), {"Title": "one"}), {"Title": "two"})) == {"Title": "two"}


def test_the_pages_stay_as_they_are():
    before, after = plain(), with_info(plain(), {"Title": "one"})
    assert after.startswith(before)
    assert PdfParser(buf=after).pages == PdfParser(buf=before).pages != []


def test_what_is_no_pdf_is_refused():
    with pytest.raises(ValueError, match="no plain trailer"):
        with_info(b"<svg></svg>", {"Title": "one"})
