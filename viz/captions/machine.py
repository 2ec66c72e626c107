"""What each part of a Transformer is for, and what it did to one token, in plain words."""

from collections.abc import Sequence

from viz.captions.counting import counted, decimals
from viz.labels import markdown

PURPOSES = {
    "embedding": "Replaces each token by a vector of numbers, the same for the same token everywhere.",
    "position": "Tells the model where in the text a token stands.",
    "attention": "Moves information from other tokens to this token.",
    "head": "Compares this token with every token that it may attend to, and copies from those that fit.",
    "mlp": "Works on the vector of each token by itself. It sees no other token.",
    "norm": "Brings the numbers of a vector to mean 0 and variance 1, so that no part gets very large ones.",
    "residual": "Adds what a part gives to the vector that was there before. Nothing is lost on the way.",
    "mask": "Forbids a token to attend to later tokens.",
    "scale": "Divides the scores by √d_k, so that the softmax does not put all weight on one token.",
    "unembedding": "Compares the last vector with every word of the vocabulary. The more similar, the more probable.",
}
NAMES = {
    "embedding": "Embedding",
    "attention": "Attention",
    "head": "Head",
    "mlp": "Feed-forward network",
    "unembedding": "Prediction",
    "position": "Positions",
    "norm": "Norm",
    "scale": "Scaling by √d_k",
    "mask": "Causal mask",
    "residual": "Residual connection",
}
SHORT = {  # below a part of the figure
    "embedding": "token → vector",
    "attention": "brings information from other tokens",
    "mlp": "works on each token alone",
    "unembedding": "vector → word",
}
LABELS = {  # field of Switches → short enough for a button in the figure
    "position": "positions",
    "norm": "norm",
    "scale": "÷√d_k",
    "mask": "mask",
    "residual": "+",
    "mlp": "feed-forward",
}


def describe_embedding(token: str, length: float) -> str:
    """What the embedding did to this token."""
    return f"“{token}” became a vector of length {decimals(length, 1)}."


def describe_attention(token: str, before: float, added: float, shares: Sequence[tuple[str, float]]) -> str:
    """What attention did to this token. shares: other tokens and which part of the new vector comes from each."""
    if added == 0:
        return f"Attention added nothing to “{token}”."
    said = (
        f"Attention gave “{token}” a vector of length {decimals(added, 1)}; before, its own had {decimals(before, 1)}."
    )
    if not shares:
        return said + " All of it comes from this token itself."
    named = " and ".join(f"“{word}” ({share:.0%})" for word, share in shares)
    return f"{said} Of the new vector, the largest part from another token is from {named}."


def describe_mlp(token: str, before: float, added: float, active: int, total: int) -> str:
    """What the feed-forward network did to this token."""
    if added == 0:
        return f"The feed-forward network added nothing to “{token}”."
    return (
        f"The feed-forward network gave “{token}” a vector of length {decimals(added, 1)}; its own had "
        f"{decimals(before, 1)}. {active:,} of its {counted(total, 'hidden unit')} are above 0."
    )


def describe_unembedding(token: str, word: str, probability: float, predicts: str) -> str:
    """What is predicted at this token. predicts: "next" word, or the word "here"."""
    where = f"After “{token}” the" if predicts == "next" else f"At “{token}” the"
    return f"{where} most probable word is “{word}”, with {probability:.0%}."


def describe_machine(token: str, sources: Sequence[tuple[str, float]], own: float, drawn: int, total: int) -> str:
    """The sentence under the figure: what the last vector of the followed token is made of.

    sources: the other tokens that most of it began at, with their parts; own: the part from the token itself; drawn:
    how many of the `total` tokens are in the figure.
    """
    token = markdown(token)
    made = f"**The last vector of “{token}” holds {own:.0%} from the token itself.**"
    if sources:
        made += " Most of the rest began at " + " and ".join(
            f"“{markdown(word)}” ({share:.0%})" for word, share in sources
        )
        made += "."
    rest = (
        f" The figure draws the {drawn} tokens that matter most to it; the text has {total:,}." if drawn < total else ""
    )
    return made + rest + " The lines show the way, layer by layer; a thicker line carries more."


def describe_units(token: str, layer: int, active: int, total: int, first: Sequence[str]) -> str:
    """The sentence under the hidden units. first: the words that the unit with the longest vector raises."""
    read = (
        f" The one that writes most raises {', '.join(f'“{markdown(word)}”' for word in first)}."
        if first
        else " This model has no word predictions, so what a unit raises cannot be named."
    )
    return (
        f"In layer {layer}, **{active:,} of {counted(total, 'hidden unit')} are above 0** for "
        f"“{markdown(token)}”.{read}"
    )
