"""What flows where in an encoder–decoder: between the words of each sentence, and from the source to the target.

S counts the tokens of the source and T those of the target. The shares are those of data_flow.py. Cross-attention adds
vectors of source tokens to the vector of a target token, which it keeps with a residual connection: S + 1 lengths,
divided by their sum. The vectors of the source are those after the last encoder layer; its last norm is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.analysis.whole_model.data_flow import (
    DataFlow,
    contribution_lengths,
    heads_left,
    output_weights,
    self_shares,
    stack_flow,
    written_values,
)
from model.attention import MultiHeadAttention
from model.encoder_decoder import DecoderLayer, DecoderLayerTrace, EncoderDecoder, EncoderDecoderTrace
from model.run import Array, Experiment, get_seq2seq


@dataclass(frozen=True)
class PairFlow:
    """How long the vectors of both sentences are, and where those of the target come from. Lengths are Euclidean."""

    encoder: DataFlow  # of the S tokens of the source
    stream: (
        Array  # (3L + 1, T, C)  of the decoder: after the embedding, then after each self-attention, cross-attention
    )
    # and MLP
    lengths: Array  # (3L + 1, T)  of the stream
    added: Array  # (3L, T)  length of what each of these parts gives, in turn
    self_shares: Array  # (L, T, T)  which part of the vector after self-attention comes from each target token
    cross_shares: Array  # (L, T, S)  which part of the vector after cross-attention comes from each source token
    kept: Array  # (L, T)  the part that the target token keeps there; with cross_shares it sums to 1
    from_target: Array  # (T, T)  which part of each last vector began at which target token
    from_source: Array  # (T, S)  which part began at which source token; with from_target it sums to 1


@dataclass(frozen=True)
class PairPaths:
    """From which tokens, layer by layer, each of R target tokens got what it holds after the last layer."""

    reach: Array  # (R, 2L + 1, T)  the part at each target token before each attention of the decoder, and at the end
    self_edges: Array  # (R, L, R, R)  the part that moved to and from each drawn target token in self-attention
    cross_edges: Array  # (R, L, R, N)  the part that moved to each drawn target token from N drawn source tokens
    source_reach: Array  # (R, L + 1, S)  the part at each source token before each encoder layer, and after the last
    source_edges: Array  # (R, L, N, N)  the part that moved between the drawn source tokens


def pair_flow(experiment: Experiment, trace: EncoderDecoderTrace[Array]) -> PairFlow:
    """The lengths and shares of one pass over a source and a target.

    Raises:
        ValueError: the weights are no encoder–decoder of Transformer layers.
    """
    network, _ = get_seq2seq(experiment.weights)
    if not isinstance(network, EncoderDecoder):
        raise ValueError(f'"{experiment.weights}" is a recurrent network: it has no residual stream.')
    active = experiment.switches & network.config.trained
    encoder = stack_flow(
        trace.encoder.embed, trace.encoder.layers, network.encoder, replace(active, heads_off=active.encoder_off)
    )
    stream, added = [trace.decoder.embed], []
    between, across, kept = [], [], []
    for index, layer in enumerate(trace.decoder.layers):
        module = network.decoder[index]
        assert isinstance(module, DecoderLayer)
        heads = heads_left(active.heads_off, index, layer.attention)
        between.append(self_shares(layer, module.attention, heads, active.residual))
        heads = heads_left(active.cross_off, index, layer.cross)
        from_source, own = cross_shares(layer, module.cross, heads, active.residual)
        across.append(from_source)
        kept.append(own)
        added += [np.linalg.norm(out, axis=-1) for out in (layer.attention.out, layer.cross.out, layer.mlp_out)]
        stream += [layer.resid_mid, layer.resid_cross, layer.resid_post]
    vectors = np.stack(stream)  # (3L + 1, T, C)
    whole = PairFlow(
        encoder,
        vectors,
        np.linalg.norm(vectors, axis=-1),
        np.stack(added),
        np.stack(between),
        np.stack(across),
        np.stack(kept),
        from_target=np.zeros(0),
        from_source=np.zeros(0),
    )
    paths = pair_paths(whole, range(vectors.shape[1]), ())
    return replace(whole, from_target=paths.reach[:, 0], from_source=paths.source_reach[:, 0])


def cross_shares(
    layer: DecoderLayerTrace[Array], module: MultiHeadAttention, heads: Sequence[int], residual: bool
) -> tuple[Array, Array]:
    """Which part of each target token's vector after cross-attention comes from each source token, and which it kept.

    Returns (T, S) and (T,), which sum to 1. Where nothing arrives, the token keeps its place.
    """
    written = written_values(layer.cross.v[heads], output_weights(module), heads)  # (H', S, C)
    from_each = contribution_lengths(layer.cross.weights[heads], written)  # (T, S)
    own = np.linalg.norm(layer.resid_mid, axis=-1) * float(residual)  # (T,)
    total = own + from_each.sum(axis=-1)  # (T,)
    arrives = total != 0
    shares: Array = np.divide(from_each, total[:, None], out=np.zeros_like(from_each), where=arrives[:, None])
    kept: Array = np.divide(own, total, out=np.ones_like(own), where=arrives)
    return shares, kept


def pair_paths(flow: PairFlow, rows: Sequence[int], source_rows: Sequence[int]) -> PairPaths:
    """The way back from each of these target tokens through the decoder, the cross-attention and the encoder.

    rows, source_rows: the R target tokens and the N source tokens that are drawn. Abnar and Zuidema 2020, "attention
    rollout", with shares in place of the weights.
    """
    n_layers, n_target, n_source = flow.cross_shares.shape
    chosen, sources = list(rows), list(source_rows)
    R, N = len(chosen), len(sources)
    reach = np.zeros((R, 2 * n_layers + 1, n_target))
    reach[np.arange(R), -1, chosen] = 1.0
    self_edges, cross_edges = np.zeros((R, n_layers, R, R)), np.zeros((R, n_layers, R, N))
    arrived = np.zeros((R, n_source))  # at the last encoder layer, from the cross-attention of all layers
    for layer in reversed(range(n_layers)):
        after = reach[:, 2 * layer + 2]  # (R, T)
        cross_edges[:, layer] = after[:, chosen, None] * flow.cross_shares[layer][np.ix_(chosen, sources)]
        arrived += after @ flow.cross_shares[layer]
        reach[:, 2 * layer + 1] = after * flow.kept[layer]
        self_edges[:, layer] = (
            reach[:, 2 * layer + 1][:, chosen, None] * flow.self_shares[layer][np.ix_(chosen, chosen)]
        )
        reach[:, 2 * layer] = reach[:, 2 * layer + 1] @ flow.self_shares[layer]
    shares = flow.encoder.shares  # (L, S, S)
    source_reach = np.zeros((R, len(shares) + 1, n_source))
    source_edges = np.zeros((R, len(shares), N, N))
    source_reach[:, -1] = arrived
    for layer in reversed(range(len(shares))):
        source_edges[:, layer] = source_reach[:, layer + 1][:, sources, None] * shares[layer][np.ix_(sources, sources)]
        source_reach[:, layer] = source_reach[:, layer + 1] @ shares[layer]
    return PairPaths(reach, self_edges, cross_edges, source_reach, source_edges)


def most_mixed_pair_row(flow: PairFlow) -> int:
    """The target token with the largest part from other tokens; the first target token counts for nothing."""
    own, first = np.diagonal(flow.from_target), flow.from_target[:, 0].copy()
    first[0] = 0.0
    return int(np.argmax(1.0 - own - first))
