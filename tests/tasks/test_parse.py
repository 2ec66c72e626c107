"""A sentence read back into its generator: the same pair, the same gold; and none where it could not be drawn."""

from random import Random

import pytest

from model.tasks import PAIRS
from model.tasks.coreference import make_question
from model.tasks.parse import PARSERS, ExhaustiveRandom, parse_coreference


@pytest.mark.parametrize("task", PAIRS)
def test_every_drawn_sentence_is_read_back_with_its_answer_and_its_gold(task):
    rng = Random(11)
    for _ in range(15):
        drawn = PAIRS[task].draw(None, rng)
        result = PARSERS[task](drawn.source)
        assert result is not None, drawn.source_text
        assert (result.source, result.target) == (drawn.source, drawn.target)
        assert sorted(result.alignment, key=str) == sorted(drawn.alignment, key=str)


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("translation", "the cat sees the"),
        ("translation", "the cat sees the dog"),
        ("translation", "cat the sees dog ."),
        ("translation", "the street was tired ."),
        ("translation", "the animal did not cross the street because it was too heavy ."),
        ("translation", " ".join(["the cat sleeps and"] * 30)),
        ("copy", "a b z"),
        ("copy", ""),
    ],
)
def test_what_the_generator_cannot_draw_has_no_gold(task, text):
    assert PARSERS[task](text.split()) is None


@pytest.mark.parametrize("text", ["31 april 1979", "3 may", "1 january 3000", "may", "", "3/3/3/1979"])
def test_what_is_no_date_has_no_gold(text):
    assert PARSERS["dates"](tuple(text.replace(" ", "␣"))) is None


def test_a_question_is_read_back_and_one_without_an_answer_is_not():
    rng = Random(3)
    for _ in range(20):
        question = make_question(rng)
        result = parse_coreference(question.words)
        assert result is not None
        assert (result.it, result.answer) == (question.it, question.answer)
        assert {relation.name: set(relation.keys) for relation in result.relations} == {
            relation.name: set(relation.keys) for relation in question.relations
        }
    assert (
        parse_coreference(
            ["the", "cat", "did", "not", "cross", "the", "street", "because", "it", "was", "too", "heavy", "."]
        )
        is None
    )
    assert (
        parse_coreference(
            ["the", "cat", "did", "not", "like", "the", "dog", "because", "it", "was", "too", "tired", "."]
        )
        is None
    )
    assert parse_coreference(["the", "cat", "was", "too", "tired", "."]) is None


def test_the_die_falls_on_every_series_of_sides_once():
    die, fallen, going = ExhaustiveRandom(), [], True
    while going:
        first = die.choice("ab")
        fallen.append(first + (die.choice("xyz") if first == "a" else ""))
        going = die.again()
    assert fallen == ["ax", "ay", "az", "b"]
