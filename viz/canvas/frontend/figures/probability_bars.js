// Bars of probabilities on a scale fixed at 0 … 1: one a word, or A above B.

/** @typedef {import("../types.js").BarsHeader} Header */
/** @typedef {import("../types.js").Pen} Pen */

import { drawing, fitted, widthOf } from "../lib/drawing.js";

const SIZE = 13;
const NUMBER = 64; // room for the number right of a full bar

const TALL = [24, 36]; // of a row of one bar, of two

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function (mount) {
  drawing(mount, heightOf, draw);
}

/** @param {Header} header */
const heightOf = ({ words, sides }) => words.length * TALL[sides.length - 1] + 4;

/**
 * @param {Header} header
 * @param {Record<string, import("../types.js").Floats>} arrays
 * @param {number} width
 * @param {Pen} pen
 */
function draw({ words, sides, theme }, arrays, width, pen) {
  const { values } = arrays.values; // (1 or 2, N)
  const two = sides.length === 2;
  const left = Math.min(Math.max(...words.map((word) => widthOf(word, SIZE))), width / 3) + 10;
  const room = Math.max(width - left - NUMBER, 10);
  const row = TALL[sides.length - 1];
  const thick = two ? 13 : 16;
  words.forEach((word, wordIndex) => {
    const top = wordIndex * row + 2;
    pen.text(left - 8, top + row / 2 - 1, fitted(word, left - 10, SIZE), { size: SIZE, anchor: "end" });
    sides.forEach((side, number) => {
      const value = values[number * words.length + wordIndex];
      const y = top + (row - 2 - thick * sides.length) / 2 + number * thick;
      const long = Number.isFinite(value) ? value * room : 0;
      pen.rect(left, y + 1, Math.max(long, 1), thick - 2, number ? theme.accent : theme.weights[4]);
      const label = two ? `${side} ${format(value)}` : format(value);
      pen.text(left + long + 6, y + thick / 2, label, { size: 11, fill: theme.muted });
    });
  });
}

/** @param {number} value */
const format = (value) => (!Number.isFinite(value) ? "not a number" : value < 0.0005 ? "< 0.001" : value.toFixed(3));
