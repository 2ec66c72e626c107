"""From two sentences to their traces, once for all visitors; and what gold knows of a source that a generator draws."""

import numpy as np

from model import checkpoint
from model.generation.decoding import Decoding
from model.generation.translate import Translation, translate
from model.run import Experiment, PairTrace, encode_pair, run_pair
from model.tasks import PAIRS, Pair
from model.tasks.parse import PARSERS
from model.tokenizer import Encoding, clean, split
from viz.pair_tasks import ALONE as ALONE
from viz.pair_tasks import ATTENTION as ATTENTION
from viz.pair_tasks import PIECES as PIECES
from viz.pair_tasks import STACKS as STACKS
from viz.pair_tasks import TRANSFORMER as TRANSFORMER
from viz.pair_tasks import TRANSLATE_TASKS as TRANSLATE_TASKS
from viz.ui import model_calls, server_cache, slots

SHORT_WORK = 160  # tokens of the source, times sentences that are followed: less takes under a second


@server_cache.cached
def available_tasks() -> dict[str, dict[str, str]]:
    """The tasks whose weights are there, and their networks."""
    installed = checkpoint.names()
    networks_by_task = {
        name: {label: weights for label, weights in task.networks.items() if weights in installed}
        for name, task in TRANSLATE_TASKS.items()
    }
    return {name: networks for name, networks in networks_by_task.items() if networks}


@server_cache.cached
def translation(experiment: Experiment, how: Decoding = Decoding()) -> Translation:
    """What the model writes for the experiment's text.

    Raises:
        InputTextError: the text cannot be read.
    """
    many = how.width if how.method == "beam" else 1
    lengthy = many * len(source(experiment).ids) > SHORT_WORK or not experiment.switches.mask
    with slots.long("Writing the other sentence") if lengthy else model_calls.compute_slots:
        return translate(experiment, decoding=how)


def source(experiment: Experiment) -> Encoding:
    """The source as typed and as read, the end mark included."""
    return encode_pair(experiment)[0]


@server_cache.cached
def gold(task: str, words: tuple[str, ...]) -> Pair | None:
    """The right answer, where the task's generator could have drawn these words."""
    return PARSERS[task](words)


def gold_of(experiment: Experiment) -> Pair | None:
    """The same for an experiment."""
    task = model_calls.about(experiment.weights).task
    if task not in PAIRS:
        return None
    letters = PAIRS[task].spelled
    return gold(task, source(experiment).surface[1:-1] if letters else split(clean(experiment.text).lower()))


def unit(weights: str) -> str:
    """What the sentences of these weights' task are made of: the "word", the "symbol" of a copy, a date's "
    ""character"."""
    task = model_calls.about(weights).task
    return PAIRS[task].unit if task in PAIRS else "word"


@server_cache.cached
def teacher_forced_trace(experiment: Experiment) -> PairTrace:
    """The experiment's source and its target, word for word."""
    with model_calls.compute_slots:
        return run_pair(experiment)


@server_cache.cached
def default_head(weights: str) -> tuple[int, int]:
    """By the card, the layer whose mean attends most often to the correct words, and the best single head of it."""
    measured = model_calls.about(weights).alignment.values()
    if not measured:
        return 0, 0
    n = np.array([score.n for score in measured])
    top1 = np.array([score.top1 for score in measured])  # (classes, L, H + 1)
    mean = (n[:, None, None] * top1).sum(axis=0) / n.sum()  # (L, H + 1)
    layer = int(mean[:, -1].argmax())
    return layer, int(mean[layer, :-1].argmax())
