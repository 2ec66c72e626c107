"""The wheel: built, installed where the repository is not known, and started from another folder."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tomllib
import urllib.request
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from screen import ROOT
from served import serving, wait_for_picture
from test_export import read

from model import Experiment, Switches, run
from viz.labels import numbered
from viz.server import launch
from viz.ui.controls import EXAMPLE

SHIPPED = ("model", "viz")  # folders of which every file belongs into the wheel
OTHERS = "[server]\naddress = '0.0.0.0'\n[theme]\nfont = 'cursive'\n"  # the settings of somebody else's folder


def copied(folder: Path) -> Path:
    """The sources, so that a build leaves nothing in the repository and takes nothing from an earlier one."""
    for name in (*SHIPPED, ".streamlit"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".DS_Store"))
    for name in ("app.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def isolated() -> list[str]:
    """How pip builds: with the setuptools that is here, or with one from the registry where that is too old."""
    try:
        return ["--no-build-isolation"] if int(version("setuptools").split(".")[0]) >= 77 else []
    except ImportError:
        return []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    source, built = copied(tmp_path_factory.mktemp("source")), tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *isolated(), "--wheel-dir", str(built), "."]
    done = subprocess.run(pip, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (file,) = built.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The programs of an environment with the wheel in it; the other packages are those of this environment."""
    home = tmp_path_factory.mktemp("elsewhere") / "environment"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(f"{Path(np.__file__).parents[1]}\n", encoding="utf-8")
    return home / "bin"


@pytest.fixture
def elsewhere(tmp_path):
    """A folder that has settings of its own, which are not the lab's."""
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(OTHERS, encoding="utf-8")
    return tmp_path


def got(address):
    with urllib.request.urlopen(address, timeout=60) as answer:
        return answer.read()


def test_every_file_of_the_lab_is_in_the_wheel(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    files = {
        path.relative_to(ROOT).as_posix()
        for top in SHIPPED
        for path in (ROOT / top).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files - held == set()
    assert {"app.py", "attention_lab/settings/config.toml"} <= held


def test_the_installed_lab_does_not_see_the_repository(installed, elsewhere):
    program = "import model, viz; print(model.__file__, viz.__file__)"
    python = installed / "python"
    done = subprocess.run([python, "-c", program], cwd=elsewhere, capture_output=True, text=True, check=True)
    assert [path.startswith(str(installed.parent)) for path in done.stdout.split()] == [True, True]


def reaches(address, host):
    """Whether the server answers under another address of this machine."""
    try:
        socket.create_connection((host, urlsplit(address).port), timeout=5).close()
    except OSError:
        return False
    return True


def test_the_wheel_serves_its_page_and_the_scripts_of_its_figures_to_this_machine_only(installed, elsewhere):
    with serving([str(installed / "attention-lab"), "run"], elsewhere) as address:
        assert b"<title>Streamlit</title>" in got(address)
        script = got(f"{address}/_stcore/bidi-components/attention-lab.head_grid/figures/head_grid.js")
        assert script == (ROOT / "viz/canvas/frontend/figures/head_grid.js").read_bytes()
        assert not reaches(address, "127.0.0.2"), "an address of this machine that only a server for everyone has"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a machine has no second address of its own")
def test_whoever_asks_for_a_classroom_gets_one(installed, elsewhere):
    with serving([str(installed / "attention-lab"), "run", "--server.address", "0.0.0.0"], elsewhere) as address:
        assert reaches(address, "127.0.0.2")


def test_the_wheel_computes_with_the_trained_weights(installed, elsewhere):
    out = elsewhere / "map.csv"
    link = "/?scale=false&layer=1&head=2"
    export = [installed / "attention-lab", "export", link, "--figure", "enlarged", "--out", str(out)]
    done = subprocess.run(export, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    trace = run(Experiment(text=EXAMPLE, switches=Switches(scale=False)))
    head, *lines = read(out.read_bytes())
    assert head == ["query", *numbered(trace.tokens)]
    assert np.allclose(np.array([line[1:] for line in lines], dtype=float), trace.layers[1].attention.weights[2])


@pytest.mark.usefixtures("chrome")
def test_the_wheel_draws_its_figures_in_a_browser(installed, elsewhere, context):
    with serving([str(installed / "attention-lab"), "run"], elsewhere) as address:
        page = context.new_page()
        page.goto(address)
        wait_for_picture(page)
        heads = len(run(Experiment(text=EXAMPLE)).layers) * 4
        assert page.locator(".st-key-grid .head").count() == heads
        page.close()


# The settings, without a server

# `attention-lab run` up to where Streamlit would begin to serve: there it prints the settings that it has read.
STARTS = """
import json
from streamlit import config
from streamlit.web import bootstrap, cli
from viz.server import launch

def read(file, args=None, flag_options=None):
    bootstrap.load_config_options(flag_options)
    print(json.dumps({name: config.get_option(name) for name in launch.settings()}))

cli._main_run = read
launch.start(["--server.address", "0.0.0.0"])
"""


def test_every_setting_of_the_lab_is_handed_over_above_those_of_the_folder_and_below_those_of_the_person(elsewhere):
    ours = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert ours["server"]["address"] == "127.0.0.1"
    settings = launch.settings()
    assert (settings["server.address"], settings["theme.light.sidebar.backgroundColor"]) == (
        "127.0.0.1",
        ours["theme"]["light"]["sidebar"]["backgroundColor"],
    )
    hers = {"STREAMLIT_THEME_BASE_RADIUS": "9px"}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(elsewhere), **hers}
    done = subprocess.run(
        [sys.executable, "-c", STARTS], cwd=elsewhere, env=environment, capture_output=True, text=True, check=True
    )
    person = {"theme.baseRadius": "9px", "server.address": "0.0.0.0"}
    assert json.loads(done.stdout.splitlines()[-1]) == settings | person


@pytest.mark.parametrize(
    ("options", "streamlit", "lab"),
    [
        ([], [], []),
        (["--server.port", "9000"], ["--server.port", "9000"], []),
        (["--", "--server.port", "9000"], ["--server.port", "9000"], []),
        (["--lessons", "mine"], [], ["--lessons", "mine"]),
        (["--lessons=mine", "--server.port", "9000"], ["--server.port", "9000"], ["--lessons=mine"]),
        (["--server.port", "9", "--", "--lessons", "a"], ["--server.port", "9"], ["--lessons", "a"]),
        (["--", "--server.port", "9", "--", "--lessons", "a"], ["--server.port", "9"], ["--lessons", "a"]),
        (["--lessons", "a", "--", "--lessons", "b"], [], ["--lessons", "b", "--lessons", "a"]),
    ],
)
def test_options_of_streamlit_and_of_the_lab_are_told_apart(options, streamlit, lab):
    assert launch.command(options) == [
        "streamlit",
        "run",
        str(ROOT / "app.py"),
        *streamlit,
        *(["--", *lab] if lab else []),
    ]
