"""The settings of a tokenizer in the files beside its vocabulary: class, options, special and added tokens.

`transformers` stores them in tokenizer_config.json, special_tokens_map.json and added_tokens.json; older folders have
the class in config.json. Like the vocabulary, they determine the ids of a text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokenizers import AddedToken

from model.checkpoint import CheckpointError
from model.importers.folder import BESIDE_TOKENIZER, MAX_SETTINGS, read_json
from model.importers.tokenizers.bounds import MAX_IDS

SETTINGS = OPTIONS, SPECIAL, ADDED = BESIDE_TOKENIZER[1:]  # the files that are read here, where they exist
# The named special tokens, in the order in which `transformers` adds those that are not in the vocabulary.
NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")

# model_type in config.json → the tokenizer class of `transformers`, if no file names one.
CLASS_OF = {
    "bert": "BertTokenizer",
    "distilbert": "BertTokenizer",
    "electra": "BertTokenizer",
    "mobilebert": "BertTokenizer",
    "convbert": "BertTokenizer",
    "squeezebert": "BertTokenizer",
    "layoutlm": "BertTokenizer",
    "megatron-bert": "BertTokenizer",
    "mpnet": "MPNetTokenizer",
    "roberta": "RobertaTokenizer",
    "bart": "RobertaTokenizer",
    "longformer": "RobertaTokenizer",
    "led": "RobertaTokenizer",
    "gpt2": "GPT2Tokenizer",
    "gpt_neo": "GPT2Tokenizer",
    "gptj": "GPT2Tokenizer",
    "opt": "GPT2Tokenizer",
    "openai-gpt": "OpenAIGPTTokenizer",
}
# Second names of classes.
SAME_CLASS = {
    "DistilBertTokenizer": "BertTokenizer",
    "ElectraTokenizer": "BertTokenizer",
    "MobileBertTokenizer": "BertTokenizer",
    "ConvBertTokenizer": "BertTokenizer",
    "SqueezeBertTokenizer": "BertTokenizer",
    "LayoutLMTokenizer": "BertTokenizer",
    "LxmertTokenizer": "BertTokenizer",
    "BartTokenizer": "RobertaTokenizer",
    "LongformerTokenizer": "RobertaTokenizer",
    "LEDTokenizer": "RobertaTokenizer",
    "MvpTokenizer": "RobertaTokenizer",
}


@dataclass(frozen=True)
class TokenizerSettings:
    """The settings of one tokenizer."""

    kind: str  # the tokenizer class of `transformers`, without "Fast"; "" if no file names one
    options: Mapping[str, Any] = field(default_factory=dict)  # tokenizer_config.json
    special: Mapping[str, AddedToken] = field(
        default_factory=dict
    )  # "cls_token" → token, for the tokens that a file names
    added: Mapping[int, AddedToken] = field(default_factory=dict)  # id → token
    outranks: bool = (
        False  # whether `added` is from tokenizer_config.json, which takes precedence over a tokenizer.json
    )
    extra: tuple[AddedToken, ...] = ()  # more special tokens, without a name or an id

    def flag(self, name: str, default: bool | None) -> bool | None:
        """An option that is true or false; `default` if it is null or missing.

        Raises:
            CheckpointError: it has another value.
        """
        value = self.options.get(name)
        if not (isinstance(value, bool) or value is None):
            raise CheckpointError(f"{OPTIONS} says {name} = {str(value)[:40]!r}; true or false is expected there.")
        return default if value is None else value


def read_settings(path: Path, config: Mapping[str, Any]) -> TokenizerSettings:
    """The settings in the folder `path`; config: its config.json.

    Raises:
        CheckpointError: one of the files cannot be read or does not describe tokens.
    """
    options, names, numbers = (
        read_json(path / name, MAX_SETTINGS) if (path / name).is_file() else {} for name in SETTINGS
    )
    kind = (
        options.get("tokenizer_class") or config.get("tokenizer_class") or CLASS_OF.get(str(config.get("model_type")))
    )
    kind = str(kind or "").removesuffix("Fast")
    if "added_tokens_decoder" in options:  # written by newer versions, which ignore the two older files
        listed = _mapping(OPTIONS, "added_tokens_decoder", options["added_tokens_decoder"])
        added = {_id(OPTIONS, index): _token(OPTIONS, value, special=False) for index, value in listed.items()}
        names, numbers = {}, {}
    else:
        added = {}
    stated = {**options, **names}
    special = {name: _token(OPTIONS, stated[name], special=True) for name in NAMED if stated.get(name) is not None}
    extra = _extra(options)
    # For `transformers` a token is not special if only special_tokens_map.json says so and added_tokens.json has it.
    marks = {token.content for token in (*special.values(), *extra)}
    for content, index in numbers.items():
        known = content in marks
        added[_id(ADDED, index)] = AddedToken(content, normalized=not known, special=known)
    extra = extra or _extra(names)
    by_content = {token.content: token for token in added.values()}
    special = {name: by_content.get(token.content, token) for name, token in special.items()}
    kind = SAME_CLASS.get(kind, kind)
    outranks = "added_tokens_decoder" in options
    return TokenizerSettings(kind, options, special, dict(sorted(added.items())), outranks, extra)


def _extra(stated: Mapping[str, Any]) -> tuple[AddedToken, ...]:
    stated_tokens = stated.get("extra_special_tokens") or stated.get("additional_special_tokens") or []
    if isinstance(stated_tokens, dict):
        stated_tokens = list(stated_tokens.values())
    if not isinstance(stated_tokens, list):
        raise CheckpointError(
            f"{OPTIONS} lists its further special tokens as {stated_tokens!r}; a list is expected there."
        )
    return tuple(_token(OPTIONS, value, special=True) for value in stated_tokens)


def _mapping(file: str, name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise CheckpointError(f"{file} says {name} = {str(value)[:40]!r}; names and values are expected there.")
    return value


def _id(file: str, value: object) -> int:
    try:
        index = int(value) if isinstance(value, int | str) and not isinstance(value, bool) else -1
    except ValueError:
        index = -1
    if not 0 <= index < MAX_IDS:
        raise CheckpointError(f"{file} gives a token the id {str(value)[:40]!r}; a whole number is expected there.")
    return index


def _token(file: str, value: object, special: bool) -> AddedToken:
    """A token as the files contain it: its text alone, or its text and its options."""
    if isinstance(value, str) and value:
        return AddedToken(value, special=special, normalized=not special)
    content = value.get("content") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(content, str) or not content:
        raise CheckpointError(f"{file} describes a token as {str(value)[:40]!r}; its text is expected there.")
    special = special or value.get("special") is True
    flags = {name: value.get(name) is True for name in ("lstrip", "rstrip", "single_word")}
    normalized = value.get("normalized", not special) is True
    return AddedToken(content, special=special, normalized=normalized, **flags)
