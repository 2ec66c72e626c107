"""What of a text the model does not read as it was typed."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from model.run import Experiment
from model.subword import CONTINUATION
from model.tokenizer import altered
from viz.captions.typed_text import describe_altered, describe_unknown
from viz.labels import markdown
from viz.ui import model_calls
from viz.ui.controls.model_choice import choose_weights
from viz.ui.controls.text_box import set_text
from viz.ui.state import Key, key_of

STRAIGHT = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "—": "--", "–": "-", "…": "..."})
BYTE = (f"{CONTINUATION}⟨", "⟨")  # how a piece begins that is a byte and no letter
SIMILAR = 0.8  # of two words: one letter in five may differ, so that “learning” is not offered as “ring”
READS_ANY = "stories"  # the model to which no word is unknown


@dataclass(frozen=True)
class SourceWords:
    """The source language of a model of two: how a word is replaced, what it knows, and what the language is called."""

    replace: Callable[[str], None]
    known: Callable[[], frozenset[str]]  # empty where sources are not made of words
    language: str


def unknown_words(experiment: Experiment, source: SourceWords | None = None) -> None:
    """Say what of the text the model does not read as it was typed.

    Of a word that it does not know the nearest that it does is offered; one click replaces.
    """
    replace = source.replace if source else None
    encoding = model_calls.encoding(experiment)
    tokenizer = model_calls.tokenizer(experiment.weights)
    unknown = list(dict.fromkeys(encoding.surface[index] for index in encoding.unknown))
    place = st.empty()  # there at every run: else the figures below would be built anew when it comes and goes
    window = model_calls.about(experiment.weights).context
    changed = describe_altered(altered(experiment.text)[0], tokenizer.left_out(experiment.text))
    if changed:
        place.markdown(changed)
        changed += " "
    if not unknown and len(encoding.ids) > window:
        place.markdown(
            f"{changed}This text has {len(encoding.ids)} tokens, and the model was trained on windows of {window} "
            "tokens. It reads the whole text, but it was not trained for such distances."
        )
    if not unknown:
        if (
            any(typed.startswith(BYTE) for typed in encoding.surface)
            and experiment.text.translate(STRAIGHT) != experiment.text
        ):
            with place.container(horizontal=True, vertical_alignment="center", gap="small", key="strangers"):
                st.markdown(
                    f"{changed}This model was trained on straight quotes and plain dashes. It reads other quotes and "
                    "dashes byte by byte.",
                    width="content",
                )
                st.button(
                    "Replace them",
                    key=Key.PLAIN,
                    type="tertiary",
                    on_click=replace or set_text,
                    args=(experiment.text.translate(STRAIGHT),),
                )
        return
    known = source.known() if source else frozenset()
    share = len(encoding.unknown) / (len(encoding.surface) - 1)  # without ⟨start⟩
    sentence = describe_unknown(unknown, share, len(known), source.language if source else "")
    with place.container(horizontal=True, vertical_alignment="center", gap="small", key="strangers"):
        st.markdown(changed + sentence, width="content")
        if replace is None:  # a page of models of one text
            st.button(
                f"Read it with {READS_ANY}, which splits words into tokens",
                key=Key.IN_PIECES,
                type="tertiary",
                on_click=choose_weights,
                args=(READS_ANY,),
            )
        for word in [word for word in unknown if len(word) > 3][:4]:
            near = tokenizer.closest_words(word, n=5, similarity=SIMILAR)
            for nearest in [other for other in near if not known or other in known][:1]:
                st.button(
                    f"{markdown(word)} → {nearest}",
                    key=key_of(Key.INSTEAD, word, nearest),
                    type="tertiary",
                    on_click=replace or set_text,
                    args=(" ".join(nearest if typed == word else typed for typed in encoding.surface[1:]),),
                )
