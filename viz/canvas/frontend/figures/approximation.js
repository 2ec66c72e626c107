// The relative error of cheaper attention against k: a panel for each method, a line for each head.

/** @typedef {import("../types.js").ApproximationHeader} Header */
/** @typedef {import("../types.js").Pen} Pen */

import { drawing, fitted, widthOf } from "../lib/drawing.js";
import { legible, projected } from "../lib/page_state.js";

const NARROW = 700;
const GAP = 26;
const [SIZE, TITLE] = [12, 13];
const MOST = 1.25; // the largest error that is drawn

const tall = () => (projected() ? 100 : 150);
const head = () => legible(TITLE) * 1.5 + 10;
const foot = () => legible(SIZE) * 1.8 + 8;
/** @param {number} width @param {number} count */
const columnsOf = (width, count) => (width < NARROW ? 2 : projected() ? 3 : count);

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function (mount) {
  drawing(
    mount,
    ({ methods }, width) => Math.ceil(methods.length / columnsOf(width, methods.length)) * (tall() + head() + foot()),
    draw,
  );
}

/**
 * @param {Header} header
 * @param {Record<string, import("../types.js").Floats | undefined>} arrays
 * @param {number} width
 * @param {Pen} pen
 */
function draw({ methods, sizes, head: chosen, theme }, arrays, width, pen) {
  const columns = columnsOf(width, methods.length);
  const left = widthOf("0.5", SIZE) + 8;
  const wide = (width - GAP * (columns - 1)) / columns;
  methods.forEach((method, number) => {
    const box = (number % columns) * (wide + GAP);
    const top = Math.floor(number / columns) * (tall() + head() + foot()) + head();
    const [x0, x1] = [box + left, box + wide - 4];
    /** @param {number} k */
    const across = (k) => x0 + (sizes.length > 1 ? Math.log(k) / Math.log(sizes[sizes.length - 1]) : 0) * (x1 - x0);
    /** @param {number} error */
    const down = (error) => top + (1 - Math.min(error, MOST) / MOST) * tall();
    pen.text(box, top - head() + legible(TITLE) * 0.7, fitted(method, wide, TITLE, 600), { size: TITLE, weight: 600 });
    for (const level of [0, 0.5, 1]) {
      pen.line(
        [
          [x0, down(level)],
          [x1, down(level)],
        ],
        theme.rule,
        level ? 0.5 : 1,
      );
      pen.text(x0 - 6, down(level), String(level), { size: SIZE, fill: theme.muted, anchor: "end" });
    }
    const errors = arrays[`errors${number}`];
    if (!errors) {
      pen.text(x0 + 6, down(0.75), fitted("no causal form", x1 - x0 - 6, SIZE), { size: SIZE, fill: theme.muted });
      return;
    }
    const [rows, heads] = errors.shape;
    if (rows > 1) {
      pen.text(x0, top + tall() + legible(SIZE) * 0.9, "k 1", { size: SIZE, fill: theme.muted });
      const last = String(sizes[sizes.length - 1]);
      pen.text(x1, top + tall() + legible(SIZE) * 0.9, last, { size: SIZE, fill: theme.muted, anchor: "end" });
    }
    const order = [...Array(heads).keys()].sort((a, b) => Number(a === chosen) - Number(b === chosen));
    for (const each of order) {
      const colour = each === chosen ? theme.accent : theme.muted;
      const values = Array.from({ length: rows }, (_, row) => errors.values[row * heads + each]);
      const points =
        rows > 1
          ? values.map((error, row) => [across(sizes[row]).toFixed(1), down(error).toFixed(1)])
          : [
              [x0, down(values[0])],
              [x1, down(values[0])],
            ];
      pen.line(points, colour, each === chosen ? 2.25 : 1);
      if (each === chosen && rows > 1) for (const [x, y] of points) pen.dot(Number(x), Number(y), 2.5, colour);
    }
  });
}
