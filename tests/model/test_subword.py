"""Pieces: any text goes in, comes out again, and every piece can be seen."""

import pytest
import torch
from equal import same_bits
from hypothesis import example, given
from hypothesis import strategies as st
from pytorch_reference import build
from tokenizers import Tokenizer as Cutter
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from model import checkpoint
from model.config import ModelConfig
from model.subword import CONTINUATION, SubwordTokenizer, train_bpe
from model.tokenizer import INVISIBLE, START, UNKNOWN, WordTokenizer, clean, split

BOOK = ["The wizard near the bridge met the old wizard.", "“No,” said the fox, “the bridge is mine.”"] * 3
OURS = train_bpe(BOOK, 320)
any_text = st.text(max_size=60)


def gpt2(*merges):
    """A byte-level BPE as GPT-2 has it: no start mark, no space before the first word."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: index for index, piece in enumerate([*alphabet, *("".join(pair) for pair in merges)])}
    cutter = Cutter(models.BPE(vocabulary, list(merges)))
    cutter.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    cutter.decoder = decoders.ByteLevel()
    return SubwordTokenizer(cutter.to_str())


def bert(*pieces):
    """A WordPiece as BERT has it, marks around every text."""
    marks = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
    vocabulary = {piece: index for index, piece in enumerate((*marks, *pieces))}
    cutter = Cutter(models.WordPiece(vocabulary, unk_token="[UNK]"))
    cutter.add_special_tokens(list(marks))
    cutter.normalizer = normalizers.BertNormalizer()
    cutter.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    cutter.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    cutter.decoder = decoders.WordPiece()
    return SubwordTokenizer(cutter.to_str())


def test_a_known_word_is_one_piece_and_a_rare_one_is_several_with_a_mark_where_they_join():
    encoding = OURS.encode("the wizardly fox")
    assert encoding.tokens[:2] == (START, "the")
    joined = [token.startswith(CONTINUATION) for token in encoding.tokens]
    assert any(joined)
    for index, word in enumerate(encoding.word_ids):
        assert joined[index] == (index > 0 and encoding.word_ids[index - 1] == word)
    assert encoding.words == (START, "the", "wizardly", "fox")


def test_pairs_are_joined_by_hand():
    tokenizer = gpt2(("a", "b"), ("Ġ", "c"))
    encoding = tokenizer.encode("abab cab c")
    assert encoding.tokens == ("ab", "·ab", "c", "·ab", "c")
    assert encoding.word_ids == (0, 0, 1, 1, 2)
    assert encoding.words == ("abab", "cab", "c")
    drawn = [tokenizer.vocabulary[index] for index in encoding.ids]
    assert drawn == ["·ab", "·ab", "c", "·ab", "c"]  # alone, a piece without a space before it counts as joined


@given(text=any_text)
@example(text=" a")  # a space of its own, which no tokenizer has put there
@example(text="\x0c")  # which `clean` turns into a space
def test_any_text_comes_back(text):
    text = clean(text)
    assert OURS.decode(OURS.encode(text).ids) == text.removeprefix(" ")
    assert gpt2().decode(gpt2().encode(text).ids) == text


@given(text=any_text)
def test_nothing_is_ever_unknown_or_invisible(text):
    encoding = OURS.encode(text)
    assert not encoding.unknown
    assert encoding.ids[0] == OURS.token_id(START)
    for token in (*encoding.tokens, *encoding.words):
        assert token.strip() and not INVISIBLE.search(token)
    assert encoding.surface == encoding.tokens


@given(text=any_text)
def test_every_piece_has_its_word_and_words_come_in_their_order(text):
    for tokenizer in (OURS, gpt2(("t", "h"))):
        encoding = tokenizer.encode(text)
        assert len(encoding.word_ids) == len(encoding.ids) == len(encoding.tokens)
        steps = [after - before for before, after in zip(encoding.word_ids, encoding.word_ids[1:], strict=False)]
        assert set(steps) <= {0, 1}
        assert sorted(set(encoding.word_ids)) == list(range(len(encoding.words)))


@given(words=st.lists(st.sampled_from(["the", "Wizards", "don't", "fox", ".", "naïve", "🦊", "x1"]), max_size=8))
def test_the_words_of_pieces_are_the_words_of_the_word_tokenizer(words):
    text = " ".join(words)
    assert OURS.encode(text).words[1:] == split(text)


def test_a_byte_that_is_no_character_is_shown_as_its_number():
    fox = OURS.encode("a 🦊")
    assert fox.tokens[-4:] == ("·⟨f0⟩", "·⟨9f⟩", "·⟨a6⟩", "·⟨8a⟩")
    assert fox.words[-1] == "🦊"
    assert OURS.decode(fox.ids[-2:]) == "�" * 2  # half a character


def test_blanks_are_seen():
    assert OURS.encode("a\n\tb").tokens[-3:] == ("↵", "⇥", "·b")
    assert OURS.encode("a  b ").tokens[-1] == "␣"


def test_a_special_token_that_is_typed_is_read_letter_by_letter():
    encoding = OURS.encode("<s> <pad>")
    assert encoding.ids.count(OURS.token_id(START)) == 1
    assert OURS.decode(encoding.ids) == "<s> <pad>"
    assert OURS.special_ids == (0, 1)


def test_every_piece_of_the_vocabulary_is_drawn_in_its_own_way():
    assert len(set(OURS.vocabulary)) == len(OURS.vocabulary)
    assert all(piece.strip() for piece in OURS.vocabulary)


@given(text=any_text, more=any_text)
@example(text="0", more="\x1f")
@example(text="0", more=" a")
@example(text="", more=" a")
def test_writing_on_adds_what_the_pieces_say(text, more):
    ids, more = OURS.encode(more).ids, clean(more)
    between = "" if more[:1] == " " or not more else " "
    assert OURS.append_tokens(text, ids) == (text + between + more if text else more.removeprefix(" "))


def test_writing_on_keeps_what_was_typed():
    words = WordTokenizer(("the", "fox"))
    assert words.append_tokens("Strangers  here ", (3, 4)) == "Strangers  here the fox"
    assert words.append_tokens("", (2, 3)) == "the"
    pieces = bert("wiz", "##ard", "near")
    assert pieces.append_tokens("the", (4, 5, 6)) == "the wizard near"
    assert pieces.append_tokens("the wiz", (5,)) == "the wizard"


def test_word_pieces_are_drawn_like_byte_pairs():
    encoding = bert("the", "wiz", "##ard", "cafe", ".").encode("The Wizard café 🦊.")
    assert encoding.tokens == ("[CLS]", "the", "wiz", "·ard", "cafe", UNKNOWN, ".", "[SEP]")
    assert encoding.surface[5] == "🦊"
    assert encoding.unknown == (5,)
    assert encoding.words == ("[CLS]", "The", "Wizard", "café", "🦊", ".", "[SEP]")
    assert encoding.word_ids == (0, 1, 2, 2, 3, 4, 5, 6)


def test_a_tokenizer_comes_back_from_its_file(tmp_path):
    config = ModelConfig(len(OURS.vocabulary), 1, 2, 8, 8)
    transformer = build(config, 0, torch.device("cpu")).float()
    checkpoint.save("pieces", transformer, OURS, {"task": "none"}, tmp_path, half=True)
    assert checkpoint.names(tmp_path) == ("pieces",)
    loaded, tokenizer = checkpoint.load("pieces", tmp_path)
    assert tokenizer.vocabulary == OURS.vocabulary
    assert tokenizer.encode("the wizardly 🦊") == OURS.encode("the wizardly 🦊")
    for name, tensor in transformer.state_dict().items():
        assert same_bits(loaded.state_dict()[name], tensor.half().float(), "copied"), name


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"model": {}}', '{"version": "1.0"}', "x" * 9])
def test_a_file_that_holds_no_tokenizer_is_refused_in_one_sentence(tmp_path, content):
    with pytest.raises(ValueError, match="the tokenizer cannot be read"):
        SubwordTokenizer(content)
    transformer = build(ModelConfig(len(OURS.vocabulary), 1, 2, 8, 8), 0, torch.device("cpu"))
    checkpoint.save("pieces", transformer, OURS, {}, tmp_path)
    (tmp_path / "pieces.tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(checkpoint.CheckpointError, match=r'pieces\.tokenizer\.json of "pieces" cannot be read'):
        checkpoint.load("pieces", tmp_path)
    (tmp_path / "pieces.tokenizer.json").unlink()
    with pytest.raises(checkpoint.CheckpointError, match="cannot be read"):
        checkpoint.load("pieces", tmp_path)
