"""Small models of other people's making, with random weights, in folders as they are published."""

import json
from pathlib import Path

import torch
from pytorch_reference import stir
from tokenizers import Tokenizer as Cutter
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertLMHeadModel,
    BertModel,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertModel,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2Model,
    PreTrainedModel,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaModel,
)

WORDS = ["the", "dog", "dogs", "sleep", "##s", "cat", "saw", "two", "very", "tired", "bird", ".", ",", "a", "b", "c"]
MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
V = 24  # more than there are pieces: published models often have spare rows


def _gpt2(**more):
    settings = {"vocab_size": V, "n_layer": 2, "n_head": 2, "n_embd": 8, "n_positions": 40, "bos_token_id": 0}
    return GPT2Config(**(settings | {"eos_token_id": 0} | more))


def _bert(**more):
    settings = {"vocab_size": V, "num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 8}
    return BertConfig(**(settings | {"intermediate_size": 12, "max_position_embeddings": 40} | more))


def _roberta(**more):
    settings = {"vocab_size": V, "num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 8}
    return RobertaConfig(
        **(settings | {"intermediate_size": 12, "max_position_embeddings": 42, "type_vocab_size": 1} | more)
    )


def _distilbert(**more):
    settings = {"vocab_size": V, "n_layers": 2, "n_heads": 2, "dim": 8, "hidden_dim": 12, "max_position_embeddings": 40}
    return DistilBertConfig(**(settings | more))


# What can differ inside a family: shapes, activations, heads on top, names before the names.
FOREIGN = {
    "gpt2": (GPT2LMHeadModel, _gpt2()),
    "gpt2 without a head": (GPT2Model, _gpt2(n_layer=3, n_head=4, n_embd=12)),
    "gpt2, one head, wide": (GPT2LMHeadModel, _gpt2(n_layer=1, n_head=1, n_embd=6, n_inner=5)),
    "gpt2, plain gelu": (GPT2LMHeadModel, _gpt2(activation_function="gelu", layer_norm_epsilon=1e-3)),
    "gpt2, relu": (GPT2LMHeadModel, _gpt2(activation_function="relu")),
    "gpt2, its own read-out": (GPT2LMHeadModel, _gpt2(tie_word_embeddings=False)),
    "gpt2 without scaling": (GPT2LMHeadModel, _gpt2(scale_attn_weights=False)),
    "gpt2, scores divided by layer": (GPT2LMHeadModel, _gpt2(n_layer=3, scale_attn_by_inverse_layer_idx=True)),
    "bert": (BertForMaskedLM, _bert()),
    "bert without a head": (BertModel, _bert(num_hidden_layers=3, num_attention_heads=4, hidden_size=12)),
    "bert that sorts texts": (BertForSequenceClassification, _bert(hidden_act="relu", type_vocab_size=3)),
    "bert that writes": (BertLMHeadModel, _bert(is_decoder=True)),
    "bert, its own read-out": (BertForMaskedLM, _bert(tie_word_embeddings=False, hidden_act="gelu_new")),
    "roberta": (RobertaForMaskedLM, _roberta()),
    "roberta without a head": (RobertaModel, _roberta(num_hidden_layers=1, layer_norm_eps=1e-5)),
    "distilbert": (DistilBertForMaskedLM, _distilbert()),
    "distilbert without a head": (DistilBertModel, _distilbert(n_layers=1, n_heads=4, dim=16, activation="relu")),
}


def random_model(name: str, seed: int = 0) -> PreTrainedModel:
    """A foreign model with random numbers everywhere, also where training starts from zeros or ones."""
    kind, config = FOREIGN[name]
    torch.manual_seed(seed)
    config._attn_implementation = "eager"
    return stir(kind(config), 0.3).eval()


def tokenizer_json() -> str:
    """A little WordPiece tokenizer, as a published tokenizer.json."""
    vocabulary = {piece: index for index, piece in enumerate([*MARKS, *WORDS])}
    cutter = Cutter(models.WordPiece(vocabulary, unk_token="[UNK]"))
    cutter.normalizer = normalizers.BertNormalizer(lowercase=True)
    cutter.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    cutter.add_special_tokens(MARKS)
    cutter.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    cutter.enable_truncation(4)  # as many published ones do: the lab must not cut in silence
    cutter.enable_padding(length=16)
    return cutter.to_str()


def bytes_json() -> str:
    """A little byte-level BPE tokenizer that puts no marks around a text, as GPT-2's."""
    words = [f"Ġ{letter}" for letter in "abct"]
    vocabulary = {piece: index for index, piece in enumerate(["<|endoftext|>", *"abcdehgost.", "Ġ", *words])}
    cutter = Cutter(models.BPE(vocab=vocabulary, merges=[("Ġ", word[1]) for word in words]))
    cutter.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    cutter.decoder = decoders.ByteLevel()
    cutter.add_special_tokens(["<|endoftext|>"])
    return cutter.to_str()


def publish(model: PreTrainedModel, folder: Path, tokenizer: str = "", **shards) -> Path:
    """The model's folder: config.json, safetensors, tokenizer.json (BERT's, where none is given)."""
    model.save_pretrained(folder, **shards)
    (folder / "tokenizer.json").write_text(tokenizer or tokenizer_json(), encoding="utf-8")
    return folder


def edit(path: Path, **changes) -> None:
    """Change what a JSON file says."""
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | changes), encoding="utf-8")
