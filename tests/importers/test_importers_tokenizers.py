"""The tokenizers of foreign folders: the ids of `transformers`, or a refusal; and every letter is on the page."""

import json

import pytest
from foreign import publish, random_model
from tokenizer_folders import (
    BYTES,
    EQUAL,
    GPT1,
    GPT1_MERGES,
    GPT2,
    REFUSED,
    SPARE,
    TEXTS,
    bert,
    bpe,
    byte_json,
    ids,
    with_json,
    write,
)
from tokenizers import AddedToken, decoders, models
from tokenizers import Tokenizer as Cutter
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Whitespace
from transformers import AutoTokenizer

from model.checkpoint import CheckpointError
from model.importers import inspect_folder, read
from model.importers.folder import BESIDE_TOKENIZER, MAX_JSON, Folder, read_json
from model.importers.hub import PLAIN
from model.importers.tokenizers.load import read_tokenizer
from model.tokenizer import clean

FILES = ("tokenizer.json", "vocab.json", "vocab.txt")


def opened(path, size, reads_marks=False):
    """The tokenizer of a folder that holds no weights, for a model of this many words."""
    file = next(name for name in FILES if (path / name).is_file())
    folder = Folder(path=path, config=read_json(path / "config.json"), claims={}, tokenizer=file, stamp=())
    return read_tokenizer(folder, size, reads_marks)


@pytest.mark.parametrize("name", EQUAL)
def test_the_ids_are_those_of_transformers(name, tmp_path):
    path = EQUAL[name](tmp_path)
    theirs = AutoTokenizer.from_pretrained(path, local_files_only=True)
    size = len(theirs) + SPARE
    as_text, as_marks = opened(path, size), opened(path, size, reads_marks=True)
    for text in map(clean, TEXTS):
        assert list(as_marks.encode(text).ids) == theirs(text)["input_ids"], text
        assert list(as_text.encode(text).ids) == theirs(text, split_special_tokens=True)["input_ids"], text


@pytest.mark.parametrize("name", EQUAL)
def test_without_the_characters_that_are_left_out_the_ids_are_the_same(name, tmp_path):
    tokenizer = opened(EQUAL[name](tmp_path), 2000)
    for text in TEXTS:
        lost = tokenizer.left_out(text)
        kept = "".join(letter for letter in clean(text) if letter not in lost)
        assert tokenizer.encode(kept).ids == tokenizer.encode(text).ids, text
        assert not tokenizer.left_out(kept), text


def test_the_table_is_long_enough():
    assert len(EQUAL) >= 30 and len(EQUAL) + len(REFUSED) >= 60


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_is_refused_in_one_sentence(name, tmp_path):
    make, words = REFUSED[name]
    with pytest.raises(CheckpointError) as error:
        opened(make(tmp_path), 400)
    message = str(error.value)
    assert message.endswith(".") and "\n" not in message and len(message) < 400, message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize("name", EQUAL)
def test_every_letter_of_a_text_is_on_the_page(name, tmp_path):
    path = EQUAL[name](tmp_path)
    tokenizer = opened(path, len(AutoTokenizer.from_pretrained(path, local_files_only=True)) + SPARE)
    for text in ("the dog", "dog  the 12", "12 dog"):
        encoding = tokenizer.encode(text)
        read = [position for position, index in enumerate(encoding.ids) if index not in tokenizer.special_ids]
        letters = "".join(encoding.surface[position].strip("·␣") for position in read)
        assert letters == text.replace(" ", ""), encoding.surface
        assert "<unk>" not in encoding.tokens
        alone = "".join(tokenizer.vocabulary[encoding.ids[position]].strip("·␣") for position in read)
        assert alone == letters, "a piece in the vocabulary has the letters that it has in a text"


def test_the_words_of_the_first_gpt_are_drawn_without_the_mark_of_their_end(tmp_path):
    tokenizer = opened(bpe("openai-gpt", GPT1, pairs=GPT1_MERGES)(tmp_path), len(GPT1))
    encoding = tokenizer.encode("The cafes are doing it.")
    assert encoding.tokens[:3] == ("the", "caf", "·e")
    assert encoding.words == ("The", "cafes", "are", "doing", "it", ".")
    assert tokenizer.decode(encoding.ids) == "the cafes are doing it ."
    assert not any("</w>" in piece for piece in tokenizer.vocabulary)
    assert tokenizer.vocabulary[GPT1.index("t")] == "t·", "a piece after which the word goes on"
    assert tokenizer.vocabulary[GPT1.index("t</w>")] == "t", "a piece with which a word ends"
    assert tokenizer.append_tokens("The dog", encoding.ids[:1]) == "The dog the"


ADDED = AddedToken("[PAD]", special=True)
WITHOUT_A_ROW = {
    "older files": bpe(
        "gpt2", GPT2, added_tokens__json={"[PAD]": len(GPT2)}, special_tokens_map__json={"pad_token": "[PAD]"}
    ),
    "tokenizer.json": with_json("gpt2", byte_json(added=[ADDED]), {"pad_token": "[PAD]"}),
    "tokenizer.json without it, config with it": with_json("gpt2", byte_json(), {"pad_token": "[PAD]"}),
    "a token that is not special": with_json("gpt2", byte_json(added=[AddedToken("<new>")])),
}


@pytest.mark.parametrize("reads_marks", [False, True])
@pytest.mark.parametrize("name", WITHOUT_A_ROW)
def test_an_added_token_that_the_model_has_no_vector_for_is_read_as_letters(name, reads_marks, tmp_path):
    tokenizer = opened(WITHOUT_A_ROW[name](tmp_path), len(GPT2), reads_marks)
    without = opened(bpe("gpt2", GPT2)(tmp_path / "without"), len(GPT2), reads_marks)
    assert len(tokenizer.vocabulary) == len(GPT2)
    for text in (*TEXTS, "the [PAD] dog[PAD]"):
        assert tokenizer.encode(text).ids == without.encode(text).ids
        assert max(tokenizer.encode(text).ids, default=0) < len(GPT2)


def test_a_vocabulary_beyond_the_model_is_refused_also_where_an_added_token_is_dropped(tmp_path):
    path = with_json("gpt2", byte_json(added=[ADDED]))(tmp_path)
    with pytest.raises(CheckpointError, match=f"knows {len(GPT2) + 1} tokens and the model {len(GPT2) - 1}:"):
        opened(path, len(GPT2) - 1)


def test_a_token_put_before_every_text_must_have_a_vector(tmp_path):
    path = bpe("gpt2", GPT2, {"add_bos_token": True, "bos_token": "<new>"})(tmp_path)
    assert opened(path, len(GPT2) + 1).encode("the").ids[0] == len(GPT2)
    with pytest.raises(CheckpointError, match="belong to different models"):
        opened(path, len(GPT2))


@pytest.mark.parametrize(
    "name", ["vocab.txt", "merges.txt", "vocab.json", "tokenizer_config.json", "added_tokens.json"]
)
def test_no_file_is_read_beyond_the_bound(name, tmp_path):
    path = (bert() if name == "vocab.txt" else bpe("gpt2", GPT2))(tmp_path)
    with (path / name).open("wb") as file:
        file.truncate(MAX_JSON + 1)  # a file with a hole: it takes no room
    with pytest.raises(CheckpointError, match=rf"{name} has {MAX_JSON + 1:,} bytes"):
        opened(path, 400)


@pytest.mark.parametrize("name", BESIDE_TOKENIZER)
def test_a_change_in_a_file_beside_the_vocabulary_is_noticed(name, tmp_path):
    publish(random_model("gpt2"), tmp_path)
    (tmp_path / name).write_text("{}")
    offer = inspect_folder(tmp_path)
    (tmp_path / name).write_text("{ }")
    with pytest.raises(CheckpointError, match="have changed"):
        read(offer)


def test_the_hub_is_asked_for_every_file_that_decides_over_the_ids():
    assert {*BESIDE_TOKENIZER, *FILES} <= set(PLAIN)


def test_a_whole_folder_is_refused_with_the_sentence_of_its_tokenizer(tmp_path):
    publish(random_model("bert"), tmp_path)
    write(tmp_path, "tokenizer_config.json", {"tokenizer_class": "BertJapaneseTokenizer"})
    with pytest.raises(CheckpointError, match="a BertJapaneseTokenizer, which runs in Python"):
        read(inspect_folder(tmp_path))


def test_an_added_token_is_drawn_as_it_is_written(tmp_path):
    path = with_json("gpt2", byte_json(added=[AddedToken("naïve"), AddedToken(" Ġñ")]))(tmp_path)
    tokenizer = opened(path, len(GPT2) + 2)
    encoding = tokenizer.encode("the naïve dog")
    assert encoding.ids[2] == len(GPT2) and encoding.surface[2] == "·naïve"
    assert tokenizer.vocabulary[len(GPT2) :] == ("·naïve", "Ġñ")
    assert tokenizer.decode(encoding.ids) == "the naïve dog"


def test_whole_words_are_drawn_without_the_mark_of_a_part(tmp_path):
    tokenizer = opened(EQUAL["tokenizer.json of whole words"](tmp_path), 8)
    assert tokenizer.vocabulary[1:4] == ("the", "dog", "The")
    assert tokenizer.decode(tokenizer.encode("the dog").ids) == "the dog"


def test_bytes_in_pieces_that_state_the_end_of_a_word_are_drawn_as_letters(tmp_path):
    pieces = [*BYTES, *(f"{letter}</w>" for letter in sorted(ByteLevel.alphabet())), "Ã©</w>", "dog</w>"]
    pairs = [("Ã", "©</w>"), ("d", "o"), ("do", "g</w>")]
    cutter = Cutter(models.BPE(vocab=ids(pieces), merges=pairs, end_of_word_suffix="</w>"))
    cutter.pre_tokenizer = Sequence([Whitespace(), ByteLevel(add_prefix_space=False)])
    cutter.decoder = decoders.ByteLevel()
    path = with_json("clip", json.loads(cutter.to_str()))(tmp_path)
    tokenizer = opened(path, len(pieces))
    encoding = tokenizer.encode("dog é")
    assert encoding.surface == ("dog", "é")
    assert tokenizer.decode(encoding.ids) == "dog é"
    assert tokenizer.vocabulary[pieces.index("dog</w>")] == "dog" and tokenizer.vocabulary[pieces.index("do")] == "do·"
