"""Copy: "c a f a b" → "c a f a b". Nothing to understand and everything to remember.

What a network can hold in one vector ends somewhere. Trained on up to 16 signs; longer ones were never seen.
"""

from random import Random

from model.tasks.pair import Pair, PairBuilder, PairTask

SIGNS = tuple("abcdefghij")
TRAINED, LONGEST = 16, 24


def copy_of(length: int, rng: Random) -> Pair:
    """`length` signs and the same again; each is linked to the one it repeats.

    Raises:
        ValueError: there would be no sign.
    """
    if length < 1:
        raise ValueError(f"a copy has at least 1 sign, not {length}")
    draft = PairBuilder()
    for sign in rng.choices(SIGNS, k=length):
        draft.write(sign, "sign", draft.read(sign))
    return draft.finish("trained" if length <= TRAINED else "longer")


def draw(kind: str | None, rng: Random) -> Pair:
    """Of any length seen in training, or of one that was not ("longer")."""
    if kind not in (None, "trained", "longer"):
        raise ValueError(f"the copy task has the kinds trained, longer, not {kind!r}")
    return copy_of(rng.randint(TRAINED + 1, LONGEST) if kind == "longer" else rng.randint(1, TRAINED), rng)


COPYING = PairTask(
    name="copy",
    title="Copy",
    kinds={"trained": "Up to 16 symbols, as in training", "longer": "17 to 24 symbols, never seen in training"},
    words=SIGNS,
    draw=draw,
    unit="symbol",
)
