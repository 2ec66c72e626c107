"""A part removed from an imported model: exactly that part goes, held against `transformers` rebuilt without it."""

from copy import deepcopy

import pytest
import torch
from foreign import FOREIGN, publish, random_model
from torch import nn

from model.importers import inspect_folder, read
from model.switches import PARTS, Switches

IDS = torch.tensor([[2, 5, 6, 8, 9, 3], [2, 11, 14, 10, 16, 3]])  # (B, T)
HEADS = frozenset({(0, 0)})  # every model of FOREIGN has this head
POSITIONS = ("wpe", "position_embeddings")
LAST_OF_MLP = ("mlp.c_proj", "ffn.lin2", ".output.dense")  # BERT: encoder.layer.0.output.dense
OUT_OF_HEADS = ("attn.c_proj", "attention.out_lin", "attention.output.dense")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """name → (the model of `transformers`, the same weights in our Transformer)."""
    models = {name: random_model(name) for name in FOREIGN}
    return {
        name: (model, read(inspect_folder(publish(model, tmp_path_factory.mktemp("foreign")))).transformer)
        for name, model in models.items()
    }


def named(model, *ends):
    modules = [module for name, module in model.named_modules() if name.endswith(ends)]
    assert modules, ends
    return modules


def zero(*parameters):
    with torch.no_grad():
        for parameter in parameters:
            parameter.zero_()


def without_position(model):
    """The table of positions is zero; nothing else changes."""
    zero(*(table.weight for table in named(model, *POSITIONS)))


def without_scale(model):
    """The scores are q · k, not divided by √d_k."""
    for module in model.modules():
        if hasattr(module, "scaling"):
            width = getattr(module, "head_dim", None) or module.attention_head_size
            module.scaling *= width**0.5 if model.config.to_dict().get("scale_attn_weights", True) else 1.0


def without_norm(model):
    """Every nn.LayerNorm passes its input on."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.LayerNorm):
                setattr(module, name, nn.Identity())


def without_mlp(model):
    """The feed-forward sublayer adds zero to the stream."""
    for linear in [module for module in named(model, *LAST_OF_MLP) if module not in named(model, *OUT_OF_HEADS)]:
        zero(linear.weight, linear.bias)


def without_residual(model):
    """A sublayer gives its output alone, without what it was computed from."""
    for module in model.modules():
        kind = type(module).__name__
        if kind in ("BertSelfOutput", "BertOutput", "RobertaSelfOutput", "RobertaOutput"):
            module.forward = lambda hidden, before, module=module: module.LayerNorm(module.dense(hidden))
        elif kind == "TransformerBlock":  # DistilBERT adds what enters each of the two
            module.attention.register_forward_hook(lambda _, given, out: (out[0] - given[0], out[1]))
            module.ffn.register_forward_hook(lambda _, given, out: out - given[0])
        elif kind == "GPT2Block":  # GPT-2 adds what enters the norm before each of the two
            module.ln_1.register_forward_hook(lambda _, given, out, block=module: setattr(block, "first", given[0]))
            module.ln_2.register_forward_hook(lambda _, given, out, block=module: setattr(block, "second", given[0]))
            module.attn.register_forward_hook(lambda _, given, out, block=module: (out[0] - block.first, out[1]))
            module.mlp.register_forward_hook(lambda _, given, out, block=module: out - block.second)


def without_heads(model):
    """Head 0 of layer 0 gives zeros to the output projection, whose bias stays."""
    sizes = model.config
    width = sizes.hidden_size // sizes.num_attention_heads

    def silenced(_, given):
        return (torch.cat((torch.zeros_like(given[0][..., :width]), given[0][..., width:]), dim=-1),)

    named(model, *OUT_OF_HEADS)[0].register_forward_pre_hook(silenced)


WITHOUT = {
    "scale": without_scale,
    "mask": lambda model: None,  # a mask of zeros is handed to the run instead
    "position": without_position,
    "norm": without_norm,
    "residual": without_residual,
    "mlp": without_mlp,
    "heads_off": without_heads,
}


def test_every_removable_part_is_compared():
    assert set(WITHOUT) == {part.name for part in PARTS} | {"heads_off"}


@pytest.mark.parametrize("part", WITHOUT)
@pytest.mark.parametrize("name", FOREIGN)
def test_a_removed_part_is_missing_and_everything_else_is_as_in_transformers(both, name, part):
    original, ours = both[name]
    model = deepcopy(original)
    WITHOUT[part](model)
    switches = Switches(heads_off=HEADS) if part == "heads_off" else Switches().without(part)
    sees_all = torch.zeros(len(IDS), 1, IDS.size(1), IDS.size(1)) if part == "mask" else None
    with torch.inference_mode():
        theirs = model(IDS, attention_mask=sees_all, output_attentions=True, output_hidden_states=True)
        trace = ours(IDS, switches=switches)
    streams = [trace.embed, *(layer.resid_post for layer in trace.layers)]
    if model.config.model_type == "gpt2":
        streams[-1] = trace.final_norm.out  # GPT-2 calls its last hidden state what the final norm gives
    for mine, other in zip(streams, theirs.hidden_states, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-4)
    for layer, weights in zip(trace.layers, theirs.attentions, strict=True):
        torch.testing.assert_close(layer.attention.weights, weights, atol=1e-4, rtol=1e-4)
    if trace.logits.size(-1) and hasattr(theirs, "logits") and "sorts" not in name:
        torch.testing.assert_close(trace.logits, theirs.logits, atol=1e-4, rtol=1e-4)
