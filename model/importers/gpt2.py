"""GPT-2: a decoder with learned positions and the norm before each sublayer. Radford et al. 2019.

Its linear maps are stored as (in, out), the other way round than ours, and the maps to queries, keys and values of all
heads stand side by side in one matrix, c_attn (C, 3 C).
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor

from model.config import ModelConfig
from model.importers.tensor_map import ACTIVATIONS, Family, NotOurs, Piece, choice, epsilon, flag, norm, size
from model.switches import Switches

UNEMBEDDING = "lm_head.weight"


def describe(told: Mapping[str, Any], names: frozenset[str]) -> ModelConfig:
    """config.json in our terms."""
    if flag(told, "add_cross_attention", False):
        raise NotOurs("This GPT-2 also attends to another text; the lab holds a GPT-2 that reads one text.")
    if not flag(told, "is_causal", True):
        raise NotOurs("This GPT-2 looks both ways (is_causal is false); the lab holds a GPT-2 that looks back only.")
    width = size(told, "n_embd")
    tied, own = flag(told, "tie_word_embeddings", True), UNEMBEDDING in names
    return ModelConfig(
        vocab_size=size(told, "vocab_size"),
        n_layers=size(told, "n_layer", most=1000),
        n_heads=size(told, "n_head"),
        d_model=width,
        d_ff=size(told, "n_inner", 4 * width),
        context=size(told, "n_positions", told.get("n_ctx")),
        causal=True,
        position="learned",
        norm="pre",
        norm_eps=epsilon(told, "layer_norm_epsilon", 1e-5),
        activation=choice(told, "activation_function", ACTIVATIONS, "gelu_new"),
        # A bare GPT-2 whose read-out is not its word embeddings reads no words out.
        read_out="direct" if tied or own or _has_words(told) else "none",
        tied_unembedding=tied and not own,
        trained=Switches(scale=flag(told, "scale_attn_weights", True)),
    )


def _has_words(told: Mapping[str, Any]) -> bool:
    """Whether config.json names a class with a language model's head; its matrix must then be in the file."""
    named = told.get("architectures")
    return isinstance(named, list) and any("LMHead" in str(name) or "DoubleHeads" in str(name) for name in named)


def pieces(told: Mapping[str, Any], config: ModelConfig, body: str) -> dict[str, Piece]:
    """Our tensors from theirs."""
    V, C, F = config.vocab_size, config.d_model, config.d_ff
    found = {
        "embedding.weight": Piece(f"{body}wte.weight", (V, C)),
        "position.table.weight": Piece(f"{body}wpe.weight", (config.context, C)),
        **norm("final_norm", f"{body}ln_f", C),
    }
    if config.read_out != "none" and not config.tied_unembedding:
        found["unembedding.weight"] = Piece(UNEMBEDDING, (V, C))
    for index in range(config.n_layers):
        ours, theirs = f"layers.{index}", f"{body}h.{index}"
        # Some models were trained with the scores of layer l divided by l + 1 as well: the queries can carry that.
        shrink = 1 / (index + 1) if flag(told, "scale_attn_by_inverse_layer_idx", False) else 1.0
        for third, name in enumerate(("w_q", "w_k", "w_v")):
            take = partial(_third, third, shrink if name == "w_q" else 1.0)
            found[f"{ours}.attention.{name}.weight"] = Piece(f"{theirs}.attn.c_attn.weight", (C, 3 * C), take)
            found[f"{ours}.attention.{name}.bias"] = Piece(f"{theirs}.attn.c_attn.bias", (3 * C,), take)
        found |= norm(f"{ours}.norm1", f"{theirs}.ln_1", C) | norm(f"{ours}.norm2", f"{theirs}.ln_2", C)
        found |= _turned(f"{ours}.attention.w_o", f"{theirs}.attn.c_proj", C, C)
        found |= _turned(f"{ours}.mlp_in", f"{theirs}.mlp.c_fc", C, F)
        found |= _turned(f"{ours}.mlp_out", f"{theirs}.mlp.c_proj", F, C)
    return found


def _third(at: int, factor: float, fused: Tensor) -> Tensor:
    """One third of c_attn: (C, 3 C) → (C, C), out × in; (3 C,) → (C,)."""
    return fused.chunk(3, dim=-1)[at].t() * factor


def _turned(ours: str, theirs: str, into: int, out: int) -> dict[str, Piece]:
    return {
        f"{ours}.weight": Piece(f"{theirs}.weight", (into, out), Tensor.t),
        f"{ours}.bias": Piece(f"{theirs}.bias", (out,)),
    }


GPT2 = Family(
    "GPT-2",
    ("transformer.", ""),
    "wte.weight",
    describe,
    pieces,
    inside=re.compile(r"h\.(\d+)\."),
    unembedding=UNEMBEDDING,
    buffers=re.compile(r"h\.\d+\.attn\.(bias|masked_bias)"),
    aliases={
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    },
)
