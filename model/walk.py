"""One row of one head, from the stream to the stream: every vector it makes and every matrix it makes them with.

For a word that looks (a query) and all words it may look at (keys):

    x → q, k, v → q·k → /√d_k → + bias → mask → exp → weights → Σ weight·v → W_O → + stream
"""

from dataclasses import dataclass

from torch import nn

from model.attention import MultiHeadAttention
from model.run import Array, Experiment, model
from model.transformer import Layer, Trace


@dataclass(frozen=True)
class Projection:
    """y = x W + b, for one head."""

    matrix: Array  # (C, D)
    bias: Array | None  # (D,)


@dataclass(frozen=True)
class Walk:
    """What the row of the word at `row` did, in the order it happened. Arrays are float32, as the model made them."""

    row: int
    x: Array  # (S, C)  what the layer's attention reads, word by word: the stream, normed where the norm comes first
    to_q: Projection
    to_k: Projection
    to_v: Projection
    turned: bool  # q and k are turned by their positions after the projection (RoPE)
    q: Array  # (D,)
    k: Array  # (S, D)
    v: Array  # (S, D')
    scores: Array  # (S,)
    divisor: float  # √d_k, or 1 without the scaling
    scaled: Array  # (S,)
    bias: Array  # (S,)  what the position adds; zeros where nothing does
    biased: Array  # (S,)
    mask: Array  # (S,)  True: may look
    weights: Array  # (S,)
    z: Array  # (D',)
    w_o: Array  # (D', C)  this head's rows of W_O
    carried: Array  # (C,)  z W_O, what this head adds to the stream
    others: Array  # (C,)  what the other heads and the bias of W_O add
    stream: Array  # (C,)  the stream before; zeros without the residual connection
    after: Array  # (C,)  their sum; a post-norm model norms it next


def attention_of(weights: str, layer: int) -> MultiHeadAttention:
    """The attention of one layer of a shipped model."""
    found = model(weights)[0].layers[layer]
    assert isinstance(found, Layer)
    return found.attention


def walk(experiment: Experiment, trace: Trace[Array], layer: int, head: int, row: int) -> Walk:
    """The row of the word at `row` in one head of `trace`, which `experiment` made.

    Raises:
        IndexError: there is no such layer, head or word.
    """
    config, inner = model(experiment.weights)[0].config, attention_of(experiment.weights, layer)
    present = experiment.switches & config.trained
    made, attention = trace.layers[layer], trace.layers[layer].attention
    x = made.resid_pre if config.norm == "post" else made.norm1.out  # (S, C)
    keys, values = config.key_width, config.value_width

    def projection(linear: nn.Linear, width: int) -> Projection:
        mine = slice(head * width, (head + 1) * width)
        bias = None if linear.bias is None else linear.bias[mine].cpu().numpy()  # (D,)
        return Projection(linear.weight[mine].T.cpu().numpy(), bias)  # (C, D)

    w_o = inner.w_o.weight[:, head * values : (head + 1) * values].T.cpu().numpy()  # (D', C)
    carried = attention.z[head, row] @ w_o  # (C,)
    stream = made.resid_pre[row] if present.residual else 0 * made.resid_pre[row]  # (C,)
    scaled, biased = attention.scaled[head, row], attention.biased[head, row]  # (S,)
    return Walk(
        row=row,
        x=x,
        to_q=projection(inner.w_q, keys),
        to_k=projection(inner.w_k, keys),
        to_v=projection(inner.w_v, values),
        turned=config.position == "rope" and present.position,
        q=attention.q[head, row],
        k=attention.k[head],
        v=attention.v[head],
        scores=attention.scores[head, row],
        divisor=float(keys) ** 0.5 if present.scale else 1.0,
        scaled=scaled,
        bias=biased - scaled,
        biased=biased,
        mask=attention.mask[head, row],
        weights=attention.weights[head, row],
        z=attention.z[head, row],
        w_o=w_o,
        carried=carried,
        others=attention.out[row] - carried,
        stream=stream,
        after=stream + attention.out[row],
    )
