"""Names: "first : anna hugo ida otto . again : hugo ida otto ." and people whose surname stays the same.

The word after a name is determined only by what followed the name before. To predict it, a model finds the earlier
occurrence and copies the next word. This is induction and needs two heads: one that attends to the previous token, and
one that attends to the token after an earlier occurrence of the current token.
"""

from random import Random

from model.tasks.grammar.vocabulary import FIRST_NAMES, MEETINGS, SURNAMES
from model.tasks.task import PREVIOUS_IF_NEEDED, Sentence, SentenceBuilder

INDUCTION = "induction"
IN_NAMES = "previous token, in name passages"


def _say_repeated(draft: SentenceBuilder, word: str, pool: tuple[str, ...]) -> None:
    """Add a word that followed the current one before. All earlier occurrences count, not only the last."""
    now = len(draft.words)
    present = draft.words[-1]
    position = draft.say(word)
    earlier = (t + 1 for t in range(1, now) if draft.words[t - 1 : t + 1] == [present, word])
    draft.link(INDUCTION, now, *earlier)
    draft.expect(INDUCTION, position, tuple(other for other in pool if other != word))


def _say_new(draft: SentenceBuilder, word: str) -> None:
    """Add a word for the first time. Its link to the previous token is needed if that token is repeated."""
    position = draft.say(word)
    draft.link(PREVIOUS_IF_NEEDED, position, position - 1)


def _roll_call(draft: SentenceBuilder, rng: Random) -> None:
    called = rng.sample(FIRST_NAMES, rng.randint(5, 10))
    draft.say("first", ":", called[0])
    for name in called[1:]:
        _say_new(draft, name)
    draft.say(".")
    for adverb in rng.sample(("again", "later"), rng.randint(1, 2)):
        # The repetition starts and ends at random positions, so that counting words does not help.
        start = rng.randint(0, len(called) - 4)
        end = rng.randint(start + 4, len(called))
        draft.say(adverb, ":", called[start])
        for name in called[start + 1 : end]:
            _say_repeated(draft, name, FIRST_NAMES)
        draft.say(".")


def _acquaintances(draft: SentenceBuilder, rng: Random) -> None:
    """Sentences about people, each with a surname that stays the same in the passage."""
    count = rng.randint(3, 6)
    people = list(zip(rng.sample(FIRST_NAMES, count), rng.sample(SURNAMES, count), strict=True))
    known: set[str] = set()
    for _ in range(rng.randint(3, 6)):
        for index, (first, last) in enumerate(rng.sample(people, 2)):
            if index:
                draft.say(rng.choice(MEETINGS))
            draft.say(first)
            if first in known:
                _say_repeated(draft, last, SURNAMES)
            else:
                _say_new(draft, last)
            known.add(first)
        draft.say(".")


def names(rng: Random) -> Sentence:
    """One passage in which names are repeated."""
    draft = SentenceBuilder()
    rng.choice((_roll_call, _acquaintances))(draft, rng)
    for t in range(1, len(draft.words) + 1):
        draft.link(IN_NAMES, t, t - 1)
    return draft.finish("names")
