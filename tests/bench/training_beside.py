"""How long a flip of a switch on another page takes while two trainings go on, against the same flip alone.

python tests/bench/training_beside.py
"""

import asyncio
import statistics
import sys
import tempfile
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from protocol import Visitor, alone, arrive
from served import ROOT, serve

ROUNDS = 8  # of flips alone and flips beside trainings, in turn, so that the load of the machine is the same for both
FLIPS = 10  # of a round
THINK = 0.2  # seconds between two flips
# The lab, and an address that begins or ends two trainings, which nobody has to watch.
SCRIPT = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from viz.server import errors, start, streams

def begin(request):
    from model.training.live.settings import LiveSettings
    from viz.pages.training import runs
    from viz.ui import background
    background.WATCHED = runs.SECONDS = 1e9
    for _ in range(2):
        settings = LiveSettings(layers=6, steps=1000)
        runs.RUNS.start(settings, settings.changed("residual", False)).play()
    return PlainTextResponse("begun")

def end(request):
    from viz.pages.training import runs
    for run in tuple(runs.RUNS._runs.values()):
        run.pause()
        run.wait(60)
        runs.RUNS.forget(run.name)
    return PlainTextResponse("ended")

def state(request):
    from viz.pages.training import runs
    return PlainTextResponse(" ".join(str(run.pair.step) for run in runs.RUNS._runs.values() if not run.rests))

app = st.App(
    {str(ROOT / "viz/app/contents.py")!r},
    routes=[Route("/begin", begin), Route("/end", end), Route("/state", state), *streams.routes()],
    middleware=start.middleware(),
    lifespan=start.lifespan,
    on_script_error=errors.on_script_error,
)
"""


def get(address: str) -> str:
    """The text at an address."""
    with urllib.request.urlopen(address, timeout=60) as answer:
        return str(answer.read().decode())


async def flips(visitor: Visitor) -> list[float]:
    """Seconds of each flip of a round."""
    seconds = []
    for _ in range(FLIPS):
        await asyncio.sleep(THINK)
        seconds.append(await visitor.flip())
    return seconds


def main() -> None:
    """Print the medians and the 95th percentiles, and their ratios."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "app.py"
        script.write_text(SCRIPT, encoding="utf-8")
        with serve(script) as address:

            async def visit() -> None:
                visitor = await arrive(address)
                await flips(visitor)  # the first are slow
                quiet, busy = [], []
                for number in range(ROUNDS):
                    quiet += await flips(visitor)
                    await asyncio.to_thread(get, f"{address}/begin")
                    busy += await flips(visitor)
                    steps = await asyncio.to_thread(get, f"{address}/state")
                    await asyncio.to_thread(get, f"{address}/end")
                    print(f"round {number + 1}: the two trainings made {steps} steps meanwhile", flush=True)
                await visitor.leave()
                for name, part in (("median", 50), ("95th percentile", 95)):
                    quiet_s, busy_s = (statistics.quantiles(seconds, n=100)[part - 1] for seconds in (quiet, busy))
                    ratio = busy_s / quiet_s
                    print(f"{name} of a flip: {1000 * quiet_s:.0f} ms alone, {1000 * busy_s:.0f} ms, ratio {ratio:.2f}")

            alone(visit())


if __name__ == "__main__":
    main()
