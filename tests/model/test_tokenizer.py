"""Text to tokens: whatever is typed, every token can be seen, and nothing else is lost."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.tokenizer import PAD, START, UNKNOWN, Encoding, WordTokenizer, clean, split

tokenizer = WordTokenizer(("the", "dog", "dogs", "barks", ".", "don't", "café", "_"))
any_text = st.text(st.characters(), max_size=40)  # lone surrogates too


def test_a_sentence_becomes_start_and_its_words():
    encoding = tokenizer.encode("The dog BARKS.")
    assert encoding.tokens == (START, "the", "dog", "barks", ".")
    assert encoding.ids == (2, 3, 4, 6, 7)
    assert encoding.unknown == ()


def test_an_unknown_word_keeps_its_place_and_its_spelling():
    encoding = tokenizer.encode("the cat barks")
    assert encoding.surface == (START, "the", "cat", "barks")
    assert encoding.tokens == (START, "the", UNKNOWN, "barks")
    assert encoding.unknown == (2,)


def test_special_tokens_cannot_be_typed():
    for special in (PAD, UNKNOWN, START):
        encoding = tokenizer.encode(special)
        assert "".join(encoding.surface[1:]) == special
        assert set(encoding.tokens[1:]) == {UNKNOWN}
        assert encoding.ids.count(tokenizer.id_by_word[START]) == 1


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", ()),
        (" \t\n\r\u3000\xa0", ()),
        ("don't don’t 'tis", ("don't", "don’t", "'", "tis")),
        ("a_b", ("a", "_", "b")),
        ("$x$ 3.5%", ("$", "x", "$", "3", ".", "5", "%")),
        ("<script>alert(1)</script>", ("<", "script", ">", "alert", "(", "1", ")", "<", "/", "script", ">")),
        ("cafe\u0301", ("café",)),
        ("a\u0334b c", ("a\u0334b", "c")),  # a mark without a composed form stays in its word
        ("नमस्ते दुनिया", ("नमस्ते", "दुनिया")),
        ("שלום عالم", ("שלום", "عالم")),
        ("👨\u200d👩\u200d👧!", ("👨\u200d👩\u200d👧", "!")),
        ("👍🏽👍", ("👍🏽", "👍")),
        ("❤\ufe0f.", ("❤\ufe0f", ".")),
        ("one\x00two", ("onetwo",)),
        ("one\u2028two\x85three\x1cfour", ("one", "two", "three", "four")),
        ("a\u202eb\u2066c\u200fd\ufeff\u200be\u2060f\xadg", ("abcdefg",)),
        ("\ud800x\udfff", ("x",)),
        ("x\U000e0041\u3164", ("x",)),
    ],
)
def test_text_is_split_where_a_reader_would_split_it(text, pieces):
    assert split(clean(text)) == pieces


@given(text=any_text)
def test_whatever_is_typed_every_token_is_known_or_marked(text):
    encoding = tokenizer.encode(text)
    assert isinstance(encoding, Encoding)
    assert len(encoding.surface) == len(encoding.tokens) == len(encoding.ids)
    assert encoding.tokens[0] == START
    assert all(tokenizer.vocabulary[i] == token for i, token in zip(encoding.ids, encoding.tokens, strict=True))
    for typed, token in zip(encoding.surface[1:], encoding.tokens[1:], strict=True):
        assert token == typed or (token == UNKNOWN and typed not in tokenizer.vocabulary)


@given(text=any_text)
def test_no_token_holds_what_cannot_be_drawn(text):
    for token in tokenizer.encode(text).surface[1:]:
        assert not any(character.isspace() for character in token)
        assert not {unicodedata.category(character) for character in token} & {"Cc", "Cs", "Zl", "Zp", "Zs"}
        turns = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        assert not {unicodedata.bidirectional(character) for character in token} & turns
        token.encode("utf-8")


@given(text=any_text)
def test_nothing_visible_is_dropped(text):
    visible = "".join(character for character in clean(text).lower() if not character.isspace())
    assert "".join(split(clean(text).lower())) == visible


@given(text=any_text)
def test_cleaning_twice_changes_nothing_more(text):
    assert clean(clean(text)) == clean(text)


def test_long_text_takes_no_long_time():
    start = time.perf_counter()
    assert len(tokenizer.encode("the dog " * 12_500).ids) == 25_001  # 100,000 characters
    assert len(tokenizer.encode("x" * 100_000).ids) == 2
    assert len(tokenizer.encode("👍\u200d" * 50_000).ids) == 2
    assert len(tokenizer.encode("e\u0301\u0301'" * 25_000).ids) > 1
    assert time.perf_counter() - start < 10


def test_the_nearest_words_come_best_first():
    assert tokenizer.closest_words("doggs") == ("dogs", "dog")
    assert tokenizer.closest_words("doggs", n=1) == ("dogs",)
    assert tokenizer.closest_words("") == tokenizer.closest_words("zzzzz") == ()
    assert not set(tokenizer.closest_words("<unk>", n=10)) & {PAD, UNKNOWN, START}
    assert isinstance(tokenizer.closest_words("d" * 5_000), tuple)


def test_a_word_that_stands_twice_is_refused():
    for words in (("dog", "dog"), ("dog", PAD)):
        with pytest.raises(ValueError, match="the vocabulary contains a word twice"):
            WordTokenizer(words)
