// While a page opens, each part of it is shown only when everything above it has its final size. So nothing that is
// seen moves. This script stands in the page itself (viz/server/first_paint.py) and runs before Streamlit's.
//
// A part is a child of the main column or of the sidebar. It has its size when none of Streamlit's placeholders is in
// it and every figure in it is drawn. viz/ui/style.css hides the parts without data-settled until <html> has data-open,
// and shows them after a minute in any case. A figure that is never drawn, although Python has ended, holds the others
// up for some seconds only; while Python still computes, each part waits for its place.
{
  const COLUMNS = [
    '[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"]',
    '[data-testid="stSidebarUserContent"] [data-testid="stVerticalBlock"]',
  ];
  const HEADING = ".st-key-heading"; // shown at once: its size is known
  const PLACEHOLDER = '[data-testid="stSkeleton"]';
  const FIGURE = ".stBidiComponent";
  const CHART = ".stPlotlyChart:not(:has(.main-svg))";
  const DONE = '[data-test-script-state="notRunning"]';
  const PATIENCE = 15_000; // milliseconds without a further part, after Python has ended
  const html = document.documentElement;

  /** @param {Element} figure */
  const drawn = (figure) =>
    figure.querySelector('[data-testid="stBidiComponentIsolated"]')?.shadowRoot?.querySelector(".lab") != null;

  /** @param {Element} part */
  const settled = (part) =>
    !part.querySelector(PLACEHOLDER) && !part.querySelector(CHART) && [...part.querySelectorAll(FIGURE)].every(drawn);

  // Marks the parts of a column from its top to the first that is not settled. Returns whether all of them are.
  /** @param {Element} column */
  const mark = (column) => {
    for (const part of column.children) {
      if (!settled(part) && !part.querySelector(HEADING)) return false;
      part.setAttribute("data-settled", "");
    }
    return true;
  };

  // The preview (viz/server/preview/) stands until each of its figures has its size on the page, and goes at once then:
  // the same figures stand in the same places. One without figures goes when as many parts are there as it has.
  const place = location.pathname;
  /** @param {Element} preview */
  const replaced = (preview) => {
    const figures = [...preview.querySelectorAll(".figure")];
    if (!figures.length) {
      const parts = document.querySelectorAll(`${COLUMNS[0]} > [data-settled]`).length;
      return document.querySelector(`${HEADING} h1`) && parts >= (preview.firstElementChild?.childElementCount ?? 0);
    }
    return figures.every((figure) => {
      const key = `.st-key-${figure.getAttribute("data-key")}`;
      return document.querySelector(`[data-settled] ${key}, [data-settled]${key}`);
    });
  };

  let waiting = false;
  let [settledParts, since] = [0, performance.now()];
  const look = () => {
    waiting = false;
    const columns = COLUMNS.map((column) => document.querySelector(column)).filter((column) => column !== null);
    const all = columns.map(mark).every(Boolean);
    const count = document.querySelectorAll("[data-settled]").length;
    const ended = document.querySelector(DONE) !== null;
    if (count !== settledParts || !ended) [settledParts, since] = [count, performance.now()];
    const late = ended && performance.now() - since > PATIENCE;
    const open = late || (all && columns[0]?.querySelector(FIGURE) && ended);
    const preview = document.getElementById("preview");
    if (preview && columns.length && (open || place !== location.pathname || replaced(preview))) preview.remove();
    if (open) {
      watch.disconnect();
      html.setAttribute("data-open", "");
    } else if (!waiting && columns.length) {
      later(); // a figure that is drawn changes nothing that is watched
    }
  };
  const later = () => {
    if (!waiting) requestAnimationFrame(look);
    waiting = true;
  };
  const watch = new MutationObserver(later);
  watch.observe(html, { childList: true, subtree: true });
}
