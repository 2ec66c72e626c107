"""Names in the session stand in viz/ui/state.py, once; everything else refers to them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from viz.ui.links.old_links import EVERYWHERE, NAMES, VALUES
from viz.ui.state import DEFAULTS, Key, Param

ROOT = Path(__file__).parents[2]
STATE = ROOT / "viz/ui/state.py"
# A figure of viz/canvas reads back what its own component has sent, under the key of the component.
FILES = [
    path
    for path in [ROOT / "app.py", *sorted(ROOT.glob("viz/**/*.py"))]
    if path != STATE and "canvas" not in path.parts
]
SESSION = "st.session_state"
CONTROLS = frozenset(
    {
        *("button", "checkbox", "choice", "data_editor", "dataframe", "file_uploader", "menu_button", "multiselect"),
        *("number_input", "pills", "popover", "segmented_control", "selectbox", "slider", "text_area", "text_input"),
        "toggle",
    }
)


def keys_of(tree: ast.AST) -> Iterator[ast.expr]:
    """Every expression that names something in the session."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=held, slice=name) if ast.unparse(held).endswith("session_state"):
                yield name
            case ast.Compare(left=name, comparators=[held]) if ast.unparse(held) == SESSION:
                yield name
            case ast.Call(func=ast.Attribute(value=held, attr=method), args=arguments, keywords=named):
                if ast.unparse(held) in (SESSION, "state") and method in ("get", "pop", "setdefault"):
                    yield from arguments[:1]
                if ast.unparse(held) == SESSION and method == "update":
                    yield from (ast.Constant(keyword.arg) for keyword in named if keyword.arg)
                if method in CONTROLS and ast.unparse(held) != "canvas":
                    yield from (keyword.value for keyword in named if keyword.arg == "key")


def literal_keys(source: str) -> list[str]:
    return [ast.unparse(name) for name in keys_of(ast.parse(source)) if isinstance(name, ast.Constant | ast.JoinedStr)]


def unnamed_parameters(source: str) -> list[str]:
    """Controls that are bound to the address under something else than a Param."""
    calls = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            named = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if named.get("bind") == "'query-params'" and not re.match(r"(Param[.(]|key$)", named.get("key", "")):
                calls.append(named.get("key", ast.unparse(node.func)))
    return calls


def clears(source: str) -> list[str]:
    """Places that go through the whole session, or end it."""
    walked = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.For | ast.comprehension))
    cleared = [
        ast.unparse(node.iter)
        for node in walked
        if re.fullmatch(rf"(list\()?{SESSION}\)?(\.keys\(\)|\.items\(\))?", ast.unparse(node.iter))
    ]
    return cleared + re.findall(r"session_state\.clear\(", source)


def test_no_key_of_the_session_is_spelt_outside_its_list():
    assert not {
        str(path.relative_to(ROOT)): keys for path in FILES if (keys := literal_keys(path.read_text(encoding="utf-8")))
    }


def test_every_control_in_the_address_is_a_parameter_of_the_list():
    assert not [calls for path in FILES if (calls := unnamed_parameters(path.read_text(encoding="utf-8")))]


def test_one_function_clears_the_session_and_one_hides_a_control():
    for path in FILES:
        source = path.read_text(encoding="utf-8")
        assert not clears(source), path
        assert 'key="address"' not in source, path
    assert len(clears(STATE.read_text(encoding="utf-8"))) == 1


@pytest.mark.parametrize(
    "source",
    [
        'st.session_state["query"] = 1',
        'st.session_state.get("query")',
        'st.session_state.pop(f"ask_{key}", None)',
        'state.get("weights", "grammar")',
        '"query" in st.session_state',
        "st.session_state.update(your_work=1)",
        'st.number_input("Query", key="query")',
        'st.button("Stop", key=f"stop_{name}")',
        'controls.choice("View", VIEWS, key="view")',
        'screen.session_state["theme"] = theme',
    ],
)
def test_the_rule_of_keys_can_fail(source):
    assert literal_keys(source)


@pytest.mark.parametrize(
    "source",
    [
        "st.session_state[Param.QUERY] = 1",
        "st.session_state.pop(key_of(Key.ASK, key), None)",
        'st.number_input("Query", key=Param(part.name))',
        'canvas.sentence(weights, key="sentence")',
        'st.container(key="heading")',
    ],
)
def test_the_rule_of_keys_can_hold(source):
    assert not literal_keys(source)


def test_the_rules_of_parameters_and_of_clearing_can_fail():
    assert unnamed_parameters('st.toggle("A", key=Key.PLAYING, bind="query-params")')
    assert unnamed_parameters('st.toggle("A", bind="query-params")')
    assert not unnamed_parameters('st.toggle("A", key=Param.MASK, bind="query-params")')
    assert clears("for key in list(st.session_state): del st.session_state[key]")
    assert clears("names = [name for name in st.session_state]")
    assert not clears("Param.TEXT in st.session_state")
    assert clears("st.session_state.clear()")


def test_a_name_in_the_session_is_used_and_stands_for_one_thing():
    sources = "\n".join(path.read_text(encoding="utf-8") for path in [*FILES, STATE])
    values = [*(name.value for name in Param), *(name.value for name in Key)]
    assert len(values) == len(set(values)) == len(Param.__members__) + len(Key.__members__)
    assert not [name for name in Key if f"Key.{name.name}" not in sources]
    named_by_value = {"scale", "mask", "position", "norm", "residual", "mlp", "queries", "keys", "n_heads", "d_v"}
    named_by_value |= {"d_model", "d_source"}
    assert not [name for name in Param if f"Param.{name.name}" not in sources and name not in named_by_value]
    assert set(DEFAULTS) <= set(Param)


def test_every_old_name_of_a_link_leads_to_a_parameter():
    parameters = {parameter.value for parameter in Param}
    assert set(NAMES.values()) | set(EVERYWHERE.values()) | {name for _, name in VALUES} <= parameters
    assert all(parameter.name == parameter.value.upper() for parameter in Param)
