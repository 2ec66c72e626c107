"""What Translate says it shows: each number is held against a computation that shares no code with the model."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from screen import visit, well
from torch import nn

import model.attention
from model import Experiment
from model.analysis.loop_attention import attention_pytorch, difference_from_pytorch
from model.run import get_model as loaded
from model.run import run_pair
from viz.pages.lessons.answers import attention
from viz.pages.lessons.answers.on_screen import OnScreen
from viz.pages.translate import compute as translate_compute
from viz.ui import server_cache

PAGE = "viz/pages/translate/page.py"
SHOWS = "Claims checked"
WRITTEN = Experiment(
    "translate", translate_compute.TRANSLATE_TASKS["Translation"].example, target="l'animal n'a pas traversé la rue"
)


@pytest.fixture
def forgotten():
    """Nothing is remembered from before, and nothing of this test is remembered after it."""
    server_cache.clear()
    yield
    server_cache.clear()


def line(screen, name):
    """The line that begins with this claim."""
    (text,) = [text.value for text in screen.markdown if f"**{name}" in text.value]
    (claim,) = [text_line for text_line in text.split("\n") if f"**{name}" in text_line]
    return claim


def size(text):
    """The number behind "to" or "up to": "3.2·10⁻⁷" as 3.2e-7."""
    match = re.search(r"to (?:within )?(\d+(?:\.\d+)?)(?:·10(⁻?[⁰¹²³⁴-⁹]+))?", text)
    power = (match[2] or "⁰").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return float(match[1]) * 10 ** int(power)


def test_the_weights_by_pytorch_are_the_softmax_done_by_hand():
    q, k = np.array([[[2.0, 0.0]]]), np.array([[[math.sqrt(2), 5.0], [0.0, 7.0]]])  # scores 2√2 and 0: scaled 2 and 0
    mask = np.ones((1, 1, 2), dtype=bool)
    odds = math.exp(2)
    assert attention_pytorch(q, k, mask) == pytest.approx(np.array([[[odds / (odds + 1), 1 / (odds + 1)]]]))
    odds = math.exp(2 * math.sqrt(2))
    assert attention_pytorch(q, k, mask, scale=False)[0, 0, 0] == pytest.approx(odds / (odds + 1))
    assert attention_pytorch(q, k, np.array([[[False, True]]])).tolist() == [[[0, 1]]]


def test_a_cross_attention_is_pytorchs_multi_head_attention_with_another_source():
    """nn.MultiheadAttention with our matrices: queries from the decoder, keys and values from the encoder."""
    network = loaded(WRITTEN.weights)[0]
    trace = run_pair(WRITTEN)
    source = torch.as_tensor(np.array(trace.encoder.final_norm.out))[None]
    for layer, layer_trace in zip(network.decoder, trace.decoder.layers, strict=True):
        ours, C = layer.cross, source.size(-1)
        theirs = nn.MultiheadAttention(C, ours.n_heads, batch_first=True)
        theirs.load_state_dict({
            "in_proj_weight": torch.cat([ours.w_q.weight, ours.w_k.weight, ours.w_v.weight]).cpu(),
            "in_proj_bias": torch.cat([ours.w_q.bias, ours.w_k.bias, ours.w_v.bias]).cpu(),
            "out_proj.weight": ours.w_o.weight.cpu(),
            "out_proj.bias": ours.w_o.bias.cpu(),
        })  # fmt: skip
        with torch.inference_mode():
            looking = torch.as_tensor(np.array(layer_trace.norm_cross.out))[None]
            out, weights = theirs(looking, source, source, average_attn_weights=False)
        assert np.allclose(weights[0].numpy(), layer_trace.cross.weights, atol=1e-5)
        assert np.allclose(out[0].numpy(), layer_trace.cross.out, atol=1e-4)
        assert difference_from_pytorch(layer_trace.cross) < 1e-5


def test_a_weight_that_is_wrong_shows_in_the_difference_to_pytorch():
    cross = run_pair(WRITTEN).decoder.layers[-1].cross
    wrong = cross.weights.copy()
    wrong[3, 2, 1] += 0.25  # another head than the first, and one cell
    assert difference_from_pytorch(replace(cross, weights=wrong)) == pytest.approx(0.25, abs=1e-5)


def test_the_number_of_the_claim_is_rounding():
    claim = line(well(visit(PAGE, panel=SHOWS)), "Cross-attention is the same operation")
    assert "PyTorch" in claim and size(claim) < 1e-5


def test_the_number_of_the_claim_grows_when_the_operation_of_the_model_is_another(forgotten, monkeypatch):
    """The softmax of the lab is broken everywhere: a number that compares it with itself would stay at zero."""
    right = model.attention.masked_softmax
    monkeypatch.setattr(
        model.attention, "masked_softmax", lambda scores, fully_masked: right(0.5 * scores, fully_masked)
    )
    assert size(line(well(visit(PAGE, panel=SHOWS)), "Cross-attention is not the same operation here")) > 1e-2


def test_word_by_word_is_one_pass_with_the_mask_and_need_not_be_without():
    claim = line(well(visit(PAGE, panel=SHOWS)), "Decoding goes word by word")
    assert "gives them the same ln p" in claim and size(claim) < 1e-4
    claim = line(well(visit(PAGE, panel=SHOWS, mask="false")), "Decoding goes word by word")
    assert "one pass is not the same here" in claim and size(claim) > 1e-2


def test_whether_an_output_leaves_the_hull_is_asked_of_the_outputs(forgotten, monkeypatch):
    screen = OnScreen(Experiment("grammar", "the dogs near the tree chase the cat ."), 0, 0)
    assert attention.output_outside_hull(screen) == "no, never"
    server_cache.clear()
    side_by_side = model.attention.attend

    def doubled(*args, **kwargs):
        trace = side_by_side(*args, **kwargs)
        return replace(trace, z=2 * trace.z)  # the weights stay what they are

    monkeypatch.setattr(model.attention, "attend", doubled)
    assert attention.output_outside_hull(screen) == "yes, if a score is large enough"
