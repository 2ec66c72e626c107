"""The same Transformer, built from PyTorch's own parts out of our weights, so that both can be compared.

The weights are not copied: PyTorch's modules are called with functions of our tensors in place of their own. So one
gradient, with respect to our parameters, can be taken both ways.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call

from model.config import ModelConfig
from model.position import POSITIONS
from model.switches import Switches
from model.transformer import ACTIVATIONS, Layer, Transformer

seeds = st.integers(0, 2**32 - 1)
REMOVABLE = {"scale", "mask", "position", "norm", "residual", "mlp"}  # what twin_logits can be built without


def exact(device: torch.device) -> dict[str, Any]:
    """float64, where the device has it."""
    return {"device": device, "dtype": torch.float32 if device.type == "mps" else torch.float64}


def assert_same(ours: Tensor, theirs: Tensor) -> None:
    """Equal up to rounding, which is as large as the largest numbers in the tensor make it."""
    tolerance = 1e-9 if ours.dtype == torch.float64 else 1e-3
    largest = max(1.0, theirs.detach().abs().max().item()) if theirs.numel() else 1.0
    torch.testing.assert_close(ours, theirs, atol=tolerance * largest, rtol=0)


def assert_same_gradients(ours: Tensor, theirs: Tensor, inputs: Iterable[Tensor]) -> None:
    """d(sum of all outputs, each with a weight of its own) / d(inputs), both ways."""
    inputs, upstream = list(inputs), torch.randn_like(ours)
    got, expected = (torch.autograd.grad(out, inputs, upstream, allow_unused=True) for out in (ours, theirs))
    for mine, other, tensor in zip(got, expected, inputs, strict=True):
        zero = torch.zeros_like(tensor)
        assert_same(zero if mine is None else mine, zero if other is None else other)


def stir(module: nn.Module, std: float = 0.5) -> Any:
    """Random numbers everywhere, also where training starts from zeros or ones: there, mistakes could hide."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=std)
    return module


@st.composite
def configs(draw: st.DrawFn, twin: bool = False, **fixed: Any) -> ModelConfig:
    """Any small Transformer. twin: only those that PyTorch's layers can express."""
    n_heads = draw(st.integers(1, 3))
    d_k = 2 * draw(st.integers(1, 3))
    choices = {
        "vocab_size": 11,
        "n_layers": draw(st.integers(1, 3)),
        "n_heads": n_heads,
        "d_model": n_heads * d_k if twin else draw(st.integers(2, 9)),
        "d_ff": draw(st.integers(1, 9)),
        "d_k": d_k,
        "d_v": d_k if twin else draw(st.integers(1, 5)),
        "context": 16,
        "causal": draw(st.booleans()),
        "position": draw(st.sampled_from([name for name in POSITIONS if not twin or name not in ("rope", "shaw")])),
        "norm": draw(st.sampled_from(["pre", "post", "none"])),
        "norm_kind": draw(st.sampled_from(["layer", "rms"])),
        "embedding_norm": draw(st.booleans()),
        "activation": draw(st.sampled_from(list(ACTIVATIONS))),
        "attention_bias": draw(st.booleans()),
        "mlp_bias": draw(st.booleans()),
        "tied_unembedding": draw(st.booleans()),
        "unembedding_bias": draw(st.booleans()),
    }
    return ModelConfig(**{**choices, **fixed})


def build(config: ModelConfig, seed: int, device: torch.device, std: float = 0.3) -> Transformer:
    torch.manual_seed(seed)
    return stir(Transformer(config).to(**exact(device)), std)


def random_ids(config: ModelConfig, B: int, T: int, device: torch.device) -> Tensor:
    return torch.randint(config.vocab_size, (B, T), device=device)


def twin_norm(norm: nn.Module | None, x: Tensor) -> Tensor:
    """Our norm's weights in PyTorch's module."""
    if norm is None:
        return x
    kind = nn.LayerNorm if hasattr(norm, "bias") else nn.RMSNorm
    return functional_call(kind(x.size(-1), eps=norm.eps), dict(norm.named_parameters()), (x,))


def borrowed(layer: Layer, scale: bool, silent: Sequence[int]) -> dict[str, Tensor]:
    """The parameters of nn.TransformerEncoderLayer, made of ours."""
    attention, bias = layer.attention, lambda linear: 0 * linear.weight[:, 0] if linear.bias is None else linear.bias
    projections = (attention.w_q, attention.w_k, attention.w_v)
    heads = attention.w_o.weight.unflatten(1, (attention.n_heads, -1))  # (C, H, D)
    active = torch.tensor([head not in silent for head in range(attention.n_heads)]).to(heads)
    weight, offset = torch.cat([w.weight for w in projections]), torch.cat([bias(w) for w in projections])
    # PyTorch always divides by √d_k. Without scaling, its queries come that much longer.
    width = attention.w_q.weight.size(0)
    longer = torch.ones_like(offset)
    longer[:width] = 1 if scale else math.sqrt(width // attention.n_heads)
    return {
        "self_attn.in_proj_weight": weight * longer[:, None],
        "self_attn.in_proj_bias": offset * longer,
        "self_attn.out_proj.weight": (heads * active[:, None]).flatten(1),
        "self_attn.out_proj.bias": bias(attention.w_o),
        "linear1.weight": layer.mlp_in.weight,
        "linear1.bias": bias(layer.mlp_in),
        "linear2.weight": layer.mlp_out.weight,
        "linear2.bias": bias(layer.mlp_out),
        **{f"norm1.{name}": value for name, value in (layer.norm1.named_parameters() if layer.norm1 else ())},
        **{f"norm2.{name}": value for name, value in (layer.norm2.named_parameters() if layer.norm2 else ())},
    }


class Without(nn.TransformerEncoderLayer):
    """PyTorch's layer, told in its own two blocks, minus the residual sum or the feed-forward block."""

    residual = feed_forward = True

    def forward(self, src: Tensor, src_mask: Tensor) -> Tensor:
        if self.residual and self.feed_forward:
            return super().forward(src, src_mask=src_mask)
        before, after = (nn.Identity(),) * 2, (self.norm1, self.norm2)
        if self.norm_first:
            before, after = after, before
        y = self._sa_block(before[0](src), src_mask, None)
        x = after[0](src + y if self.residual else y)
        if not self.feed_forward:
            return after[1](x)
        y = self._ff_block(before[1](x))
        return after[1](x + y if self.residual else y)


def twin_layer(layer: Layer, config: ModelConfig, x: Tensor, mask: Tensor, switches: Switches) -> Tensor:
    """x (B, T, C) through PyTorch's layer. mask (B, H, T, S), added to the scaled scores."""
    twin = Without(
        config.d_model,
        config.n_heads,
        config.d_ff,
        dropout=0.0,
        activation=ACTIVATIONS[config.activation],
        layer_norm_eps=config.norm_eps,
        batch_first=True,
        norm_first=config.norm != "post",
    )
    twin.residual, twin.feed_forward = switches.residual, switches.mlp
    if config.norm == "none" or not switches.norm:
        twin.norm1, twin.norm2 = nn.Identity(), nn.Identity()
    elif config.norm_kind == "rms":
        twin.norm1, twin.norm2 = (nn.RMSNorm(config.d_model, config.norm_eps) for _ in range(2))
    silent = [head for index, head in switches.heads_off if index == layer.attention.layer]
    weights = borrowed(layer, switches.scale, silent)
    wanted = dict(twin.named_parameters())
    return functional_call(twin, {name: weights[name] for name in wanted}, (x, mask.flatten(0, 1)))


def twin_logits(
    ours: Transformer, ids: Tensor, padding: Tensor | None = None, switches: Switches = Switches()
) -> Tensor:
    """Logits (B, T, V) by PyTorch's embedding, TransformerEncoderLayer, LayerNorm or RMSNorm, and linear map."""
    assert set(switches.removed) <= REMOVABLE, "a part without a twin"
    config, (B, T), F = ours.config, ids.shape, nn.functional
    positions = torch.arange(T, device=ids.device)
    x = F.embedding(ids, ours.embedding.weight)
    if switches.position and config.position == "sinusoidal":
        place = torch.arange(config.d_model, device=ids.device)
        angles = positions[:, None].to(x) * 10000.0 ** -((place - place % 2).to(x) / config.d_model)
        x = x + torch.where(place % 2 == 1, angles.cos(), angles.sin())
    if switches.position and config.position == "learned":
        x = x + ours.position.table.weight[:T]
    if switches.norm:
        x = twin_norm(ours.embedding_norm, x)

    mask = torch.zeros(B, config.n_heads, T, T, device=x.device, dtype=x.dtype)
    if switches.position and (bias := ours.position.bias(0, positions, positions)) is not None:
        mask = mask + bias
    forbidden = torch.zeros_like(mask, dtype=torch.bool)
    if config.causal and switches.mask:
        forbidden |= torch.ones(T, T, device=x.device).triu(1).bool()
    if padding is not None:
        forbidden |= ~padding[:, None, None, :]

    for index, layer in enumerate(ours.layers):
        if switches.position and config.position == "relative":  # the one whose bias differs by layer
            mask = torch.zeros_like(mask) + ours.position.bias(index, positions, positions)
        x = twin_layer(layer, config, x, mask.masked_fill(forbidden, -math.inf), switches)
    x = twin_norm(ours.final_norm if switches.norm else None, x)
    return F.linear(x, ours.unembedding.weight, ours.unembedding.bias)
