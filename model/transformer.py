"""The Transformer: embedding, L layers that each add to the residual stream, and unembedding.

Every forward pass returns every stage. Training and display use the same code.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model import mask as masks
from model.attention import AttentionOverride, AttentionTrace, MultiHeadAttention
from model.compute.progress import steps
from model.config import ModelConfig, lookup
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

    resid_pre: A  # (B, T, C)  the residual stream before the layer
    norm1: NormTrace[A]
    attention: AttentionTrace[A]
    resid_mid: A  # (B, T, C)  the residual stream after attention
    norm2: NormTrace[A]
    mlp_hidden: A  # (B, T, F)  after the activation
    mlp_out: A  # (B, T, C)
    resid_post: A  # (B, T, C)  the residual stream after the layer


@dataclass(frozen=True, slots=True)
class Trace(Generic[A]):
    """Every stage of one forward pass."""

    tokens: tuple[str, ...]  # T tokens; empty if the model was given ids alone
    embed: A  # (B, T, C)  embeddings with positions: the input of the first layer
    layers: tuple[LayerTrace[A], ...]
    final_norm: NormTrace[A]
    logits: A  # (B, T, V)  log-probabilities up to a constant; (B, T, 0) if the model has no unembedding
    embedding_norm: NormTrace[A]  # its `out` is `embed`; BERT has a norm here, most models have none


@dataclass(frozen=True, slots=True)
class AttentionOptions:
    """The options of an attention, other than its vectors and its mask."""

    position: Position
    switches: Switches
    override: AttentionOverride | None = None


class Block(nn.Module):
    """Attention moves information between positions; the feed-forward network works on each position alone.

    The base class of all layers. Each sublayer takes the residual stream, normalises before or after, and adds to it.
    """

    def __init__(self, config: ModelConfig, index: int) -> None:
        super().__init__()
        self.norm = config.norm
        self.norm1 = make_norm(config) if config.norm != "none" else None
        self.attention = MultiHeadAttention(config, index)
        self.norm2 = make_norm(config) if config.norm != "none" else None
        self.mlp_in = nn.Linear(config.d_model, config.d_ff, bias=config.mlp_bias)
        self.activation = lookup(ACTIVATIONS, "activation", config.activation)
        self.mlp_out = nn.Linear(config.d_ff, config.d_model, bias=config.mlp_bias)

    def attend(
        self,
        attention: MultiHeadAttention,
        norm: nn.Module | None,
        resid: Tensor,
        source: Tensor | None,
        mask: Tensor | masks.PreparedMask,
        options: AttentionOptions,
        kv_cache: AttentionTrace[Tensor] | None = None,
    ) -> tuple[NormTrace[Tensor], AttentionTrace[Tensor], Tensor]:
        """Attention of `resid` (B, T, C) to `source` (B, S, C) or itself. Returns norm, attention, new stream."""
        switches = options.switches
        post_norm, active_norm = self.norm == "post", norm if switches.norm else None
        normed = normalise(resid, None if post_norm else active_norm)
        x_kv = normed.out if source is None else source
        trace = attention(normed.out, x_kv, mask, options.position, switches, options.override, kv_cache)
        resid = resid + trace.out if switches.residual else trace.out  # (B, T, C)
        if post_norm:
            normed = normalise(resid, active_norm)
            resid = normed.out
        return normed, trace, resid

    def feed_forward(self, resid: Tensor, switches: Switches) -> tuple[NormTrace[Tensor], Tensor, Tensor, Tensor]:
        """The feed-forward network on `resid` (B, T, C). Returns norm, hidden (B, T, F), output, and the new stream."""
        post_norm, active_norm = self.norm == "post", self.norm2 if switches.norm else None
        normed = normalise(resid, None if post_norm else active_norm)
        hidden = self.activation(self.mlp_in(normed.out))  # (B, T, F)
        out = self.mlp_out(hidden)  # (B, T, C)
        if not switches.mlp:  # the whole sublayer is removed, so the stream does not change, with or without residual
            hidden, out = torch.zeros_like(hidden), torch.zeros_like(out)
        else:
            resid = resid + out if switches.residual else out  # (B, T, C)
        if post_norm:
            normed = normalise(resid, active_norm)
            resid = normed.out
        return normed, hidden, out, resid


class Layer(Block):
    """A layer with self-attention only: the layer of a decoder-only and of an encoder-only model."""

    def forward(
        self,
        resid_pre: Tensor,
        mask: Tensor | masks.PreparedMask,
        position: Position,
        switches: Switches,
        override: AttentionOverride | None = None,
        kv_cache: LayerTrace[Tensor] | None = None,
    ) -> LayerTrace[Tensor]:
        """resid_pre (B, T, C), mask broadcastable to (B, H, T, S); kv_cache: this attention over the earlier tokens."""
        attention_cache = None if kv_cache is None else kv_cache.attention
        options = AttentionOptions(position, switches, override)
        norm1, attention, resid_mid = self.attend(
            self.attention, self.norm1, resid_pre, None, mask, options, attention_cache
        )
        norm2, mlp_hidden, mlp_out, resid_post = self.feed_forward(resid_mid, switches)
        return LayerTrace(resid_pre, norm1, attention, resid_mid, norm2, mlp_hidden, mlp_out, resid_post)


def init_xavier(model: nn.Module) -> None:
    """Initial weights. PyTorch's default gives q·k a variance of d_k / 9; Xavier's gives d_k, as the paper assumes."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def tie_weights(unembedding: nn.Linear, embedding: nn.Embedding) -> None:
    """Use the embedding matrix as the unembedding."""
    nn.init.normal_(embedding.weight, std=embedding.embedding_dim**-0.5)  # keeps the logits near unit size
    unembedding.weight = embedding.weight


class Transformer(nn.Module):
    """A decoder (causal) or an encoder (not causal), after Vaswani et al. 2017, as one stack of layers."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        # It is the same at every position, so it stays when the positions are removed.
        self.token_type = nn.Parameter(torch.zeros(config.d_model)) if config.token_type else None
        self.position = lookup(POSITIONS, "position", config.position)(config)
        self.embedding_norm = make_norm(config) if config.embedding_norm else None
        self.layers = nn.ModuleList(Layer(config, index) for index in range(config.n_layers))
        transformed = config.read_out == "transformed"
        self.read_out_mlp = nn.Linear(config.d_model, config.d_model) if transformed else None
        self.activation = lookup(ACTIVATIONS, "activation", config.read_out_activation or config.activation)
        self.final_norm = make_norm(config) if config.norm == "pre" or transformed else None
        bias = config.unembedding_bias
        self.unembedding = nn.Linear(config.d_model, config.vocab_size, bias) if config.read_out != "none" else None
        init_xavier(self)
        if config.tied_unembedding and self.unembedding is not None:
            tie_weights(self.unembedding, self.embedding)

    def forward(
        self,
        ids: Tensor,
        is_token: Tensor | None = None,
        switches: Switches = Switches(),
        override: AttentionOverride | None = None,
        mask: Tensor | None = None,
        kv_cache: Trace[Tensor] | None = None,
    ) -> Trace[Tensor]:
        """Run the model and record every stage.

        ids (B, T) int64; is_token (B, T) boolean, False for padding; None: no padding.
        switches: the parts to remove, in addition to those that the weights were trained without.
        override: a row of weights to use instead of the model's own.
        mask: boolean, broadcastable to (B, H, T, S): a mask to use instead of the model's own.
        kv_cache: the trace of the earlier tokens, whose keys and values are used; see model/generation/kv_cache.py.

        Raises:
            ValueError: the text is longer than a learned position table, or contains the token config.padding_id.
        """
        self._refuse_padding(ids, is_token)
        switches = switches & self.config.trained
        n_cached = 0 if kv_cache is None else kv_cache.layers[0].attention.k.size(2)
        key_positions = torch.arange(n_cached + ids.size(1), device=ids.device)  # (S,)
        positions = key_positions[n_cached:]  # (T,)
        embed = self.embedding(ids)  # (B, T, C)
        if self.token_type is not None:
            embed = embed + self.token_type
        if switches.position:
            embed = self.position.add(embed, positions)
        embedding_norm = normalise(embed, self.embedding_norm if switches.norm else None)
        embed = embedding_norm.out  # (B, T, C)

        rule = masks.causal if self.config.causal and switches.mask else masks.full
        allowed = rule(positions, key_positions) if mask is None else mask  # (T, S)
        if is_token is not None:
            allowed = allowed & masks.padding_mask(is_token)  # (B, 1, T, S)
        prepared = masks.prepare_mask(allowed)

        layers: list[LayerTrace[Tensor]] = []
        resid = embed
        for index, layer in enumerate(steps(self.layers)):
            layer_cache = None if kv_cache is None else kv_cache.layers[index]
            trace = layer(resid, prepared, self.position, switches, override, layer_cache)
            layers.append(trace)
            resid = trace.resid_post
        final_norm, logits = self.unembed(resid, switches)
        return Trace((), embed, tuple(layers), final_norm, logits, embedding_norm)

    def _refuse_padding(self, ids: Tensor, is_token: Tensor | None) -> None:
        """Refuse the padding token of RoBERTa. RoBERTa does not count it in its positions, this class does."""
        if self.config.padding_id is None:
            return
        is_padding = ids == self.config.padding_id  # (B, T)
        if bool((is_padding if is_token is None else is_padding & is_token).any()):
            raise ValueError(
                f"This text contains the padding token of a RoBERTa (id {self.config.padding_id}), which has "
                "no position. Remove it from the text."
            )

    def unembed(self, resid: Tensor, switches: Switches = Switches()) -> tuple[NormTrace[Tensor], Tensor]:
        """The logits (B, T, V) of a residual stream (B, T, C), from any layer."""
        if self.read_out_mlp is not None:  # Devlin et al. 2019, appendix A.2 and their published code
            resid = self.activation(self.read_out_mlp(resid))  # (B, T, C)
        norm_is_on = switches.norm and self.config.trained.norm
        final_norm = normalise(resid, self.final_norm if norm_is_on else None)
        return final_norm, resid[..., :0] if self.unembedding is None else self.unembedding(final_norm.out)
