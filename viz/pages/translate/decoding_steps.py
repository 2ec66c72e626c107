"""The sentence as it grows: at each step where the network looked, and what else could have come."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from model.analysis.alignment import top_k_tokens
from model.recurrent import RecurrentTrace
from model.tasks.pair import DETERMINED
from model.tokenizer import EOS
from viz import canvas
from viz.captions.translate import read_written
from viz.export.tables import Labelled, Table, file_name
from viz.labels import numbered
from viz.pages.translate import views
from viz.pages.translate.decoded import Written, telling
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, model_calls

CANDIDATES = 5
DRAWN = ("temperature", "top_k", "top_p")  # what changes the probabilities that a token is drawn by


def show(one: Written, layer: int, head: int | None, step: int, pinned: bool, shares: bool, theme: Theme) -> None:
    """Source and translation, step by step."""
    trace = one.made.trace
    size = len(one.said)
    temperature, top_k, top_p = one.how.temperature, one.how.top_k, one.how.top_p
    words, odds = top_k_tokens(
        one.experiment.weights, trace.decoder.logits[:size], CANDIDATES, temperature, top_k, top_p
    )
    seen: dict[str, Array] = {name: one.weights(name, layer, head) for name in ("cross", "target") if name in one.maps}
    vector = trace.encoder.final_state if isinstance(trace, RecurrentTrace) and "cross" not in one.maps else None
    right: list[Sequence[int]] = [()] * size
    for link in one.gold.alignment if one.gold else ():
        if link.query < one.upto and link.name != DETERMINED:
            right[link.query] = link.keys
    figure = canvas.decoding(
        one.source,
        one.said,
        key="writing",
        about=f"{one.experiment} {one.how}",
        step=step,
        pinned=pinned,
        telling=telling(one, layer, head),
        candidates=words,
        odds=odds,
        cross=seen.get("cross"),
        back=seen.get("target"),
        vector=vector,
        gold=right,
        unknown=model_calls.encoding(one.experiment).unknown,
        unit=one.unit,
        shares=shares,
        theme=theme,
        on_step=views.choose_step,
    )
    told = "".join(f", {name}={value!r}" for name, value in one.how.used.items() if name in DRAWN)
    lines = [
        f"logits = made.trace.decoder.logits[:{size}]  # (N, V)",
        f"words, odds = top_k_tokens({one.experiment.weights!r}, logits, {CANDIDATES}{told})  # (N, K)",
    ]
    cut = {"cross": f"[:{size}]", "target": f"[:{size}, :{size}]"}
    for name in seen:
        lines.append(f'{_as(name)} = select_map(attention_maps(made.trace)["{name}"], {layer}, {head}){cut[name]}')
    if vector is not None:
        lines.append("vector = made.trace.encoder.final_state  # (C,)")
    figure_panel.below(
        figure,
        sentence=read_written(
            one.made.text,
            one.gold.target_text if one.gold else None,
            sum(one.made.logprobs),
            ended=one.said[-1:] == (EOS,),
            unit=one.unit,
        ),
        table=partial(step_table, one, words, odds, seen),
        file=file_name(one.name, "writing"),
        of=one.experiment,
        arrays=partial(_arrays, one, odds, seen, vector),
        python=copy_as_python.translated(one.experiment, one.how, "\n".join(lines)),
    )


TIED = 6  # decimals: of weights that differ by rounding alone the first is named, on every machine


def _as(name: str) -> str:
    return {"cross": "looks_at", "target": "looks_back"}[name]


def step_table(one: Written, words: Sequence[Sequence[str]], odds: Array, seen: dict[str, Array]) -> Table:
    """One line a word said: how likely it was, where it looked, and what else could have come."""
    size = len(one.said)
    table: dict[str, Any] = {"step": list(range(1, size + 1)), "says": numbered(one.said, 1)}
    table["probability"] = [float(np.exp(value)) for value in one.made.logprobs]
    for name, side in (("cross", one.source), ("target", one.before)):
        if name in seen:
            best = seen[name].round(TIED).argmax(axis=1)
            verb = "looks most at" if name == "cross" else "looks back most at"
            table[verb] = np.array(numbered(side), dtype=object)[best]
            table[f"{verb}: weight"] = np.take_along_axis(seen[name], best[:, None], axis=1)[:, 0]
    for nth in range(odds.shape[1]):
        table[f"candidate {nth + 1}"] = [row[nth] for row in words]
        table[f"p {nth + 1}"] = odds[:, nth]
    return table


def _arrays(one: Written, odds: Array, seen: dict[str, Array], vector: Array | None) -> dict[str, Labelled]:
    says = numbered(one.said, 1)
    arrays = {"odds": Labelled(odds, {"says": says, "candidate": range(1, odds.shape[1] + 1)})}
    if "cross" in seen:
        arrays["looks_at"] = Labelled(seen["cross"], {"says": says, "source": one.source})
    if "target" in seen:
        arrays["looks_back"] = Labelled(seen["target"], {"says": says, "said_before": one.before})
    if vector is not None:
        arrays["vector"] = Labelled(vector, {"number": range(len(vector))})
    return arrays
