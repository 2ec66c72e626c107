"""The parts of a Transformer, in the order in which data passes them, read from its config."""

from dataclasses import dataclass, replace

from model.config import ModelConfig, lookup
from model.position import POSITIONS
from model.switches import Switches


@dataclass(frozen=True)
class Step:
    """One part of the model, in the order in which data passes it."""

    kind: str  # "embedding", "attention", "cross", "mlp", "output" of an encoder, or "unembedding"
    layer: int | None  # None: outside the layers
    norm: str  # where its norm stands, also while it is removed: "before" the part, "after" it, "none": it has no norm
    present: bool  # False: removed now, or the weights were trained without it
    stack: str = ""  # "encoder" or "decoder" in a model of both


def architecture(config: ModelConfig, switches: Switches = Switches()) -> tuple[Step, ...]:
    """The parts of the model that this config describes, from the embedding to the logits.

    switches: the parts that are removed now.
    """
    active = switches & config.trained
    norm = {"pre": "before", "post": "after", "none": "none"}[config.norm]
    steps = [Step("embedding", None, "after" if config.embedding_norm else "none", True)]
    for layer in range(config.n_layers):
        heads_left = any((layer, head) not in active.heads_off for head in range(config.n_heads))
        steps.append(Step("attention", layer, norm, heads_left))
        steps.append(Step("mlp", layer, norm, active.mlp))
    if config.read_out != "none":
        has_final_norm = config.norm == "pre" or config.read_out == "transformed"
        steps.append(Step("unembedding", None, "before" if has_final_norm else "none", True))
    return tuple(steps)


def pair_architecture(config: ModelConfig, switches: Switches = Switches()) -> tuple[Step, ...]:
    """The parts of an encoder–decoder: the encoder up to its output, then the decoder (Vaswani et al. 2017, figure 1).

    Both stacks have `n_layers` layers. A decoder layer has a cross-attention between its self-attention and its
    feed-forward network. switches: the parts that are removed now.
    """
    active = switches & config.trained
    read = architecture(replace(config, read_out="none"), replace(active, heads_off=active.encoder_off))
    output = Step("output", None, "before" if config.norm == "pre" else "none", True)
    crosses = architecture(config, replace(active, heads_off=active.cross_off))
    steps = [replace(step, stack="encoder") for step in (*read, output)]
    for step, cross in zip(architecture(config, active), crosses, strict=True):
        steps.append(replace(step, stack="decoder"))
        if step.kind == "attention":
            steps.append(replace(cross, kind="cross", stack="decoder"))
    return tuple(steps)


def position_place(config: ModelConfig) -> str:
    """Where positions come in: at the "embedding", in every "attention", or "none"."""
    scheme = lookup(POSITIONS, "position", config.position)
    if config.position == "none":
        return "none"
    return "attention" if scheme.in_attention else "embedding"
