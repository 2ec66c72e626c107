"""Writing on, word by word, equals one parallel pass over what was written."""

import numpy as np
import pytest

from model import Experiment, run
from model.generation.generate import METHODS, generate
from model.probability import log_probabilities
from model.run import encode, get_model
from model.tokenizer import PAD, START, UNKNOWN

OPENING = Experiment(text="the person who the dogs near the trees")


@pytest.mark.parametrize("method", METHODS)
def test_each_word_has_the_probability_that_one_pass_over_the_whole_text_gives_it(method):
    generated = generate(OPENING, tokens=8, method=method, seed=3)
    ids = encode(Experiment(text=generated.text)).ids
    logits = run(Experiment(text=generated.text)).logits.copy()
    logits[:, [get_model("grammar")[1].id_by_word[token] for token in (PAD, UNKNOWN, START)]] = -np.inf
    odds = log_probabilities(logits)
    first = len(ids) - 8
    expected = [odds[index - 1, ids[index]] for index in range(first, len(ids))]
    np.testing.assert_allclose(generated.logprobs, expected, atol=1e-4)
    assert generated.trace.tokens[first:] == generated.tokens


def test_greedy_takes_the_likeliest_word_each_time():
    generated = generate(OPENING, tokens=6)
    logits = run(Experiment(text=generated.text)).logits
    vocabulary = get_model("grammar")[1].vocabulary
    assert generated.tokens == tuple(vocabulary[int(row.argmax())] for row in logits[-7:-1])


def test_a_seed_gives_the_same_text_again_and_another_seed_another():
    texts = [generate(OPENING, tokens=12, method="sample", seed=seed).text for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_an_unknown_method_is_refused_by_name():
    with pytest.raises(ValueError, match="greedy, sample"):
        generate(OPENING, method="beam search")
