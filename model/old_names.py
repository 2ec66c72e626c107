"""Modules under the names that they had before: copied lines and notebooks of earlier versions still run."""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# Every module that the lines under "Copy as Python" and the README have named, and where its names are now.
MOVED = {
    "model.bilinear": ("model.analysis.qk_circuit",),
    "model.cache": ("model.generation.cache_comparison", "model.generation.kv_cache"),
    "model.effects": (
        "model.analysis.ablation",
        "model.analysis.attribution",
        "model.analysis.prediction_change",
        "model.probability",
    ),
    "model.forms": ("model.analysis.loop_attention",),
    "model.importers.maps": ("model.importers.transformers_backend",),
    "model.leak": ("model.analysis.mask_leak",),
    "model.measure": ("model.analysis.attention_metrics", "model.evaluation.head_scores"),
    "model.order": ("model.evaluation.first_digit", "model.training.first_digit"),
    "model.pair_exam": ("model.evaluation.seq2seq",),
    "model.plane": ("model.analysis.value_projection",),
    "model.quality": ("model.evaluation.fresh_accuracy",),
    "model.rearrange": ("model.analysis.position_shift", "model.analysis.word_shuffle"),
    "model.saturation": ("model.analysis.score_scaling",),
    "model.sight": ("model.analysis.position_similarity",),
    "model.sizes": ("model.analysis.attention_cost",),
    "model.translate": ("model.generation.translate",),
    "model.walk": ("model.analysis.head_walkthrough",),
    "model.waves": ("model.analysis.sinusoid",),
    "model.words": ("model.word_aggregation",),
    "model.written": ("model.analysis.alignment",),
}


class OldNames(MetaPathFinder, Loader):
    """Finds a module of MOVED where Python's own finders have found none."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of that old name, if it is one."""
        return ModuleSpec(fullname, self) if fullname in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        """Give it the names of the modules that have taken its place."""
        for name in MOVED[module.__name__]:
            new = vars(importlib.import_module(name))
            vars(module).update({name: value for name, value in new.items() if not name.startswith("__")})


def install() -> None:
    """From now on the old names can be imported."""
    if not any(isinstance(finder, OldNames) for finder in sys.meta_path):
        sys.meta_path.append(OldNames())
