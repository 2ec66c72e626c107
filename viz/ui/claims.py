"""What Translate shows, claim by claim, each with the number that proves or qualifies it: of this run, or of a card."""

import numpy as np
import streamlit as st

from model.encoder_decoder import EncoderDecoderTrace
from model.forms import apart_from_pytorch
from model.tasks.pair import SETTLED
from model.tasks.translation import NOUN, PRONOUN, REFERENT, TELLS
from model.tokenizer import END
from model.written import likeliest
from viz.places import spelt
from viz.ui import pairs, runs
from viz.ui.pairs import ALONE, ATTENTION
from viz.ui.written import Written


def show(one: Written) -> None:
    """One line a claim."""
    told = [_one_vector(), _own_context(one), *_cross(one), _one_word_at_a_time(one)]
    st.markdown("\n".join(f"- {line}" for line in told if line))


def _one_vector() -> str:
    there = pairs.jobs().get("Copy", {})
    if {ALONE, ATTENTION} - there.keys():
        return ""
    shares = {name: runs.about(there[name])["lengths"] for name in (ALONE, ATTENTION)}
    of_each = runs.about(there[ALONE])["recipe"]["of_each"]
    alone, looking = (", ".join(f"{100 * shares[name][n]:.0f}" for n in ("4", "8", "12", "16")) for name in shares)
    return (
        f"**One vector is not enough.** A GRU that must copy 4, 8, 12, 16 signs from one vector gets {alone} % right; "
        f"the same with attention {looking} % ({of_each} each, by the cards; both were trained on these lengths)."
    )


def _own_context(one: Written) -> str:
    told = runs.about(one.experiment.weights).get("alignment")
    if not told or NOUN not in told or "cross" not in one.maps:
        return ""
    best = {name: np.array(score["top1"]) for name, score in told.items()}  # (L, H + 1)
    layer = int(best[NOUN][:, -1].argmax())
    line = (
        f"**Each word has a context of its own.** The mean of layer {layer}'s heads looks most at the right word for "
        f"{100 * best[NOUN][layer, -1]:.0f} % of the nouns."
    )
    if TELLS in best and REFERENT in best and PRONOUN in best:
        referent, tells = best[REFERENT][:, -1], best[TELLS][:, -1]  # (L,) each
        line += (
            f" It is no rule: of il and elle no layer's heads look most at what they stand for in more than "
            f"{100 * referent.max():.0f} % of cases; those of layer {int(tells.argmax())} look at the adjective that "
            f"tells, in {100 * tells.max():.0f} %."
        )
    if SETTLED in best:
        line += (
            f" Words that those before them settle look where gold points in {100 * best[SETTLED][layer, -1]:.0f} %: "
            "nothing has to be looked up there."
        )
    return line


def _cross(one: Written) -> list[str]:
    trace = one.made.trace
    if not isinstance(trace, EncoderDecoderTrace):
        return []
    layers = trace.decoder.layers
    scale = (one.experiment.switches & runs.trained(one.experiment.weights)).scale
    with runs.computing:
        apart = max(apart_from_pytorch(layer.cross, scale) for layer in layers)
    rows, columns = layers[-1].cross.weights.shape[1:]
    return [
        f"**Cross-attention is the same operation with another source.** {rows} queries from the decoder, {columns} "
        "keys from the encoder; PyTorch’s own attention gives the same weights for them, in every head of every "
        f"layer, to {spelt(apart)}.",
        "**A decoder layer is three things**: a masked look at what is written, a look at the source, and the "
        f"feed-forward network. The first two are the maps above; in the first the future has weight "
        f"{_future(one):.2f}.",
    ]


def _future(one: Written) -> float:
    weights = one.maps["target"]
    return float(np.triu(weights, 1).max())


def _one_word_at_a_time(one: Written) -> str:
    """The words were said one after another, with keys and values kept; one pass over all of them must agree."""
    made = one.made
    size = len(made.tokens)
    everything = len(runs.tokenizer(one.experiment.weights).vocabulary)
    words, odds = likeliest(one.experiment.weights, made.trace.decoder.logits[:size], everything)
    at = [row.index(word) for row, word in zip(words, made.tokens, strict=True)]
    passed = np.log(odds[np.arange(size), at])
    apart = float(np.abs(passed - np.array(made.logprobs)).max())
    ended = "ended it" if made.tokens[-1:] == (END,) else "did not end it"
    if not (one.experiment.switches & runs.trained(one.experiment.weights)).mask:
        return (
            f"**Decoding goes word by word.** Without the mask {size} words one after another need not give each the "
            f"ln p that one pass over the finished sentence gives, where a word also sees those after it: here they "
            f"are up to {spelt(apart)} apart; the model {ended} itself."
        )
    return (
        f"**Decoding goes word by word.** {size} words one after another give each the ln p that one pass over the "
        f"finished sentence gives, to {spelt(apart)}; the model {ended} itself."
    )
