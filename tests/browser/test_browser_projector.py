"""On a projector every letter of every figure can be read from the last row."""

from functools import cache

import pytest
from playwright.sync_api import expect
from served import PATIENCE, stands
from tabs import Profile

expect.set_options(timeout=PATIENCE)

LEGIBLE = 18  # pixels of 720: 2.5 % of a screen, read from ten metres where it is two high (AVIXA V202.01: 1/200)

# What a canvas says is kept beside it: [size in its own pixels, text].
LISTEN = """
const { fillText } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
  const { a, b } = this.getTransform();
  (this.canvas.said ??= []).push([parseFloat(/([\\d.]+)px/.exec(this.font)[1]) * Math.hypot(a, b), String(text)]);
  return fillText.call(this, text, ...place);
};
for (const side of ["width", "height"]) {
  const given = Object.getOwnPropertyDescriptor(HTMLCanvasElement.prototype, side);
  const set = function (value) {
    this.said = []; // a canvas that is given a size is empty
    given.set.call(this, value);
  };
  Object.defineProperty(HTMLCanvasElement.prototype, side, { ...given, set });
}
"""

# Every text that is seen, with the size of its letters on the screen; what hangs below or above one may be smaller.
LETTERS = """() => {
  const [texts, canvases, found] = [[], [], []];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) texts.push(node);
    if (node.tagName === "CANVAS") canvases.push(node);
    if (/^(style|script)$/i.test(node.tagName ?? "")) return;
    for (const child of [...(node.shadowRoot?.childNodes ?? []), ...node.childNodes]) walk(child);
  };
  walk(document.body);
  const seen = (node, box) =>
    box.width >= 1 && box.height >= 1 && box.bottom > 0 && box.top < innerHeight &&
    box.right > 0 && box.left < innerWidth && getComputedStyle(node).visibility !== "hidden";
  const size = (node) => parseFloat(getComputedStyle(node).fontSize);
  for (const text of texts) {
    const node = text.parentElement;
    const range = document.createRange();
    range.selectNodeContents(text);
    if (!text.data.trim() || !node || !seen(node, range.getBoundingClientRect())) continue;
    if (/^(sub|sup)$/i.test(node.tagName)) continue;
    if (node.tagName === "tspan" && size(node) < size(node.parentElement)) continue;
    let scale = 1;
    if (node instanceof SVGElement) scale = Math.hypot(node.getScreenCTM().a, node.getScreenCTM().b);
    else {
      let block = node;
      while (!block.offsetWidth) block = block.parentElement;
      scale = block.getBoundingClientRect().width / block.offsetWidth;
    }
    found.push([size(node) * scale, text.data.trim()]);
  }
  for (const canvas of canvases) {
    const box = canvas.getBoundingClientRect();
    if (!seen(canvas, box)) continue;
    for (const [high, text] of canvas.said ?? []) found.push([(high * box.width) / canvas.width, text]);
  }
  return found;
}"""

FIGURES = """() => [...document.querySelectorAll("[data-testid=stMain] [class*=st-key-save_]")]
  .map((node) => node.className.match(/st-key-save_([\\w-]+)/)[1])"""

LONG = "+".join(["the+person+who+the+dogs+near+the+trees+chase+was+tired+."] * 2)

LONG_ROW = f"/inside?present=true&step_number=9&text={LONG}"

# Each page as it opens, and the views and steps of which most is to be seen.
STATES = (
    "/?present=true",
    "/machine?present=true",
    "/inside?present=true&step_number=2",
    LONG_ROW,
    "/machine?present=true&weights=translate&norm=false",
    "/inside?present=true&view=Average+of+values",
    "/inside?present=true&view=QK+spectrum",
    "/masks?present=true",
    "/positions?present=true",
    "/positions?present=true&view=Shift+test",
    "/positions?present=true&view=Shuffle+test",
    "/positions?present=true&view=Length+generalisation",
    "/remove?present=true&scale=false",
    "/remove?present=true&view=Why+√d_k",
    "/translate?present=true",
)


@pytest.fixture(scope="module")
def room(chrome, address):
    """A browser profile as on a projector, whose pages keep what their canvases say."""
    context = chrome.new_context(bypass_csp=True, viewport={"width": 1280, "height": 720}, color_scheme="light")
    context.add_init_script(LISTEN)
    context.new_page().goto(f"{address}/_stcore/health")  # stays open: window and process are not made for each test
    yield Profile(context)
    context.close()


def figures_in_turn(page):
    """Each figure of the page, from the one that the link shows to the last, when it has come to rest."""
    key = ""
    while True:
        shown = f"![undefined, '{key}'].includes(document.documentElement.dataset.stage)"
        page.wait_for_function(shown, timeout=PATIENCE)
        key = stands(page)["key"]
        yield key
        keys = page.evaluate(FIGURES)
        if key == keys[-1]:
            return
        page.keyboard.press("PageDown")


def test_letters_grow_with_the_screen(room, address):
    page = room.new_page()
    for number, size in enumerate([(1024, 768), (1920, 1080)]):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        if number == 0:
            page.goto(f"{address}/?present=true")
        next(figures_in_turn(page))
        assert min(high for high, _ in page.evaluate(LETTERS)) >= LEGIBLE * size[1] / 720, size
    page.close()


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("figure", ["grid", "enlarged"])
def test_words_maps_and_the_sentence_of_the_row_fill_the_screen(room, address, figure, size):
    page = room.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{address}/?present={figure}")
    assert next(figures_in_turn(page)) == figure
    parts = [page.locator(f".st-key-{part}") for part in ("sentence .words.queries", f"{figure} .lab")]
    parts.append(page.locator(".st-key-save_enlarged .reading"))
    expect(parts[-1]).to_contain_text("of its attention on")
    boxes = [part.bounding_box() for part in parts]
    ends = [box["y"] + box["height"] for box in boxes]
    assert boxes[0]["y"] >= 0 and ends[-1] <= size[1]
    assert all(end <= box["y"] for end, box in zip(ends, boxes[1:], strict=False)), "none stands upon another"
    assert ends[-1] - boxes[0]["y"] > 0.85 * size[1], "from the top of the screen to its foot"
    assert boxes[1]["height"] > 0.5 * size[1] and (figure == "enlarged" or boxes[1]["width"] > 0.9 * size[0])
    parts[0].locator(".word").nth(4).click()
    page.wait_for_url("**query=4**", timeout=PATIENCE)
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-sentence")).to_have_css("transform", "none")
    page.close()


def test_space_leads_through_the_steps_of_a_row_and_the_address_follows(room, address):
    page = room.new_page()
    page.goto(f"{address}/inside?present=true&step_number=9")
    next(figures_in_turn(page))
    sentence = page.locator(".st-key-walk .sentence")
    for key, step in (("Space", 10), ("PageDown", 11), ("PageDown", 11), ("PageUp", 10)):
        page.keyboard.press(key)
        expect(sentence).to_contain_text(f"Step {step} of 11")
    page.wait_for_function("location.search.includes('step_number=10')", timeout=PATIENCE)
    page.close()


def test_after_the_last_step_of_a_lesson_the_lessons_are_there_again(room, address):
    page = room.new_page()
    page.goto(f"{address}/?lesson=masks.6&present=true")  # the step's page and its state come from its name alone
    assert next(figures_in_turn(page)) == "stages"
    assert "mask_kind=sliding" in page.url and "/masks" in page.url
    page.keyboard.press("PageDown")
    expect(page.get_by_role("heading", level=1)).to_have_text("What would you like to understand?")
    expect(page.get_by_role("button", name="Which words may attend to which?")).to_be_visible()
    page.close()


@pytest.fixture(scope="module")
def read(room, address):
    """A function of a state: key → every letter of the figure, with its size. Each state is opened once."""

    @cache
    def letters(state):
        page = room.new_page()
        page.goto(address + state)
        seen = {key: page.evaluate(LETTERS) for key in figures_in_turn(page)}
        page.close()
        return seen

    return letters


@pytest.mark.parametrize("state", STATES)
def test_every_letter_of_every_figure_is_read_from_ten_metres(read, state):
    for key, letters in read(state).items():
        assert letters, f"{key} says something"
        assert not {text: round(size, 1) for size, text in letters if size < LEGIBLE}, key


def test_of_a_long_sentence_a_room_sees_the_words_that_count_and_how_many_more_there_are(read):
    texts = {text for _, text in read(LONG_ROW)["walk"]}
    assert "and 12 more" in texts, "of 25 words 13 have a line"
    assert "weight" in texts and "q · k" not in texts, "what the step does not need is not there"
