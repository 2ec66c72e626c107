"""The tokenizer that belongs to a foreign model: its tokenizer.json, or the older files that say the same."""

import json
from pathlib import Path

from tokenizers import Tokenizer as Cutter
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from model.checkpoint import CheckpointError
from model.importers.folder import Folder, read_json
from model.subword import SubwordTokenizer


def read_tokenizer(folder: Folder, vocab_size: int, reads_marks: bool = False) -> SubwordTokenizer:
    """The tokenizer of a folder, for a model of `vocab_size` words. reads_marks: "[MASK]" can be typed.

    Raises:
        CheckpointError: it cannot be read, or knows a piece that the model has no vector for.
    """
    path = folder.path / folder.tokenizer
    build = {"tokenizer.json": _whole, "vocab.json": _pairs, "vocab.txt": _word_pieces}[folder.tokenizer]
    try:
        tokenizer = SubwordTokenizer(build(path), reads_marks)
    except CheckpointError:
        raise
    except Exception as error:  # the tokenizers library raises nothing more particular
        reason = str(error).partition("\n")[0]
        raise CheckpointError(f"The tokenizer {folder.tokenizer} cannot be read: {reason}.") from error
    if len(tokenizer.vocabulary) < vocab_size:
        return SubwordTokenizer(tokenizer.saved, reads_marks, vocab_size)
    if len(tokenizer.vocabulary) > vocab_size:
        raise CheckpointError(
            f"The tokenizer knows {len(tokenizer.vocabulary):,} pieces and the model {vocab_size:,}: they belong to "
            "different models."
        )
    return tokenizer


def _whole(path: Path) -> str:
    """The library's own JSON. Published ones often cut or fill up every text: here nothing is cut in silence."""
    return json.dumps(read_json(path) | {"truncation": None, "padding": None})


def _pairs(path: Path) -> str:
    """Byte-level BPE from GPT-2's two files: the pieces, and which pairs are joined, in which order."""
    merges = path.with_name("merges.txt").read_text(encoding="utf-8").splitlines()
    pairs = [(left, right) for left, right in (line.split(" ") for line in merges if line and line[:8] != "#version")]
    vocabulary = read_json(path)
    cutter = Cutter(models.BPE(vocab=vocabulary, merges=pairs))
    cutter.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    cutter.decoder = decoders.ByteLevel()
    if {"<s>", "</s>"} <= vocabulary.keys():  # RoBERTa puts its marks around every text; GPT-2 puts none
        cutter.add_special_tokens([mark for mark in ("<s>", "<pad>", "</s>", "<unk>", "<mask>") if mark in vocabulary])
        cutter.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[(mark, vocabulary[mark]) for mark in ("<s>", "</s>")]
        )
    elif "<|endoftext|>" in vocabulary:
        cutter.add_special_tokens(["<|endoftext|>"])
    return cutter.to_str()


def _word_pieces(path: Path) -> str:
    """WordPiece from BERT's list of pieces; whether it keeps capitals stands in tokenizer_config.json."""
    pieces = path.read_text(encoding="utf-8").splitlines()
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    told = path.with_name("tokenizer_config.json")
    lower = read_json(told).get("do_lower_case", True) is not False if told.is_file() else True
    cutter = Cutter(models.WordPiece(vocabulary, unk_token="[UNK]"))
    cutter.normalizer = normalizers.BertNormalizer(lowercase=lower)
    cutter.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    cutter.decoder = decoders.WordPiece()
    cutter.add_special_tokens([mark for mark in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]") if mark in vocabulary])
    cutter.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(mark, vocabulary[mark]) for mark in ("[CLS]", "[SEP]")]
    )
    return cutter.to_str()
