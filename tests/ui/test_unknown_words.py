"""English that the small grammar model does not know: the model that reads any word is offered first."""

from screen import visit, well

from viz.ui.controls import READS_ANY


def offers(screen):
    """The labels of the buttons beside the sentence about unknown words."""
    return [button.label for button in screen.button if "→" in button.label or READS_ANY in button.label]


def test_the_model_that_reads_any_word_is_offered_before_a_word_is_replaced():
    screen = well(visit("viz/pages/heads/page.py", text="the doggs sleepy chases the zebra ."))
    first, *words = offers(screen)
    assert first == f"Read it with {READS_ANY}, which splits words into tokens"
    assert words[0].startswith("doggs → ")


def test_one_click_reads_the_same_text_with_that_model():
    screen = visit("viz/pages/heads/page.py", text="My zebra loves machine learning.")
    text = " ".join(markdown.value for markdown in screen.markdown)
    assert "More than a quarter of this text is unknown to it" in text
    (button,) = [button for button in screen.button if READS_ANY in button.label]
    well(button.click().run())
    assert screen.session_state["weights"] == READS_ANY
    assert screen.session_state["text"] == "My zebra loves machine learning."
    assert offers(screen) == []


def test_only_a_word_that_is_spelt_much_alike_is_offered():
    screen = well(visit("viz/pages/heads/page.py", text="the doggs loves learning of the zebra ."))
    assert offers(screen)[1:] == ["doggs → dogs"], "not lost, ring and vera"
