"""One folder for the scripts of all figures, so that a browser fetches and compiles each module once.

Streamlit serves every component from a folder of its own, and two figures that import the same module would load it
twice. An import map (HTML standard, 8.1.5) in the head of the page sends all of them to one folder. A browser that
knows no import maps loads the modules as before.
"""

import json
import re
from functools import cache
from pathlib import Path

MANIFEST = Path(__file__).parents[1] / "canvas/pyproject.toml"
FOLDER = "./_stcore/bidi-components/attention-lab."
SHARED = "share"  # the component whose folder is used: it is on every page


@cache
def import_map() -> str:
    """The import map as JSON: the folder of every other component → the shared one."""
    others = (name for name in component_names() if name != SHARED)
    return json.dumps({"imports": {f"{FOLDER}{name}/": f"{FOLDER}{SHARED}/" for name in others}}, separators=(",", ":"))


@cache
def component_names() -> tuple[str, ...]:
    """Every component of the lab, from the manifest that Streamlit reads."""
    return tuple(re.findall(r'^name = "(\w+)"', MANIFEST.read_text(encoding="utf-8"), re.MULTILINE))
