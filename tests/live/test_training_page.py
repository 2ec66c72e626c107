"""The page Training: what its controls set, which claims its sentence tests, and that a run belongs to its settings."""

import numpy as np
import pytest
from equal import close
from screen import component, notices, visit, visit_by_a_bad_link, well

from model.training.live.initial import DEPTHS, embedding_gradients, initial_gradients
from model.training.live.pair import LivePair
from model.training.live.settings import LiveSettings
from viz.captions.training import CLAIMS, Claim
from viz.pages.training import compute, controls, figure
from viz.pages.training.controls import COMPARISONS, SETTINGS, Chosen, difference
from viz.pages.training.runs import RUNS
from viz.ui import background
from viz.ui.state import Key

PATIENCE = 120  # seconds

PAGE = "viz/pages/training/page.py"


def header(screen):
    return component(screen, figure.FIGURE)[0]


def run_of(screen):
    return RUNS.find(screen.session_state[Key.TRAINING])


def sentence(screen):
    return "".join(text for text, _ in component(screen, f"save_{figure.FIGURE}")[0]["reading"])


@pytest.fixture(autouse=True)
def _watched(monkeypatch):
    monkeypatch.setattr(background, "WATCHED", PATIENCE)  # no browser watches; a busy machine takes its time


@pytest.fixture
def page():
    screen = well(visit(PAGE, train_steps=50, train_width=16))
    yield screen
    RUNS.forget(screen.session_state[Key.TRAINING])


def test_the_page_opens_untrained_and_follows_its_training(page):
    assert header(page)["rests"] and [frame["step"] for frame in header(page)["frames"]] == [0]
    assert sentence(page).startswith("Neither model is trained yet.")
    run = run_of(page)
    figure.command(run, "play", 3)
    assert run.wait(PATIENCE)
    well(page.run())
    assert run_of(page) is run and [frame["step"] for frame in header(page)["frames"]] == [0, 1, 2, 3]
    assert sentence(page).startswith("After 3 of 50 steps")
    run.note = "It was paused."
    figure.command(run, "rewind", 1)
    assert not run.note
    well(page.run())
    assert header(page)["frames"][-1]["step"] == 1 and header(page)["kept"] == [0, 1]
    figure.command(run, "rewind", 7)
    assert run.pair.step == 1, "a step that is not kept is no place to go back to"
    figure.command(run, "play", 0)
    well(page.run())
    assert sentence(page).startswith("A and B are learning") or run.rests
    figure.command(run, "pause", 0)
    assert run.rests


def test_another_setting_is_another_training(page):
    run = run_of(page)
    page.selectbox(key="train_norm").set_value("post")
    well(page.run())
    other = run_of(page)
    assert other is not run and RUNS.find(run.name) is None and other.settings[0].norm == "post"
    page.number_input(key="train_seed").set_value(3)
    page.toggle(key="train_residual").set_value(False)
    well(page.run())
    a, b = run_of(page).settings
    assert (a.seed, a.residual, b.residual) == (3, False, False) and a.differences(b) == ("position",)


@pytest.mark.parametrize("number", range(len(COMPARISONS)))
def test_a_comparison_sets_everything_and_tests_a_claim(page, number):
    comparison = COMPARISONS[number]
    page.button(key=f"comparison_{number}").click()
    well(page.run())
    a, b = run_of(page).settings
    assert a == LiveSettings(**comparison.a) and a.differences(b) == (comparison.change,)
    assert getattr(b, comparison.change) == comparison.value
    claim = figure.claim_of(Chosen(a, b, SETTINGS[comparison.change]))
    assert claim is not None and claim.worse == "B"


def test_a_claim_is_tested_only_by_values_that_it_speaks_of():
    def claim(field, value, **a):
        settings = LiveSettings(**a)
        return figure.claim_of(Chosen(settings, settings.changed(field, value), SETTINGS[field]))

    assert claim("residual", False, layers=6) == Claim("residual") and claim("residual", False, layers=2) is None
    assert claim("residual", True, layers=6, residual=False) == Claim("residual", "A")
    assert claim("norm", "none") == Claim("norm") and claim("norm", "post") is None
    assert (
        claim("norm", "post", layers=12) == Claim("post-norm")
        and claim("norm", "pre", layers=12, norm="post").worse == "A"
    )
    assert claim("position", "rope") is None and claim("seed", 1) is None
    assert claim("warmup", 0) is None and claim("warmup", 0, layers=12, norm="post") == Claim("warmup")
    assert figure.claim_of(Chosen(LiveSettings(), LiveSettings(), None)) is None
    assert {"scale", "mask", "mlp"} <= set(CLAIMS)


def test_what_a_model_has_is_said_in_words():
    settings = LiveSettings(layers=1, warmup=0, clip=None)
    words = {field: difference(setting, settings) for field, setting in SETTINGS.items()}
    assert words["residual"] == "with residual connections" and words["layers"] == "1 layer"
    assert words["warmup"] == "no warm-up steps" and words["clip"] == "no clipping"
    assert words["position"] == "positions: sinusoidal" and words["lr"] == "learning rate: 0.003"


def test_every_value_of_every_control_gives_settings_that_can_be_built():
    for field, setting in SETTINGS.items():
        for value in setting.values:
            LivePair(LiveSettings(steps=50), LiveSettings(steps=50).changed(field, value))
        assert setting.value(controls.spelled(setting.values[-1])) == setting.values[-1]


def test_the_mask_is_no_choice_where_the_task_has_none(page):
    assert "causal mask" not in page.selectbox(key="train_change").options
    assert page.toggle(key="train_mask").disabled
    screen = well(visit(PAGE, train_task="Markov language", train_change="causal mask"))
    assert run_of(screen).settings[1].mask is False
    screen.selectbox(key="train_task").set_value("Sort")
    well(screen.run())
    assert screen.session_state["train_change"] == "nothing" and "same settings" not in sentence(screen)
    RUNS.forget(screen.session_state[Key.TRAINING])


def test_the_markov_language_has_its_lines_and_reports_what_the_models_write():
    screen = well(visit(PAGE, train_task="Markov language", train_change="causal mask", train_steps=50, train_width=16))
    levels = {level["name"]: level["value"] for level in header(screen)["loss_levels"]}
    assert close(levels["entropy of the language"], np.log(3)) and close(levels["guessing"], np.log(12))
    run = run_of(screen)
    run.play(5)
    assert run.wait(PATIENCE)
    well(screen.run())
    assert "of the words of A and" in sentence(screen)
    RUNS.forget(run.name)


def test_the_table_is_a_line_for_each_step_and_the_arrays_are_those_of_python(page):
    run = run_of(page)
    run.play(5)
    assert run.wait(PATIENCE)
    table = figure.table(run.frames, 0)
    assert table["step"] == [0, 1, 2, 3, 4, 5]
    chosen = Chosen(*run.settings, None)
    namespace = {}
    exec(figure._python(chosen, 5), namespace)
    for name, array in figure.arrays(run.frames, chosen).items():
        assert close(namespace[name], array.values), name
    assert close(namespace["A_held_out_loss"], table["held-out loss, A"])


def test_seeds_run_further_pairs_that_stand_in_the_sentence_the_table_and_the_files():
    screen = well(visit(PAGE, train_steps=50, train_width=16, train_layers=1, train_seeds=3, train_seed=4))
    run = run_of(screen)
    run.play(5)
    assert run.wait(PATIENCE)
    well(screen.run())
    assert run.pair.seeds == 3 and "over 3 seeds" in sentence(screen)
    assert len(header(screen)["frames"][-1]["others"]) == 2
    table = figure.table(run.frames, 4)
    assert close(table["held-out accuracy, B, seed 6"], run.pair.curve("b", "accuracy", 2))
    chosen = Chosen(*run.settings, None, 3)
    arrays, namespace = figure.arrays(run.frames, chosen), {}
    exec(figure._python(chosen, 5), namespace)
    assert close(namespace["A_accuracies"], arrays["A_accuracies"].values)
    assert list(arrays["A_accuracies"].axes["seed"]) == [4, 5, 6] and arrays["A_accuracies"].values.shape == (3, 6)
    screen.slider(key="train_seeds").set_value(1)
    well(screen.run())
    assert run_of(screen) is not run and run_of(screen).pair.seeds == 1
    RUNS.forget(screen.session_state[Key.TRAINING])


def test_a_head_that_finds_the_answer_is_named_with_its_step():
    screen = well(visit(PAGE, train_steps=200, train_layers=1, train_heads=1, train_change="nothing"))
    run = run_of(screen)
    run.play()
    assert run.wait(PATIENCE)
    well(screen.run())
    first = next(frame for frame in run.frames if frame.a.on_answer.max() >= 0.5)
    assert 0 < first.step < 200
    assert f"From step {first.step} on, layer 0 head 0 of A gives at least half" in sentence(screen)
    RUNS.forget(run.name)


def test_a_model_that_has_diverged_leaves_gaps_and_no_fault(page):
    run = run_of(page)
    run.pair.b.network.embedding.weight.data[5] = float("inf")
    run.play(4)
    assert run.wait(PATIENCE) and run.pair.b.diverged
    well(page.run())
    assert header(page)["b"]["note"] and header(page)["frames"][-1]["b"] is None
    assert "stopped being a finite number after 0 steps" in sentence(page)
    assert np.isnan(figure.table(run.frames, 0)["held-out loss, B"][-1])
    assert np.isnan(figure.arrays(run.frames, Chosen(*run.settings, None))["B_weights"].values[-1]).all()


def test_every_depth_can_be_chosen_and_costs_its_own_models_only(monkeypatch):
    settings, computed = LiveSettings(width=16, heads=1), []

    def counted(settings, depths):
        computed.append(depths)
        return embedding_gradients(settings, depths)

    monkeypatch.setattr(compute, "embedding_gradients", counted)
    short = compute.gradients(settings, 3)
    assert short.depths == DEPTHS and short.layers["post"].shape == (3, 3)
    seven = compute.gradients(settings, 7)
    assert computed == [DEPTHS, (7,)] and seven.depths == (1, 2, 3, 4, 6, 7, 8, 12, 16, 20, 24)
    plain = initial_gradients(settings, (6, 7, 8), 7)
    for case, norms in plain.embedding.items():
        assert close(seven.embedding[case][:, 4:7], norms), case
    assert close(seven.layers["pre"], plain.layers["pre"])
    bare = compute.gradients(settings.changed("residual", False).changed("mlp", False), 7)
    assert close(bare.layers["post"], seven.layers["post"]), "by layer it is the whole block that is compared"


def test_a_bad_link_says_what_it_could_not_use():
    screen = visit_by_a_bad_link(
        PAGE, train_layers="99", train_seeds="99", train_change="luck", train_seed="-5", train_nonsense="1"
    )
    text = notices(well(screen))
    assert "train_seeds" in text and "train_layers = “99” (shown: 2)" in text and r"train\_nonsense" in text
    RUNS.forget(screen.session_state[Key.TRAINING])
