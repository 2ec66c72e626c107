// The tree of a beam: at each step the branches that were kept, joined to what they go on from, and the best that were
// dropped.

/** @typedef {import("../types.js").BeamTreeHeader} Header */
/** What this figure keeps.
 * @typedef {object} Own
 * @property {HTMLElement} scroll
 * @property {HTMLCanvasElement} canvas
 * @property {number} wide
 * @property {number} height
 */
/** @typedef {import("../types.js").View<Header, Own>} View */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").Root} Root */

import { asSvg, fitted, onCanvas } from "../lib/drawing.js";
import { countDrawing, drawings, element, hoveredRow, listen, rootOf, unpack } from "../lib/page_state.js";

const WIDE = 104; // of a step
const TALL = 30; // of a branch
const TOP = 26;

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, key }) {
  const { header } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  view.header = header;
  view.wide = header.steps.length * WIDE + 8;
  view.height = TOP + Math.max(...header.steps.map((step) => step.length)) * TALL + 6;
  const stop = listen(key, () => repaint(view));
  drawings.set(header.key, () => asSvg(view.wide, view.height, header.theme, (pen) => draw(view, pen)));
  repaint(view);
  return stop;
}

/** @param {Root} root */
function build(root) {
  const [scroll, canvas] = [element("div", "scroll"), element("canvas", "drawing")];
  scroll.tabIndex = 0; // it scrolls, also by keys
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "The tree of the beam search");
  scroll.append(canvas);
  root.append(scroll);
  const view = /** @type {View} */ (/** @type {unknown} */ ({ root, scroll, canvas }));
  new ResizeObserver(() => repaint(view)).observe(root);
  return view;
}

/** @param {View} view */
const lit = ({ header }) => Math.min(hoveredRow() ?? header.step - 1, header.steps.length - 1);

/** @param {View} view */
function repaint(view) {
  const { root, scroll, canvas, header } = view;
  if (!root.clientWidth) return;
  onCanvas(canvas, view.wide, view.height, header.theme, (pen) => draw(view, pen));
  const left = lit(view) * WIDE;
  if (!scroll.matches(":hover")) scroll.scrollLeft = left + WIDE / 2 - scroll.clientWidth / 2;
  countDrawing(root);
}

/**
 * @param {View} view
 * @param {Pen} pen
 */
function draw(view, pen) {
  const { theme, steps } = view.header;
  const now = lit(view);
  /**
   * @param {number} step
   * @param {number} nth
   */
  const place = (step, nth) => [step * WIDE + 6, TOP + nth * TALL + 10];
  pen.rect(now * WIDE, 0, WIDE, view.height, theme.absent);
  steps.forEach((branches, step) => {
    pen.text(step * WIDE + 6, 10, `step ${step + 1}`, { size: 11, fill: step === now ? theme.accent : theme.muted });
    const before = step ? steps[step - 1].map((branch, nth) => ({ ...branch, nth })).filter(({ kept }) => kept) : [];
    branches.forEach(({ word, label, kept, ended, best, parent }, nth) => {
      const [x, y] = place(step, nth);
      const from = before[parent];
      if (from && kept) {
        const [px, py] = place(step - 1, from.nth);
        pen.line(
          [
            [px + WIDE - 34, py],
            [px + WIDE - 20, py],
            [x - 12, y],
            [x - 3, y],
          ],
          best ? theme.accent : theme.muted,
          best ? 2 : 1,
        );
      }
      const fill = best ? theme.accent : kept ? theme.ink : theme.muted;
      const short = fitted(word, WIDE - 40, 13, best ? 650 : 400);
      pen.text(x, y, short, { size: 13, weight: best ? 650 : 400, fill });
      if (!kept)
        pen.line(
          [
            [x - 1, y],
            [x + Math.min(short.length * 7, WIDE - 40), y],
          ],
          theme.muted,
          0.75,
        );
      pen.text(x, y + 13, `${label}${ended ? "  ends" : ""}`, { size: 10.5, fill: theme.muted });
    });
  });
}
