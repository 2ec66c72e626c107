// Large maps beside each other, of the same words: a head's weights, its stages, a mask that can be painted.

/** @typedef {import("../types.js").MapsHeader} Header */
/** What this figure keeps.
 * @typedef {object} Own
 * @property {HTMLCanvasElement} maps
 * @property {HTMLCanvasElement} lit
 * @property {HTMLElement} tip
 * @property {HTMLElement} pad
 * @property {HTMLElement} slide
 * @property {HTMLElement} label
 * @property {HTMLInputElement} range
 * @property {{ allow: boolean, cells: Map<string, [number, number, boolean]> } | null} painting
 * @property {ReturnType<typeof posts>} posts
 * @property {Float32Array} frames
 * @property {Float32Array} values
 * @property {{ weight: Uint8ClampedArray, signed: Uint8ClampedArray }} colours
 * @property {(name: string, value: unknown) => void} trigger
 * @property {string | undefined} stepName
 * @property {number} step
 * @property {Record<"left" | "above" | "line" | "columns" | "across" | "cell", number> &
 *   Record<"wide" | "tall" | "block" | "top" | "height", number>} place
 */
/** @typedef {import("../types.js").View<Header, Own>} View */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").Root} Root */

import { ABSENT, colourTable, FULL, imageOf, NOT_A_NUMBER } from "../lib/cells.js";
import { asSvg, drawSigns, fitted, linesOf, onCanvas, widthOf } from "../lib/drawing.js";
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
import { posts } from "../lib/posts.js";
import { connectRange } from "../lib/sliders.js";
import { crowded, tokenLabels } from "../lib/token_labels.js";
import { showTooltip, tooltip } from "../lib/tooltip.js";

const GAP = 16; // between maps
const LEAST = 170; // pixels of a map, before the next one goes below
const LEAST_PROJECTED = 128; // a room has its screen wide, and no finger to hit a cell
const MOST = 440;
const TITLE = 14;
const SCALE = 26; // room below a map for its scale
const SLIDE = 34; // room above the maps for a slider
const WAIT = 200; // milliseconds that the slider rests before it is posted to Python

/** @param {import("../types.d.ts").Mount<Header, import("../types.d.ts").MapsArrays>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  Object.assign(view, {
    header,
    frames: arrays.values.values, // (steps, N, T, S) exact; NaN: not allowed, Infinity: allowed and not a number
    colours: { weight: colourTable(header.theme, "weights"), signed: colourTable(header.theme, "signed") },
    trigger: setTriggerValue,
  });
  setSlide(view);
  const stop = listen(key, () => light(view));
  drawings.set(header.key, () =>
    asSvg(root.clientWidth, view.place.height, header.theme, (pen) => draw(view, pen, header.row)),
  );
  arrange(view);
  return stop;
}

/** @param {Root} root */
function build(root) {
  const [maps, lit, tip] = [element("canvas", "maps"), element("canvas", "lit"), tooltip()];
  const pad = element("div", "pad"); // over the map to paint on: there a finger draws, elsewhere it scrolls
  const [slide, label, range] = [element("div", "slide"), element("label", "number"), element("input", "range")];
  range.type = "range";
  slide.append(label, range);
  root.append(maps, lit, pad, slide, tip);
  const view = /** @type {View} */ (
    /** @type {unknown} */ ({ root, maps, lit, tip, pad, slide, label, range, painting: null, posts: posts(WAIT) })
  );
  connectRange(
    range,
    view.posts,
    (stepIndex) => showStep(view, stepIndex),
    () => postStep(view),
  );
  range.onpointerdown = (event) => event.stopPropagation();
  root.onpointerdown = (/** @type {PointerEvent} */ event) => startPainting(view, event);
  root.onpointermove = (/** @type {PointerEvent} */ event) => (view.painting ? paint(view, event) : point(view, event));
  root.onpointerup = () => endPainting(view);
  root.onpointercancel = root.onpointerup;
  root.onpointerleave = () => {
    tip.hidden = true;
    hover(null);
  };
  root.onclick = (/** @type {PointerEvent} */ event) => {
    const hit = find(view, event);
    const { pins, paint, pinned, row } = view.header;
    if (hit && view.header.picks) view.trigger("pick", [hit.row, hit.column]);
    else if (hit && pins && hit.panel !== paint)
      view.trigger("pin", { row: pinned && row === hit.row ? null : hit.row });
  };
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}

// The same maps for several values of one number are all here: sliding picks one, letting go tells Python.
/** @param {View} view */
function setSlide(view) {
  const { header, slide, range } = view;
  const { step } = header;
  slide.hidden = !step;
  if (!step) {
    view.values = view.frames;
    return;
  }
  const news = view.posts.news(step.value, header.acknowledged ?? undefined);
  const kept = view.stepName === step.name && view.step < step.values.length && !news;
  view.stepName = step.name;
  Object.assign(range, { min: 0, max: step.values.length - 1, step: 1 });
  range.setAttribute("aria-label", step.name);
  pickStep(view, kept ? view.step : step.values.indexOf(step.value));
}

/**
 * @param {View} view
 * @param {number} stepIndex
 */
function pickStep(view, stepIndex) {
  const { header, frames, label, range } = view;
  const size = header.panels.length * header.query_tokens.length * header.key_tokens.length;
  view.step = stepIndex;
  view.values = frames.subarray(stepIndex * size, (stepIndex + 1) * size);
  header.titles[stepIndex].forEach((title, number) => (header.panels[number].title = title));
  range.value = String(stepIndex);
  const { name, values } = /** @type {NonNullable<Header["step"]>} */ (header.step);
  range.setAttribute("aria-valuetext", String(values[stepIndex]));
  label.textContent = `${name}: ${values[stepIndex]}`;
}

/**
 * @param {View} view
 * @param {number} stepIndex
 */
function showStep(view, stepIndex) {
  pickStep(view, stepIndex);
  onCanvas(view.maps, view.root.clientWidth, view.place.height, view.header.theme, (pen) => draw(view, pen, null));
}

/** @param {View} view */
function postStep(view) {
  view.posts.act(
    () => view.header.step?.values[view.step],
    (post) => view.trigger("step", post),
  );
}

// Where everything stands, from the width alone.
/** @param {View} view */
function arrange(view) {
  const { root, header } = view;
  if (!header || !root.clientWidth) return;
  const { query_tokens, key_tokens, panels } = header;
  /** @param {string[]} words */
  const longest = (words) => Math.max(...words.map((word) => widthOf(word, 13))); // no word is drawn larger
  const left = Math.min(longest(query_tokens), 92) + 12; // room for the query words
  const columns = Math.max(
    1,
    Math.min(panels.length, Math.floor((root.clientWidth - left) / ((projected() ? LEAST_PROJECTED : LEAST) + GAP))),
  );
  const across = (root.clientWidth - left) / columns;
  const lines = Math.max(...panels.map(({ title }) => (title ? titleOf(title, across).length : 0)));
  const line = legible(TITLE) * 1.25;
  const titles = lines ? lines * line + 4 : 0;
  const most = Math.max(query_tokens.length, key_tokens.length);
  const room = Math.min(across - GAP, MOST);
  const cell = most <= room / 4 ? Math.floor(room / most) : room / most; // whole pixels where they can be seen
  const { turn } = tokenLabels(cell, most);
  const above = titles + Math.min(longest(key_tokens), 92) * Math.sin((-turn * Math.PI) / 180) + 16;
  const [wide, tall] = [cell * key_tokens.length, cell * query_tokens.length];
  const block = above + tall + SCALE + 6;
  const top = header.step ? SLIDE : 0;
  const height = top + block * Math.ceil(panels.length / columns);
  view.place = { left, above, line, columns, across, cell, wide, tall, block, top, height };
  root.style.height = `${view.place.height}px`;
  // The stage looks for a width at which every word is named.
  root.toggleAttribute("data-crowded", crowded(cell));
  onCanvas(view.maps, root.clientWidth, view.place.height, header.theme, (pen) => draw(view, pen, null));
  view.pad.hidden = header.paint === null;
  if (header.paint !== null) {
    const [x, y] = origin(view, header.paint);
    Object.assign(view.pad.style, { left: `${x}px`, top: `${y}px`, width: `${wide}px`, height: `${tall}px` });
  }
  countDrawing(view.root);
  light(view);
}

/**
 * @param {string} title
 * @param {number} across
 */
const titleOf = (title, across) => linesOf(title, across - 8, TITLE, 600).slice(0, 2);

/**
 * @param {View} view
 * @param {number} panel
 */
function origin({ place }, panel) {
  const down = place.top + Math.floor(panel / place.columns) * place.block + place.above;
  return [place.left + (panel % place.columns) * place.across, down];
}

/**
 * @param {View} view
 * @param {number} panel
 * @param {number} row
 * @param {number} column
 */
const cellIndex = ({ header }, panel, row, column) =>
  (panel * header.query_tokens.length + row) * header.key_tokens.length + column;

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {number | null} row
 */
function draw(view, pen, row) {
  const { header, place } = view;
  const { theme, query_tokens, key_tokens } = header;
  const { every, size, turn } = tokenLabels(place.cell, Math.max(query_tokens.length, key_tokens.length));
  header.panels.forEach((panel, number) => {
    const [x, y] = origin(view, number);
    if (panel.title) {
      titleOf(panel.title, place.across).forEach((titleLine, nth) => {
        const fits = fitted(titleLine, place.across - 8, TITLE, 600);
        pen.text(x, y - place.above + 10 + nth * place.line, fits, { size: TITLE, weight: 600 });
      });
    }
    pen.absent(x, y, place.wide, place.tall);
    pen.image(picture(view, number), x, y, place.wide, place.tall);
    // 0 is paper.
    if (panel.kind === "signed" || panel.kind === "size") pen.frame(x, y, place.wide, place.tall, theme.rule, 0.75);
    if (panel.numbers) drawNumbers(view, pen, number, x, y);
    else if (panel.kind !== "mask") {
      const area = query_tokens.length * key_tokens.length;
      drawSigns(
        pen,
        theme,
        view.values.subarray(number * area, (number + 1) * area),
        key_tokens.length,
        x,
        y,
        place.cell,
        panel.limit,
      );
    }
    for (const [marked, column] of panel.marks) {
      pen.frame(
        x + column * place.cell + 1,
        y + marked * place.cell + 1,
        place.cell - 2,
        place.cell - 2,
        theme.accent,
        2,
      );
    }
    key_tokens.forEach((word, index) => {
      if (index % every) return;
      const label = fitted(word, 92, size);
      pen.text(x + (index + 0.5) * place.cell, y - 6, label, { size, fill: theme.muted, turn });
    });
    if (number % place.columns === 0) {
      query_tokens.forEach((word, index) => {
        if (index % every) return;
        pen.text(x - 6, y + (index + 0.5) * place.cell, fitted(word, place.left - 8, size), { size, anchor: "end" });
      });
    }
    drawScale(view, pen, panel, x, y + place.tall + 14);
    if (place.wide > 27 * legible(11) && !panel.numbers) {
      /** @type {import("../types.d.ts").TextStyle} */
      const style = { size: 11, fill: theme.muted, anchor: "end" };
      pen.text(x + place.wide, y + place.tall + 14, "rows: queries, columns: keys", style);
    }
    if (row !== null)
      pen.frame(x - 0.5, y + row * place.cell, place.wide + 1, Math.max(place.cell, 3), theme.accent, 1.5);
  });
}

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {number} number
 * @param {number} x
 * @param {number} y
 */
function drawNumbers(view, pen, number, x, y) {
  const { query_tokens, key_tokens, panels, theme } = view.header;
  const { cell } = view.place;
  const { kind, limit } = panels[number];
  for (let row = 0; row < query_tokens.length; row++) {
    for (let column = 0; column < key_tokens.length; column++) {
      const value = view.values[cellIndex(view, number, row, column)];
      if (!Number.isFinite(value)) continue;
      const deep = kind === "weight" ? value >= theme.text_turns : Math.abs(value) > 0.55 * limit;
      const label = kind === "weight" ? value.toFixed(2) : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
      /** @type {import("../types.d.ts").TextStyle} */
      const ink = { size: Math.min(13, cell / 3.4), anchor: "middle", fill: deep ? theme.paper : theme.ink };
      pen.text(x + (column + 0.5) * cell, y + (row + 0.5) * cell, label, ink);
    }
  }
}

// The colours of a map and the numbers at their ends; what is hatched is on no scale.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {import("../types.d.ts").Panel} panel
 * @param {number} x
 * @param {number} y
 */
function drawScale({ header: { theme }, place }, pen, panel, x, y) {
  const mutedText = { size: 11, fill: theme.muted };
  if (panel.kind === "mask") {
    const next = x + 17 + widthOf("allowed", 11) + 12;
    pen.rect(x, y - 4, 12, 8, theme.weights[3]); // the middle of the scale, as FULL / 2
    pen.text(x + 17, y, "allowed", mutedText);
    pen.absent(next, y - 4, 12, 8);
    pen.text(next + 17, y, "not allowed", mutedText);
    return;
  }
  const most = short(panel.limit);
  const ends = { weight: ["0", "1"], signed: [`−${most}`, `+${most}`], size: ["0", most], mask: ["", ""] }[panel.kind];
  const from = panel.kind === "size" ? FULL / 2 : 0; // what is never negative has one half of the signed scale
  const strip = new ImageData(FULL + 1 - from, 1);
  strip.data.set(colourTable(theme, panel.kind === "weight" ? "weights" : "signed").subarray(from * 4, (FULL + 1) * 4));
  const begin = x + widthOf(ends[0], 11) + 5;
  const wide = Math.max(12, Math.min(56, x + place.across - 20 - widthOf(ends[1], 11) - begin));
  pen.text(x, y, ends[0], mutedText);
  pen.image(strip, begin, y - 4, wide, 8);
  pen.frame(begin, y - 4, wide, 8, theme.rule);
  pen.text(begin + wide + 5, y, ends[1], mutedText);
}

/** @param {number} number */
function short(number) {
  if (number < 0.01) return number.toExponential(0).replace("-", "−");
  return number.toFixed(number >= 100 ? 0 : number >= 10 ? 1 : 2);
}

/**
 * @param {View} view
 * @param {number} number
 */
function picture(view, number) {
  const { query_tokens, key_tokens, panels } = view.header;
  const { kind, limit } = panels[number];
  const size = query_tokens.length * key_tokens.length;
  const codes = new Uint8Array(size);
  for (let cell = 0; cell < size; cell++) {
    const value = view.values[number * size + cell];
    const share = kind === "weight" ? value : (value / limit + 1) / 2;
    if (kind === "mask") codes[cell] = value ? FULL / 2 : ABSENT;
    else if (Number.isFinite(value)) codes[cell] = Math.round(Math.min(Math.max(share, 0), 1) * FULL);
    else codes[cell] = Number.isNaN(value) ? ABSENT : NOT_A_NUMBER;
  }
  return imageOf(codes, view.colours[kind === "signed" || kind === "size" ? "signed" : "weight"], key_tokens.length);
}

/** @param {View} view */
function light(view) {
  const { header, place, root } = view;
  if (!place || !root.clientWidth) return;
  const row = hoveredRow() ?? header.row;
  onCanvas(view.lit, root.clientWidth, place.height, header.theme, (pen) => {
    if (row === null || row >= header.query_tokens.length) return;
    header.panels.forEach((_, number) => {
      const [x, y] = origin(view, number);
      pen.frame(x - 0.5, y + row * place.cell, place.wide + 1, Math.max(place.cell, 3), header.theme.accent, 1.5);
    });
  });
}

// The cell under the pointer, and in which map.
/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function find(view, event) {
  const { root, place, header } = view;
  const [px, py] = pointer(root, event);
  for (let panel = 0; panel < header.panels.length; panel++) {
    const [x, y] = origin(view, panel);
    const [column, row] = [px - x, py - y].map((offset) => Math.floor(offset / place.cell));
    if (column >= 0 && row >= 0 && column < header.key_tokens.length && row < header.query_tokens.length) {
      return { panel, row, column, px, py };
    }
  }
  return null;
}

/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function point(view, event) {
  const { tip, header, root } = view;
  const hit = find(view, event);
  root.style.cursor =
    (hit && (hit.panel === header.paint ? "crosshair" : header.pins || header.picks ? "pointer" : "")) || "";
  tip.hidden = !hit;
  hover(hit ? hit.row : null);
  if (!hit) return;
  const lines = header.panels.map(({ title, kind }, panel) => {
    const value = view.values[cellIndex(view, panel, hit.row, hit.column)];
    const number = Number.isNaN(value) ? "masked" : value === Infinity ? "not a number" : value.toFixed(3);
    const text = kind === "mask" ? (value ? "allowed" : "not allowed") : number;
    return header.panels.length > 1 ? `${title} ${text}` : text;
  });
  const words = `${header.query_tokens[hit.row]} → ${header.key_tokens[hit.column]}`;
  showTooltip(
    tip,
    [
      ["where", words],
      ["what", lines.join("\n")],
    ],
    hit.px,
    hit.py,
    root.clientWidth,
  );
}

// Painting: the first cell decides whether the stroke allows or forbids; the server gets the cells when it ends.
/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function startPainting(view, event) {
  const hit = find(view, event);
  if (view.header.paint === null || hit?.panel !== view.header.paint) return;
  view.root.setPointerCapture(event.pointerId);
  view.painting = { allow: !view.values[cellIndex(view, hit.panel, hit.row, hit.column)], cells: new Map() };
  view.tip.hidden = true;
  paint(view, event);
}

/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function paint(view, event) {
  const hit = find(view, event);
  if (hit?.panel !== view.header.paint) return;
  if (!view.painting) return;
  const { allow, cells } = view.painting;
  view.values[cellIndex(view, hit.panel, hit.row, hit.column)] = allow ? 1 : 0;
  cells.set(`${hit.row} ${hit.column}`, [hit.row, hit.column, allow]);
  onCanvas(view.maps, view.root.clientWidth, view.place.height, view.header.theme, (pen) => draw(view, pen, null));
}

/** @param {View} view */
function endPainting(view) {
  if (!view.painting) return;
  view.trigger("paint", [...view.painting.cells.values()]);
  view.painting = null;
}
