"""Of the link that a lecturer shows, a student's page takes page and state, and nothing that it cannot use."""

import pytest
from streamlit.testing.v1 import AppTest

from viz.ui.links.followed_page import MAX_PARAMETERS, read_parameters
from viz.ui.state import Key


def test_the_students_page_takes_the_state_and_not_what_is_the_lecturers_own():
    query = "text=a+b&class=KTM72XRP&present=grid&figure=grid&layer=2&heads_off=L1H2&heads_off=L0H0&mask="
    assert read_parameters(query) == [
        ("text", "a b"),
        ("layer", "2"),
        ("heads_off", "L1H2"),
        ("heads_off", "L0H0"),
        ("mask", ""),
    ]
    assert read_parameters("") == []


def test_too_many_parameters_are_no_state():
    assert read_parameters("&".join(["a=1"] * MAX_PARAMETERS)) is not None
    assert read_parameters("&".join(["a=1"] * (MAX_PARAMETERS + 1))) is None


def run_once(page, query):
    """What the session still holds of the request after a run on the page of lessons."""

    def script():
        from viz.ui.links import followed_page  # noqa: PLC0415  Streamlit runs the text of this function

        followed_page.open_requested("lessons")

    screen = AppTest.from_function(script)
    screen.session_state[Key.CLASS_PAGE] = (page, query)
    screen.run()
    return screen


@pytest.mark.parametrize(("page", "query"), [("nowhere", ""), ("../../etc", ""), ("masks", "&".join(["a=1"] * 101))])
def test_what_cannot_be_followed_is_ignored(page, query):
    screen = run_once(page, query)
    assert not screen.exception and Key.CLASS_PAGE not in screen.session_state
