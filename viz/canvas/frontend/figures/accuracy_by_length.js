// Accuracy against length, a small panel for each scheme: how it does where it was trained, and beyond.

/** @typedef {import("../types.js").LengthsHeader} Header */
/** @typedef {import("../types.js").Pen} Pen */

import { drawing, fitted, widthOf } from "../lib/drawing.js";
import { legible, projected } from "../lib/page_state.js";

const NARROW = 700;
const TALL = 132; // of one panel
const HEAD = 30;
const FOOT = 34;

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function (mount) {
  drawing(mount, ({ schemes }, width) => Math.ceil(schemes.length / columnsOf(width)) * (TALL + HEAD + FOOT), draw);
}

/** @param {number} width */
const columnsOf = (width) => (width < NARROW ? 2 : 4);

// found (2, N, L): accuracy of encoder and decoder for N schemes at L lengths; NaN where a table has ended.
/**
 * @param {Header} header
 * @param {Record<string, import("../types.js").Floats>} arrays
 * @param {number} width
 * @param {Pen} pen
 */
function draw({ schemes, lengths, longest, kinds, theme }, { accuracy, low, high }, width, pen) {
  const columns = columnsOf(width);
  const begin = widthOf("100 %", 11) + 10; // room for the shares
  const gap = width < NARROW ? 18 : 34;
  const wide = (width - begin - gap * (columns - 1)) / columns - 4;
  const colours = [theme.accent, theme.ink];
  const last = lengths[lengths.length - 1];
  schemes.forEach((scheme, number) => {
    const [x, y] = [
      begin + (number % columns) * (wide + gap),
      Math.floor(number / columns) * (TALL + HEAD + FOOT) + HEAD,
    ];
    /** @param {number} length */
    const right = (length) => x + (Math.log2(length / lengths[0]) / Math.log2(last / lengths[0])) * wide;
    /** @param {number} share */
    const down = (share) => y + (1 - Math.max(0, (share - 0.25) / 0.75)) * TALL;
    pen.text(x, y - 17, scheme, { size: 14, weight: 600 });
    pen.rect(x, y, right(longest) - x, TALL, theme.absent);
    pen.line(
      [
        [x, down(0.5)],
        [x + wide, down(0.5)],
      ],
      theme.muted,
      0.75,
    );
    pen.line(
      [
        [x, y + TALL],
        [x + wide, y + TALL],
      ],
      theme.rule,
    );
    for (const length of [lengths[0], longest, 32, last]) {
      const anchor = length === lengths[0] ? "start" : length === last ? "end" : "middle";
      pen.text(right(length), y + TALL + 11, String(length), { size: 11, fill: theme.muted, anchor });
    }
    if (number % columns === 0) {
      for (const share of [1, 0.5])
        pen.text(x - 6, down(share), `${100 * share} %`, { size: 11, fill: theme.muted, anchor: "end" });
    }
    if (number === 0) {
      pen.text(x + 5, y + TALL - 8, "trained", { size: 11, fill: theme.muted });
      pen.text(x + 5, down(0.5) - 9, "guessing", { size: 11, fill: theme.muted });
    }
    for (const kind of [1, 0]) {
      /** @param {import("../types.js").Floats} array */
      const row = (array) =>
        lengths.map((_, lengthIndex) => array.values[(kind * schemes.length + number) * lengths.length + lengthIndex]);
      const [shares, lows, highs] = [row(accuracy), row(low), row(high)];
      lengths.forEach((length, lengthIndex) => {
        if (Number.isFinite(lows[lengthIndex]))
          pen.line(
            [
              [right(length), down(lows[lengthIndex])],
              [right(length), down(highs[lengthIndex])],
            ],
            colours[kind],
            1,
          );
      });
      const points = lengths
        .map((length, lengthIndex) => [right(length), down(shares[lengthIndex])])
        .filter(([, height]) => Number.isFinite(height));
      pen.line(
        points.map((point) => point.map((coordinate) => coordinate.toFixed(1))),
        colours[kind],
        2,
      );
      for (const [px, py] of points) pen.dot(px, py, 2.5, colours[kind]);
      const [endX, endY] = points[points.length - 1];
      if (points.length < lengths.length && kind === 0)
        pen.text(endX + 8, endY + 12, "the table ends", { size: 11.5, fill: theme.accent });
    }
  });
  const free = schemes.length % columns;
  if (!free) return;
  const [x, y] = [begin + free * (wide + gap), Math.floor(schemes.length / columns) * (TALL + HEAD + FOOT) + HEAD];
  kinds.forEach((kind, nth) => {
    pen.line(
      [
        [x, y + 12 + nth * 22],
        [x + 26, y + 12 + nth * 22],
      ],
      colours[nth],
      2,
    );
    pen.text(x + 34, y + 12 + nth * 22, kind, { size: 13, fill: colours[nth] });
  });
  const notes = [
    "Right answers against",
    "symbols in the question.",
    "Thin: from the lowest seed",
    "to the highest (cards).",
  ];
  if (projected()) notes.length = 2; // the rest for those who sit at a desk
  notes.forEach((line, nth) =>
    pen.text(x, y + 64 + nth * legible(16), fitted(line, wide, 11.5), { size: 11.5, fill: theme.muted }),
  );
}
