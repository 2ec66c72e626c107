"""The tokenizer of an external model, from its tokenizer.json or from older files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.checkpoint import CheckpointError
from model.importers.bounded_read import read_bytes
from model.importers.folder import MAX_JSON, Folder, read_json
from model.importers.tokenizers.bounds import check_vocabulary, refuse_unbounded
from model.importers.tokenizers.classes import KINDS, build
from model.importers.tokenizers.settings import OPTIONS, TokenizerSettings, read_settings
from model.importers.tokenizers.tokenizer_json import reconciled
from model.subword import SubwordTokenizer

# Classes that `transformers` runs in Python and never saves as a tokenizer.json. Several need an external program.
PYTHON_ONLY = {
    *("BertJapaneseTokenizer", "BertweetTokenizer", "BioGptTokenizer", "BlenderbotSmallTokenizer", "ByT5Tokenizer"),
    *("CTRLTokenizer", "CanineTokenizer", "CpmTokenizer", "CpmAntTokenizer", "EsmTokenizer", "FSMTTokenizer"),
    *("FlaubertTokenizer", "GPTNeoXJapaneseTokenizer", "MyT5Tokenizer", "PerceiverTokenizer", "PhobertTokenizer"),
    *("ProphetNetTokenizer", "RoCBertTokenizer", "TapasTokenizer", "XLMTokenizer"),
}
# Options of BERT's older class that the library does not have, and the values that have no effect.
UNSUPPORTED: Mapping[str, tuple[Any, ...]] = {"do_basic_tokenize": (True, None), "never_split": (None, [])}
SAVE = "load it with AutoTokenizer.from_pretrained(folder) of transformers and call save_pretrained(folder)"


def read_tokenizer(
    folder: Folder, vocab_size: int, reads_marks: bool = False, bounded: bool = True
) -> SubwordTokenizer:
    """The tokenizer of a folder, for a model with `vocab_size` tokens.

    reads_marks: whether special tokens such as "[MASK]" can be typed. bounded: whether to refuse a text that could
    become too long, which is not needed in a process with limited memory. The ids are those of `transformers` for the
    same folder; otherwise the folder is refused.

    Raises:
        CheckpointError: the tokenizer cannot be read, or has a piece without a vector in the model.
    """
    settings = read_settings(folder.path, folder.config)
    if settings.kind in PYTHON_ONLY:
        raise CheckpointError(
            f"The tokenizer is a {settings.kind}, which runs in Python inside transformers and has no tokenizer.json; "
            "the lab cannot tokenize texts as it does."
        )
    path = folder.path / folder.tokenizer
    try:
        if folder.tokenizer == "tokenizer.json":
            saved = _whole(path, settings)
        else:
            _check_older(folder, settings)
            saved = _older(path, settings)
        reads_marks = reads_marks and settings.flag("split_special_tokens", False) is not True
        fitted = _fitted(saved, vocab_size)
        growth = refuse_unbounded(fitted, vocab_size)
        return SubwordTokenizer(json.dumps(fitted), reads_marks, vocab_size, growth if bounded else 1.0)
    except (CheckpointError, MemoryError):
        raise
    except Exception as error:  # the tokenizers library raises no more specific error
        reason = str(error).partition("\n")[0][:200].rstrip(".")
        raise CheckpointError(f"The tokenizer {folder.tokenizer} cannot be read: {reason}.") from error


def _whole(path: Path, settings: TokenizerSettings) -> dict[str, Any]:
    """tokenizer.json with the changes of the files beside it, without truncation and padding."""
    saved = read_json(path) | {"truncation": None, "padding": None}
    if not isinstance(saved.get("model"), dict):
        raise CheckpointError(f"{path.name} describes no tokenizer: it has no model.")
    saved["added_tokens"] = saved.get("added_tokens") or []
    if not isinstance(saved["added_tokens"], list) or not all(map(_is_token, saved["added_tokens"])):
        raise CheckpointError(f"{path.name} does not list its added tokens with their texts and ids.")
    refuse_unbounded(saved)
    return reconciled(saved, settings)


def _is_token(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("content"), str) and type(value.get("id")) is int


def _check_older(folder: Folder, settings: TokenizerSettings) -> None:
    """Refuse older files that, together with their class, do not determine the tokens of a text."""
    kind = KINDS.get(settings.kind)
    if kind is None or kind.vocabulary != folder.tokenizer:
        named = f"a {settings.kind}" if settings.kind else "of a class that neither it nor config.json names"
        raise CheckpointError(
            f"The tokenizer in {folder.tokenizer} is {named}; the lab reads such a one only from a tokenizer.json. To "
            f"write it, {SAVE}."
        )
    if folder.config.get("model_type") == "opt" and settings.flag("add_bos_token", None) is None:
        raise CheckpointError(
            f"An OPT model reads </s> before every text, and no add_bos_token in {OPTIONS} says so. Copy {OPTIONS} of "
            "the published model into the folder, or a tokenizer.json."
        )
    for name, harmless in UNSUPPORTED.items():
        if settings.options.get(name) not in (None, *harmless):
            raise CheckpointError(
                f"{OPTIONS} says {name} = {str(settings.options[name])[:40]}, which the lab follows only in a "
                f"tokenizer.json. To write it, {SAVE}."
            )


def _older(path: Path, settings: TokenizerSettings) -> dict[str, Any]:
    """A tokenizer from its vocabulary file and its class."""
    kind = KINDS[settings.kind]
    if kind.vocabulary == "vocab.txt":
        # Lines end only at "\n", because other line separators of Python, such as U+2028, are pieces.
        vocabulary = {line.rstrip(): index for index, line in enumerate(_lines(path))}
        check_vocabulary(vocabulary)
        return json.loads(build(settings, vocabulary).to_str())
    lines = _lines(path.with_name("merges.txt"))
    parts = [line.split(" ") for line in lines if line and not line.startswith("#version")]
    if any(len(part) != 2 for part in parts):
        raise CheckpointError("merges.txt does not hold two tokens in every line.")
    vocabulary = read_json(path)
    if not vocabulary or not all(type(index) is int and index >= 0 for index in vocabulary.values()):
        raise CheckpointError(f"{path.name} does not give every piece a whole number.")
    check_vocabulary(vocabulary)
    return json.loads(build(settings, vocabulary, [(left, right) for left, right in parts]).to_str())


def _lines(path: Path) -> list[str]:
    """The lines of a text file, without empty ones at its end.

    Raises:
        CheckpointError: it is too large, or not a text.
    """
    try:
        text = read_bytes(path, MAX_JSON).decode("utf-8")
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{path.name} cannot be read: {error}.") from error
    return [line.removesuffix("\r") for line in text.rstrip("\r\n").split("\n")]


def _fitted(saved: dict[str, Any], vocab_size: int) -> dict[str, Any]:
    """The tokenizer without added tokens that have no vector in the model, such as a "[PAD]" for training in batches.

    If such a token is typed, it is read as its letters.

    Raises:
        CheckpointError: other pieces have no vector either.
    """
    tokens = saved["added_tokens"]
    beyond = {token["content"] for token in tokens if token["id"] >= vocab_size}
    own = max(_ids(saved["model"]).values(), default=-1) + 1
    around = json.dumps(saved.get("post_processor"))
    if own > vocab_size or any(json.dumps(mark) in around for mark in beyond):
        known = max(own, *(token["id"] + 1 for token in tokens)) if tokens else own
        raise CheckpointError(
            f"The tokenizer knows {known:,} tokens and the model {vocab_size:,}: they belong to different models."
        )
    return saved | {"added_tokens": [token for token in tokens if token["content"] not in beyond]}


def _ids(model: Mapping[str, Any]) -> dict[str, int]:
    """Piece → id of a model in the library's JSON, where the pieces of Unigram are a list."""
    vocabulary = model.get("vocab")
    if isinstance(vocabulary, dict):
        return vocabulary
    return {piece: index for index, (piece, *_) in enumerate(vocabulary or [])}
