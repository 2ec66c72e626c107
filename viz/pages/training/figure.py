"""The figure of a training: its drawing, its sentence, its table and its files."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from model.training.live.learner import Measurement, part_names
from model.training.live.pair import Frame, legal_share
from model.training.live.tasks import IGNORED, LiveTask
from viz import canvas
from viz.captions.training import ROLE, AnswerHead, Claim, Levels, Outcome, describe_training
from viz.export.tables import NamedArray, Table, file_name
from viz.labels import named, truncate
from viz.pages.training.controls import Chosen
from viz.pages.training.runs import RUNS, Run
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, visitor
from viz.ui.state import Key

FIGURE = "learning"
SIDES = ("A", "B")


def run_of(chosen: Chosen) -> Run:
    """The training of this visit with these settings; a new one where the settings are others than before."""
    name = st.session_state.get(Key.TRAINING, "")
    run = RUNS.find(name)
    if run is None or run.settings != (chosen.a, chosen.b) or run.pair.seeds != chosen.seeds:
        RUNS.forget(name)
        run = RUNS.start(chosen.a, chosen.b, chosen.seeds)
        st.session_state[Key.TRAINING] = run.name
    run.touch()
    return run


def show(chosen: Chosen, run: Run) -> None:
    """Draw the training as far as it has come. While it goes on, its stream brings the rest."""
    rests = run.rests  # before the frames, so that none of a training that rests is missing
    frames = run.frames
    drawn = canvas.training(
        _view(chosen, run, rests),
        key=FIGURE,
        theme=visitor.theme(),
        on_command=partial(command, run),
        on_rest=run.touch,
    )
    a = chosen.a
    figure_panel.below(
        drawn,
        sentence=describe_training(*_outcomes(chosen, run), levels(a.live_task), a.steps, claim_of(chosen), rests),
        table=partial(table, frames, a.seed),
        file=file_name(f"training-{a.task}", "-".join(filter(None, chosen.names)) or "twice"),
        of=figure_panel.Subject(title=_title(chosen)),
        arrays=partial(arrays, frames, chosen),
        python=_python(chosen, frames[-1].step),
    )


def _title(chosen: Chosen) -> str:
    a, b = chosen.names
    title = f"Two models learn the task {chosen.a.live_task.title}"
    return f"{title}; A: {a}; B: {b}" if a else title


def command(run: Run, name: str, number: int) -> None:
    """Obey a visitor. name: "play" with so many steps, 0 for all that are left, "pause", or "rewind" to a step."""
    if name == "play":
        run.play(number or None)
    elif name == "pause":
        run.pause()
        run.wait(seconds=5)
    elif name == "rewind" and number in run.pair.kept_steps:
        run.rewind(number)


def levels(task: LiveTask) -> Levels:
    """What is known of a task without any model."""
    return Levels(task.guess_accuracy, task.guess_loss, task.least_loss)


def claim_of(chosen: Chosen) -> Claim | None:
    """What textbooks claim of the setting in which A and B differ, if they claim anything of these two values."""
    if chosen.change is None:
        return None
    field, a, b = chosen.change.field, chosen.a, chosen.b
    values = (getattr(a, field), getattr(b, field))
    worse: dict[str, Any] = {
        "scale": False,
        "mask": False,
        "residual": False,
        "mlp": False,
        "position": "none",
        "warmup": 0,
    }
    if field in worse and worse[field] in values:
        deep_post_norm = a.norm == "post" and a.layers >= 6
        if (field == "warmup" and not deep_post_norm) or (field == "residual" and a.layers < 4):
            return None
        return Claim(field, SIDES[values.index(worse[field])])
    if field == "norm_kind" and set(values) == {"layer", "batch"}:
        return Claim("batch norm", SIDES[values.index("batch")])
    if field == "norm" and "none" in values:
        return Claim("norm", SIDES[values.index("none")])
    if field == "norm" and set(values) == {"pre", "post"} and a.layers >= 6:
        return Claim("post-norm", SIDES[values.index("post")])
    return None


def _outcomes(chosen: Chosen, run: Run) -> tuple[Outcome, Outcome]:
    a, b = (_outcome(what, run, name) for name, what in zip(SIDES, chosen.names, strict=True))
    return a, b


def _outcome(what: str, run: Run, name: str) -> Outcome:
    learner = run.pair.learners[SIDES.index(name)]
    measured, *others = ([m for frame in seed if (m := side(frame, name))] for seed in by_seed(run.frames))
    last = measured[-1]
    writes = run.rests and learner.settings.task == "markov" and last.step > 0 and not learner.diverged
    return Outcome(
        what,
        last.step,
        last.held_out_loss,
        last.accuracy,
        learner.diverged.place if learner.diverged else "",
        legal_share(learner) if writes else None,
        tuple(m[-1].accuracy for m in others),
        role_of(measured),
    )


def by_seed(frames: Sequence[Frame]) -> list[list[Frame]]:
    """The frames of each seed, the first of them those of the settings."""
    return [[(frame, *frame.others)[number] for frame in frames] for number in range(1 + len(frames[0].others))]


def role_of(measured: Sequence[Measurement]) -> AnswerHead | None:
    """The first head that has taken up its role, to find the answer; None: none has."""
    for each in measured:
        if each.on_answer.max() >= ROLE:
            layer, head = np.unravel_index(each.on_answer.argmax(), each.on_answer.shape)
            return AnswerHead(int(layer), int(head), each.step)
    return None


def side(frame: Frame, name: str) -> Measurement | None:
    """The measurement of A or of B."""
    return frame.a if name == "A" else frame.b


def _view(chosen: Chosen, run: Run, rests: bool) -> canvas.TrainingView:
    task = chosen.a.live_task
    ids, targets = (rows[0].tolist() for rows in task.held_out())
    shown = [truncate(named(word)) for word in task.tokenizer.vocabulary]
    sides = [
        canvas.TrainedSide(
            what,
            learner.settings.layers,
            learner.settings.heads,
            part_names(learner.settings.layers),
            learner.diverged.place if learner.diverged else "",
        )
        for what, learner in zip(chosen.names, run.pair.learners, strict=True)
    ]
    least = [canvas.Level(task.least_loss, "entropy of the language")] if task.least_loss else []
    best = [canvas.Level(task.best_accuracy, "best possible")] if task.best_accuracy < 1 else []
    return canvas.TrainingView(
        run=run.name,
        a=sides[0],
        b=sides[1],
        tokens=[shown[i] for i in ids],
        targets=["" if i == IGNORED else shown[i] for i in targets],
        vocabulary=shown,
        steps=chosen.a.steps,
        frames=[json.loads(text) for _, text in run.messages(-1)],
        kept=run.pair.kept_steps if rests else (),
        rests=rests,
        ended=rests and run.pair.ended,
        note=run.note,
        loss_levels=[canvas.Level(task.guess_loss, "guessing"), *least],
        accuracy_levels=[canvas.Level(task.guess_accuracy, "guessing"), *best],
        role=ROLE,
    )


def table(frames: list[Frame], first_seed: int) -> Table:
    """One line for each measured step; a number that a model does not have any more is NaN."""
    columns: dict[str, list[float]] = {}
    seeds = by_seed(frames)
    for name in SIDES:
        measured = [side(frame, name) for frame in frames]
        columns |= {
            f"learning rate, {name}": [m.rate if m else np.nan for m in measured],
            f"training loss, {name}": [m.loss if m else np.nan for m in measured],
            f"held-out loss, {name}": [m.held_out_loss if m else np.nan for m in measured],
            f"held-out accuracy, {name}": [m.accuracy if m else np.nan for m in measured],
            f"gradient norm, {name}": [float(np.linalg.norm(m.gradient)) if m else np.nan for m in measured],
            f"weight on the answer, {name}": [float(m.on_answer.max()) if m else np.nan for m in measured],
        }
        for number, seed in enumerate(seeds[1:], first_seed + 1):
            also = [side(frame, name) for frame in seed]
            columns |= {
                f"held-out loss, {name}, seed {number}": [m.held_out_loss if m else np.nan for m in also],
                f"held-out accuracy, {name}, seed {number}": [m.accuracy if m else np.nan for m in also],
            }
    return {"step": [frame.step for frame in frames], **columns}


def arrays(frames: list[Frame], chosen: Chosen) -> dict[str, NamedArray]:
    """Losses and accuracies (N,), gradients (N, L + 2), residual streams (N, L + 1) and weights (N, L, H, T, T).

    With S seeds also the losses and accuracies of all of them (S, N).
    """
    steps = [frame.step for frame in frames]
    named_arrays = {}
    for name, settings in zip(SIDES, (chosen.a, chosen.b), strict=True):
        measured = [side(frame, name) for frame in frames]
        axes: dict[str, dict[str, Sequence[Any]]] = {
            "gradient": {f"part_{name}": part_names(settings.layers)},
            "residual": {f"after_{name}": ("embedding", *part_names(settings.layers)[1:-1])},
            "weights": {
                f"layer_{name}": range(settings.layers),
                f"head_{name}": range(settings.heads),
                "query": range(settings.live_task.tokens),
                "key": range(settings.live_task.tokens),
            },
            "on_answer": {f"layer_{name}": range(settings.layers), f"head_{name}": range(settings.heads)},
            "loss": {},
            "held_out_loss": {},
            "accuracy": {},
            "rate": {},
        }
        for field, labels in axes.items():
            values = stacked(measured, field, tuple(map(len, labels.values())))
            named_arrays[f"{name}_{field}"] = NamedArray(values, {"step": steps, **labels})
        if chosen.seeds > 1:
            axes_of_seeds = {"seed": range(chosen.a.seed, chosen.a.seed + chosen.seeds), "step": steps}
            for field, plural in (("held_out_loss", "held_out_losses"), ("accuracy", "accuracies")):
                every = [stacked([side(frame, name) for frame in seed], field, ()) for seed in by_seed(frames)]
                named_arrays[f"{name}_{plural}"] = NamedArray(np.stack(every), axes_of_seeds)
    return named_arrays


def stacked(measured: list[Measurement | None], field: str, shape: tuple[int, ...]) -> Array:
    """One field of all measurements (N, …); NaN where there is none."""
    return np.stack([np.full(shape, np.nan) if m is None else np.asarray(getattr(m, field)) for m in measured])


def _python(chosen: Chosen, step: int) -> str:
    fields = ("loss", "held_out_loss", "accuracy", "rate", "gradient", "residual", "weights", "on_answer")
    a, b = copy_as_python.code_of(chosen.a), copy_as_python.code_of(chosen.b)
    seeds = f", seeds={chosen.seeds}" if chosen.seeds > 1 else ""
    body = [f"pair = LivePair({a}, {b}{seeds})", f"pair.advance_to({step})"]
    for name in SIDES:
        body += [f"{name}_{field} = pair.curve({name.lower()!r}, {field!r})  # (N, …)" for field in fields]
        if chosen.seeds > 1:
            for field, plural in (("held_out_loss", "held_out_losses"), ("accuracy", "accuracies")):
                every = ", ".join(f"pair.curve({name.lower()!r}, {field!r}, {n})" for n in range(chosen.seeds))
                body.append(f"{name}_{plural} = np.stack([{every}])  # (S, N)")
    return copy_as_python.python(
        "\n".join(body),
        ("import numpy as np\n\n" if chosen.seeds > 1 else "")
        + "from model.training.live.pair import LivePair\nfrom model.training.live.settings import LiveSettings",
    )
