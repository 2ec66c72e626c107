"""The log and the counts of the lab say what was done and how long it took, and nothing of who did it."""

import asyncio
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from served import ROOT
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from viz.server import activity
from viz.server.activity import Activity, address_of, kind_of


def page_request(path, method="GET", accept="text/html,*/*", kind="http"):
    headers = [(b"accept", accept.encode()), (b"x-forwarded-for", b"192.0.2.7")]
    query = b"text=a+secret"
    return {"type": kind, "path": path, "method": method, "headers": headers, "query_string": query}


@pytest.mark.parametrize(
    ("path", "method", "expected"),
    [
        ("/", "GET", ("document", "heads")),
        ("/your-model", "GET", ("document", "your-model")),
        ("/lab/masks/", "GET", ("document", "masks")),
        ("/a-secret", "GET", ("document", "other")),
        ("/_lab/class", "POST", ("class", "start")),
        ("/_lab/class/BBBB-2222/answer", "POST", ("class", "answer")),
        ("/_lab/class/BBBB-2222/watch", "POST", ("class", "watch")),
        ("/_lab/class/BBBB-2222/a-secret", "POST", ("class", "other")),
        ("/_stcore/upload_file/session/file", "PUT", ("upload", "")),
    ],
)
def test_a_request_has_a_kind_and_a_name_that_no_visitor_has_chosen(path, method, expected):
    assert kind_of(page_request(path, method)) == expected


def test_files_and_the_health_do_not_matter():
    assert kind_of(page_request("/static/index.js", accept="*/*")) is None
    assert kind_of(page_request("/_stcore/health", accept="*/*")) is None


def reported(application, scope, incoming=()):
    """What is reported while the application answers this request, without the seconds."""
    reports, waiting = [], list(incoming)

    async def receive():
        return waiting.pop(0)

    async def send(_message):
        await asyncio.sleep(0)

    middleware = Activity(application, [lambda *report: reports.append(report)])
    with ThreadPoolExecutor(1) as pool:  # a browser of another test may have a loop in this thread
        pool.submit(lambda: asyncio.run(middleware(scope, receive, send))).result()
    assert all(0 <= report[3] < 5 for report in reports)
    return [report[:3] for report in reports]


async def answers_404(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def runs_the_page_masks(_scope, receive, send):
    """A session: two runs of a page, between them bytes that are no message."""
    await receive()
    await send({"type": "websocket.accept"})
    page = ForwardMsg()
    page.navigation.page_script_hash = "hash"
    page.navigation.app_pages.add(page_script_hash="hash", url_pathname="masks")
    finished = ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)
    early = ForwardMsg(script_finished=ForwardMsg.FINISHED_EARLY_FOR_RERUN)
    for sent in ((page, early, finished), (), (finished, finished)):  # nobody asked for what ended last
        await receive()
        for message in sent:
            await send({"type": "websocket.send", "bytes": message.SerializeToString()})


def run_request():
    ask = BackMsg()
    ask.rerun_script.query_string = "text=a+secret"
    return {"type": "websocket.receive", "bytes": ask.SerializeToString()}


def test_each_request_and_each_run_is_reported_once():
    assert reported(answers_404, page_request("/masks")) == [("document", "masks", "404")]
    assert reported(answers_404, page_request("/static/x.js", accept="*/*")) == []
    broken = {"type": "websocket.receive", "bytes": b"\xff\xff no message"}
    incoming = [{"type": "websocket.connect"}, run_request(), broken, run_request()]
    assert reported(runs_the_page_masks, page_request("/_stcore/stream", kind="websocket"), incoming) == [
        ("run", "masks", "ok"),
        ("run", "masks", "ok"),
        ("session", "", "ended"),
    ]


def test_a_line_is_json_with_time_replica_kind_name_status_and_milliseconds(capsys, monkeypatch):
    monkeypatch.setenv("ATTENTION_LAB_REPLICA", "2")
    activity.logged()("run", "masks", "ok", 0.1234)
    line = json.loads(capsys.readouterr().out)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
    assert line == {"replica": "2", "kind": "run", "name": "masks", "status": "ok", "ms": 123.4}


def test_prometheus_reads_on_this_machine_only_unless_an_address_is_named():
    assert address_of("9100") == ("127.0.0.1", 9100)
    assert address_of("10.0.0.5:9100") == ("10.0.0.5", 9100)
    assert address_of("[::]:9100") == ("::", 9100)
    for wrong in ("on", "9100x", "0", "70000", "127.0.0.1:"):
        with pytest.raises(SystemExit, match="ATTENTION_LAB_METRICS"):
            address_of(wrong)


def test_both_are_off_by_default():
    lines = "import sys\nfrom viz.server.activity import reports\nprint(reports(), 'prometheus_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["()", "False"]
