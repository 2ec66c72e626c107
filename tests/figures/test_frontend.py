"""The scripts of the browser: the pure modules are run by node, and what they write is read back by Python.

Node is a need of the tests alone; the app runs without it.
"""

import io
import json
import os
import re
import shutil
import subprocess
import zipfile
import zlib
from pathlib import Path

import cost_reference
import numpy as np
import pytest
import torch
from PIL import Image

from model.analysis.sinusoid import rotation_error, wavelengths
from model.position import sinusoid
from model.training.live.settings import DECAYS, LiveSettings
from viz.pack import pack

ROOT = Path(__file__).parents[2]
CHECKS = ROOT / "tests/frontend"

TEXTS = ["", "IEND", "ein Wort", "π ≠ 3 – 👩🏽\u200d🚀", "a" * 70_000]
SINUSOIDS = [(20, 8, 10000.0, 3), (50, 64, 10000.0, 17), (9, 6, 100.0, 1), (30, 16, 2.5, 0)]  # length, width, base, k
PACKED = [
    (
        {"tokens": ["a", "שלום", "👩🏽\u200d🚀", "<b>"], "row": 3, "theme": None},
        {
            "odd": np.array([[1, 2, 255]], dtype=np.uint8),
            "weights": (np.arange(6, dtype=np.float32) / 7).reshape(2, 3),
            "broken": np.array([np.nan, -0.5], dtype=np.float32),
        },
    ),
    ({"file": "x"}, {}),
]


STREAMLITS_OWN = r"data-testid|data-test-script-state|st-key-|\.stApp|js-plotly-plot|pushState|globalThis\.\w+"
MAY_NAME_IT = {"streamlit.js": None, "opening.js": None, "shared.js": {"globalThis.attentionLab"}}  # None: any part


def test_two_scripts_alone_name_parts_of_streamlits_own_page():
    """tests/browser/page/test_browser_streamlit.py finds each part that they name."""
    wrong = {}
    for path in (ROOT / "viz/canvas/frontend").glob("*/*.js"):
        named, allowed = (
            set(re.findall(STREAMLITS_OWN, path.read_text(encoding="utf-8"))),
            MAY_NAME_IT.get(path.name, set()),
        )
        if allowed is not None and not named <= allowed:
            wrong[path.name] = named - allowed
    assert wrong == {}


def test_node_is_there():
    missing = (
        "There is no node on this machine: install nodejs (.ci/run does). Only the tests need it, the app does not."
    )
    assert shutil.which("node"), missing


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The reference files, and after node has run also what it wrote; as tests/frontend/reference.js expects them."""
    folder = tmp_path_factory.mktemp("frontend")
    (folder / "crc32.json").write_text(json.dumps([(text, zlib.crc32(text.encode())) for text in TEXTS]))
    Image.effect_noise((13, 7), 40).save(folder / "picture.png")
    (folder / "schedules.json").write_text(json.dumps([_schedule(decay) for decay in DECAYS]))
    (folder / "sinusoid.json").write_text(json.dumps([_sinusoid(*case) for case in SINUSOIDS]))
    (folder / "cost.json").write_text(json.dumps(cost_reference.reference()))
    packed = []
    for number, (header, arrays) in enumerate(PACKED):
        (folder / f"packed-{number}.bin").write_bytes(pack(header, **arrays))
        expected = {name: _described(array) for name, array in arrays.items()}
        packed.append({"file": f"packed-{number}.bin", "header": header, "arrays": expected})
    (folder / "packed.json").write_text(json.dumps(packed))
    return folder


def _schedule(decay):
    settings = LiveSettings(decay=decay, warmup=30, steps=100, width=64, lr=0.01)
    rates = [settings.schedule.rate(step) for step in range(settings.steps)]
    return {"decay": decay, "width": 64, "warmup": 30, "steps": 100, "lr": 0.01, "rates": rates}


def _sinusoid(length, width, base, steps):
    table = sinusoid(torch.arange(length, dtype=torch.float64), width, base)
    return {
        "length": length,
        "width": width,
        "base": base,
        "steps": steps,
        "table": table.flatten().tolist(),
        "wavelengths": wavelengths(width, base).tolist(),
        "error": rotation_error(steps, length, width, base),
    }


def _described(array):
    kind = "Float32Array" if array.dtype == np.float32 else "Uint8Array"
    values = [None if np.isnan(value) else value.item() for value in array.ravel()]
    return {"type": kind, "shape": list(array.shape), "values": values}


@pytest.fixture(scope="module")
def node(folder):
    """The finished run of `node --test` over tests/frontend."""
    files = sorted(str(path) for path in CHECKS.glob("*.test.js"))
    environment = {**os.environ, "ATTENTION_LAB_REFERENCE": str(folder)}
    command = ["node", "--test", "--test-reporter=spec", *files]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_node_passes_every_test_of_the_pure_modules(node):
    assert node.returncode == 0, f"\n{node.stdout}\n{node.stderr}"
    for count in ("fail 0", "skipped 0", "todo 0"):
        assert count in node.stdout


def test_zipfile_reads_the_archive_that_the_browser_writes(folder, node):
    assert node.returncode == 0, "see the test of node above"
    with zipfile.ZipFile(folder / "archive.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["figures/ö – 1.svg", "empty", "noise"]
        assert archive.read("figures/ö – 1.svg") == b"<svg/>"
        assert archive.read("empty") == b""
        assert archive.read("noise") == bytes(place * 197 % 251 for place in range(70_000))


def test_pillow_reads_the_texts_that_the_browser_puts_into_a_picture(folder, node):
    assert node.returncode == 0, "see the test of node above"
    written = Image.open(io.BytesIO((folder / "texts.png").read_bytes()))
    written.load()
    assert written.text == {"Title": "ein Wort", "Description": "π ≠ 3 – 👩🏽\u200d🚀"}
    assert written.tobytes() == Image.open(folder / "picture.png").tobytes()


SCRIPTS = sorted([*ROOT.glob("viz/canvas/frontend/*/*.js"), *CHECKS.glob("*.js")])


def test_no_line_of_a_script_is_longer_than_120_columns():
    """The formatter breaks code at 120 columns; comments and texts it leaves as they are."""
    lines = [(path, line) for path in SCRIPTS for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(lines) > 5000
    assert [(path.name, line) for path, line in lines if len(line) > 120] == []
