"""What flows where in one forward pass: how long the vectors are, and how much of each comes from which token."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.run import Array, Experiment, get_transformer
from model.transformer import Layer, Trace


@dataclass(frozen=True)
class DataFlow:
    """How long the vectors of each token are, and where they come from. Lengths are Euclidean norms."""

    stream: Array  # (2L + 1, T, C)  the residual stream: after the embedding, then after each attention and MLP
    lengths: Array  # (2L + 1, T)  of the stream
    added: Array  # (2L, T)  length of what each attention and each MLP gives, in turn
    contributions: Array  # (L, T, S)  length of what token t gets from token s through all heads of a layer
    shares: Array  # (L, T, S)  how much of the vector after attention comes from each token; rows sum to 1


def data_flow(experiment: Experiment, trace: Trace[Array]) -> DataFlow:
    """The lengths and shares of one forward pass.

    A contribution is the sum over heads of weight · W_O v, and its length is what counts: a large weight on a short
    vector moves little (Kobayashi et al. 2020, "Attention is Not Only a Weight"). With a residual connection token t
    also keeps its own vector. That and what t attends to itself are one vector, and its length counts on the diagonal,
    after Kobayashi et al. 2021, "Incorporating Residual and Normalization Layers"; the norms themselves are left out
    here, and so are all biases.
    """
    transformer, _ = get_transformer(experiment.weights)
    active = experiment.switches & transformer.config.trained
    stream = [trace.embed]
    added, contributions, shares = [], [], []
    for index, layer in enumerate(trace.layers):
        attention = layer.attention
        module = transformer.layers[index]
        assert isinstance(module, Layer)
        w_o = module.attention.w_o.weight.float().cpu().numpy()  # (C, H·D)
        heads = [head for head in range(len(attention.v)) if (index, head) not in active.heads_off]
        received = contribution_lengths(attention.weights[heads], attention.v[heads], w_o, heads)  # (T, S)
        from_each = received.copy()
        if active.residual:
            own = layer.resid_pre + own_contribution(attention.weights[heads], attention.v[heads], w_o, heads)  # (T, C)
            np.fill_diagonal(from_each, np.linalg.norm(own, axis=-1))
        total = from_each.sum(axis=-1, keepdims=True)  # (T, 1)
        contributions.append(received)
        shares.append(np.divide(from_each, total, out=np.eye(len(received)), where=total > 0))
        added += [np.linalg.norm(attention.out, axis=-1), np.linalg.norm(layer.mlp_out, axis=-1)]
        stream += [layer.resid_mid, layer.resid_post]
    vectors = np.stack(stream)  # (2L + 1, T, C)
    return DataFlow(
        vectors, np.linalg.norm(vectors, axis=-1), np.stack(added), np.stack(contributions), np.stack(shares)
    )


def contribution_lengths(weights: Array, v: Array, w_o: Array, heads: Sequence[int]) -> Array:
    """‖Σ_h weights[h, t, s] · W_O[h] v[h, s]‖ for each pair of tokens, (T, S).

    weights (H', T, S) and v (H', S, D) of the heads that are numbered by `heads`; w_o (C, H·D). The squared length is a
    sum over pairs of heads, so the vectors themselves, (T, S, C), are never made.
    """
    if not heads:
        return np.zeros(weights.shape[1:])
    projected = _projected(v, w_o, heads)  # (H', S, C)
    products = np.einsum("gsc,hsc->sgh", projected, projected)  # (S, H', H')
    squared = np.einsum("gts,hts,sgh->ts", weights, weights, products, optimize=True)
    return np.sqrt(np.maximum(squared, 0.0))  # rounding can leave a little less than 0


def own_contribution(weights: Array, v: Array, w_o: Array, heads: Sequence[int]) -> Array:
    """Σ_h weights[h, t, t] · W_O[h] v[h, t], what each token gets from itself, (T, C); arguments as above."""
    if not heads:
        return np.zeros((weights.shape[1], len(w_o)))
    own = np.diagonal(weights, axis1=1, axis2=2)  # (H', T)
    contribution: Array = np.einsum("ht,htc->tc", own, _projected(v, w_o, heads))
    return contribution


def _projected(v: Array, w_o: Array, heads: Sequence[int]) -> Array:
    """Values (H', S, D) through the columns of W_O that belong to their heads: (H', S, C)."""
    width = v.shape[-1]
    return np.stack([v[index] @ w_o[:, head * width : (head + 1) * width].T for index, head in enumerate(heads)])


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


def sources(shares: Array) -> Array:
    """Which part of each token's last vector began at which token: the product of all layers, (T, S). Rows sum to 1."""
    total = np.eye(shares.shape[-1])
    for layer in shares:
        total = layer @ total
    return total


def most_mixed_row(shares: Array) -> int:
    """The token with the largest part from tokens other than itself and the first."""
    began = sources(shares)
    own = np.diagonal(began)
    first = np.where(np.arange(len(began)) > 0, began[:, 0], 0.0)
    return int(np.argmax(1.0 - own - first))


def most_important_tokens(shares: Array, row: int, most: int) -> tuple[int, ...]:
    """The row and the tokens that it holds the largest part of, at most `most` in all, in the order of the text."""
    order = np.argsort(-sources(shares)[row], kind="stable")
    chosen = [row, *(int(token) for token in order if token != row)][:most]
    return tuple(sorted(chosen))
