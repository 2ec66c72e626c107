"""What keeping every stage costs on GPT-2-small's shape: ours, `transformers` and TransformerLens.

    python tests/bench/recording_rivals.py [repeats]

Sets up an environment of its own in the temporary folder, with torch 2.13.0 and transformer-lens from PyPI, and
measures in it: see recording_rivals_run.py. Nothing is installed where this is run.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = Path(tempfile.gettempdir()) / "attention-lab-bench" / "recording"


def prepare() -> Path:
    """The Python of that environment; what is there is kept."""
    python = CACHE / "bin" / "python"
    if not (CACHE / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", CACHE], check=True)
        for package in ("torch==2.13.0", "transformer-lens"):  # torch first: else the other one chooses its own
            subprocess.run([python, "-m", "pip", "install", "-q", package], check=True)
        (CACHE / "ready").touch()
    return python


if __name__ == "__main__":
    away = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "PYTHONPATH": str(ROOT)}
    script = Path(__file__).with_name("recording_rivals_run.py")
    sys.exit(subprocess.run([prepare(), script, *sys.argv[1:]], env={**os.environ, **away}, check=False).returncode)
