"""Forward passes of GPT-2-small's shape, random weights, one thread: with everything recorded, and with nothing.

Run by recording_rivals.py in an environment that has `transformers` and `transformer_lens`. Each is divided by a pass
of the same weights through fused attention (`scaled_dot_product_attention`) that keeps nothing: ours written out in
recording.py, that of the other two by `transformers`. What is kept: ours and TransformerLens every stage of every
layer; `transformers` the attention weights only. All run in turn; medians of CPU time, which a busy machine changes
little.
"""

import statistics
import sys
import time
from collections.abc import Callable

import torch
from recording import fused
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformer_lens.model_bridge import TransformerBridge
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from model.compute.device import keep_freed_memory
from model.config import ModelConfig
from model.transformer import Transformer

LAYERS, HEADS, WIDE, WORDS, CONTEXT = 12, 12, 768, 50257, 1024


def gpt2(attention: str) -> GPT2LMHeadModel:
    """GPT-2-small in `transformers`, always of the same random weights."""
    torch.manual_seed(0)
    config = GPT2Config(architectures=["GPT2LMHeadModel"], attn_implementation=attention)
    return GPT2LMHeadModel(config).eval()


def nobody() -> PreTrainedTokenizerFast:
    """TransformerLens wants a tokenizer, though it is given numbers; of one with a start mark it asks the hub."""
    words = Tokenizer(WordLevel({"<s>": 0}, unk_token="<s>"))
    return PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<s>", pad_token="<s>")


def medians(runs: list[Callable[[], object]], repeats: int) -> list[float]:
    """Median CPU seconds of each, run in turn; the first turn warms up."""
    times: list[list[float]] = [[] for _ in runs]
    for turn in range(repeats + 1):
        for kept, go in zip(times, runs, strict=True):
            start = time.process_time()
            result = go()
            took = time.process_time() - start
            del result  # giving the memory back is no part of the forward pass
            if turn:
                kept.append(took)
    return [statistics.median(kept) for kept in times]


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
    plain, eager, hooked = (gpt2(attention) for attention in ("sdpa", "eager", "eager"))
    lens = TransformerBridge.boot_transformers("gpt2", hf_model=hooked, tokenizer=nobody()).eval()
    print(f"forward pass, {LAYERS} layers × {HEADS} heads × {WIDE} wide, {WORDS} words, B = 1, one thread")
    print(f"{'tokens':>6}{'':3}{'':34}{'CPU, ms':>9}{'ratio':>8}")
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
            took = dict(zip(runs, medians(list(runs.values()), repeats), strict=True))
            bare = 0.0
            for name, seconds in took.items():
                bare = seconds if "nothing kept" in name else bare
                print(f"{tokens:6}{'':3}{name:34}{seconds * 1e3:9.1f}{seconds / bare:8.2f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
