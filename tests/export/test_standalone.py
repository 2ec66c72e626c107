"""One figure in one file: what is in it, before a browser opens it."""

import json
import re
from base64 import b64decode

import numpy as np
import plotly.graph_objects as go
import pytest

from viz.export import standalone
from viz.pack import pack
from viz.theme import THEMES

HOSTILE = '</script><script>window.caught=1</script><img src=x onerror=window.caught=1> "quoted"'
ORIGIN = {
    "software": "Attention Lab",
    "version": "0",
    "figure": "next",
    "weights": "grammar",
    "says": HOSTILE,
    "link": HOSTILE,
}
BARS = ("probability_bars", pack({"key": "next"}, values=np.zeros((1, 2), dtype=np.float32)))


def page(figure=BARS, **more):
    return standalone.page(figure, reading=[(HOSTILE, True)], origin=ORIGIN, theme=THEMES["light"], **more)


@pytest.mark.parametrize("figure", [BARS, go.Figure(go.Scatter(y=[1, 2]))], ids=["ours", "chart"])
def test_words_never_become_markup(figure):
    html = page(figure, foot=True)
    assert "<img src=x" not in html
    assert "<script>window.caught" not in html
    origin = re.search(r'id="origin">(.*?)</script>', html).group(1)
    assert json.loads(origin) == ORIGIN


@pytest.mark.parametrize("name", sorted(path.stem for path in standalone.FRONTEND.glob("figures/*.css")))
def test_every_component_finds_all_its_scripts_in_the_file(name):
    html = page((name, BARS[1]))
    imports = json.loads(re.search(r'<script type="importmap">(.*?)</script>', html).group(1))["imports"]
    assert {"lab/page/standalone.js", "lab/figure.js", f"lab/figures/{name}.js"} <= imports.keys()
    for address in imports.values():
        source = b64decode(address.partition(",")[2]).decode()
        assert set(re.findall(r'from "([^"]+)"', source)) <= imports.keys()


STATEMENT = re.compile(r'^(?:import|export)\b[^;"]*"(\.[^"]+)\.js";', re.MULTILINE)  # also one over several lines


IN_FILES = [
    path for path in sorted(standalone.FRONTEND.glob("*/*.js")) if path.stem != "preview"
]  # of the server alone


@pytest.mark.parametrize("path", IN_FILES, ids=lambda path: path.stem)
def test_every_import_of_a_script_is_found_however_it_is_laid_out(path):
    source = path.read_text(encoding="utf-8")
    assert standalone.IMPORT.findall(source) == STATEMENT.findall(source)
    assert not re.search(r"(await|return|=|=>) import\(", source), "an import at run time is not in the file"


def test_an_import_over_several_lines_is_found():
    source = 'import {\n  asSvg,\n  fitted,\n} from "../lib/drawing.js";\n'
    assert standalone.IMPORT.findall(source) == STATEMENT.findall(source) == ["../lib/drawing"]


def test_the_data_in_the_file_are_the_bytes_of_the_page():
    sent = re.search(r'id="data">(.*?)</script>', page()).group(1)
    assert b64decode(sent) == BARS[1]


@pytest.mark.parametrize("figure", [BARS, go.Figure(go.Scatter(y=[1, 2]))], ids=["ours", "chart"])
def test_the_file_forbids_itself_the_network(figure):
    html = page(figure)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html).group(1)
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"https?:|\*", policy)
    assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?!data:)', html)
