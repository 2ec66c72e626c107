"""Autoregressive generation: each predicted token is part of the next input. Vaswani et al. 2017, section 3."""

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
    """What a model generated after a text."""

    text: str  # the given text and the added tokens
    tokens: tuple[str, ...]  # the added tokens
    logprobs: tuple[float, ...]  # ln p of each added token, given everything before it
    trace: Trace[Array]  # one pass over the whole text


def generate(
    experiment: Experiment,
    tokens: int | None = None,
    decoding: Decoding | str | None = None,
    seed: int | None = None,
    **options: Unpack[DecodingOptions],
) -> Generation | Translation:
    """Generate text: `continue_text` for a model of one text, `translate` for a sequence-to-sequence model.

    tokens: how many; None: 20 for a model of one text, and a complete target otherwise.
    decoding: a `Decoding` or the name of a method, greedy by default. seed, options: single fields of it,
    such as method="sample", temperature=0.8, seed=3.

    Raises:
        ValueError: the method is unknown, or one of its settings is invalid.
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
    """Add `tokens` tokens to the text of the experiment, one after another.

    "greedy" takes the most likely token at each step; "sample" draws one with the seed, after temperature, top_k and
    top_p, see sampling.py. Special tokens are never generated. Repeated calls for one token give the same text as one
    call, as long as the tokenizer splits the generated text into the generated tokens. Under a causal mask the KV cache
    is used; otherwise everything is computed again for every token.

    Raises:
        ValueError: the method is unknown, one of its settings is invalid, or the model is a sequence-to-sequence model.
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
