"""The sidebar shows only what does something in the open view, and keeps what it does not show."""

import pytest
from screen import visit, visit_by_a_bad_link, well

from viz.pages.inside.views import FOLLOW_A_TOKEN
from viz.pages.inside.views import VIEWS as INSIDE
from viz.pages.positions.views import READS_THE_SENTENCE
from viz.pages.positions.views import VIEWS as POSITIONS
from viz.pages.remove.controls import ACTING
from viz.ui.controls import EVERY, Control

GROUPS = {
    Control.MODEL: {"weights"},
    Control.TEXT: {"text", "draw"},
    Control.COMPONENTS: {"scale", "mask", "position", "norm", "residual", "mlp", "heads_off", "ablation"},
    Control.HEAD: {"layer", "head"},
    Control.QUERY: {"query"},
}
SENTENCE = {Control.MODEL, Control.TEXT, Control.COMPONENTS}
VIEWS = [
    *[("remove", view, acting) for view, acting in ACTING.items()],
    *[("inside", view, EVERY if view in FOLLOW_A_TOKEN else EVERY - {Control.QUERY}) for view in INSIDE],
    *[("positions", view, SENTENCE if view == READS_THE_SENTENCE else set()) for view in POSITIONS],
]


def controls_of(block, seen=True):
    """(key of a control, whether a person sees it) of a block and all within it. `unseen_…` is hidden by style.css."""
    for child in block.children.values():
        if not hasattr(child, "children"):
            yield getattr(child, "key", None), seen
            continue
        key = child.proto.id if child.proto else ""
        yield from controls_of(child, seen and "unseen_" not in key)


@pytest.mark.parametrize(("page", "view", "acting"), VIEWS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_view_shows_its_controls_and_no_others(page, view, acting):
    screen = well(visit(f"viz/pages/{page}/page.py", view=view))
    shown = {key for key, seen in controls_of(screen.sidebar) if seen}
    for group, keys in GROUPS.items():
        if group in acting:
            assert keys & shown, f"{group} is missing"
        else:
            assert not keys & shown, f"{group} does nothing here"


def test_what_is_not_shown_keeps_its_value():
    screen = well(visit("viz/pages/remove/page.py", text="the dog sleeps .", norm="false", layer=1, head=0, query=2))
    for view in ("Layer norm, batch norm", "Why √d_k", "What breaks"):
        well(screen.segmented_control(key="view").set_value(view).run())
    held = screen.session_state
    assert (held["text"], held["norm"], held["layer"], held["head"], held["query"]) == (
        "the dog sleeps .",
        False,
        1,
        0,
        2,
    )


def test_a_text_that_cannot_be_read_stops_only_the_views_that_read_it():
    refused = visit_by_a_bad_link("viz/pages/positions/page.py", view="Shuffle test", text="the " * 3000)
    assert refused.info and not refused.get("bidi_component")
    shown = well(visit("viz/pages/positions/page.py", view="Waves", text="the " * 3000))
    assert shown.get("bidi_component")


def test_the_switch_of_the_mask_is_disabled_where_another_mask_replaces_the_models_own():
    own, replaced = (visit("viz/pages/masks/page.py", mask_kind=kind) for kind in ("trained", "window"))
    assert not own.toggle(key="mask").disabled
    assert replaced.toggle(key="mask").disabled
    assert replaced.toggle(key="mask").help == "The mask that you chose replaces the model's own mask."
