"""The language's own entropy: by hand, by counting, and as a floor that no honest model goes through."""

import math
from collections import Counter
from random import Random

import numpy as np
import pytest
import torch

from model import checkpoint
from model.evaluation.language_model import to_batch, word_losses
from model.generation.kv_cache import is_cacheable
from model.run import get_model
from model.tasks import TASKS
from model.tasks.grammar.entropy import SurprisalFloat, SurprisalRandom, entropy, surprisal_samples
from model.tasks.grammar.task import SHARES

N = 4000


@pytest.fixture(scope="module")
def drawn():
    return surprisal_samples(N, 11)


def test_the_ledger_draws_what_the_task_draws():
    rng = Random(3)
    assert [sentence for sentence, _ in surprisal_samples(200, 3)] == [
        TASKS["grammar"].draw(None, rng) for _ in range(200)
    ]


def test_choices_are_charged_by_hand():
    ledger = SurprisalRandom(0)
    ledger.choice("abcd")
    ledger.randint(1, 3)
    ledger.sample(range(5), 2)
    ledger.choices("ab", weights=[1, 1], k=3)
    assert ledger.nats == pytest.approx(math.log(4 * 3 * 20 * 8))


def test_a_number_is_charged_for_what_its_comparisons_tell():
    ledger = SurprisalRandom(0)
    draw = SurprisalFloat(0.5, ledger)
    assert not draw < 0.2 and ledger.nats == pytest.approx(-math.log(0.8))
    assert 0.2 <= draw < 0.6 and ledger.nats == pytest.approx(-math.log(0.4)), "0.2 … 0.6 is 0.4 wide"
    assert draw < 0.9 and not draw >= 1.0 and ledger.nats == pytest.approx(-math.log(0.4)), "known already"


def test_a_sentence_by_hand(drawn):
    """ "the OWNER LOST their THING ." with no adjective and no place: 20 owners, 5 verbs, one path."""
    p = SHARES["reference"] * 0.35 * (1 / 20) * 0.85 * 0.7 * (1 / 5)
    matches = [nats for s, nats in drawn if s.kind == "reference" and len(s.words) == 6 and s.words[3] == "their"]
    assert len(matches) > 20
    assert matches == pytest.approx([-math.log(p)] * len(matches))


def test_how_often_a_sentence_comes_is_what_its_price_says(drawn):
    """If every sentence of a set has price −ln p, the set comes with (its size) · p; here, sets that can be counted."""
    sets = {
        "three roll calls of five, said whole": (
            lambda s: (
                s.words[:2] == ("first", ":") and len(s.words) == 5 + 3 + 5 + 3 and s.words[8] in ("again", "later")
            ),
            2 * math.perm(20, 5),
        ),
        "one bracket around one word": (lambda s: s.kind == "brackets" and len(s.words) == 4, 3 * 18),
        "alone, five words and a stop": (lambda s: len(s.words) == 6 and s.words[3] == "their", 20 * 5),
    }
    for name, (belongs, size) in sets.items():
        prices = {round(nats, 6) for s, nats in drawn if belongs(s)}
        count = sum(belongs(s) for s, _ in drawn)
        assert count > 5, name
        expected = size * math.exp(-min(prices)) if len(prices) == 1 else None
        assert expected is not None, (name, prices)
        # Where a passage could also have gone on, that choice is no word and is not charged.
        if "roll" in name:
            expected /= 2
        assert abs(count - N * expected) < 5 * math.sqrt(N * expected), (name, count, N * expected)


def test_acquaintances_are_summed_over_whom_they_never_mention(drawn):
    """Three rounds among the same two people, in either order after the first: p by hand, over 3 to 6 people."""
    passages = [
        (s.words, nats) for s, nats in drawn if s.kind == "names" and s.words[0] != "first" and len(s.words) == 18
    ]
    pairs = [(words, nats) for words, nats in passages if len({words[i] for i in (0, 3, 6, 9, 12, 15)}) == 2]
    share = sum((2 / (n * (n - 1))) ** 2 for n in range(3, 7)) / 4
    p = SHARES["names"] * 0.5 * share / 4 / math.perm(20, 2) / math.perm(16, 2) / 6**3
    assert len(pairs) >= 3
    for _, nats in pairs:
        assert nats == pytest.approx(-math.log(p))
    frequency = len(pairs) / len(passages)
    assert abs(frequency - share) < 5 * math.sqrt(share / len(passages))


def test_the_prices_of_a_kind_belong_to_a_distribution(drawn):
    """The mean of exp(price) over draws from a set is its number of sentences: for "alone", 100, without a place."""
    kinds = Counter(sentence.kind for sentence, _ in drawn)
    assert set(kinds) == set(SHARES)
    weight = sum(math.exp(nats) for s, nats in drawn if len(s.words) == 6 and s.words[3] == "their") / N
    assert weight == pytest.approx(100, rel=0.35)


@pytest.mark.parametrize("name", [name for name in checkpoint.names() if name.startswith("grammar")])
def test_no_model_that_looks_back_only_is_less_surprised_than_the_language(drawn, name):
    transformer, tokenizer = get_model(name)
    some = drawn[:600]
    batch = to_batch([sentence for sentence, _ in some], tokenizer)
    with torch.inference_mode():
        losses = word_losses(transformer(batch.ids, batch.is_token).logits, batch.ids) * batch.is_token[:, 1:]
    values, nats = losses.sum(dim=1).numpy(), np.array([price for _, price in some])
    words = sum(len(sentence.words) for sentence, _ in some)
    above = (values - nats).sum() / words
    if is_cacheable(transformer):
        assert above > 0, "its loss is the entropy and what it has not learnt"
    else:
        assert values.sum() / words < 0.1 * entropy(some).nats, "it reads the next word"
    if name == "grammar":
        assert above < 0.15, "it has learnt nearly all there is"


def test_the_entropy_says_how_sure_it_is():
    few, many = entropy(surprisal_samples(300, 1)), entropy(surprisal_samples(3000, 1))
    assert many.error < few.error < 0.1
    assert abs(few.nats - many.nats) < 4 * few.error
    assert (few.sentences, many.sentences) == (300, 3000)
