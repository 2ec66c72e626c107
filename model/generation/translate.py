"""Writing the other sentence: greedy, drawn, or by a beam, word by word with what was read kept.

The source is read once. Each new word then asks with its own query; keys and values of the words before it, and of the
source, stay as they are. A recurrent network keeps its last state.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from model.generation.beam_search import Array, Beam, NextTokenFn, beam_search, greedy_search, sample_search
from model.generation.sampling import sample_token, sampling_probabilities
from model.probability import log_probabilities
from model.recurrent import Recurrent
from model.run import Experiment, PairTrace, as_input_error, check_pair, encode_pair, get_seq2seq, run_pair_ids
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
    method: str = "greedy",
    seed: int = 0,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    width: int = 4,
    alpha: float = 0.0,
) -> Translation:
    """Write the other sentence of `experiment.text`, going on from `experiment.target`.

    tokens: words at most. method: "greedy" takes the likeliest word each time; "sample" draws with this seed from what
    temperature, top_k and top_p leave, see sampling.py; "beam" follows `width` sentences and weighs their lengths
    by `alpha`, see beam_search.py.

    Raises:
        ValueError: an unknown method, numbers for it that have no meaning, weights of another kind, or a part that the
            model does not have.
        InputTextError: a text that cannot be read.
    """
    if method not in METHODS:
        raise ValueError(f'method must be one of {", ".join(METHODS)}, not "{method}"')
    _, tokenizer = get_seq2seq(experiment.weights)
    source, target = encode_pair(experiment)
    end = tokenizer.vocabulary.index(EOS)
    next_logprobs = next_token_fn(experiment)
    if method == "beam":
        searched = beam_search(next_logprobs, end, tokens, width, alpha)
    elif method == "sample":
        begun = len(target.ids) - 1
        searched = sample_search(
            next_logprobs,
            end,
            tokens,
            lambda odds, place: sample_token(
                sampling_probabilities(odds, temperature, top_k, top_p), seed, begun + place
            ),
        )
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
    check_pair(experiment, network)
    source, target = encode_pair(experiment)
    device = next(network.parameters()).device
    excluded = [index for index in tokenizer.special_ids if tokenizer.vocabulary[index] != EOS]
    switches = experiment.switches
    # Where a word may look at those after it, what it gave changes with every new one, and nothing can be kept.
    use_cache = isinstance(network, Recurrent) or (switches & network.config.trained).mask
    with torch.inference_mode(), as_input_error():
        ids = torch.tensor([source.ids], device=device)  # (1, S)
        read: Any = network.encode(ids) if isinstance(network, Recurrent) else network.encode(ids, None, switches)

    def next_logprobs(written: tuple[int, ...], past: Any) -> tuple[Array, Any]:
        new = torch.tensor([(*target.ids, *written) if past is None else written[-1:]], device=device)  # (1, T)
        with torch.inference_mode(), as_input_error():
            if isinstance(network, Recurrent):
                trace: Any = network.decode(read, new, past=past)
            else:
                trace = network.decode(read, new, None, switches, past)
        logits = trace.logits[0, -1].float().cpu().numpy()  # (V,)
        logits[excluded] = -np.inf
        return log_probabilities(logits), trace if use_cache else None

    return next_logprobs
