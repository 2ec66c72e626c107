"""Reference: "the wizard near the bridge visited the nun because she lost her bell ."

Only the nun owns a bell. To predict it at "her", a model needs the person: the gender determines the owner, and the
owner determines the thing.
"""

from random import Random

from model.tasks.grammar.agreement import say_object
from model.tasks.grammar.vocabulary import ATTRIBUTES, LOSSES, MEETINGS, OWNERS, POSSESSIVE, PREPOSITIONS
from model.tasks.task import Sentence, SentenceBuilder

# Prepositions that are not followed by a possible referent.
LIFELESS = tuple(word for word, groups in PREPOSITIONS.items() if not {"people", "animals"} & set(groups))
THINGS = tuple(thing for pairs in OWNERS.values() for _, thing in pairs)


def _say_owner(draft: SentenceBuilder, rng: Random, owner: str) -> int:
    draft.say("the")
    if rng.random() < 0.15:
        draft.say(rng.choice(ATTRIBUTES))
    position = draft.say(owner)
    if rng.random() < 0.3:
        preposition = rng.choice(LIFELESS)
        draft.say(preposition)
        say_object(draft, rng, PREPOSITIONS[preposition])
    return position


def _alone(draft: SentenceBuilder, rng: Random) -> None:
    """One person alone: "their" can only refer to this person, man or woman.

    Without such sentences the model learns one head for each gender, and no head for all owners.
    """
    owner, thing = rng.choice([pair for pairs in OWNERS.values() for pair in pairs])
    position = _say_owner(draft, rng, owner)
    draft.say(rng.choice(LOSSES))
    draft.link("their → owner", draft.say("their"), position)
    draft.expect("possessed item", draft.say(thing), tuple(other for other in THINGS if other != thing))


def reference(rng: Random) -> Sentence:
    """One sentence with a man and a woman, in either order, and a possessive that refers to one of them."""
    draft = SentenceBuilder()
    if rng.random() < 0.35:
        _alone(draft, rng)
        draft.say(".")
        return draft.finish("reference")
    order = rng.sample(list(OWNERS), 2)
    owners = {pronoun: rng.choice(OWNERS[pronoun]) for pronoun in order}
    positions = {order[0]: _say_owner(draft, rng, owners[order[0]][0])}
    draft.say(rng.choice(MEETINGS))
    positions[order[1]] = _say_owner(draft, rng, owners[order[1]][0])

    pronoun = rng.choice(order)
    ending = rng.random()
    if ending < 0.4:
        draft.say("because")
        draft.link("pronoun → referent", draft.say(pronoun), positions[pronoun])
        draft.say(rng.choice(LOSSES))
    elif ending < 0.7:  # no pronoun, so there is no pronoun between the possessive and its referent
        draft.say("and", "then", rng.choice(LOSSES))
    else:
        draft.say(rng.choice(LIFELESS))
    possessive, thing = draft.say(POSSESSIVE[pronoun]), owners[pronoun][1]
    draft.link("possessive → referent", possessive, positions[pronoun])
    draft.expect("possessed item", draft.say(thing), tuple(other for other in THINGS if other != thing))
    draft.say(".")
    return draft.finish("reference")
