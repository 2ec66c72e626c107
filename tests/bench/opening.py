"""How a page opens, in Chromium: what moves while it does, and how long it takes beside a bare Streamlit app.

    python tests/bench/opening.py [visits] [page ...]

Each page is opened some times (five, if nothing is said) on a warm server, in a window of 1440 × 900 pixels and in one
of 390 × 844; a bare Streamlit app is opened between them, so that a slow moment of the machine meets both. Printed are
medians:

- shift: the sum of all layout shifts until the page is at rest, as the browser counts them (PerformanceObserver,
  "layout-shift": the share of the window that moved times the distance, 1 is the whole window). Aim: 0.05 at most.
- frame: the first text of the page, and picture: its first drawing that is seen, both as multiples of the bare app's
  first text. Aim: 1.1 and 1.3 at most.
- the largest single shift: when it came, and which element moved.

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

PAGES = ("/", "/inside", "/masks", "/positions", "/remove", "/translate", "/your-model", "/lessons")
SIZES = ((1440, 900), (390, 844))

# Notes while the page opens: its shifts, its first text, its first drawing. Milliseconds since the visit began.
NOTE = """
window.opening = { shifts: [], text: null, picture: null };
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
  const text = document.querySelector('[data-testid="stMarkdown"], [data-testid="stHeading"]')?.textContent;
  if (text && opening.text === null) opening.text = performance.now();
  if (opening.picture === null) {
    for (const part of document.querySelectorAll(".stBidiComponent *")) {
      const lab = part.shadowRoot?.querySelector(".lab[data-drawn]");
      if (lab && getComputedStyle(lab).visibility === "visible") { opening.picture = performance.now(); break; }
    }
  }
  requestAnimationFrame(look);
};
addEventListener("DOMContentLoaded", look);
"""


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
    context.close()
    return noted


def main(visits: int, pages: tuple[str, ...]) -> None:
    """Open all pages in turn and print the table."""
    with tempfile.TemporaryDirectory() as folder, serve() as lab, browse() as browser:
        script = Path(folder) / "bare.py"
        script.write_text(BARE, encoding="utf-8")
        with serve(script) as bare:
            for page in pages:  # warm
                visit(browser, lab + page, SIZES[0], picture=page not in ("/your-model", "/lessons"))
            print(f"{'page':14} {'window':10} {'shift':>7} {'frame':>7} {'picture':>8}   largest shift")
            for size in SIZES:
                for page in pages:
                    picture = page not in ("/your-model", "/lessons")
                    rival, ours = [], []
                    for _ in range(visits):
                        rival.append(visit(browser, bare, size, picture=False)["text"])
                        ours.append(visit(browser, lab + page, size, picture=picture))
                    text = statistics.median(rival)
                    shift = statistics.median(
                        sum(shift_entry["value"] for shift_entry in noted["shifts"]) for noted in ours
                    )
                    frame = statistics.median(noted["text"] for noted in ours) / text
                    drawn = statistics.median(noted["picture"] for noted in ours) / text if picture else float("nan")
                    worst = max(ours[-1]["shifts"], key=lambda shift_entry: shift_entry["value"], default=None)
                    what = f"{worst['value']:.3f} at {worst['at'] / 1000:.2f} s: {worst['moved'][:2]}" if worst else ""
                    print(
                        f"{page:14} {size[0]}×{size[1]:<5} {shift:7.3f} {frame:7.2f} {drawn:8.2f}   {what}", flush=True
                    )


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    named = tuple(word for word in sys.argv[1:] if word.startswith("/"))
    main(numbers[0] if numbers else 5, named or PAGES)
