"""Links, one figure alone, the projector and lessons, in a real browser and by keys."""

import re

import pytest
from playwright.sync_api import expect
from qr import decode
from served import PATIENCE, serve, stands, wait_for_picture, wait_for_rest

from viz.lessons.parse import read_folders
from viz.pages.lessons import answers, banner
from viz.ui import visitor

expect.set_options(timeout=PATIENCE)
LESSONS, _ = read_folders([banner.SHIPPED], frozenset(visitor.page_names()), answers.names())
ALONE = "document.documentElement.dataset.stage === '{}'"


@pytest.fixture
def page(context, address):
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 720})
    page.complaints, page.requests = [], []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.requests.append(request.url))
    yield page
    assert not page.complaints
    assert {re.match(r"\w+://[^/:]*|blob:|data:", url)[0] for url in page.requests} <= {
        "http://127.0.0.1",
        "ws://127.0.0.1",
        "blob:",
        "data:",
    }
    page.close()


def where(page):
    return page.evaluate("location.pathname + location.search")


def until(page, expression):
    page.wait_for_function(expression, timeout=PATIENCE, polling=100)


def alone(page, key):
    """Wait until this figure is alone and fitted, and say where it stands."""
    until(page, ALONE.format(key))
    return stands(page)


def test_the_link_is_copied_whole(page, address, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{address}/?scale=false&layer=1")
    wait_for_picture(page)
    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{address}/?scale=false&layer=1"


def test_a_copied_link_holds_no_name_that_the_page_has_called_unknown(context, address):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{address}/?scale=false&modle=stories&utm_source=mail")
    wait_for_picture(page, bad_link=True)
    assert page.get_by_text("modle (unknown setting)").count() == 1
    assert page.get_by_text("utm_source").count() == 0
    page.locator(".st-key-link .tool").filter(has_text="Copy link").click()
    page.locator(".st-key-link .tool").filter(has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == f"{address}/?scale=false"
    page.close()


def test_where_no_figure_is_there_to_present_the_button_says_so(page, address):
    page.goto(f"{address}/lessons")
    button = page.get_by_role("button", name="Show one figure")
    button.click()
    expect(button).to_have_text("No figure here")
    expect(button).to_have_text("Present")


def test_back_to_another_page_finds_it_as_it_was_left(page, address):
    page.goto(f"{address}/")
    wait_for_picture(page)
    page.locator(".st-key-norm label").first.click()
    until(page, "location.search === '?norm=false'")
    wait_for_rest(page)
    page.get_by_role("link", name="Masks").click()
    until(page, "location.pathname + location.search === '/masks?norm=false'")
    page.locator(".st-key-stages .lab[data-drawn]").wait_for(timeout=PATIENCE)
    wait_for_rest(page)
    page.go_back()
    wait_for_picture(page)
    assert where(page) == "/?norm=false"
    assert not page.locator(".st-key-norm input").is_checked()


def test_back_leads_to_the_step_before_and_from_the_first_to_the_lessons(page, address):
    page.goto(f"{address}/lessons")
    page.locator(".st-key-link .lab").wait_for(timeout=PATIENCE)  # from here on there is one entry for a click
    wait_for_rest(page)
    page.locator(".st-key-open_masks button").click()
    place = page.locator(".st-key-lesson_way .lab .where")

    def arrived(step):
        until(page, f"location.search.includes('lesson=masks.{step}')")
        expect(place).to_contain_text(f"{step} of 6")
        wait_for_rest(page)

    arrived(1)
    for step in (2, 3):
        page.keyboard.press("n")
        arrived(step)
    for step in (2, 1):
        page.go_back()
        arrived(step)
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("What would you like to understand?")


# Page → a link at its end that sets a number whose control is not there yet, and what then stands in it.
TRIES = {
    "Guess what a prefix of 4 looks like": ("/masks", "mask_size", "4"),
    "Beyond the trained length": ("/positions", "question_length", "64"),
    "Let it continue the text": ("/", "temperature", "0.80"),
}


@pytest.mark.parametrize("label", TRIES)
def test_what_a_link_on_the_page_sets_is_what_its_control_and_the_address_then_hold(page, address, label):
    path, name, value = TRIES[label]
    page.goto(f"{address}{path}")
    page.get_by_role("button", name=label).click()
    field = page.locator(f".st-key-{name} input")
    expect(field).to_have_value(value)
    until(page, f"Number(new URLSearchParams(location.search).get('{name}')) === {float(value)}")


def test_the_qr_code_holds_the_link_and_is_drawn_when_asked(page, address):
    page.goto(f"{address}/?scale=false")
    wait_for_picture(page)
    assert page.locator("dialog svg").count() == 0
    page.get_by_role("button", name="as a QR code").click()
    dots = page.locator("dialog svg path")
    expect(dots).to_have_count(1)
    side = int(float(page.locator("dialog svg").get_attribute("viewBox").split()[2])) - 8
    assert decode(side, dots.get_attribute("d")) == f"{address}/?scale=false"
    expect(page.locator("dialog .link")).to_have_text(f"{address}/?scale=false")
    expect(page.locator("dialog")).to_contain_text("Only this machine can open this address")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()


def test_a_flip_back_leaves_the_address_as_short_as_before(page, address):
    page.goto(f"{address}/")
    wait_for_picture(page)
    for expected in ("/?scale=false", "/"):
        page.locator(".st-key-scale label").first.click()
        until(page, f"location.pathname + location.search === '{expected}'")


def test_an_embedded_figure_is_alone_whole_and_alive_in_a_frame_of_any_size(page, address):
    for size in ((760, 480), (400, 560), (1280, 720)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        if page.url == "about:blank":
            page.goto(f"{address}/masks?figure=stages&query=5")
        box = alone(page, "stages")
        assert box["left"] >= 0 and box["top"] >= 0 and box["right"] <= size[0] + 1 and box["bottom"] <= size[1], size
        for hidden in ("[data-testid=stSidebar]", "h1", ".st-key-mask_kind", ".st-key-leaks"):
            assert not page.locator(hidden).first.is_visible()
        expect(page.locator(".st-key-save_stages .reading")).to_contain_text("dogs")
        expect(page.locator(".st-key-save_stages .files")).to_be_hidden()
    page.keyboard.press("Escape")
    assert "figure=stages" in where(page)


def test_an_unknown_figure_is_answered_with_those_there_are(page, address):
    page.goto(f"{address}/masks?figure=zip%3Cb%3E")
    expect(page.locator(".stage-note")).to_have_text(
        re.compile(r"There is no figure “zip<b>” .* There are: stages, leaks\.")
    )


def test_on_the_stage_the_pointer_still_finds_its_cell_and_the_canvas_is_sharp(page, address):
    page.goto(f"{address}/?present=enlarged&query=10")
    box = alone(page, "enlarged")
    lab = page.locator(".st-key-enlarged .lab")
    sharp = lab.evaluate(
        "lab => { const c = lab.querySelector('canvas'); return c.width / c.getBoundingClientRect().width; }"
    )
    assert sharp == pytest.approx(1, abs=0.02)
    assert (box["bottom"] - box["top"]) > 400
    tip = lab.locator(".tip")
    scale = lab.evaluate("lab => lab.getBoundingClientRect().width / lab.offsetWidth")
    assert scale > 1.2
    for share in (0.35, 0.55, 0.7):
        page.mouse.move(
            box["left"] + share * (box["right"] - box["left"]), box["top"] + 0.6 * (box["bottom"] - box["top"])
        )
        expect(tip).to_be_visible()
        tip_box = tip.bounding_box()
        assert abs(tip_box["y"] - (box["top"] + 0.6 * (box["bottom"] - box["top"]))) < 60 * scale


def test_the_projector_by_keys(page, address):
    page.goto(f"{address}/?scale=false")
    wait_for_picture(page)
    page.locator("textarea").first.click()
    page.keyboard.press("p")
    assert not page.evaluate("document.documentElement.hasAttribute('data-stage')"), "typing is typing"
    page.keyboard.press("Backspace")
    page.locator("h1").click()
    page.keyboard.press("p")
    until(page, "document.documentElement.dataset.stage")
    first = page.evaluate("document.documentElement.dataset.stage")
    seen = [first]
    for key in ("PageDown", "Space", "PageUp"):
        page.keyboard.press(key)
        until(
            page, f"document.documentElement.dataset.stage && document.documentElement.dataset.stage !== '{seen[-1]}'"
        )
        wait_for_rest(page)
        seen.append(page.evaluate("document.documentElement.dataset.stage"))
    order = ["sentence", "grid", "enlarged", "next", "lens"]
    index = order.index(first)
    assert seen == [order[index], order[index + 1], order[index + 2], order[index + 1]]
    until(page, f"location.search.includes('present={seen[-1]}')")
    page.reload()
    alone(page, seen[-1])
    page.keyboard.press("Escape")
    until(page, "location.search === '?scale=false'")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_presenting_begins_without_asking_the_server(page, address):
    page.goto(f"{address}/")
    wait_for_picture(page)
    page.evaluate(
        "window.began = null; new MutationObserver(() => (window.began ??= performance.now()))"
        ".observe(document.documentElement, { attributes: true })"
    )
    page.evaluate(
        "window.pressed = performance.now(); document.dispatchEvent(new KeyboardEvent('keydown', { key: 'p' }))"
    )
    until(page, "window.began")
    assert page.evaluate("window.began - window.pressed") < 200, "the wait before Python hears of it alone is longer"
    until(page, "document.documentElement.dataset.stage")


def test_a_lesson_by_keys_from_its_page_to_its_end(page, address):
    page.goto(f"{address}/lessons")
    page.get_by_role("button", name="Which words may attend to which?").click()
    way = page.locator(".st-key-lesson_way .lab")
    expect(way.locator(".where")).to_contain_text("1 of 6")
    assert "lesson=masks.1" in where(page) and where(page).startswith("/masks")
    outline = page.locator(".st-key-stages").evaluate("node => getComputedStyle(node).outlineStyle")
    assert outline == "solid"

    field = way.get_by_role("textbox")
    field.fill("3")
    field.press("Enter")
    expect(way.locator(".feedback")).to_contain_text("Look again")
    field.fill("6")
    field.press("Enter")
    expect(way.locator(".feedback.right")).to_be_visible()

    page.locator(".st-key-lesson h2").click()
    page.keyboard.press("n")
    expect(way.locator(".where")).to_contain_text("2 of 6")
    page.keyboard.press("b")
    expect(way.locator(".where")).to_contain_text("1 of 6")
    for step in (2, 3, 4):
        way.get_by_role("button", name="Next", exact=True).click()
        expect(way.locator(".where")).to_contain_text(f"{step} of 6")
    until(page, "location.search.includes('mask_kind=none') && location.search.includes('lesson=masks.4')")
    wait_for_rest(page)

    link = where(page)
    page.goto(address + link)
    expect(way.locator(".where")).to_contain_text("4 of 6")

    page.locator(".st-key-leaks .lab").wait_for(timeout=PATIENCE, state="attached")  # it is covered
    wait_for_rest(page)
    page.keyboard.press("p")
    alone(page, "leaks")
    expect(page.locator(".stage-note .title")).to_have_text("Without a mask")
    expect(page.locator(".stage-note .question")).to_contain_text("How many outputs before word 8 change?")
    assert page.locator(".lesson-cover", has_text="Guess first").evaluate("cover => cover.offsetHeight") > 40
    expect(page.locator(".st-key-save_leaks .reading")).to_be_hidden()
    page.keyboard.press("PageUp")
    expect(page.locator(".stage-note .title")).to_have_text("Nothing flows back")
    until(page, "location.search.includes('lesson=masks.3') && location.search.includes('present=')")
    alone(page, "leaks")
    page.keyboard.press("Escape")
    expect(way).to_be_visible()
    way.get_by_role("button", name="Leave").click()
    expect(way).to_have_count(0)
    until(page, "!location.search.includes('lesson')")


# The figure of the step stands between the step and the end of the window, and nothing is over it: all of it and its
# sentence, or as much as there is room for.
IN_SIGHT = """key => {
  const [lesson, figure] = ["lesson", key].map(of => document.querySelector(`.st-key-${of}`)?.getBoundingClientRect());
  if (!lesson || !figure || figure.height < 20) return false;
  const top = Math.max(figure.top, lesson.bottom), end = Math.min(figure.bottom, innerHeight);
  const above = document.elementFromPoint(figure.left + figure.width / 2, top + 5);
  const covered = !above?.closest(`.st-key-${key}`);
  return figure.top >= lesson.bottom - 1 && end - top >= Math.min(figure.height, 0.4 * innerHeight) - 1 && !covered;
}"""
HIGHEST = {1440: 150, 390: 264}  # pixels of the step, by the width of the window


def stands_open(page, lesson, number):
    """Wait for a step, from 1; its figure is in sight, the step is small, and what gives the answer away is covered."""
    step = lesson.steps[number - 1]
    until(page, f"location.search.includes('lesson={lesson.name}.{number}')")
    expect(page.locator(".st-key-lesson_way .where")).to_contain_text(f"{number} of {len(lesson.steps)}")
    expect(page.locator(".st-key-lesson h2")).to_have_text(step.title)
    page.wait_for_function(IN_SIGHT, arg=step.figure, timeout=PATIENCE, polling=100)
    wait_for_rest(page)
    page.wait_for_function(IN_SIGHT, arg=step.figure, timeout=PATIENCE, polling=100)
    height = page.locator(".st-key-lesson").evaluate("node => node.getBoundingClientRect().height")
    assert height <= HIGHEST[page.viewport_size["width"]]
    covers = page.locator(".lesson-cover", has_text="Guess first")
    if not step.question:
        expect(page.locator(".lesson-cover")).to_have_count(0)
        return
    expect(covers).to_have_count(1)
    for words in (".reading", ".strip", ".files", ".stPlotlyChart svg"):
        assert page.locator(words).locator("visible=true").count() == 0, words
    drawn = page.locator(f".st-key-{step.figure} .lab, .st-key-{step.figure} .js-plotly-plot").first
    expect(drawn).to_be_visible(visible=step.figure in step.question.open_figures)
    sentence = page.locator(f".st-key-save_{step.figure} .reading").text_content()
    assert page.evaluate("getSelection().selectAllChildren(document.body) || getSelection().toString()")
    snapshot = page.get_by_test_id("stMain").aria_snapshot()
    assert step.question.text[:20] in snapshot and (not sentence or sentence[:25] not in snapshot)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_every_step_shows_its_figure_in_little_room_and_covers_the_answer_until_it_is_checked(page, address, lesson):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{address}/lessons?lesson={lesson.name}.1")
    for number in range(1, len(lesson.steps) + 1):
        stands_open(page, lesson, number)
        if number < len(lesson.steps):
            page.keyboard.press("n")
    way, question, figure = page.locator(".st-key-lesson_way"), lesson.steps[-1].question, lesson.steps[-1].figure
    if not question.choices:
        way.get_by_role("textbox").fill("many")
        way.get_by_role("textbox").press("Enter")
        expect(way.locator(".feedback")).to_have_text("Please enter a number, such as 3 or 0.25.")
        expect(page.locator(".lesson-cover").first).to_be_attached()
        way.get_by_role("textbox").fill("1234")
    way.locator(".choice").first.click()
    expect(way.locator(".feedback")).not_to_be_empty()
    expect(page.locator(".lesson-cover")).to_have_count(0)
    expect(page.locator(f".st-key-save_{figure} .save").first).to_be_visible()
    expect(page.locator(f".st-key-{figure} .lab, .st-key-{figure} .js-plotly-plot").first).to_be_visible()
    assert page.locator(".st-key-lesson").evaluate("node => node.getBoundingClientRect().height") <= HIGHEST[1440]


def test_a_lesson_on_a_telephone_by_its_buttons_and_show_it_anyway(narrow, address):
    lesson = next(each for each in LESSONS if each.name == "parts")
    page = narrow.new_page()
    page.goto(f"{address}/lessons?lesson=parts.1")
    for number in range(1, len(lesson.steps) + 1):
        stands_open(page, lesson, number)
        if number < len(lesson.steps):
            page.get_by_role("button", name="Next", exact=True).click()
    more, text = page.get_by_role("button", name="More"), page.locator(".st-key-lesson_text")
    expect(more).to_have_attribute("aria-expanded", "false")
    assert text.evaluate("node => node.scrollHeight > node.clientHeight + 10"), "a long text is folded"
    more.click()
    expect(page.get_by_role("button", name="Less")).to_have_attribute("aria-expanded", "true")
    assert text.evaluate("node => node.scrollHeight <= node.clientHeight + 1"), "now it is whole"
    page.get_by_role("button", name="Less").click()
    page.get_by_role("button", name="Show it anyway").click()
    expect(page.locator(".lesson-cover")).to_have_count(0)
    expect(page.locator(".st-key-save_overwritten .reading")).to_be_visible()
    expect(page.locator(".strip").first).to_be_visible()
    expect(page.locator(".st-key-lesson_way .choice").first).to_be_visible()  # it can still be answered
    page.close()


def test_whoever_scrolls_is_left_alone(page, address):
    page.goto(f"{address}/lessons?lesson=parts.7")
    page.wait_for_function(IN_SIGHT, arg="overwritten", timeout=PATIENCE)
    page.mouse.move(900, 500)
    page.mouse.wheel(0, -3000)
    until(page, "document.querySelector('[data-testid=stMain]').scrollTop === 0")
    page.wait_for_timeout(1000)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0


def test_a_folder_of_ones_own_is_named_on_the_command_line(page, chrome, tmp_path):
    (tmp_path / "mine.md").write_text(
        "---\ntitle: Of my own\n---\n## One\npage: heads\nlook: grid\n\nHello.\n"
        "## Two\npage: masks\nlook: zip\n\nHello.\n"
    )
    (tmp_path / "broken.md").write_text("---\ntitle: Broken\n---\n## One\npage: nowhere\n\nHello.\n")
    with serve(arguments=["--lessons", str(tmp_path)]) as address:
        page.goto(f"{address}/lessons")
        expect(page.get_by_text("broken.md, line 5")).to_be_visible()
        page.get_by_role("button", name="Of my own").click()
        expect(page.locator(".st-key-lesson_way .where")).to_contain_text("1 of 2")
        page.keyboard.press("n")
        expect(page.locator(".st-key-lesson_way .missing")).to_have_text(
            "This step points at the figure “zip”, which is not on this page in this state. There are: stages, leaks."
        )
        page.keyboard.press("n")
        expect(page.get_by_text("you have reached its end")).to_be_visible()
        page.goto("about:blank")
