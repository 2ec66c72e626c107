"""Every page, in both themes and in every view, through axe-core: nothing serious is found."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from served import PATIENCE, wait_for_rest

from viz.ui import inside, removal

PAGES = ("/", "/inside", "/masks", "/positions", "/remove")
VIEWS = [
    *(f"/inside?aspect={view}" for view in inside.VIEWS[1:]),
    *(f"/remove?view={view}" for view in removal.VIEWS[1:]),
    *(f"/remove?then={then}&scale=false" for then in removal.THEN[1:]),
    *(f"/?more={more}" for more in ("Head statistics", "Rollout")),
    "/masks?looks=drawn&guess=mask",
]
axe = Axe()


def complaints(page, link):
    """What axe finds serious or worse on the page at rest."""
    page.goto(link)
    page.locator(".lab[data-drawn], .js-plotly-plot").first.wait_for(timeout=PATIENCE)
    wait_for_rest(page)
    return [
        (found["id"], [node["target"] for node in found["nodes"]])
        for found in axe.run(page).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_barrier(chrome, address, scheme):
    context = chrome.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    assert {link: found for link in PAGES if (found := complaints(page, address + link))} == {}
    context.close()


def test_no_view_has_a_serious_barrier(context, address):
    page = context.new_page()
    assert {link: found for link in VIEWS if (found := complaints(page, address + link))} == {}
    page.close()


def test_axe_finds_a_barrier_where_there_is_one(context, address):
    page = context.new_page()
    page.goto(address)
    page.locator(".lab[data-drawn]").first.wait_for(timeout=PATIENCE)
    page.evaluate("() => { document.body.append(document.createElement('button')); }")
    assert "button-name" in [found["id"] for found in axe.run(page).response["violations"]]
    page.close()
