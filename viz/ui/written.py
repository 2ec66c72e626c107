"""The main figures of Translate: the sentence as it is written, a beam's tree, and one map large with its gold."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from model.run import Experiment
from model.tasks import Pair
from model.tasks.pair import SETTLED
from model.translate import Translation
from model.written import Hits, agreed, best_path, hits, likeliest, looks, one_map, outlines, said_words, together
from viz import head_grid
from viz.export import Labelled, Table, file_name
from viz.head_grid import Branch, Panel
from viz.theme import Theme
from viz.translating import read_hits, read_map, read_tree, read_written
from viz.ui import pairs, panel, recompute, runs, translate
from viz.ui.pairs import Decoding

Array = np.ndarray[Any, Any]

CANDIDATES = 5
DROPPED = 3  # branches of a step that a tree shows beside those it kept


@dataclass(frozen=True)
class Written:
    """A translation with what is known of it."""

    experiment: Experiment
    how: Decoding
    made: Translation
    source: tuple[str, ...]  # S words as typed, the marks included
    maps: dict[str, Array]  # "cross", "source", "target" → (L, H, T, S)
    gold: Pair | None
    upto: int  # rows that are those of the right sentence

    @property
    def said(self) -> tuple[str, ...]:
        """N words, the end mark last where the sentence was ended."""
        return self.made.tokens

    @property
    def before(self) -> tuple[str, ...]:
        """What each of them could look back at: the start mark and the words before it."""
        return ("<s>", *said_words(self.made))[: len(self.said)]

    def weights(self, which: str, layer: int, head: int | None) -> Array:
        """One map: (N, S), (S, S) or (N, N)."""
        found = one_map(self.maps[which], layer, head)
        size = len(self.said)
        return {"cross": found[:size], "source": found, "target": found[:size, :size]}[which]

    @property
    def name(self) -> str:
        """For file names."""
        told = (value if name == "method" else f"{value:g}" for name, value in self.how.told.items())
        return "-".join([self.experiment.name, *told])


def written(experiment: Experiment, how: Decoding) -> Written:
    """What is written for the experiment's source."""
    made = pairs.translation(experiment, how)
    right = pairs.gold_of(experiment)
    upto = min(agreed(made.tokens, right.target) + 1, len(made.tokens)) if right else 0
    return Written(experiment, how, made, pairs.source(experiment).typed, looks(made.trace), right, upto)


# The sentence as it grows


def show(one: Written, layer: int, head: int | None, step: int, pinned: bool, shares: bool, theme: Theme) -> None:
    """Source and translation, step by step."""
    trace = one.made.trace
    size = len(one.said)
    words, odds = likeliest(one.experiment.weights, trace.decoder.logits[:size], CANDIDATES)
    seen: dict[str, Array] = {name: one.weights(name, layer, head) for name in ("cross", "target") if name in one.maps}
    vector = None if "cross" in one.maps else trace.encoder.vector  # type: ignore[union-attr]
    right: list[Sequence[int]] = [()] * size
    for link in one.gold.links if one.gold else ():
        if link.query < one.upto and link.name != SETTLED:
            right[link.query] = link.keys
    head_grid.decoding(
        one.source,
        one.said,
        key="writing",
        about=f"{one.experiment} {one.how}",
        step=step,
        pinned=pinned,
        telling=telling(one, layer, head),
        candidates=words,
        odds=odds,
        cross=seen.get("cross"),
        back=seen.get("target"),
        vector=vector,
        gold=right,
        looks=named(layer, head),
        unknown=runs.encoding(one.experiment).unknown,
        shares=shares,
        theme=theme,
        on_step=translate.choose_step,
    )
    lines = [
        f"logits = made.trace.decoder.logits[:{size}]  # (N, V)",
        f"words, odds = likeliest({one.experiment.weights!r}, logits, {CANDIDATES})  # (N, K)",
    ]
    cut = {"cross": f"[:{size}]", "target": f"[:{size}, :{size}]"}
    for name in seen:
        lines.append(f'{_as(name)} = one_map(looks(made.trace)["{name}"], {layer}, {head}){cut[name]}')
    if vector is not None:
        lines.append("vector = made.trace.encoder.vector  # (C,)")
    panel.below(
        "writing",
        sentence=read_written(one.made.text, one.gold.target_text if one.gold else None, sum(one.made.logprobs)),
        table=partial(step_table, one, words, odds, seen),
        file=file_name(one.name, "writing"),
        of=one.experiment,
        arrays=partial(_arrays, one, odds, seen, vector),
        python=recompute.translated(one.experiment, one.how, "\n".join(lines)),
    )


def telling(one: Written, layer: int, head: int | None) -> int:
    """The row that tells most: a strong look far across, and right where gold is known."""
    if "cross" not in one.maps:
        return len(one.said) - 1
    weights = one.weights("cross", layer, head)
    T, S = weights.shape
    across = np.abs(np.arange(T)[:, None] + 1 - np.arange(S)[None])  # (T, S)
    tells = np.nan_to_num(weights) * np.log2(1 + across)
    tells[:, [0, -1]] = 0  # the marks
    right = outlines(one.gold, one.upto) if one.gold else []
    if right:
        looked = np.zeros_like(tells)
        looked[tuple(np.transpose(right))] = 1
        tells = tells * looked
    return int(np.unravel_index(int(tells.argmax()), tells.shape)[0])


def lit_row(one: Written, layer: int, head: int | None) -> int:
    """The row to light: of the word that was chosen, or the most telling one."""
    return translate.step_chosen(len(one.said), telling(one, layer, head) + 1) - 1


def _as(name: str) -> str:
    return {"cross": "looks_at", "target": "looks_back"}[name]


def named(layer: int, head: int | None) -> str:
    """Whose weights are drawn."""
    return f"layer {layer}, " + ("mean of the heads" if head is None else f"head {head}")


def step_table(one: Written, words: Sequence[Sequence[str]], odds: Array, seen: dict[str, Array]) -> Table:
    """One line a word said: how likely it was, where it looked, and what else could have come."""
    size = len(one.said)
    table: dict[str, Any] = {"step": list(range(1, size + 1)), "says": list(one.said)}
    table["probability"] = [float(np.exp(value)) for value in one.made.logprobs]
    for name, side in (("cross", one.source), ("target", one.before)):
        if name in seen:
            best = seen[name].argmax(axis=1)
            verb = "looks most at" if name == "cross" else "looks back most at"
            table[verb] = [f"{at} {side[at]}" for at in best]
            table[f"{verb}: weight"] = seen[name].max(axis=1)
    for nth in range(odds.shape[1]):
        table[f"candidate {nth + 1}"] = [row[nth] for row in words]
        table[f"p {nth + 1}"] = odds[:, nth]
    return table


def _arrays(one: Written, odds: Array, seen: dict[str, Array], vector: Array | None) -> dict[str, Labelled]:
    says = [f"{at} {word}" for at, word in enumerate(one.said, 1)]
    arrays = {"odds": Labelled(odds, {"says": says, "candidate": range(1, odds.shape[1] + 1)})}
    if "cross" in seen:
        arrays["looks_at"] = Labelled(seen["cross"], {"says": says, "source": one.source})
    if "target" in seen:
        arrays["looks_back"] = Labelled(seen["target"], {"says": says, "said_before": one.before})
    if vector is not None:
        arrays["vector"] = Labelled(vector, {"number": range(len(vector))})
    return arrays


# The tree of a beam


def show_tree(one: Written, step: int, theme: Theme) -> None:
    """What the beam kept and dropped."""
    branches = _branches(one)
    head_grid.tree(branches, key="tree", step=step, theme=theme)
    flat = [branch for row in branches for branch in row]
    greedy = pairs.translation(one.experiment)
    best = one.made.beam.best
    panel.below(
        "tree",
        sentence=read_tree(
            one.made.beam.width,
            sum(branch.kept for branch in flat),
            sum(not branch.kept for branch in flat),
            sum(best.logprobs),
            sum(greedy.logprobs),
            greedy.text == one.made.text,
        ),
        table=partial(_tree_table, branches),
        file=file_name(one.name, "tree"),
        of=one.experiment,
        python=recompute.translated(
            one.experiment,
            one.how,
            "ln_p = []  # of every branch that is drawn, step by step\n"
            "for candidates in made.beam.steps:\n"
            "    dropped = [one for one in candidates if not one.followed]\n"
            f"    drawn = [one for one in candidates if one.followed or one in dropped[:{DROPPED}]]\n"
            "    ln_p += [one.total for one in drawn]",
        ),
    )


def _branches(one: Written) -> list[list[Branch]]:
    vocabulary = runs.tokenizer(one.experiment.weights).vocabulary
    path = best_path(one.made.beam)
    rows = []
    for step, candidates in enumerate(one.made.beam.steps):
        followed = [candidate for candidate in candidates if candidate.followed]
        dropped = [candidate for candidate in candidates if not candidate.followed][:DROPPED]
        chosen = followed[path[step]] if step < len(path) else None
        rows.append(
            [
                Branch(each.parent, vocabulary[each.id], each.total, each.followed, each.ended, each is chosen)
                for each in candidates
                if each.followed or any(each is other for other in dropped)
            ]
        )
    return rows


def _tree_table(branches: Sequence[Sequence[Branch]]) -> Table:
    flat = [(step, branch) for step, row in enumerate(branches, 1) for branch in row]
    return {
        "step": [step for step, _ in flat],
        "word": [branch.word for _, branch in flat],
        "ln p": [branch.total for _, branch in flat],
        "kept": [branch.kept for _, branch in flat],
        "ends": [branch.ended for _, branch in flat],
        "on the way to the best": [branch.best for _, branch in flat],
    }


# One map large


def show_map(
    one: Written, which: str, layer: int, head: int | None, row: int | None, pinned: bool, theme: Theme
) -> None:
    """A map of one head, or of the mean, with the gold alignment outlined where it is known."""
    weights = one.weights(which, layer, head)
    looking = {"cross": one.said, "source": one.source, "target": one.said}[which]
    looked = {"cross": one.source, "source": one.source, "target": one.before}[which]
    mask = np.tri(len(looking), dtype=bool) if which == "target" and _is_causal(one.experiment) else None
    marks = outlines(one.gold, one.upto) if which == "cross" and one.gold else []
    row = None if which == "source" or row is None else min(row, len(looking) - 1)
    head_grid.panels(
        [Panel("", weights, mask=mask, marks=marks)],
        looking,
        looked,
        key="alignment",
        theme=theme,
        row=row,
        pinned=pinned,
        on_pin=translate.choose_row if which != "source" else None,
    )
    size = len(one.said)
    cut = {"cross": f"[:{size}]", "source": "", "target": f"[:{size}, :{size}]"}[which]
    said = read_map(weights, looking, looked, len(looking) // 2 if row is None else row, saying=which != "source")
    panel.below(
        "alignment",
        sentence=said,
        table=partial(_map_table, weights, looking, looked),
        file=file_name(one.name, f"{which}-L{layer}{'' if head is None else f'H{head}'}"),
        of=one.experiment,
        arrays=lambda: {"weights": Labelled(weights, {"looks": _numbered(looking), "looked_at": _numbered(looked)})},
        python=recompute.translated(
            one.experiment, one.how, f'weights = one_map(looks(made.trace)["{which}"], {layer}, {head}){cut}  # (T, S)'
        ),
    )


def _is_causal(experiment: Experiment) -> bool:
    return (experiment.switches & runs.trained(experiment.weights)).mask


def _numbered(words: Sequence[str]) -> list[str]:
    return [f"{at} {word}" for at, word in enumerate(words)]


def _map_table(weights: Array, looking: Sequence[str], looked: Sequence[str]) -> Table:
    columns = {f"{at} {word}": weights[:, at] for at, word in enumerate(looked)}
    return {"looks": _numbered(looking), **columns}


def show_hits(one: Written, layer: int, head: int | None) -> None:
    """How often a look hits the gold word, by class of word: here, and on the fresh sentences of the card."""
    told = runs.about(one.experiment.weights).get("alignment", {})
    here = hits(one.weights("cross", layer, head), one.gold, one.upto) if one.gold else {}
    column = -1 if head is None else head
    rows = []
    for name in sorted(told, key=lambda name: (name == SETTLED, -told[name]["n"])):
        score = told[name]
        found = here.get(name)
        rows.append(
            (
                name,
                f"{found.top1} of {found.n}" if found else "",
                f"{100 * score['top1'][layer][column]:.0f} %",
                f"{score['mass'][layer][column]:.2f}",
                f"{score['n']:,}",
            )
        )
    settled = here.get(SETTLED, Hits(0, 0, 0.0))
    all_of_them = together(here)
    if here:
        st.markdown(read_hits(all_of_them.n, all_of_them.top1, all_of_them.mass, (settled.n, settled.top1)))
    elif told:
        st.markdown("No gold for this source: outlines come with sentences that the generator could have drawn.")
    st.html(translate.small_table(("class of the word said", "hits here", "on fresh ones", "weight there", "of"), rows))
    st.caption(
        f"{named(layer, head).capitalize()}. A hit: the largest weight of a row lies on a word that gold names. "
        f"Fresh: sentences that nothing was learnt from, the right words told before each. “{SETTLED.capitalize()}”: "
        "nothing has to be looked up there, and the look falls where it may."
    )
