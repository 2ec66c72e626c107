"""Where the script and the style sheet of a component stand, from the folder of all scripts."""

PAGE_TOOLS = ("lesson", "save", "save_page", "share")  # what belongs to a page; all others are figures
# Components that look alike share a style sheet.
SHARED = {
    "rotation": "sinusoid_waves",
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
}


def script_of(component: str) -> str:
    """The file of the component's script, without its ending: "figures/head_grid"."""
    return f"{'page' if component in PAGE_TOOLS else 'figures'}/{component}"


def style_of(component: str) -> str:
    """The file of the component's style sheet, without its ending."""
    return script_of(SHARED.get(component, component))
