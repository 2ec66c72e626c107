"""Writing on: the model says a word, reads it, and says the next. Vaswani et al. 2017, section 3: auto-regression."""

from dataclasses import dataclass

import numpy as np
import torch

from model.cache import looks_back
from model.effects import log_probabilities
from model.run import Array, Experiment, encode, model, run_ids
from model.transformer import Trace

METHODS = ("greedy", "sample")


@dataclass(frozen=True)
class Generation:
    """What a model wrote after a text."""

    text: str  # the text it was given and the words it added
    tokens: tuple[str, ...]  # the added words
    logprobs: tuple[float, ...]  # ln p of each added word, given everything before it
    trace: Trace[Array]  # one run over all of it


def generate(experiment: Experiment, tokens: int = 20, method: str = "greedy", seed: int = 0) -> Generation:
    """Add `tokens` words to the experiment's text, one after another.

    method: "greedy" takes the likeliest word each time, "sample" draws from the distribution with this seed. The
    special tokens are never said. Where the mask looks back only, each word is read once and its keys and values are
    kept; otherwise everything is read again for every word.

    Raises:
        ValueError: an unknown method; TextError: a text that cannot be run.
    """
    if method not in METHODS:
        raise ValueError(f'method must be one of {", ".join(METHODS)}, not "{method}"')
    transformer, tokenizer = model(experiment.weights)
    device = next(transformer.parameters()).device
    silent = list(tokenizer.silent)
    given = encode(experiment)
    ids, logprobs = list(given.ids), []
    rng = np.random.default_rng(seed)
    keeps = experiment.looks is None and looks_back(transformer, experiment.switches)
    past: Trace[torch.Tensor] | None = None
    with torch.inference_mode():
        for _ in range(tokens):
            new = torch.tensor([ids if past is None else ids[-1:]], device=device)  # (1, T): all, then one at a time
            looks = None if experiment.looks is None else experiment.looks.over(len(ids)).to(device)  # (T, T)
            trace = transformer(new, switches=experiment.switches, looks=looks, past=past)
            past = trace if keeps else None
            logits = trace.logits[0, -1].float().cpu().numpy()  # (V,)
            logits[silent] = -np.inf
            odds = log_probabilities(logits)
            likely = int(odds.argmax())
            chosen = likely if method == "greedy" else int(rng.choice(len(odds), p=np.exp(odds) / np.exp(odds).sum()))
            ids.append(chosen)
            logprobs.append(float(odds[chosen]))
    added = ids[len(given.ids) :]
    said = tuple(tokenizer.vocabulary[index] for index in added)
    text = tokenizer.write_on(experiment.text, added)
    return Generation(text, said, tuple(logprobs), run_ids(experiment, ids, (*given.tokens, *said)))
