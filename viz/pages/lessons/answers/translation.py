"""Answers about models that read one sentence and write another; the question names the sentence."""

from model.analysis.alignment import attention_maps, select_map
from model.evaluation import fresh_accuracy
from model.run import Experiment
from viz.pages.lessons.answers.on_screen import Answer, OnScreen
from viz.pages.translate import compute as translate_compute
from viz.ui import slots


def copy_accuracy(screen: OnScreen, *, network: str, length: int) -> Answer:
    """Percent of fresh copies of this many symbols that the network gets right to the last one."""
    weights = translate_compute.available_tasks()["Copy"][network]
    with slots.long("Asking for fresh copies"):
        return 100 * fresh_accuracy.copy_accuracy(weights, length)


def most_attended_source(screen: OnScreen, *, target_token: str) -> Answer:
    """Which word of the example's source the Transformer attends to most while it predicts this word."""
    weights = translate_compute.available_tasks()["Translation"][translate_compute.TRANSFORMER]
    experiment = Experiment(weights, translate_compute.TRANSLATE_TASKS["Translation"].example)
    translation = translate_compute.translation(experiment)
    layer, _ = translate_compute.default_head(weights)
    row = select_map(attention_maps(translation.trace)["cross"], layer, None)[
        translation.tokens.index(target_token)
    ]  # (S,)
    return translate_compute.source(experiment).surface[int(row.argmax())]
