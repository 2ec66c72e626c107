"""Seven schemes side by side, each in a small model trained with it: distance, shift, and questions too long."""

from collections.abc import Iterable
from functools import partial
from random import Random

import numpy as np
import streamlit as st

from model import order
from model.checkpoint import card, load
from model.rearrange import score_changes
from model.run import Array
from model.sight import Sight, sight
from model.tasks.order import WORDS, Question, ask
from model.tokenizer import Tokenizer
from model.transformer import Transformer
from viz import head_grid
from viz.export import Labelled, Table, file_name
from viz.head_grid import Panel, Steps
from viz.places import ROUNDING, read_lengths, read_shift, read_sight, spelt
from viz.ui import controls, frame, panel, recompute, runs

NAMES = {
    "sinusoidal": "Sinusoidal",
    "learned": "Learned",
    "relative": "Learned relative",
    "t5": "T5 buckets",
    "rope": "RoPE",
    "alibi": "ALiBi",
    "none": "None",
}
KINDS = ("encoder", "decoder")
MODELS = [(kind, scheme) for kind in KINDS for scheme in NAMES]
PLACES, FAR = 32, 16  # drawn in “Distance”, and compared there
WIDTHS = (8, 16, 32, 64, 128)
MOVES = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 64)
QUESTION = "a 7 f c 2 h ?"
N, SEED = 200, 7  # fresh questions a point, drawn with a seed that no training used


@st.cache_resource(max_entries=len(MODELS), show_spinner=False)
def model(kind: str, scheme: str) -> tuple[Transformer, Tokenizer]:
    """A small model that was asked which of two digits came first; on the CPU, where it takes a millisecond."""
    transformer, tokenizer = load(f"order-{kind}-{scheme}")
    return transformer.requires_grad_(False), tokenizer


def _kind() -> str:
    return controls.choice("Kind", KINDS, key="kind", label_visibility="visible")


def _head(transformer: Transformer) -> tuple[int, int]:
    config = transformer.config
    layer = st.number_input("Layer", 0, config.n_layers - 1, 0, key="order_layer", bind="query-params", width=130)
    head = st.number_input("Head", 0, config.n_heads - 1, 0, key="order_head", bind="query-params", width=130)
    return int(layer), int(head)


# Distance


@st.fragment
def show_distance() -> None:
    """What each scheme says of every pair of places."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="scheme_controls"):
        kind = _kind()
        layer, head = _head(model(kind, "none")[0])
        width = st.selectbox(
            "Width of waves and RoPE", WIDTHS, WIDTHS.index(64), key="wave_width", bind="query-params", width=200
        )
    seen = {name: sight(name, model(kind, name)[0], PLACES, layer, head, width) for name in NAMES}
    places = [str(place) for place in range(PLACES)]
    head_grid.panels(
        [
            Panel(NAMES[name], one.values, "signed", mask=_sayable(one, kind), limit=1.0 if one.similarity else None)
            for name, one in seen.items()
        ],
        places,
        places,
        key="distance",
        theme=frame.theme(),
    )
    means = {NAMES[name]: one.by_distance() for name, one in seen.items()}
    panel.below(
        "distance",
        sentence=read_sight(means, {NAMES[name]: one.similarity for name, one in seen.items()}, FAR),
        table=partial(_distance_table, means),
        file=file_name(f"distance-{kind}", f"L{layer}H{head}"),
        of=_names(kind),
        arrays=partial(_distance_arrays, {name: one.values for name, one in seen.items()}),
        python=recompute.python(
            f"schemes = {tuple(NAMES)}\n"
            f'models = [load(f"order-{kind}-{{name}}")[0] for name in schemes]\n'
            f"sights = [sight(name, one, {PLACES}, {layer}, {head}, {width}) for name, one in zip(schemes, models)]\n"
            "values = np.stack([one.values for one in sights])  # (schemes, T, S)",
            "from model.checkpoint import load\nfrom model.sight import sight",
        ),
    )
    st.caption("  ·  ".join(f"{NAMES[name]}: {one.what}" for name, one in seen.items()))


def _names(kind: str) -> tuple[str, ...]:
    return tuple(f"order-{kind}-{scheme}" for scheme in NAMES)


def _distance_arrays(values: dict[str, Array]) -> dict[str, Labelled]:
    axes = {"scheme": list(values), "looks": range(PLACES), "looked_at": range(PLACES)}
    return {"values": Labelled(np.stack(list(values.values())), axes)}


def _sayable(one: Sight, kind: str) -> Array:
    """A table that has ended says nothing; a bias of a decoder is never asked about what comes later."""
    there = np.isfinite(one.values)
    return there if one.similarity or kind == "encoder" else there & np.tri(PLACES, dtype=bool)


def _distance_table(means: dict[str, Array]) -> Table:
    return {"places back": list(range(PLACES)), **{name: values.tolist() for name, values in means.items()}}


# Shift test


@st.fragment
def show_shift() -> None:
    """The whole sentence moved by k, and what becomes of the scores: every k is sent at once, the browser slides."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="scheme_controls"):
        kind = _kind()
        asked = st.text_input(
            "Sentence, of a–h, digits and ?", QUESTION, key="question", bind="query-params", max_chars=60, width=260
        )
    text, complaint = _readable(asked or "")
    if complaint:
        st.info(complaint)
    figure = st.container()
    with st.container(key="address"):  # unseen: it ties k to the address of the page
        steps = st.selectbox("k", MOVES, MOVES.index(5), key="moved_by", bind="query-params")
    found = {NAMES[scheme]: _changes(kind, scheme, text) for scheme in NAMES}
    changes = {step: {name: one[step] for name, one in found.items()} for step in MOVES}
    everywhere = [float(np.nanmax(one)) for made in found.values() for one in made.values() if one is not None]
    limit = max([*everywhere, ROUNDING])
    words = model(kind, "none")[1].encode(text).tokens
    maps = {
        step: [_panel(name, one, len(words), limit) for name, one in made.items()] for step, made in changes.items()
    }
    with figure:
        head_grid.panels(
            maps[steps],
            words,
            words,
            key="shift",
            theme=frame.theme(),
            steps=Steps("k places further on", steps, maps),
            on_step=_choose_k,
        )
    largest = {name: None if one is None else float(np.nanmax(one)) for name, one in changes[steps].items()}
    config = model(kind, "learned")[0].config
    panel.below(
        "shift",
        sentence=read_shift(largest, steps, {NAMES["learned"]: config.context}),
        table=partial(_shift_table, kind, text, steps, largest),
        file=file_name(f"shift-{kind}", f"by-{steps}"),
        of=_names(kind),
        arrays=partial(_shift_arrays, changes[steps], words),
        python=recompute.python(
            "def change(name):\n"
            f'    transformer, tokenizer = load(f"order-{kind}-{{name}}")\n'
            f"    ids = tokenizer.encode({text!r}).ids\n"
            f"    found = score_changes(transformer, ids, {MOVES})[{steps}]  # (L, H, T, S)\n"
            "    ended = np.full((len(ids), len(ids)), np.nan)  # a learned table has no such place\n"
            "    return ended if found is None else np.abs(found).max(axis=(0, 1))\n"
            "\n"
            "\n"
            f"changes = np.stack([change(name) for name in {tuple(NAMES)}])  # (schemes, T, S)",
            "from model.checkpoint import load\nfrom model.rearrange import score_changes",
        ),
    )


def _choose_k(step: int) -> None:
    if step in MOVES:
        st.session_state["moved_by"] = step


def _panel(name: str, change: Array | None, words: int, limit: float) -> Panel:
    """change (T, T); None where a learned table has ended: nothing is drawn."""
    values = np.full((words, words), np.nan) if change is None else change
    told = "ends" if change is None else spelt(float(np.nanmax(change)))
    return Panel(f"{name}  {told}", values, "signed", mask=np.isfinite(values), limit=limit)


def _readable(text: str) -> tuple[str, str]:
    """The sentence to run, and what was wrong with the one that was typed."""
    signs = text.split()
    longest = order.OrderRecipe.longest
    strange = [sign for sign in signs if sign not in WORDS]
    if not signs:
        return QUESTION, f"There is nothing to move yet, so this is “{QUESTION}”."
    if strange:
        return QUESTION, f"These models know a–h, the digits and “?”, each apart, so this is “{QUESTION}”."
    if len(signs) > longest + 1:
        return (
            QUESTION,
            f"These models were trained on {longest} signs and “?”; this is “{QUESTION}”, not {len(signs)} of them.",
        )
    return " ".join(signs), ""


@st.cache_resource(max_entries=128, show_spinner=False)
def _changes(kind: str, scheme: str, text: str, double: bool = False) -> dict[int, Array | None]:
    """k → the largest change of each score in any head of any layer: (T, T), NaN where no head may look."""
    transformer, tokenizer = model(kind, scheme)
    with runs.computing:
        found = score_changes(transformer, tokenizer.encode(text).ids, MOVES, double)
    # The mask is the same in every head.
    return {step: None if change is None else np.abs(change).max(axis=(0, 1)) for step, change in found.items()}


def _shift_arrays(changes: dict[str, Array | None], words: tuple[str, ...]) -> dict[str, Labelled]:
    ended = np.full((len(words), len(words)), np.nan)
    stacked = np.stack([ended if one is None else one for one in changes.values()])
    return {"changes": Labelled(stacked, {"scheme": list(changes), "looks": words, "looked_at": words})}


def _shift_table(kind: str, text: str, steps: int, largest: dict[str, float | None]) -> Table:
    exact = [_changes(kind, scheme, text, double=True)[steps] for scheme in NAMES]
    return {
        "scheme": list(largest),
        "largest change of a score, float32": list(largest.values()),
        "in float64": [None if one is None else float(np.nanmax(one)) for one in exact],
    }


# Too long


@st.fragment
def show_lengths() -> None:
    """Accuracy within the trained lengths and beyond, and one question for all models."""
    lengths, longest = order.OrderRecipe.lengths, order.OrderRecipe.longest
    found = _found()
    todo = [model for model in MODELS if model not in found]
    seeds = np.array([_seeds(*model) for model in MODELS])  # (M, R, L)
    told = np.array([_card(*model) if todo else found[model] for model in MODELS])  # (M, L)
    shape = (len(KINDS), len(NAMES), len(lengths))
    head_grid.lengths(
        list(NAMES.values()),
        lengths,
        told.reshape(shape),
        seeds.min(axis=1).reshape(shape),
        seeds.max(axis=1).reshape(shape),
        key="lengths",
        longest=longest,
        kinds=KINDS,
        theme=frame.theme(),
    )
    progress = st.empty()
    source = "From the cards, until the models have been asked" if todo else f"{N} fresh questions a point, asked here"
    panel.below(
        "lengths",
        sentence=read_lengths(list(NAMES.values()), lengths, told.reshape(shape), longest, source),
        table=partial(_length_table, told),
        file="accuracy-by-length",
        of=tuple(name for kind in KINDS for name in _names(kind)),
        arrays=partial(_length_arrays, told.reshape(shape)),
        python=_recompute_lengths(asked=not todo),
    )
    _one_question()
    for done, (kind, scheme) in enumerate(todo):
        progress.progress(done / len(todo), f"Asking the {kind} with {NAMES[scheme]} {N} questions of each length")
        if (kind, scheme) not in found:  # another visitor may have asked meanwhile
            found[kind, scheme] = _measure(kind, scheme)
    if todo:
        st.rerun()


@st.cache_resource(max_entries=1, show_spinner=False)
def _found() -> dict[tuple[str, str], list[float]]:
    """What the models have answered since the server began, for all visitors: (kind, scheme) → accuracy (L,)."""
    return {}


def _measure(kind: str, scheme: str) -> list[float]:
    with runs.computing:
        return _numbers(order.accuracy(*model(kind, scheme), length, N, SEED) for length in order.OrderRecipe.lengths)


@st.cache_resource(max_entries=len(MODELS), show_spinner=False)
def _card(kind: str, scheme: str) -> list[float]:
    """The accuracies (L,) of the shipped seed on its card."""
    told = card(f"order-{kind}-{scheme}")["accuracy"]
    return _numbers(told[str(length)] for length in order.OrderRecipe.lengths)


@st.cache_resource(max_entries=len(MODELS), show_spinner=False)
def _seeds(kind: str, scheme: str) -> list[list[float]]:
    """The accuracies (R, L) of every seed on the card."""
    lengths = order.OrderRecipe.lengths
    return [
        _numbers(seed["accuracy"][str(length)] for length in lengths)
        for seed in card(f"order-{kind}-{scheme}")["seeds"]
    ]


def _numbers(shares: Iterable[float | None]) -> list[float]:
    return [np.nan if share is None else share for share in shares]


def _length_arrays(told: Array) -> dict[str, Labelled]:
    axes = {"kind": KINDS, "scheme": list(NAMES), "signs": order.OrderRecipe.lengths}
    return {"right_answers": Labelled(told, axes)}


def _recompute_lengths(asked: bool) -> str:
    """From fresh questions, as the page has asked them; until then from the cards."""
    lengths = order.OrderRecipe.lengths
    every = f"[[[share(kind, name, n) for n in {lengths}] for name in {tuple(NAMES)}] for kind in {KINDS}]"
    body = (
        f'    return accuracy(*load(f"order-{{kind}}-{{name}}"), n, {N}, {SEED})  # None: the table has ended'
        if asked
        else '    return card(f"order-{kind}-{name}")["accuracy"][str(n)]  # None: the table has ended'
    )
    return recompute.python(
        f"def share(kind, name, n):\n{body}\n\n\n"
        f"right_answers = np.array({every}, dtype=float)  # (kinds, schemes, lengths)",
        "from model.checkpoint import load\nfrom model.order import accuracy"
        if asked
        else "from model.checkpoint import card",
    )


def _length_table(told: Array) -> Table:
    return {
        "model": [kind for kind, _ in MODELS],
        "scheme": [NAMES[scheme] for _, scheme in MODELS],
        **{f"{length} signs": told[:, at].tolist() for at, length in enumerate(order.OrderRecipe.lengths)},
    }


def _one_question() -> None:
    st.markdown("**One question for all of them**")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="one_question"):
        signs = int(st.number_input("Signs", 2, 200, 24, key="signs", bind="query-params", width=160))
        number = int(st.number_input("Question number", 0, 9999, 1, key="asked", bind="query-params", width=160))
    question = ask(signs, Random(f"{signs} {number}"))
    st.markdown(f"`{question.text}` → **{question.first}**")
    answers = {(kind, scheme): _answer(kind, scheme, question) for kind in KINDS for scheme in NAMES}
    lines = [f"| p({question.first}) against {question.second} | {' | '.join(KINDS)} |", "|---" * 3 + "|"]
    for scheme, name in NAMES.items():
        told = [answers[kind, scheme] for kind in KINDS]
        lines.append(f"| {name} | {' | '.join('ends' if isinstance(one, str) else f'{one:.2f}' for one in told)} |")
    with st.container(key="answers"):
        st.markdown("\n".join(lines))
    messages = [one for one in answers.values() if isinstance(one, str)]
    if messages:
        st.info(f"Learned positions: {messages[0]}")


def _answer(kind: str, scheme: str, question: Question) -> float | str:
    """Probability of the right digit, or the model's own sentence that says why there is none."""
    try:
        with runs.computing:
            return order.chances(*model(kind, scheme), [question]).item()
    except ValueError as error:
        return str(error)
