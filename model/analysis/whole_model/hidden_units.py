"""What a feed-forward network does for one token: which of its hidden units are active, and what each writes.

The output of the network is a sum over hidden units: activation · column of W_out, plus a bias. Each column can be read
out with the unembedding, as the whole stream is: it raises the logits of some words and lowers others.
Geva et al. 2022, "Transformer Feed-Forward Layers Build Predictions by Promoting Concepts in the Vocabulary Space".
"""

from dataclasses import dataclass

import numpy as np

from model.encoder_decoder import EncoderDecoder
from model.recurrent import Recurrent
from model.run import Array, Experiment, get_model
from model.transformer import Block, Trace, Transformer


@dataclass(frozen=True)
class HiddenUnits:
    """The hidden units that write the longest vectors for one token, the longest first."""

    units: tuple[int, ...]  # N of the F hidden units
    activations: Array  # (N,)
    lengths: Array  # (N,)  |activation| · length of the column of W_out
    raised: tuple[tuple[str, ...], ...]  # (N, K)  the tokens whose logits each raises most; empty without unembedding
    logit_changes: Array  # (N, K)  by how much
    active: int  # how many of all F are above 0
    total: int  # F


def hidden_units(
    experiment: Experiment, trace: Trace[Array], layer: int, position: int, n: int = 8, k: int = 3
) -> HiddenUnits:
    """The n hidden units that write most for the token at `position`, and the k tokens that each raises.

    trace: of a model of one text, or of the decoder of an encoder–decoder, whose words they then are.

    The change of a logit is activation · W_U (γ ∘ (w − mean(w))) / std, with the scale γ and the standard deviation of
    the final norm as it was in this pass: the direct effect of this unit if that norm stayed as it is. What later
    layers read from the unit is not counted.
    """
    network, tokenizer = get_model(experiment.weights)
    assert not isinstance(network, Recurrent)
    hidden = trace.layers[layer].mlp_hidden[position]  # (F,)
    module = (network.decoder if isinstance(network, EncoderDecoder) else network.layers)[layer]
    assert isinstance(module, Block)
    columns = module.mlp_out.weight.float().cpu().numpy()  # (C, F)
    lengths = np.abs(hidden) * np.linalg.norm(columns, axis=0)  # (F,)
    units = np.argsort(-lengths, kind="stable")[:n]
    written = columns[:, units].T * hidden[units, None]  # (N, C)
    changes = _logit_changes(network, trace, written, position)  # (N, V)
    changes[:, list(tokenizer.special_ids)[: changes.shape[1]]] = -np.inf  # marks, which a person never sees predicted
    best = np.argsort(-changes, axis=-1, kind="stable")[:, :k]  # (N, K)
    return HiddenUnits(
        tuple(int(unit) for unit in units),
        hidden[units],
        lengths[units],
        tuple(tuple(tokenizer.vocabulary[token] for token in row) for row in best),
        np.take_along_axis(changes, best, axis=-1),
        int((hidden > 0).sum()),
        len(hidden),
    )


def _logit_changes(network: Transformer | EncoderDecoder, trace: Trace[Array], written: Array, position: int) -> Array:
    """written (N, C) vectors of the stream, through the final norm as it stands and the unembedding: (N, V)."""
    if isinstance(network, EncoderDecoder):
        final_norm, unembedding = network.decoder_norm, network.unembedding
    elif network.unembedding is None or network.read_out_mlp is not None:
        return np.zeros((len(written), 0))  # nothing reads words out, or a dense layer of its own stands before it
    else:
        final_norm, unembedding = network.final_norm, network.unembedding
    if trace.final_norm.present and final_norm is not None:
        if network.config.norm_kind == "layer":
            written = written - written.mean(axis=-1, keepdims=True)
        gamma = final_norm.weight.float().cpu().numpy()  # (C,)
        written = written / trace.final_norm.std[position] * gamma
    changes: Array = written @ unembedding.weight.float().cpu().numpy().T
    return changes
