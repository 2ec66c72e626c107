"""A tokenizer.json and the settings of its folder: which of them applies if they differ.

A class of `transformers` builds its tokenizer from the vocabulary in tokenizer.json and from its own options, so an
option in tokenizer_config.json takes precedence over tokenizer.json. If tokenizer.json differs from the result of the
class, and no option explains it, it is not clear which one the model was trained with, so the folder is refused. In a
folder of the general class PreTrainedTokenizerFast, tokenizer.json applies.
"""

import json
from collections.abc import Mapping
from typing import Any

from tokenizers import AddedToken
from tokenizers import Tokenizer as Cutter

from model.checkpoint import CheckpointError
from model.importers.tokenizers.classes import (
    BERT_OPTIONS,
    KINDS,
    Kind,
    add_tokens,
    build,
    missing_tokens,
    special_tokens,
)
from model.importers.tokenizers.settings import OPTIONS, TokenizerSettings
from model.subword import BYTE_OF

GENERIC = '"tokenizer_class": "PreTrainedTokenizerFast"'


def reconciled(saved: dict[str, Any], settings: TokenizerSettings) -> dict[str, Any]:
    """The library's JSON with the changes of the settings of the folder.

    Raises:
        CheckpointError: the two contradict each other.
    """
    kind = KINDS.get(settings.kind)
    if kind is None or _model(saved["model"]) != kind.model:
        _generic(saved, settings)
        return _with_tokens(saved, settings, kind=None)
    saved = dict(saved)
    _options(saved, settings, kind)
    whole = _with_tokens(saved, settings, kind)
    _compare(whole, settings, kind)
    return whole


def _model(model: Mapping[str, Any]) -> str:
    """The method of a model; older files do not name it."""
    if "type" in model:
        return str(model["type"])
    if "merges" in model:
        return "BPE"
    return "WordPiece" if "continuing_subword_prefix" in model else "Unigram"


def _with_tokens(saved: dict[str, Any], settings: TokenizerSettings, kind: Kind | None) -> dict[str, Any]:
    """The JSON with the added and special tokens that only other files name.

    Raises:
        CheckpointError: the class would ignore an added token of tokenizer.json.
    """
    special = special_tokens(kind, settings) if kind else settings.special
    present = [AddedToken(**{name: token[name] for name in token if name != "id"}) for token in saved["added_tokens"]]
    if kind and settings.outranks:
        listed = {token.content for token in settings.added.values()}
        expected = {repr(token) for token in special.values()}
        unlisted = [token.content for token in present if token.content not in listed and repr(token) not in expected]
        if unlisted:
            raise CheckpointError(
                f"tokenizer.json has the added token “{unlisted[0][:40]}” and added_tokens_decoder in {OPTIONS} does "
                f"not list it. Remove added_tokens_decoder from {OPTIONS} if tokenizer.json is right."
            )
    if not missing_tokens(present, settings, special):
        return saved
    cutter = Cutter.from_str(json.dumps(saved))
    add_tokens(cutter, settings, special)
    return json.loads(cutter.to_str()) | {"truncation": None, "padding": None}


def _options(saved: dict[str, Any], settings: TokenizerSettings, kind: Kind) -> None:
    """Apply the options of tokenizer_config.json, in place."""
    normalizer, splitter = saved.get("normalizer") or {}, saved.get("pre_tokenizer") or {}
    if _type(normalizer) == "BertNormalizer" and kind.model == "WordPiece":
        saved["normalizer"] = normalizer | {
            ours: settings.flag(name, default)
            for name, (ours, default) in BERT_OPTIONS.items()
            if name in settings.options
        }
    if _type(splitter) == "ByteLevel" and kind.bytes:
        present = splitter.get("add_prefix_space") is True
        saved["pre_tokenizer"] = splitter | {"add_prefix_space": settings.flag("add_prefix_space", present)}


def _generic(saved: Mapping[str, Any], settings: TokenizerSettings) -> None:
    """Refuse an add_prefix_space that contradicts tokenizer.json in a folder of the general class."""
    splitter = saved.get("pre_tokenizer") or {}
    if _type(splitter) == "ByteLevel":
        present = splitter.get("add_prefix_space") is True
        if (stated := settings.flag("add_prefix_space", present)) is not present:
            raise CheckpointError(
                f"{OPTIONS} says add_prefix_space = {stated} and tokenizer.json the opposite; remove the option from "
                f"{OPTIONS} if tokenizer.json is right."
            )


def _compare(saved: dict[str, Any], settings: TokenizerSettings, kind: Kind) -> None:
    """Refuse a tokenizer.json that its class would not build."""
    model = saved["model"]
    vocabulary = model.get("vocab")
    if not isinstance(vocabulary, dict):
        raise CheckpointError("tokenizer.json does not give every piece a number.")
    added = {token["content"]: token["id"] for token in saved["added_tokens"]}
    like = build(settings, added | vocabulary)
    expected = json.loads(like.to_str())
    if kind.model == "WordPiece" and _type(saved.get("normalizer")) == "BertNormalizer":
        for name, (ours, default) in BERT_OPTIONS.items():
            if (value := saved["normalizer"].get(ours)) != expected["normalizer"][ours]:
                raise CheckpointError(
                    f"tokenizer.json says {ours} = {value}, {OPTIONS} does not say {name}, and a {settings.kind} takes "
                    f'{default} then. Write "{name}": {json.dumps(value)} into {OPTIONS} if tokenizer.json is right.'
                )
    if _type(saved.get("pre_tokenizer")) == _type(expected["pre_tokenizer"]) == "ByteLevel":
        value = saved["pre_tokenizer"].get("add_prefix_space")
        if value is not expected["pre_tokenizer"]["add_prefix_space"]:
            raise CheckpointError(
                f"tokenizer.json says add_prefix_space = {value}, {OPTIONS} does not say it, and a {settings.kind} "
                f'takes false then. Write "add_prefix_space": {json.dumps(value)} into {OPTIONS} if tokenizer.json is '
                "right."
            )
    for part in ("normalizer", "pre_tokenizer"):
        if _plain(saved.get(part)) != _plain(expected[part]):
            raise _differs(part, settings)
    if any((model.get(name) or None) != value for name, value in _model_options(kind, expected["model"]).items()):
        raise _differs("model", settings)
    if kind.bytes and model.get("unk_token") and not BYTE_OF.keys() <= vocabulary.keys():
        raise _differs("unk_token", settings)  # the class has none, so a byte without a piece would be dropped
    if kind.around and Cutter.from_str(json.dumps(saved)).encode("").ids != like.encode("").ids:
        raise _differs("post_processor", settings)


def _model_options(kind: Kind, model: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the model that affect the pieces."""
    if kind.model == "WordPiece":
        return {"continuing_subword_prefix": "##", "max_input_chars_per_word": 100}
    suffix = model.get("end_of_word_suffix") or None
    common = {"end_of_word_suffix": suffix, "continuing_subword_prefix": None, "dropout": None}
    return common | {"byte_fallback": None, "ignore_merges": None} | ({} if kind.bytes else {"fuse_unk": None})


def _differs(part: str, settings: TokenizerSettings) -> CheckpointError:
    return CheckpointError(
        f"The {part} in tokenizer.json is not that of a {settings.kind}, the class of this folder. Write {GENERIC} "
        f"into {OPTIONS} if tokenizer.json is right."
    )


def _type(part: Any) -> str:
    return str(part.get("type", "")) if isinstance(part, dict) else ""


def _plain(part: Any) -> dict[str, Any]:
    """A part of the pipeline without entries that do not affect ids."""
    part = dict(part) if isinstance(part, dict) else {}
    return {name: value for name, value in ({"use_regex": True} | part).items() if name != "trim_offsets"}
