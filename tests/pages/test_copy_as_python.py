""" "Copy as Python": the copied lines are run as they are, and give the numbers of the figure."""

import ast
import io
import json

import every
import numpy as np
import pytest
from equal import close
from screen import component

from model import Experiment, Switches
from model.attention import AttentionOverride
from model.mask import MaskSpec
from model.switches import PARTS
from viz.export.provenance import version_of_lab
from viz.ui import copy_as_python

FIGURES = [(page, state, key) for (page, state), keys in every.SHOWN.items() for key in keys]


def named(figure):
    page, state, key = figure
    return "-".join([page, key, *(value for _, value in state)])


STATEMENTS = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)  # what copied lines consist of
COMPUTING = (ast.BinOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Lambda)  # what belongs in a function of model/
STACKING = {"stack", "array"}  # what they may call of NumPy


def computed_in(lines):
    """What copied lines compute by themselves, each with its line, instead of calling a function of the lab."""
    tree = ast.parse(lines)
    for statement in tree.body:
        if not isinstance(statement, STATEMENTS):
            yield statement.lineno, type(statement).__name__
    for node in ast.walk(tree):
        if isinstance(node, COMPUTING):
            yield node.lineno, type(node).__name__
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "np" and node.attr not in STACKING:
            yield node.lineno, f"np.{node.attr}"


@pytest.mark.parametrize(
    "figure", [figure_spec for figure_spec in FIGURES if figure_spec[2] not in every.BY_HAND], ids=named
)
def test_the_copied_lines_give_the_numbers_of_the_figure_by_calling_functions(figure):
    file = every.file_of(*figure, "npz")
    assert list(computed_in(file.header["python"])) == []
    namespace: dict[str, object] = {}
    exec(file.header["python"], namespace)
    held = np.load(io.BytesIO(file.file))
    numbers = [name for name in json.loads(str(held["axes"])) if held[name].dtype.kind == "f"]
    assert numbers
    for name in numbers:
        assert close(np.asarray(namespace[name], dtype=held[name].dtype), held[name]), name


@pytest.mark.parametrize(
    ("lines", "computed"),
    [
        ("def look(weights):\n    return run(weights)", [(1, "FunctionDef")]),
        ("for step in steps:\n    total += step", [(1, "For")]),
        ("total += 1", [(1, "AugAssign")]),
        ("ratio = [step.variance / step.d_k for step in steps]", [(1, "BinOp")]),
        ("best = np.argsort(p)[:5]", [(1, "np.argsort")]),
        ("kept = [n for n in names if n > 1]", [(1, "Compare")]),
        ("scores = head_scores('grammar', 0, 1)\nraw, scaled = scores.raw, scores.scaled[:3]", []),
        ("import numpy as np\n\nvalues = np.stack([change(name) for name in names])", []),
    ],
)
def test_the_rule_of_copied_lines_finds_a_computation_and_nothing_else(lines, computed):
    assert list(computed_in(lines)) == computed


@pytest.mark.parametrize(("page", "state"), every.SHOWN, ids=str)
def test_the_list_of_figures_is_the_list_of_the_page(page, state):
    keys = [mount.proto.id.rpartition("-")[2] for mount in every.opened(page, state).get("bidi_component")]
    saved = tuple(key.removeprefix("save_") for key in keys if key.startswith("save_"))
    assert saved == every.SHOWN[page, state]


@pytest.mark.parametrize("part", [part.name for part in PARTS])
def test_a_removed_part_stands_on_the_face_and_in_the_lines(part):
    screen = every.visit("viz/pages/heads/page.py", **{part: "false"})
    label = next(each.label for each in PARTS if each.name == part)
    for key in ("sentence", "grid", "enlarged", "next", "lens"):
        header, _ = component(screen, f"save_{key}")
        assert header["origin"]["says"] == f"without {label[0].lower()}{label[1:]}"
        assert header["origin"]["switches"] == {each.name: each.name != part for each in PARTS}
        assert f"Switches({part}=False)" in header["python"]


def test_a_whole_model_says_nothing_on_its_face():
    assert copy_as_python.ablation_notice(Experiment()) == ""


def test_weights_that_never_had_a_part_say_so():
    assert copy_as_python.ablation_notice(Experiment("grammar-without-mask")) == "trained without causal mask"


def test_a_face_names_everything_that_is_not_as_trained():
    odd = Experiment(
        switches=Switches(mask=False, norm=False, heads_off=frozenset({(1, 2)})),
        override=AttentionOverride(0, 1, 2, (0.5, 0.5, 0.0)),
        mask_spec=MaskSpec("window", 3),
    )
    assert copy_as_python.ablation_notice(odd) == (
        "without causal mask, layer norm and head L1H2; with another mask: window 3; "
        "L0H1: the row of word 2 is overwritten"
    )


def test_an_experiment_is_spelt_as_the_call_that_makes_it():
    odd = Experiment(
        text='the "dog" \\ was\ntired',
        switches=Switches(scale=False, heads_off=frozenset({(0, 1), (1, 2)})),
        override=AttentionOverride(0, 1, 2, (0.1, 0.2, 0.7)),
        mask_spec=MaskSpec("drawn", rows=(1, 3)),
    )
    namespace: dict[str, object] = {}
    exec(copy_as_python.python("", experiment=odd), namespace)
    assert namespace["experiment"] == odd


def test_the_origin_has_the_seed_of_the_card_and_the_version():
    origin = copy_as_python.origin("grid", Experiment(text="the dog")).to_json("http://localhost/?scale=false")
    assert (origin["weights"], origin["seed"], origin["text"]) == ("grammar", 0, "the dog")
    assert origin["link"] == "http://localhost/?scale=false"
    assert origin["version"] == version_of_lab()
