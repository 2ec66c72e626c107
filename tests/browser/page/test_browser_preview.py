"""The preview of a page: it stands where the page will stand, shows the same, and goes when the page is there."""

import time
from io import BytesIO

import pytest
from PIL import Image, ImageChops
from served import PATIENCE, wait_for_rest

PAGES = {  # the link → what its preview has below the heading: figures, and the last and the first lesson
    "/": ("sentence", "grid"),
    "/machine": ("machine",),
    "/inside": ("walk",),
    "/masks": ("stages",),
    "/positions": ("waves_drawn",),
    "/remove": ("compare",),
    "/why": ("paths",),
    "/why?view=Windows": ("regions",),
    "/why?view=One+after+another": ("schedules",),
    "/why?view=The+table": ("layer_costs",),
    "/why?view=Escaping+the+square": ("escape_costs",),
    "/why?view=Decoding+and+the+cache": ("decoding_costs",),
    "/training": ("learning",),
    "/translate": ("writing",),
    "/lessons": ("open_training", "open_recurrence"),
    "/your-model": (),
}

# Holds the module that starts Streamlit back, so that the preview can be looked at.
ENTRY = "**/static/js/index.*.js"
BOXES = """() => Object.fromEntries([...document.querySelectorAll("#preview :is(.figure, h1, button)")].map((node) => {
  const { x, y, width, height } = node.getBoundingClientRect();
  const key = node.dataset.key ?? node.parentElement.className.match(/st-key-(\\S+)/)?.[1];
  return [key ?? "h1", [x, y, width, height]];
}))"""
SHOWN = """() => [...document.querySelectorAll("#preview .figure")].every((figure) =>
  figure.shadowRoot?.querySelector(".lab")?.clientHeight > 0)"""
LIVE = """(name) => {
  const inside = ':is([data-testid="stBidiComponentIsolated"], button)';
  const node = document.querySelector(name === "h1" ? ".st-key-heading h1" : `.st-key-${name} ${inside}`);
  const { x, y, width, height } = node.getBoundingClientRect();
  return [x, y, width, height];
}"""
# What moved since the page was asked for: the parts of the window that did, times their ways.
SHIFTED = """() => new Promise((done) => {
  const sum = (list) => done(list.getEntries().reduce((sum, { value }) => sum + value, 0));
  new PerformanceObserver(sum).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(0), 300);
})"""
SCROLLED = "document.querySelector('[data-testid=\"stMain\"]').scrollTop"


@pytest.fixture(
    params=[("light", 1440, 900), ("dark", 1440, 900), ("light", 390, 844)], ids=lambda param: str(param[:2])
)
def window(chrome, address, request):
    """A browser that has been here never before. It obeys the lab's content security policy."""
    scheme, width, height = request.param
    context = chrome.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    yield context
    context.close()


def until(page, script, argument=None):
    """Wait until the script says so; not wait_for_function, which the content security policy forbids."""
    give_up = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(script, argument):
        assert time.monotonic() < give_up, script
        page.wait_for_timeout(30)


def with_preview(window, address):
    """A tab in which the preview is drawn, and what lets Streamlit start there."""
    give_up = time.monotonic() + PATIENCE / 1000
    while 'id="preview"' not in window.request.get(address, headers={"accept": "text/html"}).text():
        assert time.monotonic() < give_up, "no preview"
        time.sleep(0.2)  # the page is run for the first time
    page, held = window.new_page(), []

    def hold(route):
        held.append(route)

    page.route(ENTRY, hold)
    page.goto(address, wait_until="commit")
    until(page, "document.querySelector('#preview[data-drawn]') !== null")
    until(page, SHOWN)
    return page, lambda: [route.continue_() for route in held]


@pytest.mark.parametrize("path", PAGES)
def test_a_preview_stands_where_the_page_will_stand_and_looks_the_same(window, address, path):
    page, start = with_preview(window, address + path)
    boxes = page.evaluate(BOXES)
    assert {"h1", *PAGES[path]} <= set(boxes)
    last = ["h1", *PAGES[path]][-1]
    before = picture(page, boxes[last])
    start()
    until(page, "document.documentElement.hasAttribute('data-open')")
    wait_for_rest(page)
    assert page.locator("#preview").count() == 0
    assert page.evaluate(SCROLLED) == 0
    for name, box in boxes.items():
        assert page.evaluate(LIVE, name) == pytest.approx(box, abs=0.6), name
    assert page.evaluate(SHIFTED) < 0.01
    page.mouse.move(0, 0)
    page.wait_for_timeout(300)
    after = picture(page, boxes[last])
    assert share_that_differs(before, after) < 0.002


def picture(page, box):
    """What is seen in this box, or in the part of it that is on the screen."""
    x, y, width, height = box
    tall = min(height, page.viewport_size["height"] - y)
    png = page.screenshot(clip={"x": x, "y": y, "width": width, "height": tall})
    return Image.open(BytesIO(png)).convert("L")


def share_that_differs(before, after):
    """The share of pixels whose brightness differs by more than a twentieth of the scale."""
    difference = ImageChops.difference(before, after).histogram()
    return sum(difference[13:]) / sum(difference)


def test_a_theme_that_a_person_has_chosen_leaves_no_preview_in_other_colours(window, address):
    page, _ = with_preview(window, f"{address}/")
    page.evaluate("localStorage.setItem('stActiveTheme-/-v1', '{}')")
    page.route(ENTRY, lambda _route: None)
    page.reload(wait_until="commit")
    until(page, "document.body !== null && document.getElementById('preview') === null")


def test_the_page_is_shown_also_where_its_figure_never_comes(window, address):
    """The preview may be of a figure that the page has no more: it goes when the page is open."""
    page, start = with_preview(window, f"{address}/")
    page.evaluate("document.querySelector('#preview .figure').dataset.key = 'nothing'")
    start()
    until(page, "document.documentElement.hasAttribute('data-open')")
    assert page.locator("#preview").count() == 0
    assert page.locator(".st-key-heading h1").is_visible()
