"""What does “it” mean? The answer of an encoder, and the two attention weights that lead to it."""

from functools import partial

import streamlit as st

from model.evaluation.coreference import noun_probabilities
from model.run import Experiment
from model.tasks.coreference import ADJECTIVE, OTHERS, REFERENT
from model.tasks.parse import parse_coreference
from viz import canvas
from viz.captions.counting import counted
from viz.captions.heads import describe_row
from viz.captions.translate import describe_adjective_and_referent, describe_nouns, describe_referent
from viz.export.tables import NamedArray, file_name
from viz.pages.translate import views
from viz.theme import Theme
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
    nouns, probabilities_of_nouns = noun_probabilities(experiment, trace, it)
    nouns, probabilities_of_nouns = nouns[:SHOWN], probabilities_of_nouns[:SHOWN]
    question = parse_coreference(words[1:])
    st.markdown(describe_referent(nouns[0], float(probabilities_of_nouns[0]), question.answer if question else None))
    for number, layer in enumerate(trace.layers):
        weights, mask = layer.attention.weights[0], layer.attention.mask[0]  # (T, T)
        key = f"layer_{number}"
        st.markdown(f"**Layer {number}**")
        drawn = canvas.token_lines(
            weights,
            mask,
            canvas.Axes(words),
            key=key,
            focus=canvas.TokenFocus(row, pinned, views.choose_row),
            theme=theme,
            unknown=model_calls.encoding(experiment).unknown,
        )
        figure_panel.below(
            drawn,
            sentence=describe_row(weights, words, row),
            table=partial(head_facts.row_table, weights, words, row),
            file=file_name(experiment.name, f"L{number}-row-{row}"),
            of=experiment,
            arrays=partial(head_facts.row_arrays, weights, words, row),
            python=copy_as_python.row(experiment, number, 0, row),
        )
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Which noun is meant**: prediction at “it”")
        drawn = canvas.probability_bars({"": probabilities_of_nouns}, nouns, key="meant", theme=theme)
        figure_panel.below(
            drawn,
            sentence=describe_nouns(nouns, probabilities_of_nouns),
            table=partial(dict, noun=nouns, probability=probabilities_of_nouns),
            file=file_name(experiment.name, "meant"),
            of=experiment,
            arrays=lambda: {"probability": NamedArray(probabilities_of_nouns, {"noun": nouns})},
            python=copy_as_python.python(
                f"nouns, probabilities = noun_probabilities(experiment, run(experiment), {it})\n"
                f"probability = probabilities[:{SHOWN}]",
                "from model.evaluation.coreference import noun_probabilities",
                experiment=experiment,
            ),
        )
    with right:
        _measured(experiment)


def _measured(experiment: Experiment) -> None:
    """What the card says: how often it is right, and how much of its attention "it" gives to whom."""
    about = model_calls.about(experiment.weights)
    card = about.coreference
    layers = range(about.model_config.n_layers)
    rows = [
        (name, *(f"{card.relations[name].mass[layer, 0]:.2f}" for layer in layers))
        for name in (ADJECTIVE, REFERENT, OTHERS)
    ]
    st.markdown("**On new sentences**: the row of “it”")
    st.html(views.small_table(("mean weight", *(f"layer {layer}" for layer in layers)), rows))
    seeds = [seed.relations for seed in card.seeds]
    two = [seed[ADJECTIVE].mass[:, 0].max() + seed[REFERENT].mass[:, 0].max() for seed in seeds]
    others = ", ".join(f"{share:.2f}" for share in sorted(two)[:-1])
    st.caption(
        f"The noun is correct in {100 * card.accuracy:.1f} % of {card.examined:,} new sentences, with the full "
        "model. "
        + (f"This is the clearest of {counted(len(seeds), 'seed')}. The" if others else "The")
        + f" weights on the adjective and on the noun meant, each in its best layer, add up to {max(two):.2f} of 2. "
        + (f"For the other seeds they add up to {others}. " if others else "")
        + describe_adjective_and_referent(*(card.relations[name].mass[:, 0] for name in (ADJECTIVE, REFERENT)))
    )
