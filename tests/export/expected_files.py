"""What the files of a figure must hold, read from the model itself: nothing here calls what makes the files.

A reading is a function of `Seen`, entered under the key of its figure. `tests/export/test_files.py` asks that every
figure of `tests/support/every.py` has one.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import every
import numpy as np
from screen import component

from model import Experiment, Switches, run
from model.run import encode
from model.switches import PARTS
from viz.ui.controls import EXAMPLE, PROSE

NAMES = {"<s>": "⟨start⟩", "</s>": "⟨end⟩", "<unk>": "⟨unknown⟩", " ": "␣"}
REFERENT = "the cat near the box did not cross the street because it was too tired ."


@dataclass(frozen=True)
class Reading:
    """table: name of a column → its cells, in the order of the file; arrays: name → (name of an axis → labels, values),
    or None where the columns of the table are the arrays."""

    table: Mapping[str, Any]
    arrays: Mapping[str, tuple[Mapping[str, Any], Any]] | None = None


@dataclass(frozen=True)
class Seen:
    """A page at rest, and one of its figures."""

    page: str
    state: tuple[tuple[str, str], ...]
    key: str

    @property
    def screen(self) -> Any:
        return every.opened(self.page, self.state)

    def control(self, name: str, otherwise: Any = None) -> Any:
        try:
            return self.screen.session_state[name]
        except KeyError:
            return otherwise

    def header(self, key: str) -> dict[str, Any]:
        return component(self.screen, key)[0]

    @property
    def file(self) -> str:
        return self.header(f"save_{self.key}")["file"]

    @property
    def npz(self) -> dict[str, Any]:
        with np.load(io.BytesIO(every.files(self.page, self.state, "npz")[self.key].file)) as held:
            return dict(held)

    @property
    def python(self) -> dict[str, Any]:
        """What the copied lines leave behind, such as `made`, a translation."""
        namespace: dict[str, Any] = {}
        exec(self.header(f"save_{self.key}")["python"], namespace)
        return namespace

    @property
    def experiment(self) -> Experiment:
        """Of a model of one text: what the controls say."""
        weights = self.control("weights", "grammar")
        off = [part.name for part in PARTS if not self.control(part.name, True)]
        text = self.control("text") or (PROSE if weights == "stories" else EXAMPLE)
        return Experiment(weights=weights, text=text, switches=Switches().without(*off))

    @property
    def head(self) -> tuple[int, int]:
        return int(self.control("layer")), int(self.control("head"))


READINGS: dict[str, Callable[[Seen], Reading]] = {}


def reads(*keys: str) -> Callable[[Callable[[Seen], Reading]], Callable[[Seen], Reading]]:
    """Enter a reading under the keys of the figures that it reads."""

    def enter(reading: Callable[[Seen], Reading]) -> Callable[[Seen], Reading]:
        READINGS.update(dict.fromkeys(keys, reading))
        return reading

    return enter


def named(words: Any) -> list[str]:
    """Words as files name them."""
    return [NAMES.get(word, word) if word != " " else word for word in words]


def counted(words: Any, first: int = 0) -> list[str]:
    """Words as the keys of a table: each with its position."""
    return [f"{first + index} {NAMES.get(word, word)}" for index, word in enumerate(words)]


def softmax(scores: Any, mask: Any = True) -> Any:
    """Of each row of scores (…, S), over the keys that the mask allows."""
    shown = np.where(mask, np.asarray(scores, dtype=np.float64), -np.inf)
    exponentials = np.exp(shown - shown.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def map_of(values: Any, query_tokens: Any, key_tokens: Any) -> dict[str, Any]:
    """A map (T, S) as a table: a line for each row, a column for each key."""
    return {"query": query_tokens} | {name: [row[s] for row in values] for s, name in enumerate(key_tokens)}


def words_and_weights(seen: Seen) -> tuple[list[str], list[Any]]:
    """The words of the page, and the weights of every layer (H, T, S): of words where the page shows words."""
    experiment = seen.experiment
    encoding = encode(experiment)
    layers = [layer.attention.weights for layer in run(experiment).layers]
    if seen.control("units") != "words":
        return list(encoding.surface), layers
    return list(encoding.words), [merged(weights, encoding.word_ids) for weights in layers]


def merged(weights: Any, row_of: Any, column_of: Any = None) -> Any:
    """Weights (H, T, S) of pieces as those of words: the mean over a word's rows of the sum over a word's columns."""
    rows, columns = np.array(row_of), np.array(row_of if column_of is None else column_of)
    return np.stack(
        [
            [
                [head[rows == w][:, columns == v].sum(axis=1).mean() for v in range(columns.max() + 1)]
                for w in range(rows.max() + 1)
            ]
            for head in weights
        ]
    )
