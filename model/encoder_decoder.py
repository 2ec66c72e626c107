"""The encoder–decoder: the encoder reads the source, and the decoder writes the target and attends to the source.

A decoder layer has three parts: self-attention over the target so far, cross-attention with queries from the
decoder and keys and values from the encoder, and the feed-forward network. Vaswani et al. 2017, section 3.1, figure 1.

In the shapes of this file, S counts the positions of the source and T those of the target.
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
    """A layer with cross-attention to the source, between resid_mid and the feed-forward network.

    Pre-norm:  resid_cross = resid_mid + cross.out, resid_post = resid_cross + mlp_out.
    Post-norm: norm_cross.input = resid_mid + cross.out, resid_cross = norm_cross.out.
    """

    norm_cross: NormTrace[A]
    cross: AttentionTrace[A]  # q (B, H, T, D), k and v (B, H, S, D), weights (B, H, T, S)
    resid_cross: A  # (B, T, C)  the residual stream after cross-attention


@dataclass(frozen=True, slots=True)
class EncoderTrace(Generic[A]):
    """Every stage of the encoder."""

    tokens: tuple[str, ...]  # S tokens; empty if the model was given ids alone
    embed: A  # (B, S, C)
    layers: tuple[LayerTrace[A], ...]
    final_norm: NormTrace[A]  # its `out` (B, S, C) is what the decoder attends to
    embedding_norm: NormTrace[A]  # its `out` is `embed`


@dataclass(frozen=True, slots=True)
class DecoderTrace(Trace[A]):
    """Every stage of the decoder. Row t is at target token t and predicts token t + 1."""

    layers: tuple[DecoderLayerTrace[A], ...]


@dataclass(frozen=True, slots=True)
class EncoderDecoderTrace(Generic[A]):
    """Every stage of one forward pass over a source and a target."""

    encoder: EncoderTrace[A]
    decoder: DecoderTrace[A]


class DecoderLayer(Block):
    """Self-attention, then cross-attention, then the feed-forward network."""

    def __init__(self, config: ModelConfig, index: int) -> None:
        super().__init__(config, index)
        self.norm_cross = make_norm(config) if config.norm != "none" else None
        self.cross = MultiHeadAttention(config, index)
        self.no_position = Position(
            config
        )  # tokens of two sentences have no distance, so no position scheme applies here

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
            source = source[:, :0]  # the keys and values of the source do not change, so the cache has nothing to add
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
    """`n_layers` encoder layers and as many decoder layers. Both languages share one vocabulary and one embedding."""

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
        """Check that this network has what the switches remove. Raises ValueError if it does not."""
        self.config.check_heads(switches)

    def can_cache(self, switches: Switches) -> bool:
        """Whether the stages of a target token stay the same when tokens are added, which needs a causal mask."""
        return (switches & self.config.trained).mask

    def forward(
        self,
        source: Tensor,
        target: Tensor,
        source_is_token: Tensor | None = None,
        switches: Switches = Switches(),
    ) -> EncoderDecoderTrace[Tensor]:
        """Read the source, then the whole target at once: teacher forcing.

        source (B, S) and target (B, T) int64; source_is_token (B, S) boolean, False for padding; None: no padding.
        Padding at the end of a target needs no mask, because no token attends to later ones.
        """
        encoder = self.encode(source, source_is_token, switches)
        return EncoderDecoderTrace(encoder, self.decode(encoder, target, source_is_token, switches))

    def encode(
        self, ids: Tensor, is_token: Tensor | None = None, switches: Switches = Switches()
    ) -> EncoderTrace[Tensor]:
        """Encode the source `ids` (B, S), in which every token attends to every token."""
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
        """Run the decoder on the target `ids` (B, T), with cross-attention to the source.

        past: the trace of the target tokens before these. Its keys and values, and those of the source, are reused.
        """
        switches = switches & self.config.trained
        source_resid = source.final_norm.out  # (B, S, C)
        n_cached = 0 if past is None else past.layers[0].attention.k.size(2)
        key_positions = torch.arange(n_cached + ids.size(1), device=ids.device)  # (all tokens so far,)
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
        """The logits (B, T, V) of a residual stream of the decoder (B, T, C), from any layer."""
        norm_is_on = switches.norm and self.config.trained.norm
        final_norm = normalise(resid, self.decoder_norm if norm_is_on else None)
        return final_norm, self.unembedding(final_norm.out)

    def _embed(self, ids: Tensor, position: Position, positions: Tensor, switches: Switches) -> NormTrace[Tensor]:
        embed = self.embedding(ids)  # (B, T, C)
        if switches.position:
            embed = position.add(embed, positions)
        return normalise(embed, self.embedding_norm if switches.norm else None)
