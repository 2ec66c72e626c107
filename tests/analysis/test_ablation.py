"""What a change does, in numbers: each recomputed another way."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch
from equal import same_bits
from torch.nn import functional as F

from model import Experiment, Switches, probability, run
from model.analysis import ablation, attribution, prediction_change
from model.attention import AttentionOverride, renormalise
from model.evaluation.language_model import evaluate
from model.run import encode, get_model
from model.switches import PARTS
from model.tasks import TASKS

TEXT = "the person who the dogs near the trees chase was tired ."
WHOLE = Experiment(text=TEXT)
REMOVALS = [Switches().without(part.name) for part in PARTS] + [Switches(heads_off=frozenset({(0, 2), (1, 1)}))]


@pytest.mark.parametrize("switches", REMOVALS, ids=str)
def test_the_whole_model_is_bit_identical_whatever_runs_beside_it(switches):
    before = run(WHOLE)
    run(replace(WHOLE, switches=switches))
    after = run(WHOLE)
    assert same_bits(before.logits, after.logits, "same operation")
    for layer, other in zip(before.layers, after.layers, strict=True):
        assert same_bits(layer.attention.weights, other.attention.weights, "same operation")


@pytest.mark.parametrize("switches", REMOVALS, ids=str)
def test_kl_is_what_torch_says_it_is(switches):
    a, b = run(WHOLE), run(replace(WHOLE, switches=switches))
    ln_a, ln_b = (torch.tensor(t.logits, dtype=torch.float64).log_softmax(-1) for t in (a, b))
    twin = F.kl_div(ln_b, ln_a, log_target=True, reduction="none").sum(-1)
    np.testing.assert_allclose(prediction_change.prediction_change(a, b), twin.numpy(), rtol=1e-9, atol=1e-12)


def test_nothing_moves_when_nothing_is_removed():
    assert same_bits(
        prediction_change.prediction_change(run(WHOLE), run(WHOLE)), np.zeros(len(run(WHOLE).tokens)), "same operation"
    )


def test_surprise_is_the_cross_entropy():
    trace, ids = run(WHOLE), encode(WHOLE).ids
    twin = F.cross_entropy(torch.tensor(trace.logits[:-1]), torch.tensor(ids[1:]))
    assert prediction_change.text_loss(trace, ids) == pytest.approx(twin.item(), rel=1e-5)


def test_held_out_numbers_are_those_of_the_exam_on_the_same_sentences():
    rng = Random(ablation.SEED)
    sentences = [TASKS["grammar"].draw(None, rng) for _ in range(ablation.HELD_OUT)]
    exam = evaluate(*get_model("grammar"), sentences)
    quick = ablation.evaluate_held_out("grammar")
    assert quick.loss == pytest.approx(exam.loss, rel=1e-4)
    assert quick.accuracy == {name: pytest.approx(probe.share) for name, probe in exam.probes.items()}
    assert quick.n == {name: probe.n for name, probe in exam.probes.items()}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_part_is_missed_on_fresh_sentences(part):
    assert (
        ablation.evaluate_held_out("grammar", Switches().without(part.name)).loss
        > ablation.evaluate_held_out("grammar").loss + 0.1
    )


def test_a_knock_out_is_a_run_with_that_head_off():
    each = ablation.ablate_each_head("grammar")
    config = get_model("grammar")[0].config
    assert len(each) == config.n_layers * config.n_heads
    assert each[1, 2] == ablation.evaluate_held_out("grammar", Switches(heads_off=frozenset({(1, 2)})))


def test_overwriting_a_row_with_its_own_weights_changes_nothing():
    trace = run(WHOLE)
    own = tuple(trace.layers[1].attention.weights[2, 10].tolist())
    again = run(replace(WHOLE, override=AttentionOverride(1, 2, 10, own)))
    np.testing.assert_allclose(again.logits, trace.logits, atol=1e-5)


def test_an_overwritten_row_stands_in_the_trace_and_moves_only_what_comes_after_it():
    trace = run(WHOLE)
    uniform = renormalise([1.0] * 11 + [0.0] * (len(trace.tokens) - 11))
    changed = run(replace(WHOLE, override=AttentionOverride(1, 2, 10, uniform)))
    np.testing.assert_allclose(changed.layers[1].attention.weights[2, 10], uniform, atol=1e-7)
    moved = prediction_change.prediction_change(trace, changed)
    assert same_bits(changed.logits[:10], trace.logits[:10], "untouched")
    assert moved[10] > 0


def test_blocking_a_look_is_an_overwritten_row_without_it():
    layer, head, row = 2, 2, 10
    worth = attribution.key_ablation_effect(WHOLE, layer, head, row)
    weights = run(WHOLE).layers[layer].attention.weights[head, row]
    assert same_bits(worth[weights == 0], np.zeros((weights == 0).sum()), "copied")
    for key in range(row + 1):
        rest = renormalise([0.0 if index == key else float(w) for index, w in enumerate(weights)])
        changed = run(replace(WHOLE, override=AttentionOverride(layer, head, row, rest)))
        assert worth[key] == pytest.approx(prediction_change.prediction_change(run(WHOLE), changed)[row], abs=1e-6)


def test_weights_that_are_no_weights_are_refused():
    for bad in ([-1.0], [float("nan")], [float("inf")]):
        with pytest.raises(ValueError, match="from 0 upwards"):
            renormalise(bad)
    assert renormalise([0.0, 0.0]) == (0.0, 0.0)
    with pytest.raises(ValueError, match="weights"):
        run(replace(WHOLE, override=AttentionOverride(0, 0, 0, (1.0,))))


def test_the_first_stage_that_is_no_number_is_named():
    trace = run(WHOLE)
    assert prediction_change.first_nonfinite(trace) is None
    broken = replace(trace.layers[1], resid_mid=np.full_like(trace.layers[1].resid_mid, np.nan))
    assert (
        prediction_change.first_nonfinite(replace(trace, layers=(trace.layers[0], broken, trace.layers[2])))
        == "layer 1, resid_mid"
    )


def test_weights_that_are_not_numbers_are_named_before_the_stream_that_they_spoil():
    trace = run(Experiment("grammar", "the dogs sleep ."))
    first = trace.layers[0]
    nowhere = np.full_like(first.resid_mid, np.nan)
    spoilt = replace(first.attention, weights=np.full_like(first.attention.weights, np.nan))
    first = replace(first, attention=spoilt, resid_mid=nowhere, resid_post=nowhere)
    assert (
        prediction_change.first_nonfinite(replace(trace, layers=(first, *trace.layers[1:])))
        == "layer 0, attention weights"
    )


def test_everything_removed_at_once_still_gives_a_trace():
    config = get_model("grammar")[0].config
    every_head = frozenset((layer, head) for layer in range(config.n_layers) for head in range(config.n_heads))
    switches = replace(Switches().without(*(part.name for part in PARTS)), heads_off=every_head)
    trace = run(replace(WHOLE, switches=switches))
    assert trace.logits.shape[0] == len(trace.tokens)
    assert np.isfinite(ablation.evaluate_held_out("grammar", switches).loss)


def test_gradient_times_weight_is_the_slope_found_by_nudging_each_weight():
    layer, head, row = 1, 2, 8
    slopes = attribution.gradient_times_weight(WHOLE, layer, head, row)
    trace = run(WHOLE)
    weights = trace.layers[layer].attention.weights[head, row].astype(np.float64)
    best = trace.logits[row].argmax()

    def surprise(changed):
        written = AttentionOverride(layer, head, row, changed.tolist())
        return probability.log_probabilities(run(replace(WHOLE, override=written)).logits[row].astype(np.float64))[best]

    for index in np.argsort(-weights)[:4]:
        nudge = np.zeros_like(weights)
        nudge[index] = 0.02
        slope = (surprise(weights + nudge) - surprise(weights - nudge)) / 0.04
        assert slopes[index] == pytest.approx(slope * weights[index], rel=0.05, abs=2e-4)
    assert not slopes[weights == 0].any(), "a look that is not there is worth nothing"


def test_rank_agreement_is_one_for_the_same_order_and_minus_one_for_its_reverse():
    values = np.array([0.3, 9.0, 0.1, 2.0])
    assert attribution.rank_correlation(values, values**3) == pytest.approx(1)
    assert attribution.rank_correlation(values, -values) == pytest.approx(-1)
