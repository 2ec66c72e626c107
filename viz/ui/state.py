"""Every name under which a visitor's session keeps something, and what it keeps.

A name stands here once; everywhere else it is `Param.X` or `Key.X`. Streamlit makes of it the key of a control, and of
a `Param` also a parameter of the link: a Param that gets another name or other values needs an entry in
links/old_links.py.
Figures have keys of their own (`?figure=grid`), which hold nothing between two runs.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException


class Param(StrEnum):
    """What the address holds: every control that is bound to it, page by page."""

    # the sidebar, on every page
    WEIGHTS = "weights"  # name of the model
    TEXT = "text"
    SCALE = "scale"  # the six parts of the model: True, present; False, removed now
    MASK = "mask"
    POSITION = "position"
    NORM = "norm"
    RESIDUAL = "residual"
    MLP = "mlp"
    LAYER = "layer"
    HEAD = "head"
    QUERY = "query"  # position of the pinned query token; None: the figure picks one
    # several pages
    VIEW = "view"  # which part of the page: Inside a head, Masks, Positions, Remove a part
    PANEL = "panel"  # which further figure below: Heads, Remove a part, Translate, Your model
    UNITS = "units"  # rows of tokens or of words: Heads, Translate
    HEADS_OFF = "heads_off"  # heads that are ablated, "L1H2": Whole model, Remove a part, Translate
    TEMPERATURE = "temperature"  # of sampling: Heads, Translate
    TOP_K = "top_k"
    TOP_P = "top_p"
    SEED = "seed"
    # Heads
    STAGE = "stage"  # field of AttentionTrace
    # Whole model
    DETAIL = "detail"  # what stands below each part: words, shapes or numbers
    TARGET = "target"  # of a model of two sentences: the second one; empty: what the full model writes
    # Inside a head
    STEP_NUMBER = "step_number"  # of the walk along one row, from 1 as on the screen
    KEY = "key"  # position of the key token that is pointed out; None: none
    SIZES_FROM = "sizes_from"  # random weights, or this layer
    QUERIES = "queries"
    KEYS = "keys"
    N_HEADS = "n_heads"
    D_K = "d_k"  # also the slider of Remove a part
    D_V = "d_v"
    D_MODEL = "d_model"
    D_SOURCE = "d_source"  # width of the vectors that keys and values are made of
    # Why attention
    FROM_TOKEN = "from_token"  # the two tokens between which a signal travels
    TO_TOKEN = "to_token"
    REACHED_TOKEN = "reached_token"  # the token whose receptive field is shown
    STACK_LAYERS = "stack_layers"  # of convolution and of window attention
    WINDOW_WIDTH = "window_width"  # keys on one side, the query's own included
    WINDOW_SIDES = "window_sides"  # before, or both sides
    DILATION = "dilation"  # the same in every layer, or doubled from layer to layer
    GLOBAL_TOKENS = "global_tokens"  # first tokens that every token may attend to, and that attend to every token
    CLOCK = "clock"  # the step of the schedule
    MEASURE_SPEED = "measure_speed"  # whether it is measured
    GRADIENT_OF = "gradient_of"  # untrained networks, or trained models
    COST_N = "cost_n"  # sizes of a layer: tokens, width, taps of a convolution, keys in a window, heads, projected keys
    COST_D = "cost_d"
    COST_KERNEL = "cost_kernel"
    COST_WINDOW = "cost_window"
    COST_HEADS = "cost_heads"
    COST_RANK = "cost_rank"
    FIT_FROM = "fit_from"  # the length from which on an exponent is fitted
    TILE_QUERIES = "tile_queries"
    TILE_KEYS = "tile_keys"
    TILE_STEP = "tile_step"  # tiles that are done, from 0
    CACHE_N = "cache_n"  # sizes of a decoder: tokens, layers, heads, width of a head, heads of keys, keys in a window
    CACHE_LAYERS = "cache_layers"
    CACHE_HEADS = "cache_heads"
    CACHE_HEAD_WIDTH = "cache_head_width"
    CACHE_GROUPS = "cache_groups"
    CACHE_WINDOW = "cache_window"
    CACHE_BYTES = "cache_bytes"  # of a number
    # Masks
    MASK_KIND = "mask_kind"
    MASK_SIZE = "mask_size"  # the number that a kind takes
    MASK_ROWS = "mask_rows"  # a custom mask, each row as a hexadecimal number
    GUESS = "guess"  # what is guessed first; None: nothing
    EDIT_POSITION = "edit_position"  # of the leak test
    REPLACEMENT = "replacement"  # the word that it puts there
    COPIES = "copies"  # how often the text is repeated for the test of the KV cache
    # Positions
    MODEL_KIND = "model_kind"  # encoder or decoder
    LENGTH = "length"  # of the sinusoidal table
    WIDTH = "width"
    BASE = "base"
    POS = "pos"
    K = "k"  # distance of a rotation
    ROTATION_WIDTH = "rotation_width"
    WAVE_WIDTH = "wave_width"
    ORDER_LAYER = "order_layer"
    ORDER_HEAD = "order_head"
    QUESTION = "question"  # the sentence of the shift test
    SHIFT_BY = "shift_by"
    WORD_ORDER = "word_order"  # of the shuffled sentence, "3.1.2"
    QUESTION_LENGTH = "question_length"
    QUESTION_ID = "question_id"
    # Remove a part
    MODEL_B = "model_b"  # name of the weights of B; AS_A: those of A
    ABLATION = "ablation"  # removed now, or trained without
    METRIC = "metric"  # what the ablation of each head is measured by
    OVERRIDE = "override"  # what a row is replaced by
    REPLACED = "replaced"  # which sentence of the batch
    # Training
    TRAIN_TASK = "train_task"
    TRAIN_LAYERS = "train_layers"
    TRAIN_HEADS = "train_heads"
    TRAIN_WIDTH = "train_width"
    TRAIN_POSITION = "train_position"
    TRAIN_NORM = "train_norm"
    TRAIN_NORM_KIND = "train_norm_kind"
    TRAIN_ACTIVATION = "train_activation"
    TRAIN_SCALE = "train_scale"  # the parts of model A: True, present
    TRAIN_MASK = "train_mask"
    TRAIN_RESIDUAL = "train_residual"
    TRAIN_MLP = "train_mlp"
    TRAIN_RATE = "train_rate"
    TRAIN_DECAY = "train_decay"
    TRAIN_WARMUP = "train_warmup"
    TRAIN_CLIP = "train_clip"
    TRAIN_SEED = "train_seed"
    TRAIN_SEEDS = "train_seeds"  # how many of each are trained
    TRAIN_STEPS = "train_steps"
    TRAIN_CHANGE = "train_change"  # in what model B differs
    TRAIN_VALUE = "train_value"  # what it has instead
    TRAIN_DEPTH = "train_depth"  # layers of the untrained models whose gradient is shown
    HISTORY_OF = "history_of"  # the training that is wound back
    HISTORY_STEP = "history_step"
    # Translate
    TASK = "task"
    NETWORK = "network"
    SOURCE_TEXT = "source_text"
    METHOD = "method"  # greedy, sample or beam
    BEAM_WIDTH = "beam_width"
    LENGTH_PENALTY = "length_penalty"
    MAP = "map"
    MEAN_HEADS = "mean_heads"
    TARGET_STEP = "target_step"  # from 1; None: the most informative one
    # Your model
    SAMPLE = "sample"  # True: the lab's own file of weights is open
    MAPS_MODEL = "maps_model"
    MAPS_TEXT = "maps_text"
    MAPS_TARGET = "maps_target"
    STACK = "stack"  # which attention of a model with two stacks


class Key(StrEnum):
    """What only the session holds. Those of buttons hold something for one run."""

    # every page
    PAGE = "page"  # the page of the last run
    PAGE_LINK = "page_link"  # name of PER_PAGE → its values in the address, at the last run
    OF_PAGES = (
        "of_pages"  # page → name of PER_PAGE → what it held when the page was left, and its values in the address
    )
    FIRST_VALUES = "first_values"  # Param → its value after a page's first run, and its values in the link; then {}
    RESTORED = "restored"  # Param → its values in the link, of what was set on the page that was left, for one run
    THEME = "asked_theme"  # "light" or "dark", for the command line, which has no browser
    OPENED_WITH = "opened_with"  # the parameters of the link as it was opened, until they have been checked
    DEFAULTS = "defaults"  # Param → the default that its control had last
    EXAMPLE = "example"  # the text that the model of the last run opens with
    WRITTEN = "written"  # a generated text that goes into the sentence box in the next run
    TO_THE_END = "to_the_end"  # True: the next run pins the last token
    LAST_QUERY = "last_query"  # the query token of the last run
    LAST_HEAD = "last_head"  # the tokens of the last run, and the head that a page with a head opens with for them
    DRAW = "draw"  # the menu of new sentences: the kind that was chosen
    KNOWN = "known"  # whether the vocabulary is open
    PLAIN = "plain"
    IN_PIECES = "in_pieces"
    INSTEAD = "instead"  # of a typed word and a known one: the button that replaces
    OFFER = "offer"  # the part that the hints would remove
    STATISTICS = "statistics"  # the line of the table of heads that was clicked
    LINKS_OPENED = "links_opened"  # how many links within the lab were followed
    CLASS_PAGE = "class_page"  # the page that the lecturer of a class shows: last part of its path, and parameters
    CLASS_MOVE = "class_move"  # the number of the last page that was requested so
    CODE_FOR = "code_for"  # the link whose QR code is requested
    TRY = "try"  # of a number: a button that opens a link of the prose
    # Whole model
    PART_REQUESTED = "part_requested"  # the part whose page is to be opened: its kind, its layer, its head
    PAIR_MODEL = "pair_model"  # name of a model of two sentences that waits: the pages since cannot show it
    TARGET_OF = "target_of"  # (weights, source) of the last run, for which the target was named
    PAIR_PART_REQUESTED = "pair_part_requested"  # the same of a model of two sentences, with the stack of the part
    # files
    ASK = "ask"  # of a figure: which file of it is requested
    TABLE = "table"  # of a figure: whether its table is open
    ASK_PAGE = "ask_page"  # the link for which the files of the whole page are requested
    PAGE_DATA = "page_data"  # (figure, kind) → file, while they are collected
    # Heads
    PLAYER = "player"  # True: the page that was drawn last has the player of generation
    PLAYING = "playing"
    TICK = "tick"  # how often the player has run since the page was drawn
    STOPPED = "stopped"  # why the player has stopped
    WRITE_ONE = "write_one"
    WRITE_STOP = "write_stop"
    WRITE_PLAY = "write_play"
    # Inside a head
    TRAINED_SIZE = "trained_size"  # of a size: the number that the weights have
    # Masks
    GUESS_QUESTION = "guess_question"  # what the cells are a guess about
    GUESS_CELLS = "guess_cells"  # (T, T), or None
    GUESS_SHOWN = "guess_shown"
    REVEAL = "reveal"
    RESTART = "restart"
    MEASURE = "measure"
    MEASURED = "measured"  # the experiment whose times are shown
    STOP_MEASURING = "stop_measuring"
    # Why attention
    MEASUREMENT = "measurement"  # the name of the measurement that this visit has started
    # Remove a part
    OPENED_WITHOUT = "opened_without"  # True: the page has taken the scaling out, not a person; absent: not opened yet
    NEVER = "never"  # the part without which the twin was trained
    BY_HAND = "by_hand"  # of a layer, a head and a row: the weights that are typed
    # Training
    TRAINING = "training"  # the name of this visit's training
    COMPARISON = "comparison"  # of a number: a button that sets A and B for a known comparison
    KEPT_MODELS = "kept_models"  # the names of the models that this visit keeps
    KEPT_TITLE = "kept_title"  # what the next one is to be called
    KEEP_STEP = "keep_step"
    KEPT_FILE = "kept_file"  # of a name: the button that saves it
    OPEN_KEPT = "into_kept"  # of a name: the button that opens Heads with it
    LET_KEPT_GO = "let_kept_go"
    NEWEST_STEP = "newest_step"  # of a training: its last step when it was wound back the last time
    RATE_FACTOR = "rate_factor"  # what the learning rate is multiplied by from now on
    # Translate
    SOURCE_OF = "source_of"  # (task, example): the task whose example the source is
    DRAW_SOURCE = "draw_source"
    KNOWN_SOURCE = "known_source"
    AGAIN_COPIES = "again_copies"
    WHOLE_MODEL = "whole_model"
    WHOLE_MODEL_OF = "whole_model_of"  # (weights, source) to open that page with in the next run
    # Your model
    PLACE = "place"  # the folder, or the name on the Hub, that was typed
    LOOK = "look"
    ASK_HUB = "ask_hub"
    STOP_LOOK = "stop_look"
    FETCH = "fetch"
    LOAD = "load"
    STOP = "stop"
    LET_GO = "let_go"  # of a name: the button that unloads
    INTO = "into"  # of a name and a page: the button that opens the page with this model
    YOUR_OFFER = "your_offer"  # the folder as it was inspected
    YOUR_LISTING = "your_listing"  # the files of a name on the Hub
    YOUR_LOOK = "your_look"  # the inspection that is under way
    YOUR_WORK = "your_work"  # the loading that is under way
    YOUR_CALLED = "your_called"  # the name under which its result is kept
    SAVED_STEP = "saved_step"  # the file of a kept step that was dropped
    SAVED_STEP_FAULT = "saved_step_fault"  # why it cannot be opened; "": it can
    NPZ = "npz"  # the file that was dropped
    SAVE_SAMPLE = "save_sample"
    NPZ_CONTENT = "npz_content"  # id of an upload → hash of its content
    # Lessons
    LESSONS_SEEN = "lessons_seen"  # name of a lesson → the step that was open last, from 0; at its end, one more
    LESSON_ASKED = "lesson_asked"  # the step to go to; "": the page of lessons
    LESSON_GIVEN = "lesson_given"  # (lesson, step, answer)
    LESSON_SHOWN = "lesson_shown"  # (lesson, step) whose figures are shown without an answer
    OPEN = "open"  # of a lesson: the button that opens it


# What a control shows before anybody has set it, where other modules than its own need to know.
DEFAULTS: dict[Param, Any] = {Param.WEIGHTS: "grammar", Param.MASK_KIND: "trained"}


# What each page holds for itself, although others have a control of this name.
PER_PAGE = (Param.VIEW, Param.PANEL, Param.HEADS_OFF, Param.D_K)


def key_of(key: Key, *of: object) -> str:
    """One of several keys of a kind: `key_of(Key.TABLE, "grid")` holds whether the table of the grid is open."""
    return "_".join([key, *map(str, of)])


def value(param: Param) -> Any:
    """What a control holds, or its default where it has not been drawn."""
    return st.session_state.get(param, DEFAULTS[param])


def enter(page: str) -> None:
    """Keep apart what two pages hold under one name. Call it in every run, before anything of the page is drawn.

    Streamlit keeps the value of a control in the address for the next page with a control of that name. That is wanted
    of the sidebar, and not of PER_PAGE: there each page finds what it had itself, and its address says so.
    """
    session, address = st.session_state, st.query_params
    before, in_link = session.get(Key.PAGE), session.get(Key.PAGE_LINK, {})
    for name, address_values in session.get(Key.RESTORED, {}).items():
        if address_values:
            write(name, address_values)
            session[Key.RESTORED] |= {name: []}  # once: the page may have changed it since
    restored: dict[str, tuple[Any, list[str]]] = {}
    if before not in (None, page):
        first_values: dict[str, tuple[Any, list[str]]] = session.pop(Key.FIRST_VALUES, {})
        of_pages: dict[str, dict[str, tuple[Any, list[str]]]] = session.setdefault(Key.OF_PAGES, {})
        held = {name: value for name, (value, _) in first_values.items()}
        held |= {name: session[name] for name in PER_PAGE if name in session}
        of_pages[before] = {name: (held[name], in_link.get(name, [])) for name in PER_PAGE if name in held}
        restored = {name: value for name, value in first_values.items() if value[1] and name not in PER_PAGE}
        if session.pop(Key.OPENED_WITHOUT, False):
            restored.pop(Param.SCALE, None)
            session[Param.SCALE] = True  # only Remove a part opens without it
        for name in PER_PAGE:
            session.pop(name, None)
            session.get(Key.DEFAULTS, {}).pop(name, None)
            if name in address and address.get_all(name) == in_link.get(name):
                write(name, [])  # it is of the page that was left
        for own, (value, address_values) in of_pages.get(page, {}).items():
            if own not in address:  # a link, or Back, asks for something else
                session[own] = value
                write(own, address_values)
    session[Key.PAGE] = page
    session[Key.PAGE_LINK] = {name: address.get_all(name) for name in PER_PAGE if name in address}
    restored = {name: value for name, value in restored.items() if name not in address}
    if restored:
        session.update({name: value for name, (value, _) in restored.items()})
        session[Key.RESTORED] = {name: address_values for name, (_, address_values) in restored.items()}
        st.rerun()  # until this run ends, the controls of the page that was left own their names in the address


def remember() -> None:
    """Note what a link has set, when the page is drawn the first time. Streamlit keeps it from the second run on."""
    session, address = st.session_state, st.query_params
    for name in session.pop(Key.RESTORED, {}):
        write(name, [])  # where this page has no such control; a control that is drawn keeps its part of the address
    if Key.FIRST_VALUES in session:
        session[Key.FIRST_VALUES] = {}
    else:
        values = {name: (session[name], address.get_all(name)) for name in Param if name in session}
        session[Key.FIRST_VALUES] = values


def write(name: str, address_values: list[str]) -> None:
    """Put the values of a control that is not drawn yet into the address; none: take them out."""
    try:
        if address_values:
            st.query_params[name] = address_values
        else:
            st.query_params.pop(name, None)
    except StreamlitAPIException:  # a control of the page that was left still owns the name, and clears it itself
        return


def clear(*, keep: Iterable[Key]) -> None:
    """Forget everything of this visit but these: the next page opens as for a new visitor."""
    kept = set(keep)
    for name in [name for name in st.session_state if name not in kept]:
        del st.session_state[name]


def in_address(figure: str = "") -> DeltaGenerator:
    """A hidden container. A control within it ties a value that a figure sets to the address of the page.

    figure: its key, where several figures of a page have such controls.
    """
    return st.container(key=f"address_{figure}" if figure else "address")
