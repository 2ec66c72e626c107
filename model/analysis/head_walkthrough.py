"""One row of one head, from residual stream to residual stream, with every vector and every matrix of the computation.

For one query and all keys that it may attend to:

    x → q, k, v → q·k → /√d_k → + bias → mask → exp → weights → Σ weight·v → W_O → + stream
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from model.attention import MultiHeadAttention
from model.run import Array, Experiment, get_transformer
from model.transformer import Layer, Trace


@dataclass(frozen=True)
class Projection:
    """y = x W + b, for one head."""

    matrix: Array  # (C, D)
    bias: Array | None  # (D,)


@dataclass(frozen=True)
class HeadWalkthrough:
    """Every stage of one row, in the order of computation, as float32 numbers of the model.

    Two stages are computed here, because the trace does not contain them: the output of each single head, and the
    position bias.
    """

    row: int
    resid: Array  # (C,)  the residual stream of the token before the layer
    mean: float  # of that vector; 0 if there is no pre-norm
    std: float  # the divisor of the norm; 1 if there is no pre-norm
    gamma: Array  # (C,)  γ of the norm
    beta: Array  # (C,)  β of the norm
    x: Array  # (S, C)  the input of the attention at each key
    w_q: Projection
    w_k: Projection
    w_v: Projection
    rotated: bool  # q and k are rotated by their positions after the projection (RoPE)
    q: Array  # (D,)
    k: Array  # (S, D)
    v: Array  # (S, D')
    scores: Array  # (S,)
    divisor: float  # √d_k, or 1 without the scaling
    scaled: Array  # (S,)
    bias: Array  # (S,)  the position bias; zeros if the scheme adds none
    biased: Array  # (S,)
    mask: Array  # (S,)  True: may attend
    masked: Array  # (S,)  −∞ where attention is not allowed
    weights: Array  # (S,)
    z: Array  # (D',)
    w_o: Array  # (D', C)  this head's rows of W_O
    head_outputs: Array  # (H, C)  z W_O of every head: what it adds to the residual stream
    b_o: Array  # (C,)  the bias of W_O
    resid_after: Array  # (C,)  the residual stream after attention; before the norm of a post-norm model


def get_attention(weights: str, layer: int) -> MultiHeadAttention:
    """The attention of one layer of a model."""
    return _layer(weights, layer).attention


def _layer(weights: str, layer: int) -> Layer:
    module = get_transformer(weights)[0].layers[layer]
    assert isinstance(module, Layer)
    return module


def walk_through_row(experiment: Experiment, trace: Trace[Array], layer: int, head: int, row: int) -> HeadWalkthrough:
    """The row of the token at `row` in one head of `trace`, the trace of `experiment`.

    Raises:
        IndexError: there is no such layer, head or token.
    """
    transformer = get_transformer(experiment.weights)[0]
    config, inner = transformer.config, get_attention(experiment.weights, layer)
    active = experiment.switches & config.trained
    layer_trace, attention = trace.layers[layer], trace.layers[layer].attention
    keys, values, width = config.key_width, config.value_width, config.d_model
    normed = config.norm == "pre" and active.norm
    norm = _layer(experiment.weights, layer).norm1 if normed else None

    def projection(linear: nn.Linear, width: int) -> Projection:
        mine = slice(head * width, (head + 1) * width)
        bias = None if linear.bias is None else linear.bias[mine].cpu().numpy()  # (D,)
        return Projection(linear.weight[mine].T.cpu().numpy(), bias)  # (C, D)

    w_o = inner.w_o.weight.T.unflatten(0, (config.n_heads, values)).cpu().numpy()  # (H, D', C)
    positions = torch.arange(attention.mask.shape[1], device=inner.w_o.weight.device)  # (T,)
    bias = transformer.position.bias(layer, positions, positions) if active.position else None  # (H, T, S)
    return HeadWalkthrough(
        row=row,
        resid=layer_trace.resid_pre[row],
        mean=float(layer_trace.norm1.mean[row, 0]) if normed else 0.0,
        std=float(layer_trace.norm1.std[row, 0]) if normed else 1.0,
        gamma=np.ones(width, np.float32) if norm is None else norm.weight.cpu().numpy(),
        beta=getattr(norm, "bias", torch.zeros(width)).cpu().numpy(),
        x=layer_trace.norm1.out if normed else layer_trace.resid_pre,
        w_q=projection(inner.w_q, keys),
        w_k=projection(inner.w_k, keys),
        w_v=projection(inner.w_v, values),
        rotated=config.position == "rope" and active.position,
        q=attention.q[head, row],
        k=attention.k[head],
        v=attention.v[head],
        scores=attention.scores[head, row],
        divisor=float(keys) ** 0.5 if active.scale else 1.0,
        scaled=attention.scaled[head, row],
        bias=np.zeros(len(positions), np.float32) if bias is None else bias[head, row].cpu().numpy(),
        biased=attention.biased[head, row],
        mask=attention.mask[head, row],
        masked=attention.masked[head, row],
        weights=attention.weights[head, row],
        z=attention.z[head, row],
        w_o=w_o[head],
        head_outputs=np.einsum("hd,hdc->hc", attention.z[:, row], w_o),
        b_o=np.zeros(width, np.float32) if inner.w_o.bias is None else inner.w_o.bias.cpu().numpy(),
        resid_after=(layer_trace.norm1.input if config.norm == "post" else layer_trace.resid_mid)[row],
    )
