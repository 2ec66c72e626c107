"""Where a model lies, as people paste it: a path in quotes, a file: address of a browser, an address of the hub."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

QUOTES = ('""', "''", "“”", "‘’", "„“", "«»", "``")
# An address of the hub: the model's name comes first, then whatever page of it was open.
HUB = re.compile(r"(?:https?:/{2})?(?:www\.)?(?:huggingface\.co|hf\.co)/([^?#]*)(?:[?#].*)?", re.IGNORECASE)
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:/{2}", re.IGNORECASE)
NOT_MODELS = ("datasets", "spaces", "docs", "papers", "collections", "blog")


def unquoted(text: str) -> str:
    """Without blanks and quotes around it."""
    text = text.strip()
    while len(text) > 1 and text[0] + text[-1] in QUOTES:
        text = text[1:-1].strip()
    return text


def as_path(text: str) -> str:
    """The path that was meant. What is there as it was typed stays as it is."""
    if _exists(text):
        return text
    path = unquoted(text)
    if path.lower().startswith("file:"):
        try:
            path = unquote(urlsplit(path).path)
        except ValueError:  # brackets where a host would be
            return path
    if not _exists(path) and "\\ " in path:  # a blank as a shell writes it
        path = path.replace("\\ ", " ")
    return path


def hub_name(text: str) -> str:
    """The model's name in an address of the hub; anything else without its quotes."""
    text = unquoted(text)
    match = HUB.fullmatch(text)
    parts = [part for part in match[1].split("/") if part] if match else []
    return "/".join(parts[:2]) if parts and parts[0] not in NOT_MODELS else text


def is_address(text: str) -> bool:
    """Whether this is an address of the web, the hub's or another."""
    text = unquoted(text)
    return bool(HUB.fullmatch(text) or (ADDRESS.match(text) and not text.lower().startswith("file:")))


def _exists(text: str) -> bool:
    try:
        return Path(text).expanduser().exists()
    except (OSError, RuntimeError, ValueError):  # no path at all; no such person; too long
        return False
