"""BERT, MiniLM, RoBERTa, DistilBERT: encoders with the norm after each sublayer and one more after the embeddings.

Devlin et al. 2019; Liu et al. 2019; Wang et al. 2020; Sanh et al. 2019. They differ in the names of tensors,
in the first position of RoBERTa, and in whether there is an embedding of the token type, the first or second text.
The lab reads one text, so the vector of the first is added to every token, also if the positions are removed.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor

from model.checkpoint import CheckpointError
from model.config import ModelConfig
from model.importers.tensor_map import (
    ACTIVATIONS,
    Family,
    TensorSource,
    UnsupportedModel,
    choice,
    epsilon,
    flag,
    linear,
    norm,
    size,
)


def _first(segments: Tensor) -> Tensor:
    return segments[0]  # (C,)


def _from(start: int, table: Tensor) -> Tensor:
    return table[start:]


def _transformed(names: frozenset[str], of: tuple[str, ...]) -> str:
    """Whether the model has a head for masked-word prediction; the encoder alone gives only vectors."""
    return "transformed" if any(name in names for name in of) else "none"


def _tied(config_json: Mapping[str, Any], names: frozenset[str], read_out: str, unembedding: str) -> bool:
    """Whether the unembedding is the embedding: as config.json says, unless the file has a separate matrix."""
    return flag(config_json, "tie_word_embeddings", True) and read_out != "none" and unembedding not in names


# BERT and MiniLM


def _describe(config_json: Mapping[str, Any], names: frozenset[str]) -> ModelConfig:
    return _encoder(config_json, names, ("cls.predictions.transform.dense.weight",), BERT.unembedding)


def _encoder(
    config_json: Mapping[str, Any], names: frozenset[str], head: tuple[str, ...], unembedding: str, start: int = 0
) -> ModelConfig:
    """start: the number of rows of the position table before the first position."""
    if flag(config_json, "add_cross_attention", False):
        raise UnsupportedModel("This BERT also attends to another text; the lab’s BERT reads one text only.")
    causal = flag(config_json, "is_decoder", False)
    if causal and not flag(config_json, "is_causal", True):
        raise UnsupportedModel("config.json says is_decoder = true and is_causal = false; the lab has no such decoder.")
    positions = size(config_json, "max_position_embeddings")
    if positions <= start:
        raise CheckpointError(
            f"config.json says max_position_embeddings = {positions}, and the first {start} belong to the padding "
            "token: no position is left for a text."
        )
    return ModelConfig(
        vocab_size=size(config_json, "vocab_size"),
        n_layers=size(config_json, "num_hidden_layers", most=1000),
        n_heads=size(config_json, "num_attention_heads"),
        d_model=size(config_json, "hidden_size"),
        d_ff=size(config_json, "intermediate_size"),
        context=positions - start,
        causal=causal,
        position="learned",
        norm="post",
        norm_eps=epsilon(config_json, "layer_norm_eps", 1e-12),
        embedding_norm=True,
        token_type=True,
        activation=choice(config_json, "hidden_act", ACTIVATIONS, "gelu"),
        read_out=(read_out := _transformed(names, head)),
        tied_unembedding=_tied(config_json, names, read_out, unembedding),
        unembedding_bias=read_out != "none",
    )


def _body(config_json: Mapping[str, Any], config: ModelConfig, body: str, start: int) -> dict[str, TensorSource]:
    V, C, F = config.vocab_size, config.d_model, config.d_ff
    segments = size(config_json, "type_vocab_size", 2)
    rows = (config.context + start, C)
    sources = {
        "embedding.weight": TensorSource(f"{body}embeddings.word_embeddings.weight", (V, C)),
        "token_type": TensorSource(f"{body}embeddings.token_type_embeddings.weight", (segments, C), _first),
        "position.table.weight": TensorSource(
            f"{body}embeddings.position_embeddings.weight", rows, partial(_from, start)
        ),
        **norm("embedding_norm", f"{body}embeddings.LayerNorm", C),
    }
    for index in range(config.n_layers):
        ours, theirs = f"layers.{index}", f"{body}encoder.layer.{index}"
        for name, part in (("w_q", "query"), ("w_k", "key"), ("w_v", "value")):
            sources |= linear(f"{ours}.attention.{name}", f"{theirs}.attention.self.{part}", C, C)
        sources |= linear(f"{ours}.attention.w_o", f"{theirs}.attention.output.dense", C, C)
        sources |= norm(f"{ours}.norm1", f"{theirs}.attention.output.LayerNorm", C)
        sources |= linear(f"{ours}.mlp_in", f"{theirs}.intermediate.dense", F, C)
        sources |= linear(f"{ours}.mlp_out", f"{theirs}.output.dense", C, F)
        sources |= norm(f"{ours}.norm2", f"{theirs}.output.LayerNorm", C)
    return sources


def _bert(config_json: Mapping[str, Any], config: ModelConfig, body: str) -> dict[str, TensorSource]:
    head = "cls.predictions"
    names = (f"{head}.transform.dense", f"{head}.transform.LayerNorm", BERT.unembedding, f"{head}.bias")
    return _body(config_json, config, body, 0) | _head(config, *names)


def _head(config: ModelConfig, dense: str, normed: str, decoder: str, bias: str) -> dict[str, TensorSource]:
    """The head for masked-word prediction: a dense layer, the activation, a norm, and the unembedding."""
    if config.read_out == "none":
        return {}
    V, C = config.vocab_size, config.d_model
    own = {} if config.tied_unembedding else {"unembedding.weight": TensorSource(decoder, (V, C))}
    parts = linear("read_out_mlp", dense, C, C) | norm("final_norm", normed, C)
    return parts | own | {"unembedding.bias": TensorSource(bias, (V,))}


# RoBERTa: the padding token has a row of the position table, and texts begin at the next row


def _describe_roberta(config_json: Mapping[str, Any], names: frozenset[str]) -> ModelConfig:
    padding = _padding(config_json)
    config = _encoder(config_json, names, ("lm_head.dense.weight",), ROBERTA.unembedding, padding + 1)
    # The word head has an exact GELU, whatever hidden_act says.
    own = None if config.read_out == "none" or config.activation == "gelu" else "gelu"
    return replace(config, read_out_activation=own, padding_id=padding)


def _padding(config_json: Mapping[str, Any]) -> int:
    value, words = config_json.get("pad_token_id", 1), size(config_json, "vocab_size")
    if type(value) is not int or not 0 <= value < words:
        raise CheckpointError(
            f"config.json says pad_token_id = {value!r}; a RoBERTa counts its positions from there, so it must be a "
            f"token's id, 0 to {words - 1:,}."
        )
    return value


def _roberta(config_json: Mapping[str, Any], config: ModelConfig, body: str) -> dict[str, TensorSource]:
    names = ("lm_head.dense", "lm_head.layer_norm", ROBERTA.unembedding, "lm_head.bias")
    return _body(config_json, config, body, _padding(config_json) + 1) | _head(config, *names)


# DistilBERT: half the layers, no token types, other names


def _describe_distilbert(config_json: Mapping[str, Any], names: frozenset[str]) -> ModelConfig:
    read_out = _transformed(names, ("vocab_transform.weight",))
    return ModelConfig(
        vocab_size=size(config_json, "vocab_size"),
        n_layers=size(config_json, "n_layers", most=1000),
        n_heads=size(config_json, "n_heads"),
        d_model=size(config_json, "dim"),
        d_ff=size(config_json, "hidden_dim"),
        context=size(config_json, "max_position_embeddings"),
        causal=False,
        position="learned",
        norm="post",
        norm_eps=1e-12,
        embedding_norm=True,
        activation=choice(config_json, "activation", ACTIVATIONS, "gelu"),
        read_out=read_out,
        tied_unembedding=_tied(config_json, names, read_out, DISTILBERT.unembedding),
        unembedding_bias=read_out != "none",
    )


def _distilbert(config_json: Mapping[str, Any], config: ModelConfig, body: str) -> dict[str, TensorSource]:
    V, C, F = config.vocab_size, config.d_model, config.d_ff
    sources = {
        "embedding.weight": TensorSource(f"{body}embeddings.word_embeddings.weight", (V, C)),
        "position.table.weight": TensorSource(f"{body}embeddings.position_embeddings.weight", (config.context, C)),
        **norm("embedding_norm", f"{body}embeddings.LayerNorm", C),
    }
    for index in range(config.n_layers):
        ours, theirs = f"layers.{index}", f"{body}transformer.layer.{index}"
        for name, part in (("w_q", "q_lin"), ("w_k", "k_lin"), ("w_v", "v_lin"), ("w_o", "out_lin")):
            sources |= linear(f"{ours}.attention.{name}", f"{theirs}.attention.{part}", C, C)
        sources |= norm(f"{ours}.norm1", f"{theirs}.sa_layer_norm", C)
        sources |= linear(f"{ours}.mlp_in", f"{theirs}.ffn.lin1", F, C)
        sources |= linear(f"{ours}.mlp_out", f"{theirs}.ffn.lin2", C, F)
        sources |= norm(f"{ours}.norm2", f"{theirs}.output_layer_norm", C)
    names = ("vocab_transform", "vocab_layer_norm", DISTILBERT.unembedding, "vocab_projector.bias")
    return sources | _head(config, *names)


WORDS = "embeddings.word_embeddings.weight"
INSIDE = re.compile(r"embeddings\.|encoder\.layer\.(\d+)\.")
BUFFERS = re.compile(r"embeddings\.(position_ids|token_type_ids)")
BERT = Family(
    "BERT",
    ("bert.", ""),
    WORDS,
    _describe,
    _bert,
    inside=INSIDE,
    unembedding="cls.predictions.decoder.weight",
    buffers=BUFFERS,
)
ROBERTA = Family(
    "RoBERTa",
    ("roberta.", ""),
    WORDS,
    _describe_roberta,
    _roberta,
    inside=INSIDE,
    unembedding="lm_head.decoder.weight",
    buffers=BUFFERS,
)
DISTILBERT = Family(
    "DistilBERT",
    ("distilbert.", ""),
    WORDS,
    _describe_distilbert,
    _distilbert,
    inside=re.compile(r"embeddings\.|transformer\.layer\.(\d+)\."),
    unembedding="vocab_projector.weight",
    buffers=BUFFERS,
    aliases={"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"},
)
