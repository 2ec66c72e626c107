"""Every page is opened once on a desktop and once on a phone, and all laws that hold for every page are checked on it.

On the desktop the page obeys the lab's own content security policy, and each of its views is opened in turn.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote_plus

import pytest
from laws import WATCH, Findings, Witness, exceptions, movements, serious_barriers, wait_until, wider_than_screen
from playwright.sync_api import expect
from served import PATIENCE, wait_for_rest

from viz.pages.inside import views as inside_views
from viz.pages.positions.views import VIEWS
from viz.pages.remove import controls as remove_controls
from viz.pages.translate import views as translate_views
from viz.theme import DARK


@dataclass(frozen=True)
class Visit:
    """A link, and the views that are opened on it one after the other: (name in the address, label).

    barriers: whether axe looks at it; a view that another visit opens too need not be looked at twice.
    """

    link: str
    views: tuple[tuple[str, str], ...] = ()
    barriers: bool = True
    phone: bool = True
    bad_link: bool = False


def each(name, labels):
    return tuple((name, label) for label in labels)


VISITS = {
    "heads": Visit("/", each("panel", ("Head statistics", "Rollout"))),
    "rollout": Visit("/?panel=Rollout", barriers=False),
    "whole model": Visit("/machine?mlp=false&heads_off=L0H1", each("detail", ("numbers",))),
    "whole model of two sentences": Visit("/machine?weights=translate&norm=false"),
    "inside": Visit("/inside", each("view", inside_views.VIEWS[1:])),
    "masks": Visit("/masks", each("view", ("KV cache", "Trained without the mask")), barriers=False),
    "masks by hand": Visit("/masks?mask_kind=custom&guess=mask"),
    "positions": Visit("/positions", each("view", list(VIEWS)[1:])),
    "remove": Visit(
        "/remove?scale=false&panel=Residual+stream",
        (
            *each("panel", (then for then in remove_controls.THEN[1:] if then != "Residual stream")),
            *each("view", remove_controls.VIEWS[1:]),
        ),
    ),
    "remove as it opens": Visit("/remove?scale=false"),
    "scaling": Visit("/remove?view=Why+√d_k", barriers=False),
    "costs": Visit("/why?view=The+table", each("view", ("Escaping the square", "Decoding and the cache"))),
    "escaping the square": Visit("/why?view=Escaping+the+square&weights=translate", barriers=False),
    "decoding": Visit("/why?view=Decoding+and+the+cache", barriers=False),
    "training": Visit("/training"),
    "winding back": Visit("/training?view=Wind+back&history_step=400", each("history_of", ("A of this page",))),
    "two checkpoints": Visit("/remove?weights=grammar@000800&model_b=grammar@001000"),
    "translate": Visit("/translate?method=beam&target_step=8", each("panel", translate_views.SECTIONS[1:])),
    "coreference": Visit("/translate?task=Coreference"),
    "your model": Visit("/your-model", barriers=False),
    "lessons": Visit("/lessons"),
    "a step with a number": Visit("/masks?lesson=masks.1", phone=False),
    "a step with a choice": Visit("/inside?lesson=inside.2", phone=False),
    "a figure alone": Visit("/masks?figure=stages", barriers=False, phone=False),
    "a link from a stranger": Visit(
        "/lessons?lesson=![x](https://evil.example/x.png)+www.evil.example", barriers=False, phone=False, bad_link=True
    ),
}


# Whether every part that the server draws has the colours of the dark theme.
DRAWN_IN_THE_DARK = f"""
[...document.querySelectorAll("*")].map((node) => node.shadowRoot?.querySelector(".lab")).filter(Boolean)
  .every((part) => part.style.getPropertyValue("--paper") === "{DARK.paper}")
"""


@pytest.fixture(scope="module")
def strict(chrome, address):
    """A browser profile that obeys the policy, unlike the one of the other tests."""
    context = chrome.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    context.new_page().goto(f"{address}/_stcore/health")  # stays open: window and process are not made for each test
    yield context
    context.close()


def opened(context, address, visit):
    """The page at rest, and the witness of what it did on the way."""
    page = context.new_page()
    witness = Witness(page)
    page.add_init_script(WATCH)
    page.goto(address + visit.link)
    page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=PATIENCE, state="attached")
    page.locator(".stBidiComponent, .stPlotlyChart").first.wait_for(timeout=PATIENCE, state="attached")
    page.wait_for_load_state("networkidle")  # what mounts last
    wait_for_rest(page, bad_link=visit.bad_link)
    return page, witness


def answer(page):
    """Answer the question of a lesson's step: what is said to an answer belongs to the step."""
    way = page.locator(".st-key-lesson_way")
    way.get_by_role("textbox").or_(way.locator(".choice")).first.wait_for(timeout=PATIENCE)
    if way.get_by_role("textbox").count():
        way.get_by_role("textbox").fill("-1")
    way.locator(".choice").first.click()
    expect(way.locator(".feedback")).not_to_be_empty(timeout=PATIENCE)


def open_view(page, name, label):
    page.mouse.move(2, 2)  # a table shows its toolbar while the pointer is on it, over what stands above it
    page.get_by_role("radio", name=label, exact=True).click()
    page.wait_for_url(re.compile(rf"[?&]{name}={re.escape(quote_plus(label))}(&|$)"), timeout=PATIENCE)
    wait_for_rest(page)


@pytest.mark.parametrize("name", VISITS)
def test_a_page_obeys_its_policy_stands_still_and_has_no_serious_barrier_in_any_view_or_theme(strict, address, name):
    visit, findings = VISITS[name], Findings()
    page, witness = opened(strict, address, visit)
    findings.look("moved while it opened", lambda: movements(page))
    foreign = page.locator('a[href*="evil"], img[src*="evil"]')
    findings.look("links of a stranger", foreign.count)
    if "lesson=" in visit.link and visit.barriers:
        answer(page)
    if visit.barriers:
        findings.look("barriers as it opens", lambda: serious_barriers(page))
        for parameter, label in visit.views:
            open_view(page, parameter, label)
            findings.look(f"barriers in {label}", lambda: serious_barriers(page))
        page.emulate_media(color_scheme="dark")
        dark = f"getComputedStyle(document.documentElement).getPropertyValue('--paper').trim() === '{DARK.paper}'"
        wait_until(page, dark)
        wait_until(page, DRAWN_IN_THE_DARK)  # what the server draws comes with a run of its own, which begins later
        findings.look("barriers in the dark", lambda: serious_barriers(page, runOnly=["color-contrast"]))
    findings.look("exceptions", lambda: exceptions(page))
    findings.look("complaints", lambda: witness.errors)
    findings.look("other machines", lambda: witness.foreign(address))
    page.close()
    assert findings.against == {}


@pytest.mark.parametrize("name", [name for name, visit in VISITS.items() if visit.phone])
def test_on_a_phone_a_page_stands_still_and_scrolls_sideways_in_no_view(narrow, address, name):
    visit, findings = VISITS[name], Findings()
    page, witness = opened(narrow, address, visit)
    findings.look("moved while it opened", lambda: movements(page))
    findings.look("too wide as it opens", lambda: wider_than_screen(page))
    for parameter, label in visit.views:
        open_view(page, parameter, label)
        page.locator(".lab[data-drawn], .js-plotly-plot").first.wait_for(timeout=PATIENCE)
        findings.look(f"too wide in {label}", lambda: wider_than_screen(page))
    findings.look("exceptions", lambda: exceptions(page))
    findings.look("complaints", lambda: witness.errors)
    findings.look("other machines", lambda: witness.foreign(address))
    page.close()
    assert findings.against == {}


PLANTED = {
    "barrier": ("document.body.append(document.createElement('button'))", "button-name"),
    "width": (
        "document.querySelector('[data-testid=stMain]').append(Object.assign(document.createElement('div'), "
        "{ style: 'width: 3000px; height: 1px' }))",
        "stMain",
    ),
    "error": ("setTimeout(() => { throw new Error('planted'); })", "planted"),
    "script": ("document.body.append(Object.assign(document.createElement('script'), { text: '1' }))", "Security"),
    "host": ("fetch('http://evil.example/').catch(() => 0)", "evil.example"),
    "movement": ("window.moved.push([0.06, ['planted']])", "planted"),
}


def test_each_law_finds_what_is_planted_against_it(strict, address):
    page, witness = opened(strict, address, VISITS["lessons"])
    for act, _ in PLANTED.values():
        page.evaluate(f"() => {{ {act}; }}")
    page.wait_for_timeout(300)
    laws = {
        "barrier": [rule for rule, _ in serious_barriers(page)],
        "width": wider_than_screen(page),
        "error": witness.errors,
        "script": witness.errors,
        "host": [*witness.foreign(address), *witness.errors],
        "movement": movements(page),
    }
    assert {name: words for name, (_, words) in PLANTED.items() if words not in str(laws[name])} == {}
    page.close()
