"""Misspelt words are unknown to the word vocabulary, and nothing else of a sentence is changed."""

import pytest

from model import checkpoint
from model.evaluation.fresh_accuracy import SENTENCES
from model.evaluation.misspelling import MISSPELT, misspellings, misspelt_pairs, unknown_tokens
from model.tasks import PAIRS
from model.tasks.pair_sampling import is_held_out


def test_a_misspelling_exchanges_two_neighbours_after_the_first_letter():
    assert misspellings("cat") == ()
    assert misspellings("wide") == ("wdie", "wied")
    assert "hello" not in misspellings("hello")  # the two l are the same letter
    assert not set(misspellings("animal")) & set(PAIRS["translation"].words)


@pytest.mark.parametrize("n_words", MISSPELT)
def test_so_many_words_of_each_held_out_sentence_are_unknown_to_the_word_vocabulary(n_words):
    pairs, whole = misspelt_pairs(n_words), misspelt_pairs(0)
    assert len(pairs) == SENTENCES
    assert all(is_held_out(pair) for pair in whole)
    tokenizer = checkpoint.load("translate")[1]
    for pair, before in zip(pairs, whole, strict=True):
        assert pair.target == before.target
        changed = [(new, old) for new, old in zip(pair.source, before.source, strict=True) if new != old]
        assert len(changed) == n_words == len(tokenizer.encode(pair.source_text).unknown)
        assert all(new in misspellings(old) for new, old in changed)
    assert unknown_tokens("translate", n_words) == (n_words * SENTENCES, sum(len(pair.source) for pair in whole))


def test_other_numbers_of_misspelt_words_are_refused():
    with pytest.raises(ValueError, match="misspelt words"):
        misspelt_pairs(3)


def test_sub_words_spell_what_words_cannot():
    assert unknown_tokens("translate-pieces", 2)[0] == 0
    assert unknown_tokens("translate-pieces", 2)[1] > unknown_tokens("translate-pieces", 0)[1]


def test_the_same_draws_misspell_the_second_word_after_the_first():
    for once, twice, whole in zip(misspelt_pairs(1), misspelt_pairs(2), misspelt_pairs(0), strict=True):
        first = [p for p, word in enumerate(once.source) if word != whole.source[p]]
        assert all(twice.source[p] == once.source[p] for p in first)
