"""Laws of the generators: gold links hold the right words, nothing is a shortcut, everything can be drawn again."""

from itertools import pairwise
from random import Random

import pytest

from model.tasks import TASKS, Sentence, Task
from model.tasks.grammar.vocabulary import ADJECTIVES, BRACKETS, LINKING, NOUNS, OWNERS, POSSESSIVE
from model.tasks.task import PREVIOUS_TOKEN
from model.tokenizer import WordTokenizer

GRAMMAR = TASKS["grammar"]
WITH_ANSWERS = [task for task in TASKS.values() if task.words]  # of English nobody can list the words
answered = pytest.mark.parametrize("task", WITH_ANSWERS, ids=[task.name for task in WITH_ANSWERS])
DRAWN = {kind: [GRAMMAR.draw(kind, rng) for _ in range(1500)] for kind, rng in ((k, Random(7)) for k in GRAMMAR.kinds)}
LINKING_VERBS = {form for forms in LINKING for form in forms}
SINGULAR = {pair[0]: group for group, pairs in NOUNS.items() for pair in pairs}
PLURAL = {pair[1]: group for group, pairs in NOUNS.items() for pair in pairs}
SINGULAR_VERBS, PLURAL_VERBS = set(GRAMMAR.words["verbs"]), set(GRAMMAR.words["plural verbs"])


def linked(kind: str, relation: str) -> list[tuple[Sentence, int, tuple[int, ...]]]:
    """Every gold link of that name, with its sentence."""
    matches = [(s, r.query, r.keys) for s in DRAWN[kind] for r in s.relations if r.name == relation]
    assert len(matches) > 100
    return matches


# Laws of every task


@answered
def test_every_word_that_is_drawn_is_in_the_vocabulary_once(task: Task):
    assert len(set(task.vocabulary)) == len(task.vocabulary)
    rng = Random(1)
    drawn = {word for _ in range(3000) for word in task.draw(None, rng).words}
    assert drawn <= set(task.vocabulary)
    assert len(drawn) == len(task.vocabulary)  # and nothing stands there for nothing


@answered
def test_positions_of_the_generator_are_positions_of_the_tokenizer(task: Task):
    tokenizer, rng = WordTokenizer(task.vocabulary), Random(2)
    for _ in range(300):
        sentence = task.draw(None, rng)
        tokens = tokenizer.encode(sentence.text).tokens
        assert tokens == tuple(sentence.word(position) for position in range(len(sentence.words) + 1))


@answered
def test_links_look_back_and_probes_hold_the_word_that_stands_there(task: Task):
    rng = Random(3)
    for _ in range(500):
        sentence = task.draw(None, rng)
        for relation in sentence.relations:
            assert relation.keys
            assert len(set(relation.keys)) == len(relation.keys)
            assert all(0 <= key < relation.query <= len(sentence.words) for key in relation.keys)
        for probe in sentence.probes:
            assert sentence.word(probe.position) == probe.right
            assert probe.wrong
            assert probe.right not in probe.wrong
            assert set(probe.wrong) <= set(task.vocabulary)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_seed_draws_the_same_sentences_again_and_another_seed_others(task: Task):
    def texts(seed: int) -> list[str]:
        rng = Random(seed)
        return [task.draw(None, rng).text for _ in range(50)]

    assert texts(5) == texts(5)
    assert texts(5) != texts(6)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_kind_can_be_asked_for_and_comes_of_itself(task: Task):
    rng = Random(4)
    assert {task.draw(kind, rng).kind for kind in task.kinds} == set(task.kinds)
    assert {task.draw(None, rng).kind for _ in range(300)} == set(task.kinds)
    with pytest.raises(ValueError, match="not 'poetry'"):
        task.draw("poetry", rng)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_no_sentence_is_longer_than_the_models_see(task: Task):
    rng = Random(6)
    assert max(len(task.draw(None, rng).words) for _ in range(3000)) < 48


# The grammar: agreement


def test_a_verb_agrees_with_its_gold_subject_in_number_and_the_adjective_in_class():
    for sentence, verb, (subject,) in linked("agreement", "verb → subject"):
        noun = sentence.word(subject)
        assert (noun in SINGULAR) == (sentence.word(verb) in SINGULAR_VERBS)
        assert sentence.word(verb + 1) in ADJECTIVES[(SINGULAR | PLURAL)[noun]]


def test_a_verb_in_a_relative_clause_agrees_with_its_own_subject():
    for sentence, verb, (subject,) in linked("agreement", "inner verb → its subject"):
        assert sentence.word(verb) not in LINKING_VERBS
        assert (sentence.word(subject) in SINGULAR) == (sentence.word(verb) in SINGULAR_VERBS)


def test_every_verb_has_a_gold_subject():
    links = ("verb → subject", "inner verb → its subject")
    for sentence in DRAWN["agreement"]:
        verbs = {t for t, word in enumerate(sentence.words, 1) if word in SINGULAR_VERBS | PLURAL_VERBS}
        assert verbs == {r.query for r in sentence.relations if r.name in links}


def test_the_first_noun_is_the_main_subject_in_fewer_than_three_quarters_of_the_sentences():
    first_is_subject = []
    for sentence in DRAWN["agreement"]:
        first = next(t for t, word in enumerate(sentence.words, 1) if word in SINGULAR or word in PLURAL)
        subjects = {r.keys[0] for r in sentence.relations if r.name == "verb → subject"}
        first_is_subject.append(subjects == {first})
    assert 0.25 < sum(first_is_subject) / len(first_is_subject) < 0.75


def test_every_order_of_phrases_occurs():
    def starts(sentence: Sentence) -> str:
        return "phrase" if sentence.words[0] in GRAMMAR.words["prepositions"] else sentence.words[0]

    def after_subject(sentence: Sentence) -> str:
        link = next(r for r in sentence.relations if r.name == "verb → subject")
        after = sentence.word(link.keys[0] + 1)
        if after in ("who", "that"):
            return "object clause" if sentence.word(link.keys[0] + 2) == "the" else "subject clause"
        return "phrase" if after in GRAMMAR.words["prepositions"] else "verb"

    drawn = DRAWN["agreement"]
    assert {starts(sentence) for sentence in drawn} == {"the", "when", "phrase"}
    assert {after_subject(sentence) for sentence in drawn} == {"verb", "phrase", "object clause", "subject clause"}
    assert {"and", "but", "when"} <= {word for sentence in drawn for word in sentence.words}
    assert any(sum(word in ("who", "that") for word in sentence.words) > 1 for sentence in drawn)  # nested


def test_far_links_are_those_of_eight_words_and_more():
    far = linked("agreement", "verb → subject, 8+ words away")
    assert all(verb - subject >= 8 for _, verb, (subject,) in far)
    every = linked("agreement", "verb → subject")
    assert len(far) == sum(verb - subject >= 8 for _, verb, (subject,) in every)


def test_nouns_between_subject_and_verb_often_have_the_other_number():
    misled = [
        any((word in PLURAL) == (sentence.word(subject) in SINGULAR) for word in between if word in SINGULAR | PLURAL)
        for sentence, verb, (subject,) in linked("agreement", "word before the verb → subject")
        if (between := sentence.words[subject:verb])
    ]
    assert sum(misled) / len(misled) > 0.4


def test_the_sentence_of_the_lecture_is_in_the_language():
    sentence = "the person who the dogs near the trees chase was tired ."
    encoding = WordTokenizer(GRAMMAR.vocabulary).encode(sentence)
    assert encoding.unknown == ()


# The grammar: reference, brackets, names


def test_a_possessive_finds_the_one_owner_it_can_mean():
    mine = {POSSESSIVE[pronoun]: dict(pairs) for pronoun, pairs in OWNERS.items()}
    for sentence, possessive, (owner,) in linked("reference", "possessive → referent"):
        belongings = mine[sentence.word(possessive)]
        assert sentence.word(possessive + 1) == belongings[sentence.word(owner)]
        assert [word for word in sentence.words if word in belongings] == [sentence.word(owner)]


def test_their_belongs_to_the_only_owner_there_is():
    owners = dict(pair for pairs in OWNERS.values() for pair in pairs)
    for sentence, their, (owner,) in linked("reference", "their → owner"):
        assert sentence.word(their + 1) == owners[sentence.word(owner)]
        assert [word for word in sentence.words if word in owners] == [sentence.word(owner)]


def test_the_one_meant_is_named_first_or_second_about_equally_often():
    firsts = []
    for sentence, _, (owner,) in linked("reference", "possessive → referent"):
        owners = {name for pairs in OWNERS.values() for name, _ in pairs}
        firsts.append(next(t for t, word in enumerate(sentence.words, 1) if word in owners) == owner)
    assert 0.4 < sum(firsts) / len(firsts) < 0.6


def test_brackets_match_and_are_never_deeper_than_two():
    for sentence in DRAWN["brackets"]:
        gold = {r.query: r.keys[0] for r in sentence.relations if r.name == "closer → opener"}
        open_now: list[int] = []
        for t, word in enumerate(sentence.words, 1):
            if word in BRACKETS:
                open_now.append(t)
                assert len(open_now) <= 2
            elif word in BRACKETS.values():
                assert gold[t] == open_now[-1]
                assert BRACKETS[sentence.word(open_now.pop())] == word
        assert not open_now


def test_induction_looks_at_every_place_where_the_same_two_words_met_before():
    for sentence, query, keys in linked("names", "induction"):
        pair = (sentence.word(query), sentence.word(query + 1))
        assert list(keys) == [t for t in range(2, query) if (sentence.word(t - 1), sentence.word(t)) == pair]


def test_what_a_name_was_followed_by_before_is_never_another_name_of_its_kind():
    pools = (set(GRAMMAR.words["first names"]), set(GRAMMAR.words["surnames"]))
    for sentence, query, _ in linked("names", "induction"):
        following = sentence.word(query + 1)
        pool = next(pool for pool in pools if following in pool)
        present = sentence.word(query)
        earlier = {sentence.word(t + 1) for t in range(1, query) if sentence.word(t) == present}
        assert earlier & pool == {following}


def test_names_are_dealt_anew_in_every_passage():
    passages = DRAWN["names"]
    followers = {next_word for s in passages for word, next_word in pairwise(s.words) if word == "anna"}
    assert len(followers) > 20


def test_every_word_has_its_previous_token():
    for sentences in DRAWN.values():
        for sentence in sentences[:50]:
            links = {r.query: r.keys for r in sentence.relations if r.name == PREVIOUS_TOKEN}
            assert links == {t: (t - 1,) for t in range(1, len(sentence.words) + 1)}
