"""External models, loaded into the lab's own Transformer. Read the files in this order:

pasted_path, folder, safetensors_header: the path of a model, the content of its folder, and the headers of its files
tensor_map, gpt2, bert: the name, shape and orientation of every external tensor, one line for each of ours
tensor_names: tensors with other names in older or wrapped files, and tensors that would not be read
inspect, tokenizers, load: what is known of a model before it is loaded; its tokenizer; the model itself
transformers_checks, decoder_input, transformers_backend: models that `transformers` runs, for their attention only
child: the same for a folder of a visitor, in a child process with limits
background, hub: long computations in a thread; the Hugging Face Hub
"""

from model.importers.background import bring
from model.importers.inspect import FAMILIES, ModelInfo, inspect_folder
from model.importers.load import Imported, read

__all__ = ["FAMILIES", "Imported", "ModelInfo", "bring", "inspect_folder", "read"]
