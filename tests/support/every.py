"""Every figure of the lab: the links that show them, page by page, and what each was made of."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from screen import component, visit, well

SHOWN = {
    ("heads", ()): ("sentence", "grid", "enlarged", "next", "lens"),
    ("heads", (("more", "Rollout"),)): ("sentence", "grid", "enlarged", "rollout"),
    ("heads", (("more", "Rollout"), ("residual", "false"))): ("sentence", "grid", "enlarged", "rollout"),
    ("heads", (("more", "Generate"), ("top_k", "3"))): ("sentence", "grid", "enlarged", "candidates"),
    ("heads", (("weights", "stories"), ("units", "words"), ("more", "Rollout"))): (
        "sentence",
        "grid",
        "enlarged",
        "rollout",
    ),
    ("heads", (("weights", "stories"), ("units", "words"), ("more", "Generate"))): (
        "sentence",
        "grid",
        "enlarged",
        "candidates",
    ),
    ("heads", (("stage", "masked"), ("scale", "false"))): ("sentence", "grid", "enlarged", "next", "lens"),
    ("inside", ()): ("walk",),
    ("inside", (("aspect", "Loop or matrix"),)): ("forms",),
    ("inside", (("aspect", "Size and cost"),)): ("sizes",),
    ("inside", (("aspect", "Size and cost"), ("source", "this layer"))): ("sizes",),
    ("inside", (("aspect", "Average of values"),)): ("averaging",),
    ("inside", (("aspect", "QK spectrum"),)): ("spectrum",),
    ("masks", ()): ("stages", "leaks"),
    ("masks", (("looks", "window"), ("size", "3"))): ("stages", "leaks"),
    ("masks", (("section", "KV cache"),)): ("stages", "ways"),
    ("masks", (("section", "Trained without the mask"),)): ("stages", "cheating"),
    ("masks", (("guess", "mask"),)): ("guessing",),
    ("positions", ()): ("waves_drawn",),
    ("positions", (("show", "Rotation"),)): ("turns_drawn",),
    ("positions", (("show", "Position and distance"),)): ("distance",),
    ("positions", (("show", "Shift test"),)): ("shift",),
    ("positions", (("show", "Shuffle test"),)): ("shuffled",),
    ("positions", (("show", "Length generalisation"),)): ("lengths",),
    ("remove", (("scale", "false"), ("off", "L1H2"))): ("compare", "pairs"),
    ("remove", (("norm", "false"), ("then", "Residual stream"))): (
        "compare",
        "stream_length",
        "stream_standard",
        "stream_mean",
    ),
    ("remove", (("then", "Head ablation"),)): ("compare", "knockouts"),
    ("remove", (("then", "Override one row"),)): ("compare", "overwritten", "worth"),
    ("remove", (("view", "Trained without"),)): ("loss_curves", "answer_curves"),
    ("remove", (("view", "Why √d_k"),)): ("saturation", "head_scores", "query_gradient"),
    ("remove", (("view", "Layer norm, batch norm"),)): ("moved_layer", "moved_batch", "over_layer", "over_batch"),
    ("translate", ()): ("writing", "alignment", "networks"),
    ("translate", (("method", "beam"), ("said", "3"))): ("writing", "tree", "alignment", "networks"),
    ("translate", (("method", "sample"), ("temperature", "2.0"), ("seed", "3"))): ("writing", "alignment", "networks"),
    ("translate", (("map", "source → source"), ("averaged", "false"))): ("writing", "alignment", "networks"),
    ("translate", (("map", "target → target"), ("scale", "false"))): ("writing", "alignment", "networks"),
    ("translate", (("network", "GRU with attention"), ("beside", "Accuracy by length"))): (
        "writing",
        "alignment",
        "copies",
        "translations",
    ),
    ("translate", (("network", "GRU without attention"),)): ("writing", "networks"),
    ("translate", (("norm", "false"), ("beside", "Ablation"))): ("writing", "alignment", "taken_out"),
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
BY_HAND = ("guessing",)  # what a visitor has painted cannot be computed again


@dataclass(frozen=True)
class SavedFigure:
    """What stands under one figure, and a file of it."""

    header: dict[str, Any]
    file: bytes


@cache
def opened(page, state):
    """The page as that link opens it, at rest."""
    screen = well(visit(f"viz/pages/{page}/page.py", **dict(state)))
    if ("section", "KV cache") in state:
        screen.button(key="measure").click()
        well(screen.run())
    return screen


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
        assert header["made"] == kind
        saved[key] = SavedFigure(header, arrays["bytes"].tobytes())
    return saved
