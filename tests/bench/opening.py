"""How a page opens, in Chromium: what moves while it does, and how long it takes beside a bare Streamlit app.

    python tests/bench/opening.py [visits] [page ...] [cold]

Each page is opened some times (five, if nothing is said) on a warm server, in a window of 1440 × 900 pixels and in one
of 390 × 844; a bare Streamlit app is opened between them, so that a slow moment of the machine meets both. Printed are
medians:

- shift: the sum of all layout shifts until the page is at rest, as the browser counts them (PerformanceObserver,
  "layout-shift": the share of the window that moved times the distance, 1 is the whole window). Aim: 0.05 at most.
- frame: the first text of the page that is seen, and picture: its first drawing that is seen, both as multiples of the
  bare app's first text. Aim: 1.1 and 1.3 at most. What the server has put into the page (viz/server/preview/) counts
  where it stands, to a pixel, where the page itself has it at the end; else the page's own counts.
- own: the first drawing of the page itself, which answers the pointer.
- the largest single shift: when it came, and which element moved.

With "cold", each visit is the first one of a server that has just said that it is well, in the large window only. Aim
for the picture: 2.2.

It prints, and fails by no clock.
"""

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).parents[1] / "support"))

from browser import BARE
from playwright.sync_api import Browser
from served import PATIENCE, browse, serve, wait_for_rest

NO_PICTURE = ("/your-model", "/lessons")
PAGES = ("/", "/machine", "/why", "/inside", "/masks", "/positions", "/remove", "/training", "/translate", *NO_PICTURE)
SIZES = ((1440, 900), (390, 844))

# Notes while the page opens: its shifts, its first text, its first drawing. Milliseconds since the visit began.
NOTE = """
window.opening = { shifts: [], text: null, picture: null, preview: null, boxes: {} };
window.box = (node) => { const { x, y, width, height } = node.getBoundingClientRect(); return [x, y, width, height]; };
const seen = (node) => node && getComputedStyle(node).visibility === "visible";
const named = (node) => {
  const part = node?.nodeType === 1 ? node : node?.parentElement;
  const key = part?.closest?.("[class*=st-key-]")?.className.match(/st-key-([\\w-]+)/)?.[1];
  return (part?.dataset?.testid ?? part?.tagName ?? "?") + (key ? ` in ${key}` : "");
};
new PerformanceObserver((list) => {
  for (const { value, startTime, sources } of list.getEntries()) {
    const moved = sources.map(({ node, previousRect: a, currentRect: b }) =>
      `${named(node)} (${a.x},${a.y}) to (${b.x},${b.y})`);
    opening.shifts.push({ value, at: startTime, moved });
  }
}).observe({ type: "layout-shift", buffered: true });
const look = () => {
  const early = document.querySelectorAll("#preview h1, #preview .figure");
  if (early.length) {
    opening.heading ??= performance.now();
    const shown = [...early].every((node) => !node.dataset.key || node.shadowRoot?.querySelector(".lab")?.clientHeight);
    if (shown && opening.preview === null) {
      opening.preview = performance.now();
      for (const node of early) opening.boxes[node.dataset.key ?? ""] = window.box(node);
    }
  }
  const text = document.querySelector('[data-testid="stMarkdown"] p, [data-testid="stHeading"]');
  if (text?.textContent && seen(text)) opening.text ??= performance.now();
  if (opening.picture === null) {
    for (const part of document.querySelectorAll(".stBidiComponent *")) {
      const lab = part.shadowRoot?.querySelector(".lab[data-drawn]");
      if (lab && seen(lab)) { opening.picture = performance.now(); break; }
    }
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
# How far what the preview showed is from where the page has it: pixels, the largest of all sides.
MISPLACED = """() => Math.max(0, ...Object.entries(opening.boxes).flatMap(([key, early]) => {
  const node = document.querySelector(key ? `.st-key-${key} .stBidiComponent > * > *` : ".st-key-heading h1");
  return node ? window.box(node).map((side, index) => Math.abs(side - early[index])) : [Infinity];
}))"""


def visit(browser: Browser, address: str, size: tuple[int, int], *, picture: bool) -> dict[str, Any]:
    """What a visit with an empty cache of its own noted until the page was at rest."""
    context = browser.new_context(bypass_csp=True, viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.add_init_script(NOTE)
    page.goto(address)
    page.wait_for_function("window.opening?.text" + (" && window.opening.picture" if picture else ""), timeout=PATIENCE)
    wait_for_rest(page)
    page.wait_for_timeout(500)
    noted: dict[str, Any] = page.evaluate("window.opening")
    noted["own"] = noted["picture"]
    if noted["preview"] is not None and page.evaluate(MISPLACED) <= 1:
        noted["text"], noted["picture"] = noted["heading"], noted["preview"]
    context.close()
    return noted


def cold(visits: int, pages: tuple[str, ...]) -> None:
    """Open each page on servers that have just started, and print the table."""
    with tempfile.TemporaryDirectory() as folder, browse() as browser:
        script = Path(folder) / "bare.py"
        script.write_text(BARE, encoding="utf-8")
        print(f"{'page':14} {'cold: frame':>12} {'picture':>8} {'own':>7}")
        for page in pages:
            rival, ours = [], []
            for _ in range(visits):
                with serve(script) as bare:
                    visit(browser, bare, SIZES[0], picture=False)
                    rival.append(visit(browser, bare, SIZES[0], picture=False)["text"])
                with serve() as lab:
                    ours.append(visit(browser, lab + page, SIZES[0], picture=page not in NO_PICTURE))
            print(
                f"{page:14} {times(ours, 'text', rival):12.2f} {times(ours, 'picture', rival):8.2f} "
                f"{times(ours, 'own', rival):7.2f}",
                flush=True,
            )


def times(ours: list[dict[str, Any]], what: str, rival: list[float]) -> float:
    """The median of what was noted, as a multiple of the bare app's."""
    values = [noted[what] for noted in ours if noted[what] is not None]
    return statistics.median(values) / statistics.median(rival) if values else float("nan")


def main(visits: int, pages: tuple[str, ...]) -> None:
    """Open all pages in turn and print the table."""
    with tempfile.TemporaryDirectory() as folder, serve() as lab, browse() as browser:
        script = Path(folder) / "bare.py"
        script.write_text(BARE, encoding="utf-8")
        with serve(script) as bare:
            for page in pages:  # warm
                visit(browser, lab + page, SIZES[0], picture=page not in NO_PICTURE)
            print(f"{'page':14} {'window':10} {'shift':>7} {'frame':>7} {'picture':>8} {'own':>7}   largest shift")
            for size in SIZES:
                for page in pages:
                    picture = page not in NO_PICTURE
                    rival, ours = [], []
                    for _ in range(visits):
                        rival.append(visit(browser, bare, size, picture=False)["text"])
                        ours.append(visit(browser, lab + page, size, picture=picture))
                    shift = statistics.median(sum(moved["value"] for moved in noted["shifts"]) for noted in ours)
                    frame, drawn, own = (times(ours, what, rival) for what in ("text", "picture", "own"))
                    worst = max(ours[-1]["shifts"], key=lambda shift_entry: shift_entry["value"], default=None)
                    what = f"{worst['value']:.3f} at {worst['at'] / 1000:.2f} s: {worst['moved'][:2]}" if worst else ""
                    print(
                        f"{page:14} {size[0]}×{size[1]:<5} {shift:7.3f} {frame:7.2f} {drawn:8.2f} {own:7.2f}   {what}",
                        flush=True,
                    )


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    named = tuple(word for word in sys.argv[1:] if word.startswith("/"))
    measure = cold if "cold" in sys.argv[1:] else main
    measure(numbers[0] if numbers else 5, named or PAGES)
