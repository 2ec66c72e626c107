"""One row of one head, with every vector and every matrix: of self-attention or of cross-attention.

For one query and all keys that it may attend to:

    x → q, k, v → q·k → /√d_k → + bias → mask → exp → weights → Σ weight·v → W_O → + stream
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from model.attention import AttentionTrace, MultiHeadAttention
from model.config import ModelConfig
from model.encoder_decoder import DecoderLayer, EncoderDecoder, EncoderDecoderTrace
from model.norm import Norm, NormTrace
from model.run import Array, Experiment, get_seq2seq, get_transformer
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
    x_query: Array  # (C,)  the input of the attention at the query: of cross-attention a vector of the decoder
    x: Array  # (S, C)  the input of the attention at each key: of cross-attention a vector of the encoder
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


@dataclass(frozen=True)
class _Sublayer:
    """One attention of one layer, with what enters and leaves it."""

    module: MultiHeadAttention
    norm: Norm | None  # before it; None: there is none
    norm_stages: NormTrace[Array]
    stages: AttentionTrace[Array]
    before: Array  # (T, C)  the residual stream
    after: Array  # (T, C)
    source: Array | None = None  # (S, C)  what keys and values are made of; None: what queries are made of


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
    config, module = transformer.config, _layer(experiment.weights, layer)
    active = experiment.switches & config.trained
    stages = trace.layers[layer]
    norm = module.norm1 if config.norm == "pre" and active.norm else None
    after = stages.norm1.input if config.norm == "post" else stages.resid_mid
    sublayer = _Sublayer(module.attention, norm, stages.norm1, stages.attention, stages.resid_pre, after)
    walkthrough = _walk(sublayer, config, active.scale, head, row)
    positions = torch.arange(len(walkthrough.x), device=module.attention.w_o.weight.device)  # (T,)
    bias = transformer.position.bias(layer, positions, positions) if active.position else None  # (H, T, S)
    return replace(
        walkthrough,
        rotated=config.position == "rope" and active.position,
        bias=walkthrough.bias if bias is None else bias[head, row].cpu().numpy(),
    )


def walk_through_cross_row(
    experiment: Experiment, trace: EncoderDecoderTrace[Array], layer: int, head: int, row: int
) -> HeadWalkthrough:
    """The row of the target token at `row` in one head of the cross-attention of one decoder layer.

    The query is made of the decoder's residual stream, keys and values of the output of the encoder. Vaswani et al.
    2017, section 3.2.3. trace: of `experiment`, by `run_pair`.

    Raises:
        IndexError: there is no such layer, head or token.
        ValueError: the weights are no encoder and decoder of Transformer layers.
    """
    network = get_seq2seq(experiment.weights)[0]
    if not isinstance(network, EncoderDecoder):
        raise ValueError(f'"{experiment.weights}" has no cross-attention of Transformer layers.')
    config, module, stages = network.config, network.decoder[layer], trace.decoder.layers[layer]
    assert isinstance(module, DecoderLayer)
    active = experiment.switches & config.trained
    norm = module.norm_cross if config.norm == "pre" and active.norm else None
    after = stages.norm_cross.input if config.norm == "post" else stages.resid_cross
    source = trace.encoder.final_norm.out  # (S, C)
    sublayer = _Sublayer(module.cross, norm, stages.norm_cross, stages.cross, stages.resid_mid, after, source)
    return _walk(sublayer, config, active.scale, head, row)


def _walk(sublayer: _Sublayer, config: ModelConfig, scaled: bool, head: int, row: int) -> HeadWalkthrough:
    inner, attention, norm = sublayer.module, sublayer.stages, sublayer.norm
    keys, values, width = config.key_width, config.value_width, config.d_model

    def projection(linear: nn.Linear, width: int) -> Projection:
        mine = slice(head * width, (head + 1) * width)
        bias = None if linear.bias is None else linear.bias[mine].cpu().numpy()  # (D,)
        return Projection(linear.weight[mine].T.cpu().numpy(), bias)  # (C, D)

    w_o = inner.w_o.weight.T.unflatten(0, (config.n_heads, values)).cpu().numpy()  # (H, D', C)
    x = sublayer.before if norm is None else sublayer.norm_stages.out  # (T, C)
    return HeadWalkthrough(
        row=row,
        resid=sublayer.before[row],
        mean=0.0 if norm is None else float(sublayer.norm_stages.mean[row, 0]),
        std=1.0 if norm is None else float(sublayer.norm_stages.std[row, 0]),
        gamma=np.ones(width, np.float32) if norm is None else norm.weight.cpu().numpy(),
        beta=getattr(norm, "bias", torch.zeros(width)).cpu().numpy(),
        x_query=x[row],
        x=x if sublayer.source is None else sublayer.source,
        w_q=projection(inner.w_q, keys),
        w_k=projection(inner.w_k, keys),
        w_v=projection(inner.w_v, values),
        rotated=False,
        q=attention.q[head, row],
        k=attention.k[head],
        v=attention.v[head],
        scores=attention.scores[head, row],
        divisor=float(keys) ** 0.5 if scaled else 1.0,
        scaled=attention.scaled[head, row],
        bias=np.zeros(attention.mask.shape[-1], np.float32),
        biased=attention.biased[head, row],
        mask=attention.mask[head, row],
        masked=attention.masked[head, row],
        weights=attention.weights[head, row],
        z=attention.z[head, row],
        w_o=w_o[head],
        head_outputs=np.einsum("hd,hdc->hc", attention.z[:, row], w_o),
        b_o=np.zeros(width, np.float32) if inner.w_o.bias is None else inner.w_o.bias.cpu().numpy(),
        resid_after=sublayer.after[row],
    )
