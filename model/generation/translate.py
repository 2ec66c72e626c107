"""Writing the other sentence: greedy, drawn, or by a beam, word by word with what was read kept.

The source is read once. Each new word then asks with its own query; keys and values of the words before it, and of the
source, stay as they are. A recurrent network keeps its last state.
"""

from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
import torch

from model.generation.beam_search import Array, Beam, NextTokenFn, beam_search, greedy_search, sample_search
from model.generation.decoding import Decoding, DecodingOptions, choose
from model.generation.sampling import sample_token, sampling_probabilities
from model.probability import log_probabilities
from model.run import (
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
MAX_TOKENS = 64  # words that are written at most, where nobody says how many


@dataclass(frozen=True)
class Translation:
    """What a model wrote for a source."""

    text: str  # the other sentence, with what it began with
    tokens: tuple[str, ...]  # the words added, </s> last where the model ended the sentence
    logprobs: tuple[float, ...]  # ln p of each of them, given everything before it
    beam: Beam  # what each step looked at
    trace: PairTrace  # one pass over all of it; row t foretells word t + 1


def translate(
    experiment: Experiment,
    tokens: int = MAX_TOKENS,
    decoding: Decoding | str | None = None,
    seed: int | None = None,
    **options: Unpack[DecodingOptions],
) -> Translation:
    """Write the other sentence of `experiment.text`, going on from `experiment.target`.

    tokens: words at most. decoding: a `Decoding` or the name of a method, greedy by default; seed and options: single
    fields of it. "greedy" takes the most likely word each time; "sample" draws with the seed from what temperature,
    top_k and top_p leave, see sampling.py; "beam" follows `width` sentences and weighs their lengths by `alpha`, see
    beam_search.py.

    Raises:
        ValueError: an unknown method, numbers for it that have no meaning, weights of another kind, or a part that the
            model does not have.
        InputTextError: a text that cannot be read.
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
        begun = len(target.ids) - 1

        def draw(odds: Array, place: int) -> int:
            kept = sampling_probabilities(odds, chosen.temperature, chosen.top_k, chosen.top_p)
            return sample_token(kept, chosen.seed, begun + place)

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


def next_token_fn(experiment: Experiment) -> NextTokenFn:
    """Reads the source, and gives what says the next word: ln p (V,) of each; the special tokens are never said.

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
    # Where a word may look at those after it, what it gave changes with every new one, and nothing can be kept.
    use_cache = network.can_cache(switches)
    with torch.inference_mode(), as_input_error():
        ids = torch.tensor([source.ids], device=device)  # (1, S)
        read = decoder.encode(ids, None, switches)

    def next_logprobs(written: tuple[int, ...], past: Any) -> tuple[Array, Any]:
        new = torch.tensor([(*target.ids, *written) if past is None else written[-1:]], device=device)  # (1, T)
        with torch.inference_mode(), as_input_error():
            trace = decoder.decode(read, new, None, switches, past)
        logits = trace.logits[0, -1].float().cpu().numpy()  # (V,)
        logits[excluded] = -np.inf
        return log_probabilities(logits), trace if use_cache else None

    return next_logprobs
