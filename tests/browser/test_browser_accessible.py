"""Every page, in every view and in both themes, through axe-core: nothing serious is found."""

import re
from urllib.parse import quote_plus

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from served import PATIENCE, wait_for_rest

from viz.pages.inside import views as inside_views
from viz.pages.positions.views import VIEWS
from viz.pages.remove import controls as remove_controls
from viz.pages.translate import views as translate_views
from viz.theme import DARK

# Link → the views that are opened on it one after the other: (name in the address, label).
PAGES = {
    "/": [("panel", "Head statistics"), ("panel", "Rollout")],
    "/machine?mlp=false": [("detail", "numbers")],
    "/inside": [("view", view) for view in inside_views.VIEWS[1:]],
    "/masks?mask_kind=custom&guess=mask": [],
    "/positions": [("view", view) for view in list(VIEWS)[1:]],
    "/remove?scale=false": [
        *(("panel", then) for then in remove_controls.THEN[1:]),
        *(("view", view) for view in remove_controls.VIEWS[1:]),
    ],
    "/translate?method=beam": [("panel", section) for section in translate_views.SECTIONS[1:]],
    "/translate?task=Coreference": [],
    "/lessons": [],
    "/masks?lesson=masks.1": [],
    "/inside?lesson=inside.2": [],
}
axe = Axe()


def found(page, **options):
    """What axe finds serious or worse on the page at rest."""
    page.wait_for_timeout(200)  # the address changes before the run begins
    wait_for_rest(page)
    expect(page.locator("[data-stale=true]")).to_have_count(0, timeout=PATIENCE)  # figures on their way out are pale
    page.wait_for_function("document.getAnimations().every((one) => one.playState === 'finished')", timeout=PATIENCE)
    if not page.evaluate("'axe' in window"):  # once for each document: half a megabyte of script
        page.evaluate(axe.axe_script)
    violations = page.evaluate(
        "async (options) => (await axe.run(options)).violations", {"resultTypes": ["violations"], **options}
    )
    return [
        (one["id"], [node["target"] for node in one["nodes"]])
        for one in violations
        if one["impact"] in ("serious", "critical")
    ]


@pytest.fixture
def page(context):
    page = context.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("link", PAGES)
def test_no_page_has_a_serious_barrier_in_any_view_or_theme(page, address, link):
    page.goto(address + link)
    page.locator(".st-key-open_masks" if link == "/lessons" else ".lab[data-drawn]").first.wait_for(timeout=PATIENCE)
    if "lesson=" in link:  # what is said to an answer belongs to the step
        way = page.locator(".st-key-lesson_way")
        way.get_by_role("textbox").or_(way.locator(".choice")).first.wait_for(timeout=PATIENCE)
        if way.get_by_role("textbox").count():
            way.get_by_role("textbox").fill("-1")
        way.locator(".choice").first.click()
        expect(way.locator(".feedback")).not_to_be_empty(timeout=PATIENCE)
    barriers = {"as it opens": found(page)}
    for name, label in PAGES[link]:
        page.get_by_role("radio", name=label, exact=True).click()
        page.wait_for_url(re.compile(rf"[?&]{name}={re.escape(quote_plus(label))}(&|$)"), timeout=PATIENCE)
        barriers[label] = found(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        f"getComputedStyle(document.documentElement).getPropertyValue('--paper').trim() === '{DARK.paper}'",
        timeout=PATIENCE,
    )
    barriers["in the dark"] = found(page, runOnly=["color-contrast"])
    assert {where: one for where, one in barriers.items() if one} == {}


def test_axe_finds_a_barrier_where_there_is_one(page, address):
    page.goto(f"{address}/lessons")
    page.locator(".st-key-open_masks").wait_for(timeout=PATIENCE)
    page.evaluate("() => { document.body.append(document.createElement('button')); }")
    assert [name for name, _ in found(page)] == ["button-name"]
