"""Normalisation: layer norm, RMS norm, batch norm, and no norm."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from model.config import ModelConfig, lookup

A = TypeVar("A")  # torch.Tensor inside the model, numpy.ndarray after run()


@dataclass(frozen=True, slots=True)
class NormTrace(Generic[A]):
    """Every stage of a normalisation."""

    mean: A  # (B, T, 1)  what was subtracted; batch norm: (1, 1, C)
    std: A  # (B, T, 1)  what it was divided by; batch norm: (1, 1, C)
    normalised: A  # (B, T, C)  mean 0, variance 1 (RMS norm: mean square 1)
    out: A  # (B, T, C)  after the learned scale and shift
    input: A  # (B, T, C)  the residual stream; in a post-norm layer, residual stream + sublayer output
    present: bool = True  # False: there is no norm here, or it is removed; then `out` is `input`


class LayerNorm(nn.Module):
    """Subtract the vector's mean, divide by its standard deviation, then scale and shift. Ba et al. 2016, eq. 4."""

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> NormTrace[Tensor]:
        # std = √(variance + eps), normalised = (x − mean) / std. PyTorch computes both in one pass, with 1 / std.
        normalised, mean, inverse = torch.native_layer_norm(x, x.shape[-1:], None, None, self.eps)
        out = torch.addcmul(self.bias, normalised, self.weight)  # (B, T, C)
        return NormTrace(mean, inverse.reciprocal(), normalised, out, x)


class RMSNorm(nn.Module):
    """Divide by the root mean square, then scale; the mean is not subtracted. Zhang and Sennrich 2019, eq. 4."""

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> NormTrace[Tensor]:
        std = (x.square().mean(dim=-1, keepdim=True) + self.eps).sqrt()  # (B, T, 1)
        normalised = x / std  # (B, T, C)
        return NormTrace(torch.zeros_like(std), std, normalised, normalised * self.weight, x)


class BatchNorm(nn.Module):
    """Subtract the channel's mean over the batch, divide by its standard deviation. Ioffe and Szegedy 2015, alg. 1.

    The statistics are those of the batch, as in training. The vectors of a sentence depend on the other sentences of
    its batch, and on later tokens.
    """

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor, is_token: Tensor | None = None) -> NormTrace[Tensor]:
        """x (B, T, C); is_token (B, T), False for padding, which does not count in the statistics; None: no padding."""
        tokens = x.flatten(0, 1) if is_token is None else x[is_token]  # (N, C)
        mean = tokens.mean(dim=0).expand_as(x[:1, :1])  # (1, 1, C)
        std = (tokens.var(dim=0, correction=0) + self.eps).sqrt().expand_as(mean)  # (1, 1, C)
        normalised = (x - mean) / std  # (B, T, C)
        return NormTrace(mean, std, normalised, normalised * self.weight + self.bias, x)


class RunningBatchNorm(BatchNorm):
    """Batch norm with running statistics. Ioffe and Szegedy 2015, algorithm 2.

    In training it uses the statistics of the batch and updates the running ones. In evaluation it uses the running
    ones, so a sentence does not depend on its batch there. Padding counts in the statistics.
    """

    MOMENTUM = 0.1  # the share of a new batch in the running statistics, as in torch.nn.BatchNorm1d

    running_mean: Tensor  # (C,)
    running_var: Tensor  # (C,)

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        super().__init__(width, eps)
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))

    def forward(self, x: Tensor, is_token: Tensor | None = None) -> NormTrace[Tensor]:
        if self.training:
            trace = super().forward(x, is_token)
            with torch.no_grad():
                count = x[..., 0].numel() if is_token is None else int(is_token.sum())
                unbiased = (trace.std.square() - self.eps) * (count / max(1, count - 1))
                self.running_mean.lerp_(trace.mean.flatten(), self.MOMENTUM)
                self.running_var.lerp_(unbiased.flatten(), self.MOMENTUM)
            return trace
        mean, std = self.running_mean.expand_as(x[:1, :1]), (self.running_var + self.eps).sqrt().expand_as(x[:1, :1])
        normalised = (x - mean) / std  # (B, T, C)
        return NormTrace(mean, std, normalised, normalised * self.weight + self.bias, x)


class LayerNormOutside(LayerNorm):
    """Layer norm with ε outside the root: (x − mean) / (std + eps). Libraries compute (x − mean) / √(variance + eps).

    The Annotated Transformer (Rush 2018) and many lecture notes write it like this. Both differ where the standard
    deviation is not much larger than ε.
    """

    def forward(self, x: Tensor) -> NormTrace[Tensor]:
        mean = x.mean(dim=-1, keepdim=True)  # (B, T, 1)
        variance = (x - mean).square().mean(dim=-1, keepdim=True)
        # The root has no derivative at 0, so a constant vector takes the smallest normal number instead.
        std = variance.clamp_min(torch.finfo(x.dtype).tiny).sqrt() + self.eps
        normalised = (x - mean) / std  # (B, T, C)
        return NormTrace(mean, std, normalised, normalised * self.weight + self.bias, x)


Norm = LayerNorm | RMSNorm | RunningBatchNorm
NORMS: dict[str, type[Norm]] = {
    "layer": LayerNorm,
    "layer ε outside": LayerNormOutside,
    "rms": RMSNorm,
    "batch": RunningBatchNorm,
}


def make_norm(config: ModelConfig) -> Norm:
    """A new norm of the kind that the config names."""
    return lookup(NORMS, "norm_kind", config.norm_kind)(config.d_model, config.norm_eps)


def normalise(x: Tensor, norm: nn.Module | None) -> NormTrace[Tensor]:
    """x (B, T, C) through `norm`. None: no norm, with a mean of zero and a standard deviation of one."""
    if norm is not None:
        trace: NormTrace[Tensor] = norm(x)
        return trace
    ones = torch.ones_like(x[..., :1])  # (B, T, 1)
    return NormTrace(mean=torch.zeros_like(ones), std=ones, normalised=x, out=x, input=x, present=False)
