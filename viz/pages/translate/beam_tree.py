"""The tree of a beam: what it kept at each step, and the best of what it dropped."""

from functools import partial

from model.generation.beam_tree import BeamTree, beam_tree
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
    beam = decoded.translation.beam
    tree = beam_tree(beam, DROPPED)
    vocabulary = model_calls.tokenizer(decoded.experiment.weights).vocabulary
    words = [vocabulary[index] for index in tree.id]
    drawn = canvas.beam_tree(_steps(tree, words), key="tree", step=step, theme=theme)
    greedy = compute.translation(decoded.experiment)
    figure_panel.below(
        drawn,
        sentence=describe_beam_tree(
            beam.width,
            sum(tree.kept),
            len(tree.kept) - sum(tree.kept),
            sum(beam.best.logprobs),
            sum(greedy.logprobs),
            greedy.text == decoded.translation.text,
        ),
        table=partial(_tree_table, tree, words),
        file=file_name(decoded.name, "tree"),
        of=decoded.experiment,
        python=copy_as_python.translated(
            decoded.experiment,
            decoded.decoding,
            f"tree = beam_tree(translation.beam, dropped={DROPPED})  # every branch that is drawn, step by step\n"
            "ln_p, branch, after_branch = tree.total, tree.number, tree.parent",
            "from model.generation.beam_tree import beam_tree",
        ),
    )


def _steps(tree: BeamTree, words: list[str]) -> list[list[Branch]]:
    """The branches as they are drawn, step by step."""
    steps: list[list[Branch]] = [[] for _ in range(max(tree.step))]
    columns = zip(tree.step, tree.parent, words, tree.total, tree.kept, tree.ended, tree.best, strict=True)
    for step, parent, word, total, kept, ended, best in columns:
        steps[step - 1].append(Branch(parent or 0, word, total, format_ln(total), kept, ended, best))
    return steps


def _tree_table(tree: BeamTree, words: list[str]) -> Table:
    return {
        "step": list(tree.step),
        "word": words,
        "branch": list(tree.number),
        "after branch": list(tree.parent),
        "ln p": list(tree.total),
        "kept": list(tree.kept),
        "ends": list(tree.ended),
        "on the way to the best": list(tree.best),
    }
