"""The sentences made from numbers: the table has every function and every branch, and none reads badly."""

import ast
import importlib
import inspect
import re
import sys
from pathlib import Path
from types import CodeType, FrameType

import caption_cases
import caption_cases_pages
import captions
import pytest

ROOT = Path(__file__).parents[2]
# Modules that hold sentences, and functions of theirs that return a text which is no caption.
MODULES = sorted(path.stem for path in ROOT.glob("viz/captions/*.py") if path.stem not in ("__init__", "counting"))
NOT_CAPTIONS = {"heads.strip_markdown", "heads.alt_text"}
# Words of the old house style: a reader of the field has others for them.
DIALECT = re.compile(
    r"\b(foretell\w*|foretold|likeliest|looks?|looked|looking|said|told|spelt|shelf|kin|fresh|filler|pieces?|gaze|"
    r"bears?|nobody|mark|in place|taken out|let go|step aside|where it says nothing)\b"
)
FAULTS = {
    "two blanks": re.compile(r"\S  \S"),
    "a blank before a comma or a full stop": re.compile(r" [,.;:](?!\d)"),
    "two full stops": re.compile(r"\.\.|\. \."),
    "one of several": re.compile(r"(?<![\d.,=] )(?<![\d.,])\b1 (?!is\b|means\b|attends\b|has\b|matters\b)[a-z]+s\b"),
    "no number": re.compile(r"\b(nan|inf)\b"),
    "None": re.compile(r"\bNone\b(?!\*{0,2} of\b| puts\b)"),
    "a name that was not filled in": re.compile(r"[{}]"),
    "a sentence that begins small": re.compile(r"[.!?] [a-z]"),
    "an old word": DIALECT,
}


def functions(module: str) -> dict[str, CodeType]:
    """The functions of a module that return a text, by "module.name"."""
    source = importlib.import_module(f"viz.captions.{module}")
    tree = ast.parse(Path(source.__file__ or "").read_text(encoding="utf-8"))
    names = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and isinstance(node.returns, ast.Name) and node.returns.id == "str"
    ]
    return {f"{module}.{name}": getattr(source, name).__code__ for name in names}


ALL = {name: code for module in MODULES for name, code in functions(module).items() if name not in NOT_CAPTIONS}


def lines(code: CodeType) -> set[int]:
    """The lines of a function and of what is written inside it, without the line that defines it."""
    own = {line for _, _, line in code.co_lines() if line is not None and line != code.co_firstlineno}
    return own.union(*(lines(co_const) for co_const in code.co_consts if isinstance(co_const, CodeType)))


@pytest.fixture(scope="module")
def reached() -> set[tuple[str, int]]:
    """(file, line) of every line that the table runs."""
    files, result = {code.co_filename for code in ALL.values()}, set()

    def trace(frame: FrameType, event: str, _argument: object) -> object:
        if frame.f_code.co_filename not in files:
            return None
        result.add((frame.f_code.co_filename, frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        captions.text()
    finally:
        sys.settrace(before)
    return result


@pytest.mark.parametrize("name", [name for name in ALL if name.partition(".")[2].startswith("describe_")])
def test_every_caption_function_is_in_the_table(name):
    assert captions.CASES.get(name), f"{name} has no case in tests/support/caption_cases.py or caption_cases_pages.py"


@pytest.mark.parametrize("name", ALL)
def test_the_table_reaches_every_line_of_every_caption_function(name, reached):
    code = ALL[name]
    missed = sorted(line for line in lines(code) if (code.co_filename, line) not in reached)
    assert not missed, f"{name}: the table does not reach line {', '.join(map(str, missed))}"


@pytest.mark.parametrize(("function", "case", "sentence"), list(captions.sentences()))
def test_no_caption_has_a_fault_that_a_reader_stumbles_over(function, case, sentence):
    faults = [name for name, fault in FAULTS.items() if fault.search(sentence)]
    assert not faults, f"{sentence!r}: {faults}"
    assert sentence == "(nothing)" or sentence.rstrip().endswith("."), f"{sentence!r} ends without a full stop"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("two blanks", "It attends to  a."),
        ("a blank before a comma or a full stop", "It attends to a , and b."),
        ("two full stops", "It ends.. Then."),
        ("one of several", "1 words back."),
        ("no number", "The loss is nan."),
        ("None", "The word None is most likely."),
        ("a name that was not filled in", "The word {word}."),
        ("a sentence that begins small", "It ends. then it starts."),
        ("an old word", "It looks at a."),
    ],
)
def test_the_rules_find_what_they_are_for(fault, sentence):
    assert FAULTS[fault].search(sentence)
    assert not [name for name, rule in FAULTS.items() if name != fault and rule.search(sentence)]


# Parameters of the caption functions that hold tokens of a text, and those of text that hold something else.
TOKENS = re.compile(
    "(key_|query_)?tokens?|words?|after|source|target|sources|shares|first|nouns?|right|full|now|a|b|texts?|unknown"
)
NO_TOKENS = re.compile(
    "name|over|which|unit|each|roles?|predicts|removed|who|stages|kind|part|seeds|value_name|what|blind|changes|room|"
    "head|cache|errors|untrained|trained|speeds|decay|layers|embedding|by_norm|"
    "by_distance|similar|largest|schemes|n|labels|ablation|blanks|dropped|language|shown|steps|norms|done|seconds"
)
# Of these functions a parameter of this name holds something else.
OTHERS = {
    "describe_length_generalisation": {"source"},
    "describe_accuracy_by_length": {"shares"},
    "describe_typed_unknown": {"unknown"},
    "describe_unknown_words": {"shares", "unknown"},
}


def _punctuated(value: object) -> object:
    """The same value with a dagger for every text in it."""
    if isinstance(value, str):
        return "‡"
    if isinstance(value, list | tuple):
        return type(value)(map(_punctuated, value))
    return {name: _punctuated(text) for name, text in value.items()} if isinstance(value, dict) else value


def _with_daggers(function):
    """The function, which gets daggers where it was given tokens."""
    parameters, others = inspect.signature(function), OTHERS.get(function.__name__, set())

    def call(*args: object, **named: object) -> str:
        given = parameters.bind(*args, **named)
        for name in filter(TOKENS.fullmatch, given.arguments.keys() - others):
            given.arguments[name] = _punctuated(given.arguments[name])
        return function(*given.args, **given.kwargs)

    return call


@pytest.fixture
def daggers(monkeypatch) -> None:
    """Every caption function of the table gets daggers for tokens."""
    for module in (caption_cases, caption_cases_pages):
        for name, function in vars(module).copy().items():
            if inspect.isfunction(function) and function.__module__.startswith("viz.captions"):
                monkeypatch.setattr(module, name, _with_daggers(function))


@pytest.mark.usefixtures("daggers")
def test_punctuation_stands_in_quotation_marks_in_every_sentence_of_the_table():
    sentences = list(captions.sentences())
    assert [entry for entry in sentences if "‡" in re.sub("“[^“”]*”", "", entry[2])] == []
    named = {function for function, _, sentence in sentences if "‡" in sentence}
    silent = {"translate.describe_networks", "translate.describe_ablation"}  # "correct" and "the same" of equal texts
    takes = {
        name
        for name in captions.CASES
        if any(map(TOKENS.fullmatch, _texts(name) - OTHERS.get(name.partition(".")[2], set())))
    }
    assert takes - named - silent == set()  # each function that takes tokens names some


def _texts(name: str) -> set[str]:
    """The parameters of a function of the table that hold text."""
    module, _, function = name.partition(".")
    if module not in MODULES:
        return set()
    parameters = inspect.signature(getattr(importlib.import_module(f"viz.captions.{module}"), function)).parameters
    return {name for name, parameter in parameters.items() if "str" in str(parameter.annotation)}


def test_every_parameter_that_holds_text_is_known_to_hold_tokens_or_something_else():
    texts = set().union(*map(_texts, captions.CASES))
    assert [name for name in texts if not TOKENS.fullmatch(name) and not NO_TOKENS.fullmatch(name)] == []


def test_the_command_writes_the_table_into_a_file(tmp_path, monkeypatch):
    written = captions.text()
    assert written.startswith("## ") and all(f"## {name}\n" in written for name in captions.CASES)
    assert len(list(captions.sentences())) == sum(map(len, captions.CASES.values()))


PROSE = [*ROOT.glob("viz/pages/*/*.md"), *ROOT.glob("viz/lessons/*.md")]
IN_PROSE = re.compile(
    r"\b(foretell\w*|foretold|likeliest|spelt|shelf|kin|fresh|filler|gaze|start mark|taken out|let go|looks at|"
    r"looked at|may look (?!at whom)|where it says nothing|pieces?|told)\b"
)


@pytest.mark.parametrize("path", PROSE, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_page_and_no_lesson_uses_a_word_of_the_old_house_style(path):
    text = re.sub(r"\(\?[^\n]*\)", "", path.read_text(encoding="utf-8"))  # without the links
    assert not IN_PROSE.findall(text)
