"""The Transformer: embed, then L layers that each add something to the stream of vectors, then read out.

Every forward pass returns every stage. What is trained is what is drawn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model import mask as masks
from model.attention import AttentionTrace, MultiHeadAttention
from model.attention_override import Overwrite
from model.compute.progress import steps
from model.config import ModelConfig, choose
from model.norm import NormTrace, make_norm, normalise
from model.position import POSITIONS, Position
from model.switches import Switches

A = TypeVar("A")  # torch.Tensor inside the model, numpy.ndarray after run()

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "silu": F.silu,
}


@dataclass(frozen=True, slots=True)
class LayerTrace(Generic[A]):
    """Every stage of one layer.

    Pre-norm:  resid_mid = resid_pre + attention.out, resid_post = resid_mid + mlp_out.
    Post-norm: norm1.input = resid_pre + attention.out, resid_mid = norm1.out;
               norm2.input = resid_mid + mlp_out, resid_post = norm2.out.
    """

    resid_pre: A  # (B, T, C)  the stream as it enters
    norm1: NormTrace[A]
    attention: AttentionTrace[A]
    resid_mid: A  # (B, T, C)  the stream after attention
    norm2: NormTrace[A]
    mlp_hidden: A  # (B, T, F)  after the activation
    mlp_out: A  # (B, T, C)
    resid_post: A  # (B, T, C)  the stream as it leaves


@dataclass(frozen=True, slots=True)
class Trace(Generic[A]):
    """Everything one forward pass did."""

    tokens: tuple[str, ...]  # T words; empty when the model was given bare ids
    embed: A  # (B, T, C)  words and positions, as the first layer sees them
    layers: tuple[LayerTrace[A], ...]
    final_norm: NormTrace[A]
    logits: A  # (B, T, V)  log of the odds of each word, up to a constant; (B, T, 0) where nothing reads words out
    embedding_norm: NormTrace[A]  # its `out` is `embed`; BERT has a norm here, most models have none


class Sublayers(nn.Module):
    """Attention moves information between positions; the feed-forward network works on each position alone.

    What every layer is made of. Each part takes the stream, normalises it before or after, and adds to it.
    """

    def __init__(self, config: ModelConfig, index: int) -> None:
        super().__init__()
        self.norm = config.norm
        self.norm1 = make_norm(config) if config.norm != "none" else None
        self.attention = MultiHeadAttention(config, index)
        self.norm2 = make_norm(config) if config.norm != "none" else None
        self.mlp_in = nn.Linear(config.d_model, config.d_ff, bias=config.mlp_bias)
        self.activation = choose(ACTIVATIONS, "activation", config.activation)
        self.mlp_out = nn.Linear(config.d_ff, config.d_model, bias=config.mlp_bias)

    def look(
        self,
        attention: MultiHeadAttention,
        norm: nn.Module | None,
        stream: Tensor,
        source: Tensor | None,
        mask: Tensor | masks.Mask,
        position: Position,
        switches: Switches,
        overwrite: Overwrite | None = None,
        past: AttentionTrace[Tensor] | None = None,
    ) -> tuple[NormTrace[Tensor], AttentionTrace[Tensor], Tensor]:
        """One attention from the stream (B, T, C) to itself or to a source (B, S, C): norm, attention, stream after."""
        after, present = self.norm == "post", norm if switches.norm else None
        normed = normalise(stream, None if after else present)
        looked_at = normed.out if source is None else source
        heard = attention(normed.out, looked_at, mask, position, switches, overwrite, past)
        stream = stream + heard.out if switches.residual else heard.out  # (B, T, C)
        if after:
            normed = normalise(stream, present)
            stream = normed.out
        return normed, heard, stream

    def think(self, stream: Tensor, switches: Switches) -> tuple[NormTrace[Tensor], Tensor, Tensor, Tensor]:
        """The feed-forward network over the stream (B, T, C): norm, hidden (B, T, F), output, stream after."""
        after, present = self.norm == "post", self.norm2 if switches.norm else None
        normed = normalise(stream, None if after else present)
        hidden = self.activation(self.mlp_in(normed.out))  # (B, T, F)
        out = self.mlp_out(hidden)  # (B, T, C)
        if not switches.mlp:  # the whole sublayer goes: the stream passes it by, residual or not
            hidden, out = torch.zeros_like(hidden), torch.zeros_like(out)
        else:
            stream = stream + out if switches.residual else out  # (B, T, C)
        if after:
            normed = normalise(stream, present)
            stream = normed.out
        return normed, hidden, out, stream


class Layer(Sublayers):
    """A layer that looks at its own text: the layer of a decoder-only and of an encoder-only model."""

    def forward(
        self,
        resid_pre: Tensor,
        mask: Tensor | masks.Mask,
        position: Position,
        switches: Switches,
        overwrite: Overwrite | None = None,
        past: LayerTrace[Tensor] | None = None,
    ) -> LayerTrace[Tensor]:
        """resid_pre (B, T, C), mask broadcastable to (B, H, T, S); past: what this layer did with the words before."""
        heard = None if past is None else past.attention
        norm1, attention, resid_mid = self.look(
            self.attention, self.norm1, resid_pre, None, mask, position, switches, overwrite, heard
        )
        norm2, mlp_hidden, mlp_out, resid_post = self.think(resid_mid, switches)
        return LayerTrace(resid_pre, norm1, attention, resid_mid, norm2, mlp_hidden, mlp_out, resid_post)


def start_evenly(model: nn.Module) -> None:
    """First numbers: torch's own default gives q·k a variance of d_k / 9; Xavier's gives d_k, as the paper assumes."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def tie(unembedding: nn.Linear, embedding: nn.Embedding) -> None:
    """Read words out with the matrix that reads them in."""
    nn.init.normal_(embedding.weight, std=embedding.embedding_dim**-0.5)  # keeps the logits near unit size
    unembedding.weight = embedding.weight


class Transformer(nn.Module):
    """A decoder (causal) or an encoder (not causal), after Vaswani et al. 2017, as one stack of layers."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        # Not a position: it is the same at every place, and stays when the positions are removed.
        self.token_type = nn.Parameter(torch.zeros(config.d_model)) if config.token_type else None
        self.position = choose(POSITIONS, "position", config.position)(config)
        self.embedding_norm = make_norm(config) if config.embedding_norm else None
        self.layers = nn.ModuleList(Layer(config, index) for index in range(config.n_layers))
        transformed = config.read_out == "transformed"
        self.read_out_mlp = nn.Linear(config.d_model, config.d_model) if transformed else None
        self.activation = choose(ACTIVATIONS, "activation", config.read_out_activation or config.activation)
        self.final_norm = make_norm(config) if config.norm == "pre" or transformed else None
        bias = config.unembedding_bias
        self.unembedding = nn.Linear(config.d_model, config.vocab_size, bias) if config.read_out != "none" else None
        start_evenly(self)
        if config.tied_unembedding and self.unembedding is not None:
            tie(self.unembedding, self.embedding)

    def forward(
        self,
        ids: Tensor,
        padding: Tensor | None = None,
        switches: Switches = Switches(),
        overwrite: Overwrite | None = None,
        looks: Tensor | None = None,
        past: Trace[Tensor] | None = None,
    ) -> Trace[Tensor]:
        """Run the model and keep every stage.

        ids (B, T) int64; padding (B, T) boolean, True for a real token, None when all are.
        switches: the parts to leave out now, on top of those the weights were trained without.
        overwrite: a row of weights to use instead of the model's own.
        looks: boolean, broadcastable to (B, H, T, S): a mask to use instead of the model's own.
        past: the trace of the words before these, to write on from; see model/cache.py.

        Raises:
            ValueError: the text is longer than a learned position table, or holds the token config.padding_id.
        """
        self._refuse_padding(ids, padding)
        switches = switches & self.config.trained
        before = 0 if past is None else past.layers[0].attention.k.size(2)
        keys_at = torch.arange(before + ids.size(1), device=ids.device)  # (S,)
        at = keys_at[before:]  # (T,)
        embed = self.embedding(ids)  # (B, T, C)
        if self.token_type is not None:
            embed = embed + self.token_type
        if switches.position:
            embed = self.position.add(embed, at)
        embedding_norm = normalise(embed, self.embedding_norm if switches.norm else None)
        embed = embedding_norm.out  # (B, T, C)

        own = masks.causal if self.config.causal and switches.mask else masks.everything
        allowed = own(at, keys_at) if looks is None else looks  # (T, S)
        if padding is not None:
            allowed = allowed & masks.padding(padding)  # (B, 1, T, S)
        mask = masks.prepare(allowed)

        layers: list[LayerTrace[Tensor]] = []
        stream = embed
        for index, layer in enumerate(steps(self.layers)):
            done = None if past is None else past.layers[index]
            trace = layer(stream, mask, self.position, switches, overwrite, done)
            layers.append(trace)
            stream = trace.resid_post
        final_norm, logits = self.read_out(stream, switches)
        return Trace((), embed, tuple(layers), final_norm, logits, embedding_norm)

    def _refuse_padding(self, ids: Tensor, padding: Tensor | None) -> None:
        """RoBERTa counts positions without its padding token, this class counts every token: they would differ."""
        if self.config.padding_id is None:
            return
        found = ids == self.config.padding_id  # (B, T)
        if bool((found if padding is None else found & padding).any()):
            raise ValueError(
                f"This text holds the padding token of a RoBERTa (id {self.config.padding_id}), which has no position "
                "of its own. Take it out of the text."
            )

    def read_out(self, stream: Tensor, switches: Switches = Switches()) -> tuple[NormTrace[Tensor], Tensor]:
        """Turn a stream of vectors (B, T, C), from any layer, into logits (B, T, V)."""
        if self.read_out_mlp is not None:  # Devlin et al. 2019, appendix A.2 and their published code
            stream = self.activation(self.read_out_mlp(stream))  # (B, T, C)
        present = switches.norm and self.config.trained.norm
        final_norm = normalise(stream, self.final_norm if present else None)
        return final_norm, stream[..., :0] if self.unembedding is None else self.unembedding(final_norm.out)
