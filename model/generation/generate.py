"""Writing on: the model says a word, reads it, and says the next. Vaswani et al. 2017, section 3: auto-regression."""

from dataclasses import dataclass
from typing import Unpack

import numpy as np
import torch

from model.compute.progress import steps
from model.generation.decoding import Decoding, DecodingOptions, choose
from model.generation.kv_cache import is_cacheable
from model.generation.sampling import sample_token, sampling_probabilities
from model.generation.translate import MAX_TOKENS, Translation, translate
from model.probability import log_probabilities
from model.run import Array, Experiment, encode, get_transformer, is_seq2seq, run_ids
from model.transformer import Trace

METHODS = ("greedy", "sample")


@dataclass(frozen=True)
class Generation:
    """What a model wrote after a text."""

    text: str  # the text it was given and the words it added
    tokens: tuple[str, ...]  # the added words
    logprobs: tuple[float, ...]  # ln p of each added word, given everything before it
    trace: Trace[Array]  # one run over all of it


def generate(
    experiment: Experiment,
    tokens: int | None = None,
    decoding: Decoding | str | None = None,
    seed: int | None = None,
    **options: Unpack[DecodingOptions],
) -> Generation | Translation:
    """Write with any model: `continue_text` for a model of one text, `translate` for a sequence-to-sequence model.

    tokens: how many; None: 20 after a text, or a translation to its end.
    decoding: a `Decoding` or the name of a method, greedy by default. seed, options: single fields of it,
    such as method="sample", temperature=0.8, seed=3.

    Raises:
        ValueError: an unknown method, or a number of it that has no meaning.
        InputTextError: a text that cannot be run.
    """
    chosen = choose(decoding, seed, options)
    if is_seq2seq(experiment.weights):
        return translate(experiment, tokens or MAX_TOKENS, chosen)
    return continue_text(experiment, 20 if tokens is None else tokens, chosen)


def continue_text(
    experiment: Experiment,
    tokens: int = 20,
    decoding: Decoding | str | None = None,
    seed: int | None = None,
    **options: Unpack[DecodingOptions],
) -> Generation:
    """Add `tokens` words to the experiment's text, one after another.

    "greedy" takes the most likely word each time, "sample" draws with the seed from what temperature, top_k and top_p
    leave: see sampling.py. The special tokens are never generated. A word at a time gives what all at once
    gives, as long as what is written falls into the tokens it was written in. Where the mask looks back only, each word
    is read once and its keys and values are kept; otherwise everything is read again for every word.

    Raises:
        ValueError: an unknown method, a number of it that has no meaning, or weights of a sequence-to-sequence model.
        InputTextError: a text that cannot be run.
    """
    chosen = choose(decoding, seed, options)
    if chosen.method not in METHODS:
        raise ValueError(f'method must be one of {", ".join(METHODS)}, not "{chosen.method}"')
    transformer, tokenizer = get_transformer(experiment.weights)
    device = next(transformer.parameters()).device
    special_ids = list(tokenizer.special_ids)
    prompt = encode(experiment)
    ids, logprobs = list(prompt.ids), []
    use_cache = experiment.mask_spec is None and is_cacheable(transformer, experiment.switches)
    kv_cache: Trace[torch.Tensor] | None = None
    with torch.inference_mode():
        for _ in steps(range(tokens)):
            new = torch.tensor(
                [ids if kv_cache is None else ids[-1:]], device=device
            )  # (1, T): all, then one at a time
            mask = None if experiment.mask_spec is None else experiment.mask_spec.build(len(ids)).to(device)  # (T, T)
            trace = transformer(new, switches=experiment.switches, mask=mask, kv_cache=kv_cache)
            kv_cache = trace if use_cache else None
            logits = trace.logits[0, -1].float().cpu().numpy()  # (V,)
            logits[special_ids] = -np.inf
            odds = log_probabilities(logits)
            if chosen.method == "greedy":
                token = int(odds.argmax())
            else:
                kept = sampling_probabilities(logits, chosen.temperature, chosen.top_k, chosen.top_p)
                token = sample_token(kept, chosen.seed, len(ids))
            ids.append(token)
            logprobs.append(float(odds[token]))
    added = ids[len(prompt.ids) :]
    words = tuple(tokenizer.vocabulary[index] for index in added)
    text = tokenizer.append_tokens(experiment.text, added)
    return Generation(text, words, tuple(logprobs), run_ids(experiment, ids, (*prompt.tokens, *words)))
