"""The sentence as it grows: at each step where the network looked, and what else could have come."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from model.analysis.alignment import step_candidates
from model.recurrent import RecurrentTrace
from model.tasks.pair import DETERMINED
from model.tokenizer import EOS
from viz import canvas
from viz.captions.translate import describe_translation
from viz.export.tables import NamedArray, Table, file_name
from viz.labels import numbered
from viz.pages.translate import views
from viz.pages.translate.decoded import DecodedSentence, most_informative_step
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, model_calls

CANDIDATES = 5


def show(
    decoded: DecodedSentence, layer: int, head: int | None, step: int, pinned: bool, shares: bool, theme: Theme
) -> None:
    """Source and translation, step by step."""
    trace = decoded.translation.trace
    size = len(decoded.target)
    words, probabilities = step_candidates(
        decoded.experiment.weights, decoded.translation, CANDIDATES, decoded.decoding
    )
    maps: dict[str, Array] = {
        name: decoded.weights(name, layer, head) for name in ("cross", "target") if name in decoded.maps
    }
    vector = trace.encoder.final_state if isinstance(trace, RecurrentTrace) and "cross" not in decoded.maps else None
    right: list[Sequence[int]] = [()] * size
    for link in decoded.gold.alignment if decoded.gold else ():
        if link.query < decoded.n_gold and link.name != DETERMINED:
            right[link.query] = link.keys
    figure = canvas.decoding_steps(
        canvas.DecodingView(
            source=decoded.source,
            output=decoded.target,
            candidates=words,
            probabilities=probabilities,
            cross_weights=maps.get("cross"),
            self_weights=maps.get("target"),
            vector=vector,
            gold=right,
            unknown=model_calls.encoding(decoded.experiment).unknown,
            unit=decoded.unit,
            shares_rows=shares,
        ),
        key="writing",
        about=f"{decoded.experiment} {decoded.decoding}",
        step=step,
        pinned=pinned,
        default_row=most_informative_step(decoded, layer, head),
        theme=theme,
        on_step=views.choose_step,
    )
    weights, argument = decoded.experiment.weights, ", decoding" if decoded.decoding.used else ""
    lines = [f"words, probability = step_candidates({weights!r}, translation, {CANDIDATES}{argument})  # (N, K)"]
    lines += [f'{_as(name)} = generated_map(translation, "{name}", {layer}, {head})' for name in maps]
    if vector is not None:
        lines.append("vector = translation.trace.encoder.final_state  # (C,)")
    figure_panel.below(
        figure,
        sentence=describe_translation(
            decoded.translation.text,
            decoded.gold.target_text if decoded.gold else None,
            sum(decoded.translation.logprobs),
            ended=decoded.target[-1:] == (EOS,),
            unit=decoded.unit,
        ),
        table=partial(step_table, decoded, words, probabilities, maps),
        file=file_name(decoded.name, "writing"),
        of=decoded.experiment,
        arrays=partial(_arrays, decoded, probabilities, maps, vector),
        python=copy_as_python.translated(
            decoded.experiment,
            decoded.decoding,
            "\n".join(lines),
            f"from model.analysis.alignment import {'generated_map, ' if maps else ''}step_candidates",
        ),
    )


TIED = 6  # decimals: of weights that differ by rounding alone the first is named, on every machine


def _as(name: str) -> str:
    return {"cross": "cross_attention", "target": "self_attention"}[name]


def step_table(
    decoded: DecodedSentence, words: Sequence[Sequence[str]], probabilities: Array, maps: dict[str, Array]
) -> Table:
    """One line a word said: how likely it was, where it looked, and what else could have come."""
    size = len(decoded.target)
    table: dict[str, Any] = {"step": list(range(1, size + 1)), "target_token": numbered(decoded.target, 1)}
    table["probability"] = [float(np.exp(value)) for value in decoded.translation.logprobs]
    for name, side in (("cross", decoded.source), ("target", decoded.before)):
        if name in maps:
            best = maps[name].round(TIED).argmax(axis=1)
            most = "most attended source token" if name == "cross" else "most attended target token"
            table[most] = np.array(numbered(side), dtype=object)[best]
            table[f"{most}: weight"] = np.take_along_axis(maps[name], best[:, None], axis=1)[:, 0]
    for nth in range(probabilities.shape[1]):
        table[f"candidate {nth + 1}"] = [row[nth] for row in words]
        table[f"probability {nth + 1}"] = probabilities[:, nth]
    return table


def _arrays(
    decoded: DecodedSentence, probabilities: Array, maps: dict[str, Array], vector: Array | None
) -> dict[str, NamedArray]:
    target_tokens = numbered(decoded.target, 1)
    arrays = {
        "probability": NamedArray(
            probabilities, {"target_token": target_tokens, "candidate": range(1, probabilities.shape[1] + 1)}
        )
    }
    if "cross" in maps:
        arrays["cross_attention"] = NamedArray(
            maps["cross"], {"target_token": target_tokens, "source_token": decoded.source}
        )
    if "target" in maps:
        arrays["self_attention"] = NamedArray(
            maps["target"], {"target_token": target_tokens, "target_prefix": decoded.before}
        )
    if vector is not None:
        arrays["vector"] = NamedArray(vector, {"number": range(len(vector))})
    return arrays
