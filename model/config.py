"""Everything that determines the architecture of a Transformer, in one frozen record.

The same record describes our own small models, GPT-2 (pre-norm, learned positions, tied unembedding) and
BERT (post-norm, embedding norm, no causal mask).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from model.switches import Switches

T = TypeVar("T")


def lookup(table: Mapping[str, T], what: str, name: str) -> T:
    """The entry `name` of a table. Raises ValueError if there is none, with `what` as the name of the choice."""
    if name not in table:
        raise ValueError(f'{what} must be one of {", ".join(table)}, not "{name}"')
    return table[name]


@dataclass(frozen=True)
class ModelConfig:
    """Sizes and choices of one Transformer.

    Raises:
        ValueError: a size is not a positive whole number, or a choice is not one of those named here. Names from the
            tables of other files are checked when the model is built, and raise the same error there.
    """

    vocab_size: int  # V
    n_layers: int = 4  # L
    n_heads: int = 4  # H
    d_model: int = 64  # C
    d_ff: int = 256  # F
    d_k: int | None = None  # width of queries and keys; None: d_model / n_heads
    d_v: int | None = None  # width of values; None: d_model / n_heads
    context: int = 64  # longest text seen in training; a learned position table ends here

    causal: bool = True  # True: a decoder, with a causal mask. False: an encoder, without one
    position: str = "relative"  # a key of model.position.POSITIONS
    norm: str = "pre"  # "pre": x + f(norm(x)), "post": norm(x + f(x)), "none"
    norm_kind: str = "layer"  # a key of model.norm.NORMS
    norm_eps: float = 1e-5
    embedding_norm: bool = False  # BERT normalises the embeddings before the first layer
    token_type: bool = False  # BERT adds one vector to every token, its embedding of the first of two texts
    activation: str = "gelu"  # a key of model.transformer.ACTIVATIONS
    attention_bias: bool = True  # b in W x + b, for q, k, v and the output projection
    mlp_bias: bool = True
    tied_unembedding: bool = False  # the unembedding is the transposed embedding
    unembedding_bias: bool = False
    read_out: str = "direct"  # "direct"; "transformed": BERT's dense layer, activation and norm come before; "none"
    read_out_activation: str | None = None  # of the "transformed" read-out; None: the activation of the layers
    padding_id: int | None = None  # the padding token of RoBERTa, which gets no position; no text may contain it

    trained: Switches = Switches()  # the parts that were there while the weights were trained

    def __post_init__(self) -> None:
        for name in ("vocab_size", "n_layers", "n_heads", "d_model", "d_ff", "context", "d_k", "d_v"):
            size = getattr(self, name)
            optional = name in ("d_k", "d_v")
            if not ((size is None and optional) or (type(size) is int and size >= 1)):
                raise ValueError(f"{name} must be a whole number, at least 1, not {size!r}")
        if self.norm not in ("pre", "post", "none"):
            raise ValueError(f'norm must be "pre", "post" or "none", not "{self.norm}"')
        if self.read_out not in ("direct", "transformed", "none"):
            raise ValueError(f'read_out must be "direct", "transformed" or "none", not "{self.read_out}"')
        if self.read_out == "transformed" and self.norm == "pre":
            raise ValueError('read_out "transformed" has its own norm, so norm must be "post" or "none"')
        if (self.d_k is None or self.d_v is None) and self.d_model % self.n_heads:
            raise ValueError(f"{self.n_heads} heads cannot share a width of {self.d_model} evenly: give d_k and d_v")

    def check_heads(self, switches: Switches) -> None:
        """Check that this Transformer has the heads that the switches remove.

        Raises:
            ValueError: it does not. The message names the head.
        """
        for layer, head in switches.heads_off | switches.cross_off | switches.encoder_off:
            if not (0 <= layer < self.n_layers and 0 <= head < self.n_heads):
                raise ValueError(f"There is no head {head} in layer {layer}: {self.n_layers} layers × {self.n_heads}.")

    @property
    def removable(self) -> Switches:
        """The parts that can be removed: those that it was trained with. An encoder has no mask."""
        return replace(self.trained, mask=self.trained.mask and self.causal)

    @property
    def predicts(self) -> str:
        """What the logits at a position predict: the "next" token, the token "here" (an encoder), or "nothing"."""
        return "nothing" if self.read_out == "none" else "next" if self.causal else "here"

    @property
    def key_width(self) -> int:
        """D of queries and keys, d_k in the paper."""
        return self.d_k or self.d_model // self.n_heads

    @property
    def value_width(self) -> int:
        """D of values, d_v in the paper."""
        return self.d_v or self.d_model // self.n_heads
