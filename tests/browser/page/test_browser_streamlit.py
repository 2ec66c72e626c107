"""What the lab's tools know of Streamlit's own page is there: each test names what an update of Streamlit took away.

The names are those of viz/canvas/frontend/page/streamlit.js, which is the only module that holds any, and of
page/opening.js, which runs before there are modules.
"""

import re
from pathlib import Path

import pytest
from served import AT_REST, PATIENCE, wait_for_rest

from viz.server.import_map import SHARED, component_names
from viz.styles import script_of

FRONTEND = Path(__file__).parents[3] / "viz/canvas/frontend"
SOURCE = (FRONTEND / "page/streamlit.js").read_text(encoding="utf-8")
SELECTORS = dict(re.findall(r"^export const ([A-Z]+) = '?\"?(.+?)'?\"?;", SOURCE, re.MULTILINE))
METRIC_PARTS = re.search(r"METRIC_PARTS = \[(.+?)\]", SOURCE)[1].replace('"', "").split(", ")

OPENING = (FRONTEND / "page/opening.js").read_text(encoding="utf-8")
COLUMNS = re.findall(r"'(\[data-testid=.*)',$", OPENING, re.MULTILINE)

METRICS = "/masks?view=Trained+without+the+mask"  # numbers of st.metric, and a chart of Plotly

# Where on the page each thing is found: a path of the lab, and a selector.
FOUND = {
    "APP": ("/", SELECTORS["APP"]),
    "MAIN": ("/", SELECTORS["MAIN"]),
    "APP_CLASS and KEYED": ("/", ".stApp .st-key-heading h1"),
    "SAVED, the class below a figure": ("/", f"{SELECTORS['MAIN']} [class*='st-key-save_']"),
    "METRIC": (METRICS, SELECTORS["METRIC"]),
    **{part: (METRICS, f"{SELECTORS['METRIC']} [data-testid={part}]") for part in METRIC_PARTS},
    "CHART": (METRICS, SELECTORS["CHART"]),
    **{f"opening.js, {column}": ("/", f"{column} > *") for column in COLUMNS},
    "opening.js, HEADING": ("/", f"{COLUMNS[0]} > * .st-key-heading"),
    "opening.js, FIGURE": ("/", '.stBidiComponent [data-testid="stBidiComponentIsolated"]'),
    "opening.js, a drawn CHART": (METRICS, ".stPlotlyChart .main-svg"),
    "the part that follows the skip link": ("/", '[data-testid="stSkipToContent"] ~ div [data-testid="stMain"]'),
}


@pytest.fixture(scope="module")
def visits(context, address):
    """One tab for each path that the tests ask for."""
    tabs = {}

    def visit(path):
        if path not in tabs:
            tabs[path] = opened(context, address + path)
        return tabs[path]

    yield visit
    for tab in tabs.values():
        tab.close()


def opened(context, address):
    page = context.new_page()
    page.goto(address)
    page.locator(".stBidiComponent").first.wait_for(timeout=PATIENCE, state="attached")
    drawn = ".main-svg" if METRICS in address else ".lab[data-drawn]"
    page.locator(drawn).first.wait_for(timeout=PATIENCE)
    page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=PATIENCE, state="attached")
    return page


@pytest.mark.parametrize("name", FOUND)
def test_the_page_has_what_streamlit_js_looks_for(visits, name):
    path, selector = FOUND[name]
    page = visits(path)
    number = page.locator(selector).count()
    assert number, f"streamlit.js, {name}: nothing on {path} matches {selector}. Has Streamlit renamed it?"


def test_a_script_at_work_is_marked(context, address):
    """RUNNING: seen while the page is computed, gone when that has come to its end."""
    page = context.new_page()
    page.add_init_script(
        f"""setInterval(() => {{ window.marked ||= document.querySelector('{SELECTORS["RUNNING"]}') !== null; }}, 5);"""
    )
    page.goto(address + METRICS)
    page.locator(".stBidiComponent").first.wait_for(timeout=PATIENCE, state="attached")
    assert page.evaluate("window.marked"), f"streamlit.js, RUNNING: nothing ever matched {SELECTORS['RUNNING']}"
    page.locator(SELECTORS["RUNNING"]).wait_for(timeout=PATIENCE, state="detached")
    page.close()


@pytest.mark.parametrize("path", ["/", "/machine", "/translate"])
def test_a_module_that_several_figures_import_is_fetched_once(context, address, path):
    tab = opened(context, address + path)
    wait_for_rest(tab)
    fetched = tab.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    own = [name.partition("attention-lab.")[2] for name in fetched if "attention-lab." in name and name.endswith(".js")]
    entries = {f"{name}/{script_of(name)}.js" for name in component_names()}  # these the page asks for by their folder
    modules = [name for name in own if name not in entries]
    assert {name.partition("/")[0] for name in modules} == {SHARED}
    assert len(modules) == len(set(modules)) > 10
    tab.close()


def test_history_is_written_by_the_lab(visits):
    assert visits("/").evaluate("history.pushState.once"), "streamlit.js, oneEntryEach: pushState is not replaced"


def test_a_page_is_not_at_rest_before_streamlit_has_loaded_the_part_that_mounts_figures(context, address):
    page = context.new_page()
    held = []
    page.route("**/BidiComponent.*.js", lambda route: held.append(route))
    page.goto(address + "/masks")
    page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=PATIENCE)
    for _ in range(20):
        assert not page.evaluate(AT_REST)
        page.wait_for_timeout(50)
    assert held, "Streamlit mounts figures with a script of another name"
    for route in held:
        route.continue_()
    wait_for_rest(page)
    assert page.locator(".stBidiComponent").count() > 1
    page.close()
