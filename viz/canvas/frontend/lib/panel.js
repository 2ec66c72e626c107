// A panel of curves: axes, linear or logarithmic, and one line for each series, named at the top.

/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").Theme} Theme */
/** @typedef {import("../types.js").PanelAxis} Axis */
/** @typedef {import("../types.js").PanelSeries} Series */

import { fitted, widthOf } from "./drawing.js";
import { legible } from "./page_state.js";

const SIZE = 12;
const TITLE = 14;
const DASH = 6; // pixels of a dash and of the gap after it
const DECADES = 24; // of a logarithmic scale, at most

/** @param {number | null} value */
const numberOf = (value) => value ?? Number.NaN;

const line = () => legible(SIZE) * 1.5;

/** @param {number} value */
export function spelled(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 0.001 || size >= 100_000)
    return value.toExponential(1).replace(".0e", "e").replace("e-", "e−").replace("e+", "e");
  return value.toLocaleString("en-GB", { maximumSignificantDigits: 3 });
}

// The ends of a scale that holds all values. A logarithmic one ends at powers of ten.
/**
 * @param {Axis} axis
 * @param {number[]} values
 * @returns {[number, number]}
 */
export function limitsOf(axis, values) {
  const usable = values.filter((value) => Number.isFinite(value) && (!axis.log || value > 0));
  if (axis.limits) return axis.limits;
  if (!axis.log) return [0, Math.max(...usable, 0) * 1.06 || 1];
  const high = Math.ceil(Math.log10(Math.max(...usable, 1e-30)) - 1e-9);
  const low = Math.min(Math.floor(Math.log10(Math.min(...usable, 10 ** high)) + 1e-9), high - 1);
  return [10 ** Math.max(low, high - DECADES), 10 ** high];
}

// How tall the names above a panel are: one line for each series.
/** @param {number} count */
export const headOf = (count) => legible(TITLE) * 1.5 + count * line() + 6;
export const footOf = () => line() * 2 + 4;

/**
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {{ x: number, y: number, wide: number, tall: number }} box
 * @param {{ title: string, x: Axis, y: Axis, series: Series[] }} panel
 */
export function drawPanel(pen, theme, box, panel) {
  const { series } = panel;
  pen.text(box.x, box.y + legible(TITLE) * 0.5, fitted(panel.title, box.wide, TITLE, 600), {
    size: TITLE,
    weight: 600,
  });
  series.forEach((each, nth) => {
    const middle = box.y + legible(TITLE) * 1.5 + (nth + 0.5) * line();
    stroke(
      pen,
      [
        [box.x, middle],
        [box.x + 26, middle],
      ],
      each,
      theme,
    );
    const colour = colourOf(each, theme);
    pen.text(box.x + 34, middle, fitted(each.name, box.wide - 34, SIZE), { size: SIZE, fill: colour });
  });
  const [xLimits, yLimits] = [
    limitsOf(
      panel.x,
      series.flatMap((each) => each.x),
    ),
    limitsOf(
      panel.y,
      series.flatMap((each) => each.y.map(numberOf)),
    ),
  ];
  const [low, high] = yLimits.map(spelled);
  const left = box.x + Math.max(widthOf(low, SIZE), widthOf(high, SIZE)) + 8;
  const [top, wide] = [box.y + headOf(series.length), box.x + box.wide - left - 4];
  const tall = box.tall - headOf(series.length) - footOf();
  const bottom = top + tall;
  const right = scale(panel.x, xLimits, left, wide);
  const height = scale(panel.y, yLimits, 0, tall);
  /** @param {number} value */
  const down = (value) => bottom - height(value);
  for (const [value, text] of [
    [yLimits[0], low],
    [yLimits[1], high],
  ]) {
    pen.text(left - 6, down(Number(value)), String(text), { size: SIZE, fill: theme.muted, anchor: "end" });
  }
  pen.line(
    [
      [left, bottom],
      [left + wide, bottom],
    ],
    theme.rule,
  );
  pen.line(
    [
      [left, top],
      [left + wide, top],
    ],
    theme.rule,
    0.5,
  );
  const ends = [xLimits[0], xLimits[1]].map((value) => spelled(value));
  pen.text(left, bottom + line() * 0.7, ends[0], { size: SIZE, fill: theme.muted });
  pen.text(left + wide, bottom + line() * 0.7, ends[1], { size: SIZE, fill: theme.muted, anchor: "end" });
  const name = fitted(panel.x.name, wide - widthOf(ends[0], SIZE) - widthOf(ends[1], SIZE) - 16, SIZE);
  pen.text(left + wide / 2, bottom + line() * 0.7, name, { size: SIZE, fill: theme.muted, anchor: "middle" });
  for (const each of series) {
    const points = each.x
      .map((value, nth) => [value, numberOf(each.y[nth])])
      .filter(([, value]) => Number.isFinite(value) && (!panel.y.log || value > 0))
      .map(([x, y]) => [right(x), Math.min(Math.max(down(y), top), bottom)]);
    if (points.length) stroke(pen, points, each, theme);
    if (each.dots) for (const [x, y] of points) pen.dot(x, y, 3, colourOf(each, theme));
  }
  return { left, top, wide, tall, right, down };
}

/**
 * @param {Axis} axis
 * @param {[number, number]} limits
 * @param {number} from
 * @param {number} room
 */
function scale(axis, limits, from, room) {
  const [low, high] = axis.log ? limits.map(Math.log) : limits;
  /** @param {number} value */
  return (value) => from + (((axis.log ? Math.log(value) : value) - low) / (high - low || 1)) * room;
}

/**
 * @param {Series} series
 * @param {Theme} theme
 */
const colourOf = (series, theme) => (series.accent ? theme.accent : series.muted ? theme.muted : theme.ink);

// A line, whole or in dashes: lines differ not by colour alone.
/**
 * @param {Pen} pen
 * @param {number[][]} points
 * @param {Series} series
 * @param {Theme} theme
 */
function stroke(pen, points, series, theme) {
  const [colour, thick] = [colourOf(series, theme), series.accent ? 2.25 : 1.5];
  const rounded = points.map((point) => point.map((place) => Number(place.toFixed(1))));
  if (!series.dashed) {
    pen.line(rounded, colour, thick);
    return;
  }
  let travelled = 0;
  for (let nth = 1; nth < rounded.length; nth++) {
    const [[x0, y0], [x1, y1]] = [rounded[nth - 1], rounded[nth]];
    const length = Math.hypot(x1 - x0, y1 - y0);
    for (let start = -(travelled % (2 * DASH)); start < length; start += 2 * DASH) {
      const [from, to] = [Math.max(start, 0), Math.min(start + DASH, length)];
      if (to <= from) continue;
      /** @param {number} along */
      const placeOf = (along) => [x0 + ((x1 - x0) * along) / length, y0 + ((y1 - y0) * along) / length];
      pen.line([placeOf(from), placeOf(to)], colour, thick);
    }
    travelled += length;
  }
}
