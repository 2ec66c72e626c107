"""A small Transformer that shows its work. Read the files in this order:

    switches → config → tokenizer → subword → position → mask → norm → attention → transformer → run
    encoder_decoder, recurrent: two models that read one sentence and write another
    generation/: sampling, beam search and the KV cache
    analysis/: from a trace to numbers, one idea a file
    evaluation/, training/, tasks/: what the models learn, how, and how well
    checkpoint, importers/: the lab's own weights, and those of others

Axis letters, used in every shape comment of this folder:

    B sequences in a batch      T query positions                    S key and value positions
    H heads                     D width of one head (d_k or d_v)     C width of the model (d_model)
    F feed-forward width        V vocabulary                         L layers
"""

from model.checkpoint import load
from model.generation.generate import generate
from model.old_names import install
from model.run import Experiment, run
from model.switches import Switches

__all__ = ["Experiment", "Switches", "generate", "load", "run"]

install()
