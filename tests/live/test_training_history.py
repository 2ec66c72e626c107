"""Winding back: the history of a training, when a role forms, and the view of it on the page."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from screen import component, visit, well

from model import Experiment, run
from model.checkpoint import CheckpointError
from model.training.history import (
    TrainingHistory,
    forming_roles,
    history_of_learner,
    history_of_steps,
)
from model.training.live.learner import Learner
from model.training.live.pair import LivePair
from model.training.live.relations import RELATIONS, relation_scores, right_keys
from model.training.live.settings import LiveSettings
from viz.pages.training import figure, history
from viz.pages.training.runs import RUNS, frame_for_browser
from viz.ui.state import Key

PAGE = "viz/pages/training/page.py"
TEXT = "the dogs chase the cat ."


def history_of_one_relation(scores, steps=(0, 10, 20, 30)):
    """A history of one relation, with scores (N, L, H)."""
    n = len(steps)
    scores = np.array(scores)
    weights = np.zeros((n, *scores.shape[1:], 2, 2))
    return TrainingHistory(steps, np.ones(n), np.ones(n), {"a": scores}, ("x", "y"), weights, np.tri(2, dtype=bool))


def test_a_role_forms_where_its_score_passes_a_half_for_the_last_time():
    (role,) = forming_roles(history_of_one_relation([[[0.1, 0.6]], [[0.2, 0.7]], [[0.1, 0.3]], [[0.2, 0.9]]]))
    assert (role.layer, role.head, role.before, role.after) == (0, 1, 20, 30)
    assert (role.score_before, role.score_after) == (0.3, 0.9)
    assert forming_roles(history_of_one_relation([[[0.1]], [[0.9]], [[0.9]], [[0.49]]])) == (), (
        "the role was lost again"
    )
    assert forming_roles(history_of_one_relation([[[0.8]], [[0.9]], [[0.9]], [[0.9]]])) == (), (
        "it was there from the start"
    )
    (role,) = forming_roles(history_of_one_relation([[[0.1]], [[np.nan]], [[0.9]], [[0.9]]]))
    assert (role.before, role.after) == (10, 20)


def test_parts_of_a_relation_are_no_roles():
    whole = history_of_one_relation([[[0.1]], [[0.2]], [[0.3]], [[0.9]]])
    assert forming_roles(replace(whole, scores={"a, near": whole.scores["a"]})) == ()


def test_the_history_of_the_shipped_steps_has_the_maps_of_each():
    shipped = history_of_steps("grammar", TEXT)
    assert shipped.weights.shape == (len(shipped.steps), 3, 4, 7, 7)
    place = shipped.steps.index(400)
    layers = run(Experiment("grammar@000400", TEXT)).layers
    assert shipped.weights[place, 1] == pytest.approx(layers[1].attention.weights, abs=1e-6)
    assert {role.relation for role in forming_roles(shipped)} >= {"induction", "verb → subject", "previous token"}
    assert shipped.loss[0] > 5 > shipped.loss[-1]
    with pytest.raises(CheckpointError, match="Nothing was measured"):
        history_of_steps("stories", TEXT)


def test_scores_of_a_live_training_are_the_mean_weight_on_the_right_keys():
    ids, targets = LiveSettings().live_task.batch(3, 5)
    right = right_keys(ids, targets)
    weights = torch.softmax(torch.randn(3, 2, 2, 9, 9), -1)
    scores = relation_scores(weights, right)
    assert scores.shape == (len(RELATIONS), 2, 2)
    rows = [weights[b, 1, 0, t, t - 1] for b in range(3) for t in range(1, 9)]
    assert scores[0, 1, 0] == pytest.approx(torch.stack(rows).mean().item(), abs=1e-6)
    expected = [weights[b, 0, 1, t, ids[b] == targets[b, t]].sum() for b in range(3) for t in range(1, 9)]
    assert scores[4, 0, 1] == pytest.approx(torch.stack(expected).mean().item(), abs=1e-6)


def test_the_history_of_a_live_training_follows_its_measurements():
    learner = Learner(LiveSettings(steps=8, width=16), 0)
    for _ in range(8):
        learner.advance()
    shipped = history_of_learner(learner)
    assert shipped.steps == tuple(range(9))
    assert shipped.loss[-1] == learner.measurements[8].held_out_loss
    assert shipped.scores["first token"].shape == (9, 2, 2)


def test_older_steps_are_thinned_out_first():
    learner = Learner(LiveSettings(steps=16), 0, most_bytes=10 * Learner(LiveSettings(), 0)._kept[0].bytes)
    for _ in range(16):
        learner.advance()
    assert learner.kept_steps[0] == 0 and learner.kept_steps[-2:] == (15, 16)
    gaps = np.diff(learner.kept_steps)
    assert gaps[: len(gaps) // 2].sum() > gaps[len(gaps) // 2 :].sum()


def view(**state):
    return well(visit(PAGE, view="Wind back", **state))


def test_the_view_opens_at_the_step_of_the_link_and_sends_little():
    screen = view(history_step=400, text=TEXT)
    header, arrays = component(screen, history.FIGURE)
    assert header["state"] == {"history_step": 400}
    assert arrays["weights"].shape == (13, 12, 7, 7) and arrays["scores"].shape == (13, 15, 12)
    assert sum(array.nbytes for array in arrays.values()) < 2e6
    assert {"relation": "induction", "layer": 1, "head": 2, "before": 400, "after": 500} in header["roles"]
    assert header["live"] is None


def test_a_live_training_is_wound_back_and_its_settings_stay():
    screen = well(visit(PAGE, train_steps=50, train_width=16, train_seed=3))
    training = RUNS.find(screen.session_state[Key.TRAINING])
    figure.command(training, "play", 4)
    assert training.wait(30)
    screen = well(screen.segmented_control(key="view").set_value("Wind back").run())
    screen = well(screen.segmented_control(key="history_of").set_value("B of this page").run())
    assert component(screen, history.FIGURE)[0]["steps"] == [0, 1, 2, 3, 4]
    assert any(caption.value.startswith("You can go back to 5 steps of") for caption in screen.caption)
    screen = well(screen.segmented_control(key="history_of").set_value("grammar").run())
    screen = well(screen.segmented_control(key="view").set_value("Learn live").run())
    assert RUNS.find(screen.session_state[Key.TRAINING]) is training, "nothing was set anew"
    RUNS.forget(training.name)


def test_the_step_moves_along_where_it_is_the_newest_and_stays_where_it_was_put():
    screen = view(history_of="A of this page", train_steps=50, train_width=16)
    training = RUNS.find(screen.session_state[Key.TRAINING])
    assert component(screen, history.FIGURE)[0]["live"]["rests"]

    def step_after(more):
        figure.command(training, "play", more)
        assert training.wait(30)
        header = component(well(screen.run()), history.FIGURE)[0]
        return header["steps"][-1], header["state"]["history_step"]

    assert step_after(4) == (4, 4)
    screen.selectbox(key="history_step").set_value(2)
    assert step_after(3) == (7, 2)
    screen.selectbox(key="history_step").set_value(7)
    assert step_after(2) == (9, 9)
    RUNS.forget(training.name)


def test_a_frame_of_the_stream_has_the_scores_of_every_head():
    pair = LivePair(LiveSettings(steps=1, width=16), LiveSettings(steps=1, width=16))
    sent = frame_for_browser(pair.frames[0], (np.ones((9, 9), dtype=bool),) * 2)["a"]["scores"]
    assert len(sent) == len(RELATIONS) * 4
    assert sent == pytest.approx(pair.a.measurements[0].scores.ravel(), abs=5e-5)


def test_a_large_history_is_thinned_for_the_browser():
    pair = LivePair(LiveSettings(steps=1), LiveSettings(steps=1))
    whole = history_of_learner(pair.a)
    many = whole.at_places([0] * 100)
    wide = replace(many, weights=np.zeros((100, 12, 8, 18, 18)), tokens=("a",) * 18)
    places = history.places_to_send(wide)
    assert places[0] == 0 and places[-1] == 99 and len(places) * 96 * (18**2 + 4 * 5) <= history.MOST_BYTES
    assert history.places_to_send(many) == list(range(100))


def test_an_impossible_sentence_is_refused_in_one_sentence():
    screen = view(text=" ")
    assert any("There is no text yet" in info.value for info in screen.info)
