"""A small Transformer that records every stage of its computation. Read the files in this order:

    switches → config → tokenizer → subword → position → mask → norm → attention → transformer → run
    encoder_decoder, recurrent: the two kinds of sequence-to-sequence model
    generation/: sampling, beam search and the KV cache
    analysis/: from a trace to numbers, one concept in each file
    cost/: what each type of layer costs, and how far it reaches
    tasks/, training/, evaluation/: data, training and measurements
    checkpoint, importers/: the lab's own weights, and external models

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
