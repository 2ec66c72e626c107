"""The method of decoding and its settings, as one value."""

from dataclasses import asdict, dataclass, replace
from typing import TypedDict


class DecodingOptions(TypedDict, total=False):
    """The fields of `Decoding` as keywords, except `seed`, which is a separate parameter."""

    method: str
    temperature: float
    top_k: int
    top_p: float
    width: int
    alpha: float


@dataclass(frozen=True)
class Decoding:
    """A method of decoding and its settings. A method ignores the settings that it does not use."""

    method: str = "greedy"  # "greedy", "sample" or "beam"
    temperature: float = 1.0  # sample: the logits are divided by it
    top_k: int = 0  # sample: how many of the most likely tokens are kept; 0 keeps all
    top_p: float = 1.0  # sample: the smallest set of tokens with this probability is kept
    seed: int = 0  # sample
    width: int = 4  # beam: how many hypotheses are followed
    alpha: float = 0.0  # beam: strength of the length penalty

    @property
    def used(self) -> dict[str, str | float]:
        """The settings that this method uses, and the method itself; empty for "greedy", which is the default."""
        names = {
            "greedy": (),
            "sample": ("method", "temperature", "top_k", "top_p", "seed"),
            "beam": ("method", "width", "alpha"),
        }.get(self.method, ("method",))
        return {name: value for name, value in asdict(self).items() if name in names}


def choose(decoding: Decoding | str | None, seed: int | None, options: DecodingOptions) -> Decoding:
    """A `Decoding` from a `Decoding` or the name of a method, with a seed and other fields replaced."""
    start = Decoding(decoding) if isinstance(decoding, str) else decoding or Decoding()
    return replace(start if seed is None else replace(start, seed=seed), **options)
