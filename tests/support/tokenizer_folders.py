"""Folders of tokenizers as they are found in the wild, over small vocabularies made here."""

import json
from pathlib import Path

from tokenizers import AddedToken, models, normalizers, pre_tokenizers, processors
from tokenizers import Tokenizer as Cutter
from tokenizers.pre_tokenizers import ByteLevel

BERT_MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA_MARKS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
END = "<|endoftext|>"
SPARE = 6  # rows of the model beyond the vocabulary: added tokens have room

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SINGLE = [
    *_LETTERS,
    *_LETTERS.upper(),
    *"0123456789",
    *".,!?'[]<>/|-",
    *"éüñÉßıİ",
    *"日本語東京かガー",
    "👍",
    "\u0301",
]
PIECES = [
    *_SINGLE,
    *(f"##{letter}" for letter in [*_LETTERS, *_LETTERS.upper(), *"0123456789éüñß日本語東京かガー\u0301"]),
    *("the", "The", "dog", "Dog", "##ing", "cafe", "café", "日本", "##本語", "naive", "naïve", "12", "##34"),
]
BERT = [*BERT_MARKS, *PIECES]
MPNET = ["<s>", "<pad>", "</s>", "<unk>", *PIECES, "[UNK]", "<mask>"]
MERGES = [
    "t h",
    "th e",
    "d o",
    "do g",
    "Ġ d",
    "Ġ t",
    "Ġt h",
    "Ġth e",
    "Ġd o",
    "Ġdo g",
    "Ã ©",
    "c a",
    "ca f",
    "1 2",
    "Ġ Ġ",
]
_JOINED = [merge.replace(" ", "") for merge in MERGES]
BYTES = [*sorted(ByteLevel.alphabet()), *_JOINED]
GPT2 = [*BYTES, END]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", *BYTES, "<mask>"]
OPT = ["<s>", "<pad>", "</s>", "<unk>", *BYTES]
GPT1_MERGES = ["t h", "th e</w>", "d o", "do g</w>", "c a", "ca f", "caf e</w>", "i n", "in g</w>", "\u2028 a</w>"]
GPT1 = [
    "<unk>",
    *_SINGLE,
    "\u2028",
    *(f"{letter}</w>" for letter in _SINGLE),
    *(merge.replace(" ", "") for merge in GPT1_MERGES),
]

TEXTS = (
    "",
    " ",
    "the dog",
    "The DOG barks, doesn't it?",
    "  the  dog  ",
    "the dog ",
    " dog",
    "the\ndog\n\nthe",
    "the\tdog",
    "café naïve résumé Éire straße İı",
    "cafe\u0301 n\u0303 x\u0301\u0323",
    "日本語 東京タワー か\u3099 ガ",
    "the日本dog語",
    "👍 the 👍🏽👩\u200d👩",
    "the\u2028dog\u0085the\x1cdog",
    "\u00a0the\u3000dog\ufeff",
    "12 1234 3.14 ٣",
    "[CLS] the [MASK] dog [SEP][PAD] [UNK]",
    "<s> the <mask> dog</s><pad> <unk>",
    f"the {END} dog{END}",
    "the<new>dog <NEW> <new> x",
    "the [EXTRA] dog [extra]",
    "supercalifragilisticexpialidocious" * 4,
    "ﬁ ½ ①",
)


def write(folder: Path, name: str, value: object) -> None:
    """One file: bytes and text as they are, everything else as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    text = value if isinstance(value, bytes | str) else json.dumps(value)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def ids(pieces: list[str]) -> dict[str, int]:
    assert len(set(pieces)) == len(pieces), "a piece stands twice"
    return {piece: index for index, piece in enumerate(pieces)}


def merges(pairs: list[str]) -> str:
    return "\n".join(["#version: 0.2", *pairs, ""])


def folder_of(folder: Path, model_type: str, **files: object) -> Path:
    """A folder with config.json and these files; "__" in a keyword stands for the dot: vocab__txt."""
    config = files.pop("config__json", {})
    write(folder, "config.json", {"model_type": model_type} | dict(config))
    for name, value in files.items():
        write(folder, name.replace("__", "."), value)
    return folder


def bert(model_type="bert", pieces=BERT, config=None, **more):
    """BERT's older file, and tokenizer_config.json where `config` is given."""

    def write_folder(folder):
        files = {"vocab__txt": "\n".join(pieces) + "\n"} | more
        if config is not None:
            files["tokenizer_config__json"] = config
        return folder_of(folder, model_type, **files)

    return write_folder


def bpe(model_type, pieces, config=None, pairs=MERGES, **more):
    """The two older files of byte-level BPE, and tokenizer_config.json where `config` is given."""

    def write_folder(folder):
        files = {"vocab__json": ids(pieces), "merges__txt": merges(pairs)} | more
        if config is not None:
            files["tokenizer_config__json"] = config
        return folder_of(folder, model_type, **files)

    return write_folder


def word_piece_json(lowercase=True, strip=None, chinese=True, around=True, pieces=BERT, added=()):
    cutter = Cutter(models.WordPiece(ids(pieces), unk_token="[UNK]"))
    cutter.normalizer = normalizers.BertNormalizer(
        lowercase=lowercase, strip_accents=strip, handle_chinese_chars=chinese
    )
    cutter.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    cutter.add_special_tokens([AddedToken(mark, special=True) for mark in BERT_MARKS])
    cutter.add_tokens(list(added))
    if around:
        cutter.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    return json.loads(cutter.to_str())


def byte_json(prefix=False, pieces=GPT2, marks=(END,), around=None, splitter=None, added=()):
    pairs = [tuple(merge.split(" ")) for merge in MERGES]
    cutter = Cutter(models.BPE(vocab=ids(pieces), merges=pairs))
    cutter.pre_tokenizer = splitter or ByteLevel(add_prefix_space=prefix)
    cutter.add_special_tokens([AddedToken(mark, special=True, lstrip=mark == "<mask>") for mark in marks])
    cutter.add_tokens(list(added))
    if around == "roberta":
        cutter.post_processor = processors.RobertaProcessing(
            ("</s>", pieces.index("</s>")), ("<s>", pieces.index("<s>")), True, prefix
        )
    elif around:
        cutter.post_processor = processors.TemplateProcessing(
            single=f"{around} $A", special_tokens=[(around, pieces.index(around))]
        )
    return json.loads(cutter.to_str())


def with_json(model_type, saved, config=None, **more):
    """tokenizer.json, and tokenizer_config.json where `config` is given."""

    def write_folder(folder):
        files = {"tokenizer__json": saved} | more
        if config is not None:
            files["tokenizer_config__json"] = config
        return folder_of(folder, model_type, **files)

    return write_folder


def token(content, **flags):
    """A token as added_tokens_decoder and special_tokens_map.json write it."""
    ordinary = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
    return {"content": content} | ordinary | flags


def typed_token(content, **flags):
    """A token as older tokenizer_config.json files write it."""
    return {"__type": "AddedToken"} | token(content, **flags)


_OPT = {
    "tokenizer_class": "GPT2Tokenizer",
    "add_bos_token": True,
    "add_prefix_space": False,
    "bos_token": typed_token("</s>", normalized=True),
    "eos_token": typed_token("</s>", normalized=True),
    "unk_token": typed_token("</s>", normalized=True),
    "pad_token": "<pad>",
}
_MAP = {"bos_token": END, "eos_token": END, "unk_token": END}
_GENERIC = {"tokenizer_class": "PreTrainedTokenizerFast"}
_NEW = AddedToken("<new>", normalized=True, rstrip=True)
_EXTRA = AddedToken("[EXTRA]", special=True)


def _whole(model, **parts):
    """A tokenizer.json of a model that no class of its own goes with."""
    cutter = Cutter(model)
    for name, part in parts.items():
        setattr(cutter, name, part)
    return json.loads(cutter.to_str())


_WORDS = ["<unk>", "the", "dog", "The", ",", "12"]
UNIGRAM = models.Unigram([("<unk>", 0.0), ("▁", -2.0), *((letter, -4.0) for letter in _SINGLE), ("▁the", -1.0)], 0)

# Every one of these is read, and its ids are those of `transformers`.
EQUAL = {
    # Older files of BERT
    "bert, vocab.txt alone": bert(),
    "bert, capitals kept": bert(config={"do_lower_case": False}),
    "bert, capitals kept, accents stripped": bert(config={"do_lower_case": False, "strip_accents": True}),
    "bert, accents kept": bert(config={"strip_accents": False}),
    "bert, Chinese not split": bert(config={"tokenize_chinese_chars": False}),
    "bert, class in tokenizer_config.json": bert("roberta", config={"tokenizer_class": "BertTokenizerFast"}),
    "bert, class in config.json": bert("roberta", config__json={"tokenizer_class": "BertTokenizer"}),
    "bert, a piece that is U+2028": bert(pieces=[*BERT[:9], "\u2028", *BERT[9:]]),
    "bert, a piece with U+0085 in it": bert(pieces=[*BERT[:9], "x\u0085y", "a\x1cb", *BERT[9:]]),
    "bert, lines that end as on Windows": bert(vocab__txt="\r\n".join(BERT) + "\r\n"),
    "bert, added_tokens.json": bert(added_tokens__json={"<new>": len(BERT), "[EXTRA]": len(BERT) + 1}),
    "bert, added_tokens.json, one special": bert(
        added_tokens__json={"<new>": len(BERT), "[EXTRA]": len(BERT) + 1},
        special_tokens_map__json={"additional_special_tokens": ["[EXTRA]"]},
    ),
    "bert, added_tokens_decoder": bert(
        config={
            "added_tokens_decoder": {
                **{str(index): token(mark, special=True) for index, mark in enumerate(BERT_MARKS)},
                str(len(BERT)): token("<new>", special=False, normalized=True, single_word=True),
            }
        }
    ),
    "bert, marks of other names": bert(
        pieces=["<pad>", "<unk>", "<s>", "</s>", "<mask>", *PIECES],
        special_tokens_map__json={
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "mask_token": "<mask>",
        },
    ),
    "distilbert": bert("distilbert", config={"do_lower_case": False, "tokenizer_class": "DistilBertTokenizer"}),
    "electra": bert("electra", config={"do_lower_case": True}),
    "mpnet": bert("mpnet", pieces=MPNET, config={"tokenizer_class": "MPNetTokenizer", "do_lower_case": True}),
    # Older files of byte-level BPE
    "gpt2, two files alone": bpe("gpt2", GPT2),
    "gpt2, a space put first": bpe("gpt2", GPT2, {"add_prefix_space": True}),
    "gpt2, a mark put first": bpe("gpt2", GPT2, {"add_bos_token": True}),
    "gpt2, an added [PAD]": bpe(
        "gpt2",
        GPT2,
        {"tokenizer_class": "GPT2Tokenizer"},
        added_tokens__json={"[PAD]": len(GPT2)},
        special_tokens_map__json=_MAP | {"pad_token": "[PAD]"},
    ),
    "gpt2, special_tokens_map.json names a new mark": bpe(
        "gpt2", GPT2, special_tokens_map__json=_MAP | {"bos_token": "<s>", "pad_token": "[PAD]"}
    ),
    "opt": bpe("opt", OPT, _OPT, special_tokens_map__json={name: token("</s>") for name in ("bos_token", "eos_token")}),
    "roberta, two files alone": bpe("roberta", ROBERTA),
    "roberta, a space put first": bpe("roberta", ROBERTA, {"add_prefix_space": True}),
    "roberta, a mask that takes the space": bpe(
        "roberta", ROBERTA, special_tokens_map__json={"mask_token": token("<mask>", lstrip=True)}
    ),
    "bart": bpe("bart", ROBERTA, {"tokenizer_class": "BartTokenizer"}),
    "longformer": bpe("longformer", ROBERTA),
    # The first GPT
    "openai-gpt": bpe("openai-gpt", GPT1, pairs=GPT1_MERGES),
    "openai-gpt, its mark named": bpe("openai-gpt", GPT1, {"unk_token": "<unk>"}, pairs=GPT1_MERGES),
    # tokenizer.json, and what stands beside it
    "tokenizer.json of bert": with_json("bert", word_piece_json()),
    "tokenizer.json that lowers, config that does not": with_json("bert", word_piece_json(), {"do_lower_case": False}),
    "tokenizer.json that does not lower, config that does": with_json(
        "bert", word_piece_json(lowercase=False), {"do_lower_case": True}
    ),
    "tokenizer.json, accents kept by the config": with_json("bert", word_piece_json(), {"strip_accents": False}),
    "tokenizer.json, Chinese not split by the config": with_json(
        "bert", word_piece_json(), {"tokenize_chinese_chars": False}
    ),
    "tokenizer.json of a general class, config contradicts": with_json(
        "bert", word_piece_json(lowercase=False), _GENERIC | {"do_lower_case": True}
    ),
    "tokenizer.json with added tokens": with_json("bert", word_piece_json(added=[_NEW, _EXTRA])),
    "tokenizer.json, added_tokens.json beside it": with_json(
        "bert", word_piece_json(), added_tokens__json={"<new>": len(BERT)}
    ),
    "tokenizer.json, the same token otherwise in added_tokens.json": with_json(
        "bert", word_piece_json(added=[_NEW]), added_tokens__json={"<new>": len(BERT)}
    ),
    "tokenizer.json, the same token otherwise in added_tokens_decoder": with_json(
        "bert",
        word_piece_json(added=[_NEW]),
        {"added_tokens_decoder": {str(len(BERT)): token("<new>", single_word=True, special=False)}},
    ),
    "tokenizer.json of a general class, a token otherwise in added_tokens_decoder": with_json(
        "bert",
        word_piece_json(added=[_NEW]),
        _GENERIC | {"added_tokens_decoder": {str(len(BERT)): token("<new>", lstrip=True, special=False)}},
    ),
    "tokenizer.json, a special token in the config": with_json(
        "bert", word_piece_json(), {"additional_special_tokens": ["[EXTRA]"]}
    ),
    "tokenizer.json of gpt2": with_json("gpt2", byte_json()),
    "tokenizer.json of gpt2, the config puts a space first": with_json("gpt2", byte_json(), {"add_prefix_space": True}),
    "tokenizer.json of gpt2, the config puts no space first": with_json(
        "gpt2", byte_json(prefix=True), {"add_prefix_space": False}
    ),
    "tokenizer.json of gpt2, add_bos_token beside it": with_json("gpt2", byte_json(), {"add_bos_token": True}),
    "tokenizer.json of opt": with_json("opt", byte_json(pieces=OPT, marks=("<pad>", "</s>"), around="</s>"), _OPT),
    "tokenizer.json of opt alone": with_json("opt", byte_json(pieces=OPT, marks=("<pad>", "</s>"), around="</s>")),
    "tokenizer.json, a named token that is not special there": with_json(
        "gpt2", byte_json(added=[_NEW]), {"pad_token": "<new>"}
    ),
    "tokenizer.json of a general class, a named token that is not special there": with_json(
        "gpt2", byte_json(added=[_NEW]), _GENERIC | {"pad_token": "<new>"}
    ),
    "roberta, a named token that is not special": bpe(
        "roberta",
        ROBERTA,
        {
            "bos_token": "<new>",
            "added_tokens_decoder": {str(len(ROBERTA)): token("<new>", special=False, normalized=True)},
        },
    ),
    "tokenizer.json of roberta": with_json("roberta", byte_json(pieces=ROBERTA, marks=ROBERTA_MARKS, around="roberta")),
    "tokenizer.json of a general class, numbers split": with_json(
        "gpt2",
        byte_json(
            splitter=pre_tokenizers.Sequence(
                [pre_tokenizers.Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
            )
        ),
        _GENERIC,
    ),
    "tokenizer.json of whole words": with_json(
        "bert",
        _whole(models.WordLevel(ids(_WORDS), unk_token="<unk>"), pre_tokenizer=pre_tokenizers.Whitespace()),
        _GENERIC,
    ),
    "tokenizer.json of unigrams": with_json(
        "bert", _whole(UNIGRAM, pre_tokenizer=pre_tokenizers.Metaspace(prepend_scheme="always")), _GENERIC
    ),
}

# Every one of these is refused, in a sentence that holds these words.
_HOW = ("save_pretrained", "tokenizer.json")
REFUSED = {
    "BertJapaneseTokenizer in tokenizer_config.json": (
        bert(config={"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "mecab"}),
        ("a BertJapaneseTokenizer", "no tokenizer.json"),
    ),
    "BertJapaneseTokenizer in config.json": (
        bert(config__json={"tokenizer_class": "BertJapaneseTokenizer"}),
        ("a BertJapaneseTokenizer", "no tokenizer.json"),
    ),
    "BertJapaneseTokenizer beside a tokenizer.json": (
        with_json("bert", word_piece_json(), {"tokenizer_class": "BertJapaneseTokenizer"}),
        ("a BertJapaneseTokenizer",),
    ),
    "PhoBERT": (
        bert("roberta", ["the 12", "dog@@ 9"], {"tokenizer_class": "PhobertTokenizer"}, bpe__codes="t h 9\n"),
        ("a PhobertTokenizer", "no tokenizer.json"),
    ),
    "PhoBERT whose class no file names": (
        bert("roberta", ["the 12", "dog@@ 9"], bpe__codes="t h 9\n"),
        ("vocab.txt is a RobertaTokenizer", *_HOW),
    ),
    "MPNet read as BERT": (bert(pieces=MPNET), ("no token “[CLS]”", "BertTokenizer")),
    "bert without its unknown piece": (bert(pieces=[p for p in BERT if p != "[UNK]"]), ("no token “[UNK]”",)),
    "OPT that does not state its </s>": (bpe("opt", OPT), ("</s>", "add_bos_token", "tokenizer.json")),
    "a kind of model that is not known": (bpe("own", GPT2), ("vocab.json", "neither", *_HOW)),
    "the older files of CLIP": (
        bpe("clip", GPT2, {"tokenizer_class": "CLIPTokenizer"}),
        ("a CLIPTokenizer", *_HOW),
    ),
    "the older files of Qwen": (bpe("qwen2", GPT2, {"tokenizer_class": "Qwen2Tokenizer"}), ("a Qwen2Tokenizer", *_HOW)),
    "the older files of Blenderbot": (
        bpe("blenderbot", GPT2, {"tokenizer_class": "BlenderbotTokenizer"}),
        ("a BlenderbotTokenizer", *_HOW),
    ),
    "do_basic_tokenize": (bert(config={"do_basic_tokenize": False}), ("do_basic_tokenize = False", *_HOW)),
    "never_split": (bert(config={"never_split": ["dog"]}), ("never_split", *_HOW)),
    "an added token with another id": (
        bert(added_tokens__json={"<new>": len(BERT) + 3}),
        ("“<new>”", f"the id {len(BERT) + 3}", f"it is {len(BERT)}"),
    ),
    "an added token with the id of a piece": (bert(added_tokens__json={"<new>": 7}), ("“<new>”", "the id 7")),
    "added_tokens.json with no number": (bert(added_tokens__json={"<new>": "seven"}), ("added_tokens.json", "'seven'")),
    "special_tokens_map.json with no text": (bert(special_tokens_map__json={"cls_token": 3}), ("as '3'",)),
    "an option that is neither true nor false": (bert(config={"strip_accents": "yes"}), ("strip_accents = 'yes'",)),
    "merges.txt with three pieces in a line": (bpe("gpt2", GPT2, pairs=["t h e"]), ("merges.txt", "two tokens")),
    "vocab.json without numbers": (bpe("gpt2", [], vocab__json={"a": "b"}), ("vocab.json", "whole number")),
    "vocab.txt that is no text": (bert(vocab__txt=b"the\xff"), ("vocab.txt cannot be read",)),
    "tokenizer.json that keeps capitals, nothing else says so": (
        with_json("bert", word_piece_json(lowercase=False)),
        ("lowercase = False", 'Write "do_lower_case": false into tokenizer_config.json'),
    ),
    "tokenizer.json that keeps accents, nothing else says so": (
        with_json("bert", word_piece_json(strip=False), {"do_lower_case": True}),
        ('"strip_accents": false',),
    ),
    "tokenizer.json of gpt2 that puts a space first, nothing else says so": (
        with_json("gpt2", byte_json(prefix=True)),
        ('Write "add_prefix_space": true into tokenizer_config.json',),
    ),
    "tokenizer.json of a general class, add_prefix_space contradicts": (
        with_json("gpt2", byte_json(), _GENERIC | {"add_prefix_space": True}),
        ("add_prefix_space = True", "the opposite"),
    ),
    "tokenizer.json with an added token that added_tokens_decoder lacks": (
        with_json(
            "roberta",
            byte_json(pieces=ROBERTA, marks=ROBERTA_MARKS, around="roberta"),
            {"added_tokens_decoder": {str(len(ROBERTA)): token("<new>", special=False)}},
        ),
        ("“<mask>”", "added_tokens_decoder"),
    ),
    "tokenizer.json of bert without its marks": (
        with_json("bert", word_piece_json(around=False)),
        ("post_processor", "PreTrainedTokenizerFast"),
    ),
    "tokenizer.json of gpt2 that splits numbers": (
        with_json(
            "gpt2",
            byte_json(splitter=pre_tokenizers.Sequence([pre_tokenizers.Digits(), ByteLevel(add_prefix_space=False)])),
        ),
        ("pre_tokenizer", "PreTrainedTokenizerFast"),
    ),
}
