"""Which came first? The task, the small models with every scheme, and what their cards say of long questions."""

from functools import cache
from itertools import islice
from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorch_reference import build, configs, seeds
from test_trained import tolerance

from model import checkpoint
from model.evaluation.first_digit import accuracy, p_correct, to_ids
from model.position import POSITIONS
from model.tasks.first_digit import DIGITS, LETTERS, QUERY_TOKEN, WORDS, FirstDigitQuestion, make_question
from model.tokenizer import WordTokenizer
from model.train import main
from model.training.first_digit import KINDS, ORDER_RECIPES, FirstDigitTraining, OrderRecipe

FRESH, N = 11, 300
TOKENIZER = WordTokenizer(WORDS)
BEYOND = [length for length in OrderRecipe.lengths if length > OrderRecipe.longest]


# ---------------------------------------------------------------------------- the task


@given(length=st.integers(2, 100), seed=seeds)
def test_a_question_holds_two_digits_and_the_answer_is_the_first(length, seed):
    question = make_question(length, Random(seed))
    assert len(question.words) == length + 1 and question.words[-1] == QUERY_TOKEN
    digits = [word for word in question.words if word in DIGITS]
    assert digits == [question.first, question.second] and question.first != question.second
    assert all(word in LETTERS for word in question.words[:-1] if word not in DIGITS)
    assert TOKENIZER.encode(question.text).tokens[1:] == question.words, "every sign is known, and read as one"


def test_both_digits_stand_everywhere_and_each_is_right_as_often():
    questions = [make_question(6, Random(seed)) for seed in range(4000)]
    assert {question.words.index(question.first) for question in questions} == set(range(5))
    assert {question.words.index(question.second) for question in questions} == set(range(1, 6))
    assert sum(question.first < question.second for question in questions) == pytest.approx(2000, abs=150)


@pytest.mark.parametrize("length", [-1, 0, 1])
def test_a_question_without_room_for_two_digits_is_refused(length):
    with pytest.raises(ValueError, match="at least 2 symbols"):
        make_question(length, Random(0))


def swapped(question: FirstDigitQuestion) -> FirstDigitQuestion:
    """The same signs with the two digits exchanged: the other answer is right."""
    other = {question.first: question.second, question.second: question.first}
    return FirstDigitQuestion(tuple(other.get(word, word) for word in question.words), question.second, question.first)


@given(config=configs(position="none", causal=False, vocab_size=len(TOKENIZER.vocabulary)), seed=seeds)
def test_an_encoder_without_positions_can_only_guess_whatever_its_weights(config, seed):
    """B3 and E6 as a law: it gives a question and its twin the same answer, and one of the two is wrong."""
    transformer = build(config, seed, torch.device("cpu"))
    question = make_question(8, Random(seed))
    probability, other = p_correct(transformer, TOKENIZER, [question, swapped(question)]).tolist()
    assert probability + other == pytest.approx(1, abs=1e-9)


# ---------------------------------------------------------------------------- training


def losses(name, seed, steps):
    training = FirstDigitTraining(name, ORDER_RECIPES[name])
    all_steps = training.train_steps(training.build(seed), training.batches(seed))
    return [step.loss for step in islice(all_steps, steps)]


def test_a_seed_trains_the_same_again_another_otherwise_and_the_loss_falls():
    once = losses("order-decoder-alibi", 0, 30)
    assert once == losses("order-decoder-alibi", 0, 30)
    assert once[:3] != losses("order-decoder-alibi", 1, 3)
    assert once[-1] < once[0]


def test_the_command_on_a_card_trains_and_ships(tmp_path, capsys):
    main(["order-encoder-rope", "--seeds", "2", "--steps", "3", "--folder", str(tmp_path)])
    card = checkpoint.read_card("order-encoder-rope", tmp_path)
    assert [run["seed"] for run in card["seeds"]] == [0, 1]
    assert card["command"].startswith("python -m model.train order-encoder-rope")
    assert checkpoint.load("order-encoder-rope", tmp_path)[0].config == ORDER_RECIPES["order-encoder-rope"].config


# ---------------------------------------------------------------------------- the shipped weights and their cards


@cache
def shipped(name):
    return checkpoint.load(name)


@cache
def measured(name):
    """Accuracy at every length on fresh questions."""
    return {length: accuracy(*shipped(name), length, N, FRESH) for length in OrderRecipe.lengths}


def test_every_scheme_is_shipped_as_encoder_and_as_decoder():
    assert set(ORDER_RECIPES) == {f"order-{kind}-{name}" for kind in KINDS for name in POSITIONS}
    assert set(ORDER_RECIPES) == {name for name in checkpoint.names() if name.startswith("order-")}


@pytest.mark.parametrize("name", ORDER_RECIPES)
def test_the_card_says_how_the_weights_were_made(name):
    card, recipe = checkpoint.read_card(name), ORDER_RECIPES[name]
    assert shipped(name)[0].config == recipe.config
    assert shipped(name)[1].vocabulary == TOKENIZER.vocabulary
    assert card["command"] == f"python -m model.train {name}"
    assert {"steps": recipe.steps, "lr": recipe.lr, "longest": recipe.longest}.items() <= card["recipe"].items()
    assert len(card["seeds"]) >= 3
    trained = [str(length) for length in recipe.lengths if length <= recipe.longest]
    wrong = {run["seed"]: sum(1 - run["accuracy"][length] for length in trained) for run in card["seeds"]}
    assert wrong[card["seed"]] == pytest.approx(min(wrong.values()), abs=1e-9)
    for file in (f"{name}.safetensors", f"{name}.json"):
        assert (checkpoint.TRAINED / file).stat().st_size <= 100_000


@pytest.mark.parametrize("name", ORDER_RECIPES)
def test_accuracies_on_the_card_hold_on_fresh_questions(name):
    card = checkpoint.read_card(name)
    for length, share in measured(name).items():
        reported = card["accuracy"][str(length)]
        if share is None or reported is None:
            assert share is reported
        else:
            assert share == pytest.approx(reported, abs=tolerance(reported, card["examined"], N)), length


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("position", [name for name in POSITIONS if name != "none"])
def test_with_any_scheme_the_trained_lengths_are_learnt(kind, position):
    shares = measured(f"order-{kind}-{position}")
    assert min(shares[length] for length in shares if length <= OrderRecipe.longest) > 0.97


def test_without_positions_the_encoder_guesses_and_the_decoder_does_not():
    encoder, decoder = (measured(f"order-{kind}-none") for kind in ("encoder", "decoder"))
    assert all(abs(share - 0.5) < tolerance(0.5, N, N) for share in encoder.values())
    assert min(decoder.values()) > 0.95


@pytest.mark.parametrize("kind", KINDS)
def test_past_its_table_the_learned_scheme_has_no_answer_and_says_why(kind):
    transformer, tokenizer = shipped(f"order-{kind}-learned")
    assert all(measured(f"order-{kind}-learned")[length] is None for length in BEYOND)
    with pytest.raises(ValueError, match="This model learned 18 positions and the text has 19 tokens"):
        p_correct(transformer, tokenizer, [make_question(17, Random(0))])


def test_what_the_page_says_of_long_questions():
    """ "An encoder with a learned bias, T5 buckets or RoPE fails much as the waves do; ALiBi falls last." """
    for length in (32, 48):
        others = [measured(f"order-encoder-{name}")[length] for name in ("sinusoidal", "relative", "t5", "rope")]
        assert max(others) < 0.85
        assert measured("order-encoder-alibi")[length] > max(others) + 0.05


def test_probabilities_are_read_where_the_question_mark_stands():
    transformer, tokenizer = shipped("order-decoder-rope")
    question = make_question(9, Random(1))
    ids, answers = to_ids([question], tokenizer)
    with torch.inference_mode():
        logits = transformer(ids).logits[0, -1]
    assert tokenizer.vocabulary[ids[0, -1]] == QUERY_TOKEN
    first, second = (logits[answer].exp().item() for answer in answers[0])
    assert p_correct(transformer, tokenizer, [question]).item() == pytest.approx(first / (first + second), abs=1e-6)
