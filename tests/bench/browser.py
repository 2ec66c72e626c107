"""From a click to the repaint, in Chromium: our page against the least that Streamlit can do.

    python tests/bench/browser.py [flips]

The rival is an app of one toggle and one line of text, as Streamlit comes; a second one has our settings, of which
collecting no garbage after every run is the one that counts. All are open in the same browser and flipped in turn, so
that a slow moment of the machine meets them all. The clock starts at the click and stops one frame after the change is
there, read from the page itself: the text of the line; each figure's count of its drawings. Heads and the whole model
answer a click on a switch ahead of the server (viz/server/lookahead.py): within 0.35 of the bare app's time. The server
answers what stands above the fold of “Remove a part” (the numbers, A, B and A − B) and its next words: within 2.
"""

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1] / "support"))

from playwright.sync_api import Page
from served import PATIENCE, ROOT, browse, serve, wait_for_picture, wait_for_rest

TARGETS = {
    "grid": 0.35,
    "enlarged": 0.35,
    "next": 0.35,
    "lens": 0.35,
    "strip": 2.0,
    "compare": 2.0,
    "pairs": 2.0,
    "machine": 0.35,
}
BARE = """
import streamlit as st

on = st.toggle("scale", True, key="scale")
st.write(f"The toggle is {'on' if on else 'off'}.")
"""

# What each page shows now, as something that a repaint changes. A figure that is not drawn yet counts as nothing.
LOOK = """
window.drawings = (key) => [...document.querySelectorAll(`.st-key-${key} *`)]
  .map((e) => e.shadowRoot?.querySelector(".lab")).find(Boolean)?.dataset.drawn;
window.look = {
  line: () => document.querySelector('[data-testid="stMarkdown"]')?.textContent,
  grid: () => window.drawings("grid"),
  compare: () => window.drawings("compare"),
  strip: () => [...document.querySelectorAll('.strip .value')].map((e) => e.textContent).join(),
  ...Object.fromEntries(
    ["pairs", "enlarged", "next", "lens", "machine"].map((key) => [key, () => window.drawings(key)])
  ),
};
window.watch = (names) => new Promise((done) => {
  const before = Object.fromEntries(names.map((name) => [name, window.look[name]()]));
  const took = {};
  let start = null;
  addEventListener("click", (event) => { start = event.timeStamp; }, { capture: true, once: true });
  const frame = () => {
    if (start !== null) {
      for (const name of names) {
        if (name in took) continue;
        const now = window.look[name]();
        if (now !== before[name]) {
          took[name] = null;
          requestAnimationFrame(() => { took[name] = performance.now() - start; });
        }
      }
    }
    if (names.every((name) => took[name] > 0)) done(took); else requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
});
"""


def flip(page: Page, names: list[str]) -> dict[str, float]:
    """Click the toggle; milliseconds until each of the named parts is repainted."""
    page.bring_to_front()
    page.evaluate(
        "() => new Promise((done) => setTimeout(() => requestAnimationFrame(done), 200))"
    )  # shown, and at rest
    page.evaluate("(names) => { window.watched = window.watch(names); }", names)
    page.locator(".st-key-scale label").first.click()
    took: dict[str, float] = page.evaluate("() => window.watched")
    wait_for_rest(page)
    return took


def slide(page: Page) -> float:
    """Milliseconds, in the median, from a move of a slider of the sinusoidal waves to its drawing, laid out."""
    took: list[float] = page.locator(".st-key-waves_drawn .lab").evaluate(
        """root => ["length", "width", "base", "pos"].flatMap((name) => {
            const range = root.querySelector(`input[name=${name}]`);
            return Array.from({ length: 8 }, (_, turn) => {
                const before = performance.now();
                range.value = Math.round(((turn + 1) / 8) * range.max);
                range.dispatchEvent(new Event("input", { bubbles: true }));
                range.getBoundingClientRect(); // lay out, too
                return performance.now() - before;
            });
        })"""
    )
    return statistics.median(took)


def main(flips: int) -> None:
    """Flip both apps in turn and print the table."""
    times: dict[str, list[float]] = {name: [] for name in ("line", "tuned", *TARGETS)}
    with tempfile.TemporaryDirectory() as folder:
        bare, tuned = Path(folder) / "bare.py", Path(folder) / "tuned" / "bare.py"
        shutil.copytree(ROOT / ".streamlit", tuned.parent / ".streamlit")
        for script in (bare, tuned):
            script.write_text(BARE)
        with serve(bare) as bare_address, serve(tuned) as tuned_address, serve() as address, browse() as browser:
            context = browser.new_context(bypass_csp=True, viewport={"width": 1440, "height": 900})
            context.add_init_script(LOOK)
            context.set_default_timeout(PATIENCE)
            rival, second, lab, remove, whole = (context.new_page() for _ in range(5))
            for page, location in ((rival, bare_address), (second, tuned_address)):
                page.goto(location)
                page.locator(".st-key-scale").wait_for()
            lab.goto(address)
            wait_for_picture(lab)
            remove.goto(f"{address}/remove")
            remove.locator(".st-key-pairs .lab[data-drawn]").wait_for()
            wait_for_rest(remove)
            whole.goto(f"{address}/machine")
            whole.locator(".st-key-machine .lab[data-drawn]").wait_for()
            wait_for_rest(whole)
            waves = context.new_page()
            waves.goto(f"{address}/positions")
            waves.locator(".st-key-waves_drawn .lab[data-drawn]").wait_for()
            wait_for_rest(waves)
            sliding = slide(waves)
            for turn in range(flips + 3):
                took = flip(rival, ["line"])
                took["tuned"] = flip(second, ["line"])["line"]
                took |= flip(lab, ["grid", "enlarged", "next", "lens"])
                took |= flip(remove, ["strip", "compare", "pairs"])
                took |= flip(whole, ["machine"])
                for name, milliseconds in took.items():
                    if turn >= 3:  # the first ones warm up
                        times[name].append(milliseconds)
    floor = statistics.median(times["line"])
    print(f"\nclick to repaint, medians of {flips} flips in turn\n")
    print(f"{'':24}{'quickest':>10}{'median ms':>11}{'slowest':>9}{'ratio':>8}{'target':>8}")
    for name, label in (
        ("line", "bare app, one line"),
        ("tuned", "the same, our settings"),
        ("grid", "grid of all heads"),
        ("enlarged", "one head large"),
        ("next", "next words"),
        ("lens", "layers' guesses"),
        ("strip", "remove: the numbers"),
        ("compare", "remove: A, B, A − B"),
        ("pairs", "remove: next words"),
        ("machine", "the whole model"),
    ):
        median = statistics.median(times[name])
        target = f"{TARGETS[name]:8.1f}" if name in TARGETS else ""
        print(f"{label:24}{min(times[name]):10.0f}{median:11.0f}{max(times[name]):9.0f}{median / floor:8.2f}{target}")
    print(f"\na move of a slider of the waves: {sliding:.1f} ms, {sliding / (1000 / 60):.2f} of a frame (target 1.00)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
