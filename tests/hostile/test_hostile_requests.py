"""Requests that no page of the lab would send, to a real server on this machine: each is refused, nobody is asked
for help on another machine, and the lab goes on answering."""

import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from replica_set import replica_set
from served import serve

from viz.server.hosts import room_address

# Every name that the server looks up, and every address that it connects to, goes into a file.
RECORDER = """
import os, socket

FILE = os.environ["LOOKED_UP"]


def note(what):
    with open(FILE, "a", encoding="utf-8") as file:
        print(what, file=file)


def recorded(name, first):
    call = getattr(socket, name)

    def wrapped(*arguments, **named):
        note(f"{name} {arguments[first]}")
        return call(*arguments, **named)

    setattr(socket, name, wrapped)


for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "create_connection"):
    recorded(name, 0)
connect = socket.socket.connect


class Socket(socket.socket):
    def connect(self, address):
        if self.type == socket.SOCK_STREAM:
            note(f"connect {address}")
        return super().connect(address)


socket.socket = Socket
"""
OWN = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "None")


def one_process(options):
    return serve(options=options)


@contextmanager
def replicas(options):
    with replica_set(2, options) as several:
        yield several.address


@pytest.fixture(scope="module", params=[one_process, replicas], ids=["one process", "replicas"])
def lab(request, tmp_path_factory):
    """An open server, and what it has looked up: (address, a function that reads the record)."""
    folder = tmp_path_factory.mktemp("recorder")
    (folder / "sitecustomize.py").write_text(RECORDER, encoding="utf-8")
    record = folder / "looked-up"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        patch.setenv("LOOKED_UP", str(record))
        with request.param(("--server.address", "0.0.0.0")) as address:
            yield address, lambda: record.read_text(encoding="utf-8").splitlines() if record.exists() else []


def raw(address: str, request: bytes, answer_of: int = 4000) -> str:
    """What the server sends back to these bytes, the beginning of it."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as line:
        try:
            line.sendall(request)
            line.shutdown(socket.SHUT_WR) if request.endswith(b"CLOSE") else None
            return line.recv(answer_of).decode("latin-1")
        except OSError:  # refused in the middle of it, or without an answer
            return ""


def ask(address: str, path: str, *, method: str = "GET", **headers: str) -> int:
    """The status of the answer to a request with exactly these headers."""
    all_headers = {"host": urlsplit(address).netloc, "connection": "close"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in all_headers.items()), "", ""]
    answer = raw(address, "\r\n".join(lines).encode("latin-1"))
    return int(answer.split(" ", 2)[1]) if answer.startswith("HTTP/1.1 ") else 0


def handshake(address: str, **headers: str) -> int:
    """The status of a request for a websocket: 101 where it is taken."""
    upgrade = {"upgrade": "websocket", "connection": "Upgrade", "sec_websocket_version": "13"}
    key = {"sec_websocket_key": "x3JJHMbDL1EzLkh9GBhXDw==", "sec_websocket_protocol": "streamlit"}
    return ask(address, "/_stcore/stream", **(upgrade | key | headers))


def well(address: str) -> bool:
    with urllib.request.urlopen(f"{address}/_stcore/health", timeout=20) as answer:
        return bool(answer.read() == b"ok")


EVIL = ["evil.example", "evil.example:8501", "localhost.evil.example", "192.168.1.250:8501", "metadata.google.internal"]
PAGES = [
    *(f"https://{host}" for host in EVIL[:3]), "null", "http://localhost:1", "http://127.0.0.1:9999", "file://",
    "http://[::1]:80", "https://share.streamlit.io", "chrome-extension://abcdefgh",
]  # fmt: skip


@pytest.mark.parametrize("host", EVIL)
def test_a_name_that_leads_here_without_right_is_refused(lab, host, outcome):
    address, _ = lab
    assert ask(address, "/", host=host) == 403
    assert ask(address, "/masks", host=host) == 403
    assert handshake(address, host=host, origin=f"http://{host}") == 403
    assert well(address)
    outcome("host refused", 3)


@pytest.mark.parametrize("origin", PAGES)
def test_a_page_of_another_site_gets_no_socket_and_changes_nothing(lab, origin, outcome):
    address, _ = lab
    assert handshake(address, origin=origin) == 403
    for method in ("PUT", "POST", "DELETE"):
        assert ask(address, "/_stcore/upload_file/a/b", method=method, origin=origin) == 403
    outcome("origin refused", 4)


def test_the_labs_own_page_gets_its_socket(lab):
    address, _ = lab
    assert handshake(address, origin=address) == 101
    port = urlsplit(address).port
    room = f"{room_address()}:{port}"
    assert handshake(address, host=f"localhost:{port}", origin=f"http://localhost:{port}") == 101
    assert ask(address, "/", host=room) == 200


@pytest.mark.parametrize(
    "path", ["/_stcore/metrics", "/_stcore/agent", "/_stcore/agent/openapi.json", "/masks/_stcore/metrics"]
)
def test_what_the_server_counts_is_not_for_visitors(lab, path, outcome):
    assert ask(lab[0], path) == 404
    outcome("not there")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../../etc/passwd",
        "/_stcore/bidi-components/attention-lab.head_grid/../../../../../etc/passwd",
        "/_stcore/bidi-components/attention-lab.head_grid/..%2f..%2f..%2fapp.py",
        "/component/attention-lab.head_grid//etc/passwd",
        "/media/../../../etc/passwd",
        "/app/static/../app.py",
        "//evil.example/x",
        "/%00",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/\\..\\..\\etc\\passwd",
    ],
)
def test_no_path_leads_out_of_the_lab(lab, path, outcome):
    answer = raw(
        lab[0], f"GET {path} HTTP/1.1\r\nhost: {urlsplit(lab[0]).netloc}\r\nconnection: close\r\n\r\n".encode()
    )
    assert "root:" not in answer
    assert "st.App" not in answer
    assert answer == "" or answer.startswith("HTTP/1.1 ")
    assert well(lab[0])
    outcome("no file of this machine")


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET " + b"/" * 70_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 20_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nhost: evil.example\r\n\r\n",
    ],
)
def test_bytes_that_are_no_request_harm_nobody(lab, request_, outcome):
    address, _ = lab
    answer = raw(address, request_ + b"CLOSE")
    assert not answer.startswith("HTTP/1.1 200"), answer[:200]
    assert well(address)
    outcome("no request")


@pytest.mark.parametrize(
    ("path", "query", "headers"),
    [
        ("/", "text=" + "a" * 40_000, {}),
        ("/_stcore/upload_file/a/b", "", {"content_length": "999999999999"}),
        ("/_stcore/upload_file/a/b", "", {"content_length": str(300 * 10**6)}),
        ("/_stcore/upload_file/a/b", "", {"content_length": "one"}),
        ("/_stcore/upload_file/a/b", "", {"transfer_encoding": "chunked"}),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_read(lab, path, query, headers, outcome):
    method = "PUT" if "upload" in path else "GET"
    assert ask(lab[0], f"{path}?{query}", method=method, **headers) in (400, 411, 413, 414)
    outcome("too large")


def test_after_all_this_nobody_was_looked_up_and_no_other_machine_was_spoken_to(lab):
    address, looked_up = lab
    for origin in PAGES:
        handshake(address, origin=origin)
    strangers = [line for line in looked_up() if not any(f"'{own}'" in line or line.endswith(f" {own}") for own in OWN)]
    assert not strangers
    assert well(address)


def test_the_recorder_would_have_seen_it(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(RECORDER, encoding="utf-8")
    record = tmp_path / "looked-up"
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("LOOKED_UP", str(record))
    code = "import socket\ntry: socket.create_connection(('localhost', 1), 1)\nexcept OSError: pass"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert "getaddrinfo localhost" in Path(record).read_text(encoding="utf-8")
    assert "connect (" in Path(record).read_text(encoding="utf-8")
