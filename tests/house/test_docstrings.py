"""The docstrings of model/ name the parameters, fields and functions that exist, and no others."""

import ast
import builtins
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "model").rglob("*.py"))}
OTHERS = {
    "shift_tokens_right",
    "transformers",
    "tokenizers",
    "json",
    "py",
}  # of other libraries, and the end of a file name

IN_BACKTICKS = re.compile(r"`([A-Za-z_][\w.]*)`")
NAMES = r"(?:^\s*|(?<=[.;] ))([a-z_][a-z0-9_]*(?:, [a-z_][a-z0-9_]*)*)"  # at the start of a line or of a clause
EXPLAINED = re.compile(NAMES + r"(?: \([^)]*\))?: ", re.MULTILINE)  # "mask: …", "k, v: …", "x (B, T): …"
SHAPED = re.compile(NAMES + r" \((?:…|[A-Z]'?)(?:, ?[^)]*)?,?\)", re.MULTILINE)  # "q (B, H, T, D)", "a, b (V,)"
RAISES = re.compile(r"Raises:[\s\S]*?(?=\n\n|\Z)")  # here the names before a colon are those of errors


def parameters_of(function):
    parts = function.args
    given = (*parts.posonlyargs, *parts.args, *parts.kwonlyargs, parts.vararg, parts.kwarg)
    return {parameter.arg for parameter in given if parameter}


def names_of(statements):
    """The names that assignments among the statements of a module or a class bind."""
    for statement in statements:
        targets = [statement.target] if isinstance(statement, ast.AnnAssign) else getattr(statement, "targets", [])
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def defined_in(path, tree):
    """The module, its folder, and its functions, classes, fields, attributes and constants; no local names."""
    yield from (path.stem, path.parent.name, *names_of(tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from names_of(node.body)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


DEFINED = {name for path, tree in MODULES.items() for name in defined_in(path, tree)} | set(dir(builtins)) | OTHERS


def wrong_names(tree):
    """What the docstrings of a module name and what does not exist, each with the place that names it."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            continue
        text, known, place = ast.get_docstring(node) or "", set(DEFINED), getattr(node, "name", "module")
        if isinstance(node, ast.FunctionDef):
            known |= parameters_of(node)
            for pattern in (EXPLAINED, SHAPED):
                for match in pattern.finditer(RAISES.sub("", text)):
                    yield from ((place, name) for name in match[1].split(", ") if name not in parameters_of(node))
        if isinstance(node, ast.ClassDef):
            methods = (method for method in node.body if isinstance(method, ast.FunctionDef))
            known |= {name for method in methods for name in parameters_of(method)}
        for match in IN_BACKTICKS.finditer(text):
            yield from ((place, name) for name in match[1].split(".") if name not in known)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_docstring_names_only_parameters_and_names_that_exist(path):
    assert list(wrong_names(MODULES[path])) == []


@pytest.mark.parametrize(
    ("docstring", "wrong"),
    [
        ("The logits of the token `at`.", ["at"]),
        ("The logits of the token at `position`.", []),
        ("The same as `run_pair`, see `model.run`.", []),
        ("Logits. at: the position of the token.", ["at"]),
        ("Logits.\n\n    position, mask: of the token.", ["mask"]),
        ("Logits.\n\n    x (B, T, C) embeddings; at (T,) the position of each.", ["at"]),
        ("x (B, T, C): embeddings; position (T,). Returns (B, T, C).", []),
        ("Logits (T, V) of x (B, T, C).\n\n    Raises:\n        ValueError: there is no position.", []),
        ("Logits.\n\n    real (B, S), True for a token.", ["real"]),
    ],
)
def test_the_rule_of_docstrings_finds_a_wrong_name_and_nothing_else(docstring, wrong):
    source = f'def lens(x, position):\n    """{docstring}\n    """'
    assert [name for _, name in wrong_names(ast.parse(source))] == wrong
