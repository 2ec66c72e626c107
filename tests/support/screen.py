"""What a visitor would see, read from Streamlit's own test runner: no browser, no server, no JavaScript."""

import base64
import json
from pathlib import Path

import apptest_caches
import numpy as np
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
from unpack import unpack

from model.checkpoint import split_step
from viz.ui import model_calls
from viz.ui.controls import FRAME

apptest_caches.install()
model_calls.start()  # as the app does before it makes its first page

ROOT = Path(__file__).parents[2]
# The pages that show an experiment; the one that lists the lessons has none, nor has the one that waits for a file, nor
# the one whose models learn on it.
OTHERS = ("__init__", "lessons", "training", "your_model")
PAGES = sorted(path for path in ROOT.glob("viz/pages/*/page.py") if path.parent.name not in OTHERS)
# Every model that can be chosen; of the steps of a training, which are many and alike, two that know little.
WEIGHTS = tuple(name for name in model_calls.text_models() if split_step(name)[1] in (None, 0, 300))
OF_ONE_TEXT = [path for path in PAGES if path.parent.name != "translate"]  # the models of two sentences are its own


def visit(script="viz/app/contents.py", **parameters):
    """The app as a link opens it, run once: visit(layer=2, scale="false").

    A link that asks for something that the page does not have fails here: a sweep over such links would test the page
    as it opens, again and again. `visit_by_a_bad_link` is for the tests of bad links.
    """
    screen = visit_by_a_bad_link(script, **parameters)
    unused = ignored(screen, parameters)
    assert not unused, f"the page ignores this part of the link: {unused}"
    return screen


def at_path(screen, path):
    """The app, before its first run, as a browser opens it at a path of the address: "masks", "your-model"."""
    screen._page_hash = calc_hash(path)  # `switch_page` takes the name of the file, as long as nothing has run
    return screen


def visit_by_a_bad_link(script="viz/app/contents.py", **parameters):
    """The same for a link of which the page may ignore a part."""
    screen = AppTest.from_file(str(ROOT / script), default_timeout=120)
    for name, value in parameters.items():
        screen.query_params[name] = str(value)
    return screen.run()


def ignored(screen, parameters):
    """The part of a link that no control of the page holds after the first run: name → (asked, what is held)."""
    unused = {}
    for name, value in parameters.items():
        if name in FRAME:
            continue
        held = screen.session_state[name] if name in screen.session_state else None  # noqa: SIM401  (it has no get)
        if _as_in_address(held) != _as_in_address(value):
            unused[name] = (value, held)
    return unused


def _as_in_address(value):
    """As the address has it; a number in one way, however it was typed."""
    if isinstance(value, list | tuple):
        value = ",".join(map(str, value))
    try:
        return float(value) if not isinstance(value, bool) else str(value).lower()
    except (TypeError, ValueError):
        return str(value)


def well(screen):
    """The screen, if it shows no traceback."""
    assert not screen.exception, [exception.value for exception in screen.exception]
    assert not screen.error, [error.value for error in screen.error]
    return screen


def notices(screen):
    """The notices on the page, as one text."""
    return "\n".join(note.value for kind in (screen.info, screen.warning, screen.toast) for note in kind)


def component(screen, key):
    """What a component of ours was sent: (header, arrays by name)."""
    (mount,) = [mount.proto for mount in screen.get("bidi_component") if mount.proto.id.endswith(f"-{key}")]
    return unpack(mount.bytes)


def figures(screen):
    """Key → Plotly figure as a dict, for all the charts of the page."""
    charts = [chart.proto for chart in screen.get("plotly_chart")]
    return {chart.id.rpartition("-")[2]: json.loads(chart.spec) for chart in charts}


def cells(figure):
    """The numbers (T, S) of a heat map as they were sent."""
    sent = figure["data"][0]["z"]
    shape = [int(side) for side in sent["shape"].split(",")]
    return np.frombuffer(base64.b64decode(sent["bdata"]), dtype=sent["dtype"]).reshape(shape)


def large(screen, key="enlarged"):
    """The numbers (T, S) of a large map as they were sent: NaN where not allowed."""
    (values,) = component(screen, key)[1]["values"]
    return values


def shows_a_picture(screen):
    return {"sentence", "grid"} <= {mount.proto.id.rpartition("-")[2] for mount in screen.get("bidi_component")}
