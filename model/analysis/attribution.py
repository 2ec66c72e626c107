"""The dependence of a prediction on each key: by masking each key in turn, and by gradient × weight."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from model.analysis.ablation import MAX_CELLS, MAX_KV_NUMBERS, _repeat_kv
from model.attention import AttentionOverride
from model.compute.cost import operations
from model.compute.progress import steps
from model.generation.kv_cache import is_cacheable
from model.probability import kl
from model.run import Array, Experiment, encode, get_transformer
from model.transformer import Trace


def key_ablation_effect(experiment: Experiment, layer: int, head: int, row: int) -> Array:
    """The change of the prediction at `row` if one head may not attend to a key in that row, for each key.

    The other weights of the row are scaled to sum to 1. Returns KL(intact ‖ blocked) in nats, (S,); 0 for a key without
    weight. As many keys are run in one batch as memory allows. Under a causal mask only the token at `row` is computed
    again, with the keys and values of the tokens before it.
    """
    transformer, _ = get_transformer(experiment.weights)
    ids = torch.tensor([encode(experiment).ids], device=next(transformer.parameters()).device)  # (1, T)
    with torch.inference_mode():
        trace = transformer(ids, switches=experiment.switches)
        weights = trace.layers[layer].attention.weights[0, head, row]  # (S,)
        rows = weights.repeat(len(weights), 1).fill_diagonal_(0.0)  # (S, S) row s without key s
        rows = rows / rows.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(rows.dtype).tiny)
        if is_cacheable(transformer, experiment.switches):
            cache = _before(trace, row)
            new_ids, query_index = ids[:, row : row + 1], 0  # (1, 1)
            rows = rows[: row + 1, : row + 1]  # the later keys have no weight
            batch_size = MAX_KV_NUMBERS // (2 * len(rows) * transformer.config.d_model * transformer.config.n_layers)
        else:
            cache, new_ids, query_index = None, ids, row
            batch_size = MAX_CELLS // (len(weights) ** 2 * transformer.config.n_heads * transformer.config.n_layers)
        ablated = np.concatenate(
            [
                transformer(
                    new_ids.repeat(len(part), 1),
                    switches=experiment.switches,
                    override=AttentionOverride(layer, head, query_index, part),
                    kv_cache=None if cache is None else _repeat_kv(cache, len(part)),
                )
                .logits[:, query_index]
                .cpu()
                .numpy()
                for part in steps(rows.split(max(1, batch_size)))
            ]
        )  # (S, V), or as many of the S as stand up to `row`
    effect = np.zeros(len(weights))
    effect[: len(ablated)] = kl(trace.logits[0, row].cpu().numpy()[None], ablated)
    return np.where(weights.cpu().numpy() > 0, effect, 0.0)


def cost_of_key_ablation(experiment: Experiment) -> int:
    """The operations of `key_ablation_effect`, as model/compute/cost.py counts them."""
    transformer, _ = get_transformer(experiment.weights)
    T = len(encode(experiment).ids)
    new = 1 if is_cacheable(transformer, experiment.switches) else T
    whole = operations(transformer.config, T)
    return whole + operations(transformer.config, new, keys=T, texts=T)


def _before(trace: Trace[Tensor], row: int) -> Trace[Tensor] | None:
    """The trace of the tokens before `row`, with their keys and values."""
    if row == 0:
        return None
    layers = tuple(
        replace(
            layer, attention=replace(layer.attention, k=layer.attention.k[:, :, :row], v=layer.attention.v[:, :, :row])
        )
        for layer in trace.layers
    )
    return replace(trace, layers=layers)


def gradient_times_weight(experiment: Experiment, layer: int, head: int, row: int) -> Array:
    """Gradient × weight of each key: weight × ∂ ln p(most likely next token after `row`) / ∂ weight, (S,).

    This is gradient × input (Shrikumar et al. 2016, "Not Just a Black Box") with the row of weights as the input. It is
    an estimate from an infinitesimal change; `key_ablation_effect` measures the effect of removing the key.
    """
    transformer, _ = get_transformer(experiment.weights)
    ids = torch.tensor([encode(experiment).ids], device=next(transformer.parameters()).device)  # (1, T)
    with torch.no_grad():
        trained_weights = (
            transformer(ids, switches=experiment.switches).layers[layer].attention.weights[0, head, row]
        )  # (S,)
    weights = trained_weights.clone().requires_grad_()
    logits = transformer(
        ids, switches=experiment.switches, override=AttentionOverride(layer, head, row, weights)
    ).logits
    (slope,) = torch.autograd.grad(logits[0, row].log_softmax(-1).max(), weights)  # (S,)
    return (slope * trained_weights).cpu().numpy()


def rank_correlation(a: Array, b: Array) -> float:
    """Spearman's rank correlation of two rows of numbers (N,): 1 if both have the same order."""
    ranks = [np.argsort(np.argsort(values)).astype(float) for values in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
