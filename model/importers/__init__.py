"""Models from elsewhere, told in our own terms. Read the files in this order:

safetensors_file → pasted → folder: what a file promises and what lies in a folder, checked before much is read
family → gpt2, bert: each foreign tensor's name, shape and way, one line for each of ours
names: tensors that older or wrapped files call otherwise, and tensors that nobody would read
look → words → read: what is offered; its tokenizer; the model itself, in our own Transformer
bounded, patterns, tokenizer_bounds: files of a known size, and tokenizers of known cost
foreign_checks → decoder_side → maps: models that ours cannot hold, run by `transformers`, of which only the attention
is taken
frames → process → child → tasks → guarded: the same for a folder of a visitor, in a process with limits
"""

from model.importers.loading import bring
from model.importers.look import FAMILIES, Offer, look
from model.importers.read import Imported, read

__all__ = ["FAMILIES", "Imported", "Offer", "bring", "look", "read"]
