"""One parallel pass, and the same text word by word with a key–value cache: the same numbers, and what each costs."""

from dataclasses import replace

import numpy as np
import streamlit as st

from model.compute.cost import PER_SECOND
from model.generation.cache_comparison import CacheComparison, compare, cost_of_comparison
from model.generation.kv_cache import is_cacheable
from model.run import MAX_TOKENS, Experiment, get_transformer
from viz import canvas
from viz.canvas import Panel
from viz.captions.counting import two_digits
from viz.captions.masks import describe_kv_cache
from viz.export.tables import file_name
from viz.labels import numbered
from viz.theme import Theme
from viz.ui import controls, copy_as_python, figure_panel, head_facts, model_calls, server_cache, slots
from viz.ui.state import Key, Param

COPIES = {"this text": 1, "4 times": 4, "8 times": 8}
MOST_TOKENS = min(256, MAX_TOKENS)  # without a cache the time grows with their square and more
MAX_SECONDS, MAX_REPETITIONS = (
    8,
    5,
)  # seconds: a text that takes longer is read once each way, a shorter one up to five times


@server_cache.cached
def three_ways(experiment: Experiment) -> CacheComparison:
    """All three ways, timed on this machine."""
    cost = cost_of_comparison(experiment)
    repetitions = max(1, min(MAX_REPETITIONS, MAX_SECONDS * PER_SECOND // cost))
    with slots.long("Running the text three ways", cost * repetitions):
        return compare(experiment, repetitions, patience=MAX_SECONDS)


def show(experiment: Experiment, layer: int, head: int, theme: Theme) -> None:
    """After a click: both ways side by side, their difference, and the time of each."""
    if not is_cacheable(get_transformer(experiment.weights)[0], experiment.switches):
        st.info(
            "This model is not causal: each new word changes the vectors of the other words, so nothing can be cached."
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        length = len(model_calls.encoding(experiment).ids)
        default = _longest_accepted(length)
        copies = COPIES[controls.choice("Length", list(COPIES), key=Param.COPIES, default=default, width="content")]
        repeated = replace(experiment, mask_spec=None, text=" ".join([experiment.text] * copies))
        tokens = length * copies
        if tokens > MOST_TOKENS:
            st.markdown(f"That would be {tokens} tokens; this test accepts up to {MOST_TOKENS}.", width="content")
            return
        try:
            slots.refuse(cost_of_comparison(repeated))
        except slots.TooMuch as error:
            st.markdown(str(error), width="content")
            return
        if st.button("Measure on this machine", key=Key.MEASURE):
            st.session_state[Key.MEASURED] = repeated
        st.markdown("The test uses the model's own causal mask.", width="content")
    if st.session_state.get(Key.MEASURED) != repeated:
        return
    stop = st.empty()
    if not three_ways.has(repeated):
        stop.button("Stop", key=Key.STOP_MEASURING, on_click=_stop)
    ways = three_ways(repeated)
    stop.empty()
    _result(repeated, ways, layer, head, theme)


def _longest_accepted(tokens: int) -> str:
    """The name of the most copies that are accepted of a text of so many tokens: a cache gains most on a long text."""
    accepted = [name for name, copies in COPIES.items() if tokens * copies <= MOST_TOKENS]
    return max(accepted, key=COPIES.__getitem__, default=next(iter(COPIES)))


def _stop() -> None:
    st.session_state.pop(Key.MEASURED, None)


def _result(experiment: Experiment, ways: CacheComparison, layer: int, head: int, theme: Theme) -> None:
    words = model_calls.encoding(experiment).surface
    apart = ways.max_difference[0]
    sentence = describe_kv_cache(float(apart.max()), float(np.abs(ways.logits[0]).max()), ways.seconds, len(words))
    parallel, cached, _ = (weights[layer, head] for weights in ways.weights)  # (T, T)
    causal = np.tri(len(words), dtype=bool)  # what a step could see: the words up to it
    columns = st.columns([3, 3, 3, 3], gap="small")
    names = ("One parallel pass", "Word by word, with cache", "Word by word, without")
    for column, name, seconds in zip(columns, names, ways.seconds, strict=False):
        ratio = f"{seconds / ways.seconds[0]:.1f} × one pass"
        hint = f"Median of {ways.repetitions} runs." if ways.repetitions > 1 else "Measured once."
        column.metric(name, f"{1e3 * seconds:.1f} ms", ratio, delta_color="off", delta_arrow="off", help=hint)
    difference = two_digits(float(apart.max()))
    columns[3].metric("Largest difference in logits", difference, "with cache", delta_color="off", delta_arrow="off")
    drawn = canvas.maps(
        [
            Panel("one parallel pass", parallel, "weight", mask=causal),
            Panel("word by word, with a cache", cached, "weight", mask=causal),
            Panel("difference", cached - parallel, "signed", mask=causal),
        ],
        canvas.Axes(words),
        key="ways",
        theme=theme,
    )
    figure_panel.below(
        drawn,
        sentence=sentence,
        table=lambda: {
            "position": np.arange(len(words)),
            "word": numbered(words),
            "largest difference in logits, with cache": ways.max_difference[0],
            "largest difference in logits, without": ways.max_difference[1],
        },
        file=file_name(experiment.name, "one-pass-or-many"),
        of=experiment,
        arrays=lambda: head_facts.maps(words, one_pass=parallel, with_cache=cached),
        python=copy_as_python.python(
            f"heads = [weights[{layer}, {head}] for weights in compare(experiment).weights]  # (T, S) each\n"
            "one_pass, with_cache, without_cache = heads",
            "from model.generation.cache_comparison import compare",
            experiment=experiment,
        ),
    )
