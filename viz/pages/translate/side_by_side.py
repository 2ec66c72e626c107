"""One source, every network: what each of them writes, and where those with attention attend."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from model.analysis.alignment import attention_maps, cross_map, gold_cells
from model.run import Experiment, InputTextError, encode_pair
from model.switches import Switches
from model.tokenizer import EOS
from viz import canvas
from viz.canvas import Panel
from viz.captions.translate import describe_networks, format_ln, shortened
from viz.export.tables import NamedArray, Table
from viz.labels import escape_markdown, numbered
from viz.pages.translate import compute, views
from viz.pages.translate.compute import ALONE, PIECES, TRANSFORMER
from viz.pages.translate.decoded import head_label
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel


def show(task: str, experiment: Experiment, row: int, theme: Theme) -> None:
    """Every network of the task on this source, whole."""
    networks = compute.available_tasks()[task]
    each = {name: replace(experiment, weights=weights, switches=Switches()) for name, weights in networks.items()}
    translations = {}
    for name, experiment_of_network in list(each.items()):
        try:
            translations[name] = compute.translation(experiment_of_network)
        except InputTextError as error:  # a network that reads pieces has more of them than there are words
            st.caption(f"{name}: {escape_markdown(str(error))}")
            del each[name]
    if not translations:
        return
    networks = {name: networks[name] for name in each}
    right, unit = compute.gold_of(experiment), compute.unit(experiment.weights)
    texts = {name: translation.text for name, translation in translations.items()}
    st.html(
        _table_of(
            texts,
            right.target_text if right else None,
            {name: sum(translation.logprobs) for name, translation in translations.items()},
            unit,
        )
    )
    # With the same target tokens, the networks can be compared row by row.
    common = right.target_text if right else texts.get(TRANSFORMER, next(iter(texts.values())))
    traces = {
        name: compute.teacher_forced_trace(replace(experiment_of_network, target=common))
        for name, experiment_of_network in each.items()
    }
    maps, titles, shown = {}, {}, {}
    for name, trace in traces.items():
        cross = attention_maps(trace).get("cross")
        if cross is None or name == PIECES:
            continue  # rows of pieces are no rows of words
        layer = compute.default_head(networks[name])[0]
        maps[name] = cross_map(trace, layer)
        titles[name] = f"{name}, {head_label(layer, None, cross)}"
        shown[networks[name]] = layer
    first = next(iter(each.values()))
    source = compute.source(first).surface
    target_tokens = (*encode_pair(replace(first, target=common))[1].surface[1:], EOS)
    marks = gold_cells(right, len(target_tokens)) if right else []
    drawn = canvas.maps(
        [Panel(titles[name], weights_of_network, marks=marks) for name, weights_of_network in maps.items()],
        canvas.Axes(target_tokens, source),
        key="networks",
        theme=theme,
        focus=canvas.TokenFocus(min(row, len(target_tokens) - 1)),
    )
    figure_panel.below(
        drawn,
        sentence=describe_networks(texts, right.target_text if right else None, unit),
        table=partial(_cells, maps, target_tokens, source),
        file=f"{experiment.name}-side-by-side",
        of=figure_panel.Subject(
            tuple(networks.values()),
            notice=f"every network is given the same {unit}s, the right ones where they are known",
        ),
        arrays=lambda: {
            "weights": NamedArray(
                np.stack(list(maps.values())),
                {
                    "network": list(maps),
                    "target_token": numbered(target_tokens, 1),
                    "source_token": numbered(source),
                },
            )
        },
        python=copy_as_python.python(
            f"layers = {shown}  # a network → the layer that is drawn\n"
            f"text, target = {experiment.text!r}, {common!r}\n"
            "traces = [run_pair(Experiment(network, text, target=target)) for network in layers]\n"
            "maps = [cross_map(trace, layer) for trace, layer in zip(traces, layers.values(), strict=True)]\n"
            "weights = np.stack(maps)  # (networks, T, S)",
            "from model.run import run_pair\nfrom model.analysis.alignment import cross_map",
        ),
    )
    st.caption(
        f"All networks are given the same {unit}s before each row, so that rows can be compared. The table above shows "
        f"what each network writes by itself.{_no_map([name for name in networks if name not in maps])}"
    )


def _no_map(names: Sequence[str]) -> str:
    """Why a network has no map beside the others."""
    why = {
        ALONE: " The GRU without attention has no map; choose it as the network to see its vector.",
        PIECES: " The Transformer in pieces has no map here, because its tokens are parts of words.",
    }
    return "".join(why.get(name, "") for name in names)


def _table_of(texts: Mapping[str, str], right: str | None, logprobs: Mapping[str, float], unit: str) -> str:
    verdict = {name: "" if right is None else "right" if text == right else "not right" for name, text in texts.items()}
    rows = [(name, shortened(text, unit), verdict[name], format_ln(logprobs[name])) for name, text in texts.items()]
    if right is not None:
        rows.append(("gold", right, "", ""))
    return views.small_table(("network", "writes", "", "ln p"), rows, kind="sentences")


def _cells(maps: Mapping[str, Array], target_tokens: Sequence[str], source: Sequence[str]) -> Table:
    rows, columns = np.indices((len(target_tokens), len(source)))
    return {
        "target_token": np.array(numbered(target_tokens, 1), dtype=object)[rows.ravel()],
        "source_token": np.array(numbered(source), dtype=object)[columns.ravel()],
        **{name: weights.ravel() for name, weights in maps.items()},
    }
