"""Words against sub-words: unknown tokens, and accuracy on sentences with words that the word vocabulary lacks."""

from functools import partial

import numpy as np
import streamlit as st

from model.evaluation import misspelling
from model.evaluation.fresh_accuracy import SENTENCES
from model.run import Experiment
from viz.captions.translate import describe_typed_unknown, describe_unknown_words
from viz.export.tables import NamedArray, Table
from viz.figures.accuracy_by_length import quality
from viz.pages.translate import compute, views
from viz.pages.translate.compute import PIECES, TRANSFORMER
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, model_calls, server_cache, slots
from viz.ui.progress import Missing

COUNTS = misspelling.MISSPELT


@server_cache.cached
def _translations_right(weights: str, n_words: int) -> float:
    """Share of fresh sentences with so many misspelt words that these weights translate rightly."""
    with slots.long(f"Testing translations with {n_words} misspelt words"):
        return misspelling.misspelt_accuracy(weights, n_words)


@server_cache.cached
def _unknown(weights: str, n_words: int) -> tuple[int, int]:
    """(unknown tokens, all tokens) of the same sentences."""
    with model_calls.compute_slots:
        return misspelling.unknown_tokens(weights, n_words)


def show(experiment: Experiment, theme: Theme) -> Missing | None:
    """Both networks on 0, 1 and 2 misspelt words. Returns the tests that have to be made."""
    available = compute.available_tasks()["Translation"]
    weights = {name: available[name] for name in (TRANSFORMER, PIECES)}
    typed = {}
    for name, model in weights.items():
        encoding = model_calls.tokenizer(model).encode(experiment.text)
        typed[name] = len(encoding.unknown), len(encoding.tokens) - 1  # without the start token
    st.markdown(describe_typed_unknown(typed))
    missing = [
        (f"Testing the {name} on sentences with {n} misspelt words", partial(_translations_right, model, n))
        for name, model in weights.items()
        for n in COUNTS
        if not _translations_right.has(model, n)
    ]
    if missing:
        return Missing(st.container(), missing)
    shares = {name: np.array([_translations_right(model, n) for n in COUNTS]) for name, model in weights.items()}
    unknown = {name: [_unknown(model, n) for n in COUNTS] for name, model in weights.items()}
    of_all = {name: np.array([count / size for count, size in counts]) for name, counts in unknown.items()}
    rows = [
        (name, str(n), f"{count:,} of {size:,}", f"{100 * shares[name][i]:.0f} % of {SENTENCES}")
        for name, counts in unknown.items()
        for i, (n, (count, size)) in enumerate(zip(COUNTS, counts, strict=True))
    ]
    st.html(views.small_table(("network", "misspelt words", "unknown tokens", "correct"), rows))
    names = tuple(weights.values())
    figure_panel.chart(
        quality(COUNTS, shares, theme=theme, seeds={}, trained=None, x_name="misspelt words of the source"),
        key="misspelt",
        sentence=describe_unknown_words(COUNTS, shares, of_all, SENTENCES),
        table=partial(_table, shares, of_all),
        file="misspelt-words",
        of=names,
        arrays=lambda: {"accuracy": _labelled(shares), "unknown": _labelled(of_all)},
        python=copy_as_python.python(
            f"names, counts = {names}, {COUNTS}\n"
            "accuracy = np.array([[misspelt_accuracy(name, n) for n in counts] for name in names])\n"
            "unknown = np.array([[unknown_share(name, n) for n in counts] for name in names])  # (networks, numbers)",
            "from model.evaluation.misspelling import misspelt_accuracy, unknown_share",
        ),
    )
    st.caption(
        "Held-out sentences have no unknown word, because the generator has a closed vocabulary. Here two neighbouring "
        "letters of a word are exchanged; the correct answer is the translation of the word as it was. Neither network "
        "saw a misspelt word in training."
    )
    return None


def _labelled(shares: dict[str, Array]) -> NamedArray:
    return NamedArray(np.stack(list(shares.values())), {"network": list(shares), "misspelt_words": list(COUNTS)})


def _table(shares: dict[str, Array], unknown: dict[str, Array]) -> Table:
    return {
        "network": [name for name in shares for _ in COUNTS],
        "misspelt words": [n for _ in shares for n in COUNTS],
        "unknown tokens": np.concatenate(list(unknown.values())),
        "accuracy": np.concatenate(list(shares.values())),
    }
