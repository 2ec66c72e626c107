"""What notebooks and copied lines of earlier versions import is still there, the same thing as under its new name."""

import importlib
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from equal import close

import model.old_names
from model import Experiment, run
from model.mask import MaskSpec
from model.old_names import FIELDS, MOVED, RENAMED
from model.run import encode

# Module → the names that the lines under "Copy as Python", and the README, have imported from it.
IMPORTED = {
    "model": ("Experiment", "Switches", "generate", "load", "run"),
    "model.attention": ("attend",),
    "model.attention_override": ("AttentionOverride", "Overwrite", "renormalise"),
    "model.bilinear": ("singular_values",),
    "model.cache": ("compare",),
    "model.checkpoint": ("card", "load", "names"),
    "model.effects": ("attributed", "blocked", "held_out", "knockouts", "probabilities"),
    "model.forms": ("compare",),
    "model.importers": ("bring", "look", "maps"),
    "model.importers.maps": ("attention", "open_foreign"),
    "model.leak": ("edited", "leak"),
    "model.measure": ("rollout",),
    "model.order": ("accuracy",),
    "model.pair_exam": ("in_words",),
    "model.plane": ("lay",),
    "model.position": ("POSITIONS",),
    "model.quality": ("copies", "translations"),
    "model.rearrange": ("score_changes", "shuffle"),
    "model.run": ("encode", "lens", "run_pair"),
    "model.saturation": ("head_scores", "query_gradients", "unit_steps"),
    "model.sight": ("sight",),
    "model.sizes": ("Sizes", "try_head", "try_out"),
    "model.tasks": ("TASKS",),
    "model.translate": ("translate",),
    "model.walk": ("walk",),
    "model.waves": ("rotation", "table", "wavelengths"),
    "model.words": ("by_word",),
    "model.written": ("likeliest", "looks", "one_map"),
}


@pytest.mark.parametrize("module", IMPORTED)
def test_a_name_of_an_earlier_version_is_imported_as_it_was(module):
    scope = {}
    for name in IMPORTED[module]:
        exec(f"from {module} import {name}", scope)
    for name in IMPORTED[module]:
        places = [importlib.import_module(new) for new in MOVED.get(module, (module,))]
        assert [place for place in places if getattr(place, name, None) is scope[name]], name


@pytest.mark.parametrize("module", RENAMED)
def test_an_old_name_is_the_thing_that_has_the_new_name(module):
    new = importlib.import_module(module)
    for old, now in RENAMED[module].items():
        assert old not in vars(new), f"{module}.{old} is a name again"
        assert getattr(new, old) is getattr(new, now)


def test_a_name_that_never_was_is_still_refused():
    with pytest.raises(ImportError, match="cannot import name 'never'"):
        exec("from model.mask import never")
    with pytest.raises(AttributeError, match="has no attribute 'never'"):
        _ = model.mask.never


def test_records_are_made_and_read_with_their_old_fields():
    old = Experiment(text="the dog was tired .", looks=MaskSpec("window", 2), overwrite=None)
    assert old == Experiment(text="the dog was tired .", mask_spec=MaskSpec("window", 2))
    assert old.looks is old.mask_spec and replace(old, looks=None) == replace(old, mask_spec=None)
    assert run(old).layers[0].attention.mask[0].sum() < run(replace(old, looks=None)).layers[0].attention.mask[0].sum()
    encoding = encode(old)
    assert encoding.typed is encoding.surface and encoding.word_of is encoding.word_ids
    assert {name for fields in FIELDS.values() for name in fields} >= {"Experiment", "Encoding"}
    with pytest.raises(TypeError, match="unexpected keyword argument 'never'"):
        Experiment(never=1)


def test_the_maps_of_a_model_that_transformers_runs_are_read_with_their_old_fields():
    from model.importers.maps import AttentionMaps  # noqa: PLC0415  (the module under its old name)

    weights = np.zeros((1, 1, 1, 2), dtype=np.float32)
    maps = AttentionMaps(weights, ("a",), ("b", "c"))
    assert (maps.looking, maps.looked_at) == (maps.query_tokens, maps.key_tokens) == (("a",), ("b", "c"))
    assert AttentionMaps(weights, looking=("a",), looked_at=("b", "c")).key_tokens == ("b", "c")


@pytest.mark.parametrize("module", FIELDS)
def test_an_old_field_is_read_from_the_field_of_today_and_is_none_itself(module):
    for name, fields in FIELDS[module].items():
        record = getattr(importlib.import_module(module), name)
        for old, new in fields.items():
            assert isinstance(vars(record)[old], property) and old not in getattr(record, "__dataclass_fields__", {})
            assert vars(record)[old].fget(SimpleNamespace(**{new: 7})) == 7


TEXT = "experiment = Experiment(text='the person who the dogs chase was tired .')\n"
# Lines as "Copy as Python" gave them at an earlier version, and the same with the names of today; both set `x`.
OLD_AND_NEW = [
    (
        "from model import Experiment\nfrom model.effects import attributed, blocked\n"
        + TEXT
        + "x = [blocked(experiment, 1, 2, 5), attributed(experiment, 1, 2, 5)]",
        "from model import Experiment\n"
        "from model.analysis.attribution import gradient_times_weight, key_ablation_effect\n"
        + TEXT
        + "x = [key_ablation_effect(experiment, 1, 2, 5), gradient_times_weight(experiment, 1, 2, 5)]",
    ),
    (
        "from model.effects import held_out\nx = held_out('grammar').loss",
        "from model.analysis.ablation import evaluate_held_out\nx = evaluate_held_out('grammar').loss",
    ),
    (
        "from model import Experiment, run\nfrom model.mask import Looks\n"
        "x = run(Experiment(text='the dog was tired .', looks=Looks('window', 2))).logits",
        "from model import Experiment, run\nfrom model.mask import MaskSpec\n"
        "x = run(Experiment(text='the dog was tired .', mask_spec=MaskSpec('window', 2))).logits",
    ),
    (
        "from model import Experiment, run\nfrom model.attention_override import Overwrite\n"
        "x = run(Experiment(text='a dog .', overwrite=Overwrite(0, 1, 2, (0.5, 0.5, 0.0, 0.0)))).logits",
        "from model import Experiment, run\nfrom model.attention_override import AttentionOverride\n"
        "x = run(Experiment(text='a dog .', override=AttentionOverride(0, 1, 2, (0.5, 0.5, 0.0, 0.0)))).logits",
    ),
    (
        "from model import Experiment, run\nfrom model.run import encode, lens\nfrom model.words import by_word\n"
        + TEXT
        + "trace = run(experiment)\n"
        "words = encode(experiment).word_of\n"
        "x = [lens(experiment, trace)[:, 3], by_word(trace.layers[0].attention.weights[0], words)]",
        "from model import Experiment, run\nfrom model.run import encode, logit_lens\n"
        "from model.word_aggregation import merge_to_words\n" + TEXT + "trace = run(experiment)\n"
        "weights = trace.layers[0].attention.weights[0]\n"
        "x = [logit_lens(experiment, trace)[:, 3], merge_to_words(weights, encode(experiment).word_ids)]",
    ),
    (
        "from model import Experiment, run\nfrom model.leak import edited, leak\n"
        + TEXT
        + "x = leak(run(experiment), run(edited(experiment, 5, 'cats'))).logits",
        "from model import Experiment, run\nfrom model.analysis.mask_leak import measure_leak, replace_word\n"
        + TEXT
        + "x = measure_leak(run(experiment), run(replace_word(experiment, 5, 'cats'))).logits",
    ),
    (
        "from model.sizes import Sizes, try_out\nx = try_out(Sizes(queries=3)).weights",
        "from model.analysis.attention_cost import AttentionCost, run_random\n"
        "x = run_random(AttentionCost(queries=3)).weights",
    ),
    (
        "from model.checkpoint import card, load\nx = [card('grammar')['seed'], *load('grammar')[1].silent]",
        "from model.checkpoint import load, read_card\n"
        "x = [read_card('grammar')['seed'], *load('grammar')[1].special_ids]",
    ),
]


@pytest.mark.parametrize(("old", "new"), OLD_AND_NEW, ids=[old.splitlines()[-1][:40] for old, _ in OLD_AND_NEW])
def test_lines_copied_from_an_earlier_version_give_the_numbers_of_the_lines_of_today(old, new):
    before, now = {}, {}
    exec(old, before)
    exec(new, now)
    parts = zip(before["x"], now["x"], strict=True) if isinstance(now["x"], list) else [(before["x"], now["x"])]
    for a, b in parts:
        assert close(np.asarray(a, dtype=float), np.asarray(b, dtype=float))


LINE = re.compile(r"from (model[\w.]*) import ([\w, ]+)")


def old_names_in(text):
    """What the import lines inside a text name as it was called in an earlier version."""
    for module, names in LINE.findall(text):
        if module in MOVED:
            yield module
        yield from (f"{module}.{name}" for name in names.split(", ") if name in RENAMED.get(module, {}))


def test_no_line_that_is_copied_today_uses_an_old_name():
    root = Path(__file__).parents[2]
    files = [root / "README.md", *root.glob("viz/**/*.py"), *root.glob("viz/**/*.md")]
    matches = {path.name: list(old_names_in(path.read_text(encoding="utf-8"))) for path in files}
    assert {name: old for name, old in matches.items() if old} == {}
    assert list(old_names_in("from model.effects import kl")) == ["model.effects"]
    assert list(old_names_in("from model.run import encode, lens")) == ["model.run.lens"]


def test_every_old_name_stands_in_the_table_and_no_new_module_is_hidden_by_one():
    assert set(MOVED) <= set(IMPORTED)
    for old, new in MOVED.items():
        sys.modules.pop(old, None)
        result = importlib.util.find_spec(old)
        assert type(result.loader).__name__ == "OldModules", f"{old} is a module again"
        assert all(importlib.util.find_spec(name).origin for name in new)
