"""A visitor without a browser: one tab that speaks Streamlit's websocket protocol to a real server.

It does what the browser does as far as the server can tell. It keeps the values of the controls that a link or a click
has set and sends them with every run, it keeps the address up to date, and it hears every message. A test or a bench
that visits a server takes this class and no other.
"""

import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.protocol import State
from websockets.typing import Subprotocol

T = TypeVar("T")
PATIENCE = 240  # seconds
# Controls that a visitor keeps the value of: the field of their state, and where the element has the value.
HELD = {
    "text_area": ("string_value", "value"),
    "text_input": ("string_value", "value"),
    "selectbox": ("string_value", "raw_value"),
    "button_group": ("string_array_value", "raw_values"),
    "number_input": ("double_value", "value"),
    "checkbox": ("bool_value", "value"),
}


@dataclass(frozen=True)
class Link:
    """A page, its state, and the button that starts the work where it waits for one."""

    page: str = ""
    state: dict[str, str] = field(default_factory=dict)
    button: str = ""


def alone(visit: Coroutine[Any, Any, T]) -> T:
    """Run a visit in a thread of its own: a browser test of the same process may have a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, visit).result()


@dataclass
class Visitor:
    """One browser tab."""

    socket: ClientConnection
    link: Link
    came: int = 0  # bytes
    bars: list[str] = field(default_factory=list)  # what stood beside the bars of progress
    shares: list[float] = field(default_factory=list)  # and how full they were
    notes: list[str] = field(default_factory=list)  # the text of the boxes
    answer: list[bytes] = field(default_factory=list)  # the messages since the page was last asked
    _page: str = ""  # the hash of the page's script, once the server has sent it
    _ids: dict[str, str] = field(default_factory=dict)  # key → id of its controls
    _on: dict[str, bool] = field(default_factory=dict)  # id of a switch → its value now
    _default: dict[str, bool] = field(default_factory=dict)  # id of a switch → its value where the address is silent
    _held: dict[str, WidgetState] = field(default_factory=dict)  # values that differ from those of the page itself

    def __post_init__(self) -> None:
        self._address = dict(self.link.state)

    @classmethod
    async def open(cls, address: str, link: Link = Link()) -> Self:
        """A tab that is connected and has asked for nothing yet."""
        url = address.replace("http", "ws") + "/_stcore/stream"
        subprotocols = [Subprotocol("streamlit")]
        return cls(await connect(url, subprotocols=subprotocols, max_size=None, open_timeout=PATIENCE), link)

    async def run(self, press: str = "") -> float:
        """Ask for a run of the page; seconds until it has ended. press: the key of a button."""
        await self.ask(press)
        return await self.wait()

    async def ask(self, press: str = "") -> None:
        """Ask for a run of the page, also while one is under way; whoever waits for that one waits for this one."""
        ask = BackMsg()
        ask.rerun_script.query_string = urlencode(self._address)
        ask.rerun_script.page_name = "" if self._page else self.link.page
        ask.rerun_script.page_script_hash = self._page
        ask.rerun_script.widget_states.widgets.extend(self._held.values())
        if press:
            ask.rerun_script.widget_states.widgets.append(WidgetState(id=self._ids[press], trigger_value=True))
        self.answer = []
        self.sent_at = time.perf_counter()
        await self.socket.send(ask.SerializeToString())

    async def wait(self) -> float:
        """Until the run has ended well; seconds since it was asked for."""
        async with asyncio.timeout(PATIENCE):
            while True:
                raw = await self.socket.recv(decode=False)
                self.came += len(raw)
                self.answer.append(raw)
                message = ForwardMsg.FromString(raw)
                kind = message.WhichOneof("type")
                if kind == "new_session":
                    self._page = message.new_session.page_script_hash
                elif kind == "navigation":
                    self._page = message.navigation.page_script_hash
                elif kind == "page_info_changed":
                    self._address = dict(parse_qsl(message.page_info_changed.query_string))
                elif kind == "delta":
                    self._see(message.delta.new_element)
                elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    assert message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY, message.script_finished
                    return time.perf_counter() - self.sent_at

    async def flip(self, switch: str = "scale") -> float:
        """Flip a switch; seconds until the page has answered."""
        widget_id = self._ids[switch]
        on = self._on[widget_id] = not self._on[widget_id]
        self._held[widget_id] = WidgetState(id=widget_id, bool_value=on)
        self._address.pop(switch, None)
        if on != self._default[widget_id]:
            self._address[switch] = str(on).lower()
        return await self.run()

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open, as far as this side knows."""
        return self.socket.state is State.OPEN

    @property
    def address(self) -> dict[str, str]:
        """The parameters in the address bar."""
        return dict(self._address)

    async def come_back(self, address: str) -> float:
        """Connect again after the connection broke, and send what a browser sends then; seconds until the answer."""
        start = time.perf_counter()
        while True:  # a browser tries again, too
            try:
                self.socket = (await Visitor.open(address)).socket
                await self.run()
                return time.perf_counter() - start
            except (OSError, WebSocketException):
                assert time.perf_counter() - start < PATIENCE
                await asyncio.sleep(0.3)

    @property
    def switches(self) -> list[str]:
        """The keys of the switches that the page has."""
        return [key for key, widget_id in self._ids.items() if widget_id in self._on]

    def elements(self) -> list[Any]:
        """The elements that came since the page was last asked."""
        messages = map(ForwardMsg.FromString, self.answer)
        return [message.delta.new_element for message in messages if message.WhichOneof("type") == "delta"]

    def holds(self, text: str) -> bool:
        """Whether these letters stand in what came since the page was last asked."""
        return text.encode() in b"".join(self.answer)

    async def leave(self) -> None:
        """Close the tab."""
        await self.socket.close()

    def _see(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        assert kind != "exception", element.exception.message
        if kind == "progress":
            self.bars.append(element.progress.text)
            self.shares.append(element.progress.value / 100)
        elif kind == "alert":
            assert "Something went wrong" not in element.alert.body
            self.notes.append(element.alert.body)
        elif kind in ("checkbox", "button"):
            widget = getattr(element, kind)
            self._ids[widget.id.rpartition("-")[2]] = widget.id
        if kind not in HELD:
            return
        widget, (of_state, of_element) = getattr(element, kind), HELD[kind]
        if kind == "checkbox":
            self._default[widget.id] = widget.default
            self._on.setdefault(widget.id, widget.default)
            if widget.set_value:
                self._on[widget.id] = widget.value
        if widget.set_value:  # the server has set it: from the link, or for a reason of the page
            state = self._held[widget.id] = WidgetState(id=widget.id)
            value = getattr(widget, of_element)
            if of_state.endswith("array_value"):
                getattr(state, of_state).data.extend(value)
            else:
                setattr(state, of_state, value)


async def arrive(address: str, link: Link = Link()) -> Visitor:
    """A tab that has its page."""
    visitor = await Visitor.open(address, link)
    await visitor.run()
    return visitor


async def begin(address: str, link: Link) -> "tuple[Visitor, asyncio.Task[float]]":
    """A visitor whose work is under way, and the task that ends with it."""
    visitor = await Visitor.open(address, link)
    if link.button:
        await visitor.run()
    return visitor, asyncio.create_task(visitor.run(link.button))
