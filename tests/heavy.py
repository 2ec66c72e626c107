"""The dearest link of each page, and a visitor that opens it: Streamlit's own protocol, without a browser.

`LINKS` are what a visitor can ask at most on each page, found by timing every computation of the page at the largest
text and the largest settings that its controls allow. tests/bench/dearest.py prints what each takes.
"""

import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 240  # seconds
# What a browser sends back of a control that the link has set: the field of its state, and where the value stands.
HELD = {
    "text_area": ("string_value", "value"),
    "text_input": ("string_value", "value"),
    "selectbox": ("string_value", "raw_value"),
    "button_group": ("string_array_value", "raw_values"),
    "number_input": ("double_value", "value"),
}


@dataclass(frozen=True)
class Link:
    """A page, its state, and the button that starts the work where it waits for one."""

    page: str
    state: dict[str, str]
    button: str = ""


def alone(visit: Coroutine[None, None, None]) -> None:
    """Run a visit in a thread of its own: a browser test of the same process may have a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, visit).result()


def words(n: int) -> str:
    return " ".join(["dog"] * n)


# name → link. What costs most stands first.
LINKS = {
    "with a cache and without": Link(
        "masks", {"weights": "stories", "text": words(230), "section": "One pass or many"}, button="measure"
    ),
    "every scheme, longer and longer": Link("positions", {"show": "Too long"}),
    "every network, longer and longer": Link("translate", {"beside": "Quality and length"}),
    "each look of a row blocked": Link(
        "remove",
        {
            "weights": "stories",
            "text": words(500),
            "then": "One row by hand",
            "token": "500",
            "layer": "0",
            "head": "0",
        },
    ),
    "a wide beam from a long source": Link(
        "translate", {"source": " ".join(["cat"] * 120), "method": "beam", "beam": "8", "mask": "false"}
    ),
    "every head taken out": Link("remove", {"weights": "stories", "then": "Head knock-outs"}),
    "fresh sentences without a part": Link(
        "translate", {"network": "Transformer, in pieces", "mask": "false", "beside": "Without a part"}
    ),
    "the entropy of the language": Link("masks", {"section": "Cheating"}),
    "both orders of a long text": Link("positions", {"weights": "stories", "text": words(510), "show": "Shuffle test"}),
    "both forms of a long text": Link("inside", {"weights": "stories", "text": words(510), "aspect": "Both forms"}),
    "a long text": Link("", {"weights": "stories", "text": words(510), "more": "Rollout"}),
    "why √d_k": Link("remove", {"weights": "stories", "view": "Why √d_k"}),
}


@dataclass
class Visitor:
    """One browser tab."""

    socket: ClientConnection
    link: Link
    came: int = 0  # bytes
    bars: list[str] = field(default_factory=list)  # what stood beside the bars of progress
    shares: list[float] = field(default_factory=list)  # and how full they were
    notes: list[str] = field(default_factory=list)  # what was said in boxes
    on: bool = True
    _hash: str = ""
    _ids: dict[str, str] = field(default_factory=dict)  # key → id of its switches and buttons
    _held: dict[str, WidgetState] = field(default_factory=dict)  # what the link has set, as a browser holds it

    async def run(self, press: str = "") -> float:
        """Ask for a run of the page; seconds until it has ended. press: the key of a button."""
        await self.ask(press)
        return await self.wait()

    async def ask(self, press: str = "") -> None:
        ask = BackMsg()
        ask.rerun_script.query_string = urlencode(self.link.state)
        ask.rerun_script.page_name = "" if self._hash else self.link.page
        ask.rerun_script.page_script_hash = self._hash
        ask.rerun_script.widget_states.widgets.extend(self._held.values())
        if "scale" in self._ids:
            state = ask.rerun_script.widget_states.widgets.add()
            state.id, state.bool_value = self._ids["scale"], self.on
        if press:
            state = ask.rerun_script.widget_states.widgets.add()
            state.id, state.trigger_value = self._ids[press], True
        self.asked = time.perf_counter()
        await self.socket.send(ask.SerializeToString())

    async def wait(self) -> float:
        async with asyncio.timeout(PATIENCE):
            while True:
                message = ForwardMsg.FromString(await self.socket.recv(decode=False))
                self.came += message.ByteSize()
                kind = message.WhichOneof("type")
                if kind == "navigation":
                    self._hash = message.navigation.page_script_hash
                elif kind == "delta":
                    self._see(message.delta.new_element)
                elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    return time.perf_counter() - self.asked

    def _see(self, element) -> None:
        kind = element.WhichOneof("type")
        assert kind != "exception", element.exception.message
        if kind == "progress":
            self.bars.append(element.progress.text)
            self.shares.append(element.progress.value / 100)
        elif kind == "alert":
            assert "Something went wrong" not in element.alert.body
            self.notes.append(element.alert.body)
        elif kind in ("checkbox", "button"):
            one = getattr(element, kind)
            self._ids[one.id.rpartition("-")[2]] = one.id
        if getattr(getattr(element, kind or "", None), "set_value", False) and kind in HELD:
            one, (field_, read) = getattr(element, kind), HELD[kind]
            state = self._held[one.id] = WidgetState(id=one.id)
            value = getattr(one, read)
            if field_.endswith("array_value"):
                getattr(state, field_).data.extend(value)
            else:
                setattr(state, field_, value)

    async def flip(self) -> float:
        """Flip the switch of the scaling; seconds until the page has answered."""
        self.on = not self.on
        return await self.run()

    async def press(self, button: str) -> None:
        """Press a button while the page is still at work; whoever waits goes on waiting."""
        await self.ask(button)

    async def leave(self) -> None:
        await self.socket.close()


async def arrive(address: str, link: Link) -> Visitor:
    """A tab that is connected and has asked for nothing yet."""
    url = address.replace("http", "ws") + "/_stcore/stream"
    return Visitor(await connect(url, subprotocols=["streamlit"], max_size=None, open_timeout=PATIENCE), link)


async def begin(address: str, link: Link) -> "tuple[Visitor, asyncio.Task[float]]":
    """A visitor whose work is under way, and the task that ends with it."""
    visitor = await arrive(address, link)
    if link.button:
        await visitor.run()
    return visitor, asyncio.create_task(visitor.run(link.button))
