"""All heads: our figure for notebooks against BertViz's model view, CircuitsVis' attention patterns and inspectus.

    python tests/bench/rivals.py [updates]

Each shows the same random causal weights as the output of one notebook cell, alone in a page, in Chromium, one after
the other. The others are installed from PyPI into an environment of their own in the temporary folder (torch and numpy
are lent to it); what BertViz loads from a CDN is served from npm packages of the same version (jQuery 2.1.0 for 2.0.0,
which npm does not have). MB: the output. Drawn: from opening the page to the last change on it that is painted. Update:
the cell is run again with other weights, its output replaced. CPU: what all processes of the browser worked for it,
which a busy machine changes little. A case that takes longer than 90 s is stopped. BertViz draws a line for a weight,
CircuitsVis a picture for each head; inspectus draws sums over heads and one large map, not every head.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from sysconfig import get_path
from typing import Any

sys.path.insert(1, str(Path(__file__).parents[1] / "support"))

import numpy as np
from playwright.sync_api import CDPSession, Error, Page, Route
from served import browse

from viz import attention_figure

SIZES = ((6, 8, 32), (12, 12, 64), (12, 12, 128))
LIMIT = 90  # seconds
QUIET = 1.5  # seconds without a change: it is drawn
KINDS = ("ours", "bertviz", "circuitsvis", "inspectus")
CACHE = Path(tempfile.gettempdir()) / "attention-lab-bench"
PACKAGES = {  # an address on the CDN → npm package, file in it
    "require.js/2.3.6/require.min.js": ("requirejs@2.3.6", "package/require.js"),
    "d3/5.7.0/d3.min.js": ("d3@5.7.0", "package/dist/d3.min.js"),
    "jquery/2.0.0/jquery.min.js": ("jquery@2.1.0", "package/dist/jquery.min.js"),
}
THEIRS = """
import sys
import numpy as np, torch
import IPython.display

kind, weights, out = sys.argv[1:]
weights = np.load(weights)
tokens = [f"w{at}" for at in range(weights.shape[-1])]
if kind == "bertviz":
    from bertviz import model_view
    made = model_view([torch.tensor(layer)[None] for layer in weights], tokens, html_action="return").data
elif kind == "circuitsvis":
    from circuitsvis.attention import attention_patterns
    made = attention_patterns(tokens, weights.reshape(-1, *weights.shape[2:])).local_src
else:
    shown = []
    IPython.display.display = lambda html: shown.append(html.data)
    import inspectus
    inspectus.attention(weights, tokens)
    made = "".join(shown)
open(out, "w", encoding="utf-8").write(made)
"""
# How many marks of a finished drawing a document holds.
MARKS = {
    "ours": "() => document.querySelector('#figure')?.shadowRoot?.querySelector('.panels')"
    "?.shadowRoot.querySelectorAll('.lab[data-drawn]').length ?? 0",
    "bertviz": "() => document.querySelectorAll('svg line').length",
    "circuitsvis": "() => document.querySelectorAll('canvas, img').length",
    "inspectus": "() => document.querySelectorAll('#out canvas, #out svg').length",
}
WATCH = """
window.last = 0; // when something last changed or was painted, or a long task ended
const now = () => performance.timeOrigin + performance.now();
let waiting = false;
const noted = () => {
  window.last = now();
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => setTimeout(() => { waiting = false; window.last = now(); }));
};
const seen = new MutationObserver(noted);
const watch = (root) => seen.observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
watch(document);
const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (how) {
  const root = attach.call(this, how);
  watch(root);
  return root;
};
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) {
    window.last = Math.max(window.last, performance.timeOrigin + startTime + duration);
  }
}).observe({ type: "longtask", buffered: true });
window.run = () => {
  setTimeout(() => window.again(window.other));
  return now();
};
// As a notebook shows the output of a cell that runs again.
window.again = (html) => {
  const out = document.getElementById("out");
  out.innerHTML = html;
  for (const old of out.querySelectorAll("script")) {
    const script = document.createElement("script");
    for (const { name, value } of old.attributes) script.setAttribute(name, value);
    script.textContent = old.textContent;
    old.replaceWith(script);
  }
};
"""


def prepare() -> Path:
    """The Python of the others' environment; what is there is kept."""
    home = CACHE / "rivals"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        pip = [python, "-m", "pip", "install", "-q"]
        subprocess.run([*pip, "ipython", "importlib-metadata"], check=True)
        subprocess.run([*pip, "--no-deps", "bertviz", "circuitsvis", "inspectus"], check=True)
        for package, file in PACKAGES.values():
            packed = subprocess.run(
                ["npm", "pack", "-s", package], cwd=home, check=True, capture_output=True, text=True
            )
            with tarfile.open(home / packed.stdout.split()[-1]) as archive:
                script = archive.extractfile(file)
                assert script is not None, f"{file} of {package} is no file"
                (home / package).write_bytes(script.read())
        (home / "ready").touch()
    (site,) = home.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(get_path("purelib"))  # it may be another checkout that asks
    return python


def make(kind: str, size: tuple[int, int, int], seed: int, folder: Path, python: Path) -> Path:
    """The output of one cell, as a file."""
    layers, heads, n = size
    weights = np.random.default_rng(seed).gamma(0.2, size=(layers, heads, n, n)).astype(np.float32)
    weights *= np.tri(n, dtype=np.float32)
    weights /= np.maximum(weights.sum(axis=-1, keepdims=True), 1e-9)
    out = folder / f"{kind}-{seed}.html"
    if kind == "ours":
        out.write_text(attention_figure(weights, [f"w{index}" for index in range(n)])._repr_html_(), encoding="utf-8")
    else:
        np.save(folder / "weights.npy", weights)
        subprocess.run([python, "-c", THEIRS, kind, folder / "weights.npy", out], check=True, capture_output=True)
    return out


def wait(page: Page, kind: str, start: float) -> float:
    """Seconds from `start`, in milliseconds of the clock, until the drawing is there and nothing changes any more."""
    give_up = time.monotonic() + LIMIT
    while time.monotonic() < give_up:
        page.wait_for_timeout(200)
        try:
            events = [
                frame.evaluate("() => [window.last, performance.timeOrigin + performance.now()]")
                for frame in page.frames
            ]
            marks = sum(frame.evaluate(MARKS[kind]) for frame in page.frames)
        except Error:
            continue  # a frame went while it was asked
        last = max(last for last, _ in events)
        if marks and last > start and max(now for _, now in events) - last > QUIET * 1000:
            return (last - start) / 1000
    raise TimeoutError


def case(kind: str, folder: Path, updates: int) -> None:
    """Open the page, run its cell again; one line of JSON, seconds and CPU seconds, for each time."""
    files = [(folder / f"{kind}-{seed}.html").read_text(encoding="utf-8") for seed in (0, 1)]
    page_of = '<!doctype html><html><head><meta charset="utf-8"></head><body><div id="out">{}</div></body></html>'
    (folder / "index.html").write_text(page_of.format(files[0]), encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    with browse() as browser:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_init_script(WATCH)
        context.set_default_timeout(LIMIT * 1000)
        context.route(lambda url: not url.startswith((address, "data:", "blob:", "about:")), lent)
        page = context.new_page()
        devtools = browser.new_browser_cdp_session()
        before = worked(devtools)
        page.goto(f"{address}/index.html", wait_until="commit")
        took = wait(page, kind, page.evaluate("() => performance.timeOrigin"))
        print(json.dumps([took, worked(devtools) - before]), flush=True)
        for turn in range(updates):
            page.evaluate(
                "async (file) => { window.other = await (await fetch(file)).text(); }", f"/{kind}-{1 - turn % 2}.html"
            )
            page.wait_for_timeout(500)
            before = worked(devtools)
            took = wait(page, kind, page.evaluate("() => window.run()"))
            print(json.dumps([took, worked(devtools) - before]), flush=True)
        browser.close()
    server.shutdown()


def worked(devtools: CDPSession) -> float:
    """CPU seconds of the whole browser so far."""
    processes = devtools.send("SystemInfo.getProcessInfo")["processInfo"]
    return sum(float(process["cpuTime"]) for process in processes)


class Silent(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


def lent(route: Route) -> None:
    """What a page asks of a CDN comes from the npm package; anything else is not there."""
    for address, (package, _) in PACKAGES.items():
        if route.request.url.endswith(address):
            return route.fulfill(path=CACHE / "rivals" / package, content_type="text/javascript")
    return route.abort()


def measure(kind: str, folder: Path, updates: int) -> list[list[float]]:
    """The times of one case, run in a process of its own, so that a page that never answers can be stopped."""
    command = [sys.executable, __file__, "--case", kind, str(folder), str(updates)]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )
    timer = threading.Timer(2 * LIMIT + 30, os.killpg, (child.pid, signal.SIGKILL))
    timer.start()
    assert child.stdout is not None
    times = [json.loads(line) for line in child.stdout]
    child.wait()
    timer.cancel()
    return times


def spelt(times: list[list[float]]) -> str:
    """Medians of seconds and of CPU seconds."""
    if not times or statistics.median(took for took, _ in times) > LIMIT:
        return f"{f'> {LIMIT}':>11}{'':9}"
    return "".join(
        f"{statistics.median(column):{wide}.2f}" for column, wide in zip(zip(*times, strict=True), (11, 9), strict=True)
    )


def main(updates: int) -> None:
    """Every rival at every size; the table is printed as it grows."""
    python = prepare()
    print(f"{'maps':12}{'':13}{'MB':>8}{'drawn, s':>11}{'CPU, s':>9}{'update, s':>11}{'CPU, s':>9}")
    for size in SIZES:
        label = "×".join(map(str, size))
        for kind in KINDS:
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place)
                files = [make(kind, size, seed, folder, python) for seed in (0, 1)]
                megabytes = files[0].stat().st_size / 1e6
                times = measure(kind, folder, updates)
            print(f"{label:12}{kind:13}{megabytes:8.1f}{spelt(times[:1])}{spelt(times[1:])}", flush=True)
            label = ""


if __name__ == "__main__":
    if sys.argv[1:2] == ["--case"]:
        case(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
