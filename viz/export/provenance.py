"""Where a figure comes from: what it takes to make it again, carried by every file that leaves the lab."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version

NAME = "Attention Lab"


@cache
def version_of_lab() -> str:
    """The version of the lab; "unreleased" where it runs from a folder that was never installed."""
    try:
        return version("attention-lab")
    except PackageNotFoundError:
        return "unreleased"


JSON_KEYS = {"subject": "shows", "notice": "says"}  # in files that the lab has written since its first version


@dataclass(frozen=True)
class Provenance:
    """One figure's origin. A file shows `subject`, such as the head, and `notice`, such as a part that is missing."""

    figure: str  # its key on the page
    version: str
    weights: str = ""  # "": no trained weights are in it
    seed: int | None = None  # of their training, from the card
    file: str = ""  # of uploaded arrays
    text: str = ""
    switches: Mapping[str, bool] = field(default_factory=dict)  # part → there or removed now
    heads_off: tuple[str, ...] = ()  # "L1H2"
    trained_without: tuple[str, ...] = ()
    mask: str = ""  # "": the model's own
    overwritten: str = ""
    subject: str = ""
    notice: str = ""

    def to_json(self, link: str = "") -> dict[str, object]:
        """As JSON takes it, with the link that opens the figure again."""
        kept = {
            JSON_KEYS.get(name, name): value for name, value in asdict(self).items() if value not in ("", None, (), {})
        }
        return {"software": NAME, "link": link, **kept} if link else {"software": NAME, **kept}


def footer(info: Mapping[str, object]) -> str:
    """The origin in one line, for the foot of a picture; `frontend/page/picture.js` writes the same one."""
    parts = [f"{info['software']} {info['version']}"]
    if "weights" in info:
        parts.append(f"{info['weights']}" + (f", seed {info['seed']}" if "seed" in info else ""))
    return "  ·  ".join([*parts, *(str(info[name]) for name in ("file", "says", "link") if info.get(name))])
