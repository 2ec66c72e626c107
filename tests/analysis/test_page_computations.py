"""The functions that a page and its copied lines both call, against the smaller functions that they are made of."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from equal import close
from test_shift_and_shuffle import order_model

from model import Experiment, load, run
from model.analysis.alignment import (
    attention_maps,
    cross_map,
    generated_map,
    select_map,
    step_candidates,
    top_k_tokens,
    word_map,
)
from model.analysis.norm_comparison import compare_in_batch, compare_norms, make_batch
from model.analysis.position_shift import largest_change, largest_score_changes, score_changes
from model.analysis.position_similarity import compare_schemes, position_similarity
from model.analysis.score_scaling import SEED, SENTENCES, head_scores, head_scores_of, sweep_widths
from model.evaluation.first_digit import accuracy, accuracy_by_length
from model.evaluation.seq2seq import merge_pair_to_words
from model.generation.decoding import Decoding
from model.generation.next_token import sampling_candidates
from model.generation.sampling import sampling_probabilities
from model.generation.translate import translate
from model.probability import probabilities
from model.run import get_model, run_pair
from model.tasks import TASKS
from model.tasks.parse import PARSERS

SOURCE = "the animal did not cross the street because it was too tired ."
TARGET = "l'animal n'a pas traversé la rue parce qu'il était trop fatigué ."


@pytest.mark.parametrize("target", ["", "l'animal n'a"])
@pytest.mark.parametrize("tokens", [4, 64])
def test_the_rows_of_a_generated_map_predict_the_generated_tokens(target, tokens):
    translation = translate(Experiment("translate", SOURCE, target=target), tokens)
    N, S = len(translation.tokens), len(SOURCE.split()) + 2
    assert (translation.tokens[-1] == "</s>") == (tokens == 64)
    assert generated_map(translation, "cross", 1, 2).shape == (N, S)
    assert generated_map(translation, "source", 1, 2).shape == (S, S)
    words, p = step_candidates("translate", translation, 3)
    assert tuple(row[0] for row in words) == translation.tokens, "greedy decoding takes the most likely token"
    assert close(np.log(p[:, 0]), np.asarray(translation.logprobs), 1e-4, 1e-4)
    before = len(get_model("translate")[1].encode(target).ids) - 1  # without <s>
    for which in ("cross", "target"):
        rows = generated_map(translation, which, 1, 2)
        whole = translation.trace.decoder.layers[1]
        weights = (whole.cross if which == "cross" else whole.attention).weights[2]
        assert close(rows, weights[before : before + N, : rows.shape[1]])
        np.testing.assert_allclose(rows.sum(-1), 1, atol=1e-5)


def test_the_candidates_of_a_step_have_the_probabilities_of_the_method_that_drew_the_token():
    drawing = Decoding("sample", temperature=3.0, top_k=4, seed=1)
    translation = translate(Experiment("translate", SOURCE), decoding=drawing)
    logits = translation.trace.decoder.logits[: len(translation.tokens)]
    words, p = step_candidates("translate", translation, 6, drawing)
    expected_words, expected = top_k_tokens("translate", logits, 6, temperature=3.0, top_k=4)
    assert words == expected_words and close(p, expected) and (p[:, 4:] == 0).all()
    plain = top_k_tokens("translate", logits, 6)
    for method in ("greedy", "beam"):  # these do not use a temperature, even if there is one
        words, p = step_candidates("translate", translation, 6, replace(drawing, method=method))
        assert words == plain[0] and close(p, plain[1])


def test_a_cross_map_is_the_head_or_the_mean_of_the_heads_and_needs_attention():
    experiment = Experiment("translate", SOURCE, target=TARGET)
    trace = run_pair(experiment)
    weights = trace.decoder.layers[0].cross.weights
    assert close(cross_map(trace, 0, 3), weights[3]) and close(cross_map(trace, 0), weights.mean(0))
    with pytest.raises(KeyError, match="cross"):
        cross_map(run_pair(replace(experiment, weights="translate-gru")), 0)


@pytest.mark.parametrize("which", ["cross", "source", "target"])
def test_a_word_map_merges_the_tokens_of_each_word(which):
    pair = PARSERS["translation"](tuple(SOURCE.split()))
    translation = translate(Experiment("translate-pieces", SOURCE))
    assert translation.text == pair.target_text
    weights = word_map("translate-pieces", translation, pair, which, 1, None)
    size = {"source": len(pair.source) + 2, "target": len(pair.target) + 1}
    sides = {"cross": ("target", "source"), "source": ("source", "source"), "target": ("target", "target")}
    assert weights.shape == tuple(size[side] for side in sides[which])
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)
    tokens = attention_maps(translation.trace)[which]
    merged = merge_pair_to_words(tokens, load("translate-pieces")[1], pair, which)
    assert tokens.shape != merged.shape and close(weights, select_map(merged, 1, None))


@pytest.mark.parametrize("scheme", ["sinusoidal", "learned", "rope"])
def test_the_largest_score_change_is_that_of_any_head_and_nan_where_there_is_none(scheme):
    transformer, tokenizer = order_model("decoder", scheme)
    ids = tokenizer.encode("a 7 f c 2 h ?").ids
    context = transformer.config.context
    shifts = (0, 3, context)
    largest = largest_score_changes(transformer, ids, shifts)
    for step, change in score_changes(transformer, ids, shifts).items():
        if change is None:
            assert scheme == "learned" and step == context
            assert np.isnan(largest[step]).all() and largest_change(largest[step]) is None
            continue
        L, H, T, _ = change.shape
        for t in range(T):
            for s in range(T):
                cells = [abs(change[layer, head, t, s]) for layer in range(L) for head in range(H)]
                assert np.isnan(largest[step][t, s]) if s > t else close(largest[step][t, s], max(cells))
        assert close(largest_change(largest[step]), np.nanmax(np.abs(change)))
    assert largest_change(largest[0]) == 0, "no shift, no change"


def test_every_scheme_is_compared_under_its_own_name():
    transformers = {name: order_model("encoder", name)[0] for name in ("alibi", "sinusoidal")}
    compared = compare_schemes(transformers, 8, 1, 0, 16)
    assert list(compared) == ["alibi", "sinusoidal"]
    for name, transformer in transformers.items():
        assert close(compared[name].values, position_similarity(name, transformer, 8, 1, 0, 16).values)


def test_the_scores_of_a_trained_head_are_measured_on_new_sentences_of_its_language():
    rng = Random(SEED)
    drawn = [TASKS["grammar"].draw(None, rng) for _ in range(SENTENCES)]
    expected, scores = head_scores(*load("grammar"), drawn, 1, 2), head_scores_of("grammar", 1, 2)
    assert scores.pairs == expected.pairs and close(scores.raw, expected.raw) and close(scores.scaled, expected.scaled)
    assert head_scores_of("grammar", 1, 2, sentences=4).pairs < scores.pairs
    with pytest.raises(ValueError, match="translate"):
        head_scores_of("translate", 0, 0)


def test_the_variance_of_a_product_is_d_k_times_the_ratio():
    for step in sweep_widths(sequences=64):
        assert close(step.variance_ratio * step.d_k, step.undivided.variance)
        assert step.variance_ratio == pytest.approx(1, abs=0.2)


def test_sampling_candidates_are_the_most_likely_tokens_with_both_probabilities():
    experiment = Experiment("stories", "Once upon a time")
    trace = run(experiment)
    position = len(trace.tokens) - 1
    candidates = sampling_candidates(experiment, trace, position, Decoding("sample", temperature=0.7, top_k=3), n=5)
    logits = trace.logits[position].astype(np.float64)
    logits[list(get_model("stories")[1].special_ids)] = -np.inf
    order = sorted(range(len(logits)), key=lambda token: -logits[token])[:5]
    assert candidates.ids.tolist() == order and candidates.n_possible == 3
    assert close(candidates.model_probability, probabilities(logits)[order])
    assert close(candidates.sampling_probability, sampling_probabilities(logits, 0.7, 3, 1.0)[order])
    assert (candidates.sampling_probability > 0).tolist() == [True, True, True, False, False]


def test_accuracy_by_length_is_the_accuracy_at_each_length_and_nan_beyond_a_learned_table():
    model = order_model("encoder", "learned")
    lengths = (6, 12, 200)
    assert accuracy(*model, 200, 20, 3) is None
    accuracies = accuracy_by_length(*model, lengths, 20, 3)
    assert accuracies[:2] == pytest.approx([accuracy(*model, length, 20, 3) for length in lengths[:2]])
    assert np.isnan(accuracies).tolist() == [False, False, True]


def test_a_batch_of_trained_weights_is_compared_before_and_after_its_own_substitute():
    sentences, substitutes = make_batch(TASKS["grammar"], 4)
    expected = compare_norms(*load("grammar"), sentences, 2, substitutes[2])
    comparison = compare_in_batch("grammar", 2, size=4)
    assert (comparison.tokens, comparison.replaced, comparison.replacement) == (
        expected.tokens,
        2,
        expected.replacement,
    )
    for name, change in expected.change.items():
        assert close(comparison.change[name], change)
