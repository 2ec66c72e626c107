"""“Whole model” under a person's hand: point, click a token, a part and a head, open a page from it; narrow, too."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect
from served import PATIENCE, wait_for_rest
from test_browser import Lab, left_well

from model import Experiment, Switches, run
from model.analysis.whole_model.data_flow import data_flow, most_mixed_row
from model.analysis.whole_model.pair_flow import most_mixed_pair_row, pair_flow
from model.generation.translate import translate
from model.probability import probabilities
from model.run import encode_pair, get_model
from viz.pair_tasks import example_of
from viz.ui.controls import EXAMPLE

expect.set_options(timeout=PATIENCE)
WORDS = ["⟨start⟩", *EXAMPLE.split()]


class Whole(Lab):
    """One visitor of this page."""

    def choose_model(self, name):
        """Type the name of a model and choose it: the list is longer than what a browser draws of it."""
        box = self.page.get_by_role("combobox", name="Model")
        box.click()
        box.fill(name)
        self.page.get_by_role("option", name=name, exact=True).click()

    def open(self, **parameters):
        self.page.goto(f"{self.address}/machine?{urlencode(parameters)}")
        self.page.locator(".st-key-machine .lab[data-drawn]").wait_for(timeout=PATIENCE)
        wait_for_rest(self.page)
        return self

    def part(self, name):
        return self.key("machine").get_by_role("button", name=name, exact=True)

    @property
    def panel(self):
        return self.key("machine").locator(".panel")

    @property
    def texts(self):
        """What is written in the drawing, as its file holds it."""
        return re.findall(r">([^<>]+)</text>", self.page.evaluate("attentionLab.drawings.get('machine')()"))


@pytest.fixture
def whole(context, address):
    lab = Whole(context.new_page(), address)
    yield lab
    left_well(lab)


def most_probable(experiment, row):
    trace = run(experiment)
    logits = getattr(trace, "decoder", trace).logits[row]
    best = int(np.argmax(logits))
    share = float(probabilities(logits[None])[0, best])
    return get_model(experiment.weights)[1].vocabulary[best], f"{share:.0%}"


def test_it_opens_with_a_token_that_holds_much_of_others_and_says_what_comes_next(whole):
    whole.open()
    full = Experiment(text=EXAMPLE)
    row = most_mixed_row(data_flow(full, run(full)).sources)
    word, share = most_probable(full, row)
    expect(whole.panel).to_contain_text(f"After “{WORDS[row]}” the most probable word is “{word}”, with {share}.")
    assert whole.key("machine").locator(".target.token").count() == len(WORDS)
    assert whole.key("machine").locator(".target.head").count() == 3 * 4


PARTS = [
    ("feed-forward, layer 1", "mlp=false", Switches(mlp=False)),
    ("+, layer 0", "residual=false", Switches(residual=False)),
    ("Layer 2, head 1", "heads_off=L2H1", Switches(heads_off=frozenset({(2, 1)}))),
]


def test_a_part_is_removed_by_a_click_and_put_back_by_another(whole):
    whole.open(query=9)
    for name, link, gone in PARTS:
        for switches, pressed in ((gone, "false"), (Switches(), "true")):
            whole.part(name).first.click()
            expect(whole.part(name).first).to_have_attribute("aria-pressed", pressed)
            wait_for_rest(whole.page)
            assert (link in whole.page.url) == (pressed == "false"), name
            word, share = most_probable(Experiment(text=EXAMPLE, switches=switches), 9)
            texts = whole.texts
            assert texts[texts.index(word) + 1] == share.replace("%", " %"), name
            assert ("frame: full model" in texts) == (pressed == "false"), name


def test_a_press_is_a_click_when_the_figure_is_drawn_anew_before_the_release(whole):
    whole.open(query=9)
    part, figure, size = (
        whole.part("feed-forward, layer 1"),
        whole.key("machine").locator(".lab"),
        whole.page.viewport_size,
    )
    part.hover()
    whole.page.mouse.down()
    drawn = figure.get_attribute("data-drawn")
    whole.page.set_viewport_size({**size, "width": size["width"] - 2})
    expect(figure).not_to_have_attribute("data-drawn", drawn)
    whole.page.mouse.up()
    expect(part).to_have_attribute("aria-pressed", "false")


def test_the_attention_of_a_layer_goes_with_all_its_heads(whole):
    whole.open()
    whole.part("attention, layer 1").click()
    whole.wait_for_link("heads_off=L1H0")
    for head in range(4):
        expect(whole.part(f"Layer 1, head {head}")).to_have_attribute("aria-pressed", "false")
    expect(whole.panel).to_contain_text("Attention gave")
    whole.part("attention, layer 1").click()
    whole.page.wait_for_url(lambda address: "heads_off" not in address, timeout=PATIENCE)


def test_a_click_on_a_token_follows_it_and_the_prediction_is_the_one_after_it(whole):
    whole.open()
    whole.part("was").click()
    whole.wait_for_link("query=10")
    word, share = most_probable(Experiment(text=EXAMPLE), 10)
    expect(whole.panel).to_contain_text(f"After “was” the most probable word is “{word}”, with {share}.")
    expect(whole.key("save_machine")).to_contain_text("last vector of “was”")


def test_the_numbers_below_the_parts_are_those_of_the_token_in_focus(whole):
    whole.open(query=9, detail="numbers")
    full = Experiment(text=EXAMPLE)
    flow = data_flow(full, run(full))
    texts = whole.texts
    assert texts.count(f"length {flow.lengths[0, 9]:.1f}") == 1
    adds = [text.removeprefix("adds ") for text in texts if text.startswith("adds ")]
    to = [text.removeprefix("to one of ") for text in texts if text.startswith("to one of ")]
    assert adds == [f"{length:.1f}" for length in flow.added[:, 9]]
    assert to == [f"{length:.1f}" for length in flow.lengths[:-1, 9]]


def test_the_pointer_on_a_part_says_what_it_is_for_and_opens_its_page_with_the_same_sentence(whole):
    whole.open(text="the dog sleeps .", mlp="false")
    whole.part("Layer 2, head 1").hover()
    expect(whole.panel).to_contain_text("Compares this token with every token that it may attend to")
    whole.page.get_by_role("button", name="Open Inside a head").click()
    whole.wait_for_link("/inside")
    expect(whole.page.get_by_role("heading", level=1)).to_contain_text("What happens inside one head?")
    link = whole.link()
    assert (link["text"], link["mlp"], link["head"]) == ("the dog sleeps .", "false", "1")
    assert whole.page.get_by_role("spinbutton", name="Layer").input_value() == "2"


def test_at_390_pixels_nothing_scrolls_sideways_and_every_part_can_be_pressed(whole):
    whole.page.set_viewport_size({"width": 390, "height": 844})
    whole.open(detail="numbers")
    for detail in ("numbers", "shapes", "words"):
        if detail != "numbers":
            whole.page.get_by_role("radio", name=detail, exact=True).click()
            view = whole.key("machine").locator(".lab").element_handle()
            shown = f"lab => lab.view.header.detail === '{detail}'"
            whole.page.wait_for_function(shown, arg=view, timeout=PATIENCE)
            wait_for_rest(whole.page)
        assert whole.page.evaluate("document.documentElement.scrollWidth") <= 390, detail
        boxes = [part.bounding_box() for part in whole.key("machine").locator(".target").all()]
        assert boxes and all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes), detail


def test_a_finger_reads_a_part_at_its_first_tap_and_removes_it_at_its_second(narrow, address):
    whole = Whole(narrow.new_page(), address).open()
    part = whole.part("Layer 0, head 1")
    part.tap()
    expect(whole.panel).to_contain_text("Layer 0, head 1 Compares this token")
    whole.page.wait_for_timeout(700)  # a second tap, not a double one
    expect(part).to_have_attribute("aria-pressed", "true", timeout=5000)
    part.tap()
    whole.wait_for_link("heads_off=L0H1")
    expect(part).to_have_attribute("aria-pressed", "false")
    whole.page.close()


# A model of two sentences

SOURCE = example_of("translation")


def both(switches=Switches()):
    """The source, and as the target what the full model writes."""
    return Experiment("translate", SOURCE, switches, target=translate(Experiment("translate", SOURCE)).text)


def test_a_model_of_two_sentences_is_chosen_and_both_stacks_are_drawn(whole):
    whole.open()
    whole.choose_model("translate")
    whole.wait_for_link("weights=translate")
    expect(whole.part("Cross-attention, layer 1, head 3")).to_be_visible()
    wait_for_rest(whole.page)
    experiment = both()
    source, target = encode_pair(experiment)
    row = most_mixed_pair_row(pair_flow(experiment, run(experiment)))
    expect(whole.panel).to_contain_text(f"After “{target.surface[row]}” the most probable word is")
    assert whole.key("machine").locator(".target.token").count() == len(target.ids)
    assert whole.key("machine").locator(".target.head").count() == 3 * 4, "one layer of each stack is open"
    box = whole.key("machine").locator("canvas").bounding_box()
    assert whole.page.viewport_size == {"width": 1440, "height": 900} and box["y"] + box["height"] <= 900
    whole.part("Open layer 1, encoder").click()
    expect(whole.part("Encoder, layer 1, head 3")).to_be_visible()
    whole.part("Open layer 0, encoder").click()
    texts = whole.texts
    assert set(source.surface[1:-1]) | set(target.surface[1:]) <= set(texts)
    assert {"encoder, layer 0", "decoder, layer 1"} <= set(texts)


PARTS_OF_TWO_STACKS = [
    ("Cross-attention, layer 1, head 1", "heads_off=X1H1", Switches(cross_off=frozenset({(1, 1)}))),
    (
        "attention, encoder, layer 0",
        "heads_off=E0H0",
        Switches(encoder_off=frozenset((0, head) for head in range(4))),
    ),
    ("norm, encoder, layer 0", "norm=false", Switches(norm=False)),
]


def test_a_part_of_two_stacks_is_removed_and_the_target_stays_what_the_full_model_writes(whole):
    whole.open(weights="translate", query=5)
    for name, link, gone in PARTS_OF_TWO_STACKS:
        for switches, pressed in ((gone, "false"), (Switches(), "true")):
            whole.part(name).first.click()
            expect(whole.part(name).first).to_have_attribute("aria-pressed", pressed)
            wait_for_rest(whole.page)
            assert (link in whole.page.url) == (pressed == "false"), name
            word, share = most_probable(both(switches), 5)
            texts = whole.texts
            places = [index for index, text in enumerate(texts) if text == word]
            assert share.replace("%", " %") in [texts[index + 1] for index in places], name
            assert ("frame: full model" in texts) == (pressed == "false"), name


def test_the_cross_attention_of_a_layer_goes_with_its_heads_and_a_head_opens_translate_with_the_same_source(whole):
    whole.open(weights="translate", text="the cat sleeps .")
    whole.part("Open layer 0").click()
    whole.part("cross-attention, layer 0").click()
    whole.wait_for_link("heads_off=X0H0")
    for head in range(4):
        expect(whole.part(f"Cross-attention, layer 0, head {head}")).to_have_attribute("aria-pressed", "false")
        expect(whole.part(f"Layer 0, head {head}")).to_have_attribute("aria-pressed", "true")
    whole.part("Open layer 1").click()
    whole.part("Cross-attention, layer 1, head 2").hover()
    expect(whole.panel).to_contain_text("with every token of the source")
    whole.page.get_by_role("button", name="Open Translate").click()
    whole.wait_for_link("/translate")
    expect(whole.page.locator(".st-key-writing .lab[data-drawn]")).to_be_visible()
    link = whole.link()
    assert (link["source_text"], link["head"], link["mean_heads"]) == ("the cat sleeps .", "2", "false")
    assert whole.page.get_by_role("spinbutton", name="Layer").input_value() == "1"
    whole.page.get_by_role("button", name="Open Whole model").click()
    whole.wait_for_link("/machine")
    expect(whole.part("Cross-attention, layer 1, head 2")).to_be_visible()
    address = parse_qs(urlsplit(whole.page.url).query)
    assert (address["weights"], address["text"]) == (["translate"], ["the cat sleeps ."])
    assert address["heads_off"] == ["X0H0", "X0H1", "X0H2", "X0H3"], "the page finds what it had itself"


def test_a_page_of_models_of_one_text_follows_without_a_traceback(whole):
    whole.open(weights="translate")
    whole.page.get_by_role("link", name="Heads").click()
    whole.page.locator(".st-key-grid .lab[data-drawn]").wait_for(timeout=PATIENCE)
    expect(whole.page.get_by_role("combobox", name="Model")).to_have_value("grammar")
    expect(whole.page.get_by_text("Part of this link")).to_have_count(0)
    note = whole.page.get_by_text("it cannot show the model “translate”")
    expect(note).to_be_visible()
    whole.page.get_by_role("link", name="Masks").click()
    whole.page.locator(".st-key-stages .lab[data-drawn]").wait_for(timeout=PATIENCE)
    expect(note).to_be_visible()
    whole.page.get_by_role("link", name="Whole model").click()
    whole.wait_for_link("weights=translate")
    expect(whole.part("Cross-attention, layer 1, head 3")).to_be_visible()
    expect(note).to_have_count(0)
    whole.page.get_by_role("link", name="Masks").click()
    expect(note).to_be_visible()
    whole.choose_model("stories")
    expect(note).to_have_count(0)
    whole.page.get_by_role("link", name="Whole model").click()
    whole.wait_for_link("weights=stories")


def test_two_stacks_fit_a_phone_and_stand_beside_each_other_on_a_wide_screen(whole):
    figure = whole.key("machine").locator(".lab")
    for width in (390, 1900):
        drawn = figure.get_attribute("data-drawn") if width == 1900 else None
        whole.page.set_viewport_size({"width": width, "height": 844})
        if width == 390:
            whole.open(weights="translate", detail="numbers")
        else:
            expect(figure).not_to_have_attribute("data-drawn", drawn)
        expect(figure).to_have_attribute("data-drawn", re.compile("."))
        wait_for_rest(whole.page)
        assert whole.page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = [part.bounding_box() for part in whole.key("machine").locator(".target").all()]
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
        encoder, decoder = (whole.part(f"attention{stack}, layer 0").bounding_box()["y"] for stack in (", encoder", ""))
        assert (encoder == decoder) == (width == 1900)
