"""Every figure of the lab: the links that show them, page by page, and what each was made of."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from screen import component, visit, well

from viz.ui import server_cache

SHOWN = {
    ("heads", ()): ("sentence", "grid", "enlarged", "next", "lens"),
    ("heads", (("panel", "Rollout"),)): ("sentence", "grid", "enlarged", "rollout"),
    ("heads", (("panel", "Rollout"), ("residual", "false"))): ("sentence", "grid", "enlarged", "rollout"),
    ("heads", (("panel", "Generate"), ("top_k", "3"))): ("sentence", "grid", "enlarged", "candidates"),
    ("heads", (("weights", "stories"), ("units", "words"), ("panel", "Rollout"))): (
        "sentence",
        "grid",
        "enlarged",
        "rollout",
    ),
    ("heads", (("weights", "stories"), ("units", "words"), ("panel", "Generate"))): (
        "sentence",
        "grid",
        "enlarged",
        "candidates",
    ),
    ("heads", (("stage", "masked"), ("scale", "false"))): ("sentence", "grid", "enlarged", "next", "lens"),
    ("machine", ()): ("machine", "hidden_units"),
    ("machine", (("mlp", "false"), ("heads_off", "L1H2"))): ("machine",),
    ("machine", (("weights", "stories"), ("residual", "false"), ("layer", "1"))): ("machine", "hidden_units"),
    ("machine", (("weights", "translate"),)): ("machine", "hidden_units"),
    ("machine", (("weights", "copy-transformer"), ("target", "c a f"), ("heads_off", "X0H1"))): (
        "machine",
        "hidden_units",
    ),
    ("why", ()): ("paths", "gradients"),
    ("why", (("from_token", "3"), ("to_token", "1"), ("stack_layers", "2"))): ("paths", "gradients"),
    ("why", (("gradient_of", "Trained models"),)): ("paths", "trained_gradients"),
    ("why", (("view", "Windows"),)): ("regions",),
    ("why", (("view", "Windows"), ("window_sides", "both sides"), ("dilation", "doubled from layer to layer"))): (
        "regions",
    ),
    ("why", (("view", "One after another"),)): ("schedules",),
    ("why", (("view", "One after another"), ("measure_speed", "true"))): ("schedules", "training_speed"),
    ("why", (("view", "The table"),)): ("layer_costs",),
    ("why", (("view", "The table"), ("cost_d", "16"), ("cost_n", "1024"), ("cost_heads", "16"))): ("layer_costs",),
    ("why", (("view", "Escaping the square"),)): ("escape_costs", "approximation", "tiles"),
    ("why", (("view", "Escaping the square"), ("weights", "translate"), ("tile_queries", "3"), ("head", "1"))): (
        "escape_costs",
        "approximation",
        "tiles",
    ),
    ("why", (("view", "Decoding and the cache"),)): ("decoding_costs",),
    ("why", (("view", "Decoding and the cache"), ("cache_heads", "4"), ("cache_n", "512"))): ("decoding_costs",),
    ("inside", ()): ("walk",),
    ("inside", (("weights", "translate"),)): ("walk",),
    ("inside", (("weights", "copy-transformer"), ("query", "2"), ("layer", "1"), ("scale", "false"))): ("walk",),
    ("inside", (("view", "Loop or matrix"),)): ("forms",),
    ("inside", (("view", "Size and cost"),)): ("sizes",),
    ("inside", (("view", "Size and cost"), ("sizes_from", "this layer"))): ("sizes",),
    ("inside", (("view", "Average of values"),)): ("averaging",),
    ("inside", (("view", "QK spectrum"),)): ("spectrum",),
    ("masks", ()): ("stages", "leaks"),
    ("masks", (("mask_kind", "window"), ("mask_size", "3"))): ("stages", "leaks"),
    ("masks", (("view", "KV cache"),)): ("stages", "ways"),
    ("masks", (("view", "Trained without the mask"),)): ("stages", "cheating"),
    ("masks", (("guess", "mask"),)): ("guessing",),
    ("positions", ()): ("waves_drawn",),
    ("positions", (("view", "Rotation"),)): ("turns_drawn",),
    ("positions", (("view", "Position and distance"),)): ("distance",),
    ("positions", (("view", "Shift test"),)): ("shift",),
    ("positions", (("view", "Shuffle test"),)): ("shuffled",),
    ("positions", (("view", "Length generalisation"),)): ("lengths",),
    ("remove", (("scale", "false"), ("heads_off", "L1H2"))): ("compare", "pairs"),
    ("remove", (("norm", "false"), ("panel", "Residual stream"))): (
        "compare",
        "stream_length",
        "stream_standard",
        "stream_mean",
    ),
    ("remove", (("panel", "Head ablation"),)): ("compare", "knockouts"),
    ("remove", (("panel", "Override one row"),)): ("compare", "overwritten", "worth"),
    ("remove", (("view", "Trained without"),)): ("loss_curves", "answer_curves"),
    ("remove", (("view", "Why √d_k"),)): ("saturation", "head_scores", "query_gradient"),
    ("remove", (("view", "Layer norm, batch norm"),)): (
        "moved_layer",
        "moved_batch",
        "over_layer",
        "over_batch",
        "epsilon",
    ),
    ("training", ()): ("learning",),
    ("training", (("train_task", "Markov language"), ("train_change", "layers"), ("train_value", "1"))): ("learning",),
    ("training", (("view", "Learning rate"),)): ("rate_schedules",),
    ("training", (("view", "Before training"), ("train_depth", "5"))): ("initial_gradients",),
    ("training", (("view", "Along the gradient"),)): ("smoothness",),
    ("training", (("view", "Wind back"), ("history_step", "400"), ("text", "the dogs chase the cat ."))): ("history",),
    ("training", (("view", "Wind back"), ("history_of", "B of this page"))): ("history",),
    ("translate", ()): ("writing", "alignment", "networks"),
    ("translate", (("method", "beam"), ("target_step", "3"))): ("writing", "tree", "alignment", "networks"),
    ("translate", (("method", "sample"), ("temperature", "2.0"), ("seed", "3"))): ("writing", "alignment", "networks"),
    ("translate", (("map", "source → source"), ("mean_heads", "false"))): ("writing", "alignment", "networks"),
    ("translate", (("map", "target → target"), ("scale", "false"))): ("writing", "alignment", "networks"),
    ("translate", (("network", "GRU with attention"), ("panel", "Accuracy by length"))): (
        "writing",
        "alignment",
        "copies",
        "translations",
    ),
    ("translate", (("panel", "Unknown words"),)): ("writing", "alignment", "misspelt"),
    ("translate", (("network", "GRU without attention"),)): ("writing", "networks"),
    ("translate", (("norm", "false"), ("panel", "Ablation"))): ("writing", "alignment", "taken_out"),
    ("translate", (("task", "Coreference"),)): ("layer_0", "layer_1", "meant"),
    ("translate", (("task", "Copy"),)): ("writing", "alignment", "networks"),
    ("translate", (("task", "Dates"),)): ("writing", "alignment", "copies", "translations"),
    ("translate", (("network", "Transformer on subwords"), ("units", "words"), ("map", "target → source"))): (
        "writing",
        "alignment",
        "networks",
    ),
    ("translate", (("network", "Transformer on subwords"), ("units", "words"), ("map", "source → source"))): (
        "writing",
        "alignment",
        "networks",
    ),
    ("translate", (("network", "Transformer on subwords"), ("units", "words"), ("map", "target → target"))): (
        "writing",
        "alignment",
        "networks",
    ),
}
BY_HAND = ("guessing", "training_speed")  # painted by a visitor, or measured by a clock: not to be computed again


@dataclass(frozen=True)
class SavedFigure:
    """What stands under one figure, and a file of it."""

    header: dict[str, Any]
    file: bytes


@cache
def opened(page, state):
    """The page as that link opens it, at rest."""
    screen = well(visit(f"viz/pages/{page}/page.py", **dict(state)))
    if ("view", "KV cache") in state:
        screen.button(key="measure").click()
        well(screen.run())
    return screen


_clear_results = server_cache.clear


def _clear_results_and_pages():
    """A page whose results are gone computes them anew, and would lose the file that a test asks it for."""
    _clear_results()
    opened.cache_clear()


server_cache.clear = _clear_results_and_pages


def file_of(page, state, key, kind):
    """The file of that kind that the page makes when it is asked for."""
    return _saved_figures(page, state, (key,), kind)[key]


@cache
def files(page, state, kind):
    """The files of that kind of all figures of the page, made in one run of it."""
    return _saved_figures(page, state, SHOWN[page, state], kind)


def _saved_figures(page, state, keys, kind):
    screen = opened(page, state)
    for key in keys:
        screen.session_state[f"ask_{key}"] = {"kind": kind, "link": f"/{page}"}
    well(screen.run())
    saved = {}
    for key in keys:
        header, arrays = component(screen, f"save_{key}")
        assert header["ready"] == kind
        saved[key] = SavedFigure(header, arrays["bytes"].tobytes())
    return saved
