// A table of costs, a row for each thing that is compared, and below it charts against n with the same marks.

import { fitted, widthOf } from "./drawing.js";
import { drawLogChart, MARKS } from "./log_chart.js";
import { legible, projected } from "./page_state.js";

/** @typedef {import("../types.d.ts").Pen} Pen */
/** @typedef {import("../types.d.ts").Theme} Theme */
/**
 * share: of the width; room: whether it is shown on a projector.
 * @typedef {{ heading: string, short: string, share: number, room?: boolean }} Column
 */
/** @typedef {{ label: string, mark: string, colour: string, cells: string[] }} Row */
/**
 * lines: texts between the table and the charts, each line in columns; stops: the first and the last n of the charts.
 * @typedef {{ columns: Column[], rows: Row[], lines: string[][], charts: any[], stops: number[], now: number }} Sheet
 */

export const NARROW = 700; // pixels
const SIZE = 13; // of the letters
const [CHART, GAP] = [190, 28];
const NAME = 1.75; // the share of the names
const PLACES = [0, 0.26, 0.6]; // of the columns of a line

const line = () => legible(SIZE) * 1.75;

// A room reads some columns and two charts; the rest is for those who sit at a desk.
/** @param {Sheet} sheet @returns {Sheet} */
function inRoom(sheet) {
  if (!projected()) return sheet;
  const shown = sheet.columns.map(({ room }) => Boolean(room));
  return {
    ...sheet,
    columns: sheet.columns.filter((_, place) => shown[place]),
    rows: sheet.rows.map((row) => ({ ...row, cells: row.cells.filter((_, place) => shown[place]) })),
    lines: [],
    charts: sheet.charts.slice(0, 2),
  };
}

// On a phone the charts stand below each other.
/** @param {number} width @param {number} charts */
const across = (width, charts) => (width < NARROW ? 1 : charts);

/**
 * @param {number} width
 * @param {{ rows: number, columns: number, lines: number, charts: number }} counts
 */
function placesOf(width, { rows, columns, lines, charts }) {
  if (projected()) [lines, charts] = [0, Math.min(charts, 2)];
  const narrow = width < NARROW;
  const row = narrow ? line() * 0.92 * (1 + Math.ceil(columns / 2)) + 10 : line();
  const table = (narrow ? 0 : line()) + rows * row + 8;
  const text = lines ? line() * lines + 8 : 0;
  const count = across(width, charts);
  return { row, table, text, charts, tall: CHART + legible(SIZE) * 6, wide: (width - GAP * (count - 1)) / count };
}

/**
 * @param {number} width
 * @param {{ rows: number, columns: number, lines: number, charts: number }} counts
 */
export function sheetHeight(width, counts) {
  const { table, text, tall, charts } = placesOf(width, counts);
  return Math.ceil(table + text + (charts / across(width, charts)) * (tall + 12));
}

/**
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {number} width
 * @param {Sheet} sheet
 */
export function drawSheet(pen, theme, width, sheet) {
  const shown = inRoom(sheet);
  const { columns, rows, lines, charts, stops, now } = shown;
  const counts = { rows: rows.length, columns: columns.length, lines: lines.length, charts: charts.length };
  const { row, table, text, tall, wide } = placesOf(width, counts);
  if (width < NARROW) drawCards(pen, theme, width, shown, row);
  else drawTable(pen, theme, width, shown);
  lines.forEach((parts, number) =>
    parts.forEach((part, place) => {
      const left = parts.length > 1 ? PLACES[place] * width : 0;
      const room = parts.length > 1 ? ((PLACES[place + 1] ?? 1) - PLACES[place]) * width - 8 : width;
      const fill = place || parts.length === 1 ? theme.ink : theme.muted;
      pen.text(left, table + line() * (number + 0.5), fitted(part, room, SIZE), { size: SIZE, fill });
    }),
  );
  const count = across(width, charts.length);
  charts.forEach((chart, number) => {
    const y = table + text + Math.floor(number / count) * (tall + 12) + 8;
    const box = { x: (number % count) * (wide + GAP), y, wide, tall };
    drawLogChart(pen, theme, box, { from: stops[0], to: stops[1], ...chart, now });
  });
}

/**
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {number} width
 * @param {Sheet} sheet
 */
function drawTable(pen, theme, width, { columns, rows }) {
  const unit = width / columns.reduce((total, { share }) => total + share, NAME);
  let x = NAME * unit;
  const starts = columns.map(({ share }) => {
    x += share * unit;
    return x - share * unit;
  });
  const size = projected() ? SIZE : SIZE - 1;
  columns.forEach(({ heading, share }, place) => {
    const style = { size, fill: theme.muted };
    pen.text(starts[place], line() / 2, fitted(heading, share * unit - 10, size), style);
  });
  rows.forEach(({ label, mark, colour, cells }, number) => {
    const top = line() * (number + 1);
    pen.line(
      [
        [0, top],
        [width, top],
      ],
      theme.rule,
      0.75,
    );
    MARKS[mark](pen, 6, top + line() / 2, colour);
    const name = fitted(label, NAME * unit - 28, SIZE, 600);
    pen.text(18, top + line() / 2, name, { size: SIZE, weight: 600, fill: colour });
    cells.forEach((cell, place) => {
      pen.text(starts[place], top + line() / 2, fitted(cell, columns[place].share * unit - 10, SIZE), { size: SIZE });
    });
  });
}

// On a phone each row is a card of a few lines.
/**
 * @param {Pen} pen
 * @param {Theme} theme
 * @param {number} width
 * @param {Sheet} sheet
 * @param {number} tall
 */
function drawCards(pen, theme, width, { columns, rows }, tall) {
  const step = line() * 0.92;
  rows.forEach(({ label, mark, colour, cells }, number) => {
    const top = number * tall;
    pen.line(
      [
        [0, top],
        [width, top],
      ],
      theme.rule,
      0.75,
    );
    MARKS[mark](pen, 6, top + step * 0.65, colour);
    pen.text(18, top + step * 0.65, fitted(label, width - 18, SIZE, 600), { size: SIZE, weight: 600, fill: colour });
    cells.forEach((cell, place) => {
      const left = place % 2 ? width * 0.53 : 0;
      const y = top + step * (1.6 + Math.floor(place / 2));
      pen.text(left, y, columns[place].short, { size: SIZE - 2, fill: theme.muted });
      const shift = widthOf(columns[place].short, SIZE - 2) + 6;
      pen.text(left + shift, y, fitted(cell, width * 0.47 - shift, SIZE - 1), { size: SIZE - 1 });
    });
  });
}
