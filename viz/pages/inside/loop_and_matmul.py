"""Loop or matrix: the loop over words beside the three products, and how far they are apart."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from model.analysis import loop_attention
from model.run import Experiment
from model.transformer import Trace
from viz import canvas
from viz.canvas import Panel
from viz.captions.inside import describe_loop_and_matmul
from viz.export.tables import file_name
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, head_facts, model_calls, server_cache, slots

MAX_LOOP_WORDS = 96  # words: the loop of Python over every pair of them takes a moment then


def show(
    experiment: Experiment, trace: Trace[Array], layer: int, head: int, words: Sequence[str], theme: Theme
) -> None:
    """The loop over words beside the three products."""
    attention = trace.layers[layer].attention
    present = experiment.switches & model_calls.trained(experiment.weights)
    single, double = _forms(experiment, layer, head)
    mask = attention.mask[head]
    reach = single.weights_difference or 1e-12
    drawn = canvas.maps(
        [
            Panel("word by word", single.loop, mask=mask),
            Panel("three products", single.matmul, mask=mask),
            Panel("difference, float32", single.loop - single.matmul, "signed", mask=mask, limit=reach),
            Panel("difference, float64", double.loop - double.matmul, "signed", mask=mask, limit=reach),
        ],
        canvas.Axes(words),
        key="forms",
        theme=theme,
    )
    figure_panel.below(
        drawn,
        sentence=describe_loop_and_matmul(*((form.weights_difference, form.z_difference) for form in (single, double))),
        table=partial(head_facts.map_table, single.loop - single.matmul, words),
        file=file_name(experiment.name, f"L{layer}H{head}-forms"),
        of=experiment,
        arrays=partial(head_facts.maps, words, word_by_word=single.loop, three_products=single.matmul),
        python=copy_as_python.python(
            f"attention = run(experiment).layers[{layer}].attention\n"
            f"single, double = compare_head(attention, {head}, scale={present.scale})\n"
            "word_by_word, three_products = single.loop, single.matmul  # (T, S)",
            "from model.analysis.loop_attention import compare_head",
            experiment=experiment,
        ),
    )
    divisor = r"\sqrt{d_k}" if present.scale else "1"
    row, whole = st.columns(2, gap="large")
    row.markdown(
        rf"**Word by word.** For every word $t$: $s_{{tj}} = q_t \cdot k_j / {divisor} + b_{{tj}}$ for the $j$ that it "
        rf"may attend to, $a_{{tj}} = e^{{s_{{tj}}}} / \sum_i e^{{s_{{ti}}}}$, $z_t = \sum_j a_{{tj}} v_j$."
    )
    whole.markdown(rf"**Three products.** $Z = \mathrm{{softmax}}(Q K^\top / {divisor} + B)\, V$, all words at once.")


@server_cache.cached
def _forms(
    experiment: Experiment, layer: int, head: int
) -> tuple[loop_attention.LoopVsMatmul, loop_attention.LoopVsMatmul]:
    attention = model_calls.trace(experiment).layers[layer].attention
    scale = (experiment.switches & model_calls.trained(experiment.weights)).scale
    T = attention.q.shape[1]
    with slots.long("Word by word, and three products") if T > MAX_LOOP_WORDS else model_calls.compute_slots:
        return loop_attention.compare_head(attention, head, scale)
