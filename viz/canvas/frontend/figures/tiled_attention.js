// Attention of one head, tile after tile: the map as far as it is computed, and what is kept of each query.

/** @typedef {import("../types.js").TiledAttentionHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Root} Root */
/** @typedef {import("../types.js").Pen} Pen */

import { colourOf, colourTable, FULL } from "../lib/cells.js";
import { asSvg, fitted, onCanvas, widthOf } from "../lib/drawing.js";
import { countDrawing, drawings, legible, rootOf, unpack } from "../lib/page_state.js";
import { canvasBelowSliders } from "../lib/sliders.js";

const NARROW = 700;
const [SIZE, TITLE] = [12, 13];
const [CELL, WORDS, GAP] = [24, 70, 28];
const COLUMNS = ["correction", "maximum", "sum"];

const line = () => legible(SIZE) * 1.7;

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  Object.assign(view, { header, arrays, post: (/** @type {unknown} */ state) => setTriggerValue("state", state) });
  view.state = view.controls.receive(header.sliders, header.state, header.acknowledged);
  drawings.set(header.key, () => asSvg(view.wide, view.tall, view.header.theme, (pen) => draw(view, pen)));
  arrange(view);
}

/** @param {Root} root */
function build(root) {
  const view = canvasBelowSliders(root, arrange);
  root.advance = (delta) => view.controls.step(view.header.sliders[0].name, delta);
  return view;
}

/** @param {View} view */
function arrange(view) {
  const { root, header, canvas } = view;
  if (!header || !root.clientWidth) return;
  view.wide = root.clientWidth;
  const count = header.tokens.length;
  const narrow = view.wide < NARROW;
  const map = narrow ? view.wide - WORDS : Math.min(view.wide * 0.42 - WORDS, CELL * count);
  const title = legible(TITLE) * 1.9;
  view.place = { narrow, title, cell: Math.min(CELL, map / count) };
  const rows = Math.min(header.tile[0], count);
  const list = title + (rows + 1) * line() + line() * 1.5;
  const below = title + view.place.cell * count + line();
  view.tall = Math.ceil(narrow ? below + list : Math.max(below, list));
  onCanvas(canvas, view.wide, view.tall, header.theme, (pen) => draw(view, pen));
  const done = view.state[header.sliders[0].name];
  canvas.setAttribute("aria-label", `${done} of ${header.places.length} tiles are done. The table has the numbers.`);
  countDrawing(root);
}

/**
 * @param {View} view
 * @param {Pen} pen
 */
function draw(view, pen) {
  const { header, place, state } = view;
  const done = state[header.sliders[0].name];
  const title = `${done} of ${header.places.length} tiles`;
  pen.text(0, legible(TITLE) * 0.7, title, { size: TITLE, weight: 600 });
  drawMap(view, pen, done);
  const left = place.narrow ? 0 : WORDS + place.cell * header.tokens.length + GAP;
  const top = place.narrow ? place.title + place.cell * header.tokens.length + line() : 0;
  drawKept(view, pen, done, left, top);
}

// The last tile up to `done` that this query is in; −1: none.
/**
 * @param {Header} header
 * @param {number} done
 * @param {number} query
 */
function lastTile({ places, tile }, done, query) {
  for (let step = done - 1; step >= 0; step--) {
    const [start] = places[step];
    if (query >= start && query < start + tile[0]) return step;
  }
  return -1;
}

// A cell that is computed has the weight that its key has among the keys so far: exp(score − maximum) / sum.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {number} done
 */
function drawMap({ header, arrays, place }, pen, done) {
  const { theme, tokens, tile, places, skipped } = header;
  const { cell, title } = place;
  const count = tokens.length;
  const colours = colourTable(theme, "weights");
  const size = Math.min(SIZE, cell * 0.8);
  tokens.forEach((token, query) => {
    const y = title + query * cell;
    if (cell >= 10) {
      const word = fitted(token, WORDS - 8, size);
      pen.text(WORDS - 6, y + cell / 2, word, { size, fill: theme.muted, anchor: "end" });
    }
    const step = lastTile(header, done, query);
    if (step < 0) return;
    const row = step * tile[0] + query - places[step][0];
    const [maximum, sum] = [arrays.maximum.values[row], arrays.sum.values[row]];
    const seen = Math.min(count, places[step][1] + tile[1]);
    for (let key = 0; key < seen; key++) {
      const score = arrays.scores.values[query * count + key];
      if (score === Number.NEGATIVE_INFINITY) continue;
      const weight = sum > 0 ? Math.exp(score - maximum) / sum : 0;
      const code = Math.round(Math.min(weight, 1) * FULL);
      pen.rect(WORDS + key * cell, y, cell + 0.3, cell + 0.3, colourOf(colours, code));
    }
  });
  /** @param {number[]} start @returns {[number, number, number, number]} */
  const box = ([query, key]) => [
    WORDS + key * cell,
    title + query * cell,
    Math.min(tile[1], count - key) * cell,
    Math.min(tile[0], count - query) * cell,
  ];
  for (const start of skipped) pen.absent(...box(start));
  for (const start of places) pen.frame(...box(start), theme.rule, 0.75);
  pen.frame(WORDS, title, count * cell, count * cell, theme.rule, 1);
  if (done > 0) pen.frame(...box(places[done - 1]), theme.accent, 2.5);
}

/** @param {number} value */
const short = (value) =>
  Number.isFinite(value)
    ? (value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(1) : value.toFixed(3)).replaceAll("-", "−")
    : "–";

// What is kept of the queries of the current tile: nothing else of the map is needed any more.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {number} done
 * @param {number} left
 * @param {number} top
 */
function drawKept({ header, arrays, wide, place }, pen, done, left, top) {
  const { theme, tokens, tile, places } = header;
  pen.text(left, top + legible(TITLE) * 0.7, fitted("kept of the queries of this tile", wide - left, TITLE, 600), {
    size: TITLE,
    weight: 600,
  });
  if (!done) return;
  const [start] = places[done - 1];
  const rows = Math.min(tile[0], tokens.length - start);
  const channels = arrays.output.shape[2];
  const word = place.narrow ? 58 : 84;
  const number = place.narrow ? 62 : 82;
  const strip = left + word + COLUMNS.length * number;
  const across = Math.max(1, (wide - strip) / channels);
  const head = top + place.title + line() / 2;
  const names = ["× correction", "maximum", "sum"];
  names.forEach((name, column) =>
    pen.text(left + word + column * number, head, fitted(name, number - 6, SIZE), { size: SIZE, fill: theme.muted }),
  );
  pen.text(strip, head, fitted("output ÷ sum", wide - strip, SIZE), { size: SIZE, fill: theme.muted });
  /** @param {number} row @param {number} channel */
  const outputOf = (row, channel) => {
    const place0 = (done - 1) * tile[0] + row;
    return arrays.output.values[place0 * channels + channel] / (arrays.sum.values[place0] || 1);
  };
  let limit = 1e-9;
  for (let row = 0; row < rows; row++)
    for (let channel = 0; channel < channels; channel++) limit = Math.max(limit, Math.abs(outputOf(row, channel)));
  const colours = colourTable(theme, "signed");
  for (let row = 0; row < rows; row++) {
    const y = head + line() * (row + 1);
    pen.text(left, y, fitted(tokens[start + row], word - 8, SIZE), { size: SIZE });
    COLUMNS.forEach((name, column) => {
      const value = arrays[name].values[(done - 1) * tile[0] + row];
      pen.text(left + word + column * number, y, short(value), { size: SIZE });
    });
    for (let channel = 0; channel < channels; channel++) {
      const code = Math.round((outputOf(row, channel) / limit / 2 + 0.5) * FULL);
      pen.rect(strip + channel * across, y - line() * 0.38, across + 0.3, line() * 0.76, colourOf(colours, code));
    }
  }
  const range = `colours: −${short(limit)} to ${short(limit)}`;
  if (widthOf(range, SIZE) < wide - left)
    pen.text(left, head + line() * (rows + 1.1), range, { size: SIZE, fill: theme.muted });
}
