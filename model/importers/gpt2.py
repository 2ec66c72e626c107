"""GPT-2: a decoder with learned positions and the norm before each sublayer. Radford et al. 2019.

Its linear maps are stored as (in, out), the other way round than ours, and the maps to queries, keys and values of all
heads stand side by side in one matrix, c_attn (C, 3 C).
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor

from model.config import ModelConfig
from model.importers.family import ACTIVATIONS, Family, NotOurs, Piece, choice, norm, size
from model.switches import Switches


def describe(told: Mapping[str, Any], names: frozenset[str]) -> ModelConfig:
    """config.json in our terms."""
    if told.get("add_cross_attention"):
        raise NotOurs("This GPT-2 also attends to another text; the lab holds a GPT-2 that reads one text.")
    width = size(told, "n_embd")
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
        norm_eps=float(told.get("layer_norm_epsilon", 1e-5)),
        activation=choice(told, "activation_function", ACTIVATIONS, "gelu_new"),
        tied_unembedding=told.get("tie_word_embeddings", True) is not False,
        trained=Switches(scale=told.get("scale_attn_weights", True) is not False),
    )


def pieces(told: Mapping[str, Any], config: ModelConfig, body: str) -> dict[str, Piece]:
    """Our tensors from theirs."""
    V, C, F = config.vocab_size, config.d_model, config.d_ff
    found = {
        "embedding.weight": Piece(f"{body}wte.weight", (V, C)),
        "position.table.weight": Piece(f"{body}wpe.weight", (config.context, C)),
        **norm("final_norm", f"{body}ln_f", C),
    }
    if not config.tied_unembedding:
        found["unembedding.weight"] = Piece("lm_head.weight", (V, C))
    for index in range(config.n_layers):
        ours, theirs = f"layers.{index}", f"{body}h.{index}"
        # Some models were trained with the scores of layer l divided by l + 1 as well: the queries can carry that.
        shrink = 1 / (index + 1) if told.get("scale_attn_by_inverse_layer_idx") else 1.0
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


GPT2 = Family("GPT-2", ("transformer.", ""), "wte.weight", describe, pieces)
