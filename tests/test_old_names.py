"""What notebooks and copied lines of earlier versions import is still there, the same thing as under its new name."""

import importlib
import sys

import pytest

from model.old_names import MOVED

# Module → the names that the lines under "Copy as Python", and the README, have imported from it.
IMPORTED = {
    "model": ("Experiment", "Switches", "generate", "load", "run"),
    "model.attention": ("attend",),
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


def test_every_old_name_stands_in_the_table_and_no_new_module_is_hidden_by_one():
    assert set(MOVED) <= set(IMPORTED)
    for old, new in MOVED.items():
        sys.modules.pop(old, None)
        found = importlib.util.find_spec(old)
        assert type(found.loader).__name__ == "OldNames", f"{old} is a module again"
        assert all(importlib.util.find_spec(name).origin for name in new)
