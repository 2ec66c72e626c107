"""The copy task: "c a f a b" → "c a f a b". It tests how much a network can remember.

A single vector can represent only a limited number of symbols. Training uses up to 16 symbols, never more.
"""

from random import Random

from model.tasks.pair import Pair, PairBuilder, PairTask

SIGNS = tuple("abcdefghij")
TRAINED, LONGEST = 16, 24


def copy_of(length: int, rng: Random) -> Pair:
    """`length` random symbols and their copy. Each symbol of the copy is linked to its source.

    Raises:
        ValueError: `length` is less than 1.
    """
    if length < 1:
        raise ValueError(f"a copy has at least 1 symbol, not {length}")
    draft = PairBuilder()
    for sign in rng.choices(SIGNS, k=length):
        draft.write(sign, "sign", draft.read(sign))
    return draft.finish("trained" if length <= TRAINED else "longer")


def draw(kind: str | None, rng: Random) -> Pair:
    """A copy with a length of the training, or with a longer one (kind "longer")."""
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
