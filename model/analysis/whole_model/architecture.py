"""The parts of a Transformer, in the order in which data passes them, read from its config."""

from dataclasses import dataclass

from model.config import ModelConfig
from model.switches import Switches


@dataclass(frozen=True)
class Step:
    """One part of the model, in the order in which data passes it."""

    kind: str  # "embedding", "attention", "mlp" or "unembedding"
    layer: int | None  # None: outside the layers
    norm: str  # "before": the part reads normalised vectors; "after": what it leaves is normalised; "none"
    present: bool  # False: removed now, or the weights were trained without it


def architecture(config: ModelConfig, switches: Switches = Switches()) -> tuple[Step, ...]:
    """The parts of the model that this config describes, from the embedding to the logits.

    switches: the parts that are removed now. A norm that is removed is "none".
    """
    active = switches & config.trained
    norm = {"pre": "before", "post": "after", "none": "none"}[config.norm] if active.norm else "none"
    steps = [Step("embedding", None, "after" if config.embedding_norm and active.norm else "none", True)]
    for layer in range(config.n_layers):
        heads_left = any((layer, head) not in active.heads_off for head in range(config.n_heads))
        steps.append(Step("attention", layer, norm, heads_left))
        steps.append(Step("mlp", layer, norm, active.mlp))
    if config.read_out != "none":
        has_final_norm = (config.norm == "pre" or config.read_out == "transformed") and active.norm
        steps.append(Step("unembedding", None, "before" if has_final_norm else "none", True))
    return tuple(steps)
