// A, B and A − B: one head large, every head small, and how far the prediction after each word has moved.

/** @typedef {import("../types.js").CompareHeader} Header */
/** A cell of a large map, or a small map.
 * @typedef {{ small: false, row: number, column: number, px: number, py: number }
 *   | { small: true, layer: number, head: number, px: number, py: number }} Hit
 */
/** What this figure keeps.
 * @typedef {object} Own
 * @property {HTMLCanvasElement} maps
 * @property {HTMLCanvasElement} lit
 * @property {HTMLElement} heads
 * @property {HTMLElement} tip
 * @property {{ values: Float32Array, shape: number[] }} large
 * @property {Float32Array} change
 * @property {{ cells: import("../types.js").Cells, colours: Uint8ClampedArray, title: string }[]} sides
 * @property {string[][]} titles
 * @property {Record<"size" | "small" | "above" | "across" | "block" | "height" | "layers" | "count", number> &
 *   { narrow: boolean }} place
 * @property {(layer: number, head: number) => void} choose
 * @property {(row: number | null) => void} pin
 */
/** @typedef {import("../types.js").View<Header, Own>} View */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").Theme} Theme */
/** @typedef {import("../types.js").Root} Root */

import { ABSENT, colourTable, FULL, mapImage, NOT_A_NUMBER } from "../lib/cells.js";
import { asSvg, drawSigns, fitted, linesOf, onCanvas, widthOf } from "../lib/drawing.js";
import { placeHead, setHeads } from "../lib/head_buttons.js";
import {
  countDrawing,
  drawings,
  element,
  hover,
  hoveredRow,
  legible,
  listen,
  pointer,
  projected,
  rootOf,
  unpack,
} from "../lib/page_state.js";
import { tokenLabels } from "../lib/token_labels.js";
import { showTooltip, tooltip } from "../lib/tooltip.js";
import { powerOfTen } from "../lib/values.js";

const WORDS = 74; // room for the words left of the first map
const TITLE = 22; // a line of a title
const ABOVE = 62; // room for the words above a map
const HEAD = 42; // above the bars where they stand below
const BARS = 92; // room for the bars at the right
const ROUNDING = 1e-9; // a smaller change is none; as in viz/pages/remove/summary.py
const LINE = 18; // pixels a word, where the bars stand below

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  const weights = colourTable(header.theme, "weights");
  Object.assign(view, {
    header,
    large: arrays.large, // (3, T, T) exact: A, B, A − B; NaN where not allowed
    change: arrays.change.values, // (T,) how far each prediction moved
    sides: ["a", "b", "difference"].map((name, side) => ({
      cells: arrays[name],
      colours: side < 2 ? weights : colourTable(header.theme, "signed"),
      title: header.titles[side],
    })),
    choose: (/** @type {number} */ layer, /** @type {number} */ head) => setTriggerValue("head", [layer, head]),
    pin: (/** @type {number} */ row) => setTriggerValue("pin", { row }),
  });
  const stop = listen(key, () => light(view));
  drawings.set(header.key, () =>
    asSvg(root.clientWidth, view.place.height, header.theme, (pen) => draw(view, pen, header.row)),
  );
  arrange(view);
  return stop;
}

/** @param {Root} root */
function build(root) {
  const maps = element("canvas", "maps");
  const lit = element("canvas", "lit");
  const heads = element("div", "heads");
  const tip = tooltip();
  root.append(maps, lit, heads, tip);
  const view = /** @type {View} */ (/** @type {unknown} */ ({ root, maps, lit, heads, tip }));
  root.onpointermove = (/** @type {PointerEvent} */ event) => point(view, event);
  root.onpointerleave = () => {
    tip.hidden = true;
    hover(null);
  };
  root.onclick = (/** @type {PointerEvent} */ event) => {
    const hit = find(view, event);
    if (hit?.small) view.choose(hit.layer, hit.head);
    else if (hit) view.pin(view.header.pinned && view.header.row === hit.row ? null : hit.row);
  };
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}

// Where everything stands, from the width alone; on a narrow screen the three sides stand below each other.
/** @param {View} view */
function arrange(view) {
  const { root, header, sides, heads } = view;
  if (!header || !root.clientWidth) return;
  const [all, count] = sides[0].cells.shape;
  const layers = projected() ? 0 : all; // a room sees the one large head
  const tokens = header.tokens.length;
  const narrow = root.clientWidth < 700;
  const columns = narrow ? 1 : 3;
  const barRoom = Math.max(BARS, ...header.measure.map((line) => widthOf(line, 11) + 14));
  const across = (root.clientWidth - WORDS - (narrow ? 0 : barRoom)) / columns;
  const room = Math.min(across - 16, narrow ? 300 : 330);
  view.titles = sides.map(({ title }) => linesOf(title, across - 12, 15, 600));
  const above = TITLE * Math.max(...view.titles.map((/** @type {string[]} */ lines) => lines.length)) + ABOVE;
  const size = tokens <= room / 4 ? Math.floor(room / tokens) * tokens : Math.floor(room);
  const small = Math.min(Math.floor((size + 8) / count) - 6, 64);
  const block = above + size + (layers ? 22 + layers * (small + 6) + 10 : 8);
  const below = narrow ? HEAD + tokens * LINE + 10 : 0;
  const height = narrow ? block * 3 + below : block;
  view.place = { size, small, above, across, block, height, narrow, layers, count };
  root.style.height = `${height}px`;
  setHeads(heads, all, count, (layer, head) => view.choose(layer, head));
  heads.hidden = !layers;
  const chosen = header.selected[0] * count + header.selected[1];
  [...heads.children].forEach((button, headIndex) => {
    const [layer, head] = [Math.floor(headIndex / count), headIndex % count];
    const [left, top] = corner(view, 0, layer, head);
    placeHead(
      /** @type {HTMLButtonElement} */ (button),
      { left, top, width: small, height: small },
      `Layer ${layer}, head ${head}`,
      headIndex === chosen,
    );
  });
  onCanvas(view.maps, root.clientWidth, height, header.theme, (pen) => draw(view, pen, null));
  countDrawing(root);
  light(view);
}

// The corner of a side's large map, and of one of its small maps.
/**
 * @param {View} view
 * @param {number} side
 */
function origin({ place }, side) {
  return place.narrow ? [WORDS, side * place.block + place.above] : [WORDS + side * place.across, place.above];
}

/**
 * @param {View} view
 * @param {number} side
 * @param {number} layer
 * @param {number} head
 * @returns {[number, number]}
 */
function corner(view, side, layer, head) {
  const [x, y] = origin(view, side);
  const { size, small } = view.place;
  return [x + head * (small + 6), y + size + 22 + layer * (small + 6)];
}

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {number | null} row
 */
function draw(view, pen, row) {
  const { header, place, sides, large } = view;
  const { theme, tokens } = header;
  const { every, size: type, turn } = tokenLabels(place.size / tokens.length, tokens.length);
  /**
   * @param {ImageData} image
   * @param {number} x
   * @param {number} y
   * @param {number} size
   */
  const map = (image, x, y, size) => {
    pen.absent(x, y, size, size);
    pen.image(image, x, y, size, size);
  };
  sides.forEach(({ cells, colours }, side) => {
    const [x, y] = origin(view, side);
    view.titles[side].forEach((/** @type {string} */ line, /** @type {number} */ lineIndex) => {
      pen.text(x, y - place.above + 10 + lineIndex * TITLE, line, { size: 15, weight: 600 });
    });
    if (side === 2) drawSides(theme, pen, x + widthOf(view.titles[2][0], 15, 600) + 14, y - place.above + 10);
    map(largeImage(large, side, colours), x, y, place.size);
    const area = tokens.length ** 2;
    drawSigns(
      pen,
      theme,
      large.values.subarray(side * area, (side + 1) * area),
      tokens.length,
      x,
      y,
      place.size / tokens.length,
    );
    tokens.forEach((token, tokenIndex) => {
      if (tokenIndex % every) return;
      const middle = ((tokenIndex + 0.5) / tokens.length) * place.size;
      const named = side === 0 || place.narrow;
      if (named) pen.text(x - 6, y + middle, fitted(token, WORDS - 8, type), { size: type, anchor: "end" });
      pen.text(x + middle, y - 5, fitted(token, ABOVE - 4, type), { size: type, fill: theme.muted, turn });
    });
    for (let layer = 0; layer < place.layers; layer++) {
      for (let head = 0; head < place.count; head++) {
        map(mapImage(cells, colours, layer, head), ...corner(view, side, layer, head), place.small);
      }
      const [left, top] = corner(view, side, layer, 0);
      const named = side === 0 || place.narrow;
      if (named) pen.text(left - 8, top + place.small / 2, `layer ${layer}`, { fill: theme.muted, anchor: "end" });
    }
  });
  drawChange(view, pen);
  if (row !== null) frame(view, pen, row);
}

// The row that is read and the head that is large, on all three sides.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {number} row
 */
function frame(view, pen, row) {
  const { header, place } = view;
  const tall = place.size / header.tokens.length;
  for (let side = 0; side < 3; side++) {
    const [x, y] = origin(view, side);
    pen.frame(x - 0.5, y + row * tall, place.size + 1, Math.max(tall, 3), header.theme.accent, 1.5);
    if (!place.layers) continue;
    const [left, top] = corner(view, side, ...header.selected);
    pen.frame(left - 2, top - 2, place.small + 4, place.small + 4, header.theme.accent, 2);
  }
}

// Which colour of the difference belongs to which side.
/**
 * @param {Theme} theme
 * @param {Pen} pen
 * @param {number} left
 * @param {number} middle
 */
function drawSides({ signed }, pen, left, middle) {
  for (const [label, fill] of [
    ["A attends more", signed[signed.length - 2]],
    ["B attends more", signed[1]],
  ]) {
    pen.text(left, middle, label, { fill });
    left += widthOf(label) + 12;
  }
}

// How far the model's prediction has moved, word by word: right of the difference, in its rows, or below it.
/**
 * @param {View} view
 * @param {Pen} pen
 */
function drawChange({ header, place, change }, pen) {
  const { theme, tokens } = header;
  const most = Math.max(...change.filter(Number.isFinite), 1e-9);
  const mutedText = { size: 11, fill: theme.muted };
  const tall = place.narrow ? LINE : place.size / change.length;
  const left = place.narrow ? WORDS : WORDS + 2 * place.across + place.size + 14;
  const top = place.narrow ? 3 * place.block + HEAD : place.above;
  const room = place.narrow ? place.size - 58 : BARS - 58;
  if (place.narrow) pen.text(left, top - 16, header.measure.join(" "), mutedText);
  else
    header.measure.forEach((line, lineIndex) =>
      pen.text(left, top - 12 - legible(14) * (header.measure.length - 1 - lineIndex), line, mutedText),
    );
  /** @param {number} tokenIndex */
  const named = (tokenIndex) => tall >= legible(11) * 0.9 || change[tokenIndex] === most;
  change.forEach((/** @type {number} */ kl, /** @type {number} */ tokenIndex) => {
    if (place.narrow)
      pen.text(left - 6, top + (tokenIndex + 0.5) * tall, fitted(tokens[tokenIndex], WORDS - 8, 13), {
        size: 13,
        anchor: "end",
      });
    const long = Number.isFinite(kl) ? (kl / most) * room : room;
    pen.rect(left, top + (tokenIndex + 0.25) * tall, long, Math.max(tall / 2, 1), theme.accent);
    if (named(tokenIndex)) pen.text(left + long + 4, top + (tokenIndex + 0.5) * tall, formatChange(kl), mutedText);
  });
}

/** @param {number} kl */
export const formatChange = (kl) =>
  !Number.isFinite(kl)
    ? "no number"
    : kl >= 100
      ? Math.round(kl).toLocaleString("en")
      : kl > ROUNDING && kl < 0.005 // two decimals would be those of no change
        ? powerOfTen(kl, 0)
        : Math.max(kl, 0).toFixed(2);

/**
 * @param {{ values: Float32Array, shape: number[] }} large
 * @param {number} side
 * @param {Uint8ClampedArray} colours
 */
function largeImage({ values, shape }, side, colours) {
  const [, rows, columns] = shape;
  const image = new ImageData(columns, rows);
  for (let cell = 0; cell < rows * columns; cell++) {
    const value = values[side * rows * columns + cell];
    // NaN: not allowed. Infinity: allowed, and not a number.
    const finite = Math.round(side < 2 ? value * FULL : ((value + 1) / 2) * FULL);
    const code = Number.isNaN(value) ? ABSENT : value === Infinity ? NOT_A_NUMBER : finite;
    image.data.set(colours.subarray(code * 4, code * 4 + 4), cell * 4);
  }
  return image;
}

/** @param {View} view */
function light(view) {
  const { header, place, lit, root } = view;
  if (!place || !root.clientWidth) return;
  const row = Math.min(hoveredRow() ?? header.row, header.tokens.length - 1);
  onCanvas(lit, root.clientWidth, place.height, header.theme, (pen) => frame(view, pen, row));
}

// What is under the pointer: a cell of a large map, or a small map.
/**
 * @param {View} view
 * @param {PointerEvent | MouseEvent} event
 * @returns {Hit | null}
 */
function find(view, event) {
  const { root, place, header } = view;
  const [px, py] = pointer(root, event);
  for (let side = 0; side < 3; side++) {
    const [x, y] = origin(view, side);
    const tokens = header.tokens.length;
    const [column, row] = [px - x, py - y].map((offset) => Math.floor((offset / place.size) * tokens));
    if (column >= 0 && row >= 0 && column < tokens && row < tokens) return { small: false, row, column, px, py };
    const [left, top] = corner(view, side, 0, 0);
    const [head, layer] = [px - left, py - top].map((offset) => Math.floor(offset / (place.small + 6)));
    if (layer >= 0 && head >= 0 && layer < place.layers && head < place.count) {
      return { small: true, layer, head, px, py };
    }
  }
  return null;
}

/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function point(view, event) {
  const { tip, header, large, root } = view;
  const hit = find(view, event);
  tip.hidden = !hit;
  hover(hit && !hit.small ? hit.row : null);
  if (!hit) return;
  if (hit.small) {
    showTooltip(tip, [["what", `Layer ${hit.layer}, head ${hit.head}`]], hit.px, hit.py, root.clientWidth);
  } else {
    const tokens = header.tokens.length;
    /** @param {number} side */
    const value = (side) => large.values[(side * tokens + hit.row) * tokens + hit.column];
    /** @param {number} number */
    const format = (number) => (Number.isNaN(number) ? "–" : number === Infinity ? "not a number" : number.toFixed(3));
    const cell = `${header.tokens[hit.row]} → ${header.tokens[hit.column]}`;
    const values = `A ${format(value(0))}   B ${format(value(1))}   A − B ${format(value(2))}`;
    showTooltip(
      tip,
      [
        ["where", cell],
        ["what", values],
      ],
      hit.px,
      hit.py,
      root.clientWidth,
    );
  }
}
