"""What Translate shows, claim by claim, each with the number that proves or qualifies it: of this run, or of a card."""

import numpy as np
import streamlit as st

from model.analysis.alignment import top_k_tokens
from model.analysis.loop_attention import difference_from_pytorch
from model.encoder_decoder import EncoderDecoderTrace
from model.tasks.pair import DETERMINED
from model.tasks.translation.task import NOUN, PRONOUN, REFERENT, TELLS
from model.tokenizer import EOS
from viz.captions.claims import (
    read_cross,
    read_decoder_layer,
    read_nouns,
    read_one_vector,
    read_pronouns,
    read_settled,
    read_word_by_word,
)
from viz.pages.translate import compute
from viz.pages.translate.compute import ALONE, ATTENTION
from viz.pages.translate.decoded import Written
from viz.ui import model_calls

SIGNS = (4, 8, 12, 16)  # copied, in the sentence about one vector


def show(one: Written) -> None:
    """One line a claim."""
    told = [_one_vector(), _own_context(one), *_cross(one), _one_word_at_a_time(one)]
    st.markdown("\n".join(f"- {line}" for line in told if line))


def _one_vector() -> str:
    there = compute.jobs().get("Copy", {})
    if {ALONE, ATTENTION} - there.keys():
        return ""
    alone, looking = (model_calls.about(there[name]).seq2seq for name in (ALONE, ATTENTION))
    shares_alone, shares_looking = ([card.lengths[n] for n in SIGNS] for card in (alone, looking))
    return read_one_vector(SIGNS, shares_alone, shares_looking, alone.pairs_per_length)


def _own_context(one: Written) -> str:
    scores = model_calls.about(one.experiment.weights).alignment
    if NOUN not in scores or "cross" not in one.maps:
        return ""
    best = {name: score.top1 for name, score in scores.items()}  # (L, H + 1)
    layer = int(best[NOUN][:, -1].argmax())
    looks = one.maps["cross"].shape[:2]
    line = read_nouns(
        "its only head" if looks == (1, 1) else f"the mean of layer {layer}'s heads", best[NOUN][layer, -1]
    )
    if TELLS in best and REFERENT in best and PRONOUN in best:
        referent, tells = best[REFERENT][:, -1], best[TELLS][:, -1]  # (L,) each
        line += read_pronouns(float(referent.max()), float(tells.max()), int(tells.argmax()))
    if DETERMINED in best:
        line += read_settled(float(best[DETERMINED][layer, -1]))
    return line


def _cross(one: Written) -> list[str]:
    trace = one.made.trace
    if not isinstance(trace, EncoderDecoderTrace):
        return []
    layers = trace.decoder.layers
    scale = (one.experiment.switches & model_calls.trained(one.experiment.weights)).scale
    with model_calls.computing:
        apart = max(difference_from_pytorch(layer.cross, scale) for layer in layers)
    rows, columns = layers[-1].cross.weights.shape[1:]
    present = one.experiment.switches & model_calls.trained(one.experiment.weights)
    return [read_cross(rows, columns, apart), read_decoder_layer(_future(one), present.mask, present.mlp, one.each)]


def _future(one: Written) -> float:
    weights = one.maps["target"]
    return float(np.triu(weights, 1).max())


def _one_word_at_a_time(one: Written) -> str:
    """The words were said one after another, with keys and values kept; one pass over all of them must agree."""
    made = one.made
    size = len(made.tokens)
    everything = len(model_calls.tokenizer(one.experiment.weights).vocabulary)
    words, odds = top_k_tokens(one.experiment.weights, made.trace.decoder.logits[:size], everything)
    at = [row.index(word) for row, word in zip(words, made.tokens, strict=True)]
    passed = np.log(odds[np.arange(size), at])
    apart = float(np.abs(passed - np.array(made.logprobs)).max())
    looks_ahead = not (one.experiment.switches & model_calls.trained(one.experiment.weights)).mask
    return read_word_by_word(size, one.each, apart, made.tokens[-1:] == (EOS,), looks_ahead)
