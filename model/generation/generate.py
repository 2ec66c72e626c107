"""Writing on: the model says a word, reads it, and says the next. Vaswani et al. 2017, section 3: auto-regression."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from model.compute.progress import steps
from model.generation.kv_cache import is_cacheable
from model.generation.sampling import sample_token, sampling_probabilities
from model.generation.translate import MAX_TOKENS, translate
from model.probability import log_probabilities
from model.run import Array, Experiment, encode, get_model, is_seq2seq, run_ids
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
    method: str = "greedy",
    seed: int = 0,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    width: int = 4,
    alpha: float = 0.0,
) -> Generation:
    """Add `tokens` words, 20 where nobody says how many, to the experiment's text, one after another.

    Weights that read one sentence and write another give the Translation of translate.py, to its end; only they
    know the method "beam", with its `width` and `alpha`.

    method: "greedy" takes the likeliest word each time, "sample" draws with this seed from what temperature, top_k and
    top_p leave: see sampling.py. The special tokens are never said. A word at a time gives what all at once
    gives, as long as what is written falls into the tokens it was written in. Where the mask looks back only, each word
    is read once and its keys and values are kept; otherwise everything is read again for every word.

    Raises:
        ValueError: an unknown method, or a temperature, top_k or top_p that has no meaning.
        InputTextError: a text that cannot be run.
    """
    if is_seq2seq(experiment.weights):
        other: Any = translate(experiment, tokens or MAX_TOKENS, method, seed, temperature, top_k, top_p, width, alpha)
        return other
    tokens = 20 if tokens is None else tokens
    if method not in METHODS:
        raise ValueError(f'method must be one of {", ".join(METHODS)}, not "{method}"')
    transformer, tokenizer = get_model(experiment.weights)
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
            greedy = method == "greedy"
            chosen = (
                int(odds.argmax())
                if greedy
                else sample_token(sampling_probabilities(logits, temperature, top_k, top_p), seed, len(ids))
            )
            ids.append(chosen)
            logprobs.append(float(odds[chosen]))
    added = ids[len(prompt.ids) :]
    words = tuple(tokenizer.vocabulary[index] for index in added)
    text = tokenizer.append_tokens(experiment.text, added)
    return Generation(text, words, tuple(logprobs), run_ids(experiment, ids, (*prompt.tokens, *words)))
