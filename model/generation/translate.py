"""Decoding of a sequence-to-sequence model, by greedy search, sampling or beam search.

The source is encoded once. Each step computes one new query; the keys and values of the source and of earlier tokens
are kept. A recurrent network keeps its last state.
"""

from dataclasses import dataclass
from typing import Unpack

import numpy as np
import torch

from model.generation.beam_search import Array, Beam, NextTokenFn, beam_search, greedy_search, sample_search
from model.generation.decoding import Decoding, DecodingOptions, choose
from model.generation.sampling import sample_token, sampling_probabilities
from model.probability import log_probabilities
from model.run import (
    DecoderOutput,
    Experiment,
    PairTrace,
    Seq2SeqNetwork,
    as_input_error,
    check_pair,
    encode_pair,
    get_seq2seq,
    run_pair_ids,
)
from model.tokenizer import EOS

METHODS = ("greedy", "sample", "beam")
MAX_TOKENS = 64  # default for the maximum number of tokens


@dataclass(frozen=True)
class Translation:
    """The target that a model wrote for a source."""

    text: str  # the target, including the given beginning
    tokens: tuple[str, ...]  # the added tokens, with </s> last if the model ended the sentence
    logprobs: tuple[float, ...]  # ln p of each of them, given everything before it
    beam: Beam  # the candidates of each step
    trace: PairTrace  # one pass over source and target; row t predicts token t + 1


def translate(
    experiment: Experiment,
    tokens: int = MAX_TOKENS,
    decoding: Decoding | str | None = None,
    seed: int | None = None,
    **options: Unpack[DecodingOptions],
) -> Translation:
    """Write the target for `experiment.text`, after the beginning `experiment.target`.

    tokens: maximum number of added tokens. decoding: a `Decoding` or the name of a method, greedy by default; seed and
    options: single fields of it. "greedy" takes the most likely token at each step; "sample" draws one with the seed,
    after temperature, top_k and top_p, see sampling.py; "beam" keeps `width` hypotheses and has the length penalty
    `alpha`, see beam_search.py.

    Raises:
        ValueError: the method is unknown, one of its settings is invalid, the weights are of another kind, or the
            experiment removes a part that the model does not have.
        InputTextError: the text cannot be read.
    """
    chosen = choose(decoding, seed, options)
    if chosen.method not in METHODS:
        raise ValueError(f'method must be one of {", ".join(METHODS)}, not "{chosen.method}"')
    _, tokenizer = get_seq2seq(experiment.weights)
    source, target = encode_pair(experiment)
    end = tokenizer.vocabulary.index(EOS)
    next_logprobs = next_token_fn(experiment)
    if chosen.method == "beam":
        searched = beam_search(next_logprobs, end, tokens, chosen.width, chosen.alpha)
    elif chosen.method == "sample":
        n_given = len(target.ids) - 1

        def draw(odds: Array, place: int) -> int:
            kept = sampling_probabilities(odds, chosen.temperature, chosen.top_k, chosen.top_p)
            return sample_token(kept, chosen.seed, n_given + place)

        searched = sample_search(next_logprobs, end, tokens, draw)
    else:
        searched = greedy_search(next_logprobs, end, tokens)
    best = searched.best
    written = (*best.ids, end) if best.ended else best.ids
    return Translation(
        text=tokenizer.append_tokens(experiment.target, best.ids),
        tokens=tuple(tokenizer.vocabulary[index] for index in written),
        logprobs=best.logprobs,
        beam=searched,
        trace=run_pair_ids(
            experiment,
            source,
            (*target.ids, *best.ids),
            (*target.tokens, *(tokenizer.vocabulary[index] for index in best.ids)),
        ),
    )


def next_token_fn(experiment: Experiment) -> NextTokenFn[DecoderOutput]:
    """Encode the source, and return a function that gives ln p (V,) of the next token; special tokens have −inf.

    Raises:
        ValueError: as `translate`.
    """
    network, tokenizer = get_seq2seq(experiment.weights)
    decoder: Seq2SeqNetwork = network
    check_pair(experiment, network)
    source, target = encode_pair(experiment)
    device = next(network.parameters()).device
    excluded = [index for index in tokenizer.special_ids if tokenizer.vocabulary[index] != EOS]
    switches = experiment.switches
    # Without a causal mask every new token changes the stages of earlier ones, so there is no cache.
    use_cache = network.can_cache(switches)
    with torch.inference_mode(), as_input_error():
        ids = torch.tensor([source.ids], device=device)  # (1, S)
        read = decoder.encode(ids, None, switches)

    def next_logprobs(written: tuple[int, ...], past: DecoderOutput | None) -> tuple[Array, DecoderOutput | None]:
        new = torch.tensor([(*target.ids, *written) if past is None else written[-1:]], device=device)  # (1, T)
        with torch.inference_mode(), as_input_error():
            trace = decoder.decode(read, new, None, switches, past)
        logits = trace.logits[0, -1].float().cpu().numpy()  # (V,)
        logits[excluded] = -np.inf
        return log_probabilities(logits), trace if use_cache else None

    return next_logprobs
