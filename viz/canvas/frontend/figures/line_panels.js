// Panels of curves beside each other, on a narrow page below each other.

/** @typedef {import("../types.js").LinePanelsHeader} Header */
/** @typedef {import("../types.js").Pen} Pen */

import { drawing } from "../lib/drawing.js";
import { drawPanel, footOf, headOf } from "../lib/panel.js";

const NARROW = 700;
const GAP = 40;
const TALL = 190; // of the field of one panel

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function (mount) {
  drawing(mount, heightOf, draw);
}

/** @param {Header} header */
const tallOf = ({ panels }) => headOf(Math.max(...panels.map(({ series }) => series.length))) + TALL + footOf();

/**
 * @param {Header} header
 * @param {number} width
 */
const heightOf = (header, width) => tallOf(header) * (width < NARROW ? header.panels.length : 1);

/**
 * @param {Header} header
 * @param {unknown} _arrays
 * @param {number} width
 * @param {Pen} pen
 */
function draw(header, _arrays, width, pen) {
  const columns = width < NARROW ? 1 : header.panels.length;
  const wide = (width - GAP * (columns - 1)) / columns;
  const tall = tallOf(header);
  header.panels.forEach((panel, nth) => {
    const box = { x: (nth % columns) * (wide + GAP), y: Math.floor(nth / columns) * tall, wide, tall };
    drawPanel(pen, header.theme, box, panel);
  });
}
