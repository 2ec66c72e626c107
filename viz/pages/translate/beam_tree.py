"""The tree of a beam: what it kept at each step, and the best of what it dropped."""

from collections.abc import Sequence
from functools import partial

from model.analysis.alignment import best_path
from viz import canvas
from viz.canvas import Branch
from viz.captions.translate import describe_beam_tree, format_ln
from viz.export.tables import Table, file_name
from viz.pages.translate import compute
from viz.pages.translate.decoded import DecodedSentence
from viz.theme import Theme
from viz.ui import copy_as_python, figure_panel, model_calls

DROPPED = 3  # branches of a step that a tree shows beside those it kept


def show(decoded: DecodedSentence, step: int, theme: Theme) -> None:
    """What the beam kept and dropped."""
    branches = _branches(decoded)
    drawn = canvas.beam_tree(branches, key="tree", step=step, theme=theme)
    flat = [branch for row in branches for branch in row]
    greedy = compute.translation(decoded.experiment)
    best = decoded.translation.beam.best
    figure_panel.below(
        drawn,
        sentence=describe_beam_tree(
            decoded.translation.beam.width,
            sum(branch.kept for branch in flat),
            sum(not branch.kept for branch in flat),
            sum(best.logprobs),
            sum(greedy.logprobs),
            greedy.text == decoded.translation.text,
        ),
        table=partial(_tree_table, branches),
        file=file_name(decoded.name, "tree"),
        of=decoded.experiment,
        python=copy_as_python.translated(
            decoded.experiment,
            decoded.decoding,
            "ln_p, branch, after_branch = [], [], []  # of every branch that is drawn, step by step\n"
            "for step, candidates in enumerate(made.beam.steps):\n"
            "    dropped = [one for one in candidates if not one.kept]\n"
            f"    drawn = [one for one in candidates if one.kept or one in dropped[:{DROPPED}]]\n"
            "    kept = iter(range(len(drawn)))\n"
            "    ln_p += [one.total for one in drawn]\n"
            "    branch += [next(kept) if one.kept else None for one in drawn]\n"
            "    after_branch += [one.parent if step else None for one in drawn]",
        ),
    )


def _branches(decoded: DecodedSentence) -> list[list[Branch]]:
    vocabulary = model_calls.tokenizer(decoded.experiment.weights).vocabulary
    path = best_path(decoded.translation.beam)
    rows = []
    for step, candidates in enumerate(decoded.translation.beam.steps):
        followed = [candidate for candidate in candidates if candidate.kept]
        dropped = [candidate for candidate in candidates if not candidate.kept][:DROPPED]
        chosen = followed[path[step]] if step < len(path) else None
        rows.append(
            [
                Branch(
                    each.parent,
                    vocabulary[each.id],
                    each.total,
                    format_ln(each.total),
                    each.kept,
                    each.ended,
                    each is chosen,
                )
                for each in candidates
                if each.kept or any(each is other for other in dropped)
            ]
        )
    return rows


def _numbers(row: Sequence[Branch]) -> list[int | None]:
    """The number of each branch among those that its step kept, which the next step goes on from; None: dropped."""
    kept = iter(range(len(row)))
    return [next(kept) if branch.kept else None for branch in row]


def _tree_table(branches: Sequence[Sequence[Branch]]) -> Table:
    flat = [(step, branch) for step, row in enumerate(branches, 1) for branch in row]
    return {
        "step": [step for step, _ in flat],
        "word": [branch.word for _, branch in flat],
        "branch": [number for row in branches for number in _numbers(row)],
        "after branch": [branch.parent if step > 1 else None for step, branch in flat],
        "ln p": [branch.total for _, branch in flat],
        "kept": [branch.kept for _, branch in flat],
        "ends": [branch.ended for _, branch in flat],
        "on the way to the best": [branch.best for _, branch in flat],
    }
