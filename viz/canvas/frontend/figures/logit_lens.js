// What the model would say after each layer: one row a layer, its likeliest words from left to right.

/** @typedef {import("../types.js").LogitLensHeader} Header */
/** @typedef {import("../types.js").Pen} Pen */

import { colourOf, colourTable, FULL } from "../lib/cells.js";
import { drawing, fitted } from "../lib/drawing.js";

const ROW = 44;
const TOP = 24;
const LEFT = 58;
const PLACES = ["first choice", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function (mount) {
  drawing(mount, ({ words }) => TOP + words.length * ROW + 4, draw);
}

/**
 * @param {Header} header
 * @param {Record<string, import("../types.js").Floats>} arrays
 * @param {number} width
 * @param {Pen} pen
 */
function draw({ words, theme }, arrays, width, pen) {
  const { values } = arrays.values; // (L, N)
  const n = words[0].length;
  const across = (width - LEFT) / n;
  const colours = colourTable(theme, "weights");
  PLACES.slice(0, n).forEach((label, rank) => {
    const room = fitted(label, across - 4, 12);
    pen.text(LEFT + (rank + 0.5) * across, TOP - 12, room, { fill: theme.muted, anchor: "middle" });
  });
  words.forEach((row, layer) => {
    const y = TOP + layer * ROW;
    pen.text(LEFT - 8, y + ROW / 2, `layer ${layer}`, { fill: theme.muted, anchor: "end" });
    row.forEach((word, rank) => {
      const value = values[layer * n + rank];
      const code = Math.round(Math.min(Math.max(value || 0, 0), 1) * FULL);
      const fill = value >= theme.text_turns ? theme.paper : theme.ink;
      const x = LEFT + rank * across;
      pen.rect(x + 1, y + 1, across - 2, ROW - 2, colourOf(colours, code));
      pen.text(x + across / 2, y + 14, fitted(word, across - 6, 13), { size: 13, fill, anchor: "middle" });
      pen.text(x + across / 2, y + 31, Number.isFinite(value) ? value.toFixed(2) : "no number", {
        size: 11,
        fill,
        anchor: "middle",
      });
    });
  });
}
