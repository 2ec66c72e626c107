"""The head and the token that a page opens with: chosen for the text, by the full model alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from screen import component, visit, well
from torch.nn import functional as F

from model import Experiment, Switches
from model.mask import MaskSpec
from model.run import AttentionOverride, run
from viz.captions.heads import SINK, describe_opening, informative_weights, most_informative_row, share_on_first
from viz.ui import opening_choice
from viz.ui.controls import EXAMPLE

ENGLISH = "Once upon a time there was a little girl named Lily."
STORIES = Experiment(weights="stories", text=ENGLISH)


def weights_of(experiment):
    return np.stack([layer.attention.weights for layer in run(experiment).layers])  # (L, H, T, T)


@pytest.mark.parametrize("text", [ENGLISH, EXAMPLE, "he", "The capital of France is a city."])
def test_stories_opens_with_a_head_that_is_no_attention_sink(text):
    """Its best measured role is induction, and that head is a sink where nothing is repeated."""
    opening = opening_choice.opening_head(replace(STORIES, text=text))
    assert share_on_first(weights_of(replace(STORIES, text=text))[opening.place]) <= SINK
    assert opening.role == ""
    assert opening.role_is_sink


def test_of_the_heads_that_are_no_sink_it_is_the_one_with_the_most_informative_weight():
    weights = weights_of(STORIES)
    best = {
        (layer, head): informative_weights(weights[layer, head]).max()
        for layer in range(weights.shape[0])
        for head in range(weights.shape[1])
        if share_on_first(weights[layer, head]) <= SINK
    }
    assert opening_choice.opening_head(STORIES).place == max(best, key=best.get)


def test_where_every_head_is_a_sink_the_page_opens_with_the_most_informative_of_them(monkeypatch):
    monkeypatch.setattr(opening_choice, "SINK", -1.0)
    opening = opening_choice._opening_head.__wrapped__(STORIES)
    weights = weights_of(STORIES)
    best = max(np.ndindex(weights.shape[:2]), key=lambda place: informative_weights(weights[place]).max())
    assert (opening.place, opening.all_sinks) == (best, True)


def test_where_the_head_of_the_best_role_is_no_sink_the_page_opens_with_it():
    opening = opening_choice.opening_head(Experiment(text=EXAMPLE))
    assert (opening.place, opening.role) == ((2, 2), "verb → subject")


@pytest.mark.parametrize(
    "changed",
    [
        {"switches": Switches(scale=False)},
        {"switches": Switches(heads_off=frozenset({(2, 2)}))},
        {"mask_spec": MaskSpec("none")},
        {"override": AttentionOverride(0, 0, 1, (1.0, 0.0))},
    ],
)
@pytest.mark.parametrize("text", [EXAMPLE, "the dog sleeps ."])
def test_no_switch_no_mask_and_no_override_changes_the_head_or_the_token(text, changed):
    whole = Experiment(text=text)
    other = replace(whole, **changed)
    assert opening_choice.opening_head(other) == opening_choice.opening_head(whole)
    assert opening_choice.changed_row(other) == opening_choice.changed_row(whole)


def test_on_remove_it_is_the_token_whose_prediction_moves_most_without_the_scaling():
    experiment = Experiment(text=EXAMPLE)
    whole, without = (
        torch.tensor(run(replace(experiment, switches=Switches(scale=scale))).logits).double().log_softmax(-1)
        for scale in (True, False)
    )  # (T, V)
    moved = F.kl_div(without, whole, reduction="none", log_target=True).sum(-1)  # (T,)  PyTorch's own
    assert opening_choice.changed_row(experiment) == moved.argmax()


def test_a_model_without_scaling_opens_remove_with_the_row_that_says_most_about_its_head():
    experiment = Experiment(weights="grammar-without-scale", text=EXAMPLE)
    place = opening_choice.opening_head(experiment).place
    assert opening_choice.changed_row(experiment) == most_informative_row(weights_of(experiment)[place])


@given(weights=arrays(np.float64, (5, 5), elements=st.floats(0, 1)))
def test_the_informative_row_is_the_row_of_the_largest_informative_weight(weights):
    assert informative_weights(weights)[most_informative_row(weights)].max() == informative_weights(weights).max()


@given(weights=arrays(np.float64, (4, 4), elements=st.floats(0, 1)))
def test_the_share_on_the_first_token_is_a_mean_of_later_rows(weights):
    assert min(weights[1:, 0]) - 1e-12 <= share_on_first(weights) <= max(weights[1:, 0]) + 1e-12


# Page → the drawing that has a token in focus, and what is changed on the page.
CHANGES = {
    "heads": ("sentence", {"scale": "false"}),
    "inside": ("walk", {"norm": "false"}),
    "masks": ("stages", {"mask_kind": "sliding"}),
    "remove": ("compare", {"mlp": "false"}),
}


@pytest.mark.parametrize("page", CHANGES)
@pytest.mark.parametrize("text", [EXAMPLE, "the cats near the tree sleep ."])
def test_a_change_leaves_the_same_token_in_focus(page, text):
    key, change = CHANGES[page]
    rows = [
        component(well(visit(f"viz/pages/{page}/page.py", text=text, **parameters)), key)[0]["row"]
        for parameters in ({}, change)
    ]
    assert rows[0] == rows[1]


def test_heads_says_why_it_shows_this_head_and_explains_a_column_on_the_first_token():
    screen = well(visit("viz/pages/heads/page.py", weights="stories", text=ENGLISH))
    opening = opening_choice.opening_head(STORIES)
    caption = dict(component(screen, "save_enlarged")[0]["reading"])
    sentence = "".join(caption)
    assert describe_opening(opening.layer, opening.head, "", "token", role_is_sink=True) in sentence
    assert "This is called an attention sink" not in sentence
    weights = weights_of(STORIES)
    layer, head = divmod(int(np.argmax([share_on_first(w) for row in weights for w in row])), weights.shape[1])
    resting = well(visit("viz/pages/heads/page.py", weights="stories", text=ENGLISH, layer=layer, head=head))
    sentence = "".join(dict(component(resting, "save_enlarged")[0]["reading"]))
    assert "This is called an attention sink" in sentence
    assert "is shown first" not in sentence, "the person has chosen it"
