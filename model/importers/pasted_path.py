"""Pasted locations of models: a path in quotes, a file: address, an address of the hub."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

QUOTES = ('""', "''", "“”", "‘’", "„“", "«»", "``")
# An address of the hub: the name of the model, and then a page of it.
HUB = re.compile(r"(?:https?:/{2})?(?:www\.)?(?:huggingface\.co|hf\.co)/([^?#]*)(?:[?#].*)?", re.IGNORECASE)
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:/{2}", re.IGNORECASE)
NOT_MODELS = ("datasets", "spaces", "docs", "papers", "collections", "blog")


def unquoted(text: str) -> str:
    """The text without outer spaces and quotes."""
    text = text.strip()
    while len(text) > 1 and text[0] + text[-1] in QUOTES:
        text = text[1:-1].strip()
    return text


def as_path(text: str) -> str:
    """The intended path. A path that exists as it was typed is not changed."""
    if _exists(text):
        return text
    path = unquoted(text)
    if path.lower().startswith("file:"):
        try:
            path = unquote(urlsplit(path).path)
        except ValueError:  # brackets in place of a host
            return path
    if not _exists(path) and "\\ " in path:  # a space as a shell writes it
        path = path.replace("\\ ", " ")
    return path


def hub_name(text: str) -> str:
    """The name of the model in an address of the hub; any other text without its quotes."""
    text = unquoted(text)
    match = HUB.fullmatch(text)
    parts = [part for part in match[1].split("/") if part] if match else []
    return "/".join(parts[:2]) if parts and parts[0] not in NOT_MODELS else text


def is_address(text: str) -> bool:
    """Whether this is a web address."""
    text = unquoted(text)
    return bool(HUB.fullmatch(text) or (ADDRESS.match(text) and not text.lower().startswith("file:")))


def _exists(text: str) -> bool:
    try:
        return Path(text).expanduser().exists()
    except (OSError, RuntimeError, ValueError):  # not a path; no such user; too long
        return False
