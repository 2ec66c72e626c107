"""What the tensors of a file are called: names of older files, of wrapped models and of tied matrices, made one."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from model.checkpoint import CheckpointError
from model.importers.folder import MERGE, Folder
from model.importers.safetensors_header import TensorHeader
from model.importers.tensor_map import Family, flag

# torch.compile, DataParallel and FSDP put these before the names of the model, or of the part, that they wrap.
WRAPPED = re.compile(r"^module\.|(?<![^.])(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
# Classes that hold a whole model under one name: PEFT's, Lightning's, those of Sentence Transformers.
HOLDERS = re.compile(r"(?:(?:model|base_model|auto_model|module|net|backbone|0)\.)+")
PEFT = "base_model.model."
# What PEFT puts beside the weights of a layer or in their place. Without it the model would be another one.
ADAPTER = re.compile(
    r"(?<![^.])(?:base_layer|modules_to_save|original_module|prompt_encoder|prompt_embeddings|"
    r"(?:lora|ia3|hada|lokr|boft|oft|vera|hra|ln_tuning|adaption)_\w+)(?![^.])"
)
# Names that older files use → those of today
RENAMED = (
    (re.compile(r"LayerNorm\.gamma$"), "LayerNorm.weight"),
    (re.compile(r"LayerNorm\.beta$"), "LayerNorm.bias"),
)
# The bias of a word head has two names. Where a file holds both, `transformers` adds the one on the left.
BIASES = {"cls.predictions.decoder.bias": "cls.predictions.bias", "lm_head.decoder.bias": "lm_head.bias"}

CanonicalTensors = dict[
    str, tuple[str, TensorHeader]
]  # a tensor's name as files of today spell it → as this file spells it, and more


def canonical_tensor_name(name: str) -> str:
    """A tensor's name as files of today spell it, without what a wrapper put before it."""
    before = ""
    while before != name:
        before, name = name, WRAPPED.sub("", name)
    for old, new in RENAMED:
        name = old.sub(new, name)
    return name


def wrapper(names: Mapping[str, Any]) -> str:
    """What a wrapper put before the names: "_orig_mod.", "module.", "base_model.model.", or nothing."""
    if names and all(name.startswith(PEFT) for name in names):
        return PEFT
    return next((match[0] for name in names if (match := WRAPPED.search(name))), "")


def refuse_adapters(names: Iterable[str]) -> None:
    """Refuse the weights of a PEFT model that holds its adapter apart.

    Raises:
        CheckpointError: there is such a tensor.
    """
    name = next((name for name in names if ADAPTER.search(name)), None)
    if name is not None:
        raise CheckpointError(f"The weights hold {name}, which belongs to an adapter of PEFT. {MERGE}")


def inner(names: Iterable[str], family: Family) -> str:
    """What stands before every name of the family's model, where a class holds it: "model.", "base_model.model.".

    names: as `today` spells them. "": nothing, or no tensor of such a model is there.

    Raises:
        CheckpointError: it is not known to be the name of the one model, so that nobody can tell what else is computed.
    """
    names = list(names)
    before = {place for name in names if (place := _place(family, name)) is not None}
    if not before or "" in before:
        return ""
    if len(before) > 1:
        listed = " and ".join(f'"{name}"' for name in sorted(before)[:3])
        raise CheckpointError(
            f"The weights hold several models, whose names begin with {listed}. Save the one alone that you want."
        )
    (only,) = before
    if HOLDERS.fullmatch(only) or all(name.startswith(only) for name in names):
        return only
    raise CheckpointError(
        f'The names of the {family.label} in these weights begin with "{only}", and other tensors do not. Save that '
        "part of your model alone, with its own save_pretrained."
    )


def _place(family: Family, name: str) -> str | None:
    """What stands before the model in the name of one of its tensors; None for a tensor outside of the model."""
    begins = [0, *(dot.end() for dot in re.finditer(r"\.", name))]
    return next((name[:start] for start in begins for body in family.body if _inside(family, body, name[start:])), None)


def canonical_tensors(folder: Folder, family: Family) -> CanonicalTensors:
    """Every tensor of the folder, under the name that this family has for it.

    A matrix that words are read in and out with is stored once. Which of its two names it has depends on what saved
    the file: here it is always that of the word embeddings.

    Raises:
        CheckpointError: two tensors have the same name, or it cannot be told which belong to the model.
    """
    known: CanonicalTensors = {}
    before = inner(map(canonical_tensor_name, folder.claims), family)
    for spelt, claim in folder.claims.items():
        name = canonical_tensor_name(spelt).removeprefix(before)
        if name in known:
            raise CheckpointError(
                f"The weights hold both {known[name][0]} and {spelt}, which are two names of one tensor. Save the "
                "model again, so that each stands there once."
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
    """A tensor of a layer or of the embeddings that is not read would change what the model computes.

    Raises:
        CheckpointError: there is one.
    """
    for name in sorted(unused):
        rest = next((name[len(body) :] for body in family.body if _inside(family, body, name)), None)
        if rest is None or family.buffers.fullmatch(rest):
            continue
        place = family.inside.match(rest)
        layer = place[1] if place and place.lastindex else None
        if layer is not None and int(layer) >= n_layers:
            raise CheckpointError(
                f"The weights hold more layers than the {n_layers} that config.json tells: {name} is one of theirs."
            )
        raise CheckpointError(
            f"The weights hold {name}, which a {family.label} does not have as the lab and transformers 5 compute it. "
            "Without it the attention would be another one, so this model is not loaded."
        )


def aliased(config: Mapping[str, Any], aliases: Mapping[str, str]) -> dict[str, Any]:
    """config.json with each size under the name that its family has for it.

    Raises:
        CheckpointError: it says one size under two names, and not the same.
    """
    renamed = dict(config)
    for other, ours in aliases.items():
        if other in renamed and renamed.setdefault(ours, renamed[other]) != renamed[other]:
            raise CheckpointError(
                f"config.json says {ours} = {renamed[ours]!r} and {other} = {renamed[other]!r}, which are two names of "
                "one size. Take the wrong one out."
            )
    return renamed
