"""What leaves the app, page by page, in a real browser: every file is opened and its content is looked at."""

import csv
import io
import json
import re
import zipfile
from urllib.parse import urlencode
from xml.etree import ElementTree

import numpy as np
import pytest
from equal import close
from PIL import Image
from PIL.PdfParser import PdfParser, decode_text
from playwright.sync_api import expect
from served import PATIENCE, saved, wait_for_rest

from model import Experiment, Switches, run
from viz.export.provenance import version_of_lab
from viz.ui.controls import EXAMPLE

SVG = "{http://www.w3.org/2000/svg}"
WORDS = EXAMPLE.split()
EIGHT = "the dog near the tree was tired ."
SIXTY_FOUR = " ".join([*("the person who the dogs near the trees chase was tired . " * 6).split()][:63])
OUTSIDE = """(text) => {
    const host = document.body.appendChild(document.createElement("div"));
    const sheet = document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
    host.attachShadow({ mode: "open" }).append(sheet);
    const paper = sheet.getBoundingClientRect();
    const cut = [...sheet.querySelectorAll("text")].filter((word) => {
        const box = word.getBoundingClientRect();
        const [wide, tall] = [box.right - box.left, box.bottom - box.top];
        return wide && tall && (box.left < paper.left - 1 || box.right > paper.right + 1
            || box.top < paper.top - 1 || box.bottom > paper.bottom + 1);
    });
    host.remove();
    return cut.map((word) => word.textContent);
}"""


@pytest.fixture
def page(context):
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert not complaints
    expect(page.get_by_test_id("stException")).to_have_count(0)
    page.close()


def visit(page, address, name, **state):
    """Open a page and wait until all its figures are drawn."""
    page.goto(f"{address}/{'' if name == 'heads' else name}?{urlencode(state)}")
    page.locator(".st-key-whole_page .opener").wait_for(timeout=PATIENCE)
    page.locator(".lab[data-drawn], .js-plotly-plot .main-svg").first.wait_for(timeout=PATIENCE)
    wait_for_rest(page)
    return page


def texts(svg):
    """The texts of a drawing, in order."""
    return ["".join(text.itertext()).strip() for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def origin(svg):
    """What the drawing says of itself to programs."""
    return json.loads(ElementTree.fromstring(svg).findtext(f"{SVG}metadata"))


# Words of a poster, those of its figures aside, that lie on one another.
CROSSED = """(text) => {
    const holder = document.createElement("div");
    holder.innerHTML = text;
    document.body.append(holder);
    const words = [...holder.querySelectorAll("text")].filter((one) => !one.closest(".figure"));
    const boxes = words.map((one) => [one.textContent, one.getBoundingClientRect()]);
    holder.remove();
    return boxes.flatMap(([a, p], at) => boxes.slice(at + 1)
        .filter(([, q]) => Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1
            && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 4)
        .map(([b]) => `${a} | ${b}`));
}"""


def archive(page):
    """The whole page: name → bytes."""
    with zipfile.ZipFile(saved(page, "whole_page", "ZIP").path()) as file:
        assert file.testzip() is None, "every file has the check it was stored with"
        return {name: file.read(name) for name in file.namelist()}


# One page after the other, everything on it

PAGES = [
    ("heads", {"text": EIGHT, "panel": "Rollout"}, None),
    ("heads", {"text": SIXTY_FOUR, "scale": "false"}, "without scaling by √d_k"),
    ("inside", {"mlp": "false", "step_number": "4"}, "without feed-forward"),
    ("masks", {"mask_kind": "window", "mask_size": "5", "text": SIXTY_FOUR}, "with another mask: window 5"),
    ("positions", {}, None),
    ("remove", {"norm": "false", "panel": "Residual stream", "text": SIXTY_FOUR}, "B: without layer norm"),
    ("remove", {"view": "Trained without"}, "trained without scaling by √d_k"),
    ("remove", {"view": "Why √d_k"}, "untrained, at initialisation"),
    ("why", {"view": "The table", "cost_d": "128"}, None),
    ("why", {"view": "Escaping the square", "tile_keys": "2"}, None),
    ("why", {"view": "Decoding and the cache"}, None),
    ("translate", {"norm": "false", "panel": "Ablation"}, "without layer norm"),
    ("translate", {"network": "GRU without attention", "method": "beam", "panel": "Accuracy by length"}, None),
    ("translate", {"task": "Coreference"}, None),
]


@pytest.mark.parametrize(("name", "state", "notice"), PAGES, ids=lambda value: "" if value is None else str(value)[:40])
def test_the_archive_of_a_page_holds_every_figure_its_data_and_the_way_back(page, address, name, state, notice):
    visit(page, address, name, **state)
    files = archive(page)
    experiment = json.loads(files["experiment.json"])
    assert experiment["link"] == page.url
    assert experiment["page"] == name
    assert experiment["state"].items() >= state.items()
    assert experiment["version"] == version_of_lab()
    keys = {figure["figure"] for figure in experiment["figures"]}
    shown = page.locator("[class*='st-key-save_']").evaluate_all(
        "all => all.map((one) => [...one.classList].find((name) => name.startsWith('st-key-save_')).slice(12))"
    )
    assert keys == set(shown)
    for figure in experiment["figures"]:
        file = figure["file"]
        svg = files[f"figures/{file}.svg"]
        assert origin(svg) == figure["origin"]
        assert figure["origin"]["link"] == page.url
        assert figure["origin"]["version"] == version_of_lab()
        assert not page.evaluate(OUTSIDE, svg.decode()), f"{file}: no label is cut"
        root = ElementTree.fromstring(svg)
        image = Image.open(io.BytesIO(files[f"figures/{file}.png"]))
        assert image.size == (2 * int(root.get("width")), 2 * int(root.get("height")))
        assert json.loads(image.text["attention-lab"]) == figure["origin"]
        assert len(image.convert("RGB").getcolors(1 << 24)) > 20, f"{file} is not blank"
        lines = list(csv.reader(io.StringIO(files[f"data/{file}.csv"].decode("utf-8-sig"), newline="")))
        assert len(lines) > 1
        assert {len(line) for line in lines} == {len(lines[0])}
        with np.load(io.BytesIO(files[f"data/{file}.npz"])) as numbers:
            assert json.loads(str(numbers["origin"])) == figure["origin"]
            for array, axes in json.loads(str(numbers["axes"])).items():
                assert numbers[array].shape == tuple(len(numbers[axis]) for axis in axes)
        assert f"--figure {figure['figure']} " in files["README.txt"].decode()
    faces = {figure["origin"].get("says") for figure in experiment["figures"]}
    assert faces >= {notice}
    for figure in experiment["figures"]:
        if face := figure["origin"].get("says"):
            assert face[0].upper() + face[1:] in " ".join(texts(files[f"figures/{figure['file']}.svg"]))
    poster = " ".join(texts(files["poster.svg"]))
    assert page.locator(".st-key-heading h1").inner_text() in poster
    assert page.locator(".st-key-heading p").inner_text().split(".")[0] in poster
    assert not page.evaluate(CROSSED, files["poster.svg"].decode())
    spoken = re.sub(r"\s+", " ", poster)
    for figure in experiment["figures"]:
        if figure["figure"] != "sentence":  # it speaks of the word that has the focus
            assert figure["sentence"].split(":")[0][:30].strip() in spoken
            assert not re.search(r"\$|\*\*", figure["sentence"])
    assert page.url in spoken.replace(" ", "") or page.url in spoken
    assert ElementTree.fromstring(files["poster.svg"]).find(f".//{SVG}a").get("href") == page.url
    assert not page.evaluate(OUTSIDE, files["poster.svg"].decode())
    assert Image.open(io.BytesIO(files["poster.png"])).text["Source"] == page.url


def test_the_poster_shows_every_step_of_a_figure_that_stands_at_an_early_one(page, address):
    visit(page, address, "inside", step_number=3)
    later = "Σ 1.000"  # of the weights, five steps on
    assert later not in texts(saved(page, "walk", "SVG").path().read_bytes())
    assert later in texts(saved(page, "whole_page", "Poster SVG").path().read_bytes())


# One figure after the other kind of file


def test_a_drawing_is_named_after_the_experiment_and_holds_the_words(page, address):
    visit(page, address, "heads", scale="false", layer=1, head=2)
    file = saved(page, "enlarged", "SVG")
    assert file.suggested_filename == "grammar-without-scale-L1H2-weights.svg"
    svg = file.path().read_bytes()
    assert {"Without scaling by √d_k", *WORDS} <= set(texts(svg))
    assert origin(svg)["switches"]["scale"] is False
    file = saved(page, "grid", "SVG")
    assert file.suggested_filename == "grammar-without-scale-all-heads.svg"
    svg = file.path().read_bytes()
    root = ElementTree.fromstring(svg)
    assert not list(root.iter(f"{SVG}image")), "the grid is a drawing, not a picture"
    assert len(root.findall(f"{SVG}g[@class='cells']")) == 12


def test_a_picture_of_one_head_says_which_it_is(page, address):
    visit(page, address, "heads", layer=1, head=2, stage="masked")
    drawn = texts(saved(page, "enlarged", "SVG").path().read_bytes())
    assert any(re.fullmatch(r"Layer 1, head 2: induction 0\.\d\d with the full model; masked", text) for text in drawn)


def test_an_intact_picture_says_nothing_on_its_face(page, address):
    visit(page, address, "heads")
    assert not any("without" in text.lower() for text in texts(saved(page, "enlarged", "SVG").path().read_bytes()))


def test_a_png_has_the_size_the_ground_and_the_foot_that_were_asked_for(page, address):
    visit(page, address, "heads", scale="false")
    frame = page.locator(".st-key-save_enlarged")
    plain = Image.open(io.BytesIO(saved(page, "enlarged", "PNG 2×").path().read_bytes()))
    assert plain.getpixel((1, 1))[3] == 255
    frame.locator(".opener").click()
    frame.get_by_label("transparent").check()
    frame.get_by_label("footer with origin").check()
    page.keyboard.press("Escape")
    large = Image.open(io.BytesIO(saved(page, "enlarged", "PNG 4×").path().read_bytes()))
    assert large.getpixel((1, 1))[3] == 0
    assert large.width == 2 * plain.width
    assert large.height > 2 * plain.height, "the foot stands below"
    drawn = texts(saved(page, "enlarged", "SVG").path().read_bytes())
    foot = "".join(drawn[drawn.index(next(text for text in drawn if text.startswith("Attention Lab"))) :])
    assert page.url.replace(" ", "") in foot.replace(" ", "")
    assert "seed 0" in foot


def test_the_numbers_are_the_models_own_with_named_axes(page, address):
    visit(page, address, "heads", scale="false")
    file = saved(page, "grid", "NPZ")
    assert file.suggested_filename == "grammar-without-scale-all-heads.npz"
    held = np.load(io.BytesIO(file.path().read_bytes()))
    trace = run(Experiment(text=EXAMPLE, switches=Switches(scale=False)))
    assert close(held["weights"], np.stack([layer.attention.weights for layer in trace.layers]))
    assert json.loads(str(held["axes"]))["weights"] == ["layer", "head", "query", "key"]
    assert held["query"].tolist() == ["⟨start⟩", *WORDS]
    assert json.loads(str(held["origin"]))["link"] == page.url


def offline(chrome, file, tmp_path):
    """A saved page, opened from the disk in a browser that may load nothing."""
    path = tmp_path / file.suggested_filename
    file.save_as(path)
    context = chrome.new_context(viewport={"width": 1100, "height": 900}, offline=True)
    page = context.new_page()
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: requests.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: requests.append(str(error)))
    page.goto(path.as_uri())
    return page, requests


def test_a_saved_page_opens_offline_and_answers_the_pointer(chrome, page, address, tmp_path):
    visit(page, address, "heads", scale="false", layer=1, head=2)
    alone, requests = offline(chrome, saved(page, "enlarged", "HTML"), tmp_path)
    lab = alone.locator("#figure .lab[data-drawn]")
    lab.wait_for(timeout=PATIENCE)
    x, y = lab.evaluate(
        """(root) => {
            const { place } = root.view;
            const box = root.getBoundingClientRect();
            return [box.left + place.left + 2.5 * place.cell, box.top + place.above + 5.5 * place.cell];
        }"""
    )
    alone.mouse.move(x, y)
    weight = run(Experiment(text=EXAMPLE, switches=Switches(scale=False))).layers[1].attention.weights[2][5, 2]
    expect(alone.locator("#figure .tip")).to_contain_text(f"{WORDS[4]} → {WORDS[1]}")
    expect(alone.locator("#figure .tip")).to_contain_text(f"{weight:.3f}")
    expect(alone.locator(".says")).to_have_text("without scaling by √d_k")
    origin = json.loads(alone.locator("#origin").text_content())
    assert origin["link"] == page.url
    assert all(url.startswith(("file:", "data:", "blob:")) for url in requests), requests
    alone.context.close()


def test_a_saved_chart_opens_offline_and_answers_the_pointer(chrome, page, address, tmp_path):
    visit(page, address, "remove", view="Trained without")
    alone, requests = offline(chrome, saved(page, "loss_curves", "HTML"), tmp_path)
    alone.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=PATIENCE)
    x, y = alone.locator(".js-plotly-plot").evaluate(
        """(chart) => {
            const { xaxis, yaxis, _size } = chart._fullLayout;
            const { x, y } = chart._fullData.at(-1);
            const box = chart.getBoundingClientRect();
            return [box.left + _size.l + xaxis.d2p(x[5]), box.top + _size.t + yaxis.d2p(y[5])];
        }"""
    )
    alone.mouse.move(x - 2, y)
    alone.mouse.move(x, y)
    expect(alone.locator(".hoverlayer .hovertext").first).to_contain_text("step")
    assert "Share" not in alone.content().partition("<script")[0]
    assert all(url.startswith(("file:", "data:", "blob:")) for url in requests), requests
    alone.context.close()


SLIDES = {"walk": ("inside", {}), "waves_drawn": ("positions", {}), "compare": ("remove", {"scale": "false"})}


@pytest.mark.parametrize("key", SLIDES)
def test_any_drawing_of_ours_is_drawn_again_in_its_own_file(chrome, page, address, tmp_path, key):
    name, state = SLIDES[key]
    visit(page, address, name, **state)
    alone, requests = offline(chrome, saved(page, key, "HTML"), tmp_path)
    alone.locator("#figure .lab[data-drawn]").wait_for(timeout=PATIENCE)
    drawn = """canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
    }"""
    assert alone.locator("#figure canvas").first.evaluate(drawn) > 20
    assert all(url.startswith(("file:", "data:", "blob:")) for url in requests), requests
    alone.context.close()


def test_the_lines_are_copied_and_the_menu_answers_keys(page, address):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    visit(page, address, "heads", scale="false")
    frame = page.locator(".st-key-save_enlarged")
    frame.locator(".opener").focus()
    page.keyboard.press("Enter")
    expect(frame.locator(".menu")).to_be_visible()
    expect(frame.locator(".choice").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(frame.locator(".menu")).to_be_hidden()
    expect(frame.locator(".opener")).to_be_focused()
    page.keyboard.press("Enter")
    expect(frame.locator(".choice").first).to_be_focused()
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    expect(frame.locator(".choice").last).to_be_focused()
    page.keyboard.press("Enter")
    expect(frame.get_by_role("status")).to_have_text("Copied.")
    lines = page.evaluate("navigator.clipboard.readText()")
    namespace: dict[str, object] = {}
    exec(lines, namespace)
    attention = run(Experiment(text=EXAMPLE, switches=Switches(scale=False))).layers[2].attention
    assert close(namespace["weights"], attention.weights[2])


def test_paper_gets_the_poster_and_nothing_of_the_app(page, address):
    visit(page, address, "remove", scale="false")
    sheet = page.locator("#attention-lab-paper")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.title() == "grammar-without-scale-remove", "the name that the browser gives the PDF"
    page.emulate_media(media="print")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    expect(sheet).to_be_visible()
    text = re.sub(r"\s+", " ", sheet.inner_text())
    for part in (
        "What breaks without it?",
        "Model: grammar, seed 0.",
        "largest KL(A ‖ B)",
        "right answers",
        "A − B",
        page.url,
    ):
        assert part in text, part
    right = page.locator(".strip table td").all_inner_texts()
    assert len(right) >= 4 * 4 and set(right) <= set(sheet.locator("text").all_text_contents())
    page.emulate_media(media="null")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(sheet).to_have_count(0)
    assert page.title() == "Attention Lab"
    for size in ("A4", "A3"):
        printed = page.pdf(format=size, print_background=True)
        assert decode_text(PdfParser(buf=printed).info[b"Title"]) == "grammar-without-scale-remove"
        assert f"/URI ({page.url})".encode() in printed, "its origin, to be clicked"
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1, f"what fits {size} is not broken in two"
