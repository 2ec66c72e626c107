"""A run of a page without a browser: what a visitor who opens a link is sent first.

The run is a session of its own like any visitor's, so it shows what the link says and nothing that somebody else did.
"""

import asyncio
from collections.abc import Sequence

from streamlit import runtime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.session_manager import SessionClient

RERUN = ForwardMsg.FINISHED_EARLY_FOR_RERUN


class Listener(SessionClient):
    """Keeps what the server sends to one session, until the run has ended. Used by the thread of the server only."""

    def __init__(self) -> None:
        self.messages: list[ForwardMsg] = []
        self.ended = asyncio.Event()
        self.succeeded = False

    def write_forward_msg(self, msg: ForwardMsg) -> None:
        """Keep one message. A run that was ended by another one of the same session is forgotten."""
        kind = msg.WhichOneof("type")
        if kind == "delta":
            self.messages.append(msg)
        elif kind == "new_session":
            self.messages.clear()
        elif kind == "script_finished" and msg.script_finished != RERUN:
            self.succeeded = msg.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
            self.ended.set()


async def first_run(page: str, query: str, seconds: float) -> Sequence[ForwardMsg]:
    """The elements that the page sends for this link, in the order in which they were sent.

    page: its name in the address, "" for the first one; query: of the address, without "?". A run that fails, or takes
    more than so many seconds, sends nothing; it is stopped.
    """
    if not runtime.exists():
        return ()
    server, listener = runtime.get_instance(), Listener()
    session = server.connect_session(client=listener, user_info={})
    try:
        ask = BackMsg()
        ask.rerun_script.query_string = query
        ask.rerun_script.page_name = page
        server.handle_backmsg(session, ask)
        async with asyncio.timeout(seconds):
            await listener.ended.wait()
    except TimeoutError:
        return ()
    finally:
        server.close_session(session)
    return tuple(listener.messages) if listener.succeeded else ()
