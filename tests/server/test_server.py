"""The server around the pages: who is answered, with which headers, and how much may be sent."""

import asyncio
import logging
import resource
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from viz.server import errors, hosts, replica, start, uploads
from viz.server.first_paint import script_sources
from viz.server.guard import LONGEST_ADDRESS, Guard
from viz.server.headers import inline_scripts, policy, security_headers
from viz.server.hosts import LOOPBACK, Hosts, for_others, room_address, same_origin, split_host, started_for
from viz.server.imports import Imports

ROOT = Path(__file__).parents[2]
OWN = Hosts(LOOPBACK)


async def behind(scope, receive, send):
    """The application that the guard protects: it answers everything."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"the lab"})


def ask(path="/", *, kind="http", method="GET", query="", allowed=OWN, arrived="127.0.0.1", **headers):
    """What the guard lets through: (status or kind of message, headers, body or reason)."""
    sent = []
    headers = {"host": "localhost:8501", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "server": (arrived, 8501),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items() if value is not None],
    }

    async def receive():
        return {"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request", "body": b""}

    async def send(message):
        sent.append(message)

    # In a thread of its own: a browser test of the same process may have a loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(Guard(behind, allowed)(scope, receive, send))).result()
    if kind == "websocket":
        return sent[0]["type"].removeprefix("websocket."), {}, sent[0].get("reason", "")
    answer_headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answer_headers, sent[1]["body"].decode()


# Hosts


@pytest.mark.parametrize("host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST.:8501"])
def test_the_lab_answers_to_its_own_machine(host):
    assert ask(host=host)[0] == 200
    assert ask(kind="websocket", host=host)[0] == "accept"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8501", "localhost.evil.example", "192.168.1.5:8501", "user@localhost", "localhost/x",
     "localhost:no", "localhost:99999", "[::1", "", None, "127.0.0.1.evil.example", "localhost,evil.example"],
)  # fmt: skip
def test_a_host_that_the_lab_was_not_started_for_is_refused_in_a_sentence(host):
    status, _, body = ask(host=host)
    assert status == 403
    assert "ATTENTION_LAB_HOSTS" in body
    assert ask(kind="websocket", host=host, origin=f"http://{host}")[0] == "close"


def test_an_open_server_answers_at_each_of_its_own_addresses_and_names_and_to_no_other():
    opened = started_for("0.0.0.0")
    machine = socket.gethostname()
    for host in ("localhost:8501", f"{machine}:8501", f"{machine}.local", f"{room_address()}:8501"):
        assert ask(host=host, allowed=opened)[0] == 200
    assert ask(host="10.1.2.3:8501", allowed=opened, arrived="10.1.2.3")[0] == 200
    assert ask(host="[fe80::1]:8501", allowed=opened, arrived="fe80::1%eth0")[0] == 200
    assert ask(host="10.1.2.4:8501", allowed=opened, arrived="10.1.2.3")[0] == 403
    assert ask(host="evil.example:8501", allowed=opened, arrived="10.1.2.3")[0] == 403


def test_a_server_at_one_address_answers_there_and_on_its_own_machine_only():
    bound = started_for("192.168.1.5")
    assert bound.allow("192.168.1.5:8501")
    assert bound.allow("localhost:8501")
    assert not bound.allow("192.168.1.6:8501", "192.168.1.6")


def test_the_setting_names_further_hosts(monkeypatch):
    monkeypatch.setenv(hosts.SETTING, "lab.example, Room-7.Example. ,,[2001:db8::1]")
    named = started_for("127.0.0.1")
    for host in ("lab.example", "room-7.example:443", "[2001:db8::1]:8501"):
        assert named.allow(host)
    assert not named.allow("sub.lab.example")
    assert "" not in named.names


def test_a_link_for_others_names_this_machine_only_where_it_answers_there():
    link = "http://localhost:8501/masks?mask_kind=window&text=a#x"
    assert for_others(link, "0.0.0.0") == f"http://{room_address()}:8501/masks?mask_kind=window&text=a#x"
    assert for_others(link, "127.0.0.1") == link
    assert for_others("http://lab.example/", "0.0.0.0") == "http://lab.example/"


# Origins


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        (None, "localhost:8501", True),
        ("http://localhost:8501", "localhost:8501", True),
        ("https://lab.example", "lab.example", True),
        ("http://[::1]:8501", "[::1]:8501", True),
        ("http://localhost:8502", "localhost:8501", False),
        ("http://localhost", "localhost:8501", False),
        ("http://127.0.0.1:8501", "localhost:8501", False),
        ("https://evil.example", "localhost:8501", False),
        ("https://lab.example.evil.example", "lab.example", False),
        ("null", "localhost:8501", False),
        ("", "localhost:8501", False),
        ("file://", "localhost:8501", False),
        ("chrome-extension://localhost:8501", "localhost:8501", False),
        ("http://localhost:port", "localhost:8501", False),
        ("http://[::1", "localhost:8501", False),
    ],
)
def test_only_a_page_of_this_very_host_and_port_is_its_own(origin, host, same):
    assert same_origin(origin, host) == same


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:9999", "null"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_page_of_another_site_can_change_nothing(origin, method):
    assert ask("/_stcore/upload_file/a/b", method=method, origin=origin)[0] == 403
    assert ask("/_stcore/stream", kind="websocket", origin=origin)[0] == "close"


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/openapi.json", "/lab/_stcore/metrics"])
def test_what_is_not_for_visitors_is_not_there(path):
    assert ask(path)[0] == 404


def test_an_address_that_is_too_long_is_refused_before_it_is_read():
    assert ask(query="text=" + "a" * LONGEST_ADDRESS)[0] == 414
    assert ask(query="text=" + "a" * (LONGEST_ADDRESS - 100))[0] == 200


# Replicas


@pytest.fixture
def starting(monkeypatch):
    """A replica that is not ready."""
    monkeypatch.setenv(replica.NAME, "1")
    monkeypatch.setattr("viz.server.guard.readiness", readiness := replica.Readiness())
    return readiness


def test_a_replica_refuses_everybody_also_its_proxys_question_until_a_page_has_been_run(starting, monkeypatch):
    runs = [(), ("the elements of a page",)]

    async def first_run(_page, _query, _seconds):
        assert ask("/_stcore/health")[0] == 503
        return runs.pop(0)

    monkeypatch.setattr(replica, "first_run", first_run)
    monkeypatch.setattr(replica, "PAUSE", 0.01)
    for path in ("/", "/_stcore/health", "/_lab/class/BBBB-2222/watch"):
        assert ask(path)[0] == 503
    refused = ask(kind="websocket", origin="http://localhost:8501")[0]
    assert refused == "http.response.start", "an answer that a proxy can read, and no closed socket"
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(starting.prepare())).result()
    assert runs == [], "a run that failed is tried again"
    assert ask("/_stcore/health")[0] == 200
    assert ask(kind="websocket", origin="http://localhost:8501")[0] == "accept"


def test_a_lab_of_one_process_answers_at_once(starting, monkeypatch):
    monkeypatch.delenv(replica.NAME)
    assert ask("/_stcore/health")[0] == 200


def test_a_replica_answers_for_the_hosts_of_its_proxy(monkeypatch):
    assert replica.listens_on("127.0.0.1") == "127.0.0.1"
    monkeypatch.setenv(replica.PROXY, "0.0.0.0")
    assert started_for(replica.listens_on("127.0.0.1")).allow(f"{room_address()}:8501")


# Headers


@pytest.mark.parametrize("host", ["localhost:8501", "evil.example"])
def test_every_answer_bears_the_headers_also_a_refusal(host):
    _, headers, _ = ask(host=host)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "evil.example" not in headers["content-security-policy"]


def test_the_policy_allows_no_other_machine_and_no_script_in_the_page_but_streamlits_and_ours():
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy("lab.example", framed=False).split(";"))
    known = {
        "'self'",
        "'none'",
        "data:",
        "blob:",
        "ws://lab.example",
        "wss://lab.example",
        *inline_scripts(),
        *script_sources(),
    }
    for name, value in rules.items():
        assert set(value.split()) <= known | ({"'unsafe-inline'"} if name == "style-src" else set()), name
    assert "'unsafe-inline'" not in rules["script-src"]
    assert "'unsafe-eval'" not in rules["script-src"]
    assert inline_scripts(), "Streamlit's page holds one"


@pytest.mark.parametrize(
    ("path", "query", "framed"),
    [
        ("/masks", {"figure": "stages"}, True),
        ("/masks", {}, False),
        ("/masks", {"figure": ""}, False),
        ("/your-model", {"figure": "grid"}, False),
        ("/your-model/", {"figure": "grid"}, False),
        ("/lab/your-model", {"figure": "grid"}, False),
        ("/your-model", {}, False),
    ],
)
def test_a_single_figure_can_stand_in_anybodys_page_and_nothing_else(path, query, framed):
    headers = security_headers(path, query, "localhost:8501")
    assert ("frame-ancestors 'self'" not in headers["content-security-policy"]) == framed
    assert ("x-frame-options" in headers) != framed


# Uploads


@pytest.fixture
def room(monkeypatch):
    kept = {}
    monkeypatch.setattr(uploads, "held", lambda: kept)
    return kept


def put(size, session="one", file="a"):
    return ask(f"/_stcore/upload_file/{session}/{file}", method="PUT", content_length=str(size))


def test_a_file_one_visit_and_all_visits_together_have_a_bound(room):
    assert put(uploads.LARGEST_FILE)[0] == 200
    assert put(uploads.LARGEST_FILE + 1)[0] == 413
    room["one"] = uploads.ONE_VISIT - 10
    assert put(10)[0] == 200
    assert put(11)[0] == 413
    assert put(11, session="two")[0] == 200
    room |= {f"other {index}": uploads.ONE_VISIT for index in range(uploads.ALL_VISITS // uploads.ONE_VISIT)}
    status, _, body = put(uploads.LARGEST_FILE, session="two")
    assert status == 413
    assert "no room for this file" in body


def test_what_is_on_its_way_counts_and_is_forgotten_when_it_has_come(room):
    desk = uploads.Uploads()
    path = f"{uploads.ROUTE}one/a"
    with desk.coming(path, uploads.ONE_VISIT - 5):
        assert desk.most(path) == 5
        with desk.coming(path, 5):
            assert desk.most(path) == 0
        assert desk.most(path) == 5
    assert desk.most(path) == uploads.LARGEST_FILE


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"transfer_encoding": "chunked"}, 411), ({"content_length": "-1"}, 400), ({"content_length": "9" * 20}, 400)],
)
def test_an_upload_says_its_size_first(room, headers, status):
    assert ask(f"{uploads.ROUTE}one/a", method="PUT", **headers)[0] == status


def test_a_request_that_is_no_upload_may_hold_little(room):
    assert ask("/", method="POST", content_length=str(uploads.NO_UPLOAD + 1))[0] == 413


# The start


def test_the_lines_at_the_start_name_the_room_only_where_the_room_is_answered():
    assert "  http://localhost:8501/" in start.addresses("127.0.0.1", 8501)
    assert f"http://{room_address()}:8501/" in "\n".join(start.addresses("0.0.0.0", 8501))
    assert "  http://[2001:db8::1]:80/" in start.addresses("2001:db8::1", 80)


def test_the_limit_of_open_files_rises_to_what_the_system_allows():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        expected = start.FILES if hard == resource.RLIM_INFINITY else min(start.FILES, hard)
        assert start.allow_many_files() == expected
        resource.setrlimit(resource.RLIMIT_NOFILE, (expected, hard))
        assert start.allow_many_files(128) == expected, "a limit is never lowered"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_threads_of_a_started_server_take_turns_so_often_that_a_flip_is_not_held_up(monkeypatch):
    before, during = sys.getswitchinterval(), []
    monkeypatch.setattr(start.imports, "begin", lambda: during.append(sys.getswitchinterval()))

    async def begin_and_end():
        async with start.lifespan(None):
            pass

    try:
        with ThreadPoolExecutor(1) as pool:  # a browser of another test may have a loop in this thread
            pool.submit(lambda: asyncio.run(begin_and_end())).result()
    finally:
        sys.setswitchinterval(before)
    assert during == [pytest.approx(start.SWITCH_INTERVAL)] and before > start.SWITCH_INTERVAL


def test_an_uncaught_error_is_one_line_of_the_log_whatever_it_says(caplog):
    log = logging.getLogger("streamlit.error_util")
    before = list(log.filters)
    errors.log_in_one_line()
    try:
        with caplog.at_level(logging.ERROR, log.name):
            try:
                raise ValueError("first\nsecond\x1b[31m" + "x" * 10_000)
            except ValueError as error:
                log.error("Uncaught app execution", exc_info=error)
    finally:
        log.filters[:] = before
    (record,) = caplog.records
    line = logging.Formatter().format(record)
    assert line.startswith("ValueError: first second [31mxxx")
    assert "\n" not in line
    assert "\x1b" not in line
    assert len(line) < 800
    assert "test_server.py:" in line


def test_split_host_takes_apart_what_a_browser_sends():
    assert split_host("Lab.Example:443") == ("lab.example", 443)
    assert split_host("[::1]:8501") == ("::1", 8501)
    assert split_host("localhost:8501/path") == ("", None)


# Imports


def test_no_page_imports_a_module_of_the_lab_that_the_server_has_not_imported():
    """Otherwise two visitors who open the first pages at once can see a module half imported."""
    lines = f"""
import ast, asyncio, sys
from pathlib import Path
from viz.server.imports import imports
imports.begin()
asyncio.run(imports.done())
ours = lambda: {{name for name in sys.modules if name.split(".")[0] in ("model", "viz")}}
there = ours()
for page in (*Path({str(ROOT)!r}).glob("viz/pages/*/page.py"), Path({str(ROOT)!r}, "viz/app/contents.py")):
    for node in ast.parse(page.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            exec(ast.unparse(node))
print(len(there), sorted(ours() - there))
"""
    modules = subprocess.run([sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    count, _, late = modules.strip().partition(" ")
    assert int(count) > 100
    assert late == "[]"


def test_a_page_waits_until_everything_is_imported(monkeypatch):
    going, waited = threading.Event(), []
    monkeypatch.setattr("viz.server.imports.import_pages", lambda: waited.append(going.wait(60)))
    imports = Imports()
    imports.begin()
    monkeypatch.setattr("viz.server.guard.imports", imports)
    assert ask()[0] == 200, "what is no page is answered meanwhile"
    with ThreadPoolExecutor(1) as pool:
        page = pool.submit(ask, "/_stcore/stream", kind="websocket", origin="http://localhost:8501")
        with pytest.raises(TimeoutError):
            page.result(0.5)
        going.set()
        assert page.result()[0] == "accept"
    assert waited == [True]


PROCESS = """
import gc

import torch

torch.set_num_threads(2)
from viz.ui import model_calls

before = torch.get_num_threads(), gc.get_freeze_count() > 0
model_calls.start()
print(before, (torch.get_num_threads(), gc.get_freeze_count() > 0))
"""


def test_importing_a_name_does_not_change_the_process_and_starting_does():
    finished = subprocess.run([sys.executable, "-c", PROCESS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "(2, False) (1, True)"
