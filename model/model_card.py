"""A model card: the architecture of the weights, their training and the measurements. Cards are checked here, once.

A card is a JSON file beside the weights. `parse_card` turns it into a frozen record; pages and computations read the
record. `ModelCard.json` is the content of the file, for code that needs an entry that has no field.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.config import ModelConfig, lookup
from model.encoder_decoder import EncoderDecoder
from model.recurrent import Recurrent, RecurrentConfig
from model.switches import Switches
from model.transformer import Transformer

JsonObject = dict[str, Any]  # a JSON object as the library `json` reads and writes it
JsonMapping = Mapping[str, Any]  # the same, read-only

AnyNetwork = Transformer | EncoderDecoder | Recurrent

# The kind that a card names → config and class of the model. A card that names no kind has the first one.
ARCHITECTURES: dict[str, tuple[type[ModelConfig] | type[RecurrentConfig], Callable[[Any], AnyNetwork]]] = {
    "transformer": (ModelConfig, Transformer),
    "encoder-decoder": (ModelConfig, EncoderDecoder),
    "recurrent": (RecurrentConfig, Recurrent),
}
WORDS = "words"  # the tokens are words, and the card lists them
CHARACTERS = "characters"  # the tokens are characters, and the card lists them
SUBWORDS = "sub-words"  # the tokens are subwords, which are stored in a separate file


class CheckpointError(ValueError):
    """There are no such weights, or the files on disk cannot be used. The message is one sentence."""


@dataclass(frozen=True, eq=False)
class RelationScores:
    """How well each head attends to the gold keys of one relation."""

    n: int  # rows that were measured
    mass: NDArray[np.float64]  # (L, H)  mean weight on the gold keys
    top1: NDArray[np.float64]  # (L, H)  share of rows whose largest weight is on a gold key


@dataclass(frozen=True)
class CurvePoint:
    """A model at one step of its training, on held-out sentences."""

    step: int
    loss: float
    accuracy: Mapping[str, float]  # probe → accuracy


@dataclass(frozen=True)
class LanguageSeed:
    """One trained seed of a language model. `curve` is empty and `loss` is None if the card does not have them."""

    seed: int
    loss: float | None
    curve: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class LanguageCard:
    """The measurements of a language model."""

    sentences: int  # held-out sentences of the evaluation
    probes: tuple[str, ...]  # names of the probes that were measured
    relations: Mapping[str, RelationScores]
    curve: tuple[CurvePoint, ...]
    seeds: tuple[LanguageSeed, ...]

    def learning_curves(self, question: str = "") -> NDArray[np.float64]:
        """The loss, or the accuracy at the probe `question`, at every snapshot of the training, (R, N).

        R counts the seeds: all that have a curve, otherwise the shipped one.
        """
        curves = [seed.curve for seed in self.seeds if seed.curve] or [self.curve]
        return np.array([[point.accuracy[question] if question else point.loss for point in curve] for curve in curves])


@dataclass(frozen=True)
class Seq2SeqSeed:
    """One trained seed of a sequence-to-sequence model."""

    seed: int
    exact: float
    lengths: Mapping[int, float]  # words of the source → exact match


@dataclass(frozen=True)
class Seq2SeqCard:
    """The measurements of a sequence-to-sequence model."""

    examined: int  # held-out pairs
    exact: float  # exact match: share of pairs without any wrong word
    alignment: Mapping[str, RelationScores]  # (L, H + 1): the last column is the mean of the heads
    lengths: Mapping[int, float]  # empty if it was not measured by length
    pairs_per_length: int
    seeds: tuple[Seq2SeqSeed, ...]


@dataclass(frozen=True)
class FirstDigitSeed:
    """One trained seed of a first-digit model."""

    seed: int
    accuracy: Mapping[int, float | None]  # symbols of the question → accuracy; None: the position table is too short


@dataclass(frozen=True)
class FirstDigitCard:
    """The measurements of a first-digit model, which predicts the first digit of a question."""

    examined: int  # questions of each length
    accuracy: Mapping[int, float | None]
    seeds: tuple[FirstDigitSeed, ...]


@dataclass(frozen=True)
class CoreferenceSeed:
    """One trained seed of a coreference model."""

    seed: int
    relations: Mapping[str, RelationScores]


@dataclass(frozen=True)
class CoreferenceCard:
    """The measurements of a coreference model, which predicts the noun that "it" refers to."""

    examined: int
    accuracy: float
    relations: Mapping[str, RelationScores]
    seeds: tuple[CoreferenceSeed, ...]


@dataclass(frozen=True)
class ExternalSource:
    """The origin of an external model."""

    family: str
    folder: str
    parameters: int


Measured = LanguageCard | Seq2SeqCard | FirstDigitCard | CoreferenceCard


@dataclass(frozen=True)
class ModelCard:
    """The model card of one set of weights."""

    name: str = ""
    task: str = ""
    architecture: str = "transformer"  # a key of ARCHITECTURES
    config: ModelConfig | RecurrentConfig | None = None  # None: a model of which only attention maps can be drawn
    tokenizer: str = WORDS  # WORDS, CHARACTERS or SUBWORDS
    words: tuple[str, ...] = ()  # the vocabulary without the special tokens; empty for SUBWORDS
    seed: int | None = None  # of the training
    measured: Measured | None = None
    source: ExternalSource | None = None  # None: the lab's own weights
    json: JsonMapping = field(default_factory=dict, compare=False, repr=False)  # the content of the file

    @property
    def splits_words(self) -> bool:
        """Whether a token can be a part of a word."""
        return self.tokenizer != WORDS

    @property
    def context(self) -> int:
        """The longest text seen in training, in tokens. Raises CheckpointError if the config is not known."""
        if self.config is None:
            raise CheckpointError(f'The model "{self.name}" can only show attention maps.')
        return self.config.context

    @property
    def alignment(self) -> Mapping[str, RelationScores]:
        """How often the attention of a sequence-to-sequence model hits the gold words; empty if it was not measured."""
        return self.measured.alignment if isinstance(self.measured, Seq2SeqCard) else {}

    @property
    def model_config(self) -> ModelConfig:
        """The config of a Transformer. Raises CheckpointError for any other network."""
        if not isinstance(self.config, ModelConfig):
            raise CheckpointError(f'"{self.name}" is no Transformer of the lab.')
        return self.config

    @property
    def language(self) -> LanguageCard:
        """The measurements of a language model. Raises CheckpointError if the card has none."""
        if not isinstance(self.measured, LanguageCard):
            raise CheckpointError(f'The card of "{self.name}" holds no evaluation of a language model.')
        return self.measured

    @property
    def seq2seq(self) -> Seq2SeqCard:
        """The measurements of a sequence-to-sequence model. Raises CheckpointError if the card has none."""
        if not isinstance(self.measured, Seq2SeqCard):
            raise CheckpointError(f'The card of "{self.name}" holds no evaluation of a sequence-to-sequence model.')
        return self.measured

    @property
    def first_digit(self) -> FirstDigitCard:
        """The measurements of a first-digit model. Raises CheckpointError if the card has none."""
        if not isinstance(self.measured, FirstDigitCard):
            raise CheckpointError(f'The card of "{self.name}" holds no accuracy by length of the question.')
        return self.measured

    @property
    def coreference(self) -> CoreferenceCard:
        """The measurements of a coreference model. Raises CheckpointError if the card has none."""
        if not isinstance(self.measured, CoreferenceCard):
            raise CheckpointError(f'The card of "{self.name}" holds no evaluation of coreference.')
        return self.measured


def parse_card(name: str, json: object) -> ModelCard:
    """The record of the card `json` of the weights `name`.

    Raises:
        CheckpointError: it does not describe a model. The message is one sentence, which names the card.
    """
    if not isinstance(json, Mapping) or not isinstance(json.get("task", ""), str):
        raise CheckpointError(f'The card of "{name}" does not describe a model: it names no task.')
    try:
        return _card(name, json)
    except KeyError as error:
        reason = f"it has no entry {error}"
    except (AttributeError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
    raise CheckpointError(f'The card of "{name}" does not describe a model: {reason}.')


def parse_measurements(name: str, json: JsonMapping) -> Measured | None:
    """The measurements of the card `json` of the weights `name`; None if it has none.

    Raises:
        CheckpointError: they cannot be read. The message is one sentence, which names the card.
    """
    try:
        return _measured(json)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(f'The measurements of "{name}" cannot be read: {reason}.') from error


def _card(name: str, json: JsonMapping) -> ModelCard:
    kind, tokenizer = json.get("kind", "transformer"), json.get("tokenizer", WORDS)
    if tokenizer not in (WORDS, CHARACTERS, SUBWORDS):
        raise ValueError(f"there is no tokenizer {tokenizer!r}")
    source = None
    if "folder" in json:
        source = ExternalSource(str(json["family"]), str(json["folder"]), int(json["parameters"]))
    maps_only = source is not None and json["config"] is None
    seed = json.get("seed")
    return ModelCard(
        name=name,
        task=json.get("task", ""),
        architecture=kind,
        config=None if maps_only else parse_config(kind, json["config"]),
        tokenizer=tokenizer,
        words=() if tokenizer == SUBWORDS else _words(json["words"]),
        seed=None if seed is None else int(seed),
        measured=_measured(json),
        source=source,
        json=json,
    )


def parse_config(kind: str, json: JsonMapping) -> ModelConfig | RecurrentConfig:
    """The config `json` of a model of this kind.

    Raises:
        ValueError, TypeError, KeyError: there is no such kind, or an entry is missing, unknown or of the wrong type.
    """
    make_config, _ = lookup(ARCHITECTURES, "kind", kind)
    choices = dict(json)
    if make_config is ModelConfig:
        choices["trained"] = Switches.from_json(choices["trained"])
    return make_config(**choices)


def _words(json: Any) -> tuple[str, ...]:
    if not isinstance(json, list | tuple) or not all(isinstance(word, str) for word in json):
        raise ValueError("words must be a list of words")
    return tuple(json)


def _measured(json: JsonMapping) -> Measured | None:
    """The measurements of a card, by the entries that it has; None if it has none of them."""
    seeds = json.get("seeds", ())
    if "exam" in json:
        exam = json["exam"]
        return LanguageCard(
            sentences=int(exam["sentences"]),
            probes=tuple(exam.get("accuracy", ())),
            relations=_relations(exam["relations"]),
            curve=_curve(json.get("curve", ())),
            seeds=tuple(LanguageSeed(int(s["seed"]), s.get("loss"), _curve(s.get("curve", ()))) for s in seeds),
        )
    if "exact" in json:
        return Seq2SeqCard(
            examined=int(json["examined"]),
            exact=float(json["exact"]),
            alignment=_relations(json["alignment"]),
            lengths=_by_length(json.get("lengths", {})),
            pairs_per_length=int(json["recipe"]["of_each"]),
            seeds=tuple(
                Seq2SeqSeed(int(s["seed"]), float(s["exact"]), _by_length(s.get("lengths", {}))) for s in seeds
            ),
        )
    if "relations" in json:
        return CoreferenceCard(
            examined=int(json["examined"]),
            accuracy=float(json["accuracy"]),
            relations=_relations(json["relations"]),
            seeds=tuple(CoreferenceSeed(int(s["seed"]), _relations(s["relations"])) for s in seeds),
        )
    if "accuracy" in json:
        return FirstDigitCard(
            examined=int(json["examined"]),
            accuracy=_optional_by_length(json["accuracy"]),
            seeds=tuple(FirstDigitSeed(int(s["seed"]), _optional_by_length(s["accuracy"])) for s in seeds),
        )
    return None


def _relations(json: JsonMapping) -> dict[str, RelationScores]:
    return {
        name: RelationScores(int(score["n"]), _map(score["mass"]), _map(score["top1"])) for name, score in json.items()
    }


def _map(json: Any) -> NDArray[np.float64]:
    values = np.array(json, dtype=np.float64)  # (L, H)
    values.setflags(write=False)
    return values


def _curve(json: Any) -> tuple[CurvePoint, ...]:
    return tuple(CurvePoint(int(point["step"]), float(point["loss"]), dict(point["accuracy"])) for point in json)


def _by_length(json: JsonMapping) -> dict[int, float]:
    return {int(length): float(share) for length, share in json.items()}


def _optional_by_length(json: JsonMapping) -> dict[int, float | None]:
    return {int(length): None if share is None else float(share) for length, share in json.items()}
