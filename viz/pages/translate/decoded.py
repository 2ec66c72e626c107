"""What was written for a source, and what is known of it: the record that the figures of Translate share."""

from dataclasses import dataclass

import numpy as np

from model.analysis.alignment import attention_maps, generated_map, gold_cells, matching_prefix, target_words
from model.generation.decoding import Decoding
from model.generation.translate import Translation
from model.model_card import SUBWORDS
from model.run import Experiment
from model.tasks import Pair
from viz.pages.translate import compute, views
from viz.types import Array
from viz.ui import model_calls


@dataclass(frozen=True)
class DecodedSentence:
    """A translation with what is known of it."""

    experiment: Experiment
    decoding: Decoding
    translation: Translation
    source: tuple[str, ...]  # S words as typed, the marks included
    maps: dict[str, Array]  # "cross", "source", "target" → (L, H, T, S)
    gold: Pair | None
    n_gold: int  # rows that are those of the right sentence
    is_subword: bool  # whether a token is a part of a word

    @property
    def unit(self) -> str:
        """What its sentences are made of: a "word", a "symbol" or a "character"."""
        return compute.unit(self.experiment.weights)

    @property
    def each(self) -> str:
        """What one of its tokens is called: a "token" of a word, or the unit itself."""
        return "token" if self.is_subword else self.unit

    @property
    def target(self) -> tuple[str, ...]:
        """N words, the end mark last where the sentence was ended."""
        return self.translation.tokens

    @property
    def before(self) -> tuple[str, ...]:
        """What each of them could look back at: the start mark and the words before it."""
        return ("<s>", *target_words(self.translation))[: len(self.target)]

    def weights(self, which: str, layer: int, head: int | None) -> Array:
        """One map: (N, S), (S, S) or (N, N)."""
        return generated_map(self.translation, which, layer, head)

    @property
    def name(self) -> str:
        """For file names."""
        settings = (value if isinstance(value, str) else f"{value:g}" for value in self.decoding.used.values())
        return "-".join([self.experiment.name, *settings])


def decode(experiment: Experiment, how: Decoding) -> DecodedSentence:
    """What is written for the experiment's source."""
    translation = compute.translation(experiment, how)
    right = compute.gold_of(experiment)
    pieces = model_calls.about(experiment.weights).tokenizer == SUBWORDS
    words = 0 if pieces or not right else matching_prefix(translation.tokens, right.target) + 1  # gold is of words
    n_gold = min(words, len(translation.tokens))
    source = compute.source(experiment).surface
    return DecodedSentence(
        experiment, how, translation, source, attention_maps(translation.trace), right, n_gold, pieces
    )


def most_informative_step(decoded: DecodedSentence, layer: int, head: int | None) -> int:
    """The row to begin with: a large weight far from the diagonal, and a correct one where the alignment is known."""
    if "cross" not in decoded.maps:
        return len(decoded.target) - 1
    weights = decoded.weights("cross", layer, head)
    T, S = weights.shape
    across = np.abs(np.arange(T)[:, None] + 1 - np.arange(S)[None])  # (T, S)
    information = np.nan_to_num(weights) * np.log2(1 + across)
    information[:, [0, -1]] = 0  # the marks
    information[1:][-1:] = 0  # nor does the end of the sentence
    right = gold_cells(decoded.gold, decoded.n_gold) if decoded.gold else []
    if right:
        is_gold = np.zeros_like(information)
        is_gold[tuple(np.transpose(right))] = 1
        information = information * is_gold
    return int(np.unravel_index(int(information.argmax()), information.shape)[0])


def highlighted_row(decoded: DecodedSentence, layer: int, head: int | None) -> int:
    """The row to light: of the word that was chosen, or the most telling one."""
    return views.selected_step(len(decoded.target), most_informative_step(decoded, layer, head) + 1) - 1


def head_label(layer: int, head: int | None, maps: Array) -> str:
    """Which of the maps (L, H, T, S) is drawn."""
    if maps.shape[:2] == (1, 1):
        return "its one map"
    return f"layer {layer}, " + ("mean of the heads" if head is None else f"head {head}")
