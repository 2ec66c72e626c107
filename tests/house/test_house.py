"""Which room may know of which: DESIGN.md's table of imports, and what else holds for every file of the house."""

import ast
import builtins
import inspect
import re
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from equal import close, differ, same_bits
from marks import BROWSER, SLOW, left_out
from served import serve

ROOT = Path(__file__).parents[2]

FLAT = ("viz.labels", "viz.pack", "viz.styles", "viz.theme", "viz.types")  # what every room of viz/ may know
# The most particular room first. A room may import what is named here, and the standard library.
ROOMS = {
    "app.py": ("streamlit", "viz.server"),
    "viz/app/contents.py": ("streamlit", "viz.app.shell"),
    "viz/app/": ("streamlit", "viz.ui", "viz.pages.lessons", "viz.theme"),
    "viz/cli.py": ("streamlit", "viz.ui", "viz.export", "viz.server", "viz.cache_limit", *FLAT),
    "viz/classroom/": ("viz.classroom", "redis"),
    "viz/server/": (
        "viz.server",
        "viz.classroom",
        "viz.cache_limit",
        "viz.styles",
        "viz.theme",
        "streamlit",
        "starlette",
        "google.protobuf",
        "prometheus_client",
    ),
    "model/cluster/": ("model", "torch", "numpy", "safetensors", "ray"),
    "model/": ("model", "torch", "numpy", "safetensors", "tokenizers"),
    "viz/pages/": ("viz", "model", "streamlit", "plotly", "numpy"),
    "viz/ui/": ("viz", "model", "streamlit", "plotly", "numpy", "segno"),
    "viz/canvas/": ("viz.canvas", *FLAT, "numpy", "streamlit"),
    "viz/captions/": ("viz.captions", *FLAT, "numpy"),
    "viz/figures/": ("viz.figures", *FLAT, "plotly", "numpy"),
    "viz/lessons/": ("viz.lessons",),
    "viz/export/": ("viz.export", "viz.captions", *FLAT, "plotly", "numpy"),
    "viz/__init__.py": ("viz.export",),
    "viz/arrays.py": ("viz.export",),
    "viz/": (*FLAT, "plotly", "numpy"),
}

SOURCES = sorted([ROOT / "app.py", *ROOT.glob("model/**/*.py"), *ROOT.glob("viz/**/*.py")])
PAGES = sorted(ROOT.glob("viz/pages/*/page.py"))
FIGURES = sorted(
    f"viz.{room}.{path.stem}"
    for room in ("captions", "export", "figures")
    for path in ROOT.glob(f"viz/{room}/*.py")
    if path.stem != "__init__"
)


def named(path):
    return path.relative_to(ROOT).as_posix()


def room_of(name):
    return next(room for room in ROOMS if name.startswith(room))


def imported(source):
    """Every module that this Python source imports anywhere, functions included: "a.b" for `from a import b`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports here are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module":
            yield from (part.value for part in node.args if isinstance(part, ast.Constant))


def within(module, package):
    return module == package or module.startswith(f"{package}.")


def strangers(name, source):
    """The imports of a file that its room does not allow."""
    room = room_of(name)
    for module in imported(source):
        if module.split(".")[0] in sys.stdlib_module_names:
            continue
        if not any(within(module, known) for known in ROOMS[room]):
            yield module


def offenders(paths, rule):
    """File → what the rule finds in its text, for the files in which it finds something."""
    paths = list(paths)
    assert len(paths) > 1, "the rule reads files"
    broken = {named(path): list(rule(path, path.read_text(encoding="utf-8"))) for path in paths}
    return {name: what for name, what in broken.items() if what}


def test_offenders_are_named_with_what_was_found():
    named_files = offenders(SOURCES, lambda path, text: ["here"] if path.name == "mask.py" else [])
    assert named_files == {"model/mask.py": ["here"]}


def test_a_room_imports_only_what_it_may_know():
    assert not offenders(SOURCES, lambda path, text: strangers(named(path), text))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("model/run.py", "import streamlit"),
        ("model/run.py", "from viz.theme import LIGHT"),
        ("model/tasks/grammar/task.py", "def draw():\n    import plotly.express"),
        ("viz/figures/heatmap.py", "import torch"),
        ("viz/figures/heatmap.py", "from model.run import run"),
        ("viz/figures/heatmap.py", "from viz.ui import figure_panel"),
        ("viz/figures/heatmap.py", "from viz import canvas"),
        ("viz/captions/heads.py", "import plotly.graph_objects as go"),
        ("viz/captions/heads.py", "from viz.figures.heatmap import heatmap"),
        ("viz/canvas/components.py", "from model import run"),
        ("viz/canvas/components.py", "from viz.ui.visitor import theme"),
        ("viz/export/tables.py", "import streamlit"),
        ("viz/lessons/parse.py", "import streamlit"),
        ("viz/ui/model_calls.py", "import torch"),
        ("viz/pages/heads/page.py", "import torch"),
        ("viz/theme.py", "from viz.figures.heatmap import heatmap"),
        ("app.py", "import model"),
        ("app.py", "from viz.figures import heatmap"),
        ("app.py", "from viz.app import shell"),
        ("viz/app/contents.py", "from viz.ui import visitor"),
        ("viz/app/shell.py", "from viz.canvas import head_grid"),
        ("viz/server/guard.py", "from viz.ui import model_calls"),
        ("viz/server/start.py", "from viz.ui import server_cache"),
        ("viz/server/guard.py", "import torch"),
    ],
)
def test_the_rule_of_imports_can_fail(name, source):
    assert list(strangers(name, source))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("model/run.py", "import torch, json\nfrom model.config import ModelConfig"),
        ("viz/figures/heatmap.py", "import numpy as np\nfrom viz.labels import axis_labels"),
        ("viz/ui/figure_panel.py", "import streamlit as st\nfrom viz import canvas\nfrom model.run import Experiment"),
        ("app.py", "import streamlit as st\nfrom viz.server import start"),
        ("viz/app/contents.py", "import streamlit as st\nfrom viz.app import shell"),
    ],
)
def test_the_rule_of_imports_can_hold(name, source):
    assert not list(strangers(name, source))


# The rooms of model/ from the bottom up: a room imports those before it. `core`: the files of model/ itself.
ORDER = ("core", "compute", "tasks", "generation", "evaluation", "analysis", "cost", "training", "importers", "cluster")
UP = {
    "model/__init__.py": {"generation"},  # what a notebook imports from `model`
    "model/train.py": {"training", "cluster"},  # the command line
    "model/checkpoint.py": {"compute"},
    "model/run.py": {"compute"},
    "model/transformer.py": {"compute"},
}


def part_of_model(module):
    """The room of a module of model/: "model.run" → "core"."""
    room = module.split(".")[1:2]
    return room[0] if room and room[0] in ORDER else "core"


def against_the_order(name, source):
    """The imports of a file of model/ that go to a later room."""
    own = part_of_model(name.removesuffix(".py").replace("/", "."))
    for module in imported(source):
        if within(module, "model"):
            room = part_of_model(module)
            if ORDER.index(room) > ORDER.index(own) and room not in UP.get(name, ()):
                yield module


def test_a_room_of_the_model_imports_only_rooms_before_it():
    files = sorted(ROOT.glob("model/**/*.py"))
    assert {part_of_model(named(path).removesuffix(".py").replace("/", ".")) for path in files} == set(ORDER)
    assert [
        (named(path), list(against_the_order(named(path), path.read_text())))
        for path in files
        if list(against_the_order(named(path), path.read_text()))
    ] == []
    assert list(against_the_order("model/tasks/copying.py", "from model.training import recipes"))


def graph_of(folder):
    """Module → the modules of that folder that it imports anywhere, functions included."""
    files = {named(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in SOURCES}
    files = {module: path for module, path in files.items() if within(module, folder)}
    graph = {}
    for module, path in files.items():
        names = {name if name in files else name.rpartition(".")[0] for name in imported(path.read_text())}
        graph[module] = {name for name in names if name in files and name != module}
    return graph


def test_no_modules_import_each_other_in_a_circle():
    graph = graph_of("model") | graph_of("viz")
    assert len(graph) > 200
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle
    with pytest.raises(CycleError):
        list(TopologicalSorter(graph | {"model.config": {"model.run"}}).static_order())
    lazy = 'def lesson(page):\n    importlib.import_module("viz.pages.lessons.banner").show_banner(page)'
    assert list(imported(lazy)) == ["viz.pages.lessons.banner"], "an import at run time is an import"


# The rooms of viz/ from the bottom up: a room imports those before it, and never a page.
UPWARDS = ("captions", "figures", "canvas", "classroom", "export", "lessons", "server", "ui", "pages", "app")
COMPUTATIONS = ("compute", "models")  # of a page: the only modules of it that the answers of lessons may import


def against_the_order_of_viz(name, source):
    """The imports of a file of viz/ that go to a later room, or from one page to another."""
    room, _, rest = name.removeprefix("viz/").partition("/")
    if room not in UPWARDS:
        return
    for module in imported(source):
        parts = module.split(".")
        if parts[0] != "viz" or len(parts) < 2 or parts[1] not in UPWARDS:
            continue
        if UPWARDS.index(parts[1]) > UPWARDS.index(room):
            yield module
        elif room == parts[1] == "pages" and len(parts) > 2 and parts[2] != rest.partition("/")[0]:
            answers = rest.startswith("lessons/answers/") and set(parts[3:]) & set(COMPUTATIONS)
            if not answers:
                yield module


def test_a_room_of_viz_imports_only_rooms_before_it_and_no_page_another():
    against = {named(path): list(against_the_order_of_viz(named(path), path.read_text())) for path in SOURCES}
    assert {name: modules for name, modules in against.items() if modules} == {}
    assert list(against_the_order_of_viz("viz/ui/controls/places.py", "from viz.pages.heads import generate"))
    assert list(against_the_order_of_viz("viz/figures/heatmap.py", "from viz.canvas import head_grid"))
    assert list(against_the_order_of_viz("viz/pages/heads/page.py", "from viz.pages.masks import compute"))
    assert list(against_the_order_of_viz("viz/pages/lessons/answers/models.py", "from viz.pages.masks import guess"))


def test_no_room_holds_more_than_twenty_files():
    rooms = Counter(
        path.parent.relative_to(ROOT).as_posix()
        for top in ("model", "viz", "tests")
        for path in ROOT.glob(f"{top}/**/*.py")
    )
    assert {room: count for room, count in rooms.items() if count > 20} == {}


MAX_PARAMETERS = 8


def long_parameter_lists(path, text):
    """The functions of a file that have more than eight parameters, `self` not counted."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            parts = node.args
            names = [argument.arg for argument in (*parts.posonlyargs, *parts.args, *parts.kwonlyargs)]
            if len([name for name in names if name not in ("self", "cls")]) > MAX_PARAMETERS:
                yield node.name


def test_no_function_of_the_model_has_more_than_eight_parameters():
    assert not offenders(ROOT.glob("model/**/*.py"), long_parameter_lists)
    eight, nine = "def f(self, a, b, c, d, e, *, f, g, h): ...", "def g(a, b, c, d, e, f, g, h, i): ..."
    assert list(long_parameter_lists(None, eight)) == []
    assert list(long_parameter_lists(None, nine)) == ["g"]


def loaded_by(*modules):
    """The top-level modules in memory after a fresh interpreter has imported these."""
    code = f"import sys, {', '.join(modules)}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_figures_run_without_torch_and_without_streamlit():
    assert FIGURES
    loaded = loaded_by(*FIGURES)
    assert "plotly" in loaded
    assert not {"torch", "streamlit", "model"} & loaded


@pytest.mark.slow
def test_the_model_runs_without_a_screen():
    loaded = loaded_by("model", "model.analysis.attention_metrics", "model.tasks", "model.train")
    assert "torch" in loaded
    assert not {"streamlit", "plotly", "viz"} & loaded


@pytest.mark.slow
def test_the_frame_of_a_page_does_not_wait_for_torch():
    loaded = loaded_by("viz.app.shell")
    assert "streamlit" in loaded
    assert "torch" not in loaded


def definitions(path, text):
    """The lines of a file at which something is defined."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    return [node.lineno for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]


def test_a_page_defines_nothing():
    assert not offenders([ROOT / "app.py", ROOT / "viz/app/contents.py", *PAGES], definitions)


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_a_page_has_its_words_beside_it_and_its_place_in_the_contents(path):
    words = path.with_name("page.md").read_text(encoding="utf-8")
    assert words.startswith("# "), "the first line asks the page's question"
    assert f"pages/{path.parent.name}/page.py" in (ROOT / "viz/app/contents.py").read_text(encoding="utf-8")


def test_no_folder_called_pages_stands_beside_the_script_that_streamlit_runs():
    """Streamlit would take its scripts for pages, and answer the first visit of a server with “does not exist”."""
    script = re.search(r'st\.App\(\s*"([^"]+)"', (ROOT / "app.py").read_text(encoding="utf-8")).group(1)
    assert (ROOT / script).is_file() and not (ROOT / script).with_name("pages").exists()


def test_every_package_is_shipped():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    packages = {
        named(path.parent).replace("/", ".") for top in ("model", "viz") for path in ROOT.glob(f"{top}/**/__init__.py")
    }
    assert packages == {name for name in listed if name.split(".")[0] != "attention_lab"}, (
        "that is viz/canvas, and the settings, under the name of the distribution"
    )


# What is sent to a browser or decides what is drawn.
LOOKS = sorted(
    path
    for top in ("viz", "model")
    for kind in ("py", "js", "css", "md", "html")
    for path in ROOT.glob(f"{top}/**/*.{kind}")
)
COLOUR = re.compile(r"""(?<!&)#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})\b|\b(?:rgba?|hsla?|oklch)\(""", re.IGNORECASE)
HOST = re.compile(r"""(?:(?:https?|wss?):)?//[\w-]+(?:\.[\w-]+)+""", re.IGNORECASE)


def test_a_colour_stands_in_the_theme_and_nowhere_else():
    elsewhere = [path for path in [ROOT / "app.py", *LOOKS] if path.name != "theme.py"]
    assert not offenders(elsewhere, lambda path, text: COLOUR.findall(text))


@pytest.mark.parametrize("text", ["#fff", "color: #12ab9F;", "rgb(1, 2, 3)", "rgba(0,0,0,.5)", "'#11223344'"])
def test_the_rule_of_colours_can_fail(text):
    assert COLOUR.search(text)


@pytest.mark.parametrize(
    "text", ["&#36;", "&#160;", "# a comment", "url(#hatch)", "## Faces", "#dedicated", "color-mix(in srgb)"]
)
def test_the_rule_of_colours_can_hold(text):
    assert not COLOUR.search(text)


def hosts(text):
    return [host for host in HOST.findall(text) if not host.endswith("//www.w3.org")]


def test_the_app_names_no_other_host():
    assert not offenders([ROOT / "app.py", ROOT / ".streamlit/config.toml", *LOOKS], lambda path, text: hosts(text))


@pytest.mark.parametrize("text", ["'https://cdn.plot.ly/x.js'", "import x from '//unpkg.com/x'", "ws://example.org"])
def test_the_rule_of_hosts_can_fail(text):
    assert hosts(text)


@pytest.mark.parametrize("text", ["// a comment.", "http://www.w3.org/2000/svg", "a //= b", "// e.g. this", "7 // 2.5"])
def test_the_rule_of_hosts_can_hold(text):
    assert not hosts(text)


# Bit by bit, two computations are equal on one machine and differ on the next: only tests/support/equal.py may ask.
BIT_BY_BIT = ("array_equal", "array_equiv", "assert_array_equal", "assert_equal", "equal")


def compared_bit_by_bit(source):
    """The lines of a test that ask for equal arrays by themselves: np.array_equal, torch.equal, (a == b).all() …"""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        compared = node.args[0] if node.args else getattr(node.func, "value", None)
        without = {
            keyword.arg
            for keyword in node.keywords
            if isinstance(keyword.value, ast.Constant) and keyword.value.value == 0
        }
        if name in BIT_BY_BIT or without >= {"atol", "rtol"}:
            yield node.lineno
        elif name == "all" and isinstance(compared, ast.Compare) and isinstance(compared.ops[0], ast.Eq):
            with_what = compared.comparators[0]
            if not isinstance(with_what, ast.Constant) and ast.unparse(with_what) != "-math.inf":
                yield node.lineno


TESTS = sorted(path for path in ROOT.glob("tests/**/*.py") if path.name != "equal.py")


def test_a_test_asks_for_equal_bits_only_through_the_one_function_that_wants_a_reason():
    assert not offenders(TESTS, lambda path, text: compared_bit_by_bit(text))


@pytest.mark.parametrize(
    "text",
    [
        "assert np.array_equal(a, b)",
        "assert torch.equal(a, b)",
        "np.testing.assert_array_equal(a, b)",
        "assert (a == b).all()",
        "assert np.all(a == b[0])",
        "torch.testing.assert_close(a, b, atol=0, rtol=0)",
    ],
)
def test_the_rule_of_equal_bits_can_fail(text):
    assert list(compared_bit_by_bit(text))


@pytest.mark.parametrize(
    "text",
    [
        'assert same_bits(a, b, "copied")',
        "assert (weights == 0).all()",
        "assert (masked == -math.inf).all()",
        "np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)",
    ],
)
def test_the_rule_of_equal_bits_can_hold(text):
    assert not list(compared_bit_by_bit(text))


def test_what_another_process_has_computed_is_never_asked_for_equal_bits():
    """The server of a browser test may run on other kernels than the test: with OneDNN, with more threads."""
    files = [path.name for path in ROOT.glob("tests/browser/*.py") if '"same operation"' in path.read_text()]
    assert files == []


def test_floats_are_equal_bit_by_bit_only_for_a_reason():
    a = np.array([1.0, np.nan])
    assert same_bits(a, a.copy(), "copied") and same_bits(np.arange(3), np.arange(3))
    assert not same_bits(a, np.array([1.0 + 2**-52, np.nan]), "copied")
    for why in ("", "it passes here"):
        with pytest.raises(ValueError, match="only for a reason"):
            same_bits(a, a, why)


def test_close_allows_rounding_and_nothing_else():
    b = np.array([1000.0, 0.0, np.nan, np.inf])
    assert close(b + 0.009, b) and not close(b + 0.02, b)
    assert close([2e-7], [1e-7]) and not close([2e-4], [1e-4]), "a small number has a tolerance of its own"
    assert not close(b, np.nan_to_num(b)) and not close([np.inf], [-np.inf]) and not close([[1.0]], [1.0])
    assert differ([1.0], [1.001]) and not differ([1.0], [1.0 + 1e-12])


def test_the_readme_and_the_ci_test_with_the_same_command():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    fenced = "\n".join(re.findall(r"^```[^\n]*\n(.*?)^```", readme, re.DOTALL | re.MULTILINE))
    commands = [line.strip() for line in fenced.splitlines() if ".venv/bin/python -m pytest" in line]
    assert commands, "the README has a fenced command that runs the tests"
    assert commands[0] in (ROOT / ".ci/run").read_text(encoding="utf-8")


STARTS = re.compile(r"\b(?:serve|serving|browse)\(")  # of tests/support/served.py: a server or a browser starts


def needs_a_browser(item):
    """Whether a test starts a browser or a server, or one of its fixtures does."""
    fixtures = [definition.func for defs in item._fixtureinfo.name2fixturedefs.values() for definition in defs]
    return any(STARTS.search(source_of(function)) for function in (item.function, *fixtures))


@cache
def source_of(function):
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return ""  # it is no function of a file


def test_every_test_that_needs_a_browser_or_a_server_is_marked(request):
    items = request.session.items
    assert not [item.nodeid for item in items if needs_a_browser(item) and not item.get_closest_marker("browser")]


def starts_a_server():
    return serve()


def starts_nothing():
    return None


def test_the_rule_of_marks_sees_what_a_test_and_its_fixtures_start(request):
    def item(function, *fixtures):
        known = {fixture.__name__: [SimpleNamespace(func=fixture)] for fixture in fixtures}
        return SimpleNamespace(function=function, _fixtureinfo=SimpleNamespace(name2fixturedefs=known))

    assert needs_a_browser(item(starts_a_server)) and needs_a_browser(item(starts_nothing, starts_a_server))
    assert not needs_a_browser(item(starts_nothing)) and hasattr(request.node, "_fixtureinfo")


@pytest.mark.parametrize(
    ("stem", "expression", "whole"),
    [
        ("test_trained", "not browser and not slow", True),
        ("test_wheel", "not  browser", True),
        ("browser/test_browser_masks", "not browser and not slow", True),
        ("browser/test_browser_masks", "not slow", False),
        ("test_mask", "not browser and not slow", False),
        ("test_trained", "slow", False),
        ("test_trained", "not browser", False),
        ("test_trained", "not slow or hostile", False),
        ("test_trained", "not (slow and browser)", False),
        ("test_trained", "", False),
    ],
)
def test_a_file_is_not_imported_only_if_each_of_its_tests_would_be_left_out(stem, expression, whole):
    assert left_out(Path(f"tests/{stem}.py"), expression) == whole


def test_a_module_that_is_marked_is_there():
    assert {path.stem for path in ROOT.glob("tests/**/test_*.py")} >= BROWSER | SLOW


def test_the_readme_names_the_quick_tests_by_marks_that_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert '.venv/bin/python -m pytest -n 2 -m "not browser and not slow"' in readme
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    assert {"browser", "slow"} <= {line.partition(":")[0] for line in settings["markers"]}


# In backticks in our prose, and no name of ours: Streamlit's, a header's, a host's, another library's.
NAMES_OF_OTHERS = {"Host", "Origin", "shift_tokens_right", "server.maxUploadSize", "checkip.amazonaws.com"}
IN_BACKTICKS = re.compile(r"`([A-Za-z_][\w.]*)`")


def names_of_the_code():
    """Every identifier, module, file and one-word text of the code."""
    names = set(dir(builtins))
    for path in [*ROOT.glob("**/*.py"), *ROOT.glob("viz/**/*.js")]:
        if not {".venv", "node_modules"} & set(path.parts):
            names |= {path.stem, path.parent.name, *re.findall(r"\w+", without_docstrings(path))}
    return names


def without_docstrings(path):
    text = path.read_text(encoding="utf-8")
    return re.sub(r'"""[\s\S]*?"""|#.*', "", text) if path.suffix == ".py" else text


def named_in_prose(path):
    text = path.read_text(encoding="utf-8")
    prose = "\n".join(re.findall(r'"""[\s\S]*?"""|#.*', text)) if path.suffix == ".py" else text
    return {name for name in IN_BACKTICKS.findall(prose) if name not in NAMES_OF_OTHERS}


def test_what_a_docstring_or_the_readme_names_is_still_called_so():
    known = names_of_the_code()
    files = [ROOT / "README.md", *ROOT.glob("model/**/*.py"), *ROOT.glob("viz/**/*.py")]
    missing = {
        named(path): [name for name in named_in_prose(path) if not set(name.split(".")) <= known] for path in files
    }
    assert {name: gone for name, gone in missing.items() if gone} == {}


# Names that say nothing about what they hold: conventions 6 and 7 of the house.
NAMES_THAT_SAY_NOTHING = {
    *("told", "said", "says", "looked", "heard", "foretell", "foretells", "asked", "made", "found"),
    *("one", "there", "here", "at"),
}


def bound_names(source):
    """Every name that this source binds, with its line: assignments, parameters, loop variables, functions, classes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, 0
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name, node.lineno


WELL_NAMED = ("app.py", "model/**/*.py", "viz/**/*.py", "tests/*.py", "tests/[!f]*/**/*.py", "tests/f[!r]*/*.py")


def names_that_say_nothing(*patterns):
    """File, line and name of everything in the files of these patterns that is bound to such a name."""
    for pattern in patterns:
        assert list(ROOT.glob(pattern)), pattern
    files = sorted({path for pattern in patterns for path in ROOT.glob(pattern)})
    return [
        (named(path), line, name)
        for path in files
        for name, line in bound_names(path.read_text(encoding="utf-8"))
        if name in NAMES_THAT_SAY_NOTHING
    ]


def test_a_name_says_what_it_holds():
    assert names_that_say_nothing(*WELL_NAMED) == []


def test_no_line_hides_from_the_type_checker():
    assert not offenders([*SOURCES, *TESTS], lambda path, text: re.findall(r"#\s*type:\s*ignore.*", text))


@pytest.mark.parametrize(
    "source",
    [
        "told = 1",
        "def said(x): ...",
        "def f(at): ...",
        "[one for one in items]",
        "lambda there: 0",
        "for made, n in items: ...",
        "self.found = 1",
        "import x as here",
        "with open(f) as asked: ...",
        "at: int = 0",
    ],
)
def test_the_rule_of_names_can_fail(source):
    assert NAMES_THAT_SAY_NOTHING & {name for name, _ in bound_names(source)}


def test_the_rule_of_names_can_hold():
    source = "def top_k(tokens, query_index):\n    return [token.found for token in tokens[query_index:]]"
    assert {name for name, _ in bound_names(source)} == {"top_k", "tokens", "query_index", "token"}


MAX_PARAMETERS = 8  # a function that needs more of them takes a value object


def long_signatures(path, text):
    """The functions of a file with too many parameters: "line name count". `self` and `cls` do not count."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            count = sum(argument.arg not in ("self", "cls") for argument in arguments)
            if count > MAX_PARAMETERS:
                yield f"{node.lineno} {getattr(node, 'name', 'lambda')} {count}"


def test_no_function_has_more_than_eight_parameters():
    assert not offenders(SOURCES, long_signatures)
    eight = "a, b, /, c, d, *, e, f, g, h"
    assert list(long_signatures(None, f"def nine(x, {eight}): ...")) == ["1 nine 9"]
    assert list(long_signatures(None, f"nine = lambda x, {eight}: 0")) == ["1 lambda 9"]
    assert list(long_signatures(None, f"class A:\n    def eight(self, {eight}, **more): ...")) == []


# In JavaScript also the dialect that Python has lost otherwise.
SCRIPT_NAMES_THAT_SAY_NOTHING = NAMES_THAT_SAY_NOTHING | {"spelt", "posted", "spoken", "looks", "looking"}
SCRIPT_TEXTS = re.compile(r"""//.*|/\*[\s\S]*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""")
SCRIPT_NAME = re.compile(
    r"""
    (?:const|let|var|function|class)\s+(\w+)              # const name, function name
    | (?:const|let|var)\s*[\[{]([^=;]*?)[\]}]\s*(?==|of\b)  # const { name, other: name } =, const [name] of
    | \(([^()]*)\)\s*(?:=>|\{)                           # (name, name) =>, function f(name) {
    | (\w+)\s*=>                                         # name =>
    | (?<![.\w])(\w+)\s*:(?!:)                           # { name: value }
    """,
    re.VERBOSE,
)


def bound_names_of_a_script(source):
    """The names that a script binds: variables, functions, parameters, and the keys of objects."""
    for match in SCRIPT_NAME.finditer(SCRIPT_TEXTS.sub('""', source)):
        yield from re.findall(r"\w+", " ".join(group for group in match.groups() if group))


# Keys of what is saved and sent, which old files hold as well: the origin of a figure, and the arrays of viz/pack.py.
KEYS_OF_FORMATS = {
    "viz/canvas/frontend/lib/page_state.js": ["at"],
    "viz/canvas/frontend/page/picture.js": ["says"],
    "viz/canvas/frontend/page/poster.js": ["says"],
}


def test_a_name_in_a_script_says_what_it_holds():
    scripts = [*ROOT.glob("viz/canvas/frontend/*/*.js"), *ROOT.glob("tests/frontend/*.js")]
    assert len(scripts) > 40
    badly_named = offenders(
        scripts, lambda path, text: SCRIPT_NAMES_THAT_SAY_NOTHING & set(bound_names_of_a_script(text))
    )
    assert badly_named == KEYS_OF_FORMATS


@pytest.mark.parametrize(
    "source",
    [
        "const told = 1;",
        "let [a, said] = pair;",
        "const { heard, step } = header;",
        "function spelt(value) {",
        "const f = (row, at) => row;",
        "words.map((one) => one);",
        "words.map(one => one);",
        "for (const [made, n] of pairs) {}",
        "root.send({ looked: 3 });",
        "function f(here = 0) {}",
    ],
)
def test_the_rule_of_names_in_scripts_can_fail(source):
    assert SCRIPT_NAMES_THAT_SAY_NOTHING & set(bound_names_of_a_script(source))


@pytest.mark.parametrize(
    "source",
    [
        "const last = words.at(-1); // one of them said it",
        'const text = "here: it looked";',
        "/* told = said */ const row = view.row;",
    ],
)
def test_the_rule_of_names_in_scripts_can_hold(source):
    assert not SCRIPT_NAMES_THAT_SAY_NOTHING & set(bound_names_of_a_script(source))


STYLE_SHEETS = sorted(ROOT.glob("viz/**/*.css"))
DOUBLED = re.compile(
    r"(\.[\w-]+|:[\w-]+(?:\([^()]*\))?|\[[^\]]*\])\1(?![\w-])"
)  # .a.a, :first-child:first-child, :is(a):is(a)
OF_STREAMLIT = re.compile(r"data-testid|st-key-|\.st[A-Z]\w*")


def own_rules(path, text):
    """The part of a style sheet that is not about Streamlit's elements."""
    if path.name in ("lesson.css", "alone.css", "preview.css") and path.parent.name == "ui":
        return ""
    return text.partition("/* 2. Elements of the lab.")[2] if path.name == "style.css" else text


def test_no_selector_is_doubled_to_weigh_more():
    assert not offenders(STYLE_SHEETS, lambda path, text: [match[0] for match in DOUBLED.finditer(text)])
    for text in (".a.a {}", "td:first-child:first-child {}", ":is(th, td):is(th, td) {}"):
        assert DOUBLED.search(text)
    assert not DOUBLED.search(".a .a {} .a.b {} .strip .strip-b {}")


def test_what_reaches_into_streamlits_page_is_in_one_section():
    assert not offenders(STYLE_SHEETS, lambda path, text: OF_STREAMLIT.findall(own_rules(path, text)))
    style = ROOT / "viz/ui/style.css"
    first, _, second = style.read_text(encoding="utf-8").partition("/* 2. Elements of the lab.")
    assert OF_STREAMLIT.search(first) and ".strip" not in first and ".strip" in second
    assert OF_STREAMLIT.findall(own_rules(style, "/* 2. Elements of the lab. */ .st-key-x {}"))
