"""The tree of a beam search: its branches by hand, and the sentences that its kept branches spell."""

import numpy as np

from model.generation.beam_search import Beam, Candidate, Hypothesis, beam_search
from model.generation.beam_tree import BeamTree, beam_tree


def candidate(parent, token, total, ended=False):
    return Candidate(parent, token, total, total, kept=True, ended=ended)


def dropped(parent, token, total):
    return Candidate(parent, token, total, total, kept=False, ended=False)


def test_the_branches_of_a_tree_are_those_worked_out_by_hand():
    steps = (
        (candidate(0, 5, -0.1), dropped(0, 9, -0.5), candidate(0, 7, -0.6), dropped(0, 8, -2.0)),
        (candidate(0, 3, -0.7), dropped(1, 4, -0.8), candidate(1, 0, -0.9, ended=True)),
    )
    beam = Beam(2, steps, (Hypothesis((7,), (-0.6, -0.3), -0.9, True),))
    assert beam_tree(beam, dropped=1) == BeamTree(
        step=(1, 1, 1, 2, 2, 2),
        id=(5, 9, 7, 3, 4, 0),
        number=(0, None, 1, 0, None, 1),
        parent=(None, None, None, 0, 1, 1),
        total=(-0.1, -0.5, -0.6, -0.7, -0.8, -0.9),
        kept=(True, False, True, True, False, True),
        ended=(False, False, False, False, False, True),
        best=(False, False, True, False, False, True),
    )
    assert beam_tree(beam, dropped=2).id == (5, 9, 7, 8, 3, 4, 0)
    assert beam_tree(beam, dropped=0).id == (5, 7, 3, 0)


def test_the_kept_branches_lead_to_every_hypothesis_of_the_search_and_the_best_ones_to_the_chosen_sentence():
    rng = np.random.default_rng(3)
    table = np.log(rng.dirichlet(np.ones(6), size=50))
    beam = beam_search(lambda ids, past: (table[(11 * len(ids) + sum(ids)) % 50], None), end=0, most=5, width=3)
    tree = beam_tree(beam, dropped=2)
    index_of = {(step, number): i for i, (step, number) in enumerate(zip(tree.step, tree.number, strict=True))}
    sentences = []
    for last, step in enumerate(tree.step):
        if tree.kept[last] and (tree.ended[last] or step == 5):
            branch, ids = last, [tree.id[last]]
            while tree.parent[branch] is not None:
                branch = index_of[tree.step[branch] - 1, tree.parent[branch]]
                ids.insert(0, tree.id[branch])
            sentences.append((tuple(ids), round(tree.total[last], 9)))
    expected = [
        (hypothesis.ids + ((0,) if hypothesis.ended else ()), round(sum(hypothesis.logprobs), 9))
        for hypothesis in beam.hypotheses
    ]
    assert sorted(sentences) == sorted(expected) and len(expected) == 3
    chosen = tuple(token for token, best in zip(tree.id, tree.best, strict=True) if best)
    assert chosen == expected[0][0]
    assert sum(not kept for kept in tree.kept) == 2 * max(tree.step), "two dropped branches are shown at each step"
