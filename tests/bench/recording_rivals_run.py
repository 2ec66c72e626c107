"""Forward passes of GPT-2-small's shape, random weights, one thread: with everything recorded, and with nothing.

Run by recording_rivals.py in an environment that has `transformers` and `transformer_lens`. Each is divided by a pass
through fused attention (`scaled_dot_product_attention`) that keeps nothing: ours by the same weights, the others by
`transformers`' own fused GPT-2, for TransformerLens has none. What is kept: ours and TransformerLens every stage of
every layer; `transformers` the attention weights only. All run in turn; medians.
"""

import sys
from collections.abc import Callable

import torch
from recording import fused, medians
from transformer_lens import HookedTransformer, HookedTransformerConfig
from transformers import GPT2Config, GPT2LMHeadModel

from model.config import ModelConfig
from model.device import keep_freed_memory
from model.transformer import Transformer

LAYERS, HEADS, WIDE, WORDS, CONTEXT = 12, 12, 768, 50257, 1024


def main(repeats: int) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    keep_freed_memory()  # as run() does
    config = ModelConfig(
        vocab_size=WORDS,
        n_layers=LAYERS,
        n_heads=HEADS,
        d_model=WIDE,
        d_ff=4 * WIDE,
        context=CONTEXT,
        position="learned",
    )
    ours = Transformer(config).eval()
    plain = GPT2LMHeadModel(GPT2Config(), attn_implementation="sdpa").eval()
    eager = GPT2LMHeadModel._from_config(GPT2Config(), attn_implementation="eager").eval()
    lens = HookedTransformer(
        HookedTransformerConfig(
            n_layers=LAYERS,
            d_model=WIDE,
            n_ctx=CONTEXT,
            d_head=WIDE // HEADS,
            n_heads=HEADS,
            d_vocab=WORDS,
            act_fn="gelu_new",
            device="cpu",
        )
    ).eval()
    print(f"forward pass, {LAYERS} layers × {HEADS} heads × {WIDE} wide, {WORDS} words, B = 1, one thread; medians, ms")
    print(f"{'tokens':>6}{'':3}{'':34}{'ms':>9}{'ratio':>8}")
    with torch.inference_mode():
        for tokens in (32, 64, 256):
            ids = torch.randint(WORDS, (1, tokens))
            runs: dict[str, Callable[[], object]] = {
                "our weights, fused, nothing kept": lambda: fused(ours, ids),  # noqa: B023
                "ours, every stage": lambda: ours(ids),  # noqa: B023
                "transformers, fused, nothing kept": lambda: plain(ids, use_cache=False),  # noqa: B023
                "transformers, output_attentions": lambda: eager(ids, use_cache=False, output_attentions=True),  # noqa: B023
                "TransformerLens, run_with_cache": lambda: lens.run_with_cache(ids),  # noqa: B023
            }
            took = dict(zip(runs, medians(list(runs.values()), repeats, torch.device("cpu")), strict=True))
            bare = 0.0
            for name, seconds in took.items():
                bare = seconds if "nothing kept" in name else bare
                print(f"{tokens:6}{'':3}{name:34}{seconds * 1e3:9.1f}{seconds / bare:8.2f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
