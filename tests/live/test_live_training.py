"""The live training: the same numbers from the same settings, exact winding back, and what each measurement is."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from equal import close, differ, same_bits
from torch import nn
from torch.nn import functional as F

from model.training.live.learner import KEPT_BYTES, Learner, gradient_norms, part_names
from model.training.live.pair import LivePair, legal_share
from model.training.live.settings import BATCH, PAPER, LiveSettings
from model.training.live.tasks import ANIMALS, HELD_OUT, IGNORED, LIVE_TASKS, SUCCESSORS, is_successor
from model.training.optimizer import InverseSquareRoot

SMALL = LiveSettings(layers=2, heads=2, width=16, steps=12)


def weights_of(learner):
    return [tensor.numpy().copy() for tensor in learner.network.state_dict().values()]


def equal_weights(first, other):
    return all(same_bits(a, b, "same operation") for a, b in zip(first, other, strict=True))


def equal_frames(first, other):
    return [frame.step for frame in first] == [frame.step for frame in other] and all(
        same_bits(
            np.float64([m.loss, m.held_out_loss, m.accuracy]),
            np.float64([n.loss, n.held_out_loss, n.accuracy]),
            "same operation",
        )
        and same_bits(m.weights, n.weights, "same operation")
        and same_bits(m.gradient, n.gradient, "same operation")
        for frame, twin in zip(first, other, strict=True)
        for m, n in ((frame.a, twin.a), (frame.b, twin.b))
    )


@pytest.mark.parametrize("name", LIVE_TASKS)
def test_the_targets_of_a_task_follow_from_its_text(name):
    task = LIVE_TASKS[name]
    ids, targets = task.batch(6, seed=3)
    assert ids.shape == targets.shape == (6, task.tokens)
    words = [[task.tokenizer.vocabulary[i] for i in row] for row in ids.tolist()]
    wanted = [[None if i == IGNORED else task.tokenizer.vocabulary[i] for i in row] for row in targets.tolist()]
    for text, answer in zip(words, wanted, strict=True):
        assert text[0] == "<s>" and task.tokenizer.encode(" ".join(text[1:])).tokens == tuple(text)
        symbols = text[1:]
        if name == "reverse":
            assert answer == [None, *reversed(symbols)]
        elif name == "sort":
            assert answer == [None, *sorted(symbols)]
        elif name == "copy":
            assert text[9] == "|" and symbols[:8] == text[10:] and answer == [None] * 9 + symbols[:8] + [None]
        elif name == "first-digit":
            assert answer[:-1] == [None] * 9 and answer[-1] == next(word for word in symbols if word.isdigit())
        else:
            assert answer == [None, *symbols[1:], None]
            places = [ANIMALS.index(word) for word in symbols]
            steps = {(after - before) % 12 for before, after in pairwise(places)}
            assert steps <= set(SUCCESSORS)


def test_the_chance_level_of_a_task_is_what_the_best_answer_without_input_reaches():
    for name, task in LIVE_TASKS.items():
        _, targets = task.batch(20_000, seed=1)
        shares, entropies = [], []
        for column in targets.T:
            counted = column[column != IGNORED]
            if len(counted):
                share = torch.bincount(counted).double() / len(counted)
                shares.append(share.max().item())
                entropies.append(-(share[share > 0] * share[share > 0].log()).sum().item())
        if name == "first-digit":  # one of the two digits in the text is the answer: that much can be seen
            assert task.guess_accuracy == 0.5 and task.guess_loss == math.log(2)
        else:
            assert abs(np.mean(shares) - task.guess_accuracy) < 0.01, name
            assert abs(np.mean(entropies) - task.guess_loss) < 0.01, name


def test_the_same_seed_gives_the_same_batch_and_another_one_another():
    task = LIVE_TASKS["sort"]
    assert task.batch(8, 5)[0].tolist() == task.batch(8, 5)[0].tolist() != task.batch(8, 6)[0].tolist()


def test_equal_settings_give_equal_numbers_to_the_last_bit():
    pairs = [LivePair(SMALL, SMALL.changed("residual", False)) for _ in range(2)]
    for pair in pairs:
        pair.advance_to(SMALL.steps)
    assert equal_frames(pairs[0].frames, pairs[1].frames)
    assert equal_weights(weights_of(pairs[0].b), weights_of(pairs[1].b))


def test_a_and_b_with_equal_settings_are_equal_and_with_another_seed_see_the_same_batches():
    twins = LivePair(SMALL, SMALL)
    twins.advance_to(4)
    assert equal_weights(weights_of(twins.a), weights_of(twins.b))
    other = LivePair(SMALL, SMALL.changed("seed", 1))
    assert other.b._batch(3)[0].tolist() == other.a._batch(3)[0].tolist()
    assert differ(other.a.network.embedding.weight.detach(), other.b.network.embedding.weight.detach())


def test_a_training_that_is_wound_back_repeats_itself_to_the_last_bit():
    pair = LivePair(SMALL, SMALL.changed("norm", "post"))
    pair.advance_to(SMALL.steps)
    frames, weights = pair.frames, weights_of(pair.a)
    pair.rewind(5)
    assert pair.step == 5 and max(frame.step for frame in pair.frames) == 5
    pair.advance_to(SMALL.steps)
    assert equal_frames(pair.frames, frames) and equal_weights(weights_of(pair.a), weights)


def test_measuring_more_often_changes_no_later_number():
    often, seldom = LivePair(SMALL, SMALL), LivePair(SMALL, SMALL)
    for _ in range(SMALL.steps):
        often.advance()
        often.measure()
    seldom.advance_to(SMALL.steps)
    assert equal_weights(weights_of(often.a), weights_of(seldom.a))


def test_a_factor_changes_the_rate_from_the_next_step_on_and_is_wound_back_too():
    pair = LivePair(SMALL, SMALL)
    pair.advance_to(3)
    pair.set_factor(0.1)
    pair.advance_to(5)
    rates = {step: measured.rate for step, measured in pair.a.measurements.items()}
    whole = SMALL.schedule
    assert close(rates[3], whole.rate(2)) and close(rates[5], 0.1 * whole.rate(4))
    pair.rewind(2)
    assert pair.a.factor == 1.0


def test_a_kept_step_holds_the_weights_of_that_step_and_no_other_can_be_asked_for():
    pair = LivePair(SMALL, SMALL)
    pair.advance_to(2)
    weights = weights_of(pair.a)
    pair.advance_to(6)
    kept = [tensor.numpy() for tensor in pair.a.weights_of(2).values()]
    assert equal_weights(kept, weights) and not equal_weights(weights_of(pair.a), weights)
    with pytest.raises(ValueError, match="step 99 is not kept"):
        pair.a.weights_of(99)
    with pytest.raises(ValueError, match="step 99 is not kept"):
        pair.rewind(99)


def test_the_kept_steps_stay_below_their_bound_and_the_first_and_the_last_remain():
    learner = Learner(SMALL, 0, most_bytes=6 * Learner(SMALL, 0).kept_bytes)
    for _ in range(SMALL.steps):
        learner.advance()
    # A kept step with the moments of AdamW is three times as large as the untrained one.
    assert learner.kept_bytes <= 6 * learner._kept[0].bytes and KEPT_BYTES == 32_000_000
    assert learner.kept_steps[0] == 0 and learner.kept_steps[-1] == SMALL.steps and len(learner.kept_steps) >= 2
    assert len(learner.measurements) == SMALL.steps + 1, "what was measured stays"


def test_a_pair_goes_back_only_to_steps_that_both_have_kept():
    wide = SMALL.changed("width", 2 * SMALL.width)
    pair = LivePair(SMALL, wide, most_bytes=8 * Learner(wide, 0).kept_bytes)
    pair.advance_to(SMALL.steps)
    a, b = (set(learner.kept_steps) for learner in pair.learners)
    assert b < a, "the wide one has thinned its steps out"
    assert set(pair.kept_steps) == a & b
    with pytest.raises(ValueError, match="is not kept"):
        pair.rewind(min(a - b))


def test_a_measurement_is_what_pytorch_computes_from_the_weights():
    learner = Learner(SMALL, 0)
    for _ in range(3):
        learner.advance()
    measured, network = learner.measurements[3], learner.network
    ids, targets = LIVE_TASKS["reverse"].batch(HELD_OUT, -1)
    with torch.inference_mode():
        trace = network(ids)
    counted = targets != IGNORED
    chances = trace.logits[counted].softmax(-1)
    wanted = targets[counted]
    assert close(measured.held_out_loss, -chances[range(len(wanted)), wanted].log().mean())
    assert close(measured.accuracy, (chances.argmax(-1) == wanted).double().mean())
    assert close(measured.weights, torch.stack([layer.attention.weights[0] for layer in trace.layers]))
    assert close(measured.residual[-1], trace.layers[-1].resid_post.square().sum(-1).sqrt().mean())
    assert close(measured.residual[0], trace.embed.square().sum(-1).sqrt().mean())
    assert measured.weights.shape == (2, 2, 9, 9) and not measured.weights.flags.writeable


def test_loss_and_gradient_of_the_untrained_model_are_those_of_its_first_batch():
    learner = Learner(SMALL, 7)
    ids, targets = LIVE_TASKS["reverse"].batch(BATCH, 7 * 1_000_003)
    loss = F.cross_entropy(learner.network(ids).logits.transpose(1, 2), targets, ignore_index=IGNORED)
    loss.backward()
    measured = learner.measurements[0]
    assert close(measured.loss, loss.item())
    weights = dict(learner.network.named_parameters())
    for number, layer in enumerate(range(SMALL.layers), start=1):
        squares = [p.grad.square().sum() for name, p in weights.items() if name.startswith(f"layers.{layer}.")]
        assert close(measured.gradient[number], sum(squares).sqrt())
    whole = math.sqrt(sum(p.grad.square().sum() for p in weights.values()))
    assert close(np.linalg.norm(measured.gradient), whole), "every weight is in one part"
    assert close(gradient_norms(learner.network), measured.gradient)
    assert len(part_names(SMALL.layers)) == len(measured.gradient)


def test_the_steps_are_those_of_a_plain_pytorch_loop():
    learner = Learner(SMALL, 0)
    network = type(learner.network)(SMALL.config)
    network.load_state_dict(learner.weights_of(0))
    optimizer = torch.optim.AdamW(network.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
    for step in range(4):
        ids, targets = LIVE_TASKS["reverse"].batch(BATCH, step)
        optimizer.zero_grad()
        F.cross_entropy(network(ids).logits.transpose(1, 2), targets, ignore_index=IGNORED).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.param_groups[0]["lr"] = 3e-3 * min(1, (step + 1) / 10)
        optimizer.step()
        learner.advance()
    ids, _ = LIVE_TASKS["reverse"].batch(16, 99)
    models = (learner.network, network, Learner(SMALL, 0).network)
    # Not the weights: the gradient of a bias of the keys is zero but for rounding, which AdamW enlarges.
    mine, plain, untrained = (model(ids).logits.detach() for model in models)
    assert close(mine, plain, relative=1e-4) and not close(mine, untrained, relative=1e-2)


def test_a_model_that_diverges_ends_and_the_other_goes_on():
    pair = LivePair(SMALL, SMALL)
    pair.advance_to(3)
    pair.b.network.embedding.weight.data[5] = math.inf
    pair.advance_to(SMALL.steps)
    assert pair.b.diverged.step == 3 and pair.b.step == 3
    assert pair.b.diverged.place == "the weights of the embedding are the first that are not finite"
    assert pair.a.step == SMALL.steps and pair.ended
    assert pair.frames[-1].b is None and pair.frames[-1].a is not None
    pair.rewind(2)
    pair.advance_to(SMALL.steps)
    assert pair.b.diverged is None and pair.b.step == SMALL.steps, "the fault came after that step"


def test_the_place_of_a_divergence_is_the_first_layer_with_a_value_that_is_not_finite():
    learner = Learner(SMALL, 0)
    learner.network.layers[1].mlp_out.weight.data[0, 0] = math.nan
    learner.advance()
    assert learner.diverged.place == "the weights of layer 1 are the first that are not finite"
    other = Learner(SMALL, 0)
    other.network.layers[0].mlp_out.weight.data.fill_(3e38)
    other.advance()
    assert other.diverged.place == "the output of layer 0 is the first that is not finite"


def test_a_gradient_that_is_not_finite_is_named_by_the_last_layer_that_has_one():
    learner = Learner(SMALL, 0)
    # The weights are finite, but the product of a large output gradient with this matrix is not.
    learner.network.layers[1].mlp_in.weight.register_hook(lambda gradient: gradient * math.inf)
    learner.network.layers[0].mlp_in.weight.register_hook(lambda gradient: gradient * math.inf)
    before = weights_of(learner)
    learner.advance()
    assert learner.diverged.place == "the gradient of layer 1 is the first that is not finite"
    assert equal_weights(weights_of(learner), before), "the step is not made"


def test_further_seeds_are_the_trainings_of_these_seeds():
    three = LivePair(SMALL, SMALL.changed("residual", False), seeds=3)
    alone = LivePair(SMALL.changed("seed", 2), SMALL.changed("residual", False).changed("seed", 2))
    for pair in (three, alone):
        pair.advance_to(5)
    assert three.seeds == 3 and len(three.frames[-1].others) == 2
    assert equal_frames([frame.others[1] for frame in three.frames], alone.frames)
    three.rewind(2)
    three.advance_to(5)
    assert equal_frames([frame.others[1] for frame in three.frames], alone.frames)
    assert same_bits(three.curve("b", "accuracy", 2), alone.curve("b", "accuracy"), "same operation")
    with pytest.raises(ValueError, match="seeds must be a whole number from 1 to 5"):
        LivePair(SMALL, SMALL, seeds=6)


def test_the_weight_on_the_answer_is_that_of_the_keys_that_hold_it():
    learner = Learner(SMALL, 0)
    ids, targets = LIVE_TASKS["reverse"].batch(HELD_OUT, -1)
    with torch.inference_mode():
        weights = learner.network(ids).layers[1].attention.weights  # (B, H, T, T)
    total = sum(
        weights[b, :, query, key]
        for b in range(HELD_OUT)
        for query in range(1, 9)
        for key in range(9)
        if ids[b, key] == targets[b, query]
    )
    assert close(learner.measurements[0].on_answer[1], total / (8 * HELD_OUT), relative=1e-5)


def test_batch_norm_learns_and_is_measured_with_its_running_statistics():
    learner = Learner(SMALL.changed("norm_kind", "batch"), 0)
    untouched = learner.network.layers[0].norm1.running_var.clone()
    assert same_bits(untouched, torch.ones(16), "exact"), "the first batch is measured on a copy"
    for _ in range(SMALL.steps):
        learner.advance()
    assert differ(learner.network.layers[0].norm1.running_var, untouched)
    kept = learner.weights_of(5)
    learner.rewind(5)
    assert same_bits(learner.network.layers[0].norm1.running_var, kept["layers.0.norm1.running_var"], "copied")


def test_the_paper_s_schedule_takes_its_rate_from_width_and_warm_up():
    schedule = LiveSettings(decay=PAPER, width=64, warmup=100, lr=1e-3).schedule
    assert math.isclose(schedule.rate(99), (64 * 100) ** -0.5)
    assert math.isclose(schedule.rate(399), 64**-0.5 * 400**-0.5)


def test_legal_words_are_those_of_the_language():
    task = LIVE_TASKS["markov"]
    ids, _ = task.batch(50, seed=2)
    assert is_successor(task.tokenizer, ids[:, 1:]).all()
    shuffled = ids[:, 1:].flip(1)  # a word is not among the successors of each of its own
    assert not is_successor(task.tokenizer, shuffled).any()
    assert not is_successor(task.tokenizer, ids[:, :2]).any(), "the start token is no word"
    learner = Learner(LiveSettings("markov", width=16), 0)
    assert 0.1 < legal_share(learner) < 0.45, "an untrained model writes by chance"
    with pytest.raises(ValueError, match="only the Markov language"):
        legal_share(Learner(SMALL, 0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "chess"}, "task must be one of"),
        ({"layers": 13}, "layers must be a whole number from 1 to 12"),
        ({"steps": 2.0}, "steps must be a whole number"),
        ({"heads": 3}, "cannot share a width"),
        ({"lr": 0.0}, "lr must be above 0"),
        ({"lr": math.nan}, "lr must be above 0"),
        ({"clip": -1.0}, "clip must be"),
        ({"decay": "steps"}, "decay must be one of"),
    ],
)
def test_settings_out_of_bounds_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        LiveSettings(**change)


def test_a_pair_needs_one_task_and_one_number_of_steps():
    with pytest.raises(ValueError, match="the same task"):
        LivePair(SMALL, SMALL.changed("task", "sort"))
    with pytest.raises(ValueError, match="the same number of steps"):
        LivePair(SMALL, SMALL.changed("steps", 13))


@pytest.mark.parametrize(
    ("decay", "last", "middle"), [("constant", 1, 1), ("linear", 0.01, 0.5), ("cosine", 0.0005, 0.5)]
)
def test_a_schedule_rises_and_then_falls_as_named(decay, last, middle):
    schedule = LiveSettings(decay=decay, lr=1.0, warmup=20, steps=120).schedule
    assert close([schedule.rate(0), schedule.rate(9)], [1 / 20, 1 / 2])
    assert abs(schedule.rate(70) - middle) < 1e-9 and abs(schedule.rate(119) - last) < 5e-4


def test_the_schedule_of_2017_is_equation_3():
    width, warmup = 512, 4000
    schedule = InverseSquareRoot((width * warmup) ** -0.5, warmup)
    for number in (1, 100, 4000, 100_000):
        assert math.isclose(schedule.rate(number - 1), width**-0.5 * min(number**-0.5, number * warmup**-1.5))
    assert isinstance(LiveSettings(decay="inverse root").schedule, InverseSquareRoot)


def test_without_warm_up_the_first_rate_is_the_full_one():
    assert LiveSettings(warmup=0, lr=0.5).schedule.rate(0) == 0.5
