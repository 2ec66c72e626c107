"""One layer of each type, ready to be measured on random inputs. Attention starts from q, k and v, as Table 1 counts.

Restricted attention is causal, as a window of a decoder; the other types of attention see both sides.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.attention import attend
from model.cost.complexity import LAYER_TYPES, Sizes
from model.cost.convolution import Convolution
from model.cost.linear_attention import linear_attention
from model.cost.linformer import linformer_attention, random_projection
from model.cost.window_attention import window_attention

Run = Callable[[], Tensor]  # one forward pass


def build_layer(kind: str, sizes: Sizes, device: torch.device | None = None) -> tuple[Run, list[Tensor]]:
    """A forward pass of one layer, and the tensors whose gradient a backward pass computes: inputs and weights.

    kind: a key of LAYER_TYPES. RNN and GRU are PyTorch's, whose loop over time is compiled.

    Raises:
        ValueError: there is no such type.
    """
    if kind not in LAYER_TYPES:
        raise ValueError(f'a layer must be one of {", ".join(LAYER_TYPES)}, not "{kind}"')
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        x = torch.randn(1, sizes.n, sizes.d).to(device)  # (1, T, C)
        q, k, v = (torch.randn(1, sizes.n_heads, sizes.n, sizes.d // sizes.n_heads).to(device) for _ in range(3))
        if kind in ("rnn", "gru"):
            module = (nn.RNN if kind == "rnn" else nn.GRU)(sizes.d, sizes.d, batch_first=True).to(device)
            return lambda: module(x)[0], [x, *module.parameters()]
        if kind == "convolution":
            convolution = Convolution(sizes.d, sizes.kernel).to(device)
            return lambda: convolution(x), [x, *convolution.parameters()]
    projection = random_projection(sizes.n, sizes.rank).to(q)  # (K, S)
    forward: dict[str, Run] = {
        "attention": lambda: attend(q, k, v).z,
        "fused": lambda: F.scaled_dot_product_attention(q, k, v),
        "window": lambda: window_attention(q, k, v, sizes.window),
        "linformer": lambda: linformer_attention(q, k, v, projection).z,
        "linear": lambda: linear_attention(q, k, v, causal=False),
    }
    return forward[kind], [q, k, v]
