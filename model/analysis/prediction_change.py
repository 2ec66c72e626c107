"""Changes of the predictions for one text: loss, divergence, entropy, and the first value that is not finite."""

import numpy as np

from model.analysis.attention_metrics import entropy
from model.probability import cosine_distance, kl, log_probabilities
from model.run import Array
from model.transformer import Trace


def prediction_change(a: Trace[Array], b: Trace[Array]) -> Array:
    """KL(A ‖ B) of the next-word distributions after each token, in nats: (T,). NaN if the logits of a run are NaN.

    Without an unembedding, it is 1 − cosine of the final vectors of each token.
    """
    return kl(a.logits, b.logits) if a.logits.size else cosine_distance(a.final_norm.out, b.final_norm.out)


def text_loss(trace: Trace[Array], ids: tuple[int, ...]) -> float:
    """Loss on one text: mean −ln p of every token but the first, given those before it, in nats."""
    return float(-log_probabilities(trace.logits)[np.arange(len(ids) - 1), ids[1:]].mean())


def mean_entropy(trace: Trace[Array]) -> float:
    """Entropy of the attention rows, in nats, mean over all heads and positions."""
    return float(np.mean([entropy(layer.attention.weights).mean() for layer in trace.layers]))


def first_nonfinite(trace: Trace[Array]) -> str | None:
    """The first stage with a value that is not finite, in words; None if there is none."""
    for index, layer in enumerate(trace.layers):
        stages = {  # in the order of computation
            "resid_pre": layer.resid_pre,
            "attention weights": layer.attention.weights,
            "resid_mid": layer.resid_mid,
            "resid_post": layer.resid_post,
        }
        for name, values in stages.items():
            if not np.isfinite(values).all():
                return f"layer {index}, {name}"
    return None if np.isfinite(trace.logits).all() else "the logits"
