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
    describe_cross_attention,
    describe_decoder_layer,
    describe_decoding,
    describe_determined,
    describe_nouns_attended,
    describe_one_vector,
    describe_pronouns,
)
from viz.pages.translate import compute
from viz.pages.translate.compute import ALONE, ATTENTION
from viz.pages.translate.decoded import DecodedSentence
from viz.ui import model_calls

N_SYMBOLS = (4, 8, 12, 16)  # copied, in the sentence about one vector


def show(decoded: DecodedSentence) -> None:
    """One line a claim."""
    claims = [_one_vector(), _own_context(decoded), *_cross(decoded), _one_word_at_a_time(decoded)]
    st.markdown("\n".join(f"- {line}" for line in claims if line))


def _one_vector() -> str:
    networks = compute.available_tasks().get("Copy", {})
    if {ALONE, ATTENTION} - networks.keys():
        return ""
    alone, attentive = (model_calls.about(networks[name]).seq2seq for name in (ALONE, ATTENTION))
    shares_alone, shares_attentive = ([card.lengths[n] for n in N_SYMBOLS] for card in (alone, attentive))
    return describe_one_vector(N_SYMBOLS, shares_alone, shares_attentive, alone.pairs_per_length)


def _own_context(decoded: DecodedSentence) -> str:
    measured = model_calls.about(decoded.experiment.weights).alignment
    if NOUN not in measured or "cross" not in decoded.maps:
        return ""
    best = {name: score.top1 for name, score in measured.items()}  # (L, H + 1)
    layer = int(best[NOUN][:, -1].argmax())
    shape = decoded.maps["cross"].shape[:2]
    line = describe_nouns_attended(
        "the only head of the model" if shape == (1, 1) else f"the mean of layer {layer}'s heads", best[NOUN][layer, -1]
    )
    if TELLS in best and REFERENT in best and PRONOUN in best:
        referent, adjective = best[REFERENT][:, -1], best[TELLS][:, -1]  # (L,) each
        line += describe_pronouns(float(referent.max()), float(adjective.max()), int(adjective.argmax()))
    if DETERMINED in best:
        line += describe_determined(float(best[DETERMINED][layer, -1]))
    return line


def _cross(decoded: DecodedSentence) -> list[str]:
    trace = decoded.translation.trace
    if not isinstance(trace, EncoderDecoderTrace):
        return []
    layers = trace.decoder.layers
    scale = (decoded.experiment.switches & model_calls.trained(decoded.experiment.weights)).scale
    with model_calls.compute_slots:
        apart = max(difference_from_pytorch(layer.cross, scale) for layer in layers)
    rows, columns = layers[-1].cross.weights.shape[1:]
    present = decoded.experiment.switches & model_calls.trained(decoded.experiment.weights)
    return [
        describe_cross_attention(rows, columns, apart),
        describe_decoder_layer(_future(decoded), present.mask, present.mlp, decoded.each),
    ]


def _future(decoded: DecodedSentence) -> float:
    weights = decoded.maps["target"]
    return float(np.triu(weights, 1).max())


def _one_word_at_a_time(decoded: DecodedSentence) -> str:
    """The words were said one after another, with keys and values kept; one pass over all of them must agree."""
    translation = decoded.translation
    size = len(translation.tokens)
    everything = len(model_calls.tokenizer(decoded.experiment.weights).vocabulary)
    words, probabilities = top_k_tokens(decoded.experiment.weights, translation.trace.decoder.logits[:size], everything)
    indices = [row.index(word) for row, word in zip(words, translation.tokens, strict=True)]
    passed = np.log(probabilities[np.arange(size), indices])
    apart = float(np.abs(passed - np.array(translation.logprobs)).max())
    attends_ahead = not (decoded.experiment.switches & model_calls.trained(decoded.experiment.weights)).mask
    return describe_decoding(size, decoded.each, apart, translation.tokens[-1:] == (EOS,), attends_ahead)
