"""Links: those of released versions still open what they opened; the address stays short; a QR code holds the link."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import heavy
import pytest
from qr import decode
from screen import ROOT, at_path, component, notices, visit, visit_by_a_bad_link, well
from streamlit.testing.v1 import AppTest

from viz.pages.inside.cost import SOURCES
from viz.theme import PROJECTED, THEMES
from viz.ui import present
from viz.ui.controls import FRAME
from viz.ui.links.old_links import EVERYWHERE, NAMES, VALUES, name_of_today, of_today, value_of_today
from viz.ui.links.tracking_parameters import SHARED, is_tracking, without_tracking
from viz.ui.state import Param

# Never change a line of it: each stands in somebody's lecture notes. New ones are added at a release.
OLD = json.loads((ROOT / "tests/old_links.json").read_text(encoding="utf-8"))
PATHS = dict(
    re.findall(
        r'st\.Page\("../(pages/\w+/page\.py)".*?url_path="(\w+)"',
        (ROOT / "viz/app/contents.py").read_text(encoding="utf-8"),
    )
)
WITH_CONTROLS = [path for path in PATHS if not path.startswith(("pages/lessons/", "pages/your_model/"))]


def follow(link):
    """The app as a link opens it, through its table of contents."""
    parts = urlsplit(link)
    screen = AppTest.from_file(str(ROOT / "viz/app/contents.py"), default_timeout=120)
    for name, values in parse_qs(parts.query).items():
        screen.query_params[name] = values if len(values) > 1 else values[0]
    return at_path(screen, parts.path.strip("/") or "heads").run()


def page_of(link):
    return (urlsplit(link).path.strip("/") or "heads").replace("-", "_")


@pytest.mark.parametrize("old", OLD, ids=lambda old: old["link"])
def test_a_link_of_a_released_version_restores_its_state(old):
    screen = well(follow(old["link"]))
    assert "Part of this link" not in notices(screen)
    page = page_of(old["link"])
    for name, value in old["state"].items():
        today = name_of_today(page, name)
        expected = [value_of_today(page, name, written) for written in spelt(value)]
        assert spelt(screen.session_state[today]) == expected


# The "Try" links of the pages, and the states of the steps of lessons, as the last release had them.
RELEASED = json.loads((ROOT / "tests/released_links.json").read_text(encoding="utf-8"))


def spelt(value):
    """A value of the session as an address spells it."""
    return (
        [spelt(item)[0] for item in value]
        if isinstance(value, list)
        else [str(value).lower() if isinstance(value, bool) else str(value)]
    )


@pytest.mark.parametrize("link", RELEASED, ids=str)
def test_a_link_within_a_released_version_opens_what_it_names(link):
    screen = well(follow(link))
    assert "Part of this link" not in notices(screen)
    page, query = page_of(link), parse_qs(urlsplit(link).query)
    for name, values in of_today(page, query).items():
        assert name not in {old for on, old in NAMES if on == page} | set(EVERYWHERE)
        assert spelt(screen.session_state[name]) == values, name


def old_parameters():
    """(page, name, value) of every parameter in the links of released versions."""
    for link in [*(old["link"] for old in OLD), *RELEASED]:
        for name, values in parse_qs(urlsplit(link).query).items():
            yield from ((page_of(link), name, value) for value in values)


def test_every_name_and_value_that_was_given_up_is_on_the_list_and_leads_to_one_that_is_not():
    listed = set(old_parameters())
    # The controls of "Your model" are there only with a file or a model: tests/pages/test_short_texts.py opens them.
    assert {name for name in NAMES if name[0] != "your_model"} <= {(page, name) for page, name, _ in listed}
    old_names = {(page, name_of_today(page, name), value) for page, name, value in listed}
    given_up = {(page, name, old) for (page, name), values in VALUES.items() for old in values}
    assert given_up <= old_names
    assert not {(page, name, new) for (page, name), values in VALUES.items() for new in values.values()} & given_up
    assert not {(page, new) for (page, _), new in NAMES.items()} & set(NAMES)


def test_a_name_of_today_goes_before_the_old_one_in_a_link_that_has_both():
    both = {"token": ["3"], "query": ["5"], "more": ["Write on"], "scale": ["false"]}
    assert of_today("heads", both) == {"query": ["5"], "panel": ["Generate"], "scale": ["false"]}


@pytest.mark.parametrize(
    ("link", "step"), [("?step=7", 8), ("?step=0", 1), ("?step_number=7", 7), ("?step=2&step_number=7", 7)]
)
def test_a_link_counts_the_steps_of_a_head_as_the_screen_does_and_an_old_one_opens_its_step(link, step):
    screen = well(follow(f"/inside{link}"))
    assert "Part of this link" not in notices(screen)
    assert screen.session_state["step_number"] == step
    assert component(screen, "walk")[0]["step"] == step - 1  # the drawing counts from 0
    assert "step" not in screen.query_params


def test_a_step_of_an_old_link_that_is_no_number_stays_as_it_is():
    assert of_today("inside", {"step": ["x", "-1", "²", "9" * 30]}) == {"step_number": ["x", "-1", "²", "9" * 30]}


SHARED_NAMES = [
    ("/?panel=Rollout", "remove", "panel", "Next word"),
    ("/remove?panel=Head+ablation", "translate", "panel", "Side by side"),
    ("/translate?panel=Ablation&norm=false", "heads", "panel", "Next word"),
    ("/inside?view=QK+spectrum", "masks", "view", "Leak test"),
    ("/masks?view=KV+cache", "positions", "view", "Waves"),
    ("/positions?view=Shuffle+test", "remove", "view", "What breaks"),
    ("/remove?heads_off=L0H2", "translate", "heads_off", []),
    ("/inside?d_k=7&view=Size+and+cost", "remove", "d_k", 64),
]


@pytest.mark.parametrize(("link", "page", "name", "value"), SHARED_NAMES, ids=lambda parameter: str(parameter))
def test_a_name_that_two_pages_have_is_of_each_page_alone(link, page, name, value):
    screen = well(follow(link))
    for given in list(screen.query_params):
        del screen.query_params[given]  # as the browser does when a visitor goes to another page
    screen = well(at_path(screen, page).run())
    assert name not in screen.session_state or screen.session_state[name] == value
    assert "Part of this link" not in notices(screen)
    assert not [warning.value for warning in screen.warning]


def test_a_page_that_is_opened_again_holds_what_it_held():
    screen = well(follow("/remove?view=Trained+without&heads_off=L0H2&scale=false"))
    for page in ("inside", "remove"):
        for given in list(screen.query_params):
            del screen.query_params[given]
        screen = well(at_path(screen, page).run())
    assert screen.session_state["view"] == "Trained without"
    assert screen.session_state["heads_off"] == ["L0H2"]
    assert screen.session_state["scale"] is False, "the sidebar is the same on every page"


def test_the_address_holds_only_what_differs_from_the_default():
    screen = visit(layer=1, scale="true", stage="weights", mask="false")
    assert set(screen.query_params) == {"layer", "mask"}, "what the link said of defaults is dropped"


@pytest.mark.parametrize(
    ("name", "value"), [("weights", "stories"), ("text", "the cats who the dog near the tree saw were tired .")]
)
@pytest.mark.parametrize("path", ["viz/app/contents.py", "viz/pages/masks/page.py"])
def test_controls_at_rest_go_along_with_the_model_and_the_text_as_a_link_to_them_opens(path, name, value):
    screen = well(visit(path))
    screen.session_state[name] = value
    well(screen.run())
    again = well(visit(path, **{name: value}))
    for control in ("layer", "head", "panel", "edit_position", "replacement"):
        if control in again.session_state:
            assert screen.session_state[control] == again.session_state[control], control


@pytest.mark.parametrize(
    "path", ["viz/app/contents.py", *(f"viz/pages/{name}/page.py" for name in ("inside", "masks", "translate"))]
)
def test_a_name_that_nothing_on_the_page_bears_is_said_and_those_of_the_frame_are_not(path):
    assert "modle (unknown setting)" in notices(well(visit_by_a_bad_link(path, modle="stories")))
    assert "unknown setting" not in notices(well(visit(path, present="true", figure="", lesson="")))


ADDED = (
    "utm_source",
    "utm_medium",
    "UTM_Campaign",
    "fbclid",
    "gclid",
    "msclkid",
    "mc_cid",
    "igshid",
    "ref",
    "_gl",
    "si",
)


@pytest.mark.parametrize(
    "path", [path for path in PATHS if not path.startswith(("pages/lessons/", "pages/your_model/"))]
)
def test_names_that_were_added_on_the_way_are_ignored_in_silence_and_leave_the_address(path):
    screen = well(visit_by_a_bad_link(f"viz/{path}", **dict.fromkeys(ADDED, "x")))
    assert "Part of this link" not in notices(screen)
    assert not set(ADDED) & set(screen.query_params)


@pytest.mark.parametrize(
    "path", [path for path in PATHS if not path.startswith(("pages/lessons/", "pages/your_model/"))]
)
def test_a_name_that_the_page_called_unknown_leaves_the_address_and_others_stay(path):
    frame = {} if "masks" in path else {"present": "true"}
    screen = well(visit_by_a_bad_link(f"viz/{path}", modle="stories", **frame))
    assert "modle" in notices(screen)
    assert set(screen.query_params) == set(frame)


def test_no_control_has_a_name_that_is_taken_for_one_that_was_added_on_the_way():
    assert not [name for name in (*Param, *FRAME) if is_tracking(name)]


def test_a_link_loses_what_was_added_on_the_way_and_nothing_else():
    link = "http://lab.example/masks?mask_kind=custom&utm_source=a%20b&text=the+dogs+%E2%88%9A&fbclid=1#top"
    assert without_tracking(link) == "http://lab.example/masks?mask_kind=custom&text=the+dogs+%E2%88%9A#top"
    assert without_tracking("/?modle=1") == "/?modle=1"


@pytest.mark.parametrize("name", ["si", "feature", "cmpid", "__s", "__hssc", "hsCtaTracking", "guccounter", "dm_i"])
def test_a_name_that_a_button_to_share_adds_is_known(name):
    assert is_tracking(name) and is_tracking(name, "x")
    assert without_tracking(f"/?query=3&{name}=x") == "/?query=3"


def test_a_source_is_a_setting_only_with_the_values_of_that_setting():
    assert set(SHARED["source"]) == set(SOURCES), "the name that `sizes_from` had in earlier versions"
    assert without_tracking("/inside?source=newsletter&view=Size+and+cost") == "/inside?view=Size+and+cost"
    kept = "/inside?aspect=Size+and+cost&source=this+layer"
    assert without_tracking(kept) == kept
    screen = well(follow(kept))
    assert screen.session_state["sizes_from"] == "this layer"
    screen = well(follow("/inside?aspect=Size+and+cost&source=newsletter"))
    assert screen.session_state["sizes_from"] == "random"
    assert "Part of this link" not in notices(screen)


@pytest.mark.parametrize(("value", "is_named"), [("newsletter", False), ("this layer", True)])
def test_a_source_of_another_page_is_told_only_where_it_was_a_setting(value, is_named):
    screen = well(visit_by_a_bad_link("viz/pages/heads/page.py", source=value, si="AbC"))
    assert ("source (unknown setting)" in notices(screen)) == is_named
    assert not {"source", "si"} & set(screen.query_params)


@pytest.mark.parametrize(
    "part", [{"weights": "dates"}, {"layer": 99}, {"view": "Trained without the mask"}, {"scale": "no"}], ids=str
)
def test_a_test_that_opens_a_link_which_the_page_ignores_fails(part):
    with pytest.raises(AssertionError, match="the page ignores this part of the link"):
        visit(**part)


@pytest.mark.parametrize(("link_value", "used"), [("0", 0.0), ("1", 1.0), ("1.50", 1.5)])
def test_a_number_of_a_link_may_be_written_as_people_write_it(link_value, used):
    screen = well(visit(panel="Generate", temperature=link_value))
    assert screen.session_state["temperature"] == used
    assert "Part of this link" not in notices(screen)


@pytest.mark.parametrize("path", [path for path in PATHS if "lessons" not in path])
def test_no_control_takes_a_name_of_the_frame(path):
    state = well(visit(f"viz/{path}")).session_state
    assert not [name for name in FRAME if name in state]


ALONE = {
    "figure=grid": ("embed", "grid"),
    "present=grid": ("present", "grid"),
    "present=true": ("present", "true"),
    "present=false": ("", ""),
    "figure=": ("", ""),
    "figure=<b>": ("embed", "<b>"),
}


@pytest.mark.parametrize(("parameter", "stage"), ALONE.items(), ids=ALONE)
def test_a_figure_alone_is_of_the_whole_state_and_a_projector_gets_more_contrast(parameter, stage):
    name, _, value = parameter.partition("=")
    screen = well(visit(**{name: value}, scale="false"))
    assert screen.session_state["scale"] is False
    header, _ = component(screen, "link")
    assert (header["stage"]["mode"], header["stage"]["figure"]) == stage
    expected = PROJECTED if stage[0] == "present" else THEMES
    assert component(screen, "grid")[0]["theme"]["ink"] == expected["light"].ink


# The QR code, read back by a decoder of our own


@pytest.mark.parametrize("length", [20, 60, 150, 400, present.LONGEST])
def test_a_code_holds_the_link_to_the_last_letter(length):
    link = ("http://lab.example:8501/masks?mask_kind=custom&text=the+dogs+%E2%88%9A" + "x" * length)[:length]
    code = present.qr_code(link)
    assert decode(code["side"], code["path"]) == link


def test_a_link_too_long_for_a_phone_is_refused_in_a_sentence():
    code = present.qr_code("http://localhost:8501/?text=" + "x" * present.LONGEST)
    assert "path" not in code
    assert re.fullmatch(r"This link has 1,2\d\d characters\. .* Copy the link instead\.", code["refused"])


@pytest.mark.parametrize("name", heavy.LINKS)
def test_the_dearest_links_name_parameters_that_there_are(name):
    assert {*heavy.LINKS[name].state} <= set(Param)
