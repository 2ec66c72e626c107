"""A small Transformer that shows its work. Read the files in this order:

    switches → config → tokenizer → subword → position → mask → norm → overwrite → attention → transformer → run
    encoder_decoder, recurrent: two models that read one sentence and write another
    measure, words: from a trace to numbers, and from pieces to words
    effects → cache → sampling → generate: what a change does, and what the model writes
    search → translate → written → quality: several ways to write the other sentence, and how well it was done
    leak, sweep: what an edited word moves, and one text under many masks
    then tasks/ (what the models learn), train, checkpoint (what is shipped)

Axis letters, used in every shape comment of this folder:

    B sequences in a batch      T positions that look (queries)      S positions looked at (keys, values)
    H heads                     D width of one head (d_k or d_v)     C width of the model (d_model)
    F feed-forward width        V vocabulary                         L layers
"""

from model.checkpoint import load
from model.generation.generate import generate
from model.run import Experiment, run
from model.switches import Switches

__all__ = ["Experiment", "Switches", "generate", "load", "run"]
