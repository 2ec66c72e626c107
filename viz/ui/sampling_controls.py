"""The controls of how the next token is chosen: greedy, or sampling with temperature, top-k and top-p."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from viz.ui.state import Param


@dataclass(frozen=True)
class Choosing:
    """How the next word is chosen."""

    temperature: float
    top_k: int
    top_p: float
    seed: int


def choosing() -> Choosing:
    """Temperature, top-k, top-p and seed."""
    bound: dict[str, Any] = {"bind": "query-params"}
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        temperature = st.number_input(
            "Temperature",
            0.0,
            5.0,
            1.0,
            0.1,
            key=Param.TEMPERATURE,
            help="The logits are divided by it. 0: always the most likely token. Above 1: more varied.",
            width=104,
            **bound,
        )
        top_k = st.number_input(
            "Top-k",
            0,
            1000,
            0,
            key=Param.TOP_K,
            help="Keeps only the k most likely tokens. 0: all.",
            width=104,
            **bound,
        )
        top_p = st.number_input(
            "Top-p",
            0.0,
            1.0,
            1.0,
            0.05,
            key=Param.TOP_P,
            help="Keeps only the fewest tokens that together have at least probability p. 1: all.",
            width=104,
            **bound,
        )
        seed = st.number_input(
            "Seed", 0, 9999, 0, key=Param.SEED, help="The same seed generates the same text.", width=104, **bound
        )
    return Choosing(float(temperature), int(top_k), float(top_p), int(seed))
