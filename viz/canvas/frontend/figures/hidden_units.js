// The hidden units that write most for one token: a bar of the length that each writes, and the words that it raises.

/** @typedef {import("../types.js").HiddenUnitsHeader} Header */
/** @typedef {import("../types.js").Pen} Pen */

import { drawing, fitted, widthOf } from "../lib/drawing.js";
import { legible } from "../lib/page_state.js";

const SIZE = 13;
const WORDS = 0.42; // of the width at most, for the words
const TITLE = 22; // height of the line above the bars

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function (mount) {
  drawing(mount, heightOf, draw);
}

const rowHeight = () => Math.max(24, legible(SIZE) + 10);

/** @param {Header} header */
const heightOf = ({ units }) => Math.max(TITLE, legible(11) + 8) + units.length * rowHeight() + 4;

/**
 * @param {Header} header
 * @param {Record<string, import("../types.js").Floats>} arrays
 * @param {number} width
 * @param {Pen} pen
 */
function draw({ units, raised, theme }, arrays, width, pen) {
  const lengths = arrays.lengths.values; // (N,)
  const names = units.map((unit) => `unit ${unit}`);
  const left = Math.max(...names.map((name) => widthOf(name, SIZE))) + 10;
  const words = Math.min(Math.max(...raised.map((text) => widthOf(text, SIZE))) + 12, width * WORDS);
  const number = widthOf("00.0", 11) + 12;
  const room = Math.max(width - left - words - number, 10);
  const most = Math.max(...lengths) || 1;
  const title = Math.max(TITLE, legible(11) + 8);
  const small = { size: 11, fill: theme.muted };
  pen.text(left, title / 2 - 2, fitted("length of what it writes", room, 11), small);
  pen.text(width - words, title / 2 - 2, fitted("raises", words, 11), small);
  names.forEach((name, index) => {
    const y = title + (index + 0.5) * rowHeight();
    const long = (lengths[index] / most) * room;
    pen.text(left - 8, y, name, { size: SIZE, anchor: "end" });
    pen.rect(left, y - 7, Math.max(long, 1), 14, theme.weights[4]);
    pen.text(left + long + 6, y, lengths[index].toFixed(1), small);
    pen.text(width - words, y, fitted(raised[index], words - 4, SIZE), { size: SIZE });
  });
}
