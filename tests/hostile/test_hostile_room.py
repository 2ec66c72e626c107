"""A room that comes and goes: pages opened and closed, flips; no file stays open for nobody, and memory stays flat."""

import resource
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest
from served import serve
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

SOFT = 256  # open files that a process on macOS may have, if it does not ask for more
PAGES = 300
FLIPS = 500
FLAT = 60_000_000  # bytes
STATUS = Path("/proc")


@pytest.fixture(scope="module")
def lab():
    """A server that was started with few open files allowed: (address, its process)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (SOFT, hard))
    try:
        with serve() as address:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            yield address
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Page:
    """One page in a browser's tab, without the browser."""

    def __init__(self, address):
        url = f"{address.replace('http', 'ws')}/_stcore/stream"
        self.line = ExitStack()
        self.socket = self.line.enter_context(connect(url, subprotocols=["streamlit"], max_size=None, open_timeout=60))
        self.hash, self.toggle, self.on = "", "", True

    def run(self):
        """Ask for a run of the page, and wait until it has ended well."""
        ask = BackMsg()
        ask.rerun_script.page_script_hash = self.hash
        if self.toggle:
            state = ask.rerun_script.widget_states.widgets.add()
            state.id, state.bool_value = self.toggle, self.on
        else:
            ask.rerun_script.query_string = ""
        self.socket.send(ask.SerializeToString())
        while True:
            message = ForwardMsg.FromString(self.socket.recv(timeout=120, decode=False))
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.hash = message.new_session.page_script_hash
            elif kind == "delta":
                element = message.delta.new_element
                assert element.WhichOneof("type") != "exception"
                if element.WhichOneof("type") == "checkbox" and element.checkbox.id.endswith("-scale"):
                    self.toggle = element.checkbox.id
            elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                assert message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
                return

    def flip(self):
        self.on = not self.on
        self.run()

    def close(self):
        self.line.close()


def server_of(address):
    """The process that listens there, by its memory and its open files; None where there is no /proc."""
    port = int(address.rpartition(":")[2])
    for process in STATUS.glob("[0-9]*") if STATUS.exists() else ():
        try:
            line = (process / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "--server.port" in line and line[line.index("--server.port") + 1] == str(port):
            return process
    return None


def memory(process):
    """Bytes of the process that lie in memory and are its own."""
    fields = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line)
    return int(fields["RssAnon"].split()[0]) * 1024


def open_files(process):
    return len(list((process / "fd").iterdir()))


def test_three_hundred_pages_one_after_another_are_all_answered_with_few_files_allowed(lab, outcome):
    for _ in range(PAGES):
        page = Page(lab)
        page.run()
        page.close()
    with urllib.request.urlopen(f"{lab}/_stcore/health", timeout=20) as answer:
        assert answer.read() == b"ok"
    outcome("page opened and closed", PAGES)


def test_the_files_of_closed_pages_are_closed_soon(lab):
    process = server_of(lab)
    if process is None:
        return  # a system without /proc cannot be asked
    deadline = time.monotonic() + 90
    while open_files(process) > 100 and time.monotonic() < deadline:
        page = Page(lab)  # Streamlit looks for closed pages when a page comes or goes
        page.run()
        page.close()
        time.sleep(2)
    assert open_files(process) <= 100


def test_memory_stays_flat_over_five_hundred_flips_and_the_pages_before(lab, outcome):
    process = server_of(lab)
    page = Page(lab)
    page.run()
    for _ in range(50):  # both answers are in the caches by now
        page.flip()
    before = memory(process) if process else 0
    for _ in range(FLIPS):
        page.flip()
    after = memory(process) if process else 0
    page.close()
    assert after - before < FLAT
    outcome("flip", FLIPS)
