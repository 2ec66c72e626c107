"""Why √d_k: the spread of q·k, what a softmax makes of it, and which gradient vanishes."""

import base64
import math
import re
from itertools import pairwise
from random import Random

import numpy as np
import pytest
import torch
from equal import differ, same_bits
from hypothesis import given
from hypothesis import strategies as st
from pytorch_reference import seeds
from screen import component, figures, well
from streamlit.testing.v1 import AppTest
from torch.nn import functional as F

from model import load
from model.analysis.attention_metrics import entropy
from model.analysis.score_scaling import (
    BIN_EDGES,
    N_KEYS,
    WIDTHS,
    head_scores,
    jacobian_norm,
    query_gradients,
    sweep_widths,
)
from model.evaluation.language_model import to_batch
from model.tasks import TASKS
from viz.captions.score_scaling import describe_head_scaling, describe_query_gradient, describe_width
from viz.figures.score_scaling import score_histogram, two_lines
from viz.theme import DARK, LIGHT

SIDES = ("divided", "undivided")
SECTION = "from viz.pages.remove import score_scaling\nscore_scaling.show('grammar', 1, 2)"


@pytest.fixture(scope="module")
def steps():
    return sweep_widths()


@pytest.fixture(scope="module")
def grammar():
    transformer, tokenizer = load("grammar")
    rng = Random(11)
    return transformer, tokenizer, [TASKS["grammar"].draw(None, rng) for _ in range(12)]


# q and k of variance 1


def test_the_variance_of_a_product_is_d_k_within_the_error_of_the_sample(steps):
    queries = keys = 256 * N_KEYS
    for step in steps:
        # q·k given q varies by |q|², whose own variance is 2 d_k; the pairs of one sequence share their q and k.
        error = math.sqrt(2 / step.d_k * (1 / queries + 1 / keys) + 8 / (queries * N_KEYS))
        assert step.undivided.variance / step.d_k == pytest.approx(1, abs=4 * error), step.d_k
        assert step.divided.variance == pytest.approx(step.undivided.variance / step.d_k, rel=1e-5)


def test_every_number_of_a_step_comes_from_the_softmax_of_the_same_draws():
    draws = torch.Generator().manual_seed(3)
    q, k = (torch.randn(5, 1, N_KEYS, 1024, generator=draws).double()[:, 0] for _ in range(2))
    for step in sweep_widths(seed=3, sequences=5, rows=4):
        raw = q[..., : step.d_k] @ k[..., : step.d_k].transpose(1, 2)  # (B, T, S)
        for side, scores in ((step.undivided, raw), (step.divided, raw / math.sqrt(step.d_k))):
            p = scores.softmax(-1)
            jacobian = torch.diag_embed(p) - p[..., :, None] * p[..., None, :]
            assert side.variance == pytest.approx(scores.var().item(), rel=1e-4)
            assert side.entropy == pytest.approx(entropy(p.numpy()).mean(), abs=1e-4)
            assert side.largest == pytest.approx(p.amax(-1).mean().item(), abs=1e-5)
            assert side.jacobian == pytest.approx(jacobian.flatten(-2).norm(dim=-1).mean().item(), abs=1e-5)
            np.testing.assert_allclose(side.rows, p[0, :4], atol=1e-4)


def test_the_histogram_has_the_area_of_what_lies_within_its_edges(steps):
    width = BIN_EDGES[1] - BIN_EDGES[0]
    for step in steps:
        for side in SIDES:
            assert 0.98 < getattr(step, side).density.sum() * width <= 1 + 1e-6


def test_the_scores_of_wide_vectors_follow_the_normal_curve(steps):
    law = [0.5 * math.erf(edge / math.sqrt(2)) for edge in BIN_EDGES]
    expected = np.diff(law) / np.diff(BIN_EDGES)
    for step in steps:
        if step.d_k >= 64:
            np.testing.assert_allclose(step.undivided.density, expected, atol=0.015)
    assert np.abs(steps[0].undivided.density - expected).max() > 0.1, "a product of two is not yet normal"


def test_both_histograms_are_the_same_in_their_own_standard_deviations(steps):
    for step in steps:
        np.testing.assert_allclose(step.divided.density, step.undivided.density, atol=2e-3)


def test_entropy_lies_between_one_choice_and_all_alike(steps):
    for step in steps:
        for side in SIDES:
            softmaxes = getattr(step, side)
            assert 0 <= softmaxes.entropy <= math.log(N_KEYS)
            assert 1 / N_KEYS <= softmaxes.largest <= 1
            np.testing.assert_allclose(softmaxes.rows.sum(-1), 1, rtol=1e-5)


def test_without_the_division_rows_become_one_cell_and_their_jacobian_goes(steps):
    undivided = [step.undivided for step in steps]
    assert all(a.entropy > b.entropy for a, b in pairwise(undivided))
    assert all(a.largest < b.largest for a, b in pairwise(undivided))
    assert undivided[-1].largest > 0.95
    assert undivided[-1].jacobian < max(softmaxes.jacobian for softmaxes in undivided) / 4


@pytest.mark.parametrize("measure", ["entropy", "largest", "jacobian"])
def test_with_the_division_nothing_changes_over_a_thousandfold_d_k(steps, measure):
    values = [getattr(step.divided, measure) for step in steps]
    assert max(values) / min(values) < 1.22
    wide = [getattr(step.divided, measure) for step in steps if step.d_k >= 16]
    assert max(wide) / min(wide) < 1.05, "what is left at small d_k is that a short sum is not normal"


def test_at_a_width_of_one_the_division_does_nothing(steps):
    assert steps[0].d_k == 1
    assert steps[0].divided.entropy == steps[0].undivided.entropy
    assert same_bits(steps[0].divided.rows, steps[0].undivided.rows, "exact")


def test_measuring_leaves_the_global_random_state_alone_and_repeats_itself():
    before = torch.get_rng_state()
    first, again, other = (sweep_widths(seed, sequences=2) for seed in (1, 1, 2))
    query_gradients((8,))
    assert same_bits(torch.get_rng_state(), before)
    assert same_bits(first[5].divided.rows, again[5].divided.rows, "same operation")
    assert differ(first[5].divided.rows, other[5].divided.rows)


# The softmax's Jacobian


def test_the_jacobian_of_two_even_weights_by_hand():
    # diag(½, ½) − ¼ = ((¼, −¼), (−¼, ¼)): norm √(4 / 16) = ½.
    assert jacobian_norm(torch.tensor([0.5, 0.5])).item() == pytest.approx(0.5)


def test_a_single_dark_cell_does_not_answer():
    assert jacobian_norm(torch.tensor([0.0, 1.0, 0.0])).item() == 0


@given(n=st.integers(1, 9), spread=st.floats(0, 20), seed=seeds)
def test_the_norm_is_that_of_autograds_jacobian(n, spread, seed):
    scores = spread * torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda s: s.softmax(-1), scores)
    assert jacobian_norm(scores.softmax(-1)).item() == pytest.approx(jacobian.norm().item(), abs=1e-7)


# A trained head


@pytest.mark.parametrize(("layer", "head"), [(0, 0), (1, 2), (2, 3)])
def test_a_head_is_measured_on_its_own_scores(grammar, layer, head):
    transformer, tokenizer, sentences = grammar
    measured = head_scores(transformer, tokenizer, sentences, layer, head)
    scores, choices, with_it, without = [], [], [], []
    with torch.inference_mode():
        for sentence in sentences:  # one by one: without filler
            attention = transformer(to_batch([sentence], tokenizer).ids).layers[layer].attention
            q, k = attention.q[0, head].double(), attention.k[0, head].double()
            bias = (attention.biased - attention.scaled)[0, head]
            for t in range(1, len(q)):
                raw = q[t] @ k[: t + 1].T
                scores.append(raw)
                choices.append(math.log(t + 1))
                with_it.append((raw / math.sqrt(len(q[0])) + bias[t, : t + 1]).softmax(-1))
                without.append((raw + bias[t, : t + 1]).softmax(-1))
    scores = torch.cat(scores)
    assert measured.d_k == len(q[0])
    assert measured.pairs == len(scores)
    assert measured.variance == pytest.approx(scores.var().item(), rel=1e-3)
    assert measured.mean == pytest.approx(scores.mean().item(), abs=1e-3)
    assert measured.highest_entropy == pytest.approx(np.mean(choices), abs=1e-4)
    for values, rows in ((measured.divided, with_it), (measured.undivided, without)):
        assert values.largest == pytest.approx(np.mean([row.max() for row in rows]), abs=1e-4)
        assert values.entropy == pytest.approx(np.mean([entropy(row.numpy()) for row in rows]), abs=1e-4)
        assert values.jacobian == pytest.approx(np.mean([jacobian_norm(row) for row in rows]), abs=1e-4)


def test_a_trained_head_too_grows_sharper_without_its_division(grammar):
    measured = head_scores(*grammar, 1, 2)
    assert measured.undivided.largest > measured.divided.largest
    assert measured.undivided.entropy < measured.divided.entropy < measured.highest_entropy
    assert measured.undivided.jacobian < measured.divided.jacobian


def test_both_histograms_of_a_head_have_area_one(grammar):
    measured = head_scores(*grammar, 0, 1)
    for density in (measured.raw, measured.scaled):
        assert (density * np.diff(measured.edges)).sum() == pytest.approx(1)


# Where the textbook is loose


def test_the_gradient_of_w_q_is_larger_without_the_division_at_every_width():
    for measured in query_gradients():
        assert measured.undivided > measured.divided > 0, measured.d_k


def test_the_gradient_of_w_q_is_the_one_of_torchs_attention():
    draws = torch.Generator().manual_seed(5)
    x = torch.randn(16, 1, N_KEYS, 8, generator=draws)
    g = torch.randn(x.shape, generator=draws) / math.sqrt(8)
    w_q, w_k, w_v = (torch.nn.init.xavier_uniform_(torch.empty(8, 8), generator=draws) for _ in range(3))
    w_q.requires_grad_()
    (measured,) = query_gradients((8,), seed=5)
    for values, scale in ((measured.divided, None), (measured.undivided, 1.0)):
        z = F.scaled_dot_product_attention(x @ w_q.T, x @ w_k.T, x @ w_v.T, scale=scale)
        (gradient,) = torch.autograd.grad((z * g).sum(-1).mean(), w_q)
        assert values == pytest.approx(gradient.norm().item(), rel=1e-4)


def test_gradients_are_measured_where_no_gradient_is_wanted():
    with torch.no_grad():
        assert query_gradients((4,))[0].divided > 0
    assert torch.is_grad_enabled()


# Figures and sentences


def numbers(sentence):
    return [float(number) for number in re.findall(r"\d+\.\d+", sentence)]


def test_the_sentence_of_a_step_tells_its_numbers():
    sentence = describe_width(256, 16, (0.926, 0.249), (0.1, 0.3), (0.21, 0.25))
    assert "d_k = 256" in sentence
    assert numbers(sentence) == [0.93, 3.0, 0.25, 0.21, 0.25]
    assert "not yet much smaller" in describe_width(2, 16, (0.3, 0.2), (0.31, 0.29), (0.2, 0.3))
    assert "changes nothing" in describe_width(1, 16, (0.2, 0.2), (0.3, 0.3), (0.2, 0.3))


def test_the_sentence_of_a_head_and_of_the_gradient_tell_theirs():
    assert numbers(describe_head_scaling(1, 2, 16, 108.0, (0.89, 0.66), (0.12, 0.25))) == [6.8, 0.66, 0.89, 0.25, 0.12]
    assert "6.2 times larger" in describe_query_gradient(64, 1.03, 0.166)
    assert "2.0 times smaller" in describe_query_gradient(64, 0.5, 1.0)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_the_figures_hold_the_numbers_they_were_given(theme):
    edges, raw = np.linspace(-4, 4, 9), np.array([0, 0, 0.1, 0.4, 0.4, 0.1, 0, 0])
    figure = score_histogram(edges, raw, 2 * raw, d_k=4, theme=theme)
    assert same_bits(figure.data[0].y, 2 * raw, "copied")
    assert same_bits(figure.data[1].y, raw, "copied")
    law = figure.data[2]
    np.testing.assert_allclose(law.y, np.exp(-(np.array(law.x) ** 2) / 8) / math.sqrt(8 * math.pi))
    lines = two_lines([4, 8], [0.1, 0.2], [0.3, 0.6], theme=theme, name="gradient")
    assert [list(line.y) for line in lines.data] == [[0.3, 0.6], [0.1, 0.2]]
    assert {note.text for note in lines.layout.annotations} == {"with", "without"}


def test_a_head_whose_scores_are_all_zero_still_draws():
    assert score_histogram(np.linspace(-1, 1, 5), np.zeros(4), np.zeros(4), d_k=1, theme=LIGHT).data


def test_numbers_that_do_not_fit_are_refused_with_both_sides():
    with pytest.raises(ValueError, match=r"4 bins .*\(3,\)"):
        score_histogram(np.linspace(0, 1, 5), np.zeros(3), np.zeros(4), d_k=1, theme=LIGHT)
    with pytest.raises(ValueError, match=r"2 widths .*1 and 2"):
        two_lines([1, 2], [1.0], [1.0, 2.0], theme=LIGHT, name="")


# The section on a screen


def section(**parameters):
    screen = AppTest.from_string(SECTION, default_timeout=120)
    for name, value in parameters.items():
        screen.query_params[name] = value
    return well(screen.run())


def test_the_browser_receives_every_step_at_once(steps):
    header, arrays = component(section(), "saturation")
    assert header["steps"] == list(WIDTHS)
    assert len(header["sentences"]) == len(WIDTHS)
    for side, name in enumerate(("undivided", "divided")):
        for index, step in enumerate(steps):
            softmaxes = getattr(step, name)
            np.testing.assert_allclose(arrays["rows"][side, index], softmaxes.rows)
            np.testing.assert_allclose(arrays["density"][side, index], softmaxes.density, rtol=1e-6)
            values = [softmaxes.variance, softmaxes.entropy, softmaxes.largest, softmaxes.jacobian]
            np.testing.assert_allclose(arrays["numbers"][side, index], values, rtol=1e-6)
    (mount,) = [mount.proto for mount in section().get("bidi_component") if mount.proto.id.endswith("-saturation")]
    assert len(mount.bytes) < 64_000


@pytest.mark.parametrize("d_k", WIDTHS)
def test_a_link_opens_at_its_step(d_k):
    assert component(section(d_k=str(d_k)), "saturation")[0]["d_k"] == d_k


@pytest.mark.parametrize("bad", ["3", "0", "-1", "2048", "√", "", "64.0"])
def test_a_step_that_is_not_there_falls_back_to_the_papers(bad):
    assert component(section(d_k=bad), "saturation")[0]["d_k"] == 64


def test_the_head_that_was_asked_for_is_the_one_that_is_drawn():
    screen = section()
    sent = figures(screen)["head_scores"]["data"][1]["y"]
    drawn = np.frombuffer(base64.b64decode(sent["bdata"]), dtype=sent["dtype"])
    from viz.pages.remove.score_scaling import _head_scores  # noqa: PLC0415, the cached one, in this process

    np.testing.assert_allclose(drawn, _head_scores("grammar", 1, 2).raw)
