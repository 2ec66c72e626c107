"""A class in real browsers: a lecturer and two students, each with a profile of their own."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from served import PATIENCE, wait_for_rest

BAR = ".st-key-heading .class"


@pytest.fixture(scope="module")
def profiles(chrome, address):
    """The browser profiles of the people of this file, by number; each is made once, with its window and process."""
    contexts = []

    def profile(number):
        while number >= len(contexts):
            contexts.append(
                chrome.new_context(bypass_csp=True, viewport={"width": 1440, "height": 900}, accept_downloads=True)
            )
            contexts[-1].new_page().goto(f"{address}/_stcore/health")  # stays open
        return contexts[number]

    yield profile
    for context in contexts:
        context.close()


@pytest.fixture
def visitor(profiles, address):
    """Opens a path of the lab as somebody else: a profile of their own, in a window of this width."""
    pages = []

    def opened(path, width=1440):
        page = profiles(len(pages)).new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.goto(address + path)
        wait_for_rest(page)
        return page

    yield opened
    for page in pages:
        first = page.context.pages[0]
        page.close()
        first.evaluate("localStorage.clear()")  # nobody is known from the test before


def start_class(page):
    """Start a class on this page; returns its code."""
    page.get_by_role("button", name="Start a class, or join one").click()
    page.get_by_role("button", name="Start a class", exact=True).click()
    line = page.locator(f"{BAR} .class-code")
    expect(line).to_have_text(re.compile("Class ....-...."))
    return line.inner_text().removeprefix("Class ")


def test_students_follow_answer_and_see_the_answers_only_when_they_are_revealed(visitor):
    lecturer = visitor("/why?view=Windows")
    code = start_class(lecturer)
    ann, ben = visitor(f"/?class={code}"), visitor("/masks", width=390)
    # The code in the link joins and does not stay in the address; the other student types it.
    expect(ann).to_have_url(re.compile(r"/why\?.*view=Windows"), timeout=25_000)
    assert "class=" not in ann.url
    ben.get_by_role("button", name="Start a class, or join one").click()
    ben.get_by_label("Code of a class").fill(code.lower())
    ben.get_by_role("button", name="Join", exact=True).click()
    expect(ben).to_have_url(re.compile(r"/why\?.*view=Windows"), timeout=25_000)
    expect(lecturer.locator(f"{BAR} .count").first).to_have_text("2 students here, 2 following")

    # Ben explores. The lecturer goes on to another page and pins a word: only Ann is there.
    ben.get_by_role("button", name="Explore on my own").click()
    expect(ben.locator(BAR)).to_contain_text("You explore on your own.")
    lecturer.get_by_role("link", name="Masks").first.click()
    expect(ann).to_have_url(re.compile("/masks"), timeout=25_000)
    wait_for_rest(ann)
    assert "/why" in ben.url
    ben.get_by_role("button", name="Follow the lecturer").click()
    expect(ben).to_have_url(re.compile("/masks"), timeout=25_000)

    # A question of the lecturer's own.
    lecturer.get_by_role("button", name="Ask", exact=True).click()
    lecturer.get_by_label("Question", exact=True).fill("Which words may <b>a</b> token see?")
    lecturer.get_by_label("Choices, one in each line").fill("earlier ones\nlater ones\n\nall")
    lecturer.locator(".sheet").get_by_role("button", name="Ask", exact=True).click()
    for student, choice in ((ann, "all"), (ben, "earlier ones"), (ann, "later ones")):
        wait_for_rest(student)
        student.locator(BAR).get_by_role("button", name=choice).click()
        expect(student.locator(BAR).get_by_role("button", name=choice)).to_have_attribute("aria-pressed", "true")
    expect(ann.locator(f"{BAR} .question")).to_have_text("Which words may <b>a</b> token see?")
    expect(lecturer.locator(BAR)).to_contain_text("2 of 2 have answered.")
    values = lecturer.locator(f"{BAR} .bar .value")
    expect(values).to_have_text(["1", "1", "0"])
    assert ann.locator(f"{BAR} .bar").count() == 0, "nobody sees the answers of others before they are revealed"
    lecturer.locator(BAR).get_by_role("button", name="earlier ones").click()
    for page in (ann, ben, lecturer):
        expect(page.locator(f"{BAR} .outcome")).to_contain_text(
            "The measured answer is “earlier ones”. 1 of 2 students gave it."
        )
    expect(ann.locator(f"{BAR} .outcome")).to_contain_text("Your answer was “later ones”.")
    with lecturer.expect_download() as download:
        lecturer.get_by_role("button", name="Save answers").click()
    rows = list(csv.reader(Path(download.value.path()).read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["number", "question", "answer", "is_right"]
    assert [row[2:] for row in rows[1:]] == [["earlier ones", "yes"], ["later ones", "no"]]

    # The page is loaded anew: everybody is still in the class.
    ann.reload()
    lecturer.reload()
    expect(ann.locator(f"{BAR} .class-code")).to_have_text(f"Class {code}")
    expect(lecturer.locator(f"{BAR} .class-code")).to_have_text(f"Class {code}")

    # Its end is everybody's.
    lecturer.get_by_role("button", name="End the class").click()
    lecturer.locator(".sheet").get_by_role("button", name="End the class").click()
    expect(ann.locator(BAR)).to_have_text("The class has ended.")
    expect(lecturer.locator(BAR)).to_be_hidden()
    assert ann.evaluate("sessionStorage.getItem('attention-lab-class-joined')") == "{}"


def test_the_question_of_a_lesson_is_asked_and_its_measured_answer_revealed(visitor, address):
    lecturer = visitor("/masks?lesson=masks.2")
    code = start_class(lecturer)
    ann = visitor(f"/?class={code}")
    expect(ann).to_have_url(re.compile(r"lesson=masks\.2"), timeout=25_000)
    lecturer.get_by_role("button", name="Ask", exact=True).click()
    lecturer.get_by_role("button", name=re.compile("^Ask: ")).click()
    box = ann.locator(f"{BAR} .class-question")
    expect(box).to_be_visible()
    if box.locator("input").count():
        box.locator("input").fill("7")
        box.get_by_role("button", name="Send").click()
    else:
        box.locator(".choice").first.click()
    expect(lecturer.locator(BAR)).to_contain_text("1 of 1 have answered.")
    lecturer.locator(BAR).get_by_role("button", name="Reveal").click()
    expect(ann.locator(f"{BAR} .outcome")).to_contain_text("The measured answer is ", timeout=25_000)

    # A guess on the page Masks is a question too: nobody sees the weights before it is revealed.
    lecturer.goto(address + "/masks?guess=strongest&layer=0&head=0&query=5")
    wait_for_rest(lecturer)
    expect(ann).to_have_url(re.compile("guess=strongest"), timeout=25_000)
    lecturer.get_by_role("button", name="Ask", exact=True).click()
    lecturer.get_by_role(
        "button", name=re.compile("^Ask: Which word does .* attend to most, in layer 0, head 0")
    ).click()
    wait_for_rest(ann)
    for page in (ann, lecturer):
        expect(page.locator(".st-key-reveal")).to_be_hidden()  # the page's own button would show the answer
    ann.locator(f"{BAR} .class-question .choice").first.click()
    expect(lecturer.locator(BAR)).to_contain_text("1 of 1 have answered.")
    assert "strongest framed" not in lecturer.locator(".st-key-save_guessing").inner_text()
    lecturer.locator(BAR).get_by_role("button", name="Reveal").click()
    expect(ann.locator(f"{BAR} .outcome")).to_contain_text(
        re.compile(r"The measured answer is “\d .*”\. [01] of 1 student gave it\."), timeout=25_000
    )
    expect(lecturer.locator(".st-key-save_guessing")).to_contain_text("rows right")


def test_a_code_of_no_class_is_one_sentence_and_the_page_works(visitor):
    page = visitor("/?class=BBBB-2222")
    expect(page.locator(BAR)).to_have_text("There is no class with this code. It may have ended.")
    assert "class=" not in page.url
    page.locator(".st-key-grid .lab[data-drawn]").wait_for()


def test_without_a_class_nothing_is_sent_to_one(visitor):
    sent = []
    page = visitor("/why")
    page.on("request", lambda request: sent.append(request.url))
    page.get_by_role("button", name="Start a class, or join one").click()
    page.get_by_role("button", name="Close").click()
    page.wait_for_timeout(1500)
    assert not [url for url in sent if "_lab/class" in url]
    assert page.locator(BAR).is_hidden()
