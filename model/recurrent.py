"""Recurrent sequence-to-sequence models, which the Transformer replaced.

The encoder reads the source token by token. Without attention, its last state is the only input that the decoder gets
from the source (Sutskever et al. 2014). With attention, the decoder attends to every state of the encoder, and each
target token has its own context vector (Bahdanau et al. 2015; Luong et al. 2015, whose order of steps is used here).

In the shapes of this file, S counts the positions of the source, T those of the target, and H = 1.
"""

from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn

from model import mask as masks
from model.attention import AttentionTrace, attend, masked_softmax
from model.config import lookup
from model.switches import Switches

A = TypeVar("A")  # torch.Tensor inside the model, numpy.ndarray after run()


@dataclass(frozen=True)
class RecurrentConfig:
    """Sizes and choices of one recurrent encoder–decoder.

    Raises:
        ValueError: a size is not a positive whole number.
    """

    vocab_size: int  # V
    d_model: int = 128  # C: of words and of states
    context: int = 64  # longest text seen in training
    attention: str = "none"  # a key of SCORE_FUNCTIONS

    # As in ModelConfig: the parts of a Transformer. A recurrent network has none that could be removed.
    trained: ClassVar[Switches] = Switches()
    removable: ClassVar[Switches] = Switches()
    predicts: ClassVar[str] = "next"
    tied_unembedding: ClassVar[bool] = False
    padding_id: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        for name in ("vocab_size", "d_model", "context"):
            size = getattr(self, name)
            if not (type(size) is int and size >= 1):
                raise ValueError(f"{name} must be a whole number, at least 1, not {size!r}")


@dataclass(frozen=True, slots=True)
class RecurrentEncoderTrace(Generic[A]):
    """Every stage of the encoder."""

    tokens: tuple[str, ...]  # S tokens; empty if the model was given ids alone
    embed: A  # (B, S, C)
    hidden: A  # (B, S, C)  the state after each token
    final_state: A  # (B, C)  the last state, which is the initial state of the decoder


@dataclass(frozen=True, slots=True)
class RecurrentDecoderTrace(Generic[A]):
    """Every stage of the decoder. Row t is at target token t and predicts token t + 1."""

    tokens: tuple[str, ...]  # T tokens
    embed: A  # (B, T, C)
    hidden: A  # (B, T, C)  the state after each token
    logits: A  # (B, T, V)


@dataclass(frozen=True, slots=True)
class AttentiveDecoderTrace(RecurrentDecoderTrace[A]):
    """The same, with attention to the source before each prediction."""

    attention: AttentionTrace[A]  # weights (B, 1, T, S): the alignment; out (B, T, C): the context vectors
    attentional_hidden: A  # (B, T, C)  tanh(W [context; state])


@dataclass(frozen=True, slots=True)
class RecurrentTrace(Generic[A]):
    """Every stage of one forward pass. With attention, `decoder` is an AttentiveDecoderTrace."""

    encoder: RecurrentEncoderTrace[A]
    decoder: RecurrentDecoderTrace[A]


class DotProduct(nn.Module):
    """Score = state · source state. Luong et al. 2015, equation 8, "dot". Nothing is learned."""

    def __init__(self, width: int) -> None:
        super().__init__()

    def forward(self, hidden: Tensor, source: Tensor, mask: masks.PreparedMask) -> AttentionTrace[Tensor]:
        """hidden (B, 1, T, C), source (B, 1, S, C)."""
        return attend(hidden, source, source, mask, scale=False)


class Additive(nn.Module):
    """Score = vᵀ tanh(W state + U source state), a small network. Bahdanau et al. 2015, appendix A.1.2."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.w_q = nn.Linear(width, width, bias=False)
        self.w_k = nn.Linear(width, width)
        self.v = nn.Linear(width, 1, bias=False)

    def forward(self, hidden: Tensor, source: Tensor, mask: masks.PreparedMask) -> AttentionTrace[Tensor]:
        """hidden (B, 1, T, C), source (B, 1, S, C)."""
        q, k = self.w_q(hidden), self.w_k(source)
        pairs = (q[..., :, None, :] + k[..., None, :, :]).tanh()  # (B, 1, T, S, C)
        scores = self.v(pairs).squeeze(-1)  # (B, 1, T, S)
        masked = torch.minimum(scores, mask.upper_bound.to(scores.dtype))
        weights = masked_softmax(masked, mask.fully_masked)
        z = weights @ source  # (B, 1, T, C)
        allowed = mask.allowed.expand_as(scores)
        return AttentionTrace(q, k, source, scores, scores, scores, allowed, masked, weights, z, z[:, 0])


SCORE_FUNCTIONS: dict[str, type[DotProduct] | type[Additive] | None] = {
    "none": None,
    "dot": DotProduct,
    "additive": Additive,
}


class Recurrent(nn.Module):
    """An encoder and a decoder that are gated recurrent networks. Both are PyTorch's nn.GRU.

    There is one difference from the GRU of Cho et al. 2014. Theirs applies the reset gate before the matrix product,
    U (r ⊙ h); PyTorch, like cuDNN, applies it after the product, r ⊙ (U h + b).
    """

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = nn.GRU(config.d_model, config.d_model, batch_first=True)
        self.decoder = nn.GRU(config.d_model, config.d_model, batch_first=True)
        alignment = lookup(SCORE_FUNCTIONS, "attention", config.attention)
        self.attention = None if alignment is None else alignment(config.d_model)
        self.mix = None if alignment is None else nn.Linear(2 * config.d_model, config.d_model, bias=False)
        self.unembedding = nn.Linear(config.d_model, config.vocab_size)

    @staticmethod
    def check_switches(switches: Switches) -> None:
        """Check that this network has what the switches remove. Raises ValueError if it does not."""
        if switches != Switches():
            raise ValueError("A recurrent network has none of the parts of a Transformer: there is nothing to remove.")

    def can_cache(self, switches: Switches) -> bool:
        """Whether the stages of a target token stay the same when tokens are added; here they always do."""
        return True

    def forward(
        self,
        source: Tensor,
        target: Tensor,
        source_is_token: Tensor | None = None,
        switches: Switches = Switches(),
    ) -> RecurrentTrace[Tensor]:
        """Read the source, then the target with teacher forcing.

        source (B, S) and target (B, T) int64; source_is_token (B, S) boolean, False for padding at the end.

        Raises:
            ValueError: `switches` removes a part. A recurrent network has none of the parts of a Transformer.
        """
        encoder = self.encode(source, source_is_token, switches)
        return RecurrentTrace(encoder, self.decode(encoder, target, source_is_token, switches))

    def encode(
        self, ids: Tensor, is_token: Tensor | None = None, switches: Switches = Switches()
    ) -> RecurrentEncoderTrace[Tensor]:
        """Encode the source `ids` (B, S), left to right. Raises ValueError as `forward` does."""
        self.check_switches(switches)
        embed = self.embedding(ids)  # (B, S, C)
        hidden, _ = self.encoder(embed)  # (B, S, C)
        last = torch.full_like(ids[:, 0], ids.size(1)) if is_token is None else is_token.sum(1)  # (B,)
        vector = hidden[torch.arange(len(ids), device=ids.device), last - 1]  # (B, C)
        return RecurrentEncoderTrace((), embed, hidden, vector)

    def decode(
        self,
        source: RecurrentEncoderTrace[Tensor],
        ids: Tensor,
        source_is_token: Tensor | None = None,
        switches: Switches = Switches(),
        past: RecurrentDecoderTrace[Tensor] | None = None,
    ) -> RecurrentDecoderTrace[Tensor]:
        """Run the decoder on the target `ids` (B, T). past: the trace of earlier tokens; only its last state counts.

        Raises:
            ValueError: as `forward`.
        """
        self.check_switches(switches)
        begin = source.final_state if past is None else past.hidden[:, -1]  # (B, C)
        embed = self.embedding(ids)  # (B, T, C)
        hidden, _ = self.decoder(embed, begin[None].contiguous())  # (B, T, C)
        if self.attention is None or self.mix is None:
            return RecurrentDecoderTrace((), embed, hidden, self.unembedding(hidden))
        everywhere = torch.ones(source.hidden.shape[:2], dtype=torch.bool, device=ids.device)  # (B, S)
        mask = masks.prepare_mask(
            masks.padding_mask(everywhere if source_is_token is None else source_is_token)
        )  # (B, 1, 1, S)
        attention: AttentionTrace[Tensor] = self.attention(hidden[:, None], source.hidden[:, None], mask)
        mixed = self.mix(torch.cat((attention.out, hidden), dim=-1)).tanh()  # (B, T, C)
        return AttentiveDecoderTrace((), embed, hidden, self.unembedding(mixed), attention, mixed)
