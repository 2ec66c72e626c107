"""Big shapes: a file of weights dropped on “Your model”, and the same weights as a page of their own, in Chromium.

    python tests/bench/big.py [tokens …]

12 layers × 12 heads. Drawn: from handing over the file to every figure drawn and the server at rest. Hover: from moving
the pointer over the grid to the frame that shows it, all figures following, median of 40. Head: from a click on a head
to its large map. Saved: from a click in the menu to the file. Held: the longest time that the browser's main thread was
busy without a pause. CPU: what that thread worked in all, which a busy machine changes little. MB: what came over the
websocket; of the page, its size.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1] / "support"))

import numpy as np
from playwright.sync_api import CDPSession, Page
from served import PATIENCE, browse, saved, serve, wait_for_picture, wait_for_rest

from viz import attention_figure

LAYERS = HEADS = 12
SAVED = (("grid", "SVG"), ("grid", "PNG 2×"), ("enlarged", "SVG"), ("grid", "HTML"), ("grid", "CSV"), ("grid", "NPZ"))
BLOCKS = """
window.blocks = [];
new PerformanceObserver((list) => window.blocks.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: "longtask" });
window.inFrame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
"""


def weights(tokens: int) -> np.ndarray:
    """Random causal maps (L, H, T, T), NaN ahead."""
    maps = np.random.default_rng(0).gamma(0.15, size=(LAYERS, HEADS, tokens, tokens)).astype(np.float32)
    maps[..., ~np.tril(np.ones((tokens, tokens), dtype=bool))] = np.nan
    maps /= np.nansum(maps, axis=-1, keepdims=True)
    return maps


@dataclass(frozen=True)
class Took:
    """What something took: seconds, and milliseconds of the browser's main thread."""

    seconds: float
    held: float
    cpu: float


def timed(page: Page, do: Callable[[], object]) -> Took:
    """Do it and say what it took."""
    page.evaluate("() => { window.blocks.length = 0; }")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    before, start = _worked(devtools), time.perf_counter()
    do()
    seconds = time.perf_counter() - start
    page.wait_for_timeout(100)  # a long task is reported when it is over
    cpu = (_worked(devtools) - before) * 1e3
    devtools.detach()
    return Took(seconds, float(page.evaluate("() => Math.max(0, ...window.blocks)")), cpu)


def _worked(devtools: CDPSession) -> float:
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return next(float(metric["value"]) for metric in metrics if metric["name"] == "TaskDuration")


MOVES = 40


def hovered(page: Page, grid: str) -> Took:
    """A move of the pointer over the maps: the median time, the longest block, the mean work."""
    box = page.locator(grid).bounding_box()
    assert box is not None
    times = []

    def move() -> None:
        for index in range(MOVES):
            x, y = box["x"] + 45 + 3 * index, box["y"] + 12 + (37 * index) % min(box["height"] - 20, 400)
            start = time.perf_counter()
            page.mouse.move(x, y)
            page.evaluate("() => window.inFrame()")
            times.append(time.perf_counter() - start)

    took = timed(page, move)
    return Took(statistics.median(times), took.held, took.cpu / MOVES)


def line(name: str, took: Took, more: str = "") -> None:
    print(f"  {name:24}{took.seconds:10.3f}{took.held:10.0f}{took.cpu:10.0f}{more:>12}", flush=True)


def in_the_lab(page: Page, address: str, file: Path) -> None:
    """The file on the page of the lab."""
    came = [0]
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: came.append(len(frame))))
    page.goto(f"{address}/your-model")
    page.get_by_test_id("stFileUploader").wait_for(timeout=PATIENCE)
    wait_for_rest(page)
    before = sum(came)

    def drop() -> None:
        page.locator(".st-key-npz input[type=file]").set_input_files(file)
        wait_for_picture(page)

    line("dropped, drawn", timed(page, drop), f"{(sum(came) - before) / 1e6:.1f} MB")
    line("hover", hovered(page, ".st-key-grid .lab"))

    def choose() -> None:
        drawn = page.locator(".st-key-enlarged .lab").get_attribute("data-drawn")
        page.locator(".st-key-grid .head").nth(77).click()
        page.wait_for_function(
            "(drawn) => [...document.querySelectorAll('.st-key-enlarged *')].some("
            "(e) => (e.shadowRoot?.querySelector('.lab')?.dataset.drawn ?? drawn) !== drawn)",
            arg=drawn,
            timeout=PATIENCE,
        )
        wait_for_rest(page)

    before = sum(came)
    took = timed(page, choose)
    line("head", took, f"{(sum(came) - before) / 1e6:.1f} MB")
    for key, kind in SAVED:
        before = sum(came)
        took = timed(page, lambda: saved(page, key, kind).path())  # noqa: B023
        line(f"saved {key} {kind}", took, f"{(sum(came) - before) / 1e6:.1f} MB")


def alone(page: Page, maps: np.ndarray, tokens: list[str], file: Path) -> None:
    """attention_figure."""
    start = time.perf_counter()
    attention_figure(maps, tokens).save(file)
    line("attention_figure", Took(time.perf_counter() - start, 0, 0), f"{file.stat().st_size / 1e6:.1f} MB")

    def open_it() -> None:
        page.goto(file.as_uri())
        page.locator(".panels .lab[data-drawn]").wait_for(timeout=PATIENCE)

    page.goto("about:blank")
    line("opened, drawn", timed(page, open_it))
    line("hover", hovered(page, ".grid .lab"))

    def choose() -> None:
        page.locator(".grid .head").nth(77).click()
        page.locator(".grid .head[aria-pressed=true]").nth(0).wait_for()
        page.evaluate("() => window.inFrame()")

    line("head", timed(page, choose))


def main(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder, serve() as address, browse() as browser:
        for tokens in sizes:
            words = [f"w{index}" for index in range(tokens)]
            maps, file = weights(tokens), Path(folder) / f"{tokens}.npz"
            np.savez(file, attention=maps.astype(np.float16), tokens=np.array(words))
            label = f"12 × 12 × {tokens}, {file.stat().st_size / 1e6:.1f} MB"
            print(f"{label:26}{'s':>10}{'held, ms':>10}{'CPU, ms':>10}")
            context = browser.new_context(
                bypass_csp=True, viewport={"width": 1440, "height": 900}, accept_downloads=True
            )
            context.add_init_script(BLOCKS)
            context.set_default_timeout(4 * PATIENCE)
            in_the_lab(context.new_page(), address, file)
            alone(context.new_page(), maps, words, Path(folder) / f"{tokens}.html")
            context.close()


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [64, 128, 512])
