"""`attention-lab run`: the lab's own server, from any folder, with the settings that belong to the lab.

Streamlit reads settings from the folder in which it is started and from a home folder. Those of the lab stand in
`.streamlit/config.toml`; the wheel holds the same file. They are handed over as environment variables, which Streamlit
ranks above every file and below an option on the command line. So a person's own variable or option still decides.
"""

import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from streamlit.web import cli

ROOT = Path(__file__).parents[2]  # of the repository, or of the installed packages
APP = ROOT / "app.py"
SETTINGS = (ROOT / ".streamlit" / "config.toml", ROOT / "attention_lab" / "settings" / "config.toml")
LESSONS = "--lessons"  # an option of the lab; all others are Streamlit's


def settings() -> dict[str, Any]:
    """The settings of the lab by their full names: "server.address" → "127.0.0.1"."""
    file = next(path for path in SETTINGS if path.is_file())
    return dict(_flat(tomllib.loads(file.read_text(encoding="utf-8"))))


def _flat(settings_tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings_tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield above + name, value


def variable(setting: str) -> str:
    """The environment variable of a setting: "server.showEmailPrompt" → "STREAMLIT_SERVER_SHOW_EMAIL_PROMPT"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", setting).replace(".", "_")
    return f"STREAMLIT_{words.upper()}"


def hand_over(settings_given: Mapping[str, Any], environment: MutableMapping[str, str]) -> None:
    """Put the settings into an environment; a variable that is set already stays."""
    for name, value in settings_given.items():
        environment.setdefault(variable(name), _spelled(value))


def _spelled(value: Any) -> str:
    """A setting as Streamlit reads it from the environment: the items of a list stand apart by blanks."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def command(options: Sequence[str]) -> list[str]:
    """The command line of Streamlit for the options of `attention-lab run`.

    options: Streamlit's, with a "--" before them or without, then maybe "--" and those of the lab; `--lessons FOLDER`
    may also stand among the first.
    """
    rest = list(options[1:] if options[:1] == ["--"] else options)
    end = rest.index("--") if "--" in rest else len(rest)
    streamlit, lab = rest[:end], rest[end + 1 :]
    kept = []
    while streamlit:
        word = streamlit.pop(0)
        if word == LESSONS or word.startswith(f"{LESSONS}="):
            lab += [word, *streamlit[:1]] if word == LESSONS else [word]
            streamlit = streamlit[1:] if word == LESSONS else streamlit
        else:
            kept.append(word)
    return ["streamlit", "run", str(APP), *kept, *(["--", *lab] if lab else [])]


def start(options: Sequence[str]) -> int:
    """Serve the lab until it is stopped. Returns the exit status."""
    hand_over(settings(), os.environ)
    sys.argv = command(options)
    return int(cli.main(standalone_mode=False) or 0)
