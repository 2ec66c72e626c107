"""From an Experiment to its Trace, once for all visitors: small keys, bounded caches, read-only arrays."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, lru_cache
from random import Random
from threading import local

import streamlit as st

from model.checkpoint import load_card, names, saved_steps, split_step, step_name
from model.cluster.configured import place
from model.cluster.place import ClusterFull, ClusterUnavailable, ThisProcess
from model.compute import cost
from model.compute.device import choose_device, describe, one_thread
from model.config import ModelConfig
from model.encoder_decoder import EncoderDecoderTrace
from model.generation.next_token import NextTokens, top_next_tokens
from model.generation.translate import translate
from model.model_card import SUBWORDS, ModelCard
from model.registry import registry, session_models
from model.run import Experiment, InputTextError, encode, get_model, get_transformer, run_pair, run_text
from model.switches import Switches
from model.tasks import PAIRS, TASKS, PairTask, Task
from model.tasks.pair_sampling import draw_pairs
from model.tokenizer import Encoding, Tokenizer
from model.training.live import kept_model
from model.transformer import Trace
from viz.types import Array
from viz.ui import server_cache, slots
from viz.ui.progress import Progress
from viz.ui.state import Key

compute_slots = slots.short
MEGABYTE = 10**6


@cache
def start() -> None:
    """Prepare this process for many visitors, once. Importing a name from here changes nothing.

    Visitors share the cores, so a forward pass takes one thread. Streamlit collects garbage after every run of a page;
    what is imported by now will never be garbage.
    """
    one_thread()
    gc.freeze()


def trace(experiment: Experiment) -> Trace[Array]:
    """The experiment's trace. A text that cannot be run ends the page with the sentence that says why."""
    try:
        size = trace_bytes(get_transformer(experiment.weights)[0].config, len(encode(experiment).ids))
        if size > server_cache.BUDGET.most:  # it would be computed again for every figure
            raise slots.TooMuch(
                f"The results for this text in this model take {size / MEGABYTE:,.0f} MB; the lab has room for "
                f"{server_cache.BUDGET.most / MEGABYTE:,.0f} MB. Shorten the text."
            )
        return _traced(experiment)
    except (InputTextError, slots.TooMuch) as error:
        st.info(str(error))
        st.stop()


def trace_bytes(config: ModelConfig, tokens: int) -> int:
    """About how many bytes a trace has: five maps of numbers and one of bits a head, a dozen vectors a word, logits."""
    maps = config.n_layers * config.n_heads * tokens**2 * (5 * 4 + 1)
    vectors = config.n_layers * tokens * (12 * config.d_model + config.d_ff) * 4
    return maps + vectors + tokens * config.vocab_size * 4


@server_cache.cached
def _traced(experiment: Experiment) -> Trace[Array]:
    if place().takes(experiment.weights):
        try:
            return _traced_in_cluster(experiment)
        except ClusterUnavailable as error:
            _run.notice = str(error)
    with slots.place("Running the model on a long text", operations(experiment)):
        return run_text(experiment)


def _traced_in_cluster(experiment: Experiment) -> Trace[Array]:
    progress = Progress()
    try:
        return place().run(experiment, lambda ahead: progress.show(None, _queue(ahead)))
    except ClusterFull as error:
        raise slots.TooMuch(str(error)) from error
    finally:
        progress.done()


def _queue(ahead: int) -> str:
    others = f": waiting for {ahead} forward pass{'es' if ahead > 1 else ''} of other visitors" if ahead else ""
    return f"Running the model in the cluster{others}"


_run = local()  # of the thread that makes a page: why it computes here what the cluster would have computed


@contextmanager
def cluster_notice() -> Iterator[None]:
    """Above what is drawn within it: a sentence if this run of the page computed here because the cluster is gone."""
    if isinstance(place(), ThisProcess):
        yield
        return
    above, _run.notice = st.empty(), ""
    try:
        yield
    finally:
        if _run.notice:
            above.info(_run.notice)


def operations(experiment: Experiment, passes: int = 1) -> int:
    """What so many passes of this model over the experiment's text cost, as model/compute/cost.py counts."""
    return cost.operations(get_transformer(experiment.weights)[0].config, len(encode(experiment).ids), texts=passes)


@server_cache.cached
def next_words(experiment: Experiment, position: int, n: int = 8) -> NextTokens:
    """What the model, and each of its layers, expects after the token at `position`."""
    return top_next_tokens(experiment, trace(experiment), position, n)


def encoding(experiment: Experiment) -> Encoding:
    """The text as typed and as read."""
    return encode(experiment)


def tokenizer(weights: str) -> Tokenizer:
    """The tokenizer that belongs to these weights."""
    return get_model(weights)[1]


# Called many times in every run: Streamlit's own cache would hash the arguments each time.
@lru_cache(maxsize=64)
def about(weights: str) -> ModelCard:
    """The card of these weights."""
    return load_card(weights)


def forget() -> None:
    """Drop what is kept of models from elsewhere, once one of them is let go."""
    about.cache_clear()
    server_cache.clear()


def text_models() -> tuple[str, ...]:
    """The weights that know a language one can type in: the lab's own, models from elsewhere that are loaded, and the
    saved steps of the lab's own."""
    return (*_own_languages(), *registry().names(), *_steps_of_languages())


def kept_models() -> tuple[str, ...]:
    """The steps of live trainings that this visit has kept as models, as far as they are still here."""
    names_of_visit = st.session_state.get(Key.KEPT_MODELS, ())
    return tuple(name for name in names_of_visit if session_models().find(name) is not None)


@lru_cache(maxsize=1)
def pair_models() -> tuple[str, ...]:
    """The encoder–decoders of Transformer layers: they read one sentence and write another."""
    known = [name for name in names() if load_card(name).architecture == "encoder-decoder"]
    return tuple(sorted(known, key=lambda name: (list(PAIRS).index(load_card(name).task), name)))


@lru_cache(maxsize=1)
def _own_languages() -> tuple[str, ...]:
    """One of each language first, by the order of the languages."""
    known = [name for name in names() if load_card(name).task in TASKS]
    return tuple(sorted(known, key=lambda name: (name not in TASKS, list(TASKS).index(load_card(name).task), name)))


@lru_cache(maxsize=1)
def _steps_of_languages() -> tuple[str, ...]:
    return tuple(step_name(name, step) for name in _own_languages() for step in saved_steps(name))


def final_weights(weights: str) -> str:
    """The name of the model at the end of the training to which these weights belong."""
    return split_step(weights)[0]


def comparable(weights: str) -> tuple[str, ...]:
    """The other weights whose heads and tokens can be set beside those of these: as many of both, and the same words.

    Such are two steps of one training, or a model and what was trained further from it.
    """
    return tuple(name for name in (*text_models(), *kept_models()) if name != weights and _alike(weights, name))


def _alike(a: str, b: str) -> bool:
    cards = about(a), about(b)
    sizes = [(card.model_config.n_layers, card.model_config.n_heads, card.model_config.vocab_size) for card in cards]
    reads = [(card.tokenizer, card.words) for card in cards]
    if sizes[0] != sizes[1] or reads[0] != reads[1]:
        return False
    by_card = cards[0].tokenizer != SUBWORDS or final_weights(a) == final_weights(b)
    return by_card or tokenizer(a).vocabulary == tokenizer(b).vocabulary


def trained(weights: str) -> Switches:
    """The parts that were there while these weights were trained."""
    return get_model(weights)[0].config.trained


def removable_parts(weights: str) -> Switches:
    """The parts that can be taken out of this model."""
    return get_model(weights)[0].config.removable


def task(weights: str) -> Task:
    """The language these weights were trained on; of models from elsewhere, the English passages of the lab."""
    name = about(weights).task
    return TASKS[name] if name in TASKS else kept_model.language(name)


def pair_task(weights: str) -> PairTask:
    """What these weights of a model of two sentences were trained on."""
    return PAIRS[about(weights).task]


DRAWN = 1000  # sources: enough to hold every word of the generator


@server_cache.cached
def source_words(weights: str) -> frozenset[str]:
    """The words that sources are made of, without those of the other language; empty where a source has no words."""
    task = about(weights).task
    if task != "translation":
        return frozenset()
    with compute_slots:
        return frozenset(word for pair in draw_pairs(task, DRAWN, Random(0)) for word in pair.source)


def folder(weights: str) -> str:
    """The folder that a model from elsewhere was loaded from."""
    kept = registry().find(weights)
    return kept.card.source.folder if kept and kept.card.source else "the folder of " + weights


def device() -> str:
    """The device everything runs on, in words."""
    return describe(choose_device())


@server_cache.cached
def translation(experiment: Experiment) -> str:
    """What the model writes for the experiment's text, by greedy search.

    Raises:
        InputTextError: the text cannot be read.
        TooMuch: the computation is too long, or many others wait.
    """
    # Without a causal mask nothing that was computed for one word can be used for the next.
    with compute_slots if experiment.switches.mask else slots.long("Writing the target"):
        return translate(replace(experiment, target="")).text


@server_cache.cached
def pair_trace(experiment: Experiment) -> EncoderDecoderTrace[Array]:
    """The experiment's text and its target, read as they are.

    Raises:
        InputTextError: one of the two cannot be read.
    """
    with compute_slots:
        trace = run_pair(experiment)
    assert isinstance(trace, EncoderDecoderTrace)
    return trace
