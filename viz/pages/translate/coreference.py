"""What does “it” mean? The answer of an encoder that only reads, and the two looks that lead to it."""

from functools import partial

import numpy as np
import streamlit as st

from model.probability import probabilities
from model.run import Experiment
from model.tasks.coreference import ADJECTIVE, NOUNS, OTHERS, REFERENT
from model.tasks.parse import parse_coreference
from viz import canvas
from viz.captions.counting import counted
from viz.captions.heads import read_row
from viz.captions.translate import read_nouns, read_referent, read_two_looks
from viz.export.tables import Labelled, file_name
from viz.pages.translate import views
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, head_facts, model_calls

SHOWN = 6
IT = "it"


def show(experiment: Experiment, theme: Theme) -> None:
    """The sentence once for each layer, and the noun that is meant."""
    trace, words = model_calls.trace(experiment), model_calls.encoding(experiment).surface
    if IT not in words:
        st.info(
            "There is no “it” in this sentence. This model was trained only to find out what “it” means. Add an “it”."
        )
        return
    it = len(words) - 1 - words[::-1].index(IT)
    step = views.step(len(words))
    pinned = views.pinned()
    row = step - 1 if pinned else it
    nouns, odds = _answer(experiment, trace.logits[it])
    question = parse_coreference(words[1:])
    st.markdown(read_referent(nouns[0], float(odds[0]), question.answer if question else None))
    for number, layer in enumerate(trace.layers):
        weights, mask = layer.attention.weights[0], layer.attention.mask[0]  # (T, T)
        key = f"layer_{number}"
        st.markdown(f"**Layer {number}**")
        drawn = canvas.sentence(
            weights,
            words,
            key=key,
            mask=mask,
            row=row,
            pinned=pinned,
            unknown=model_calls.encoding(experiment).unknown,
            theme=theme,
            on_pin=views.choose_row,
        )
        figure_panel.below(
            drawn,
            sentence=read_row(weights, words, row),
            table=partial(head_facts.row_table, weights, words, row),
            file=file_name(experiment.name, f"L{number}-row-{row}"),
            of=experiment,
            arrays=partial(head_facts.row_arrays, weights, words, row),
            python=copy_as_python.row(experiment, number, 0, row),
        )
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Which noun is meant**: prediction at “it”")
        drawn = canvas.bars({"": odds}, nouns, key="meant", theme=theme)
        figure_panel.below(
            drawn,
            sentence=read_nouns(nouns, odds),
            table=partial(dict, noun=nouns, probability=odds),
            file=file_name(experiment.name, "meant"),
            of=experiment,
            arrays=lambda: {"odds": Labelled(odds, {"noun": nouns})},
            python=copy_as_python.python(
                f"logits = run(experiment).logits[{it}]  # (V,)\n"
                f"odds = np.sort(probabilities(logits)[{_noun_ids(experiment)}])[::-1][:{SHOWN}]",
                "from model.probability import probabilities",
                experiment=experiment,
            ),
        )
    with right:
        _measured(experiment)


def _noun_ids(experiment: Experiment) -> list[int]:
    vocabulary = model_calls.tokenizer(experiment.weights).vocabulary
    known = {noun for group in NOUNS.values() for noun in group}
    return [index for index, word in enumerate(vocabulary) if word in known]


def _answer(experiment: Experiment, logits: Array) -> tuple[list[str], Array]:
    """The likeliest nouns where “it” stands, of all words, and their probabilities."""
    vocabulary = model_calls.tokenizer(experiment.weights).vocabulary
    odds = probabilities(logits)  # (V,)
    best = sorted(_noun_ids(experiment), key=lambda index: -odds[index])[:SHOWN]
    return [vocabulary[index] for index in best], np.sort(odds[best])[::-1]


def _measured(experiment: Experiment) -> None:
    """What the card says: how often it is right, and how much of its attention "it" gives to whom."""
    card = model_calls.about(experiment.weights)
    layers = range(card["config"]["n_layers"])
    rows = [
        (name, *(f"{card['relations'][name]['mass'][layer][0]:.2f}" for layer in layers))
        for name in (ADJECTIVE, REFERENT, OTHERS)
    ]
    st.markdown("**On new sentences**: the row of “it”")
    st.html(views.small_table(("mean weight", *(f"layer {layer}" for layer in layers)), rows))
    seeds = [seed["relations"] for seed in card["seeds"]]
    two = [max(seed[ADJECTIVE]["mass"])[0] + max(seed[REFERENT]["mass"])[0] for seed in seeds]
    others = ", ".join(f"{one:.2f}" for one in sorted(two)[:-1])
    st.caption(
        f"The noun is correct in {100 * card['accuracy']:.1f} % of {card['examined']:,} new sentences, with the full "
        "model. "
        + (f"This is the clearest of {counted(len(seeds), 'seed')}. The" if others else "The")
        + f" weights on the adjective and on the noun meant, each in its best layer, add up to {max(two):.2f} of 2. "
        + (f"For the other seeds they add up to {others}. " if others else "")
        + read_two_looks(*(np.array(card["relations"][name]["mass"])[:, 0] for name in (ADJECTIVE, REFERENT)))
    )
