"""The sidebar is the experiment, in the same order on every page. Each control is bound to the address of the page.

A control that the page itself also moves (a click on a head) is moved through its key, before the next run draws it.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from random import Random
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from model import checkpoint
from model.registry import PREFIX, SESSION_PREFIX
from model.run import Experiment, InputTextError
from model.subword import CONTINUATION
from model.switches import PARTS, Switches
from model.tokenizer import altered
from model.training.live import kept_model
from viz.captions.counting import counted
from viz.captions.typed_text import describe_altered, describe_pair_model, describe_unknown
from viz.labels import escape_markdown, markdown
from viz.lessons.parse import RESERVED
from viz.pair_tasks import example_of, place_of
from viz.ui import model_calls
from viz.ui.links.tracking_parameters import is_tracking
from viz.ui.present import CLASS
from viz.ui.state import DEFAULTS, Key, Param, key_of

FRAME = (*RESERVED, Param.MAPS_MODEL, CLASS)  # names in the address that no control takes from it
TEXTS = (
    Param.TEXT,
    Param.SOURCE_TEXT,
    Param.TARGET,
    Param.MAPS_TEXT,
    Param.MAPS_TARGET,
    Param.QUESTION,
    Param.WORD_ORDER,
    Param.MASK_ROWS,
)  # names whose value a person wrote
STRAIGHT = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "—": "--", "–": "-", "…": "..."})
BYTE = (f"{CONTINUATION}⟨", "⟨")  # how a piece begins that is a byte and no letter
MAX_LISTED_TOKENS = 4096  # that are listed
FIRST: str = DEFAULTS[Param.WEIGHTS]  # the model that a visitor meets first
THREE_LINES = 97  # pixels of a text area with its label: three whole lines, the next one out of sight
SIMILAR = 0.8  # of two words: one letter in five may differ, so that “learning” is not offered as “ring”
READS_ANY = "stories"  # the model to which no word is unknown
EXAMPLE = "the person who the dogs near the trees chase was tired ."
PROSE = "Alice saw the White Rabbit, and the White Rabbit saw Alice."  # to open with, of models that read any text


class Control(StrEnum):
    """A group of controls in the sidebar. A view shows those that do something in it."""

    MODEL = "model"
    TEXT = "text"
    COMPONENTS = "components"
    HEAD = "head"  # its layer and its number
    QUERY = "query"


EVERY: frozenset[Control] = frozenset(Control)


def place(control: Control, acting: Set[Control], name: str = "") -> DeltaGenerator:
    """The sidebar; for a control that does nothing in the open view a hidden place, so that its value stays.

    name: tells several controls of one group apart.
    """
    return st.sidebar if control in acting else st.sidebar.container(key=f"unseen_{control}{name}")


def opened(name: Param, options: Sequence[str]) -> str:
    """What a choice that is drawn further down will be: as the session or the link has it, else the first option."""
    chosen = st.session_state.get(name, st.query_params.get(name))
    return chosen if chosen in options else options[0]


def experiment(
    acting: Set[Control] = EVERY,
    no_effect: Mapping[str, str] | None = None,
    off: Set[str] = frozenset(),
    pairs: bool = False,
) -> Experiment:
    """Model, sentence and parts: everything that decides what the model does.

    acting: the controls that do something in the open view. no_effect: name of a part → why its switch does nothing.
    off: the parts that are out where neither a person nor a link says otherwise. pairs: whether the page shows models
    of two sentences too; the text is then their source.
    """
    note_link_values()
    with place(Control.MODEL, acting):
        weights = _weights(pairs)
    if Control.MODEL in acting and weights == FIRST and Key.PAIR_MODEL in st.session_state:
        st.info(describe_pair_model(st.session_state[Key.PAIR_MODEL], weights, True))
    with place(Control.TEXT, acting):
        text = _text(weights)
    with place(Control.COMPONENTS, acting):
        parts = switches(weights, no_effect=no_effect, off=off)
    chosen = Experiment(weights=weights, text=text, switches=parts)
    try:
        model_calls.encoding(chosen)
    except InputTextError as error:
        if Control.TEXT not in acting:
            return replace(chosen, text=_example(weights))  # what was typed is refused where it is used
        st.info(str(error))
        report_bad_link(whole=False)
        st.stop()
    return chosen


def note_link_values() -> None:
    """Keep the address as it was opened: the controls read it next, and clear what they cannot use."""
    if Key.OPENED_WITH not in st.session_state:
        link = {name: st.query_params.get_all(name) for name in st.query_params}
        st.session_state[Key.OPENED_WITH] = link
        endless = [name for name, values in link.items() if name not in TEXTS and any(map(_endless, values))]
        for name in endless:
            del st.query_params[name]  # Streamlit would make an integer of it, and fail
        if endless:
            st.rerun()  # the controls read the address as it is at the start of a run


def _endless(value: str) -> bool:
    """Whether this is a number beyond all bounds, such as 1e309, or none, such as nan."""
    try:
        return not math.isfinite(float(value))
    except ValueError:
        return False


def _weights(pairs: bool) -> str:
    for fault in checkpoint.faults():
        st.caption(f"{escape_markdown(fault)} It is not listed below.")
    names = (*model_calls.text_models(), *model_calls.kept_models(), *(model_calls.pair_models() if pairs else ()))
    gone = st.session_state.get(Param.WEIGHTS)
    if pairs:
        _return_to_pair_model()
    elif (wanted := gone or "".join(_opened_with(Param.WEIGHTS)[:1])) in model_calls.pair_models():
        st.session_state[Key.PAIR_MODEL], st.session_state[Param.WEIGHTS] = wanted, FIRST
        st.session_state[Key.OPENED_WITH].pop(Param.WEIGHTS, None)
    elif gone is not None and gone not in names:  # a model from elsewhere that was let go meanwhile
        st.session_state[Param.WEIGHTS] = FIRST
        st.session_state[Key.OPENED_WITH][Param.WEIGHTS] = [gone]
    return st.selectbox(
        "Model", names, index=names.index(FIRST), key=Param.WEIGHTS, bind="query-params", on_change=_choose_model
    )


def _opened_with(name: Param) -> list[str]:
    """The values of this name in the link, while they have not been checked."""
    values: list[str] = st.session_state.get(Key.OPENED_WITH, {}).get(name, [])
    return values


def _return_to_pair_model() -> None:
    """Show the model of two sentences that the pages between could not show, unless another was chosen meanwhile."""
    waits = st.session_state.pop(Key.PAIR_MODEL, None)
    chosen = st.session_state.get(Param.WEIGHTS) or FIRST
    if waits in model_calls.pair_models() and chosen == FIRST and Param.WEIGHTS not in st.query_params:
        st.session_state[Param.WEIGHTS] = waits


def _choose_model() -> None:
    """A model that splits words opens by word when a person chooses it. A link without a unit shows its tokens."""
    st.session_state.pop(Key.PAIR_MODEL, None)
    if model_calls.about(st.session_state[Param.WEIGHTS]).splits_words:
        st.session_state[Param.UNITS] = "words"


def _text(weights: str) -> str:
    pair = weights in model_calls.pair_models()
    kinds = model_calls.pair_task(weights).kinds if pair else model_calls.task(weights).kinds
    if Key.WRITTEN in st.session_state:
        set_text(st.session_state.pop(Key.WRITTEN))
    # Another model begins with a sentence of its own kind; what a link or a person has written stays.
    example = _example(weights)
    before = st.session_state.get(Key.EXAMPLE, example)
    if before != example and st.session_state.get(Param.TEXT) == before:
        set_text(example)
    st.session_state[Key.EXAMPLE] = example
    text = st.text_area(
        "Source" if pair else "Sentence", value=example, key=Param.TEXT, bind="query-params", height=THREE_LINES
    )
    new_sentence_button(kinds, Key.DRAW, partial(_draw, weights))
    knows = "Vocabulary"
    with st.popover(knows, width="stretch", key=Key.KNOWN, on_change="rerun") as known:
        if known.open:
            groups = _vocabulary(weights)
            named = [(f"**{part}** " if part else "", words) for part, words in groups]
            st.markdown("\n\n".join(part + " ".join(map(markdown, words)) for part, words in named))
    return text or ""


def new_sentence_button(kinds: Mapping[str, str], key: Key, on_click: Callable[[], None]) -> None:
    """A menu of the kinds of sentence that a task can generate: kind → its label. The chosen kind is the state's."""
    st.menu_button(
        "New sentence", list(kinds), format_func=lambda kind: kinds[kind], key=key, on_click=on_click, width="stretch"
    )


def _example(weights: str) -> str:
    if weights in model_calls.pair_models():
        return example_of(model_calls.about(weights).task)
    if weights in model_calls.kept_models():
        return kept_model.example(model_calls.about(weights).task)
    return EXAMPLE if model_calls.task(weights).words else PROSE


def _vocabulary(weights: str) -> Iterable[tuple[str, Sequence[str]]]:
    tokenizer = model_calls.tokenizer(weights)
    if weights in model_calls.pair_models():
        words = [word for index, word in enumerate(tokenizer.vocabulary) if index not in tokenizer.special_ids]
        return [("", words)]
    return model_calls.task(weights).words.items() or _tokens(weights)


def _tokens(weights: str) -> list[tuple[str, Sequence[str]]]:
    tokenizer = model_calls.tokenizer(weights)
    silent = frozenset(tokenizer.special_ids)
    pieces = [piece for index, piece in enumerate(tokenizer.vocabulary) if index not in silent]
    note = f"{len(pieces):,} tokens, in the order in which they were learnt. Any text can be built from them. "
    note += f"The first {MAX_LISTED_TOKENS:,} are shown. " if len(pieces) > MAX_LISTED_TOKENS else ""
    return [
        (
            note + f"{CONTINUATION} marks a token that continues the one before it, ␣ is a space.",
            pieces[:MAX_LISTED_TOKENS],
        )
    ]


def _draw(weights: str) -> None:
    kind = st.session_state[Key.DRAW]
    if weights in model_calls.pair_models():
        set_text(model_calls.pair_task(weights).draw(kind, Random()).source_text)
    else:
        set_text(model_calls.task(weights).draw(kind, Random()).text)


def set_text_to(text: str) -> None:
    """Put a longer text into the sentence box when the page is next drawn, and pin its last word."""
    st.session_state[Key.WRITTEN], st.session_state[Key.TO_THE_END] = text, True


def set_text(text: str) -> None:
    """Put a text into the sentence box, and let go of the word that was chosen in the old one."""
    st.session_state[Param.TEXT] = text
    st.session_state[Param.QUERY] = None


def switches(
    weights: str,
    disabled: bool = False,
    no_effect: Mapping[str, str] | None = None,
    off: Set[str] = frozenset(),
) -> Switches:
    """A toggle for each part; disabled where the model has none of them, was trained without it, or it does nothing.

    no_effect and off: as in `experiment`.
    """
    st.caption("Components")
    removable = model_calls.removable_parts(weights)
    defaults, removed = st.session_state.setdefault(Key.DEFAULTS, {}), []
    for part in PARTS:
        has = getattr(removable, part.name)
        hint = f"Without it: {part.hint}" if has else "This model was trained without it, so it cannot be removed."
        hint = (no_effect or {}).get(part.name, hint)
        inert = disabled or not has or hint in (no_effect or {}).values()
        opens, name = part.name not in off, Param(part.name)
        if defaults.get(name, opens) != opens:
            _name_in_link(name)
        defaults[name] = opens
        on = st.toggle(part.label, opens, key=Param(part.name), help=hint, disabled=inert, bind="query-params")
        if has and not on:
            removed.append(part.name)
    return Switches().without(*removed)


def track_default(defaults: Mapping[Param | Key, Any]) -> None:
    """Where a control opens depends on the model or the text, and one that still stands there goes along.

    A link leaves defaults out: else it would open another state than the one that it was copied from.
    """
    known = st.session_state.setdefault(Key.DEFAULTS, {})
    for name, now in defaults.items():
        if name in st.session_state and known.get(name, now) == st.session_state[name] != now:
            st.session_state[name] = now
        known[name] = now


def _name_in_link(*names: Param) -> None:
    """Let controls whose default is another than before write their values into the link again, or take them out."""
    for name in names:
        if name in st.session_state:
            st.session_state[name] = st.session_state[name]


def head(
    n_layers: int, n_heads: int, default: tuple[int, int], acting: Set[Control] = EVERY, tokens: object = None
) -> tuple[int, int]:
    """The (layer, head) to enlarge.

    default: the head that a page opens with. tokens: what the model reads; while it stays the same, another default
    (of another model) moves nothing.
    """
    last_tokens, opens, last_default = st.session_state.get(Key.LAST_HEAD, (None, default, default))
    if tokens is None or last_tokens != tokens or opens[0] >= n_layers or opens[1] >= n_heads:
        opens = default
    st.session_state[Key.LAST_HEAD] = (tokens, opens, default)
    track_default({Param.LAYER: opens[0], Param.HEAD: opens[1]})
    if last_default != default:
        _name_in_link(Param.LAYER, Param.HEAD)
    with place(Control.HEAD, acting), st.container(horizontal=True, gap="small"):
        layer = st.number_input("Layer", 0, n_layers - 1, default[0], key=Param.LAYER, bind="query-params", width=100)
        head = st.number_input("Head", 0, n_heads - 1, default[1], key=Param.HEAD, bind="query-params", width=100)
    return int(layer), int(head)


def layer(n_layers: int, default: int) -> int:
    """The layer to look into, where no head is chosen."""
    track_default({Param.LAYER: default})
    if (st.session_state.get(Param.LAYER) or 0) >= n_layers:
        st.session_state[Param.LAYER] = n_layers - 1  # the layer of a deeper model
    with st.sidebar:
        return int(st.number_input("Layer", 0, n_layers - 1, default, key=Param.LAYER, bind="query-params", width=100))


def choose_head(layer: int, head: int) -> None:
    """Enlarge this head, as if it had been typed."""
    st.session_state[Param.LAYER], st.session_state[Param.HEAD] = layer, head


def token(tokens: Sequence[str], each: str = "word", acting: Set[Control] = EVERY) -> int | None:
    """The position of the pinned word, or None: then the figure picks the most telling one. each: what a token is."""
    last = len(tokens) - 1
    if st.session_state.pop(Key.TO_THE_END, False):
        st.session_state[Param.QUERY] = last
    if (st.session_state.get(Param.QUERY) or 0) > last:
        st.session_state[Param.QUERY] = None
    with place(Control.QUERY, acting):
        position = st.number_input(
            f"Query {each}, 0 to {last}",
            0,
            last,
            None,
            key=Param.QUERY,
            bind="query-params",
            placeholder="automatic",
        )
    return None if position is None else int(position)


def pin_token(row: int | None) -> None:
    """Pin a word, or let it go, as if it had been typed."""
    st.session_state[Param.QUERY] = row


def choose_weights(name: str) -> None:
    """Take another model, as if it had been chosen in the sidebar."""
    st.session_state[Param.WEIGHTS] = name
    _choose_model()


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


def choice(label: str, options: Sequence[str], *, key: Param | Key, default: str | None = None, **more: Any) -> str:
    """One of a few, side by side. A link that leaves it empty gets the default, the first where none is named."""
    fallback = default or options[0]
    track_default({key: fallback})
    settings: dict[str, Any] = {"label_visibility": "collapsed", "bind": "query-params", "required": True} | more
    chosen: str | None = st.segmented_control(label, options, default=fallback, key=key, **settings)
    return chosen or fallback


STAGES = ("scores", "scaled", "biased", "masked", "weights")  # fields of AttentionTrace, in the order they happen


def stage(layer: int, head: int, does: Sequence[str], merged: bool = False) -> str:
    """Which stage of the enlarged head to show, under its name. Returns the stage's field in AttentionTrace.

    merged: pieces were put together to words. A score belongs to two pieces, so then there are weights only.
    """
    named = f" :gray[{does[0]}]" if does else ""
    st.markdown(f"**Layer {layer}, head {head}**{named}", help=" · ".join(does) if len(does) > 1 else None)
    if merged:
        st.caption(
            "Weights are shown word by word. Scores belong to single tokens: choose a row for each token to see them."
        )
        return "weights"
    return choice(
        "Stage",
        STAGES,
        key=Param.STAGE,
        default="weights",
        width="stretch",
        help="scores: q·k. scaled: divided by √d_k. biased: plus the position bias. masked: forbidden scores become "
        "−∞. weights: the softmax of each row.",
    )


def choose_panel(predicts_words: bool) -> str:
    """Which further figure to show below the fold; a model that predicts no words begins with a panel that it has."""
    kinds = ("Next word", "Generate", "Head statistics", "Rollout")
    return choice("More about this sentence", kinds, key=Param.PANEL, default=kinds[0 if predicts_words else 2])


def sidebar_footer(experiment: Experiment) -> None:
    """What runs where, and which part these weights never had."""
    config = model_calls.about(experiment.weights).model_config
    never = [
        part.label[0].lower() + part.label[1:]
        for part in PARTS
        if part.name in model_calls.trained(experiment.weights).removed
    ]
    base, step = checkpoint.split_step(experiment.weights)
    notes = [f". The weights are those of {base} after {counted(step, 'training step')}"] if step is not None else []
    notes += [f". This model was trained without {' and '.join(never)}"] if never else []
    note = "".join([*notes, "."] if notes else [])
    stacks = "2 stacks of " if experiment.weights in model_calls.pair_models() else ""
    st.sidebar.caption(
        f"{stacks}{config.n_layers} layers × {config.n_heads} heads, running on {model_calls.device()}{note}"
    )


def set_state(state: Mapping[str, str]) -> None:
    """Set controls as a link would: every part present and no word chosen, then what the state names."""
    st.session_state[Key.LINKS_OPENED] = st.session_state.get(Key.LINKS_OPENED, 0) + 1
    st.session_state.update({Param(part.name): True for part in PARTS} | {Param.QUERY: None, Param.TARGET_STEP: None})
    if st.session_state.pop(Key.TARGET_OF, None):
        st.session_state[Param.TARGET] = ""
    for name, value in state.items():
        if name not in st.session_state:
            st.query_params[name] = value  # a control that is not on the page yet does not write its own part
        st.session_state[name] = _typed(name, value)


def _typed(name: str, value: str) -> Any:
    """As the control holds what the link spells."""
    if value in ("true", "false"):
        return value == "true"
    if name in (Param.TEXT, Param.TARGET):
        return value
    return int(value) if value.isdigit() else float(value) if re.fullmatch(r"\d+\.\d+", value) else value


def _same_number(text: str, used: Any) -> bool:
    try:
        return not isinstance(used, bool) and float(text) == used
    except ValueError:
        return False


def report_bad_link(whole: bool = True) -> None:
    """Say once which values of the link could not be used, and which names.

    Call it when every control of the page is drawn; whole: whether they are. Names that mean nothing here leave the
    address, so that no copy of the link holds them.
    """
    problems = []
    for name, values in st.session_state.get(Key.OPENED_WITH, {}).items():
        if name not in st.session_state:
            added = is_tracking(name, values[0])  # on the way, by a mail program or a network: no note
            if whole and name not in FRAME and not added:
                problems.append(f"{markdown(name)} (unknown setting)")
            if added or (whole and name not in FRAME):
                st.query_params.pop(name, None)
            continue
        used = st.session_state[name]
        if name == Param.WEIGHTS and values != [used] and place_of(values[0]):
            st.info(describe_pair_model(values[0], used, values[0] in model_calls.pair_models()))
            continue
        if name == Param.WEIGHTS and values[0].startswith(SESSION_PREFIX) and values != [used]:
            st.info(
                f"The model {markdown(values[0])} was kept from a live training in another visit, so {used} is shown. "
                "If it was saved as a file, the page “Your model” opens it."
            )
            continue
        if name == Param.WEIGHTS and values[0].startswith(PREFIX) and values != [used]:
            st.info(
                f"The model {markdown(values[0])} is not loaded on this server, so {used} is shown. Load it on the "
                "page “Your model”."
            )
            continue
        formatted = [
            str(value).lower() if isinstance(value, bool) else str(value)
            for value in (used if isinstance(used, list) else [used])
        ]
        if values not in (formatted, [""]) and not (len(values) == 1 and _same_number(values[0], used)):
            nothing = "automatic" if name == Param.QUERY else "none"
            instead = nothing if used is None else ", ".join(formatted) or nothing
            problems.append(f"{name} = “{markdown(', '.join(values))}” (shown: {markdown(instead)})")
    if problems:
        st.info(f"Part of this link could not be used: {', '.join(problems)}.")
    st.session_state[Key.OPENED_WITH] = {}
