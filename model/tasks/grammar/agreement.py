"""Agreement: "the person who the dogs near the trees chase was tired ."

The number of the verb depends on a subject that can be many words before it, with nouns of another number between them.
The class of the adjective depends on the same subject, and the adjective comes after the verb, so the verb needs the
subject too. Phrases and clauses at the start ensure that the subject is not always the first noun.
"""

from dataclasses import dataclass
from random import Random

from model.tasks.grammar.vocabulary import ACTIONS, ADJECTIVES, ANIMATE, ATTRIBUTES, LINKING, NOUNS, PREPOSITIONS
from model.tasks.task import PREVIOUS_IF_NEEDED, Sentence, SentenceBuilder

FAR = 8  # minimum number of words between subject and verb of a long link


@dataclass(frozen=True)
class Noun:
    """A noun of a sentence: its position, its class, and whether it is plural."""

    position: int
    group: str
    plural: bool


def _say_noun(draft: SentenceBuilder, rng: Random, groups: tuple[str, ...]) -> Noun:
    group, plural = rng.choice(groups), rng.random() < 0.5
    draft.say("the")
    if rng.random() < 0.15:
        draft.say(rng.choice(ATTRIBUTES))
    return Noun(draft.say(rng.choice(NOUNS[group])[plural]), group, plural)


def say_object(draft: SentenceBuilder, rng: Random, groups: tuple[str, ...]) -> None:
    """A noun of the classes that the word before it allows. It is a distractor for the verb of the sentence."""
    noun = draft.say("the", rng.choice(NOUNS[rng.choice(groups)])[rng.random() < 0.5])
    others = tuple(form for group, pairs in NOUNS.items() if group not in groups for pair in pairs for form in pair)
    if others:
        draft.expect("noun that fits the word before the article", noun, others)
        draft.link(PREVIOUS_IF_NEEDED, noun - 1, noun - 2)


def _say_place(draft: SentenceBuilder, rng: Random) -> None:
    for _ in range(2 if rng.random() < 0.2 else 1):
        preposition = rng.choice(list(PREPOSITIONS))
        draft.say(preposition)
        say_object(draft, rng, PREPOSITIONS[preposition])


def _say_inner_verb(draft: SentenceBuilder, forms: tuple[str, str], subject: Noun) -> None:
    verb = draft.say(forms[subject.plural])
    draft.expect("verb in the relative clause", verb, (forms[not subject.plural],))
    draft.link("inner verb → its subject", verb, subject.position)
    if verb - 1 != subject.position:
        draft.link("word before the inner verb → its subject", verb - 1, subject.position)


def _say_relative(draft: SentenceBuilder, rng: Random, noun: Noun, depth: int) -> None:
    draft.say("who" if noun.group == "people" else "that")
    if noun.group in ANIMATE and rng.random() < 0.35:  # "the person who chases the dogs"
        forms = rng.choice(list(ACTIONS))
        _say_inner_verb(draft, forms, noun)
        say_object(draft, rng, ACTIONS[forms])
    else:  # "the person who the dogs chase"
        subject = _say_phrase(draft, rng, ANIMATE, depth - 1)
        # A verb that takes only one class would reveal the class of the main subject to the adjective.
        _say_inner_verb(draft, rng.choice([forms for forms, groups in ACTIONS.items() if len(groups) > 1]), subject)
        if rng.random() < 0.15:
            _say_place(draft, rng)


def _say_phrase(draft: SentenceBuilder, rng: Random, groups: tuple[str, ...], depth: int) -> Noun:
    """A noun with nothing, a prepositional phrase, or a relative clause, which can contain another noun phrase."""
    noun = _say_noun(draft, rng, groups)
    plain, place = (0.15, 0.4) if depth == 2 else (0.4, 0.85) if depth == 1 else (0.5, 1.0)
    chance = rng.random()
    if plain <= chance < place:
        _say_place(draft, rng)
    elif chance >= place:
        _say_relative(draft, rng, noun, depth)
    return noun


def _say_clause(draft: SentenceBuilder, rng: Random, depth: int) -> None:
    subject = _say_phrase(draft, rng, tuple(NOUNS), depth)
    forms = rng.choice(LINKING)
    verb = draft.say(forms[subject.plural])
    draft.expect("main verb", verb, (forms[not subject.plural],))
    draft.link("verb → subject", verb, subject.position)
    if verb - subject.position >= FAR:
        draft.link("verb → subject, 8+ words away", verb, subject.position)
    if verb - 1 != subject.position:
        draft.link("word before the verb → subject", verb - 1, subject.position)
    adjective = draft.say(rng.choice(ADJECTIVES[subject.group]))
    others = tuple(word for group, words in ADJECTIVES.items() if group != subject.group for word in words)
    draft.expect("adjective class", adjective, others)


def agreement(rng: Random) -> Sentence:
    """One sentence whose verbs agree with near and distant subjects."""
    draft = SentenceBuilder()
    opening = rng.random()
    if opening < 0.35:
        _say_place(draft, rng)
        draft.say(",")
    elif opening < 0.5:
        draft.say("when")
        _say_clause(draft, rng, depth=1)
        draft.say(",")
    _say_clause(draft, rng, depth=2)
    if opening >= 0.8:
        draft.say(rng.choice(("and", "but")))
        _say_clause(draft, rng, depth=1)
    draft.say(".")
    return draft.finish("agreement")
