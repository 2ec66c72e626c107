"""The colours, held to what the theme promises: straight in lightness, safe for colour-blind eyes, legible."""

import itertools
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from viz.theme import PROJECTED, SANS, THEMES, Theme, scale, template

CONFIG = tomllib.loads((Path(__file__).parents[2] / ".streamlit/config.toml").read_text(encoding="utf-8"))

# Linear RGB as a dichromat sees it: Machado, Oliveira and Fernandes 2009, severity 1.
SEEN_BY = {
    "normal": np.eye(3),
    "deuteranope": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanope": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = TO_XYZ @ np.ones(3)


def linear(colour):
    """ "#rrggbb" → linear RGB (3,)."""
    channel = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)


def lab(colour, eye="normal"):
    """ "#rrggbb" → CIELAB (3,), as this eye sees it."""
    xyz = TO_XYZ @ np.clip(SEEN_BY[eye] @ linear(colour), 0, 1) / WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(first, other, eye="normal"):
    """How different two colours look: 2 can just be told apart side by side."""
    return float(np.linalg.norm(lab(first, eye) - lab(other, eye)))


def contrast(first, other):
    """WCAG 2 contrast ratio, 1 … 21."""
    dark, light = sorted(float(TO_XYZ[1] @ linear(colour)) for colour in (first, other))
    return (light + 0.05) / (dark + 0.05)


themes = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
eyes = pytest.mark.parametrize("eye", SEEN_BY)


def test_the_ruler_itself_measures_what_is_known():
    assert lab("#ffffff") == pytest.approx([100, 0, 0], abs=0.01)
    assert lab("#777777")[0] == pytest.approx(50.03, abs=0.01)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert apart("#c00000", "#5a7a00", "deuteranope") < 0.5 * apart("#c00000", "#5a7a00")


def test_there_is_paper_and_there_is_dark():
    assert set(THEMES) == {"light", "dark"}
    assert lab(THEMES["light"].paper)[0] > 90 > 20 > lab(THEMES["dark"].paper)[0]


@themes
def test_streamlit_is_told_the_same_colours(theme: Theme):
    values = CONFIG["theme"][theme.name]
    assert values["backgroundColor"] == theme.paper
    assert values["secondaryBackgroundColor"] == theme.panel
    assert values["textColor"] == theme.ink
    assert values["borderColor"] == theme.rule
    assert values["primaryColor"] == values["linkColor"] == theme.accent
    assert values["sidebar"]["backgroundColor"] == theme.panel
    assert values["sidebar"]["secondaryBackgroundColor"] == theme.paper


def test_streamlit_is_told_the_same_font():
    assert CONFIG["theme"]["font"] == SANS


@themes
def test_every_colour_is_a_full_hex_code(theme: Theme):
    single = [theme.paper, theme.panel, theme.ink, theme.muted, theme.rule, theme.accent, theme.absent, theme.hatch]
    single.append(theme.broken)
    for colour in [*single, *theme.weights, *theme.signed]:
        assert re.fullmatch("#[0-9a-f]{6}", colour), colour


@themes
@eyes
def test_more_weight_is_always_further_in_lightness(theme: Theme, eye):
    lightness = [lab(colour, eye)[0] for colour in theme.weights]
    steps = np.diff(lightness)
    towards_ink = -1 if theme.name == "light" else 1
    assert (towards_ink * steps > 5).all(), lightness


@themes
def test_the_weight_scale_is_even_in_lightness(theme: Theme):
    steps = np.abs(np.diff([lab(colour)[0] for colour in theme.weights]))
    assert steps.max() < 1.6 * steps.min(), steps


@themes
def test_the_signed_scale_is_symmetric_in_lightness(theme: Theme):
    lightness = np.array([lab(colour)[0] for colour in theme.signed])
    assert len(lightness) % 2 == 1
    assert lightness == pytest.approx(lightness[::-1], abs=1.5)


@themes
def test_the_signed_scale_has_no_hue_at_zero_and_two_hues_at_its_ends(theme: Theme):
    _, a, b = lab(theme.signed[len(theme.signed) // 2])
    assert np.hypot(a, b) < 3
    assert apart(theme.signed[0], theme.signed[-1]) > 40


@themes
@eyes
def test_size_on_the_signed_scale_is_lightness_for_every_eye(theme: Theme, eye):
    lightness = [lab(colour, eye)[0] for colour in theme.signed]
    middle = len(lightness) // 2
    towards_ink = -1 if theme.name == "light" else 1
    assert (towards_ink * np.diff(lightness[middle:]) > 5).all()
    assert (towards_ink * np.diff(lightness[middle::-1]) > 5).all()


@themes
def test_what_is_no_number_is_on_neither_scale(theme: Theme):
    others = [*theme.weights, *theme.signed, theme.accent, theme.absent, theme.paper]
    assert min(apart(theme.broken, other) for other in others) > 20, "and it bears a cross, for every other eye"


@themes
@eyes
def test_neighbours_on_either_scale_can_be_told_apart(theme: Theme, eye):
    for colours in (theme.weights, theme.signed):
        for colour, other in itertools.pairwise(colours):
            assert apart(colour, other, eye) > 10, (colour, other)


@themes
@eyes
def test_plus_and_minus_can_be_told_apart_at_every_size(theme: Theme, eye):
    for minus, plus in zip(theme.signed, theme.signed[: len(theme.signed) // 2 : -1], strict=False):
        assert apart(minus, plus, eye) > 25, (minus, plus)


@themes
@pytest.mark.parametrize("text", ["ink", "muted", "accent"])
@pytest.mark.parametrize("ground", ["paper", "panel", "absent"])
def test_text_stands_out_from_what_is_behind_it(theme: Theme, text, ground):
    assert contrast(getattr(theme, text), getattr(theme, ground)) >= 4.5


@themes
def test_a_figure_without_colours_of_its_own_takes_the_themes(theme: Theme):
    layout = template(theme).layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == theme.paper
    assert layout.font.color == theme.ink
    assert layout.font.family == SANS


def test_a_scale_spreads_its_colours_evenly_from_nought_to_one():
    assert scale(("#000000", "#777777", "#ffffff")) == [(0, "#000000"), (0.5, "#777777"), (1, "#ffffff")]


@pytest.mark.parametrize("theme", PROJECTED.values(), ids=PROJECTED)
def test_on_a_projector_even_quiet_labels_have_the_contrast_of_body_text(theme: Theme):
    for colour in (theme.ink, theme.muted, theme.accent):
        assert contrast(colour, theme.paper) >= 7, "WCAG 2, 1.4.6"
    assert contrast(theme.rule, theme.paper) >= 3, "WCAG 2, 1.4.11"
