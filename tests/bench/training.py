"""Seconds until a small encoder reverses 99 % of held-out symbols: the live training against plain PyTorch.

Both have the same sizes, batches, optimizer and schedule. PyTorch's side is `nn.TransformerEncoder`, without any
recording. Both are evaluated at the same steps. The seconds are those of the processor, on one thread.

    python tests/bench/training.py
"""

import statistics
import time

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.position import sinusoid
from model.training.live.learner import Learner
from model.training.live.pair import FIRST_FRAMES, FRAMES
from model.training.live.settings import BATCH, LiveSettings
from model.training.live.tasks import IGNORED
from model.training.optimizer import optimizer_for
from model.transformer import init_xavier

SETTINGS = LiveSettings(steps=400)
GOAL = 0.99
SEEDS = range(5)


class Plain(nn.Module):
    """The same model from PyTorch's own parts."""

    def __init__(self, settings: LiveSettings) -> None:
        super().__init__()
        task, width = settings.live_task, settings.width
        self.embedding = nn.Embedding(len(task.tokenizer.vocabulary), width)
        layer = nn.TransformerEncoderLayer(
            width, settings.heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(
            layer, settings.layers, norm=nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.unembedding = nn.Linear(width, len(task.tokenizer.vocabulary), bias=False)
        self.positions: Tensor
        self.register_buffer("positions", sinusoid(torch.arange(task.tokens).float(), width))
        init_xavier(self)

    def forward(self, ids: Tensor) -> Tensor:
        logits: Tensor = self.unembedding(self.encoder(self.embedding(ids) + self.positions))
        return logits


def measured_steps() -> set[int]:
    """The steps at which the live training is measured."""
    return {*FIRST_FRAMES, *range(0, SETTINGS.steps + 1, max(1, SETTINGS.steps // FRAMES))}


def live(seed: int) -> tuple[float, int]:
    """Seconds and steps of the live training."""
    began = time.process_time()
    learner, measured = Learner(SETTINGS.changed("seed", seed), seed), measured_steps()
    while not learner.ended:
        learner.advance(learner.step + 1 in measured)
        if learner.step in measured and learner.measurements[learner.step].accuracy >= GOAL:
            break
    return time.process_time() - began, learner.step


def plain(seed: int) -> tuple[float, int]:
    """Seconds and steps of PyTorch's own encoder."""
    began = time.process_time()
    torch.manual_seed(seed)
    network, task, measured = Plain(SETTINGS), SETTINGS.live_task, measured_steps()
    optimizer, (ids, targets) = optimizer_for(network, SETTINGS.lr), task.held_out()
    for step in range(SETTINGS.steps):
        batch, answers = task.batch(BATCH, 1_000_003 * seed + step)
        optimizer.zero_grad()
        F.cross_entropy(network(batch).flatten(0, 1), answers.flatten(), ignore_index=IGNORED).backward()
        nn.utils.clip_grad_norm_(network.parameters(), SETTINGS.clip or float("inf"))
        optimizer.param_groups[0]["lr"] = SETTINGS.schedule.rate(step)
        optimizer.step()
        if step + 1 in measured:
            with torch.inference_mode():
                right = (network(ids).argmax(-1) == targets)[targets != IGNORED]
            if right.float().mean() >= GOAL:
                break
    return time.process_time() - began, step + 1


def main() -> None:
    """Print both and their ratio."""
    torch.set_num_threads(1)
    live(0), plain(0)  # the first call of each kind is slow
    ours, theirs = zip(*((live(seed), plain(seed)) for seed in SEEDS), strict=True)
    for name, results in (("live training", ours), ("nn.TransformerEncoder", theirs)):
        seconds, steps = (statistics.median(column) for column in zip(*results, strict=True))
        print(f"{name}: {seconds:.2f} s of the processor, {steps:.0f} steps (median of {len(SEEDS)} seeds)")
    per_step = [statistics.median(s / n for s, n in results) for results in (ours, theirs)]
    ratio = statistics.median(s for s, _ in ours) / statistics.median(s for s, _ in theirs)
    print(f"ratio of the seconds: {ratio:.2f}; of the seconds per step: {per_step[0] / per_step[1]:.2f}")


if __name__ == "__main__":
    main()
