"""The encoder–decoder: one stack reads the source, another writes the target and looks at what was read.

A decoder layer has three parts: self-attention over the words said so far, cross-attention with queries from the
decoder and keys and values from the encoder, and the feed-forward network. Vaswani et al. 2017, section 3.1, figure 1.

In the shapes of this file S are the positions of the source and T those of the target.
"""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from model import mask as masks
from model.attention import AttentionTrace, MultiHeadAttention
from model.config import ModelConfig, lookup
from model.norm import NormTrace, make_norm, normalise
from model.position import POSITIONS, Position
from model.switches import Switches
from model.transformer import AttentionOptions, Block, Layer, LayerTrace, Trace, init_xavier, tie_weights

A = TypeVar("A")  # torch.Tensor inside the model, numpy.ndarray after run()


@dataclass(frozen=True, slots=True)
class DecoderLayerTrace(LayerTrace[A]):
    """A layer that also looks at the source, between resid_mid and the feed-forward network.

    Pre-norm:  resid_cross = resid_mid + cross.out, resid_post = resid_cross + mlp_out.
    Post-norm: norm_cross.input = resid_mid + cross.out, resid_cross = norm_cross.out.
    """

    norm_cross: NormTrace[A]
    cross: AttentionTrace[A]  # q (B, H, T, D), k and v (B, H, S, D), weights (B, H, T, S)
    resid_cross: A  # (B, T, C)  the stream after cross-attention


@dataclass(frozen=True, slots=True)
class EncoderTrace(Generic[A]):
    """How the source was read."""

    tokens: tuple[str, ...]  # S words; empty when the model was given bare ids
    embed: A  # (B, S, C)
    layers: tuple[LayerTrace[A], ...]
    final_norm: NormTrace[A]  # its `out` (B, S, C) is what the decoder looks at
    embedding_norm: NormTrace[A]  # its `out` is `embed`


@dataclass(frozen=True, slots=True)
class DecoderTrace(Trace[A]):
    """How the target was written: row t stands at target word t and foretells word t + 1."""

    layers: tuple[DecoderLayerTrace[A], ...]


@dataclass(frozen=True, slots=True)
class EncoderDecoderTrace(Generic[A]):
    """Everything one forward pass did with a source and a target."""

    encoder: EncoderTrace[A]
    decoder: DecoderTrace[A]


class DecoderLayer(Block):
    """Self-attention, then cross-attention, then the feed-forward network."""

    def __init__(self, config: ModelConfig, index: int) -> None:
        super().__init__(config, index)
        self.norm_cross = make_norm(config) if config.norm != "none" else None
        self.cross = MultiHeadAttention(config, index)
        self.no_position = Position(config)  # words of two sentences have no distance: no scheme acts between them

    def forward(
        self,
        resid_pre: Tensor,
        source: Tensor,
        mask: Tensor | masks.PreparedMask,
        source_mask: Tensor | masks.PreparedMask,
        position: Position,
        switches: Switches,
        kv_cache: DecoderLayerTrace[Tensor] | None = None,
    ) -> DecoderLayerTrace[Tensor]:
        """resid_pre (B, T, C), source (B, S, C); the masks broadcastable to (B, H, T, T) and (B, H, T, S)."""
        self_cache, cross_cache = (None, None) if kv_cache is None else (kv_cache.attention, kv_cache.cross)
        norm1, attention, resid_mid = self.attend(
            self.attention, self.norm1, resid_pre, None, mask, AttentionOptions(position, switches), self_cache
        )
        if cross_cache is not None:
            source = source[:, :0]  # its keys and values are known from the first word on: there is nothing to add
        cross_switches = replace(switches, heads_off=switches.cross_off)
        norm_cross, cross, resid_cross = self.attend(
            self.cross,
            self.norm_cross,
            resid_mid,
            source,
            source_mask,
            AttentionOptions(self.no_position, cross_switches),
            cross_cache,
        )
        norm2, mlp_hidden, mlp_out, resid_post = self.feed_forward(resid_cross, switches)
        self_stages = (resid_pre, norm1, attention, resid_mid, norm2, mlp_hidden, mlp_out, resid_post)
        return DecoderLayerTrace(*self_stages, norm_cross, cross, resid_cross)


class EncoderDecoder(nn.Module):
    """`n_layers` layers that read and as many that write. Both languages share one vocabulary and one embedding."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        scheme = lookup(POSITIONS, "position", config.position)
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.embedding_norm = make_norm(config) if config.embedding_norm else None
        self.source_position = scheme(replace(config, causal=False))
        self.target_position = scheme(config)
        self.encoder = nn.ModuleList(Layer(config, index) for index in range(config.n_layers))
        self.encoder_norm = make_norm(config) if config.norm == "pre" else None
        self.decoder = nn.ModuleList(DecoderLayer(config, index) for index in range(config.n_layers))
        self.decoder_norm = make_norm(config) if config.norm == "pre" else None
        self.unembedding = nn.Linear(config.d_model, config.vocab_size, bias=config.unembedding_bias)
        init_xavier(self)
        if config.tied_unembedding:
            tie_weights(self.unembedding, self.embedding)

    def check_switches(self, switches: Switches) -> None:
        """Whether this network has what the switches remove. Raises ValueError where it has not."""
        self.config.check_heads(switches)

    def can_cache(self, switches: Switches) -> bool:
        """Whether what was computed for a target word stays as it is when words are added: only under a causal mask."""
        return (switches & self.config.trained).mask

    def forward(
        self,
        source: Tensor,
        target: Tensor,
        source_is_token: Tensor | None = None,
        switches: Switches = Switches(),
    ) -> EncoderDecoderTrace[Tensor]:
        """Read the source, then the whole target at once: teacher forcing.

        source (B, S) and target (B, T) int64; source_is_token (B, S) boolean, False for filler, None when all are real.
        Filler at the end of a target needs no mask: no word looks ahead.
        """
        encoder = self.encode(source, source_is_token, switches)
        return EncoderDecoderTrace(encoder, self.decode(encoder, target, source_is_token, switches))

    def encode(
        self, ids: Tensor, is_token: Tensor | None = None, switches: Switches = Switches()
    ) -> EncoderTrace[Tensor]:
        """Read the source (B, S): every word looks at every word."""
        switches = switches & self.config.trained
        switches = replace(switches, heads_off=switches.encoder_off)
        positions = torch.arange(ids.size(1), device=ids.device)  # (S,)
        embedded = self._embed(ids, self.source_position, positions, switches)
        embed = embedded.out  # (B, S, C)
        allowed = masks.full(positions, positions)  # (S, S)
        mask = masks.prepare_mask(
            allowed if is_token is None else allowed & masks.padding_mask(is_token)
        )  # (B, 1, S, S)
        layers: list[LayerTrace[Tensor]] = []
        resid = embed
        for layer in self.encoder:
            trace = layer(resid, mask, self.source_position, switches)
            layers.append(trace)
            resid = trace.resid_post
        final_norm = normalise(resid, self.encoder_norm if switches.norm else None)
        return EncoderTrace((), embed, tuple(layers), final_norm, embedded)

    def decode(
        self,
        source: EncoderTrace[Tensor],
        ids: Tensor,
        source_is_token: Tensor | None = None,
        switches: Switches = Switches(),
        past: DecoderTrace[Tensor] | None = None,
    ) -> DecoderTrace[Tensor]:
        """Write the target (B, T), each word after those before it and with a look at the source.

        past: the trace of the words before these, to write on from: their keys and values, and the source's, are kept.
        """
        switches = switches & self.config.trained
        source_resid = source.final_norm.out  # (B, S, C)
        n_cached = 0 if past is None else past.layers[0].attention.k.size(2)
        key_positions = torch.arange(n_cached + ids.size(1), device=ids.device)  # (all words so far,)
        positions = key_positions[n_cached:]  # (T,)
        embedded = self._embed(ids, self.target_position, positions, switches)
        embed = embedded.out  # (B, T, C)
        mask = masks.prepare_mask((masks.causal if switches.mask else masks.full)(positions, key_positions))  # (T, T)
        source_positions = torch.arange(source_resid.size(1), device=ids.device)  # (S,)
        allowed = (
            masks.full(positions, source_positions) if source_is_token is None else masks.padding_mask(source_is_token)
        )
        source_mask = masks.prepare_mask(allowed)  # (T, S) or (B, 1, 1, S)
        layers: list[DecoderLayerTrace[Tensor]] = []
        resid = embed
        for index, layer in enumerate(self.decoder):
            layer_cache = None if past is None else past.layers[index]
            trace = layer(resid, source_resid, mask, source_mask, self.target_position, switches, layer_cache)
            layers.append(trace)
            resid = trace.resid_post
        final_norm, logits = self.unembed(resid, switches)
        return DecoderTrace((), embed, tuple(layers), final_norm, logits, embedded)

    def unembed(self, resid: Tensor, switches: Switches = Switches()) -> tuple[NormTrace[Tensor], Tensor]:
        """Turn a stream of the decoder (B, T, C), from any layer, into logits (B, T, V)."""
        norm_is_on = switches.norm and self.config.trained.norm
        final_norm = normalise(resid, self.decoder_norm if norm_is_on else None)
        return final_norm, self.unembedding(final_norm.out)

    def _embed(self, ids: Tensor, position: Position, positions: Tensor, switches: Switches) -> NormTrace[Tensor]:
        embed = self.embedding(ids)  # (B, T, C)
        if switches.position:
            embed = position.add(embed, positions)
        return normalise(embed, self.embedding_norm if switches.norm else None)
