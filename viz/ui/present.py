"""One figure alone: on a projector (?present=grid), or in a slide or a course page (?figure=grid); and the QR code.

The browser lifts the figure out of the page; the server only knows which, for the address and for the colours.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import segno
import streamlit as st

from viz import canvas
from viz.server.hosts import for_others
from viz.server.replica import listens_on
from viz.theme import Theme
from viz.ui.state import Key, Param

CLASS = "class"  # the parameter of a link with the code of a class
SWITCHES = (Param.SCALE, Param.MASK, Param.POSITION, Param.NORM, Param.RESIDUAL, Param.MLP)
LOOKAHEAD = ("heads", "machine", "masks")  # pages with switches whose whole state is in the link
LONGEST = 1200  # characters of a link whose QR code a phone still reads from a wall


@dataclass(frozen=True)
class Presentation:
    """What is alone. mode: "present", "embed" or "", the page as it is; figure: its key, or "true", the main one."""

    mode: str = ""
    figure: str = ""


def presentation() -> Presentation:
    """What the address asks for."""
    if embedded := st.query_params.get("figure"):
        return Presentation("embed", embedded[:60])
    presented = st.query_params.get("present", "")[:60]
    return Presentation("present", presented) if presented not in ("", "false") else Presentation()


def page_tools(
    page: str,
    strip: Sequence[canvas.StripPart],
    theme: Theme,
    on_part: Callable[[str], None],
    on_follow: Callable[[str, str, int], None],
) -> None:
    """The strip of the model's parts, Copy link, QR code, Present, Class."""
    now = presentation()
    switches = SWITCHES if page in LOOKAHEAD and not now.mode and "lesson" not in st.query_params else ()
    link = st.session_state.pop(Key.CODE_FOR, None)
    canvas.share(
        canvas.PageState(
            now.mode,
            now.figure,
            qr_code(link) if link else None,
            st.session_state.get(Key.LINKS_OPENED, 0),
            strip,
            code_in_link(),
            st.session_state.get(Key.CLASS_MOVE, -1),
            switches,
            [name for name in switches if _is_off(name)],
        ),
        key="link",
        theme=theme,
        on_present=_presented,
        on_code=_show_code,
        on_part=on_part,
        on_follow=on_follow,
    )


def _is_off(name: str) -> bool:
    """Whether a switch is off in this run; in the first run of a link it is not drawn yet."""
    return not st.session_state.get(name, st.query_params.get(name) != "false")


def code_in_link() -> str:
    """The code of the class that the link names, once: it does not stay in the address."""
    return str(st.query_params.pop(CLASS, ""))[:20]


def _presented(figure: str) -> None:
    if figure:
        st.query_params["present"] = figure
    else:
        st.query_params.pop("present", None)


def _show_code(link: str) -> None:
    st.session_state[Key.CODE_FOR] = for_others(link, listens_on(str(st.get_option("server.address") or "")))


def qr_code(link: str) -> dict[str, Any]:
    """The link as a QR code (ISO/IEC 18004): the number of modules on a side, and the dark ones as an SVG path.

    One that is too long is refused with the sentence that says so.
    """
    if len(link) > LONGEST:
        refusal = (
            f"This link has {len(link):,} characters. A phone can read about {LONGEST:,} from a projected QR code. "
            "Copy the link instead."
        )
        return {"link": link, "refused": refusal}
    matrix = segno.make(link, error="l", micro=False, boost_error=True).matrix
    return {"link": link, "side": len(matrix), "path": "".join(_runs(matrix))}


def _runs(matrix: tuple[bytearray, ...]) -> Iterator[str]:
    """Dark modules side by side as one rectangle each."""
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            wide = 0
            while x + wide < len(row) and row[x + wide]:
                wide += 1
            if wide:
                yield f"M{x} {y}h{wide}v1h-{wide}z"
            x += wide + 1
