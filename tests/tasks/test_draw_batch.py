"""The batch that is drawn for the comparison of norms: how long its sentences are, and how many."""

import pytest

from model.analysis.norm_comparison import make_batch
from model.tasks import TASKS


@pytest.mark.parametrize(("size", "longest"), [(6, 9), (3, 6)])
def test_sentences_up_to_the_longest_length_and_none_beyond_it_are_drawn(size, longest):
    sentences, substitutes = make_batch(TASKS["grammar"], size, longest)
    assert len(sentences) == len(substitutes) == size
    lengths = [len(sentence.words) for sentence in (*sentences, *substitutes)]
    assert max(lengths) == longest


def test_another_seed_draws_another_batch():
    texts = [[s.text for s in make_batch(TASKS["grammar"], 3, 9, seed)[0]] for seed in (2, 2, 3)]
    assert texts[0] == texts[1] != texts[2]
