"""The header of each figure has the same keys in viz/canvas/, which sends it, and in types.d.ts, which scripts read.

The type checker holds the scripts to types.d.ts; this holds Python to it.
"""

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

from viz.canvas.costs import LayerCostsView, Measured
from viz.canvas.posts import sliders_header
from viz.canvas.training import TrainingView
from viz.styles import script_of
from viz.theme import LIGHT

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "viz/canvas/frontend"
TYPES = (FRONTEND / "types.d.ts").read_text(encoding="utf-8")
SPREAD = {
    "sliders_header(sliders, state, key, theme)": set(sliders_header((), {}, "", LIGHT)),
    "more": set(),  # of `sliding`: what the function that calls it adds, which has a header of its own
    "focus.header": {"row", "pinned"},
    "_token_labels(axes.query_tokens)": {"tokens", "full"},
    "asdict(view)": {field.name for field in fields(TrainingView)},
    "asdict(comparison)": {field.name for field in fields(LayerCostsView)},
    "asdict(measured)": {field.name for field in fields(Measured)},
}
INTERFACE = re.compile(r"interface (\w+)(?: extends ([\w, ]+))? \{\n(.*?)\n\}", re.DOTALL)


def fields_of(interface, source=TYPES):
    """The fields of an interface, those that it inherits among them."""
    declared = {name: (parents, body) for name, parents, body in INTERFACE.findall(source)}
    parents, body = declared[interface]
    own = set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE))
    return own.union(*(fields_of(parent, source) for parent in parents.split(", ") if parent))


def keys_of(node):
    """The keys of the dict `header = {…}`."""
    keys = set()
    for key, value in zip(node.keys, node.values, strict=True):
        keys |= SPREAD[ast.unparse(value)] if key is None else {key.value}
    return keys


def headers():
    """Component → the keys of the header that a function of viz/canvas/ sends it."""
    sent = {}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.glob("viz/canvas/*.py"))]
    sliding = [call.args[0].value for tree in trees for call in calls(tree, "sliding")]  # figures that share a header
    for tree in trees:
        for function in [node for node in tree.body if isinstance(node, ast.FunctionDef)]:
            names = [call.args[0] for name in ("component", "sliding") for call in calls(function, name)]
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "header":
                    for name in names:
                        components = [name.value] if isinstance(name, ast.Constant) else sliding
                        for component in components:
                            sent.setdefault(component, set()).update(keys_of(node.value))
    return sent


def calls(tree, name):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == name]


def interface_of(component):
    script = (FRONTEND / f"{script_of(component)}.js").read_text(encoding="utf-8")
    return re.search(r'@typedef \{import\("\.\./types\.js"\)\.(\w+)\} Header', script)[1]


HEADERS = headers()


def test_every_component_is_sent_a_header():
    scripts = [path for room in ("figures", "page") for path in FRONTEND.glob(f"{room}/*.js")]
    mounted = {path.stem for path in scripts if "export default function" in path.read_text(encoding="utf-8")}
    assert set(HEADERS) == mounted - {"attention_browser"}  # whose header viz/export/notebook.py writes


@pytest.mark.parametrize("component", HEADERS)
def test_a_header_has_the_keys_that_its_script_reads(component):
    assert HEADERS[component] == fields_of(interface_of(component))


def test_the_header_of_the_page_of_all_heads_has_the_keys_that_its_script_reads():
    tree = ast.parse((ROOT / "viz/export/notebook.py").read_text(encoding="utf-8"))
    keys = next({key.value for key in node.keys if key} for node in ast.walk(tree) if isinstance(node, ast.Dict))
    assert keys | {"tokens", "full"} == fields_of(interface_of("attention_browser"))


def test_inherited_fields_count_and_a_nested_one_does_not():
    source = "interface A {\n  a: { inner: number };\n}\nexport interface B extends A {\n  b?: string;\n}\n"
    assert fields_of("B", source) == {"a", "b"}
