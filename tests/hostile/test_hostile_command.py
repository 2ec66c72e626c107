"""What a stranger sends to somebody who uses the command line: links, experiments and lists that lead nowhere."""

import json
import os
import time

import pytest

from viz.cli import main

LINKS = {
    "nested brackets": '{"a":' * 100_000,
    "a list": "[1].json",
    "a link to itself": '{"link": "{\\"link\\": 1}"}',
    "a number for a link": '{"link": 5}',
    "a list for a state": '{"page": "heads", "state": [1, 2]}',
    "a page that is a path": '{"page": "../../etc/passwd", "state": {}}',
    "a page that is a list": '{"page": [], "state": {}}',
    "no JSON": "{no",
    "a path": "/../../etc/passwd",
    "a file of this machine": "/etc/passwd.json",
    "a device": "/dev/zero.json",
    "a broken host": "http://[::1/x",
    "a port that is none": "http://localhost:port/nowhere",
    "a page with a nought": "/heads\0",
    "a page that is a module": "/__init__",
    "nothing": "{}",
    "letters that are none": '{"link": "\\ud800"}',
}


def refused(arguments, capsys, folder):
    started = time.process_time()
    assert main(["export", *arguments]) == 1
    message = capsys.readouterr().err.strip()
    assert message
    assert "\n" not in message
    assert "Traceback" not in message
    assert time.process_time() - started < 20
    assert not any(folder.iterdir())


@pytest.mark.parametrize("link", LINKS)
def test_a_link_that_leads_nowhere_is_refused_in_a_line(link, tmp_path, capsys, outcome):
    refused([LINKS[link], "--out", str(tmp_path / "figure.csv")], capsys, tmp_path)
    outcome("refused in a line")


def files(folder):
    """Files that a stranger sent, by what they are."""
    (folder / "itself.json").write_text(json.dumps({"link": str(folder / "itself.json")}), encoding="utf-8")
    (folder / "first.json").write_text(json.dumps({"link": str(folder / "second.json")}), encoding="utf-8")
    (folder / "second.json").write_text(json.dumps({"link": str(folder / "first.json")}), encoding="utf-8")
    (folder / "nested.json").write_text("[" * 100_000, encoding="utf-8")
    (folder / "large.json").write_bytes(b" " * 2_000_000)
    (folder / "bytes.json").write_bytes(b"\xff\xfe\x00{")
    (folder / "empty.json").write_bytes(b"")
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    (folder / "endless.json").symlink_to("/dev/zero")
    (folder / "circle.json").symlink_to(folder / "circle.json")
    (folder / "gone.json").symlink_to(folder / "nowhere")
    return sorted(folder.glob("*.json"))


def test_a_file_that_is_no_experiment_is_refused_in_a_line(tmp_path, capsys, outcome):
    sent, out = tmp_path / "sent", tmp_path / "out"
    sent.mkdir()
    out.mkdir()
    for file in files(sent):
        refused([str(file), "--out", str(out / "figure.csv")], capsys, out)
        refused(["--list", str(file)], capsys, out) if file.name != "empty.json" else None
        outcome("refused in a line", 2)
