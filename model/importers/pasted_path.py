"""Where a model lies, as people paste it: a path in quotes, a file: address of a browser, an address of the hub."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

QUOTES = ('""', "''", "“”", "‘’", "„“", "«»", "``")
# An address of the hub: the model's name comes first, then whatever page of it was open.
HUB = re.compile(r"(?:https?:/{2})?(?:www\.)?(?:huggingface\.co|hf\.co)/([^?#]*)(?:[?#].*)?", re.IGNORECASE)
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:/{2}", re.IGNORECASE)
NOT_MODELS = ("datasets", "spaces", "docs", "papers", "collections", "blog")


def unquoted(told: str) -> str:
    """Without blanks and quotes around it."""
    told = told.strip()
    while len(told) > 1 and told[0] + told[-1] in QUOTES:
        told = told[1:-1].strip()
    return told


def as_path(told: str) -> str:
    """The path that was meant. What is there as it was typed stays as it is."""
    if _exists(told):
        return told
    path = unquoted(told)
    if path.lower().startswith("file:"):
        try:
            path = unquote(urlsplit(path).path)
        except ValueError:  # brackets where a host would be
            return path
    if not _exists(path) and "\\ " in path:  # a blank as a shell writes it
        path = path.replace("\\ ", " ")
    return path


def hub_name(told: str) -> str:
    """The model's name in an address of the hub; anything else without its quotes."""
    told = unquoted(told)
    found = HUB.fullmatch(told)
    parts = [part for part in found[1].split("/") if part] if found else []
    return "/".join(parts[:2]) if parts and parts[0] not in NOT_MODELS else told


def is_address(told: str) -> bool:
    """Whether this is an address of the web, the hub's or another."""
    told = unquoted(told)
    return bool(HUB.fullmatch(told) or (ADDRESS.match(told) and not told.lower().startswith("file:")))


def _exists(told: str) -> bool:
    try:
        return Path(told).expanduser().exists()
    except (OSError, RuntimeError, ValueError):  # no path at all; no such person; too long
        return False
