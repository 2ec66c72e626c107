"""Answers about models that read one sentence and write another; what they are asked stands in the question."""

from model.analysis.alignment import attention_maps, select_map
from model.evaluation import fresh_accuracy
from model.run import Experiment
from viz.ui import pairs, slots, translate_view
from viz.ui.here import Answer, Here


def copied(here: Here, *, network: str, signs: int) -> Answer:
    """Percent of fresh copies of this many signs that the network gets right to the last one."""
    weights = pairs.jobs()["Copy"][network]
    with slots.long("Asking for fresh copies"):
        return 100 * fresh_accuracy.copy_accuracy(weights, signs)


def looked_up(here: Here, *, says: str) -> Answer:
    """Which word of the example's source the Transformer looks at most while it says this word."""
    weights = pairs.jobs()["Translation"][pairs.TRANSFORMER]
    experiment = Experiment(weights, pairs.JOBS["Translation"].example)
    made = pairs.translation(experiment)
    layer, _ = translate_view.headline(weights)
    row = select_map(attention_maps(made.trace)["cross"], layer, None)[made.tokens.index(says)]  # (S,)
    return pairs.source(experiment).surface[int(row.argmax())]
