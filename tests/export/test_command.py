"""`attention-lab export`: a link in, a file out; and one sentence for whatever cannot be made."""

import importlib
import io
import json
import re
import subprocess
import sys
import tomllib
from xml.etree import ElementTree

import numpy as np
import pytest
from equal import same_bits
from PIL import Image
from PIL.PdfParser import PdfParser, decode_text
from served import saved, wait_for_picture

from model import Experiment, Switches, run
from viz import cli
from viz.cli import ExportError, PageState, main, page_state
from viz.theme import DARK, LIGHT
from viz.ui import model_calls
from viz.ui.controls import EXAMPLE

SVG = "{http://www.w3.org/2000/svg}"
LINK = "http://localhost:8501/?scale=false&layer=1&head=2"


def test_the_command_has_its_name():
    project = tomllib.loads((cli.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    module, _, function = project["project"]["scripts"]["attention-lab"].partition(":")
    assert getattr(importlib.import_module(module), function) is main


def texts(svg):
    return ["".join(text.itertext()).strip() for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("link", "where"),
    [
        ("http://localhost:8501", PageState("heads", "")),
        ("http://lab.example/heads?scale=false", PageState("heads", "scale=false")),
        ("/masks?mask_kind=window&mask_size=3", PageState("masks", "mask_kind=window&mask_size=3")),
        ("?query=3", PageState("heads", "query=3")),
        ("/home?query=3", PageState("heads", "query=3")),
        ("/your-model?maps_model=x", PageState("your_model", "maps_model=x")),
        ("http://lab.example/your_model", PageState("your_model", "")),
        ('{"page": "your-model", "state": {}}', PageState("your_model", "")),
        ('{"page": "your_model", "state": {}}', PageState("your_model", "")),
        ('{"link": "http://localhost/remove?norm=false"}', PageState("remove", "norm=false")),
        ('{"page": "inside", "state": {"layer": "1"}}', PageState("inside", "layer=1")),
        (
            '{"page": "remove", "state": {"heads_off": ["L0H1", "L1H2"]}}',
            PageState("remove", "heads_off=L0H1&heads_off=L1H2"),
        ),
    ],
)
def test_a_link_of_any_host_or_an_experiment_leads_to_its_page(link, where):
    assert page_state(link) == where
    assert page_state(where.link) == where


def test_pages_are_listed_as_the_browser_spells_them_and_each_that_is_listed_is_accepted():
    contents = (cli.ROOT / "viz/app/contents.py").read_text(encoding="utf-8")
    paths = set(re.findall(r'url_path="([\w-]+)"', contents)) - {"home"}  # which is “heads” too
    with pytest.raises(ExportError) as refusal:
        page_state("/your_page")
    match = re.fullmatch(r'There is no page "your_page"\. There are: (.+)\.', str(refusal.value))
    listed = match[1].split(", ")
    assert listed == sorted(paths)
    for path in listed:
        assert page_state(f"/{path}").link == ("/" if path == "heads" else f"/{path}")


@pytest.mark.parametrize(
    ("link", "figure"),
    [
        ("/masks?figure=leaks", "leaks"),
        ("/masks?present=stages", "stages"),
        ("/masks?present=true", ""),
        ("/masks?figure=", ""),
        ("/masks?mask_kind=window", ""),
    ],
)
def test_a_link_to_one_figure_names_it(link, figure):
    assert page_state(link).figure == figure


def test_the_figure_that_a_link_shows_alone_is_the_one_that_is_exported(tmp_path):
    for out, more in (("alone", "&figure=leaks"), ("named", "")):
        command = ["export", f"/masks?edit_position=8{more}", "--out", str(tmp_path / f"{out}.csv")]
        assert main([*command, *([] if more else ["--figure", "leaks"])]) == 0
    assert (tmp_path / "alone.csv").read_bytes() == (tmp_path / "named.csv").read_bytes()
    assert (tmp_path / "alone.csv").read_text(encoding="utf-8-sig").startswith("position,word,largest change")


def test_a_link_of_an_earlier_version_is_exported_under_the_names_of_today(tmp_path):
    assert main(["export", "/positions?show=Distance", "--out", str(tmp_path / "old.csv")]) == 0
    assert main(["export", "/positions?view=Position+and+distance", "--out", str(tmp_path / "new.csv")]) == 0
    assert (tmp_path / "old.csv").read_bytes() == (tmp_path / "new.csv").read_bytes()


def test_a_page_is_computed_with_one_thread_as_on_the_server(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(model_calls, "start", lambda: started.append(True))
    assert main(["export", "/?text=the+dog", "--out", str(tmp_path / "a.csv")]) == 0
    assert started


def test_an_experiment_is_read_from_its_file(tmp_path):
    file = tmp_path / "experiment.json"
    file.write_text(json.dumps({"link": "http://localhost/masks?mask_kind=block"}), encoding="utf-8")
    assert page_state(str(file)) == PageState("masks", "mask_kind=block")


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("/nowhere", 'There is no page "nowhere". There are: heads, inside'),
        ("missing.json", "This experiment cannot be read"),
        ("{broken", "This experiment cannot be read"),
        ("[].json", "This experiment cannot be read"),
        ('{"layer": 1}', 'neither a "link" nor a "page"'),
    ],
)
def test_a_link_that_leads_nowhere_is_refused_with_a_sentence(link, message):
    with pytest.raises(ExportError, match=re.escape(message)):
        page_state(link)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([LINK, "--out", "x.gif"], 'svg, png, pdf, csv, npz, html, not in ".gif"'),
        ([LINK, "--out", "x.csv", "--figure", "moon"], "There are: sentence, grid, enlarged, next, lens."),
        (["/?text=", "--out", "x.csv"], "There is no text yet."),
        (["/nowhere", "--out", "x.csv"], 'There is no page "nowhere"'),
        (["/?modle=stories", "--out", "x.csv"], "modle (unknown setting). Nothing was written."),
        (["/masks?mask_kind=zip", "--out", "x.csv"], "mask_kind = “zip” (shown: trained). Nothing was written."),
        ([LINK, "--out", "x.svg", "--browser", "no-such-browser"], "csv, npz, html need no browser"),
        ([LINK, "--out", "x.svg", "--width", "5"], "240 to 4000 pixels wide, not 5."),
        ([LINK], "Name a link and a file"),
        (["--list", "missing.txt"], "The list missing.txt cannot be read: No such file or directory."),
    ],
)
def test_what_cannot_be_made_is_one_sentence_and_no_file(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["export", *arguments]) == 1
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_numbers_and_live_pages_need_no_browser(tmp_path, monkeypatch):
    monkeypatch.setattr(cli.shutil, "which", lambda name: None)
    for ending in ("csv", "npz", "html"):
        assert main(["export", LINK, "--figure", "enlarged", "--out", str(tmp_path / f"map.{ending}")]) == 0
    attention = run(Experiment(text=EXAMPLE, switches=Switches(scale=False))).layers[1].attention
    held = np.load(tmp_path / "map.npz")
    assert same_bits(held["weights"], attention.weights[2], "same operation")
    assert json.loads(str(held["origin"]))["link"] == LINK
    assert "without scaling by √d_k" in (tmp_path / "map.html").read_text(encoding="utf-8")
    assert (tmp_path / "map.csv").read_text(encoding="utf-8-sig").startswith("query,")


def test_without_a_browser_a_picture_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cli.shutil, "which", lambda name: None)
    assert main(["export", LINK, "--out", str(tmp_path / "map.png")]) == 1
    assert "Pictures are drawn by Chromium or Chrome, and there is none on this machine" in capsys.readouterr().err


def test_a_list_names_links_files_and_figures(tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text('# two\n\n"/?text=the dog" a.csv\n/masks b.npz stages  # by hand\n', encoding="utf-8")
    a, b = cli._listed(listed)
    assert (a.link, a.out.name, a.figure) == ("/?text=the dog", "a.csv", None)
    assert (b.link, b.out.name, b.figure) == ("/masks", "b.npz", "stages")


@pytest.mark.parametrize("line", ["/masks", "/masks a.csv b c", '"/masks a.csv'])
def test_a_line_that_cannot_be_read_is_named(line, tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text(f"/ a.csv\n{line}\n", encoding="utf-8")
    with pytest.raises(ExportError, match="Line 2 of"):
        cli._listed(listed)


def test_one_refusal_in_a_list_leaves_the_others_alone(tmp_path, capsys):
    listed = tmp_path / "list.txt"
    listed.write_text(f"/nowhere {tmp_path}/a.csv\n{LINK} {tmp_path}/b.csv grid\n", encoding="utf-8")
    assert main(["export", "--list", str(listed)]) == 1
    assert (tmp_path / "b.csv").exists()
    assert "nowhere" in capsys.readouterr().err


def test_a_list_is_exported_by_one_process_that_prints_its_files_and_no_warning(tmp_path):
    """In a process of its own, because Streamlit writes its warnings where the process began to write."""
    files = [tmp_path / "old.csv", tmp_path / "new.csv"]
    links = ["/positions?show=Too+long", "/masks?view=Trained+without+the+mask"]  # both compute for seconds
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(f"{link} {file}" for link, file in zip(links, files, strict=True)), encoding="utf-8")
    command = [sys.executable, "-m", "viz.cli", "export", "--list", str(listed)]
    done = subprocess.run(command, cwd=cli.ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [str(file) for file in files]
    assert all(file.exists() for file in files)


@pytest.mark.usefixtures("chrome")
def test_the_command_line_draws_what_the_browser_saves(context, address, tmp_path):
    page = context.new_page()
    page.goto(f"{address}/?scale=false&layer=1&head=2")
    wait_for_picture(page)
    lines = []
    for key in ("sentence", "grid", "enlarged"):
        wide = page.locator(f".st-key-{key} .lab").evaluate("lab => lab.clientWidth")
        out = tmp_path / f"{key}.svg"
        lines.append((key, out))
        assert main(["export", page.url, "--figure", key, "--width", str(wide), "--out", str(out)]) == 0
    for key, out in lines:
        theirs, ours = out.read_bytes(), saved(page, key, "SVG").path().read_bytes()
        assert texts(theirs) == texts(ours)
        origins = [json.loads(ElementTree.fromstring(svg).findtext(f"{SVG}metadata")) for svg in (theirs, ours)]
        assert origins[0] == origins[1]
    page.close()


@pytest.mark.usefixtures("chrome")
def test_pictures_on_the_command_line_are_as_asked(tmp_path):
    export = ["export", LINK, "--figure", "enlarged", "--width", "420"]
    wishes = {
        "a.png": [],
        "b.png": ["--scale", "4", "--transparent"],
        "c.pdf": [],
        "d.svg": [],
        "e.svg": ["--theme", "dark"],
    }
    for name, more in wishes.items():
        assert main([*export, *more, "--out", str(tmp_path / name)]) == 0
    plain, large = (Image.open(io.BytesIO((tmp_path / name).read_bytes())) for name in ("a.png", "b.png"))
    assert json.loads(plain.text["attention-lab"])["says"] == "without scaling by √d_k"
    assert (large.width, large.height) == (2 * plain.width, 2 * plain.height)
    assert (plain.getpixel((1, 1))[3], large.getpixel((1, 1))[3]) == (255, 0)
    pdf = (tmp_path / "c.pdf").read_bytes()
    size = ElementTree.fromstring((tmp_path / "d.svg").read_bytes())
    box = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", pdf)
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    assert size.find(f"{SVG}rect").get("fill") == LIGHT.paper
    dark = ElementTree.fromstring((tmp_path / "e.svg").read_bytes())
    assert dark.find(f"{SVG}rect").get("fill") == DARK.paper
    fills = {path.get("fill") for path in dark.iter(f"{SVG}path")}
    assert DARK.weights[0] in fills and LIGHT.weights[0] not in fills
    info = {name.name_as_str(): decode_text(text) for name, text in PdfParser(buf=pdf).info.items()}
    assert json.loads(info["AttentionLab"]) == json.loads(size.findtext(f"{SVG}metadata"))
    assert info["Title"] == size.findtext(f"{SVG}title") != ""
    assert LINK in info["Subject"]
    points = [float(size.get(side)) * 0.75 for side in ("width", "height")]
    assert [float(length) for length in box.groups()] == pytest.approx(points, abs=1.5)


@pytest.mark.usefixtures("chrome")
def test_a_chart_is_drawn_on_the_command_line_too(tmp_path):
    out = tmp_path / "curves.svg"
    assert main(["export", "/remove?view=Trained without", "--figure", "loss_curves", "--out", str(out)]) == 0
    drawn = texts(out.read_bytes())
    assert {"Trained without scaling by √d_k", "step"} <= set(drawn)
