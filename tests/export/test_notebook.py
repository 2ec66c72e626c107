"""`attention_figure`: somebody's arrays as a page that shows itself, offline, in a notebook or in a file."""

import html
import json
import re
import zlib
from base64 import b64decode

import numpy as np
import pytest
from equal import same_bits
from unpack import unpack

import viz
from viz.export.notebook import ABSENT_16, FULL_16
from viz.pack import ABSENT, FULL

WORDS = ["the", "dog", "sleeps"]


def causal(*shape):
    """Weights (…, T, T) of random rows that look at nothing ahead: NaN there."""
    weights = np.random.default_rng(0).random(shape)
    weights = np.where(np.tril(np.ones(shape[-2:], dtype=bool)), weights, np.nan)
    return weights / np.nansum(weights, axis=-1, keepdims=True)


def sent(figure):
    """What frontend/figures/attention_browser.js is given: (header, arrays)."""
    return unpack(b64decode(re.search(r'id="data">(.*?)</script>', figure.html).group(1)))


def head(figure, index):
    """The codes of one head, as the browser unpacks them."""
    header, arrays = sent(figure)
    start, end = header["starts"][index : index + 2]
    raw = zlib.decompress(arrays["zipped"][start:end].tobytes())
    shape = (len(header["tokens"]), len((header["keys"] or header)["tokens"]))
    return np.frombuffer(raw, dtype="<u2" if header["fine"] else "u1").reshape(shape)


def test_every_head_is_in_the_page_in_its_place():
    weights = causal(2, 3, 3, 3)
    figure = viz.attention_figure(weights, WORDS)
    for layer in range(2):
        for number in range(3):
            codes = head(figure, layer * 3 + number)
            is_drawn = ~np.isnan(weights[layer, number])
            assert same_bits(codes == ABSENT_16, ~is_drawn)
            assert np.abs(codes[is_drawn] / FULL_16 - weights[layer, number][is_drawn]).max() <= 0.5 / FULL_16 + 1e-7


def test_a_large_figure_opens_with_small_maps_and_small_codes():
    weights = np.zeros((8, 8, 256, 256), dtype=np.float32)
    weights[..., 0] = 1
    weights[:, :, 0, 1:] = np.nan
    figure = viz.attention_figure(weights, ["w"] * 256)
    header, arrays = sent(figure)
    assert (header["fine"], header["pooled"], arrays["cells"].shape) == (False, True, (8, 8, 64, 64))
    assert head(figure, 63)[0].tolist() == [FULL] + [ABSENT] * 255
    assert "Each cell shows the largest weight of a block of words" in figure.html


def test_it_opens_with_the_sharpest_head_and_says_so():
    weights = np.full((2, 2, 3, 3), 1 / 3)
    weights[1, 0] = np.eye(3)
    figure = viz.attention_figure(weights, WORDS)
    assert sent(figure)[0]["selected"] == [1, 0]
    assert (
        "Of 4 heads, layer 1, head 0 is the sharpest: on average, it gives 1.00 of a row to a single word"
        in figure.html
    )


@pytest.mark.parametrize("name", ["key_tokens", "looked_at"])
def test_cross_attention_has_its_own_words_and_rows_that_no_place_decides(name):
    weights = np.full((1, 1, 3, 2), 0.5)
    weights[0, 0, 1] = [0, 1]
    header, _ = sent(viz.attention_figure(weights, WORDS, **{name: ["le", "chien"]}))
    assert header["keys"]["tokens"] == ["le", "chien"]
    assert header["rows"] == [[1]]


def test_what_is_unusual_is_said_under_the_figure():
    assert "No row sums to 1: the sum is 0.50." in viz.attention_figure(np.full((3, 3), 1 / 6), WORDS).html
    assert "Hatched cells have no weight" in viz.attention_figure(causal(3, 3), WORDS).html
    assert "Hatched" not in re.search(r'class="reading">(.*)</p>', viz.attention_figure(np.eye(3), WORDS).html).group(1)


def test_words_that_do_not_fit_are_refused_with_both_sides():
    with pytest.raises(ValueError, match=re.escape("3 tokens need (3, 3) weights, not (2, 2).")):
        viz.attention_figure(np.eye(2), WORDS)


def test_a_theme_that_is_none_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match='light, dark, not "sepia"'):
        viz.attention_figure(np.eye(3), WORDS, theme="sepia")


def test_the_page_loads_nothing_and_takes_no_word_for_markup():
    evil = "</script><script>window.caught=1</script>"
    figure = viz.attention_figure(np.eye(3), [evil, "<b>", '"'], title=evil)
    assert "<script>window.caught" not in figure.html
    assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?!data:)', figure.html)
    assert json.loads(re.search(r'id="origin">(.*?)</script>', figure.html).group(1))["figure"] == evil


def test_a_notebook_shows_the_page_in_a_frame_that_cannot_reach_it():
    figure = viz.attention_figure(np.eye(3), WORDS)
    frame = figure._repr_html_()
    assert html.unescape(re.search(r'srcdoc="([^"]*)"', frame).group(1)) == figure.html
    assert re.search(r'sandbox="([^"]*)"', frame).group(1) == "allow-scripts"


def test_in_a_browser_a_head_is_enlarged_and_a_word_pinned_without_a_server(context, tmp_path):
    weights = np.stack([np.eye(3), np.eye(3)[::-1]])  # looks at itself; looks at its mirror
    viz.attention_figure(weights, WORDS, title="Two heads").save(tmp_path / "figure.html")
    page = context.new_page()
    wrong, requests = [], []
    page.on("pageerror", lambda error: wrong.append(error))
    page.on("request", lambda request: requests.append(request.url))
    page.goto((tmp_path / "figure.html").as_uri())
    page.locator(".maps .lab[data-drawn]").wait_for()
    page.locator(".head_grid .head").nth(1).click()
    page.locator(".head_grid .head[aria-pressed=true][aria-label='Layer 0, head 1']").wait_for()
    page.locator(".queries .word").first.click()
    assert page.locator(".queries .word[aria-pressed=true]").inner_text() == "the"
    assert page.locator(".keys .word.best").inner_text().split() == ["sleeps", "1.00"]
    page.close()
    assert not wrong
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
