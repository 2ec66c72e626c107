"""One question for all models: how probable each finds the right digit."""

from random import Random

import streamlit as st

from model.evaluation import first_digit
from model.tasks.first_digit import FirstDigitQuestion, make_question
from viz.pages.positions import models
from viz.ui import model_calls
from viz.ui.state import Param


def show() -> None:
    """A question of any length, and what each model makes of it."""
    st.markdown("**One question for all models**")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="one_question"):
        signs = int(st.number_input("Symbols", 2, 200, 24, key=Param.QUESTION_LENGTH, bind="query-params", width=160))
        number = int(
            st.number_input("Question number", 0, 9999, 1, key=Param.QUESTION_ID, bind="query-params", width=160)
        )
    question = make_question(signs, Random(f"{signs} {number}"))
    st.markdown(f"`{question.text}` → **{question.first}**")
    answers = {(kind, scheme): _answer(kind, scheme, question) for kind in models.KINDS for scheme in models.NAMES}
    lines = [f"| p({question.first}) against {question.second} | {' | '.join(models.KINDS)} |", "|---" * 3 + "|"]
    for scheme, name in models.NAMES.items():
        scores = [answers[kind, scheme] for kind in models.KINDS]
        lines.append(
            f"| {name} | {' | '.join('ends' if isinstance(score, str) else f'{score:.2f}' for score in scores)} |"
        )
    with st.container(key="answers"):
        st.markdown("\n".join(lines))
    messages = [answer for answer in answers.values() if isinstance(answer, str)]
    if messages:
        st.info(f"Learned positions: {messages[0]}")


def _answer(kind: str, scheme: str, question: FirstDigitQuestion) -> float | str:
    """Probability of the right digit, or the model's own sentence that says why there is none."""
    try:
        with model_calls.compute_slots:
            return first_digit.p_correct(*models.model(kind, scheme), [question]).item()
    except ValueError as error:
        return str(error)
