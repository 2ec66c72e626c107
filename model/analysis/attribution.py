"""Which keys a prediction depends on: by masking each in turn, and by gradient × weight."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from model.analysis.ablation import MOST_CELLS, MOST_NUMBERS, _repeated
from model.attention_override import Overwrite
from model.compute.cost import operations
from model.compute.progress import steps
from model.generation.kv_cache import looks_back
from model.probability import kl
from model.run import Array, Experiment, encode, model
from model.transformer import Trace


def blocked(experiment: Experiment, layer: int, head: int, row: int) -> Array:
    """How far the next word after `row` moves when that row of one head may not look at a key, key by key.

    The rest of the row is scaled up to sum to 1 again. Returns KL(intact ‖ blocked) in nats, (S,); 0 for a key that
    had no weight. Keys run together, as many as memory allows. Where every word looks back only, nothing but the word
    at `row` changes: it is read again alone, on the keys and values of the words before it.
    """
    transformer, _ = model(experiment.weights)
    ids = torch.tensor([encode(experiment).ids], device=next(transformer.parameters()).device)  # (1, T)
    with torch.inference_mode():
        trace = transformer(ids, switches=experiment.switches)
        weights = trace.layers[layer].attention.weights[0, head, row]  # (S,)
        rows = weights.repeat(len(weights), 1).fill_diagonal_(0.0)  # (S, S) row s without key s
        rows = rows / rows.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(rows.dtype).tiny)
        if looks_back(transformer, experiment.switches):
            kept = _before(trace, row)
            read, at = ids[:, row : row + 1], 0  # (1, 1)
            rows = rows[: row + 1, : row + 1]  # the later keys have no weight
            at_once = MOST_NUMBERS // (2 * len(rows) * transformer.config.d_model * transformer.config.n_layers)
        else:
            kept, read, at = None, ids, row
            at_once = MOST_CELLS // (len(weights) ** 2 * transformer.config.n_heads * transformer.config.n_layers)
        after = np.concatenate(
            [
                transformer(
                    read.repeat(len(part), 1),
                    switches=experiment.switches,
                    overwrite=Overwrite(layer, head, at, part),
                    past=None if kept is None else _repeated(kept, len(part)),
                )
                .logits[:, at]
                .cpu()
                .numpy()
                for part in steps(rows.split(max(1, at_once)))
            ]
        )  # (S, V), or as many of the S as stand up to `row`
    worth = np.zeros(len(weights))
    worth[: len(after)] = kl(trace.logits[0, row].cpu().numpy()[None], after)
    return np.where(weights.cpu().numpy() > 0, worth, 0.0)


def cost_of_blocking(experiment: Experiment) -> int:
    """Operations of `blocked`, as model/compute/cost.py counts them."""
    transformer, _ = model(experiment.weights)
    T = len(encode(experiment).ids)
    new = 1 if looks_back(transformer, experiment.switches) else T
    whole = operations(transformer.config, T)
    return whole + operations(transformer.config, new, keys=T, texts=T)


def _before(trace: Trace[Tensor], row: int) -> Trace[Tensor] | None:
    """The record of the words before `row`: of their attention, keys and values."""
    if row == 0:
        return None
    layers = tuple(
        replace(one, attention=replace(one.attention, k=one.attention.k[:, :, :row], v=one.attention.v[:, :, :row]))
        for one in trace.layers
    )
    return replace(trace, layers=layers)


def attributed(experiment: Experiment, layer: int, head: int, row: int) -> Array:
    """What a gradient says each look is worth: weight × ∂ ln p(likeliest next word after `row`) / ∂ weight, (S,).

    Gradient × input (Shrikumar et al. 2016, "Not Just a Black Box"), with the row of weights as the input. A guess from
    an infinitesimal nudge, to be held against `blocked`, which really takes the look away.
    """
    transformer, _ = model(experiment.weights)
    ids = torch.tensor([encode(experiment).ids], device=next(transformer.parameters()).device)  # (1, T)
    with torch.no_grad():
        made = transformer(ids, switches=experiment.switches).layers[layer].attention.weights[0, head, row]  # (S,)
    weights = made.clone().requires_grad_()
    logits = transformer(ids, switches=experiment.switches, overwrite=Overwrite(layer, head, row, weights)).logits
    (slope,) = torch.autograd.grad(logits[0, row].log_softmax(-1).max(), weights)  # (S,)
    return (slope * made).cpu().numpy()


def rank_agreement(a: Array, b: Array) -> float:
    """Spearman's rank correlation of two rows of numbers (N,): 1 when they put everything in the same order."""
    ranks = [np.argsort(np.argsort(values)).astype(float) for values in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
