"""The Python that people copy: the README's blocks and the page's "How to save one", run as they stand there."""

import ast
import re

import numpy as np
import pytest
import torch
from equal import same_bits
from foreign import publish, random_model
from screen import ROOT

from model.registry import registry
from viz.export.attention_arrays import read
from viz.pages.your_model.uploaded_maps import HOW

BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
README = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
SHAPE = re.compile(r"\(([A-Z](?:, [A-Z])*),?\)(?: (float\d+))?(, read-only)?")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder to work in, with a published model in it whose default attention keeps no weights."""
    monkeypatch.chdir(tmp_path)
    model = random_model("gpt2")
    model.config._attn_implementation = "sdpa"
    publish(model, tmp_path / "distilgpt2")
    before = set(registry().names())
    yield tmp_path
    for name in set(registry().names()) - before:
        registry().let_go(name)


def ran(block):
    """Run a block in a namespace of its own; returns each value that the block promises in a comment, with the promise.

    A promise stands behind an expression, or behind an assignment to one name.
    """
    namespace, promises = {}, []
    lines = block.splitlines()
    for node in ast.parse(block).body:
        exec(compile(ast.Module([node], []), "README.md", "exec"), namespace)
        promise = lines[node.end_lineno - 1].partition("  # ")[2]
        if promise and isinstance(node, (ast.Expr, ast.Assign)):
            what = node.value if isinstance(node, ast.Expr) else node.targets[0]
            if not (isinstance(what, ast.Call) and getattr(what.func, "attr", "") == "save"):
                promises.append((eval(ast.unparse(what), namespace), promise))
    return promises


def kept(value, promise):
    """Whether a value is what a comment promises; None where the comment promises nothing that can be held to."""
    if shape := SHAPE.match(promise):
        axes, dtype, frozen = shape.groups()
        array = np.asarray(value)
        return (
            array.ndim == len(axes.split(", "))
            and (not dtype or array.dtype == dtype)
            and (not frozen or not array.flags.writeable)
        )
    if promise.startswith(('"', "'")):
        words = re.match(r"""(?:"[^"]*"|'[^']*')(?:, '[^']*')*""", promise).group()
        literal = ast.literal_eval(words)
        return value == literal if isinstance(literal, str) else tuple(value)[: len(literal)] == literal
    return None


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("block", README, ids=lambda block: block.partition("\n")[0])
def test_a_block_of_the_readme_runs_as_it_stands_and_keeps_what_its_comments_promise(block):
    for value, promise in ran(block):
        assert kept(value, promise) is not False, (value, promise)


def test_every_kind_of_promise_stands_in_the_readme_and_can_be_broken():
    assert len(README) >= 5
    promises = "\n".join(README)
    assert all(text in promises for text in ("(H, T, S) float32, read-only", '# "own-', "# '<s>', 'On'"))
    assert kept(np.zeros((2, 3), dtype=np.float32), "(H, T, S) float32, read-only") is False
    assert kept(np.zeros((2, 3, 3), dtype=np.float64), "(H, T, S) float32") is False
    assert kept(np.zeros((2, 3, 3), dtype=np.float32), "(H, T, S) float32, read-only") is False
    assert kept("other", '"own-distilgpt2", from a folder') is False
    assert kept(("<s>", "In"), "'<s>', 'On', …; a piece") is False


def test_the_readmes_figure_of_a_model_holds_the_weights_of_that_model(desk):
    (block,) = [block for block in README if "AutoModel" in block]
    namespace = {}
    exec(block, namespace)
    assert namespace["output"].attentions[0].requires_grad, "as a model returns them that nobody told otherwise"
    assert len((desk / "maps.html").read_text(encoding="utf-8")) > 10_000


def test_how_to_save_one_saves_a_file_that_the_page_opens(desk):
    (block,) = BLOCK.findall(HOW)
    namespace = {}
    exec(block, namespace)
    maps = read((desk / "maps.npz").read_bytes())
    assert maps.query_tokens == tuple(namespace["tokens"])
    wanted = torch.stack(namespace["output"].attentions)[:, 0].detach().numpy()
    assert same_bits(maps.weights, np.where(maps.mask, wanted, 0), "copied")
