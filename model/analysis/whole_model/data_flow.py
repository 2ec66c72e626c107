"""What flows where in one forward pass: how long the vectors are, and how much of each comes from which token."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

import numpy as np
from torch import nn

from model.attention import AttentionTrace, MultiHeadAttention
from model.run import Array, Experiment, get_transformer
from model.switches import Switches
from model.transformer import Block, LayerTrace, Trace


@dataclass(frozen=True)
class DataFlow:
    """How long the vectors of each token are, and where they come from. Lengths are Euclidean norms."""

    stream: Array  # (2L + 1, T, C)  the residual stream: after the embedding, then after each attention and MLP
    lengths: Array  # (2L + 1, T)  of the stream
    added: Array  # (2L, T)  length of what each attention and each MLP gives, in turn
    shares: Array  # (L, T, S)  which part of the vector after attention comes from each token; rows sum to 1, or are
    # not a number where the vectors are not
    sources: Array  # (T, S)  which part of each token's last vector began at which token: the product of all layers


def data_flow(experiment: Experiment, trace: Trace[Array]) -> DataFlow:
    """The lengths and shares of one forward pass.

    A contribution is the sum over heads of weight · W_O v, and its length is what counts: a large weight on a short
    vector moves little (Kobayashi et al. 2020, "Attention is Not Only a Weight"). With a residual connection token t
    also keeps its own vector. That and what t attends to itself are one vector, and its length counts on the diagonal,
    after Kobayashi et al. 2021, "Incorporating Residual and Normalization Layers"; the norms themselves are left out
    here, and so are all biases.
    """
    transformer, _ = get_transformer(experiment.weights)
    return stack_flow(trace.embed, trace.layers, transformer.layers, experiment.switches & transformer.config.trained)


def stack_flow(
    embed: Array, layers: Sequence[LayerTrace[Array]], modules: Iterable[nn.Module], active: Switches
) -> DataFlow:
    """The same of one stack of layers with self-attention. active: the parts that this pass used."""
    stream = [embed]
    added, shares = [], []
    for index, (layer, module) in enumerate(zip(layers, modules, strict=True)):
        assert isinstance(module, Block)
        heads = heads_left(active.heads_off, index, layer.attention)
        shares.append(self_shares(layer, module.attention, heads, active.residual))
        added += [np.linalg.norm(layer.attention.out, axis=-1), np.linalg.norm(layer.mlp_out, axis=-1)]
        stream += [layer.resid_mid, layer.resid_post]
    vectors = np.stack(stream)  # (2L + 1, T, C)
    lengths = np.linalg.norm(vectors, axis=-1)  # (2L + 1, T)
    return DataFlow(vectors, lengths, np.stack(added), np.stack(shares), product(shares))


def heads_left(heads_off: Set[tuple[int, int]], layer: int, attention: AttentionTrace[Array]) -> list[int]:
    """The heads of this layer that are not removed."""
    return [head for head in range(len(attention.v)) if (layer, head) not in heads_off]


def self_shares(layer: LayerTrace[Array], module: MultiHeadAttention, heads: Sequence[int], residual: bool) -> Array:
    """Which part of each token's vector after self-attention comes from which token, (T, T)."""
    weights = layer.attention.weights[heads]  # (H', T, T)
    written = written_values(layer.attention.v[heads], output_weights(module), heads)  # (H', T, C)
    from_each = contribution_lengths(weights, written)  # (T, T)
    if residual:
        own = np.einsum("htt,htc->tc", weights, written)  # (T, C)  what each token gets from itself
        np.fill_diagonal(from_each, np.linalg.norm(layer.resid_pre + own, axis=-1))
    total = from_each.sum(axis=-1, keepdims=True)  # (T, 1); 0 where nothing arrives: the token keeps its place
    shares: Array = np.divide(from_each, total, out=np.eye(len(total)), where=total != 0)
    return shares


def output_weights(module: MultiHeadAttention) -> Array:
    """W_O of an attention, (C, H·D)."""
    weight: Array = module.w_o.weight.float().cpu().numpy()
    return weight


def written_values(v: Array, w_o: Array, heads: Sequence[int]) -> Array:
    """W_O v of each head by itself, (H', S, C): values (H', S, D) through the columns of w_o (C, H·D) of their heads.

    heads: the numbers of the H' heads.
    """
    width = v.shape[-1]
    columns = [w_o[:, head * width : (head + 1) * width] for head in heads]  # H' times (C, D)
    written: Array = np.einsum("hsd,hcd->hsc", v, np.reshape(columns, (len(columns), len(w_o), width)))
    return written


def contribution_lengths(weights: Array, written: Array) -> Array:
    """‖Σ_h weights[h, t, s] · written[h, s]‖ for each pair of tokens, (T, S).

    weights (H', T, S), written (H', S, C). The squared length is a sum over pairs of heads, so the vectors themselves,
    (T, S, C), are never made.
    """
    products = np.einsum("gsc,hsc->sgh", written, written)  # (S, H', H')
    squared = np.einsum("gts,hts,sgh->ts", weights, weights, products, optimize=True)
    return np.sqrt(np.maximum(squared, 0.0))  # rounding can leave a little less than 0


def flow_to(shares: Array, rows: Sequence[int]) -> tuple[Array, Array]:
    """From which token, layer by layer, each of these rows got what it holds after the last layer.

    shares (L, T, S) of a DataFlow. Returns reach (R, L + 1, T) and edges (R, L, R, R): reach[r, l, s] is the part of
    row r that stood at token s before layer l, and sums to 1 over s; edges[r, l, t, s] is the part that moved from
    rows[s] to rows[t] in layer l. Abnar and Zuidema 2020, "attention rollout", with the shares in place of the weights.
    """
    n_layers, n_tokens, _ = shares.shape
    chosen = list(rows)
    reach = np.zeros((len(chosen), n_layers + 1, n_tokens))
    edges = np.zeros((len(chosen), n_layers, len(chosen), len(chosen)))
    reach[np.arange(len(chosen)), n_layers, chosen] = 1.0
    for layer in reversed(range(n_layers)):
        edges[:, layer] = reach[:, layer + 1, chosen, None] * shares[layer][np.ix_(chosen, chosen)]  # (R, R, R)
        reach[:, layer] = reach[:, layer + 1] @ shares[layer]  # (R, T)
    return reach, edges


def product(shares: Sequence[Array]) -> Array:
    """The shares (T, S) of all layers multiplied, the last layer first: (T, S). Rows sum to 1."""
    total = np.eye(len(shares[0]))
    for layer in shares:
        total = layer @ total
    return total


def most_mixed_row(sources: Array) -> int:
    """The token with the largest part from tokens other than itself and the first. sources (T, S) of a DataFlow."""
    own = np.diagonal(sources)
    first = np.where(np.arange(len(sources)) > 0, sources[:, 0], 0.0)
    return int(np.argmax(1.0 - own - first))


def most_important_tokens(sources: Array, row: int, most: int) -> tuple[int, ...]:
    """The row and the tokens that it holds the largest part of, at most `most` in all, in the order of the text."""
    order = np.argsort(-sources[row], kind="stable")
    chosen = [row, *(int(token) for token in order if token != row)][:most]
    return tuple(sorted(chosen))
