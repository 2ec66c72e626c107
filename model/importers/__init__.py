"""Models from elsewhere, loaded into the lab's own Transformer. Read the files in this order:

pasted_path, folder, safetensors_header: where a model lies, what its folder holds, and what a file promises
tensor_map, gpt2, bert: the name, shape and orientation of every foreign tensor, one line for each of ours
tensor_names: tensors that older or wrapped files call otherwise, and tensors that nothing would read
inspect, tokenizers, load: what a folder offers; its tokenizer; the model itself
transformers_checks, decoder_input, transformers_backend: models that `transformers` runs, for their attention only
child: the same for a folder of a visitor, in a child process with limits
background, hub: long work in a thread; the Hugging Face Hub
"""

from model.importers.background import bring
from model.importers.inspect import FAMILIES, ModelInfo, inspect_folder
from model.importers.load import Imported, read

__all__ = ["FAMILIES", "Imported", "ModelInfo", "bring", "inspect_folder", "read"]
