"""The training of the `stories` model on books, which can be interrupted and resumed.

python -m model.train stories --text FILE            starts a training, and saves its state regularly
python -m model.train stories --text FILE --resume   continues an interrupted training
python -m model.train stories --beside CARD …        adds seeds that were trained elsewhere to the shipped card
"""

import itertools
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from model import checkpoint
from model.config import ModelConfig
from model.evaluation.head_roles import find_roles, roles_card
from model.generation.sampling import sample_token, sampling_probabilities
from model.model_card import JsonMapping, JsonObject
from model.subword import SubwordTokenizer, train_bpe
from model.tasks.passages import OPENINGS, PASSAGES
from model.training.corpus import (
    HELD_OUT,
    WINDOWS,
    Corpus,
    draw_windows,
    every_window,
    load_books,
    tokenize_corpus,
    train_test_split,
)
from model.training.optimizer import BETAS, Schedule, Step
from model.training.progress_bar import Bar
from model.training.trainer import OnStep, Options, TrainingLoop, recipe_settings
from model.transformer import Transformer

NAME = "stories"
PROGRESS, OLD_PROGRESS = "progress", "told"  # the entry of a part file that says how far the training is
OLD_SETTINGS = {"looked_at": "curve_windows"}  # names of earlier versions on a card


@dataclass(frozen=True)
class StoriesRecipe:
    """Everything that determines a training run, except its seed and its books."""

    pieces: int = 4096
    config: ModelConfig = ModelConfig(
        vocab_size=4096, n_layers=4, n_heads=6, d_model=192, d_ff=768, context=128, tied_unembedding=True
    )
    steps: int = 8000
    batch: int = 16
    lr: float = 2e-3
    warmup: int = 200
    clip: float = 1.0
    weight_decay: float = 0.05
    every: int = 250  # steps between two evaluations; the state is saved as often
    curve_windows: int = 64  # held-out windows of such an evaluation; the last one uses all
    bfloat16: bool = True  # matrix products in 16 bits during training: nearly twice as fast if the CPU supports it

    @property
    def schedule(self) -> Schedule:
        """A rise, a constant rate, and a fall over the last fifth.

        The rate before the fall does not depend on the number of steps, so a training can be resumed and extended.
        Hägele et al. 2024, "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations".
        """
        return Schedule(self.lr, self.steps, self.warmup, decay_from=0.8 * self.steps, cosine=False)

    def with_steps(self, steps: int) -> "StoriesRecipe":
        return replace(self, steps=steps)

    def train(self, name: str, options: Options) -> JsonObject:
        """Train one seed.

        Raises:
            ValueError: there are no books to train on.
        """
        if options.text is None:
            raise ValueError("stories needs books to train on: --text FILE")
        command = f"python -m model.train {name} --text FILE"  # the folder of the books is private
        command += f" --seed {options.seed}" if options.seed else ""
        command += f" --steps {self.steps}" if self.steps != StoriesRecipe.steps else ""
        bar = Bar(f"{name}, seed {options.seed}", self.steps)
        return train_stories(options.text, self, options.seed, command, options.folder, options.resume, bar.show)


@dataclass
class TrainingState:
    """The state of a training, from which it can continue."""

    transformer: Transformer
    optimizer: torch.optim.AdamW
    step: int = 0
    cpu_seconds: float = 0.0
    curve: list[JsonObject] = field(default_factory=list)


class StoriesTraining(TrainingLoop[Transformer, Tensor]):
    """Training on windows of books. The batch depends only on seed and step, so that a training can be resumed."""

    def __init__(self, recipe: StoriesRecipe, corpus: Corpus) -> None:
        super().__init__(NAME, recipe)
        self.recipe: StoriesRecipe = recipe
        self.corpus = corpus

    def make_network(self) -> Transformer:
        return Transformer(self.recipe.config)

    def batches(self, seed: int, start: int = 0) -> Iterator[Tensor]:
        """Batches of windows (B, T + 1), from step `start` on."""
        for step in itertools.count(start):
            rng = np.random.default_rng((seed, step))
            yield torch.from_numpy(draw_windows(self.corpus, self.recipe.batch, self.recipe.config.context + 1, rng))

    def loss(self, network: Transformer, batch: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            logits = network(batch[:, :-1]).logits  # (B, T, V)
            return F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())

    def begin(self, seed: int) -> TrainingState:
        """An untrained model, the same for the same seed."""
        transformer = self.build(seed)
        decay = [p for p in transformer.parameters() if p.dim() == 2]
        rest = [p for p in transformer.parameters() if p.dim() != 2]  # biases, scales, the table of distances
        groups = [{"params": decay, "weight_decay": self.recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}]
        return TrainingState(transformer, torch.optim.AdamW(groups, lr=self.recipe.lr, betas=BETAS))

    def go_on(self, state: TrainingState, seed: int) -> Iterator[Step]:
        """Train the network of a state from its step on, update its step, and yield every step."""
        steps = self.train_steps(state.transformer, self.batches(seed, state.step), state.optimizer, state.step)
        cpu = time.process_time()
        for step in steps:
            state.step = step.number
            state.cpu_seconds += time.process_time() - cpu
            yield step
            cpu = time.process_time()


def held_out_loss(transformer: Transformer, tokenizer: SubwordTokenizer, windows: Tensor) -> tuple[float, float]:
    """Loss on windows (N, T + 1) of held-out prose: nats per token, and bits per character."""
    total = 0.0
    with torch.inference_mode():
        for rows in windows.split(16):
            logits = transformer(rows[:, :-1]).logits
            total += F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten(), reduction="sum").item()
    characters = sum(len(tokenizer.decode(row)) for row in windows[:, 1:].tolist())
    return total / windows[:, 1:].numel(), total / characters / math.log(2)


def snapshot(state: TrainingState, tokenizer: SubwordTokenizer, windows: Tensor) -> JsonObject:
    """The evaluation of a state: held-out loss, copying, and the best head of every role."""
    nats, bits = held_out_loss(state.transformer.eval(), tokenizer, windows)
    roles = find_roles(state.transformer, tokenizer, PASSAGES, repeats=8)
    state.transformer.train()
    return {
        "step": state.step,
        "loss": round(nats, 4),
        "bits_per_character": round(bits, 4),
        "accuracy": {name: round(accuracy.share, 4) for name, accuracy in roles.accuracy.items()},
        "best_head": {name: round(float(score.mass.max()), 4) for name, score in roles.relations.items()},
    }


def train_stories(
    text: Path,
    recipe: StoriesRecipe,
    seed: int,
    command: str,
    folder: Path,
    resume: bool,
    after_step: OnStep,
) -> JsonObject:
    """Train on books and save the weights; returns the card."""
    learnt, held_out = train_test_split(load_books(text))
    tokenizer = train_bpe(learnt, recipe.pieces, space_first=False)
    recipe = replace(recipe, config=replace(recipe.config, vocab_size=len(tokenizer.vocabulary)))
    shelf = tokenize_corpus(learnt, tokenizer)
    unseen = torch.from_numpy(every_window(tokenize_corpus(held_out, tokenizer), recipe.config.context + 1))
    training = StoriesTraining(recipe, shelf)
    state = training.begin(seed)
    if resume:
        load_state(state, seed, folder)
    for step in training.go_on(state, seed):
        after_step(step)
        if state.step % recipe.every == 0 or state.step == recipe.steps:
            state.curve.append(snapshot(state, tokenizer, unseen[:: max(1, len(unseen) // recipe.curve_windows)]))
            save_state(state, seed, folder)
    return save_trained(state, tokenizer, learnt, unseen, recipe, seed, command, folder)


def save_state(state: TrainingState, seed: int, folder: Path) -> None:
    """Save what is needed to continue: the weights, AdamW's two running means of every weight, and the step."""
    moments = state.optimizer.state_dict()["state"]
    tensors = {f"weights.{name}": value for name, value in state.transformer.named_parameters()}
    for index, means in moments.items():
        tensors |= {f"moments.{index}.{name}": value for name, value in means.items()}
    progress = {"seed": seed, "step": state.step, "cpu_seconds": state.cpu_seconds, "curve": state.curve}
    folder.mkdir(parents=True, exist_ok=True)
    part_way = _part_way(folder, seed)
    fresh = part_way.with_suffix(".new")
    save_file({name: t.detach().contiguous() for name, t in tensors.items()}, fresh, {PROGRESS: json.dumps(progress)})
    fresh.replace(part_way)  # if a run is stopped while it writes, the previous state stays complete


def load_state(state: TrainingState, seed: int, folder: Path) -> None:
    """Restore a model and its optimizer from the state that `save_state` wrote.

    Raises:
        CheckpointError: there is no such state, or it belongs to another recipe.
    """
    path = _part_way(folder, seed)
    try:
        tensors = load_file(path)
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        metadata = header["__metadata__"]
        progress = json.loads(metadata[PROGRESS if PROGRESS in metadata else OLD_PROGRESS])
        weights = {name.removeprefix("weights."): t for name, t in tensors.items() if name.startswith("weights.")}
        state.transformer.load_state_dict(weights, strict=False)
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith("moments."):
                _, index, which = name.split(".")
                moments.setdefault(int(index), {})[which] = tensor
        whole = state.optimizer.state_dict()
        state.optimizer.load_state_dict({**whole, "state": moments})
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise checkpoint.CheckpointError(f"{path.name} cannot be resumed: {error}.") from error
    state.step, state.cpu_seconds, state.curve = progress["step"], progress["cpu_seconds"], progress["curve"]


def _part_way(folder: Path, seed: int) -> Path:
    return folder / f"{NAME}.seed-{seed}.part"


def sample(transformer: Transformer, tokenizer: SubwordTokenizer, opening: str, context: int) -> str:
    """The text that the model generates after an opening, with top-p 0.9 and seed 0, until its window is half full."""
    ids = list(tokenizer.encode(opening).ids)
    while len(ids) < context // 2:
        with torch.inference_mode():
            logits = transformer(torch.tensor([ids])).logits[0, -1].numpy()  # (V,)
        logits[list(tokenizer.special_ids)] = -np.inf
        ids.append(sample_token(sampling_probabilities(logits, top_p=0.9), 0, len(ids)))
    return tokenizer.decode(ids)


def save_trained(
    state: TrainingState,
    tokenizer: SubwordTokenizer,
    learnt: Sequence[str],
    unseen: Tensor,
    recipe: StoriesRecipe,
    seed: int,
    command: str,
    folder: Path,
) -> JsonObject:
    """Save weights, tokenizer and card."""
    nats, bits = held_out_loss(state.transformer.eval(), tokenizer, unseen)
    roles = find_roles(state.transformer, tokenizer, PASSAGES)
    card = {
        "task": NAME,
        "command": command,
        "seed": seed,
        "recipe": recipe_settings(recipe) | {"windows": {kind: share for kind, (share, _) in WINDOWS.items()}},
        "notes": [
            f"Trained on {len(learnt)} books: stories published before 1914, in the public domain.",
            f"'held_out' is measured on the last {HELD_OUT:.0%} of every book, never used in training, in windows of "
            f"{recipe.config.context} tokens that each begin with <s>.",
            "'exam' is measured on our own passages and on repeated random tokens: see model/evaluation/head_roles.py.",
            "'samples' are drawn with top-p 0.9 and seed 0.",
        ],
        "cpu_seconds": round(state.cpu_seconds),
        "held_out": {"tokens": unseen[:, 1:].numel(), "loss": round(nats, 4), "bits_per_character": round(bits, 4)},
        "exam": roles_card(roles),
        "samples": [sample(state.transformer, tokenizer, opening, recipe.config.context) for opening in OPENINGS],
        "curve": state.curve,
    }
    checkpoint.save(NAME, state.transformer, tokenizer, card, folder, half=True)
    return card


def seed_summary(card: JsonMapping) -> JsonObject:
    """The results of one seed, for the comparison of seeds on the card."""
    exam = card["exam"]
    return {
        "seed": card["seed"],
        "held_out": card["held_out"],
        "accuracy": {name: entry["share"] for name, entry in exam["accuracy"].items()},
        "best_head": {name: max(max(row) for row in entry["mass"]) for name, entry in exam["relations"].items()},
        "cpu_seconds": card["cpu_seconds"],
        "notes": card["notes"],
    }


def _recipe_of(card: JsonMapping) -> JsonObject:
    """The recipe on a card, also on a card of an earlier version."""
    return {OLD_SETTINGS.get(name, name): value for name, value in card["recipe"].items()}


def add_seeds(cards: Sequence[Path], folder: Path) -> JsonObject:
    """Add the results of other seeds of the same recipe to the shipped card; returns the card.

    Raises:
        ValueError: a card is of another recipe, or of the shipped seed.
    """
    card = checkpoint.read_card(NAME, folder)
    others = [json.loads(path.read_text(encoding="utf-8")) for path in cards]
    for other in others:
        if _recipe_of(other) != _recipe_of(card) or other["seed"] == card["seed"]:
            raise ValueError(f"seed {other['seed']} is not another seed of the recipe of seed {card['seed']}")
    card["seeds"] = sorted(map(seed_summary, (card, *others)), key=lambda summary: int(summary["seed"]))
    for summary in card["seeds"]:
        summary["notes"] = [note for note in summary["notes"] if note not in card["notes"]]  # notes of this seed alone
    checkpoint.write_card(NAME, card, folder)
    return card
