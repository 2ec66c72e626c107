"""The names of tensors in a file: those of older files, wrapped models and tied matrices become canonical ones."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from model.checkpoint import CheckpointError
from model.importers.folder import MERGE, Folder
from model.importers.safetensors_header import TensorHeader
from model.importers.tensor_map import Family, flag

# Prefixes of torch.compile, DataParallel and FSDP before the names of the model or part that they wrap.
WRAPPED = re.compile(r"^module\.|(?<![^.])(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
# Prefixes of classes that contain a whole model: those of PEFT, Lightning and Sentence Transformers.
HOLDERS = re.compile(r"(?:(?:model|base_model|auto_model|module|net|backbone|0)\.)+")
PEFT = "base_model.model."
# Tensors of PEFT beside the weights of a layer or instead of them. Without them the model would be a different one.
ADAPTER = re.compile(
    r"(?<![^.])(?:base_layer|modules_to_save|original_module|prompt_encoder|prompt_embeddings|"
    r"(?:lora|ia3|hada|lokr|boft|oft|vera|hra|ln_tuning|adaption)_\w+)(?![^.])"
)
# Names in older files → current names
RENAMED = (
    (re.compile(r"LayerNorm\.gamma$"), "LayerNorm.weight"),
    (re.compile(r"LayerNorm\.beta$"), "LayerNorm.bias"),
)
# The bias of a word head has two names. If a file has both, `transformers` uses the one on the left.
BIASES = {"cls.predictions.decoder.bias": "cls.predictions.bias", "lm_head.decoder.bias": "lm_head.bias"}

CanonicalTensors = dict[str, tuple[str, TensorHeader]]  # canonical name of a tensor → its name and header in this file


def canonical_tensor_name(name: str) -> str:
    """The canonical name of a tensor: the current name, without the prefix of a wrapper."""
    before = ""
    while before != name:
        before, name = name, WRAPPED.sub("", name)
    for old, new in RENAMED:
        name = old.sub(new, name)
    return name


def wrapper(names: Mapping[str, Any]) -> str:
    """The prefix of a wrapper: "_orig_mod.", "module.", "base_model.model.", or nothing."""
    if names and all(name.startswith(PEFT) for name in names):
        return PEFT
    return next((match[0] for name in names if (match := WRAPPED.search(name))), "")


def refuse_adapters(names: Iterable[str]) -> None:
    """Refuse the weights of a PEFT model with a separate adapter.

    Raises:
        CheckpointError: there is such a tensor.
    """
    name = next((name for name in names if ADAPTER.search(name)), None)
    if name is not None:
        raise CheckpointError(f"The weights hold {name}, which belongs to an adapter of PEFT. {MERGE}")


def inner(names: Iterable[str], family: Family) -> str:
    """The prefix of the names of the family's model, if another class contains it: "model.", "base_model.model.".

    names: canonical names. "": there is no prefix, or no tensor of such a model.

    Raises:
        CheckpointError: the prefix is not a known one, so that the class could compute something else too.
    """
    names = list(names)
    before = {place for name in names if (place := _place(family, name)) is not None}
    if not before or "" in before:
        return ""
    if len(before) > 1:
        listed = " and ".join(f'"{name}"' for name in sorted(before)[:3])
        raise CheckpointError(
            f"The weights hold several models, whose names begin with {listed}. Save only the one that you want."
        )
    (only,) = before
    if HOLDERS.fullmatch(only) or all(name.startswith(only) for name in names):
        return only
    raise CheckpointError(
        f'The names of the {family.label} in these weights begin with "{only}", and other tensors do not. Save that '
        "part of your model alone, with its own save_pretrained."
    )


def _place(family: Family, name: str) -> str | None:
    """The prefix of the model in the name of one of its tensors; None for a tensor outside the model."""
    begins = [0, *(dot.end() for dot in re.finditer(r"\.", name))]
    return next((name[:start] for start in begins for body in family.body if _inside(family, body, name[start:])), None)


def canonical_tensors(folder: Folder, family: Family) -> CanonicalTensors:
    """Every tensor of the folder, under the name that this family has for it.

    A tied embedding is stored once. Files give it one of two names; here it always has the name of the token embedding.

    Raises:
        CheckpointError: two tensors have the same name, or it is not clear which belong to the model.
    """
    known: CanonicalTensors = {}
    before = inner(map(canonical_tensor_name, folder.claims), family)
    for spelt, claim in folder.claims.items():
        name = canonical_tensor_name(spelt).removeprefix(before)
        if name in known:
            raise CheckpointError(
                f"The weights hold both {known[name][0]} and {spelt}, which are two names of one tensor. Save the "
                "model again, so that it contains each tensor once."
            )
        known[name] = spelt, claim
    for left, right in BIASES.items():
        if left in known:
            known[right] = known.pop(left)
    if family.unembedding in known and not any(body + family.anchor in known for body in family.body):
        body = next((body for body in family.body if any(_inside(family, body, name) for name in known)), None)
        if body is not None and flag(folder.config, "tie_word_embeddings", True):
            known[body + family.anchor] = known.pop(family.unembedding)
    return known


def _inside(family: Family, body: str, name: str) -> bool:
    return name.startswith(body) and bool(family.inside.match(name, len(body)))


def refuse_unread(family: Family, unused: Mapping[str, TensorHeader], n_layers: int) -> None:
    """Refuse unused tensors of a layer or of the embeddings, which would change what the model computes.

    Raises:
        CheckpointError: there is such a tensor.
    """
    for name in sorted(unused):
        rest = next((name[len(body) :] for body in family.body if _inside(family, body, name)), None)
        if rest is None or family.buffers.fullmatch(rest):
            continue
        place = family.inside.match(rest)
        layer = place[1] if place and place.lastindex else None
        if layer is not None and int(layer) >= n_layers:
            raise CheckpointError(
                f"The weights have more layers than the {n_layers} of config.json: {name} belongs to one of them."
            )
        raise CheckpointError(
            f"The weights hold {name}, which a {family.label} does not have as the lab and transformers 5 compute it. "
            "Without it the attention would be another one, so this model is not loaded."
        )


def aliased(config: Mapping[str, Any], aliases: Mapping[str, str]) -> dict[str, Any]:
    """config.json with each size under the name that its family has for it.

    Raises:
        CheckpointError: it has two names of one size with different values.
    """
    renamed = dict(config)
    for other, ours in aliases.items():
        if other in renamed and renamed.setdefault(ours, renamed[other]) != renamed[other]:
            raise CheckpointError(
                f"config.json says {ours} = {renamed[ours]!r} and {other} = {renamed[other]!r}, which are two names of "
                "one size. Remove the wrong one."
            )
    return renamed
