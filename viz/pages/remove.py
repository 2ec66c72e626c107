"""What breaks when a part goes? The model whole, the model without, and the difference."""

from dataclasses import replace
from functools import partial

import streamlit as st

from model import Switches
from model.effects import moved
from viz import head_grid
from viz.export import file_name
from viz.pairs import pairs
from viz.reading import read_change, read_next, read_stream
from viz.stream import stream
from viz.ui import controls, facts, frame, panel, removal, runs

theme = frame.theme()
notices = st.container()
experiment = controls.experiment()
config = runs.about(experiment.weights)["config"]
n_layers, n_heads = config["n_layers"], config["n_heads"]
off = removal.heads_off(n_layers, n_heads)
layer, head = controls.head(n_layers, n_heads, default=facts.headline(experiment.weights))

whole = replace(experiment, switches=Switches())
without = replace(experiment, switches=replace(experiment.switches, heads_off=off))
a, b = runs.trace(whole), runs.trace(without)
words = runs.encoding(whole).typed
pinned = controls.token(words)
(weights_a, mask_a), (weights_b, mask_b) = facts.all_weights(a), facts.all_weights(b)  # (L, H, T, S)
kl = moved(a, b)  # (T,)
row = facts.moved_row(kl, weights_a[layer, head]) if pinned is None else pinned
controls.foot(experiment)

controls.unknown_words(experiment)
if without.switches == whole.switches:
    removal.offers()
removal.strip((whole, a), (without, b), words)
head_grid.compare(
    weights_a,
    weights_b,
    words,
    key="compare",
    masks=(mask_a, mask_b),
    titles=("A  whole", f"B  {removal.without(without.switches)}", "A − B"),
    moved=kl,
    selected=(layer, head),
    row=row,
    pinned=pinned is not None,
    theme=theme,
    on_head=controls.choose_head,
    on_pin=controls.choose_token,
)
panel.below(
    "compare",
    sentence=read_change(kl, words, removal.without(without.switches)),
    table=partial(facts.pair_table, weights_a, weights_b, words),
    file=file_name(without.name, "compare"),
)

match removal.view():
    case "Next word":
        p, q, likely = removal.next_words(a, b, row, experiment.weights)
        with st.columns([3, 2])[0]:
            panel.chart(
                pairs(p, q, likely, theme=theme),
                key="pairs",
                sentence=read_next(p, likely, words[row], who="A") + " " + read_next(q, likely, words[row], who="B"),
                table=lambda: {"word": likely, "A": p, "B": q},
                file=file_name(without.name, f"next-word-{row}"),
            )
    case "Stream":
        stages, sizes_a = removal.stream_numbers(a)
        _, sizes_b = removal.stream_numbers(b)
        for column, name in zip(st.columns(3), sizes_a, strict=True):
            with column:
                panel.chart(
                    stream(sizes_a[name], sizes_b[name], stages, words, theme=theme, title=f"{name} of each vector"),
                    key=f"stream_{name.split()[0]}",
                    sentence=read_stream(sizes_a[name], sizes_b[name], name, stages),
                    table=partial(removal.stream_table, stages, words, sizes_a[name], sizes_b[name]),
                    file=file_name(without.name, f"stream-{name}"),
                )
        removal.norms(a, b)
    case "Head knock-outs":
        removal.knockout_section(experiment.weights, theme)
    case "One row by hand":
        removal.row_section(whole, layer, head, row, theme)
    case "Why √d_k":
        st.markdown("soon")
    case "Layer norm, batch norm":
        st.markdown("soon")

panel.lesson("remove")
with notices:
    controls.link_mishaps()
