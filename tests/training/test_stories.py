"""Learning from books: what is read, that a stopped training goes on as if it had not stopped, what heads are found."""

import json
import lzma
from dataclasses import replace

import numpy as np
import pytest
import torch
from equal import same_bits
from pytorch_reference import build
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from model import Experiment, checkpoint
from model.config import ModelConfig
from model.evaluation.head_roles import (
    DUPLICATE,
    EARLIER_TOKEN,
    FIRST,
    INDUCTION,
    NEXT_TOKEN,
    PUNCTUATION,
    RANDOM,
    ROLES,
    find_roles,
    gold_links,
    repeated_sequence,
)
from model.generation.generate import generate
from model.subword import train_bpe
from model.tasks.passages import PASSAGES
from model.tasks.task import PREVIOUS_TOKEN
from model.tokenizer import WordTokenizer
from model.train import main
from model.training.corpus import (
    WINDOWS,
    draw_windows,
    every_window,
    load_books,
    repeated_list,
    repeated_passage,
    tokenize_corpus,
    train_test_split,
)
from model.training.stories import StoriesRecipe, train_stories

BOOK = "\n".join(PASSAGES)
BOOKS = (BOOK, "\n".join(reversed(PASSAGES)))
PIECES = train_bpe(BOOKS, 400, space_first=False)
SHELF = tokenize_corpus(BOOKS, PIECES)
TINY = StoriesRecipe(
    pieces=300,
    config=ModelConfig(300, 1, 2, 8, 16, context=24, tied_unembedding=True),
    steps=6,
    batch=2,
    warmup=2,
    every=3,
    curve_windows=2,
    bfloat16=False,
)


# Books


def test_books_are_read_plain_or_packed(tmp_path):
    plain, packed = tmp_path / "books.txt", tmp_path / "books.txt.xz"
    plain.write_text("one\ntwo\n\nthree\n", encoding="utf-8")
    packed.write_bytes(lzma.compress(b"one\ntwo\n\nthree\n"))
    assert load_books(plain) == load_books(packed) == ("one\ntwo", "three")
    plain.write_text("\n \n", encoding="utf-8")
    with pytest.raises(ValueError, match="There is no text"):
        load_books(plain)


def test_what_is_held_out_is_not_learnt_and_nothing_is_lost():
    learnt, held_out = train_test_split(BOOKS)
    for before, after, book in zip(learnt, held_out, BOOKS, strict=True):
        assert f"{before}\n{after}" == book
        assert after


def test_books_on_the_shelf_are_the_books():
    assert PIECES.decode(SHELF.ids.tolist()) == "\n".join(BOOKS) + "\n"
    firsts = [PIECES.decode(SHELF.ids[begin : begin + 1].tolist()) for begin in SHELF.begins]
    paragraphs = [paragraph for book in BOOKS for paragraph in book.split("\n")]
    assert len(firsts) == len(paragraphs)
    assert all(paragraph.startswith(first) for first, paragraph in zip(firsts, paragraphs, strict=True))


def test_every_window_begins_with_the_start_mark_and_all_of_them_are_the_text():
    windows = every_window(SHELF, 20)
    assert set(windows[:, 0].tolist()) == {SHELF.start}
    assert windows[:, 1:].ravel().tolist() == SHELF.ids[: windows[:, 1:].size].tolist()


@pytest.mark.parametrize("again", [repeated_passage, repeated_list])
def test_what_is_told_again_is_the_same_until_the_window_ends(again):
    for seed in range(20):
        window = again(SHELF, 40, np.random.default_rng(seed))
        period = next(n for n in range(1, 40) if same_bits(window[n:], window[:-n]))
        assert period <= 20 and len(window) == 40  # at most half a window and the line's end


def test_the_shares_of_the_windows_are_those_declared():
    assert sum(share for share, _ in WINDOWS.values()) == pytest.approx(1)
    windows = draw_windows(SHELF, 300, 40, np.random.default_rng(0))
    repeats = sum(any(same_bits(row[1 + n :], row[1:-n]) for n in range(8, 21)) for row in windows)
    assert repeats / 300 == pytest.approx(1 - WINDOWS["prose"][0], abs=0.07)


# Training


def trained(tmp_path, recipe, resume=False):
    text = tmp_path / "books.txt"
    text.write_text("\n\n".join(BOOKS), encoding="utf-8")
    card = train_stories(text, recipe, 0, "command", tmp_path, resume, lambda step: None)
    return card, checkpoint.load("stories", tmp_path)[0].state_dict()


def test_other_seeds_stand_on_the_card_and_only_seeds_of_the_same_recipe(tmp_path):
    card, _ = trained(tmp_path, TINY)
    earlier = {"looked_at" if name == "curve_windows" else name: value for name, value in card["recipe"].items()}
    assert earlier != card["recipe"]
    other = card | {"seed": 7, "notes": [*card["notes"], "of this one alone"], "recipe": earlier}
    for name, seed_card in (("other", other), ("same", card), ("bigger", other | {"recipe": {}})):
        (tmp_path / name).write_text(json.dumps(seed_card), encoding="utf-8")
    main(["stories", "--beside", str(tmp_path / "other"), "--folder", str(tmp_path)])
    first, second = checkpoint.read_card("stories", tmp_path)["seeds"]
    assert (first["seed"], first["notes"]) == (0, [])
    assert (second["seed"], second["notes"]) == (7, ["of this one alone"])
    assert first["held_out"] == second["held_out"] == card["held_out"]
    assert first["best_head"].keys() == card["exam"]["relations"].keys()
    for wrong in ("same", "bigger"):
        with pytest.raises(ValueError, match="is not another seed"):
            main(["stories", "--beside", str(tmp_path / wrong), "--folder", str(tmp_path)])


def test_the_shipped_card_tells_the_spread_of_the_seeds():
    card = checkpoint.read_card("stories")
    assert card["seed"] in [seed["seed"] for seed in card["seeds"]]
    assert len({seed["held_out"]["loss"] for seed in card["seeds"]}) == len(card["seeds"]) >= 2


@pytest.mark.parametrize("entry", ["progress", "told"])  # the name of today, and that of an earlier version
def test_a_run_in_two_parts_is_the_run_in_one(tmp_path, entry):
    _, at_once = trained(tmp_path, TINY)
    part = tmp_path / "stories.seed-0.part"
    part.unlink()

    class Stopped(Exception):
        pass

    def stop(step):
        if step.number == 4:
            raise Stopped

    with pytest.raises(Stopped):
        train_stories(tmp_path / "books.txt", TINY, 0, "command", tmp_path, False, stop)
    with safe_open(part, "pt") as file:
        save_file(load_file(part), part, {entry: file.metadata()["progress"]})
    _, taken_up = trained(tmp_path, TINY, resume=True)
    assert all(same_bits(at_once[name], taken_up[name], "same operation") for name in at_once)


def test_the_learning_rate_rises_stays_and_falls_and_a_longer_run_begins_alike():
    rates = [StoriesRecipe(steps=1000).schedule.rate(step) for step in range(1000)]
    longer = [StoriesRecipe(steps=2000).schedule.rate(step) for step in range(1000)]
    assert max(rates) == rates[500] == StoriesRecipe().lr
    assert rates[:800] == longer[:800]
    assert rates[800:] == sorted(rates[800:], reverse=True)
    assert rates[-1] < StoriesRecipe().lr / 100


def test_nothing_to_take_up_is_said_in_a_sentence(tmp_path):
    with pytest.raises(checkpoint.CheckpointError, match="cannot be resumed"):
        trained(tmp_path, TINY, resume=True)


def test_a_state_of_another_recipe_is_refused(tmp_path):
    trained(tmp_path, TINY)
    other = replace(TINY, config=replace(TINY.config, d_model=16))
    with pytest.raises(checkpoint.CheckpointError, match="cannot be resumed"):
        trained(tmp_path, other, resume=True)


def test_the_command_asks_for_books(capsys):
    with pytest.raises(SystemExit):
        main(["stories"])
    assert "--text FILE" in capsys.readouterr().err


# Roles


def test_the_links_of_a_text_by_hand():
    encoding = WordTokenizer(("a", "b", "c", ".")).encode("a . b c a")
    links = {(link.name, link.query, link.keys) for link in gold_links(encoding)}
    assert {(name, query, keys) for name, query, keys in links if name == PREVIOUS_TOKEN} == {
        (PREVIOUS_TOKEN, t, (t - 1,)) for t in (2, 3, 4, 5)
    }
    assert {keys for name, _, keys in links if name == FIRST} == {(0,)}
    assert {(q, k) for name, q, k in links if name == PUNCTUATION} == {(4, (2,)), (5, (2,))}
    assert not {link.name for link in gold_links(encoding)} & {EARLIER_TOKEN, NEXT_TOKEN}
    assert NEXT_TOKEN in {link.name for link in gold_links(encoding, causal=False)}


def test_pieces_of_a_word_look_at_its_pieces_before():
    encoding = PIECES.encode("a zyx")
    pieces = [t for t, word in enumerate(encoding.word_ids) if word == 2]
    assert len(pieces) > 1
    links = [(link.query, link.keys) for link in gold_links(encoding) if link.name == EARLIER_TOKEN]
    assert links == [(t, tuple(pieces[:index])) for index, t in enumerate(pieces) if index]


def test_tokens_said_twice_stand_where_the_links_say():
    ids, relations = repeated_sequence(PIECES, 12, np.random.default_rng(0))
    assert ids[0] == SHELF.start and len(ids) == 25
    assert not set(ids[1:]) & set(PIECES.special_ids)
    for link in relations:
        (key,) = link.keys
        if link.name == DUPLICATE:
            assert ids[key] == ids[link.query]
        else:
            assert ids[key - 1] == ids[link.query] and ids[key] == ids[link.query + 1]


@pytest.mark.parametrize("causal", [True, False])
def test_roles_are_found_in_any_model_with_any_tokenizer(causal):
    for tokenizer in (PIECES, WordTokenizer(tuple("abcdefgh"))):
        config = ModelConfig(len(tokenizer.vocabulary), 2, 2, 8, 8, causal=causal)
        roles = find_roles(build(config, 0, torch.device("cpu")).float(), tokenizer, ["a b. c", "d e"], repeats=2, n=6)
        assert set(roles.relations) <= set(ROLES)
        assert {FIRST, PREVIOUS_TOKEN, INDUCTION, DUPLICATE} <= set(roles.relations)
        assert (NEXT_TOKEN in roles.relations) == (not causal)
        assert all(score.mass.shape == (2, 2) for score in roles.relations.values())
        assert [measured.n for name, measured in roles.accuracy.items() if name == RANDOM] == ([10] if causal else [])


# What is shipped


def test_the_shipped_card_holds_on_fresh_tokens_and_on_the_passages():
    card = checkpoint.read_card("stories")
    transformer, tokenizer = checkpoint.load("stories")
    roles_of_heads = find_roles(transformer, tokenizer, PASSAGES[::2], repeats=12, seed=1)
    assert roles_of_heads.loss == pytest.approx(card["exam"]["loss"], abs=0.3)
    for name, reported in card["exam"]["accuracy"].items():
        assert roles_of_heads.accuracy[name].share == pytest.approx(reported["share"], abs=0.12), name
    for name, score in card["exam"]["relations"].items():
        for measure in ("mass", "top1"):
            allowed = 4 * np.sqrt(0.25 * (1 / score["n"] + 1 / roles_of_heads.relations[name].n)) + 0.02
            np.testing.assert_allclose(getattr(roles_of_heads.relations[name], measure), score[measure], atol=allowed)


def test_the_shipped_weights_are_small_and_say_how_they_were_made():
    card = checkpoint.read_card("stories")
    assert (checkpoint.TRAINED / "stories.safetensors").stat().st_size <= 8_000_000
    assert card["command"].startswith("python -m model.train stories --text FILE")
    assert card["curve"][-1]["step"] == card["recipe"]["steps"]
    assert card["held_out"]["bits_per_character"] < 1.9
    assert card["samples"]


def test_any_text_is_read_and_written_on():
    generation = generate(Experiment("stories", "Zebulon’s naïve 🦊 Ωmega\n"), 6, "sample", seed=2, top_p=0.9)
    assert generation.text.startswith("Zebulon’s naïve 🦊 Ωmega\n")
    assert "<unk>" not in generation.trace.tokens
