"""The tasks of two sentences: what their generators say is so, for every task of the table."""

from collections import Counter
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytorch_reference import seeds

from model.tasks import PAIRS, coreference
from model.tasks.copying import LONGEST, TRAINED, copy_of
from model.tasks.dates import FIRST, LAST, WAYS, ordinal, write_date
from model.tasks.pair import DETERMINED, PairBuilder
from model.tasks.translation.task import ARTICLE, NOUN, PRONOUN, REFERENT, TELLS, elides, reason
from model.tasks.translation.vocabulary import NOUNS, PLAIN, TELLING
from model.tokenizer import EOS, UNKNOWN, CharacterTokenizer, WordTokenizer

TRANSLATION, COPY, DATES = (PAIRS[name] for name in ("translation", "copy", "dates"))
FRENCH = {noun.french[0]: noun for nouns in NOUNS.values() for noun in nouns}
ENGLISH = {noun.english[0]: noun for nouns in NOUNS.values() for noun in nouns}


def drawn(task, n, kind=None, seed=0):
    rng = Random(seed)
    return [task.draw(kind, rng) for _ in range(n)]


@pytest.mark.parametrize("task", PAIRS.values(), ids=PAIRS)
def test_every_word_that_is_drawn_is_in_the_vocabulary_and_read_as_it_was_written(task):
    tokenizer = (CharacterTokenizer if task.spelled else WordTokenizer)((EOS, *task.words))
    for pair in drawn(task, 500):
        for text, words in ((pair.source_text, pair.source), (pair.target_text, pair.target)):
            assert tokenizer.encode(text).tokens[1:] == words
            assert tokenizer.decode(tokenizer.encode(text).ids) == text
            assert UNKNOWN not in tokenizer.encode(text).tokens


@pytest.mark.parametrize("task", PAIRS.values(), ids=PAIRS)
def test_every_word_of_the_vocabulary_is_drawn_some_day(task):
    pairs = [pair for kind in task.kinds for pair in drawn(task, 4000 if kind == "being" else 800, kind)]
    seen = {word for pair in pairs for word in pair.source + pair.target}
    assert set(task.words) - seen <= set("kqxz"), "no month and no weekday has these letters"


@pytest.mark.parametrize("task", PAIRS.values(), ids=PAIRS)
def test_every_target_word_is_linked_from_the_row_that_says_it_to_words_that_are_there(task):
    for pair in drawn(task, 500):
        rows = Counter(link.query for link in pair.alignment if link.name not in (REFERENT, TELLS))
        assert rows == dict.fromkeys(range(len(pair.target)), 1)
        for link in pair.alignment:
            assert link.keys and all(1 <= key <= len(pair.source) for key in link.keys)


@pytest.mark.parametrize("task", PAIRS.values(), ids=PAIRS)
def test_a_seed_draws_the_same_again_and_every_kind_is_what_was_asked_for(task):
    assert drawn(task, 20, seed=1) == drawn(task, 20, seed=1) != drawn(task, 20, seed=2)
    for kind in task.kinds:
        assert {pair.kind for pair in drawn(task, 30, kind)} == {kind}
    with pytest.raises(ValueError, match=next(iter(task.kinds))):
        task.draw("nonsense", Random(0))


# ---------------------------------------------------------------------------- translation


class Rigged(Random):
    """Chooses what holds one of the wanted words, wherever there is such a thing; every chance is the same."""

    def __init__(self, chance, *wanted):
        super().__init__(0)
        self.chance, self.wanted = chance, wanted

    def random(self):
        return self.chance

    def choice(self, options):
        return next(option for word in self.wanted for option in options if f"'{word}'" in repr(option))


@pytest.mark.parametrize(
    ("chance", "last", "french"),
    [
        (0.4, "tired", "l'animal n'a pas traversé la rue parce qu'il était trop fatigué"),
        (0.6, "wide", "l'animal n'a pas traversé la rue parce qu'elle était trop large"),
    ],
)
def test_the_sentence_of_the_lecture_and_its_links_by_hand(chance, last, french):
    draft = PairBuilder()
    reason(draft, Rigged(chance, "cross", "the", "animal", "street", "too", last, "animals", "places"))
    pair = draft.finish("reason")
    assert pair.source_text == f"the animal did not cross the street because it was too {last}"
    assert pair.target_text == french
    #                      l' animal n' a pas traversé la rue parce qu' il était trop fatigué
    assert [link.keys[0] for link in pair.alignment if link.name not in (REFERENT, TELLS)] == [
        1,
        2,
        4,
        3,
        4,
        5,
        6,
        7,
        8,
        8,
        9,
        10,
        11,
        12,
    ]
    assert [link.keys for link in pair.alignment if link.name == REFERENT] == [(2,) if last == "tired" else (7,)]
    assert [(link.query, link.keys) for link in pair.alignment if link.name == TELLS] == [(10, (12,))]


def test_it_takes_the_gender_of_what_it_means_and_the_adjective_tells_what():
    seen = set()
    for pair in drawn(TRANSLATION, 2000, "reason"):
        pronoun, meant = (next(link for link in pair.alignment if link.name == name) for name in (PRONOUN, REFERENT))
        assert pronoun.query == meant.query
        assert pair.source[pronoun.keys[0] - 1] == "it" and pronoun.keys[1:] == meant.keys
        noun = ENGLISH[pair.source[meant.keys[0] - 1]]
        assert pair.target[pronoun.query] == ("elle" if noun.feminine else "il")
        adjective = pair.source[pronoun.keys[0] + 2]
        group = next(group for group, nouns in NOUNS.items() if noun in nouns)
        assert adjective in {item.english for item in TELLING[group]}
        seen.add((noun.feminine, group))
    assert len(seen) == 6, "both genders of animals, places and things"


def test_articles_agree_and_lose_their_vowel_where_they_must():
    for pair in drawn(TRANSLATION, 3000):
        nouns = [link for link in pair.alignment if link.name == NOUN]
        articles = [link for link in pair.alignment if link.name == ARTICLE]
        for article, noun in zip(articles, nouns, strict=True):
            word, next_word, noun_word = (
                pair.target[article.query],
                pair.target[article.query + 1],
                pair.target[noun.query],
            )
            assert article.keys[1:] == noun.keys
            if noun_word in FRENCH and word in ("le", "la", "un", "une", "ce", "cette", "l'", "cet"):
                feminine = FRENCH[noun_word].feminine
                fits = {True: ("la", "une", "cette", "l'"), False: ("le", "un", "ce", "l'", "cet")}
                assert word in fits[feminine]
            assert not (elides(next_word) and word in ("le", "la", "ce")), pair.target_text
            assert elides(next_word) or word not in ("l'", "cet"), pair.target_text
    assert elides("homme") and elides("île") and not elides("petit")


def test_adjectives_have_four_forms_and_stand_where_french_has_them():
    tired, good = TELLING["animals"][0], next(item for item in PLAIN if item.english == "good")
    assert tired.french == ("fatigué", "fatiguée", "fatigués", "fatiguées") and not tired.before
    assert good.french == ("bon", "bonne", "bons", "bonnes") and good.before
    assert next(item for item in PLAIN if item.english == "bad").agreeing(False, True) == "mauvais"
    for pair in drawn(TRANSLATION, 1000):
        text = f" {pair.target_text} "
        assert " des petits" not in text and " ne e" not in text and " pas un " not in text


def test_negation_is_two_words_around_the_verb():
    for pair in drawn(TRANSLATION, 1000):
        open_at = [index for index, word in enumerate(pair.target) if word in ("ne", "n'")]
        assert [pair.target[index + 2] for index in open_at] == ["pas"] * len(open_at)
        assert pair.target.count("pas") == len(open_at) == pair.source.count("not")


# ---------------------------------------------------------------------------- copy and dates


@given(length=st.integers(1, 30), seed=seeds)
def test_a_copy_is_the_same_again(length, seed):
    pair = copy_of(length, Random(seed))
    assert pair.source == pair.target and len(pair.source) == length
    assert [link.keys for link in pair.alignment] == [(index + 1,) for index in range(length)]


def test_copies_in_training_end_where_they_are_said_to():
    assert {len(pair.source) for pair in drawn(COPY, 2000)} == set(range(1, TRAINED + 1))
    assert {len(pair.source) for pair in drawn(COPY, 500, "longer")} == set(range(TRAINED + 1, LONGEST + 1))
    with pytest.raises(ValueError, match="at least 1 symbol"):
        copy_of(0, Random(0))


WRITTEN = ["3 may 1979", "may 3, 1979", "3rd of may, 1979", "thursday 3 may 1979", "3.5.1979", "05/03/1979"]


@pytest.mark.parametrize(("way", "text"), list(zip(WAYS, WRITTEN, strict=True)))
def test_one_day_in_every_way(way, text):
    pair = write_date(date(1979, 5, 3), way)
    assert (pair.source_text, pair.target_text) == (text, "1979-05-03")


@given(day=st.dates(FIRST, LAST), way=st.sampled_from(list(WAYS)))
def test_any_day_reads_as_python_writes_it_and_each_digit_is_linked_to_its_part(day, way):
    pair = write_date(day, way)
    assert pair.target_text == day.isoformat()
    read = {name: "" for name in ("year", "month", "day", DETERMINED)}
    for link in pair.alignment:
        read[link.name] = "".join(pair.source[key - 1] for key in link.keys)
        if link.name == "year":
            assert read["year"] == pair.target[link.query]
    assert str(day.day) in read["day"]
    assert read["month"].strip(".,/").lstrip("0") in (str(day.month), day.strftime("%B").lower())


def test_ordinals_by_hand():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 30)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "30th",
    ]  # fmt: skip


# ---------------------------------------------------------------------------- what "it" means


def test_only_the_adjective_tells_what_it_means():
    rng = Random(0)
    classes = {word: group for group, words in coreference.NOUNS.items() for word in words}
    fits = {word: group for group, words in coreference.ADJECTIVES.items() for word in words}
    first = 0
    for question in (coreference.make_question(rng) for _ in range(2000)):
        links = {relation.name: relation for relation in question.relations}
        assert question.words[question.it - 1] == "it"
        assert {relation.query for relation in question.relations} == {question.it}
        adjective = question.words[links[coreference.ADJECTIVE].keys[0] - 1]
        meant = question.words[links[coreference.REFERENT].keys[0] - 1]
        others = [question.words[key - 1] for key in links[coreference.OTHERS].keys]
        nouns = [word for word in question.words if word in classes]
        assert meant == question.answer and sorted([meant, *others]) == sorted(nouns)
        assert fits[adjective] == classes[meant] not in {classes[other] for other in others}
        first += nouns[0] == meant
    assert 2000 / 4 < first < 2000 / 2, "the first noun is meant as often as any other"
    tokens = WordTokenizer(coreference.WORDS).encode(coreference.make_question(rng).text).tokens
    assert UNKNOWN not in tokens
