"""Where the script and the style sheet of a component stand, from the folder of all scripts."""

import posixpath
import re
from functools import cache
from pathlib import Path

FRONTEND = Path(__file__).parent / "canvas/frontend"
IMPORT = re.compile(r'from "(\.\.?/[\w/.-]+)\.js"')
PAGE_TOOLS = (
    "class_question",
    "lesson",
    "save",
    "save_page",
    "share",
)  # all others are figures
# Components that look alike share a style sheet.
SHARED = {
    "rotation": "sinusoid_waves",
    "layer_grid": "sinusoid_waves",
    "training_history": "sinusoid_waves",
    "decoding_costs": "layer_costs",
    "tiled_attention": "layer_costs",
    "approximation": "layer_costs",
    "logit_lens": "probability_bars",
    "hidden_units": "probability_bars",
    "accuracy_by_length": "probability_bars",
    "line_panels": "probability_bars",
    "rate_schedules": "sinusoid_waves",
    "save_page": "save",
    "class_question": "save",
}


def script_of(component: str) -> str:
    """The file of the component's script, without its ending: "figures/head_grid"."""
    return f"{'page' if component in PAGE_TOOLS else 'figures'}/{component}"


def style_of(component: str) -> str:
    """The file of the component's style sheet, without its ending."""
    return script_of(SHARED.get(component, component))


@cache
def component_style(component: str) -> str:
    """The style sheet itself."""
    return (FRONTEND / f"{style_of(component)}.css").read_text(encoding="utf-8")


@cache
def modules_of(script: str) -> tuple[str, ...]:
    """A script and every one that it imports, directly or not, without their endings: "figures/maps", "lib/cells"."""
    names, todo = [], [script]
    while todo:
        name = todo.pop()
        if name not in names:
            names.append(name)
            source = (FRONTEND / f"{name}.js").read_text(encoding="utf-8")
            todo += [
                posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in IMPORT.findall(source)
            ]
    return tuple(names)
