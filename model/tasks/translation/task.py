"""English to French: "the animal did not cross the street because it was too tired ."

The word order changes, adjectives and verbs agree, vowels are elided, "not" becomes two words, and "it" has the
gender of its referent: "… parce qu'il était trop fatigué .", but of the street "… qu'elle était
trop large ."
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from model.tasks.pair import DETERMINED, Pair, PairBuilder, PairTask
from model.tasks.task import Relation
from model.tasks.translation.vocabulary import (
    DEGREES,
    DOING,
    JOINING,
    NOUNS,
    PLAIN,
    SEEING,
    SLEEPING,
    TELLING,
    Adjective,
)

ARTICLE, NOUN, ADJECTIVE, VERB, NEGATION = "article", "noun", "adjective", "verb", "negation"
PRONOUN, REFERENT, TELLS = "pronoun", "pronoun → referent", "pronoun → adjective that tells"
OTHER = "other"  # "trop", "et", "parce", "."

# "the", "a", "this": French masculine, feminine, before a vowel (both), plural.
INDEFINITE = ("a", "some")
ARTICLES = {
    ("the", "the"): ("le", "la", ("l'", "l'"), "les"),
    INDEFINITE: ("un", "une", ("un", "une"), "des"),  # "des" becomes "de" before an adjective
    ("this", "these"): ("ce", "cette", ("cet", "cette"), "ces"),
}


def elides(word: str) -> bool:
    """Whether the word before this one is elided: this one begins with a vowel, or with a silent h as in "homme"."""
    return word[0] in "aeiouéèêîh"


@dataclass(frozen=True)
class Phrase:
    """A noun of a sentence: its position in English, and the features that other words agree with."""

    position: int
    feminine: bool
    plural: bool


def _say_noun(
    draft: PairBuilder, rng: Random, groups: tuple[str, ...], some: bool = True, plural: bool | None = None
) -> Phrase:
    """An article, an optional adjective, and a noun, whose order can differ between the languages.

    some: whether the article can be "a" or "some", which is not possible after a French negation.
    """
    noun = rng.choice(NOUNS[rng.choice(groups)])
    plural = rng.random() < 0.35 if plural is None else plural
    adjective = rng.choice(PLAIN) if rng.random() < 0.35 else None
    english, forms = rng.choice([article for article in ARTICLES.items() if some or article[0] != INDEFINITE])
    if english == INDEFINITE and (adjective.english if adjective else noun.english[0])[0] in "aeiou":
        english = ("an", "some")

    article_at = draft.read(english[plural])
    adjective_at = draft.read(adjective.english) if adjective else 0
    noun_at = draft.read(noun.english[plural])

    words = [(noun.french[plural], NOUN, noun_at)]
    if adjective:
        agreeing = adjective.agreeing(noun.feminine, plural), ADJECTIVE, adjective_at
        words.insert(0 if adjective.before else 1, agreeing)
    masculine, feminine, before_vowel, many = forms
    if plural:
        article = "de" if many == "des" and adjective and adjective.before else many
    elif elides(words[0][0]):
        article = before_vowel[noun.feminine]
    else:
        article = feminine if noun.feminine else masculine
    draft.write(article, ARTICLE, article_at, noun_at)  # the noun determines it
    for word, group, position in words:
        draft.write(word, group, position)
    return Phrase(noun_at, noun.feminine, plural)


def _say_verb(draft: PairBuilder, rng: Random, subject: Phrase, forms: tuple[tuple[str, str], tuple[str, str]]) -> bool:
    """A verb in the present: "sees" or "does not see", "voit" or "ne voit pas". Returns whether it is negated."""
    (english, bare), french = forms
    form = french[subject.plural]
    negated = rng.random() < 0.35
    if negated:
        draft.read("do" if subject.plural else "does")
        not_at = draft.read("not")
        verb_at = draft.read(bare)
        draft.write("n'" if elides(form) else "ne", NEGATION, not_at)
        draft.write(form, VERB, verb_at)
        draft.write("pas", DETERMINED, not_at)
    else:
        draft.write(form, VERB, draft.read(bare if subject.plural else english))
    return negated


def _say_quality(draft: PairBuilder, rng: Random, adjective: Adjective, of: Phrase, degree: bool) -> int:
    """ "too tired": an adjective that agrees. Returns its position in the English sentence."""
    if degree:
        english, french = rng.choice(DEGREES)
        draft.write(french, OTHER, draft.read(english))
    adjective_at = draft.read(adjective.english)
    draft.write(adjective.agreeing(of.feminine, of.plural), ADJECTIVE, adjective_at)
    return adjective_at


def seeing(draft: PairBuilder, rng: Random) -> None:
    """ "the small cat does not see these red flowers" """
    subject = _say_noun(draft, rng, ("people", "animals"))
    negated = _say_verb(draft, rng, subject, rng.choice(SEEING))
    _say_noun(draft, rng, tuple(NOUNS), some=not negated)


def sleeping(draft: PairBuilder, rng: Random) -> None:
    """ "the queens sleep" """
    _say_verb(draft, rng, _say_noun(draft, rng, ("people", "animals")), rng.choice(SLEEPING))


def being(draft: PairBuilder, rng: Random) -> None:
    """ "this box is not very heavy" """
    group = rng.choice(tuple(NOUNS))
    subject = _say_noun(draft, rng, (group,))
    be_at = draft.read("are" if subject.plural else "is")
    form = "sont" if subject.plural else "est"
    if rng.random() < 0.35:
        not_at = draft.read("not")
        draft.write("n'" if elides(form) else "ne", NEGATION, not_at)
        draft.write(form, VERB, be_at)
        draft.write("pas", DETERMINED, not_at)
    else:
        draft.write(form, VERB, be_at)
    adjective = rng.choice(PLAIN + TELLING.get(group, ()))
    _say_quality(draft, rng, adjective, subject, degree=rng.random() < 0.4)


def reason(draft: PairBuilder, rng: Random) -> None:
    """ "the animal did not cross the street because it was too wide": the last word determines the referent."""
    group = rng.choice(tuple(DOING))
    past, bare, participle = rng.choice(DOING[group])
    animal = _say_noun(draft, rng, ("animals",), plural=False)
    negated = rng.random() < 0.7
    if negated:
        did_at, not_at = draft.read("did"), draft.read("not")
        verb_at = draft.read(bare)
        draft.write("n'", NEGATION, not_at)
        draft.write("a", DETERMINED, did_at)
        draft.write("pas", DETERMINED, not_at)
        draft.write(participle, VERB, verb_at)
    else:
        verb_at = draft.read(past)
        draft.write("a", VERB, verb_at)
        draft.write(participle, VERB, verb_at)
    other = _say_noun(draft, rng, (group,), some=not negated, plural=False)

    means_animal = rng.random() < 0.5
    meant = animal if means_animal else other
    because_at, it_at, was_at = draft.read("because"), draft.read("it"), draft.read("was")
    draft.write("parce", OTHER, because_at)
    draft.write("qu'", DETERMINED, because_at)
    draft.link(REFERENT, meant.position)
    pronoun_row = len(draft.target)
    draft.write("elle" if meant.feminine else "il", PRONOUN, it_at, meant.position)
    draft.write("était", DETERMINED, was_at)
    telling = rng.choice(TELLING["animals" if means_animal else group])
    draft.links.append(Relation(TELLS, pronoun_row, (_say_quality(draft, rng, telling, meant, degree=True),)))


CLAUSES: dict[str, Callable[[PairBuilder, Random], None]] = {
    "seeing": seeing,
    "sleeping": sleeping,
    "being": being,
    "reason": reason,
}
SHARES = {"seeing": 0.3, "sleeping": 0.1, "being": 0.2, "reason": 0.4}
LENGTHS = {1: 0.65, 2: 0.35}  # clauses in a sentence
LONGEST = 28  # words on either side


def draw(kind: str | None, rng: Random) -> Pair:
    """A random sentence whose first clause is of this kind; None: of any kind, in the proportions of the training."""
    if kind is not None and kind not in CLAUSES:
        raise ValueError(f"the translation task has the kinds {', '.join(CLAUSES)}, not {kind!r}")
    while True:
        draft = PairBuilder()
        first = kind or rng.choices(list(SHARES), weights=list(SHARES.values()))[0]
        CLAUSES[first](draft, rng)
        for _ in range(rng.choices(list(LENGTHS), weights=list(LENGTHS.values()))[0] - 1):
            english, french = rng.choice(JOINING)
            draft.write(french, OTHER, draft.read(english))
            CLAUSES[rng.choices(list(SHARES), weights=list(SHARES.values()))[0]](draft, rng)
        draft.write(".", OTHER, draft.read("."))
        if len(draft.source) <= LONGEST and len(draft.target) <= LONGEST:
            return draft.finish(first)


def _words() -> tuple[str, ...]:
    """Every word of both languages, each once."""
    vocabulary: dict[str, None] = {}
    for english, (masculine, feminine, before_vowel, many) in ARTICLES.items():
        vocabulary |= dict.fromkeys((*english, masculine, feminine, *before_vowel, many))
    for nouns in NOUNS.values():
        vocabulary |= dict.fromkeys(word for noun in nouns for word in (*noun.english, *noun.french))
    for adjective in (*PLAIN, *(item for group in TELLING.values() for item in group)):
        vocabulary |= dict.fromkeys((adjective.english, *adjective.french))
    vocabulary |= dict.fromkeys(word for forms in (*SEEING, *SLEEPING) for pair in forms for word in pair)
    vocabulary |= dict.fromkeys(word for group in DOING.values() for forms in group for word in forms)
    vocabulary |= dict.fromkeys(word for pair in (*DEGREES, *JOINING) for word in pair)
    small = "an de do does did not is are was it because . n' ne pas est sont a parce qu' il elle était"
    return tuple(vocabulary | dict.fromkeys(small.split()))


TRANSLATION = PairTask(
    name="translation",
    title="English to French",
    kinds={
        "seeing": "Subject, verb and object",
        "sleeping": "Subject and verb",
        "being": "What something is like",
        "reason": "What “it” means",
    },
    words=_words(),
    draw=draw,
)
