"""Old names that copied lines and notebooks of earlier versions use, and that can still be imported.

MOVED: modules that have another name now. RENAMED: functions and classes. FIELDS: fields of records, which can be read
and passed as keywords under their old names.
"""

import functools
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

# Every module that copied lines and the README have imported → the modules that contain its names now.
MOVED = {
    "model.attention_override": ("model.attention",),
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

# Module → old name → new name, for everything that such lines have imported.
RENAMED: dict[str, dict[str, str]] = {
    "model.analysis.ablation": {"held_out": "evaluate_held_out", "knockouts": "ablate_each_head"},
    "model.analysis.alignment": {"likeliest": "top_k_tokens", "looks": "attention_maps", "one_map": "select_map"},
    "model.analysis.attention_cost": {"Sizes": "AttentionCost", "try_head": "run_head", "try_out": "run_random"},
    "model.analysis.attribution": {"attributed": "gradient_times_weight", "blocked": "key_ablation_effect"},
    "model.analysis.head_walkthrough": {"walk": "walk_through_row"},
    "model.analysis.mask_leak": {"edited": "replace_word", "leak": "measure_leak"},
    "model.analysis.norm_comparison": {"company": "compare_norms", "draw_batch": "make_batch"},
    "model.analysis.position_similarity": {"sight": "position_similarity"},
    "model.analysis.score_scaling": {"unit_steps": "sweep_widths"},
    "model.analysis.value_projection": {"lay": "project_values"},
    "model.analysis.word_shuffle": {"shuffle": "shuffle_all"},
    "model.attention": {"Overwrite": "AttentionOverride"},
    "model.checkpoint": {"card": "read_card"},
    "model.evaluation.fresh_accuracy": {"copies": "copy_accuracy", "translations": "translation_accuracy"},
    "model.evaluation.seq2seq": {"in_words": "merge_pair_to_words"},
    "model.generation.sampling": {"shares": "sampling_probabilities", "softmax": "probabilities"},
    "model.importers": {"look": "inspect_folder"},
    "model.importers.transformers_backend": {"open_foreign": "load_with_transformers"},
    "model.mask": {"Looks": "MaskSpec"},
    "model.run": {"TextError": "InputTextError", "lens": "logit_lens", "model": "get_model"},
    "model.tasks.parse": {"READERS": "PARSERS"},
    "model.word_aggregation": {"by_word": "merge_to_words"},
}

# Module → class → old field → new field.
FIELDS: dict[str, dict[str, dict[str, str]]] = {
    "model.analysis.attention_cost": {"OperatorCheck": {"apart": "difference"}},
    "model.analysis.head_walkthrough": {
        "HeadWalkthrough": {
            "after": "resid_after",
            "carried": "head_outputs",
            "gain": "gamma",
            "shift": "beta",
            "stream": "resid",
            "to_k": "w_k",
            "to_q": "w_q",
            "to_v": "w_v",
            "turned": "rotated",
        }
    },
    "model.analysis.loop_attention": {
        "LoopVsMatmul": {
            "rows": "loop",
            "weights_apart": "weights_difference",
            "whole": "matmul",
            "z_apart": "z_difference",
        }
    },
    "model.analysis.norm_comparison": {
        "NormComparison": {
            "by": "replacement",
            "moved": "change",
            "real": "is_token",
            "stream": "resid",
            "words": "tokens",
        }
    },
    "model.analysis.position_similarity": {
        "PositionSimilarity": {"similarity": "is_similarity", "what": "quantity"},
    },
    "model.analysis.value_projection": {"ValueProjection": {"share": "explained_variance"}},
    "model.analysis.word_shuffle": {"ShuffleResult": {"present": "active"}},
    "model.generation.beam_search": {"Beam": {"written": "hypotheses"}, "Candidate": {"followed": "kept"}},
    "model.generation.cache_comparison": {"CacheComparison": {"apart": "max_difference"}},
    "model.importers.inspect": {"ModelInfo": {"why_maps_only": "maps_only_reason"}},
    "model.importers.transformers_backend": {
        "AttentionMaps": {"looked_at": "key_tokens", "looking": "query_tokens"},
    },
    "model.recurrent": {
        "AttentiveDecoderTrace": {"mixed": "attentional_hidden"},
        "RecurrentEncoderTrace": {"vector": "final_state"},
    },
    "model.run": {"Experiment": {"looks": "mask_spec", "overwrite": "override"}},
    "model.training.stories": {"StoriesRecipe": {"looked_at": "curve_windows"}},
    "model.subword": {"SubwordTokenizer": {"silent": "special_ids"}},
    "model.tasks.pair": {"Pair": {"between": "separator", "links": "alignment"}},
    "model.tokenizer": {
        "Encoding": {"typed": "surface", "word_of": "word_ids"},
        "WordTokenizer": {"silent": "special_ids"},
    },
}


class OldModules(MetaPathFinder, Loader):
    """Finds a module of MOVED if Python's own finders do not find it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of an old module; None for every other name."""
        return ModuleSpec(fullname, self) if fullname in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module with the names of the modules that replaced it, including their old names."""
        for name in MOVED[module.__name__]:
            new = importlib.import_module(name)
            names = {name: value for name, value in vars(new).items() if not name.startswith("__")}
            vars(module).update(names | {old: names[now] for old, now in RENAMED.get(name, {}).items()})


class OldNames(MetaPathFinder):
    """Finds a module of RENAMED or FIELDS as Python does, and adds its old names after it is loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module that has old names; None for every other module."""
        if fullname not in RENAMED and fullname not in FIELDS:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _LoaderOfOldNames(spec.loader.name, spec.loader.path)
        return spec


class _LoaderOfOldNames(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        add_old_names(module)


def add_old_names(module: ModuleType) -> None:
    """Add the old names of RENAMED and FIELDS to a loaded module."""
    renamed = RENAMED.get(module.__name__)
    if renamed:
        vars(module)["__getattr__"] = functools.partial(_old_name, module, renamed)
    for name, fields in FIELDS.get(module.__name__, {}).items():
        record = getattr(module, name)
        for old, new in fields.items():
            setattr(record, old, property(functools.partial(_read, new)))
        record.__init__ = _accept_old_keywords(record.__init__, fields)


def _old_name(module: ModuleType, renamed: Mapping[str, str], name: str) -> Any:
    """The value of `module.name` for a name that the module does not have."""
    if name in renamed:
        return getattr(module, renamed[name])
    raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")


def _read(field: str, record: object) -> Any:
    return getattr(record, field)


def _accept_old_keywords(function: Callable[..., Any], fields: Mapping[str, str]) -> Callable[..., Any]:
    """The same function, which also accepts the old names of its keywords."""

    @functools.wraps(function)
    def accepting(*args: Any, **keywords: Any) -> Any:
        new = {name: value for name, value in keywords.items() if name not in fields}
        return function(*args, **new | {fields[name]: keywords[name] for name in keywords if name in fields})

    return accepting


def install() -> None:
    """Make the old names available, in modules that are already loaded and in those that will be loaded."""
    if any(isinstance(finder, OldNames) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, OldNames())
    sys.meta_path.append(OldModules())
    for name in {*RENAMED, *FIELDS} & sys.modules.keys():
        add_old_names(sys.modules[name])
