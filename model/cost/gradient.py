"""How much of a signal arrives: the gradient of an output with respect to each input, by autograd.

The norm is the Frobenius norm of the Jacobian ∂ output_t / ∂ input_s, a matrix (C, C). Bengio et al. 1994;
Pascanu et al. 2013. It is exact: the input is repeated C times, and copy c gives row c of every Jacobian in one
backward pass.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from model.attention import MultiHeadAttention
from model.checkpoint import load_card
from model.compute.progress import steps
from model.config import ModelConfig
from model.cost.convolution import ConvolutionStack
from model.cost.rnn import TanhRNN
from model.cost.window_attention import window_mask
from model.encoder_decoder import EncoderDecoder
from model.model_card import ARCHITECTURES, AnyNetwork
from model.position import Position
from model.recurrent import Recurrent
from model.run import Array, encode_text, get_model
from model.transformer import Transformer, init_xavier

Build = Callable[[int, int], Callable[[Tensor], Tensor]]  # width and number of layers → x (B, T, C) to (B, T, C)


@dataclass(frozen=True)
class GradientByDistance:
    """Norms of the gradient at each distance, at initialisation."""

    distances: Array  # (K,) positions between output and input
    norms: Array  # (seeds, K); exactly 0 where no path leads from the input to the output

    @property
    def relative(self) -> Array:
        """(seeds, K): the norms divided by those at the first distance."""
        relative: Array = self.norms / self.norms[:, :1]
        return relative


def jacobian_norms(network: Callable[[Tensor], Tensor], x: Tensor, position: int) -> Tensor:
    """‖∂ output at `position` / ∂ input‖ for every input. network: (B, T, C) to (B, T, C'); x (T, C). Returns (T,)."""
    return _rows(network, x, [position])[0]


def _rows(network: Callable[[Tensor], Tensor], x: Tensor, positions: Sequence[int]) -> Tensor:
    with torch.inference_mode(False), torch.enable_grad():
        width = network(x[None].detach().clone()).size(-1)
        copies = x.detach().clone().expand(width, *x.shape).contiguous().requires_grad_()  # (C', T, C)
        out = network(copies)  # (C', T, C')
        rows = []
        for number, position in enumerate(steps(positions)):
            own = out[:, position].diagonal().sum()  # copy c gives component c
            (gradient,) = torch.autograd.grad(own, copies, retain_graph=number + 1 < len(positions))  # (C', T, C)
            # In float64 the square of a tiny number is not rounded to zero, which would look like no path at all.
            rows.append(gradient.double().square().sum(dim=(0, 2)).sqrt())
    return torch.stack(rows)  # (positions, T)


def _rnn(width: int, n_layers: int) -> Callable[[Tensor], Tensor]:
    return nn.Sequential(*(TanhRNN(width, width) for _ in range(n_layers))).double()


def _gru(width: int, n_layers: int, update_bias: float = 0.0) -> Callable[[Tensor], Tensor]:
    gru = nn.GRU(width, width, n_layers, batch_first=True).double()
    for layer in range(n_layers):  # in nn.GRU the second third is the update gate: 1 keeps the state
        getattr(gru, f"bias_ih_l{layer}").data[width : 2 * width] += update_bias
    return lambda x: gru(x)[0]


def _lstm(width: int, n_layers: int) -> Callable[[Tensor], Tensor]:
    lstm = nn.LSTM(width, width, n_layers, batch_first=True).double()
    for layer in range(n_layers):  # the second quarter is the forget gate
        getattr(lstm, f"bias_ih_l{layer}").data[width : 2 * width] += 1.0
    return lambda x: lstm(x)[0]


def _attention(width: int, n_layers: int, window: int | None = None) -> Callable[[Tensor], Tensor]:
    """Layers of a Transformer with four heads, pre-norm and residual, causal, without position scheme."""
    heads = 4 if width % 4 == 0 else 1
    config = ModelConfig(1, n_layers=n_layers, n_heads=heads, d_model=width, d_ff=4 * width, position="none")
    transformer = Transformer(config).double()

    def network(x: Tensor) -> Tensor:
        mask = None if window is None else window_mask(x.size(1), window)
        ids = torch.zeros(x.shape[:2], dtype=torch.int64)
        return with_inputs(transformer, x)(ids, mask=mask).layers[-1].resid_post

    return network


def _attention_alone(width: int, n_layers: int) -> Callable[[Tensor], Tensor]:
    """The same without residual stream, norm and feed-forward network: attention after attention."""
    config = ModelConfig(1, n_layers=n_layers, n_heads=1, d_model=width, d_ff=1, position="none", norm="none")
    attentions = [MultiHeadAttention(config, layer).double() for layer in range(n_layers)]
    for attention in attentions:
        init_xavier(attention)
    position = Position(config)

    def network(x: Tensor) -> Tensor:
        mask = torch.ones(x.size(1), x.size(1), dtype=torch.bool).tril()
        for attention in attentions:
            x = attention(x, x, mask, position, config.trained).out
        return x

    return network


INITIAL: dict[str, tuple[str, Build]] = {
    "rnn": (
        "tanh RNN",
        lambda width, n_layers: nn.Sequential(*(TanhRNN(width, width) for _ in range(n_layers))).double(),
    ),
    "gru": ("GRU", _gru),
    "gru_kept": ("GRU, update-gate bias 1", lambda width, n_layers: _gru(width, n_layers, 1.0)),
    "lstm_kept": ("LSTM, forget-gate bias 1", _lstm),  # Jozefowicz et al. 2015, section 5
    "convolution": ("convolution, k = 3", lambda width, n_layers: ConvolutionStack(width, 3, n_layers).double()),
    "window": ("Transformer layers, window of 3 keys", lambda width, n_layers: _attention(width, n_layers, 3)),
    "attention": ("self-attention alone", _attention_alone),
    "transformer": ("Transformer layers", _attention),
}


def initial_gradients(
    kind: str, distances: Sequence[int], seeds: Sequence[int] = range(8), width: int = 32, n_layers: int = 1
) -> GradientByDistance:
    """Untrained networks on standard normal inputs, in float64; the last position is the output.

    Recurrent and convolutional weights are PyTorch's initial ones; those of attention are Xavier's, as in the lab.

    kind: a key of INITIAL. n_layers: convolution and window attention reach further with more of them.

    Raises:
        ValueError: there is no such kind, or a distance is negative.
    """
    if kind not in INITIAL:
        raise ValueError(f'a network must be one of {", ".join(INITIAL)}, not "{kind}"')
    if not distances or min(distances) < 0:
        raise ValueError("distances are numbers from 0 upwards")
    n = max(distances) + 1
    norms = []
    for seed in steps(seeds):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = INITIAL[kind][1](width, n_layers)
            x = torch.randn(n, width).double()  # (T, C)
        row = jacobian_norms(network, x, n - 1)  # (T,)
        norms.append([float(row[n - 1 - distance]) for distance in distances])
    return GradientByDistance(np.array(distances), np.array(norms))


# Trained models


class _Given(nn.Module):
    """In the place of an embedding: returns the given vectors, whatever the ids are."""

    def __init__(self, vectors: Tensor) -> None:
        super().__init__()
        self.vectors = vectors  # (B, T, C)

    def forward(self, ids: Tensor) -> Tensor:
        return self.vectors


def with_inputs(network: AnyNetwork, vectors: Tensor) -> AnyNetwork:
    """The same network, which reads `vectors` (B, T, C) instead of embedding its ids. The original is not changed."""
    changed = copy.copy(network)
    changed._modules = {**network._modules, "embedding": _Given(vectors)}  # shares every other weight
    return changed


def trained_gradients(weights: str, text: str, positions: Sequence[int] | None = None) -> Array:
    """The gradients of a trained model on a text: of the last state or residual stream, by the word embeddings.

    positions: of the outputs, in the order of the rows; None: all. Each takes one backward pass; progress is reported.
    A sequence-to-sequence model gives those of its encoder. Embeddings differ in size from model to model, so divide
    a row by its largest entry to compare models. Returns (T, S) norms: row t is ∂ output_t.

    Raises:
        ValueError: unknown weights, or the text has no token or too many for the model.
    """
    network, tokenizer = get_model(weights)
    ids = list(encode_text(tokenizer, text).ids)
    if not ids:
        raise ValueError("There is no text.")
    return gradients_of_ids(network, ids, positions)


def gradients_of_ids(network: AnyNetwork, ids: Sequence[int], positions: Sequence[int] | None = None) -> Array:
    """The same for a network and token ids."""
    device = next(network.parameters()).device
    numbers = torch.tensor([list(ids)], device=device)  # (1, T)
    with torch.no_grad():
        x = network.embedding(numbers)[0]  # (T, C)

    def encode(vectors: Tensor) -> Tensor:
        changed, batch = with_inputs(network, vectors), numbers.expand(len(vectors), -1)
        if isinstance(changed, Recurrent):
            return changed.encode(batch).hidden
        if isinstance(changed, EncoderDecoder):
            return changed.encode(batch).final_norm.out
        return changed(batch).final_norm.out

    norms: Array = _rows(encode, x, range(len(ids)) if positions is None else positions).cpu().numpy()
    return norms


def trained_and_untrained(
    weights: str, distances: Sequence[int], seeds: Sequence[int] = range(3)
) -> tuple[GradientByDistance, GradientByDistance]:
    """A trained model, and the same network with new initial weights, on the same random tokens of its vocabulary.

    The last token is the output. Each seed gives other tokens and other initial weights. Norms are in float32.

    Raises:
        ValueError: unknown weights, or a distance is negative.
    """
    if not distances or min(distances) < 0:
        raise ValueError("distances are numbers from 0 upwards")
    network, tokenizer = get_model(weights)
    _, build = ARCHITECTURES[load_card(weights).architecture]
    n = max(distances) + 1
    words = [token for token, word in enumerate(tokenizer.vocabulary) if not word.startswith("<")]
    norms: tuple[list[Array], list[Array]] = [], []
    for seed in steps(seeds):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            ids = [words[place] for place in torch.randint(len(words), (n,)).tolist()]
            fresh = build(network.config).requires_grad_(False)
            fresh = fresh.to(next(network.parameters()).device)
        for changed, rows in zip((network, fresh), norms, strict=True):
            row = gradients_of_ids(changed, ids, [n - 1])[0]  # (T,)
            rows.append(row[n - 1 - np.array(distances)])
    trained, untrained = (GradientByDistance(np.array(distances), np.array(rows)) for rows in norms)
    return trained, untrained


def mean_by_distance(norms: Array) -> GradientByDistance:
    """The mean over all pairs of tokens at the same distance before. norms (T, S), of `trained_gradients`."""
    n = len(norms)
    means = [float(np.mean([norms[t, t - k] for t in range(k, n)])) for k in range(n)]
    return GradientByDistance(np.arange(n), np.array([means]))
