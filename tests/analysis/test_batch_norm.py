"""Batch norm beside layer norm: by hand, against PyTorch, and who moves when a sentence is replaced."""

import base64

import numpy as np
import pytest
import torch
from equal import differ, same_bits
from hypothesis import given
from hypothesis import strategies as st
from pytorch_reference import assert_same, assert_same_gradients, exact, seeds, stir
from screen import figures, well
from streamlit.testing.v1 import AppTest
from torch import nn
from torch.func import functional_call

from model import Experiment, load, run
from model.analysis.norm_comparison import (
    NORMS_COMPARED,
    compare_epsilon,
    compare_norms,
    epsilon_in_batch,
    make_batch,
    output_change,
)
from model.norm import NORMS, BatchNorm
from model.tasks import TASKS
from viz.captions.batch_norm import describe_norm_axes, describe_norm_change
from viz.figures.batch_norm import change_map, tensor_box
from viz.theme import DARK, LIGHT

shapes = st.tuples(st.integers(1, 4), st.integers(2, 6), st.integers(1, 9))
SECTION = "from viz.pages.remove import batch_norm\nbatch_norm.show('grammar')"


def nans(sent):
    shape = [int(side) for side in sent["shape"].split(",")]
    return np.frombuffer(base64.b64decode(sent["bdata"]), dtype=sent["dtype"]).reshape(shape)


# The norm


def test_batch_norm_of_a_channel_done_by_hand():
    # One channel of four words, 1, 3, 5, 7, in two sentences: mean 4, variance 5.
    trace = BatchNorm(1, eps=0.0)(torch.tensor([[[1.0], [3.0]], [[5.0], [7.0]]]))
    assert trace.mean.shape == trace.std.shape == (1, 1, 1)
    assert trace.mean.item() == pytest.approx(4)
    assert trace.std.item() == pytest.approx(5**0.5)
    assert trace.out.flatten().tolist() == pytest.approx([-3 / 5**0.5, -1 / 5**0.5, 1 / 5**0.5, 3 / 5**0.5])


@given(shape=shapes, eps=st.sampled_from([1e-5, 1e-1]), seed=seeds)
def test_batch_norm_is_torchs_forward_and_backward(device, shape, eps, seed):
    torch.manual_seed(seed)
    norm = stir(BatchNorm(shape[-1], eps).to(**exact(device)))
    twin = nn.BatchNorm1d(shape[-1], eps=eps, track_running_stats=False).to(**exact(device))
    x = torch.randn(shape, **exact(device), requires_grad=True)
    ours = norm(x).out
    theirs = functional_call(twin, dict(norm.named_parameters()), (x.flatten(0, 1),)).view_as(x)
    assert_same(ours, theirs)
    if shape[0] * shape[1] > 2:  # with two words, the gradient is all cancellation
        assert_same_gradients(ours, theirs, [x, *norm.parameters()])


@given(shape=shapes, seed=seeds)
def test_each_channel_comes_out_with_mean_0_and_variance_1_over_the_real_words(device, shape, seed):
    torch.manual_seed(seed)
    x, real = torch.randn(shape, **exact(device)), torch.rand(shape[:2], device=device) < 0.7
    real[0, :2] = True
    words = BatchNorm(shape[-1], eps=0.0).to(**exact(device))(x, real).normalised[real]  # (N, C)
    assert_same(words.mean(0), torch.zeros_like(words[0]))
    assert_same(words.var(0, correction=0), torch.ones_like(words[0]))


@given(shape=shapes, seed=seeds)
def test_filler_takes_no_part_whatever_it_holds(device, shape, seed):
    torch.manual_seed(seed)
    norm = stir(BatchNorm(shape[-1]).to(**exact(device)))
    x, real = torch.randn(shape, **exact(device)), torch.rand(shape[:2], device=device) < 0.5
    real[0, :2] = True
    other = torch.where(real[..., None], x, 1e6 * torch.randn_like(x))
    assert same_bits(norm(x, real).out[real], norm(other, real).out[real], "untouched")
    alone = functional_call(
        nn.BatchNorm1d(shape[-1], track_running_stats=False).to(**exact(device)),
        dict(norm.named_parameters()),
        (x[real],),
    )
    assert_same(norm(x, real).out[real], alone)


def test_batch_norm_lets_a_later_word_change_an_earlier_one():
    x = torch.randn(1, 5, 8, generator=torch.Generator().manual_seed(0))
    later = x.clone()
    later[0, 4] += 1
    assert differ(BatchNorm(8)(x).out[0, 0], BatchNorm(8)(later).out[0, 0])
    assert same_bits(NORMS["layer"](8)(x).out[0, :4], NORMS["layer"](8)(later).out[0, :4], "untouched")


# A batch and one sentence replaced


@pytest.fixture(scope="module")
def grammar():
    return load("grammar")


@pytest.fixture(scope="module")
def batch():
    return make_batch(TASKS["grammar"])


@pytest.mark.parametrize("replaced", range(6))
def test_replacing_a_sentence_moves_no_other_by_layer_norm_and_all_others_by_batch_norm(grammar, batch, replaced):
    sentences, substitutes = batch
    comparison = compare_norms(*grammar, sentences, replaced, substitutes[replaced])
    others = comparison.is_token.copy()
    others[replaced] = False
    for name, distance in comparison.change.items():
        assert same_bits(np.isfinite(distance), others), "filler and the replaced sentence are not compared"
        if name == "layer norm":
            assert (distance[others] == 0).all(), "exactly: not one bit"
        else:
            assert (distance[others] > 0.01).all()


def test_a_sentence_replaced_by_itself_moves_nobody(grammar, batch):
    sentences, _ = batch
    for distance in compare_norms(*grammar, sentences, 2, sentences[2]).moved.values():
        assert np.nanmax(distance) == 0


def test_the_tensor_is_what_enters_the_first_norm_of_the_model(grammar, batch):
    sentences, substitutes = batch
    comparison = compare_norms(*grammar, sentences, 0, substitutes[0])
    for b, sentence in enumerate(sentences):
        alone = run(Experiment(text=sentence.text)).layers[0].resid_pre  # (T, C)
        np.testing.assert_allclose(comparison.resid[b, : len(alone)], alone, atol=1e-6)
        assert comparison.is_token[b].sum() == len(alone) == len(comparison.tokens[b])


def test_how_far_a_word_moves_is_the_difference_of_torchs_two_outputs(grammar, batch):
    sentences, substitutes = batch
    before = compare_norms(*grammar, sentences, 3, substitutes[3])
    changed = [substitutes[3] if b == 3 else sentence for b, sentence in enumerate(sentences)]
    after = compare_norms(*grammar, changed, 3, sentences[3])
    outs = []
    for normalised in (before, after):
        out = np.full(normalised.resid.shape, np.nan, dtype=np.float32)
        norm = nn.BatchNorm1d(normalised.resid.shape[-1], track_running_stats=False)
        out[normalised.is_token] = norm(torch.tensor(normalised.resid[normalised.is_token])).detach()
        outs.append(out)
    T = min(out.shape[1] for out in outs)
    distance = np.sqrt(np.square(outs[1][:, :T] - outs[0][:, :T]).mean(-1))
    others = np.arange(6) != 3
    np.testing.assert_allclose(before.moved["batch norm"][others, :T], distance[others], atol=1e-5)


def test_a_distance_is_measured_in_the_spread_of_the_outputs():
    x = torch.tensor([[[1.0], [3.0]], [[5.0], [7.0]]])
    y = x.clone()
    y[0] += 100
    real = torch.ones(2, 2, dtype=torch.bool)
    norm = NORMS_COMPARED["batch norm"](1)
    expected = (norm(y, real).out - norm(x, real).out).abs()[..., 0]
    assert_same(output_change(norm, x, y, real, real), expected)


def test_the_batch_is_the_same_every_time_and_holds_no_sentence_twice(batch):
    again = make_batch(TASKS["grammar"])
    assert [s.text for part in again for s in part] == [s.text for part in batch for s in part]
    assert len({sentence.text for part in batch for sentence in part}) == 12


# Figures and sentences

WORDS = [("<s>", "a", "<b>"), ("<s>", "c")]
MOVED = np.array([[0.0, 0.25, 0.5], [np.nan, np.nan, np.nan]], dtype=np.float32)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_the_map_of_changes_holds_the_changes_and_marks_the_replaced_sentence(theme):
    figure = change_map(MOVED, WORDS, ("<s>", "z"), 1, limit=0.5, theme=theme)
    came, change = figure.data
    assert same_bits(change.z, MOVED, "copied")
    assert (change.zmin, change.zmax) == (0, 0.5)
    assert same_bits(came.z, [[np.nan] * 3, [0, 0, np.nan]], "copied")
    assert [list(row) for row in change.text] == [["⟨start⟩", "a", "&lt;b&gt;"], ["⟨start⟩", "z", ""]]
    (outline,) = figure.layout.shapes
    assert (outline.x0, outline.x1, outline.y0, outline.y1) == (-0.5, 1.5, 0.5, 1.5)
    other = LIGHT if theme is DARK else DARK
    assert other.paper not in str(figure.to_dict())


def test_the_box_shows_the_first_sentence_and_leaves_out_its_filler():
    stream = np.arange(24, dtype=np.float32).reshape(2, 3, 4) - 12
    real = np.array([[True, True, False], [True, True, True]])
    for over in ("channels", "batch"):
        figure = tensor_box(stream, real, over=over, position=1, channel=2, word="<i>", theme=LIGHT)
        shown = np.asarray(figure.data[0].z)
        assert same_bits(shown[:2], stream[0, :2], "copied")
        assert np.isnan(shown[2]).all()
        assert figure.data[0].zmin == -figure.data[0].zmax
        assert "<i>" not in str(figure.layout.annotations)


def test_the_sentence_counts_who_moved():
    assert "none of the 3 words" in describe_norm_change("layer norm", np.where(np.isfinite(MOVED), 0, MOVED), WORDS)
    text = describe_norm_change("batch norm", MOVED, WORDS)
    assert "2 of the 3 words" in text
    assert "**0.25**" in text
    assert "The largest is 0.50" in text
    assert "<b>" not in text


def test_the_sentence_of_the_box_tells_the_mean_that_is_taken():
    stream, real = np.zeros((2, 2, 3), np.float32), np.ones((2, 2), dtype=bool)
    stream[0, 1], stream[:, :, 2] = [1, 2, 3], -3
    layer, batch = (describe_norm_axes(stream, real, over, 1, 2, "a") for over in ("channels", "batch"))
    assert "3 numbers with mean **0.00**" in layer
    assert "4 numbers with mean **−3.00** and standard deviation **0.00**" in batch


# The section on a screen


def section(**parameters):
    screen = AppTest.from_string(SECTION, default_timeout=120)
    for name, value in parameters.items():
        screen.query_params[name] = value
    return well(screen.run())


@pytest.mark.parametrize("number", range(1, 7))
def test_a_link_replaces_its_sentence_and_both_maps_share_one_scale(number):
    charts = figures(section(replaced=str(number)))
    layer, batch = charts["moved_layer"]["data"][1], charts["moved_batch"]["data"][1]
    assert layer["zmax"] == batch["zmax"] > 0
    assert np.nanmax(nans(layer["z"])) == 0
    assert np.nanmax(nans(batch["z"])) == pytest.approx(batch["zmax"])
    assert np.isnan(nans(batch["z"])[number - 1]).all()


@pytest.mark.parametrize("bad", ["0", "7", "x", ""])
def test_a_sentence_that_is_not_there_falls_back(bad):
    assert np.isnan(nans(figures(section(replaced=bad))["moved_batch"]["data"][1]["z"])[2]).all()


# ε inside and outside the root


def test_epsilon_matters_below_the_variance_at_which_the_lengths_differ_by_the_share():
    vectors = np.array([[1.0, -1.0, 1.0, -1.0], [2.5, 1.5, 2.0, 2.0]])
    eps = 1e-3
    compared = compare_epsilon(vectors, eps, to=[1e-8, eps, 4.0])
    assert compared.variance == pytest.approx([1, 0.125])
    assert compared.inside == pytest.approx([np.sqrt(1e-8 / (1e-8 + eps)), np.sqrt(0.5), 2 / np.sqrt(4 + eps)])
    assert compared.outside == pytest.approx([1e-4 / (1e-4 + eps), np.sqrt(eps) / (np.sqrt(eps) + eps), 2 / (2 + eps)])
    apart = [np.sqrt(v) / (np.sqrt(v) + eps) - np.sqrt(v / (v + eps)) for v in (1, 0.125)]
    assert compared.difference == pytest.approx(np.abs(apart))
    for share in (0.01, 0.2):
        at_the_bound = compare_epsilon(vectors, eps, to=[compared.matters_below(share)])
        assert at_the_bound.inside / at_the_bound.outside == pytest.approx([1 - share])
    with pytest.raises(ValueError, match="cannot be scaled"):
        compare_epsilon(np.ones((1, 4)), eps)


def test_epsilon_is_compared_on_the_vectors_of_the_sentences_without_padding():
    compared = epsilon_in_batch("grammar", 6)
    first = [run(Experiment(text=s.text)).layers[0].norm1.input for s in make_batch(TASKS["grammar"], 6)[0]]
    assert compared.variance == pytest.approx(np.concatenate(first).astype(float).var(axis=1), rel=1e-4)
    assert compared.eps == load("grammar")[0].config.norm_eps
