"""A bar that stands on the page while something takes long; and whether the visitor it is for is still there.

What a view still needs is computed after the rest of the page, so that no figure waits for another: see `Missing`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

SOON = 0.3  # seconds before anything is shown: most is done by then
OFTEN = 0.15  # seconds between two messages


class Progress:
    """Shown when it has taken long enough to be worth it, and gone afterwards.

    Before Streamlit sends anything, it checks whether this run of the page is still wanted. If a visitor has closed
    the page, or has changed something on it, Streamlit's own exception ends the computation here.
    """

    def __init__(self, place: DeltaGenerator | None = None) -> None:
        self._place = place
        self._own = place is None
        self._next = time.monotonic() + SOON
        self._seen = get_script_run_ctx(suppress_warning=True) is not None

    def show(self, share: float | None, text: str) -> None:
        """share: 0 to 1; None: nothing is known yet."""
        now = time.monotonic()
        if not self._seen or now < self._next:
            return
        self._next = now + OFTEN
        if self._place is None:
            self._place = st.empty()
        self._place.progress(0.0 if share is None else min(max(share, 0.0), 1.0), text)

    def done(self) -> None:
        """Take the bar away."""
        if self._own and self._place is not None:
            self._place.empty()
            self._place = None


@dataclass(frozen=True)
class Missing:
    """What a view needs and is not computed yet, in the order of computation.

    place: where the view shows how far it is; work: what is being computed, in words, and the function that computes it
    and keeps the result.
    """

    place: DeltaGenerator
    work: Sequence[tuple[str, Callable[[], object]]] = ()

    def compute(self) -> None:
        """Compute it, and draw the page again with it. A page calls it when all its figures and its prose stand.

        What is reported of a link comes later: it is said in one run of the page, the last one.
        """
        if not self.work:
            return
        with self.place:  # a long computation shows its own bar here
            bar = st.empty()
            for done, (doing, computation) in enumerate(self.work):
                bar.progress(done / len(self.work), doing)
                computation()
        st.rerun()
