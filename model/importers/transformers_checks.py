"""Checks of a folder that `transformers` loads, so that no part of the weights is ignored without an error."""

import re
from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from math import prod
from typing import Any, NoReturn

from torch import nn

from model.checkpoint import CheckpointError
from model.compute.shapes_only import shapes_only
from model.importers.folder import INDEX, SINGLE, Folder
from model.importers.tensor_names import PEFT, wrapper

# Constants in older files beside the weights of a layer: masks and frequencies.
BUFFER = re.compile(r"(attn|attention)\.(bias|masked_bias)$|rotary_emb\.inv_freq$|position_ids$")


# The sizes that give the number of layers.
LAYERS = re.compile(r"^(n|num)_?\w*(layers?|blocks)$|_layers$")
MAX_BUFFERS = 512 * 10**6  # bytes
EAGER = {"attn_implementation": "eager"}


def refuse_file_names(folder: Folder) -> None:
    """Check that the file has the name by which `transformers` finds the weights.

    Raises:
        CheckpointError: it has another name.
    """
    files = [name for name, _, _ in folder.stamp if name.endswith(".safetensors")]
    if len(files) == 1 and files[0] != SINGLE and not (folder.path / INDEX).is_file():
        raise CheckpointError(
            f"The weights are in {files[0]}; the library transformers, which runs this kind of model, opens only "
            f"{SINGLE}. Rename the file."
        )
    if before := wrapper(folder.claims):
        _refuse_prefix(before, "PEFT" if before == PEFT else "torch.compile or DataParallel")


def refuse_missing(missing: Collection[str], folder: Folder) -> None:
    """missing: names of tensors that `transformers` needs and did not find.

    Raises:
        CheckpointError: there are some. If the files have them with a prefix, the message gives the prefix.
    """
    if not missing:
        return
    name = min(missing)
    longer = next((spelt for spelt in folder.claims if spelt.endswith(f".{name}")), None)
    if longer is not None:
        _refuse_prefix(longer.removesuffix(name), "the class around this model")
    raise CheckpointError(f"The weights lack {name}, which config.json asks for.")


def _refuse_prefix(before: str, who: str) -> NoReturn:
    raise CheckpointError(
        f'The names of the tensors begin with "{before}", which {who} puts there. The library transformers does not '
        "find them so: save the model that is inside the wrapper."
    )


def refuse_sizes(transformers: Any, kind: Any, folder: Folder) -> None:
    """Compare the sizes in config.json with the files, before any memory is allocated.

    The model is built without data (on the device "meta" of PyTorch). `transformers` would fill missing tensors of any
    size with random numbers.

    Raises:
        CheckpointError: the model has more parameters than the files, or its buffers are too large.
    """
    layers = max((value for value in _whole_numbers(folder.config, LAYERS)), default=0)
    if layers > len(folder.claims):
        raise CheckpointError(f"config.json says {layers:,} layers, but the weights are {len(folder.claims)} tensors.")
    config = transformers.AutoConfig.from_pretrained(folder.path, trust_remote_code=False, local_files_only=True)
    with shapes_only():
        model = kind.from_config(config, **EAGER) if kind is transformers.AutoModel else kind(config)
    model.tie_weights()
    needed = sum({id(tensor): tensor.numel() for tensor in model.parameters()}.values())
    held = sum(prod(claim.shape) for claim in folder.claims.values())
    if needed > held:
        raise CheckpointError(
            f"The weights lack numbers: config.json describes a model of {needed:,}, and the files hold {held:,}."
        )
    buffers = sum(tensor.numel() * tensor.element_size() for tensor in model.buffers())
    if buffers > MAX_BUFFERS:
        raise CheckpointError(
            f"config.json describes a model with {buffers / 10**6:,.0f} MB of constants beside its weights; "
            f"{MAX_BUFFERS // 10**6} MB are allowed."
        )


def _whole_numbers(config: Mapping[str, Any], names: re.Pattern[str]) -> Iterable[int]:
    for name, value in config.items():
        if isinstance(value, dict):
            yield from (inner for key, inner in value.items() if type(inner) is int and names.search(key))
        elif type(value) is int and names.search(name):
            yield value


def refuse_unread(model: Any, unexpected: Iterable[str], folder: Folder) -> None:
    """Refuse tensors of a layer that `transformers` ignores, because the attention would be wrong without them.

    unexpected: the names that are in the files and not in the model of `transformers`.

    Raises:
        CheckpointError: there is such a tensor.
    """
    base = f"{model.base_model_prefix}."
    lists = {name.removeprefix(base) for name, part in model.named_modules() if isinstance(part, nn.ModuleList)}
    for name in sorted(unexpected):
        in_layer = re.match(r"(.*?)\.\d+\.", name.removeprefix(base))
        claim = folder.claims.get(name)
        mask = BUFFER.search(name) and (claim is None or len(claim.shape) in (0, 1, 4))
        if in_layer and in_layer[1] in lists and not mask:
            raise CheckpointError(
                f"The weights hold {name}, which transformers {import_module('transformers').__version__} leaves out. "
                "Without it the attention would be another one, so this model is not loaded."
            )


def reason_of(error: BaseException) -> str:
    """The first line of the message of an error, or its type; without a full stop."""
    return str(error).strip().partition("\n")[0][:200].rstrip(".") or type(error).__name__


def vocabulary_size(config: Mapping[str, Any]) -> int:
    """V, the vocabulary size in config.json.

    Raises:
        CheckpointError: it has none.
    """
    size = config.get("vocab_size")
    inner = [name for name, part in config.items() if isinstance(part, dict) and "vocab_size" in part]
    if size is None and inner:
        raise CheckpointError(
            f"config.json describes several models in one ({', '.join(inner)}), as for pictures beside text; the lab "
            "runs a model of text alone. Choose the folder of its language model."
        )
    if type(size) is not int or not 0 < size <= 10_000_000:
        raise CheckpointError(f"config.json says vocab_size = {size!r}; a model knows a whole number of words.")
    return size
