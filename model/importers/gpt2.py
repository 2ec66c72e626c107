"""GPT-2: a decoder with learned positions and the norm before each sublayer. Radford et al. 2019.

Its linear maps are stored as (in, out), the transpose of ours. One matrix, c_attn (C, 3 C), contains the maps to the
queries, keys and values of all heads.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor

from model.config import ModelConfig
from model.importers.tensor_map import (
    ACTIVATIONS,
    Family,
    TensorSource,
    UnsupportedModel,
    choice,
    epsilon,
    flag,
    norm,
    size,
)
from model.switches import Switches

UNEMBEDDING = "lm_head.weight"


def describe(config_json: Mapping[str, Any], names: frozenset[str]) -> ModelConfig:
    """The config of the lab for config.json."""
    if flag(config_json, "add_cross_attention", False):
        raise UnsupportedModel("This GPT-2 also attends to another text; the lab’s GPT-2 reads one text only.")
    if not flag(config_json, "is_causal", True):
        raise UnsupportedModel(
            "This GPT-2 attends in both directions (is_causal is false); the lab’s GPT-2 attends back only."
        )
    width = size(config_json, "n_embd")
    tied, own = flag(config_json, "tie_word_embeddings", True), UNEMBEDDING in names
    return ModelConfig(
        vocab_size=size(config_json, "vocab_size"),
        n_layers=size(config_json, "n_layer", most=1000),
        n_heads=size(config_json, "n_head"),
        d_model=width,
        d_ff=size(config_json, "n_inner", 4 * width),
        context=size(config_json, "n_positions", config_json.get("n_ctx")),
        causal=True,
        position="learned",
        norm="pre",
        norm_eps=epsilon(config_json, "layer_norm_epsilon", 1e-5),
        activation=choice(config_json, "activation_function", ACTIVATIONS, "gelu_new"),
        # A GPT-2 without a language-model head and without tied embeddings has no unembedding.
        read_out="direct" if tied or own or _has_words(config_json) else "none",
        tied_unembedding=tied and not own,
        trained=Switches(scale=flag(config_json, "scale_attn_weights", True)),
    )


def _has_words(config_json: Mapping[str, Any]) -> bool:
    """Whether config.json names a class with a language model's head; its matrix must then be in the file."""
    named = config_json.get("architectures")
    return isinstance(named, list) and any("LMHead" in str(name) or "DoubleHeads" in str(name) for name in named)


def tensor_sources(config_json: Mapping[str, Any], config: ModelConfig, body: str) -> dict[str, TensorSource]:
    """The source of each of our tensors."""
    V, C, F = config.vocab_size, config.d_model, config.d_ff
    sources = {
        "embedding.weight": TensorSource(f"{body}wte.weight", (V, C)),
        "position.table.weight": TensorSource(f"{body}wpe.weight", (config.context, C)),
        **norm("final_norm", f"{body}ln_f", C),
    }
    if config.read_out != "none" and not config.tied_unembedding:
        sources["unembedding.weight"] = TensorSource(UNEMBEDDING, (V, C))
    for index in range(config.n_layers):
        ours, theirs = f"layers.{index}", f"{body}h.{index}"
        # Some models also divide the scores of layer l by l + 1. This factor can be part of the queries.
        shrink = 1 / (index + 1) if flag(config_json, "scale_attn_by_inverse_layer_idx", False) else 1.0
        for third, name in enumerate(("w_q", "w_k", "w_v")):
            take = partial(_third, third, shrink if name == "w_q" else 1.0)
            sources[f"{ours}.attention.{name}.weight"] = TensorSource(f"{theirs}.attn.c_attn.weight", (C, 3 * C), take)
            sources[f"{ours}.attention.{name}.bias"] = TensorSource(f"{theirs}.attn.c_attn.bias", (3 * C,), take)
        sources |= norm(f"{ours}.norm1", f"{theirs}.ln_1", C) | norm(f"{ours}.norm2", f"{theirs}.ln_2", C)
        sources |= _turned(f"{ours}.attention.w_o", f"{theirs}.attn.c_proj", C, C)
        sources |= _turned(f"{ours}.mlp_in", f"{theirs}.mlp.c_fc", C, F)
        sources |= _turned(f"{ours}.mlp_out", f"{theirs}.mlp.c_proj", F, C)
    return sources


def _third(index: int, factor: float, fused: Tensor) -> Tensor:
    """One third of c_attn: (C, 3 C) → (C, C), out × in; (3 C,) → (C,)."""
    return fused.chunk(3, dim=-1)[index].t() * factor


def _turned(ours: str, theirs: str, into: int, out: int) -> dict[str, TensorSource]:
    return {
        f"{ours}.weight": TensorSource(f"{theirs}.weight", (into, out), Tensor.t),
        f"{ours}.bias": TensorSource(f"{theirs}.bias", (out,)),
    }


GPT2 = Family(
    "GPT-2",
    ("transformer.", ""),
    "wte.weight",
    describe,
    tensor_sources,
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
