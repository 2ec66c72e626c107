"""An edit and what it moves, on sentences and outputs where the answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from model import Experiment, run
from model.analysis import mask_leak as model_leak
from model.analysis.mask_leak import (
    MAX_WORDS,
    default_edit,
    measure_leak,
    other_word,
    replace_word,
    similar_word,
    suggested_edit,
    vocabulary_words,
)
from model.run import encode, get_model

WHOLE = Experiment(text="the dog sleeps .")


def test_a_leak_is_the_largest_change_of_any_logit_and_the_divergence_of_the_predictions():
    trace = run(WHOLE)
    before = np.log(np.array([[0.5, 0.5], [0.25, 0.75]]))
    after = np.log(np.array([[0.5, 0.5], [0.5, 0.5]]))
    result = measure_leak(replace(trace, logits=before), replace(trace, logits=after))
    assert result.logits == pytest.approx([0, np.log(2)])
    assert result.kl == pytest.approx([0, 0.25 * np.log(0.5) + 0.75 * np.log(1.5)])


def test_where_nothing_reads_words_out_a_leak_is_that_of_the_last_vectors():
    trace = run(WHOLE)

    def ending(out):
        return replace(trace, logits=np.zeros((2, 0)), final_norm=replace(trace.final_norm, out=np.array(out)))

    result = measure_leak(ending([[1.0, 2.0], [3.0, 0.0]]), ending([[1.0, 2.0], [0.0, 1.0]]))
    assert result.logits == pytest.approx([0, 3])
    assert result.kl == pytest.approx([0, 1])


@pytest.mark.parametrize(("position", "words"), [(1, "a dog sleeps ."), (4, "the dog sleeps a")])
def test_the_first_and_the_last_word_can_be_edited(position, words):
    assert encode(replace_word(WHOLE, position, "a")).surface[1:] == tuple(words.split())


def test_an_edit_leaves_everything_but_the_text():
    assert replace(replace_word(WHOLE, 2, "dogs"), text=WHOLE.text) == WHOLE


def test_a_neighbour_begins_with_the_same_three_letters_and_is_another_word():
    assert similar_word("grammar", "students") == "student"
    vocabulary = get_model("grammar")[1].vocabulary
    for word in vocabulary:
        other = similar_word("grammar", word)
        if other is not None:
            assert other != word and len(other) >= 3 and other[:3] == word[:3] and other in vocabulary


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        (("<s>", ".", ".", "dogs", "."), (3, "dog")),
        (("<s>", "dogs", ".", ".", "."), (1, "dog")),
        (("<s>", "dogs", ".", "dogs"), (1, "dog")),  # as near to the middle, but earlier
        (("<s>", ".", "dogs", ".", "dogs", "."), (2, "dog")),
        (("<s>", "dogs", ".", ".", "dogs", ".", "."), (4, "dog")),  # the later one is nearer
    ],
)
def test_the_word_to_edit_is_the_one_with_a_neighbour_that_is_nearest_to_the_middle(words, chosen):
    assert default_edit("grammar", words) == chosen


def test_where_no_word_has_a_neighbour_the_middle_one_is_edited():
    known = vocabulary_words("grammar")
    first = next(word for word in known if word != ".")
    assert default_edit("grammar", ("<s>", ".", ".", ".", ".")) == (2, first)
    with pytest.raises(ValueError, match="no word in this text"):
        default_edit("grammar", ("<s>",))


def test_another_word_is_the_first_that_is_not_there_or_the_first_of_all():
    known = vocabulary_words("grammar")
    assert other_word("grammar", known[:2]) == known[2]
    assert other_word("grammar", known) == known[0]


def test_the_words_to_choose_from_are_all_words_but_the_marks():
    tokenizer = get_model("grammar")[1]
    marks = {tokenizer.vocabulary[index] for index in tokenizer.special_ids}
    assert vocabulary_words("grammar") == tuple(word for word in tokenizer.vocabulary if word not in marks)


class Odd:
    """A tokenizer of single letters without a case, such as of digits: "5" is read as the token "5"."""

    special_ids = (0,)

    def __init__(self, vocabulary):
        self.vocabulary = ("<s>", *vocabulary)


def odd(monkeypatch, *vocabulary):
    vocabulary_words.cache_clear()
    monkeypatch.setattr(model_leak, "get_model", lambda weights: (None, Odd(vocabulary)))


@pytest.fixture
def kept():
    yield
    vocabulary_words.cache_clear()


@pytest.mark.usefixtures("kept")
def test_a_large_vocabulary_without_whole_words_offers_its_first_pieces(monkeypatch):
    odd(monkeypatch, *(f"⟨{n}⟩" for n in range(MAX_WORDS + 5)))
    assert vocabulary_words("odd") == tuple(f"⟨{n}⟩" for n in range(MAX_WORDS))
    assert other_word("odd", ("⟨0⟩",)) == "⟨1⟩"


@pytest.mark.usefixtures("kept")
def test_a_vocabulary_of_marks_alone_is_refused_with_a_sentence(monkeypatch):
    odd(monkeypatch)
    with pytest.raises(ValueError, match="This model knows no word that could replace another one"):
        other_word("odd", ("a",))


def test_where_no_known_word_fits_the_text_it_is_said(monkeypatch):
    monkeypatch.setattr(model_leak, "_changes_one", lambda *arguments: False)
    with pytest.raises(ValueError, match="No word of this text can be replaced by a word that this model knows"):
        suggested_edit(WHOLE)


def test_the_edit_to_begin_with_is_the_neighbour_near_the_middle_where_that_fits():
    experiment = Experiment(text="the dogs sleep .")
    assert suggested_edit(experiment) == default_edit("grammar", encode(experiment).surface)


def test_of_a_large_vocabulary_of_pieces_only_whole_words_are_offered():
    known = vocabulary_words("stories")
    vocabulary = get_model("stories")[1].vocabulary
    assert len(vocabulary) > MAX_WORDS >= len(known) > 100
    assert all(word.isalpha() and len(word) > 1 for word in known)
    whole = [word for word in vocabulary if word.isalpha() and len(word) > 1]
    assert list(known) == [word for word in whole if word in set(known)], "in the order of the vocabulary"
    assert known[0] == whole[0]
    assert any(len(word) == 2 for word in known)
