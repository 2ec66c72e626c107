"""What does “it” mean? The answer of an encoder that only reads, and the two looks that lead to it."""

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from model.probability import probabilities
from model.run import Experiment
from model.tasks.coreference import ADJECTIVE, NOUNS, OTHERS, REFERENT
from model.tasks.parse import read_question
from viz import head_grid
from viz.counting import counted
from viz.export import Labelled, file_name
from viz.reading import read_row
from viz.theme import Theme
from viz.translating import read_nouns, read_referent, read_two_looks
from viz.ui import facts, panel, recompute, runs, translate_view

Array = np.ndarray[Any, Any]

SHOWN = 6
IT = "it"


def show(experiment: Experiment, theme: Theme) -> None:
    """The sentence once for each layer, and the noun that is meant."""
    trace, words = runs.trace(experiment), runs.encoding(experiment).typed
    if IT not in words:
        st.info(
            "There is no “it” in this sentence. This model was trained only to find out what “it” means. Add an “it”."
        )
        return
    it = len(words) - 1 - words[::-1].index(IT)
    step = translate_view.step(len(words))
    pinned = translate_view.pinned()
    row = step - 1 if pinned else it
    nouns, odds = _answer(experiment, trace.logits[it])
    question = read_question(words[1:])
    st.markdown(read_referent(nouns[0], float(odds[0]), question.answer if question else None))
    for number, layer in enumerate(trace.layers):
        weights, mask = layer.attention.weights[0], layer.attention.mask[0]  # (T, T)
        key = f"layer_{number}"
        st.markdown(f"**Layer {number}**")
        head_grid.sentence(
            weights,
            words,
            key=key,
            mask=mask,
            row=row,
            pinned=pinned,
            unknown=runs.encoding(experiment).unknown,
            theme=theme,
            on_pin=translate_view.choose_row,
        )
        panel.below(
            key,
            sentence=read_row(weights, words, row),
            table=partial(facts.row_table, weights, words, row),
            file=file_name(experiment.name, f"L{number}-row-{row}"),
            of=experiment,
            arrays=partial(facts.row_arrays, weights, words, row),
            python=recompute.row(experiment, number, 0, row),
        )
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Which noun is meant**: prediction at “it”")
        head_grid.bars({"": odds}, nouns, key="meant", theme=theme)
        panel.below(
            "meant",
            sentence=read_nouns(nouns, odds),
            table=partial(dict, noun=nouns, probability=odds),
            file=file_name(experiment.name, "meant"),
            of=experiment,
            arrays=lambda: {"odds": Labelled(odds, {"noun": nouns})},
            python=recompute.python(
                f"logits = run(experiment).logits[{it}]  # (V,)\n"
                f"odds = np.sort(probabilities(logits)[{_noun_ids(experiment)}])[::-1][:{SHOWN}]",
                "from model.effects import probabilities",
                experiment=experiment,
            ),
        )
    with right:
        _measured(experiment)


def _noun_ids(experiment: Experiment) -> list[int]:
    vocabulary = runs.tokenizer(experiment.weights).vocabulary
    known = {noun for group in NOUNS.values() for noun in group}
    return [index for index, word in enumerate(vocabulary) if word in known]


def _answer(experiment: Experiment, logits: Array) -> tuple[list[str], Array]:
    """The likeliest nouns where “it” stands, of all words, and their probabilities."""
    vocabulary = runs.tokenizer(experiment.weights).vocabulary
    odds = probabilities(logits)  # (V,)
    best = sorted(_noun_ids(experiment), key=lambda index: -odds[index])[:SHOWN]
    return [vocabulary[index] for index in best], np.sort(odds[best])[::-1]


def _measured(experiment: Experiment) -> None:
    """What the card says: how often it is right, and how much of its attention "it" gives to whom."""
    card = runs.about(experiment.weights)
    layers = range(card["config"]["n_layers"])
    rows = [
        (name, *(f"{card['relations'][name]['mass'][layer][0]:.2f}" for layer in layers))
        for name in (ADJECTIVE, REFERENT, OTHERS)
    ]
    st.markdown("**On new sentences**: the row of “it”")
    st.html(translate_view.small_table(("mean weight", *(f"layer {layer}" for layer in layers)), rows))
    seeds = [seed["relations"] for seed in card["seeds"]]
    two = [max(seed[ADJECTIVE]["mass"])[0] + max(seed[REFERENT]["mass"])[0] for seed in seeds]
    others = ", ".join(f"{one:.2f}" for one in sorted(two)[:-1])
    st.caption(
        f"The noun is correct in {100 * card['accuracy']:.1f} % of {card['examined']:,} new sentences, with the full "
        "model. "
        + (f"This is the clearest of {counted(len(seeds), 'seed')}: the" if others else "The")
        + f" adjective and the noun meant, each in its best layer, together get {max(two):.2f} of 2. "
        + (f"The other seeds get {others}. " if others else "")
        + read_two_looks(*(np.array(card["relations"][name]["mass"])[:, 0] for name in (ADJECTIVE, REFERENT)))
    )
