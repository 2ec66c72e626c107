"""The tokenizers that can be built from their class and vocabulary, as `transformers` builds them.

They are the WordPiece of BERT and MPNet (Devlin et al. 2019; Song et al. 2020), the byte-level BPE of GPT-2 and RoBERTa
(Radford et al. 2019; Liu et al. 2019), and the BPE of the first GPT, whose pieces have "</w>" at the end of a word
(Radford et al. 2018).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers import Tokenizer as Cutter

from model.checkpoint import CheckpointError
from model.importers.tokenizers.settings import NAMED, TokenizerSettings

WORD_END = "</w>"
BERT_OPTIONS = {  # in tokenizer_config.json → in the library's normalizer, and its default
    "do_lower_case": ("lowercase", True),
    "strip_accents": ("strip_accents", None),  # None: stripped if letters are lowered
    "tokenize_chinese_chars": ("handle_chinese_chars", True),
}


@dataclass(frozen=True)
class Kind:
    """One class of tokenizers: its vocabulary file, its special tokens, and its method."""

    vocabulary: str  # "vocab.txt", or "vocab.json" with merges.txt beside it
    model: str  # the library's name for its method: "WordPiece" or "BPE"
    bytes: bool  # over bytes, or over letters after BERT's normalization
    special: Mapping[str, str]  # its special tokens, unless a file names others
    around: tuple[str, str] | None  # the names of the tokens that it adds before and after every text


_ROBERTA = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
    "mask_token": "<mask>",
}
_BERT = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
_END = "<|endoftext|>"
_AROUND = ("cls_token", "sep_token")
KINDS = {
    "BertTokenizer": Kind("vocab.txt", "WordPiece", False, _BERT, _AROUND),
    "MPNetTokenizer": Kind("vocab.txt", "WordPiece", False, _ROBERTA | {"unk_token": "[UNK]"}, _AROUND),
    "RobertaTokenizer": Kind("vocab.json", "BPE", True, _ROBERTA, _AROUND),
    "GPT2Tokenizer": Kind("vocab.json", "BPE", True, {"bos_token": _END, "eos_token": _END, "unk_token": _END}, None),
    "OpenAIGPTTokenizer": Kind("vocab.json", "BPE", False, {"unk_token": "<unk>"}, None),
}


def special_tokens(kind: Kind, settings: TokenizerSettings) -> dict[str, AddedToken]:
    """The named special tokens of a tokenizer: those of its class, unless a file names others."""
    default = {name: AddedToken(content, special=True) for name, content in kind.special.items()}
    if (
        kind.vocabulary == "vocab.txt" and "<mask>" in kind.special.values()
    ):  # MPNet's mask token includes the space before it
        default["mask_token"] = AddedToken("<mask>", special=True, lstrip=True)
    given = {**default, **settings.special}
    return {name: given[name] for name in NAMED if name in given}


def build(
    settings: TokenizerSettings, vocabulary: Mapping[str, int], merges: list[tuple[str, str]] | None = None
) -> Cutter:
    """The tokenizer of this class over this vocabulary, with its added tokens.

    vocabulary: piece → id; merges: for BPE, the pairs that are joined, in this order.

    Raises:
        CheckpointError: a required token has no id, or another one than the files state.
    """
    kind = KINDS[settings.kind]
    special = special_tokens(kind, settings)
    unknown = special["unk_token"].content
    needed = [special[name].content for name in kind.around or ()]
    known = vocabulary.keys() | {token.content for token in settings.added.values()}
    for piece in needed if kind.bytes else (*needed, unknown):
        if piece not in known:
            raise CheckpointError(_lacks(piece, settings))
    if kind.model == "WordPiece":
        cutter = Cutter(models.WordPiece(dict(vocabulary), unk_token=unknown))
        cutter.decoder = decoders.WordPiece()
    elif kind.bytes:
        cutter = Cutter(models.BPE(vocab=dict(vocabulary), merges=merges or []))
        cutter.decoder = decoders.ByteLevel()
    else:
        model = models.BPE(vocab=dict(vocabulary), merges=merges or [], unk_token=unknown, end_of_word_suffix=WORD_END)
        cutter = Cutter(model)
        cutter.decoder = decoders.BPEDecoder(suffix=WORD_END)
    if kind.bytes:
        cutter.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=bool(settings.flag("add_prefix_space", False)))
    else:
        fixed = kind.model == "BPE"  # the first GPT has no options, and lowers every letter
        lowers, strips, spaces = (
            default if fixed else settings.flag(name, default) for name, (_, default) in BERT_OPTIONS.items()
        )
        cutter.normalizer = normalizers.BertNormalizer(
            lowercase=lowers is True, strip_accents=strips, handle_chinese_chars=spaces is True
        )
        cutter.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    add_tokens(cutter, settings, special)
    _surround(cutter, kind, settings, special)
    return cutter


def missing_tokens(
    known: Iterable[AddedToken], settings: TokenizerSettings, special: Mapping[str, AddedToken]
) -> list[AddedToken]:
    """The tokens to add to the `known` ones, or to replace known ones with other options."""
    existing = {token.content: token for token in known}
    wanted = dict(existing)
    for token in settings.added.values():
        if token.content not in wanted or settings.outranks:
            wanted[token.content] = token
    for token in (*special.values(), *settings.extra):
        wanted.setdefault(token.content, token)
    for token in special.values():  # a token with a name is special, even if a file lists it as not special
        if not wanted[token.content].special:
            wanted[token.content] = _as_special(wanted[token.content])
    return [token for content, token in wanted.items() if repr(token) != repr(existing.get(content))]


def _as_special(token: AddedToken) -> AddedToken:
    return AddedToken(
        token.content,
        single_word=token.single_word,
        lstrip=token.lstrip,
        rstrip=token.rstrip,
        normalized=token.normalized,
        special=True,
    )


def add_tokens(cutter: Cutter, settings: TokenizerSettings, special: Mapping[str, AddedToken]) -> None:
    """Add the missing added and special tokens to a tokenizer, in place.

    Raises:
        CheckpointError: a file gives a token another id than its own or the next free one.
    """
    for token in missing_tokens(cutter.get_added_tokens_decoder().values(), settings, special):
        cutter.add_tokens([token])
    for index, token in settings.added.items():
        if (given := cutter.token_to_id(token.content)) != index:
            raise CheckpointError(
                f"The files give the added token “{token.content[:40]}” the id {index:,}; in the vocabulary it is "
                f"{given:,}."
            )


def _surround(cutter: Cutter, kind: Kind, settings: TokenizerSettings, special: Mapping[str, AddedToken]) -> None:
    """Make the tokenizer add its special tokens before and after every text."""
    if kind.around:
        before, after = ([special[name].content] for name in kind.around)
    else:
        ends = (("add_bos_token", "bos_token"), ("add_eos_token", "eos_token"))
        before, after = (
            [special[name].content] if settings.flag(option, False) and name in special else [] for option, name in ends
        )
    if before or after:
        ids = {mark: cutter.token_to_id(mark) for mark in (*before, *after)}
        cutter.post_processor = processors.TemplateProcessing(
            single=[*before, "$A", *after], special_tokens=list(ids.items())
        )


def _lacks(piece: str, settings: TokenizerSettings) -> str:
    return f"The vocabulary has no token “{piece[:40]}”, which a {settings.kind} needs."
