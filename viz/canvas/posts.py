"""Posts of the figures that change by themselves. Their numbers tell the browser which of its posts is answered.

The browser's side, and the reason, is frontend/lib/posts.js.
"""

from typing import Any

import streamlit as st


def acknowledged(key: str) -> int:
    """The number of the last post of the figure under `key` that this session has taken; 0 before the first."""
    return int(st.session_state.get(f"heard_{key}", 0))


def take(key: str, name: str) -> Any:
    """The value of the post that caused this run. Call it in the callback of the trigger `name`.

    It sends the address once more, as the browser had it when it posted. The answer to the post before may have changed
    it since. A value that goes back to where it was would then change nothing that Streamlit sends, and the address and
    a later Back would keep the value in between.
    """
    st.query_params.update()
    post = st.session_state[key][name]
    st.session_state[f"heard_{key}"] = int(post["number"])
    return post["value"]
