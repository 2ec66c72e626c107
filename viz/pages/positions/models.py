"""The small models of this page, one for each position scheme and kind."""

from functools import lru_cache

from model.checkpoint import load_transformer
from model.tokenizer import Tokenizer
from model.transformer import Transformer

NAMES = {
    "sinusoidal": "Sinusoidal",
    "learned": "Learned",
    "relative": "Bias per distance",
    "shaw": "Vector per distance",
    "t5": "T5 buckets",
    "rope": "RoPE",
    "alibi": "ALiBi",
    "none": "None",
}
KINDS = ("encoder", "decoder")
MODELS = [(kind, scheme) for kind in KINDS for scheme in NAMES]


@lru_cache(maxsize=len(MODELS))
def model(kind: str, scheme: str) -> tuple[Transformer, Tokenizer]:
    """A small model of the task “which digit came first”; on the CPU, where it takes a millisecond."""
    transformer, tokenizer = load_transformer(f"order-{kind}-{scheme}")
    return transformer.requires_grad_(False), tokenizer


def weights(kind: str) -> tuple[str, ...]:
    """The names of the weights of all schemes."""
    return tuple(f"order-{kind}-{scheme}" for scheme in NAMES)
