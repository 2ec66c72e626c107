"""Learning curves of a model card, and a sample of what a model writes."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from model.analysis import prediction_change
from model.generation.generate import continue_text
from model.run import Experiment, encode, run_text
from viz.export.tables import NamedArray, Table
from viz.types import Array
from viz.ui import model_calls, server_cache


def curve_table(steps: Sequence[int], seeds: dict[str, Array]) -> Table:
    """Learning curves as a table: one line a step, one column a model and seed."""
    columns = {f"{name}, seed {i}": run for name, runs_ in seeds.items() for i, run in enumerate(runs_)}
    return {"step": list(steps), **columns}


def curve_arrays(steps: Sequence[int], seeds: dict[str, Array]) -> dict[str, NamedArray]:
    """Learning curves (R, N) by model."""
    return {
        word: NamedArray(values, {f"seed_{word}": range(len(values)), "step": list(steps)})
        for word, values in ((name.replace(" ", "_"), values) for name, values in seeds.items())
    }


@server_cache.cached
def sample_text(weights: str, scorer: str, opening: str = "the", words: int = 40) -> tuple[str, float]:
    """A text that these weights write after `opening`, and the loss of `scorer` on the words they added."""
    with model_calls.compute_slots:
        generated = continue_text(Experiment(weights=weights, text=opening), tokens=words, method="sample", seed=1)
        experiment = Experiment(weights=scorer, text=generated.text)
        return generated.text, prediction_change.text_loss(run_text(experiment), encode(experiment).ids)


def show_samples(writers: Mapping[str, str], scorer: str) -> list[tuple[str, Callable[[], object]]]:
    """What each model writes and its loss, under the name of the model. Returns the texts that are still to be written.

    writers: name → weights; scorer: the weights that measure the loss.
    """
    work: list[tuple[str, Callable[[], object]]] = []
    for name, writer in writers.items():
        text, loss = sample_text(writer, scorer) if sample_text.has(writer, scorer) else ("…", None)
        st.markdown(name if loss is None else f"{name}, {loss:.2f}")
        st.code(text, language=None, wrap_lines=True)
        if loss is None:
            work.append((f"Generating a text: {name}", partial(sample_text, writer, scorer)))
    return work
