// A small chart on two logarithmic axes. A line has a colour and a mark, so that it differs not by colour alone.

import { fitted, widthOf } from "./drawing.js";
import { legible } from "./page_state.js";

/** @typedef {import("../types.d.ts").Pen} Pen */
/** @typedef {import("../types.d.ts").Theme} Theme */
/** @typedef {{ x: number, y: number, wide: number, tall: number }} Box */
/**
 * points: where the marks stand; line: what is drawn through or beside them; mark: a key of MARKS, null: none.
 * @typedef {{ points: number[][], line: number[][], colour: string, mark: string | null, thick: number }} Line
 */
/** A position on the axis with what is written there. @typedef {{ x: number, label: string, colour: string }} Flag */

const SIZE = 12; // of the letters
const row = () => legible(SIZE) * 1.4;

/** @type {Record<string, (pen: Pen, x: number, y: number, colour: string) => void>} */
export const MARKS = {
  dot: (pen, x, y, colour) => pen.dot(x, y, 4, colour),
  square: (pen, x, y, colour) => pen.rect(x - 3.5, y - 3.5, 7, 7, colour),
  frame: (pen, x, y, colour) => pen.frame(x - 3.5, y - 3.5, 7, 7, colour, 1.75),
  cross: (pen, x, y, colour) => {
    pen.line(
      [
        [x - 4, y - 4],
        [x + 4, y + 4],
      ],
      colour,
      1.75,
    );
    pen.line(
      [
        [x - 4, y + 4],
        [x + 4, y - 4],
      ],
      colour,
      1.75,
    );
  },
  triangle: (pen, x, y, colour) =>
    pen.line(
      [
        [x - 4, y + 3.5],
        [x, y - 4],
        [x + 4, y + 3.5],
        [x - 4, y + 3.5],
        [x, y - 4],
      ],
      colour,
      1.75,
    ),
};

// The room that a chart needs above and below its box.
export const chartHead = () => legible(SIZE + 1) * 1.9;
export const chartFoot = () => row() * 2 + 6;

/**
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {Box} box the whole place of the chart, head and foot included
 * @param {{ title: string, spell: (value: number) => string, from: number, to: number, lines: Line[], flags: Flag[],
 *   now: number, base?: number }} chart
 */
export function drawLogChart(pen, theme, box, { title, spell, from, to, lines, flags, now, base = 10 }) {
  pen.text(box.x, box.y + legible(SIZE + 1) * 0.6, fitted(title, box.wide, SIZE + 1, 600), {
    size: SIZE + 1,
    weight: 600,
  });
  const [top, bottom] = [box.y + chartHead(), box.y + box.tall - chartFoot()];
  const values = lines.flatMap(({ points, line }) => [...points, ...line].map(([, y]) => y)).filter((y) => y > 0);
  if (!values.length) return;
  /** @param {number} value */
  const power = (value) => Math.log(value) / Math.log(base);
  const low = Math.floor(power(Math.min(...values)) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(power(Math.max(...values)) - 1e-9));
  const every = Math.ceil(((high - low) * row() * 1.3) / (bottom - top));
  const ticks = [];
  for (let step = low; step <= high; step += every) ticks.push(base ** step);
  /** @param {number} value */
  const written = (value) => spell(value).replace(/\.0+(?= |$)/, "");
  const left = box.x + Math.max(...ticks.map((value) => widthOf(written(value), SIZE))) + 8;
  const right = box.x + box.wide - 6;
  /** @param {number} x */
  const across = (x) => left + (Math.log(x / from) / Math.log(to / from)) * (right - left);
  /** @param {number} y */
  const down = (y) => bottom - ((power(y) - low) / (high - low)) * (bottom - top);
  for (const value of ticks) {
    pen.line(
      [
        [left, down(value)],
        [right, down(value)],
      ],
      theme.rule,
      value === ticks[0] ? 1 : 0.5,
    );
    pen.text(left - 6, down(value), written(value), { size: SIZE, fill: theme.muted, anchor: "end" });
  }
  drawLengths(pen, theme, { left, right, y: bottom + row() * 0.7, from, to, across });
  if (now >= from && now <= to)
    pen.line(
      [
        [across(now), top],
        [across(now), bottom],
      ],
      theme.muted,
      1,
    );
  for (const { points, line, colour, mark, thick } of lines) {
    /** @param {number[][]} pairs */
    const placed = (pairs) =>
      pairs.filter(([, y]) => y > 0).map(([x, y]) => [Number(across(x).toFixed(1)), Number(down(y).toFixed(1))]);
    if (line.length > 1) pen.line(placed(line), colour, thick);
    if (mark) for (const [x, y] of placed(points)) MARKS[mark](pen, x, y, colour);
  }
  flags.forEach(({ x, label, colour }, place) => {
    const shown = Math.min(Math.max(x, from), to);
    for (let y = top; y < bottom; y += 8)
      pen.line(
        [
          [across(shown), y],
          [across(shown), Math.min(y + 4, bottom)],
        ],
        colour,
        1.25,
      );
    const text = fitted(label, right - box.x, SIZE);
    const ends = across(shown) + widthOf(text, SIZE) > right;
    pen.text(ends ? right : across(shown), bottom + row() * (1.7 + place), text, {
      size: SIZE,
      fill: colour,
      anchor: ends ? "end" : "start",
    });
  });
}

/**
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {{ left: number, right: number, y: number, from: number, to: number, across: (x: number) => number }} axis
 */
function drawLengths(pen, theme, { left, right, y, from, to, across }) {
  const most = Math.max(2, Math.floor((right - left) / (widthOf("65,536", SIZE) + 14)));
  const doublings = Math.round(Math.log2(to / from));
  const every = Math.max(1, Math.ceil(doublings / (most - 1)));
  for (let power = 0; power <= doublings; power += every) {
    const n = from * 2 ** power;
    const label = power === 0 ? `n ${n}` : n.toLocaleString("en-GB");
    const anchor = power === 0 ? "start" : power === doublings ? "end" : "middle";
    pen.text(across(n), y, label, { size: SIZE, fill: theme.muted, anchor });
  }
}
