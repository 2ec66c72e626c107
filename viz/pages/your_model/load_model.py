"""A model of one's own: looked at, loaded in the background, then offered on every page beside the lab's own."""

import os
from collections.abc import Callable
from functools import cache, partial
from hashlib import sha256
from ipaddress import ip_address
from time import monotonic
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from model.checkpoint import CheckpointError
from model.importers import ModelInfo, background, hub
from model.importers import transformers_backend as foreign
from model.importers.child import guarded
from model.importers.child.parent import warm
from model.importers.transformers_backend import EXTRA, available
from model.registry import LoadedModel, registry
from model.run import MAX_CHARACTERS, InputTextError
from viz.export.attention_arrays import maps
from viz.export.npz import ArraysError
from viz.labels import escape_markdown as _plain
from viz.pages.your_model import uploaded_maps
from viz.server.replica import listens_on
from viz.ui import controls, copy_as_python, model_calls, server_cache, slots, visitor
from viz.ui.state import Key, Param, clear, key_of

VARIABLE = "ATTENTION_LAB_OWN_MODELS"
PAGES = {"heads": "Heads", "inside": "Inside a head", "masks": "Masks", "remove": "Remove a part"}
MEGABYTE = 10**6
STOPPED = "Stopped. Nothing was kept."
QUICK = 0.3  # seconds: what is found by then needs no button that stops it
# What the pages will show of a model, by what it says at a word.
EVERYTHING = "Every page shows every head and every stage, and each component of the model can be ablated."
CAPABILITIES = {
    "next": f"{EVERYTHING} Next-word predictions are shown layer by layer.",
    "here": f"{EVERYTHING} The model attends in both directions and fills in hidden words. Where the lab shows the "
    "next word, it shows the word predicted at that place. Type [MASK] to hide a word.",
    "nothing": f"{EVERYTHING} This model produces vectors but no word predictions, so prediction figures are hidden.",
}


@cache
def slot() -> background.JobSlot:
    """Room for one model on its way, for all visitors of this server."""
    return background.JobSlot()


def loading_allowed() -> bool:
    """Whether visitors may load models: as the setting says; without one, only where the server answers to one machine.

    A person who may load models may name folders of this machine, and use its memory.
    """
    setting = os.environ.get(VARIABLE, "").strip().lower()
    if setting:
        return setting in ("on", "1", "true", "yes")
    return of_one_person()


def of_one_person() -> bool:
    """Whether the lab answers to its own machine only. A replica does only if its proxy does."""
    address = listens_on(str(st.get_option("server.address") or ""))
    try:
        return address == "localhost" or ip_address(address).is_loopback
    except ValueError:  # no address: the server answers to everyone
        return False


def visit() -> str:
    """Who loads a model now: "" is the person at a server of one person, otherwise this visit and no other.

    Streamlit's own number of the visit: no other visitor learns it, and it ends with the visit.
    """
    context = get_script_run_ctx()
    return "" if of_one_person() or context is None else context.session_id


def may_unload(kept: LoadedModel, who: str) -> bool:
    """Whether this visit may stop or let go of a model: its own, or one whose visit has ended.

    On a server of one person everything is that person's. On another, a model with no owner is of the person who
    started the server: no visit may touch it.
    """
    return of_one_person() or (kept.owner != "" and (kept.owner == who or not _here(kept.owner)))


def _here(owner: str) -> bool:
    """Whether this visit is still going on."""
    return runtime.exists() and runtime.get_instance().is_active_session(owner)


def show_disabled() -> None:
    """Say why nothing can be loaded here."""
    st.info(
        "Loading models is switched off on this server. By default it is on only if the lab answers to no other "
        f"machine. The person who runs the server can switch it on for everyone with {VARIABLE}=on."
    )


def choose_model() -> None:
    """Which model: a folder of this machine, or a name on the hub. Only its button contacts the hub."""
    warm()
    place = st.text_input(
        "A folder on this machine, or a model’s name on the Hugging Face Hub",
        key=Key.PLACE,
        placeholder="/home/me/distilgpt2   or   distilbert/distilgpt2",
        max_chars=1000,
    ).strip()
    with st.container(horizontal=True, gap="small"):
        read_folder = st.button("Read the folder", key=Key.LOOK, disabled=not place)
        ask_hub = st.button("Ask the Hub", key=Key.ASK_HUB, disabled=not hub.is_name(place))
    if not of_one_person():
        st.caption(
            "Everybody on this server sees the models that are loaded. Only you can stop or unload a model that you "
            "load, until you leave. Nobody here can unload a model of the person who started the server."
        )
    if read_folder:
        _forget()
        _try(lambda: st.session_state.update({Key.YOUR_OFFER: _inspected(place)}))
    if ask_hub:
        _forget()
        _try(lambda: st.session_state.update({Key.YOUR_LISTING: hub.ask(place)}))


def _forget() -> None:
    for name in (Key.YOUR_OFFER, Key.YOUR_LISTING, Key.YOUR_WORK, Key.YOUR_LOOK):
        st.session_state.pop(name, None)


def _try(what: Callable[[], object]) -> None:
    try:
        what()
    except CheckpointError as error:
        st.info(_plain(str(error)))


def _inspected(place: str, called: str = "") -> ModelInfo:
    """What a folder offers. While a child process reads it, it can be stopped; another click stops it too.

    Raises:
        CheckpointError: it cannot be loaded, or a person stopped it.
    """
    work = background.BackgroundJob(f"Reading {place}", partial(guarded.inspect_folder, place, called)).start()
    st.session_state[Key.YOUR_LOOK] = work  # still there in the next run only if this run was ended: see `finish_job`
    began, shown = monotonic(), st.empty()
    try:
        work.wait(QUICK)
        if work.running:
            with shown.container(horizontal=True, vertical_alignment="center", gap="medium"):
                bar = st.empty()
                st.button("Stop", key=Key.STOP_LOOK)
        while work.running:
            # Streamlit ends this run here when a button is clicked or the visit ends.
            bar.progress(0.0, text=f"Reading the folder, {monotonic() - began:.0f} s")
            work.wait(QUICK)
    finally:
        work.stop()
    del st.session_state[Key.YOUR_LOOK]
    shown.empty()
    if not work.result:
        raise CheckpointError(work.error or STOPPED)
    offer: ModelInfo = work.result
    return offer


def show_model_info() -> None:
    """What was found, before anything large is read or fetched; and the button that does it."""
    listing: hub.Listing | None = st.session_state.get(Key.YOUR_LISTING)
    offer: ModelInfo | None = st.session_state.get(Key.YOUR_OFFER)
    if listing is not None:
        files = ", ".join(f"{_plain(name)} {size / MEGABYTE:,.1f} MB" for name, size in listing.files)
        st.markdown(f"**{_plain(listing.name)}** on the Hub: {listing.size / MEGABYTE:,.1f} MB to fetch. {files}.")
        st.button(
            f"Fetch {listing.size / MEGABYTE:,.1f} MB",
            key=Key.FETCH,
            disabled=_busy(),
            on_click=_start,
            args=(
                background.BackgroundJob(f"Fetching {listing.name}", partial(hub.fetch, listing), visit()),
                listing.name,
            ),
        )
    if offer is not None:
        missing = offer.config is None and not available()
        sizes, what = st.columns([2, 3], gap="large")
        sizes.container(key="small_offer").markdown(facts(offer))
        with what:
            st.markdown(capabilities(offer))
            if missing:
                st.info(
                    f"This model needs the library transformers, which is not installed here. To install it: `{EXTRA}`."
                )
            st.button(
                f"Load it, {offer.bytes_needed / MEGABYTE:,.1f} MB",
                key=Key.LOAD,
                type="primary",
                disabled=_busy() or missing,
                on_click=_start,
                args=(_loading(offer),),
            )


def _loading(offer: ModelInfo) -> background.BackgroundJob:
    who = visit()
    do = partial(guarded.load, offer, owner=who, evicts=lambda kept: may_unload(kept, who))
    return background.BackgroundJob(f"Loading {offer.name}", do, who)


def facts(offer: ModelInfo) -> str:
    """The architecture and the sizes, as a table."""
    config = offer.config
    lines = [("Kind", offer.kind)]
    if config is not None:
        lines += [
            ("Layers × heads", f"{config.n_layers} × {config.n_heads}"),
            ("Width, feed-forward", f"{config.d_model:,}, {config.d_ff:,}"),
            ("Vocabulary, longest text", f"{config.vocab_size:,}, {config.context:,}"),
            ("Attention", "causal" if config.causal else "both directions"),
        ]
    lines += [
        ("Parameters", f"{offer.parameters:,}"),
        ("Files of weights", f"{offer.folder.bytes_on_disk / MEGABYTE:,.1f} MB"),
        ("Memory for the weights", f"{offer.bytes_needed / MEGABYTE:,.1f} MB"),
        ("Tokenizer", offer.folder.tokenizer),
        ("Name in the lab", offer.name),
    ]
    rows = [f"| {name} | {_plain(value)} |" for name, value in lines]
    return "\n".join(["| | |", "|---|---|", *rows])


def capabilities(offer: ModelInfo) -> str:
    """What the lab will show of the model, and what of its files it does not need."""
    description = CAPABILITIES[offer.config.predicts] if offer.config else _plain(offer.maps_only_reason)
    if offer.unused:
        some = ", ".join(_plain(name) for name in offer.unused[:4]) + (", …" if len(offer.unused) > 4 else "")
        description += f" These parts of its files are not needed: {some}."
    return description


def _busy() -> bool:
    now = slot().now
    return now is not None and now.running


def _start(work: background.BackgroundJob, called: str = "") -> None:
    if slot().start(work):
        st.session_state.update({Key.YOUR_WORK: work, Key.YOUR_CALLED: called})


def show_progress() -> None:
    """How far the work is, with a button that stops it."""
    if _busy():
        _watch()


def finish_job() -> None:
    """What came of the work that this visitor began, once it is done."""
    if st.session_state.pop(Key.YOUR_LOOK, None) is not None:
        st.info(STOPPED)
    work: background.BackgroundJob | None = st.session_state.get(Key.YOUR_WORK)
    if work is None or work.running:
        return
    del st.session_state[Key.YOUR_WORK]
    if work.error:
        st.info(_plain(work.error))
    elif not work.result:
        st.info(STOPPED)
    elif called := st.session_state.get(Key.YOUR_CALLED):  # what was fetched lies in a folder now
        _forget()
        _try(lambda: st.session_state.update({Key.YOUR_OFFER: _inspected(work.result, called)}))
    else:
        _forget()
        if work.result in registry().names(maps_only=True):
            st.session_state[Param.MAPS_MODEL] = work.result


@st.fragment(run_every=0.4)
def _watch() -> None:
    work = slot().now
    if work is None or not work.running:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        done = f": {100 * work.share:.0f} %" if work.share else " …"
        st.progress(work.share, text=f"{work.what}{': stopping after the current step' if work.stopped else done}")
        if of_one_person() or work.owner == visit():
            st.button("Stop", key=Key.STOP, on_click=_stop, args=(work,))


def _stop(work: background.BackgroundJob) -> None:
    if of_one_person() or work.owner == visit():
        work.stop()


def _unload(name: str) -> None:
    kept = registry().find(name)
    if kept is not None and may_unload(kept, visit()):
        guarded.unload(name)
        model_calls.forget()
        _attention.clear()


def _unload_button(name: str) -> None:
    kept = registry().find(name)
    if kept is not None and may_unload(kept, visit()):
        st.button("Unload", key=key_of(Key.LET_GO, name), type="tertiary", on_click=_unload, args=(name,))


def show_loaded() -> None:
    """The models that are here, and the ways into the pages."""
    names = registry().names()
    if names:
        st.markdown("**Available on every page**")
    for name in reversed(names):
        card = model_calls.about(name)
        config, source = card.model_config, card.source
        if source is None:
            continue  # every model here is from elsewhere
        many = source.parameters
        numbers = f"{many / MEGABYTE:,.1f} million" if many > MEGABYTE else f"{many:,}"
        size = f"{source.family}, {config.n_layers} layers × {config.n_heads} heads, {numbers} parameters"
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"own_{name}"):
            st.markdown(f"**{name}** :gray[{size}]")
            opens = {page: st.button(title, key=key_of(Key.INTO, name, page)) for page, title in PAGES.items()}
            _unload_button(name)
        for page, clicked in opens.items():
            if clicked:
                open_page(page, name)


def foreign_maps() -> uploaded_maps.GivenMaps | None:
    """Maps of the chosen model among those that can show nothing else, on a text; None where there is none."""
    names = registry().names(maps_only=True)
    wanted = st.query_params.get(Param.MAPS_MODEL)
    if wanted and Param.MAPS_MODEL not in st.session_state:
        if wanted in names:
            st.session_state[Param.MAPS_MODEL] = wanted
        else:
            st.info(f"The model {_plain(wanted)} is not loaded on this server. Load it above to see the linked maps.")
    if not names:
        return None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Maps shown here**", width="content")
        name = controls.choice("Model", list(reversed(names)), key=Param.MAPS_MODEL, bind=None)
        st.query_params[Param.MAPS_MODEL] = name  # also the one that stands first: which that is, a link cannot know
        _unload_button(name)
    kept = registry().find(name)
    if kept is None:
        return None
    settings: dict[str, Any] = {"height": controls.THREE_LINES, "max_chars": MAX_CHARACTERS, "bind": "query-params"}
    two = foreign.reads_two(kept)
    reads, target_column = st.columns(2) if two else (st.container(), None)
    text = reads.text_area("Sentence", controls.PROSE, key=Param.MAPS_TEXT, **settings)
    label = "Target sentence (empty: the model predicts its first word)"
    target = target_column.text_area(label, key=Param.MAPS_TARGET, **settings) if target_column else ""
    if known := foreign.languages_of(kept):
        st.caption(
            f"This model knows {len(known)} languages. Put a language token before the words of either sentence to "
            f"choose one, for example {_plain(known[-1])}."
        )
    try:
        stacks = _attention(name, text or "", target or "")
        stack = controls.choice("Which attention", list(stacks), key=Param.STACK)
        attention_maps = stacks[stack]
        key_tokens = attention_maps.key_tokens if stack == "cross" else None
        of = copy_as_python.ModelMaps(name, stack, text or "", target or "")
        return uploaded_maps.GivenMaps(
            maps(attention_maps.weights, attention_maps.query_tokens, key_tokens),
            of,
            _key(name, stack, text or "", target or ""),
        )
    except (CheckpointError, InputTextError, ArraysError) as error:
        st.info(_plain(str(error)))
        return None


def _key(*parts: str) -> str:
    """What is computed from these maps is kept under this key: of one kind, and a hash of what the visitor typed."""
    joined = b"".join(f"{len(part)}:{part}".encode("utf-8", "surrogatepass") for part in parts)
    return f"maps-{sha256(joined).hexdigest()}"


@server_cache.cached
def _attention(name: str, text: str, target: str) -> dict[str, foreign.AttentionMaps]:
    kept = registry().find(name)
    if kept is None:
        raise CheckpointError(f"{name} was unloaded.")
    with slots.long(
        "Running the model"
    ):  # the model has a process of its own; it computes when no other long work does
        return foreign.attention(kept, text, target)


def open_page(page: str, weights: str) -> None:
    """Go to a page with this model; head, word and parts begin anew, the sentence stays."""
    text = st.session_state.get(Param.TEXT)
    clear(keep=[Key.PLACE, Key.YOUR_OFFER, Key.LESSONS_SEEN])
    address = {Param.WEIGHTS: weights} | ({Param.TEXT: text} if text and text != controls.EXAMPLE else {})
    st.switch_page(visitor.script_of(page), query_params=address)
