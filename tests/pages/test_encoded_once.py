"""A page encodes its text once a run, however many of its parts ask for the tokens."""

from collections import Counter

import pytest
from screen import visit, well

from model.subword import SubwordTokenizer
from model.tokenizer import WordTokenizer

# Texts that no other test visits: what was encoded once in a process is kept.
VISITS = {
    "heads of a word model": ("viz/pages/heads/page.py", "grammar", "the dogs that the person chased were tired ."),
    "heads of a subword model": ("viz/pages/heads/page.py", "stories", "The hedgehog had never been encoded before."),
    "whole model": ("viz/pages/machine/page.py", "grammar", "the dogs who the person chased were tired ."),
    "inside a head": ("viz/pages/inside/page.py", "grammar", "the person that the dogs chased was tired ."),
}


@pytest.fixture
def encoded(monkeypatch):
    """How often each text is encoded."""
    counts = Counter()

    def counting(encode):
        def count(tokenizer, text):
            counts[text] += 1
            return encode(tokenizer, text)

        return count

    for tokenizer in (WordTokenizer, SubwordTokenizer):
        monkeypatch.setattr(tokenizer, "encode", counting(tokenizer.encode))
    return counts


@pytest.mark.parametrize("name", VISITS)
def test_a_page_encodes_its_text_once(name, encoded):
    page, weights, text = VISITS[name]
    well(visit(page, weights=weights, text=text))
    assert encoded[text] == 1
