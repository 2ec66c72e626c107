// Why √d_k: every step of d_k is here already; sliding picks one. Above without the division, below with it.

/** @typedef {import("../types.js").ScalingHeader} Header */
/** The nodes of a side that move with d_k.
 * @typedef {{ cells: Element[] } & ReturnType<typeof drawBell>} Side
 */
/** The attributes of an SVG element.
 * @typedef {Record<string, string | number>} Attributes
 */
/** What this figure keeps.
 * @typedef {object} Own
 * @property {HTMLElement} label
 * @property {HTMLInputElement} range
 * @property {HTMLElement} marks
 * @property {HTMLElement} reading
 * @property {SVGElement} figure
 * @property {ReturnType<typeof posts>} posts
 * @property {Record<string, import("../types.js").Floats>} arrays
 * @property {(post: unknown) => void} post
 * @property {string[]} colours
 * @property {number} stepIndex
 * @property {{ width: number, height: number }} size
 * @property {{ sides: Side[], panels: ReturnType<typeof drawPanel>[] }} kept
 */
/** @typedef {import("../types.js").View<Header, Own>} View */
/** @typedef {import("../types.js").Root} Root */
/** @typedef {import("../types.js").Theme} Theme */

import { colourTable, FULL } from "../lib/cells.js";
import {
  countDrawing,
  drawings,
  element,
  legible,
  listen,
  projected,
  rootOf,
  svgPage,
  unpack,
} from "../lib/page_state.js";
import { posts } from "../lib/posts.js";
import { connectRange } from "../lib/sliders.js";

const SVG = "http://www.w3.org/2000/svg";
const REACH = [96, 4]; // of the score axes: raw and divided
const TICKS = [
  [-96, -64, -32, 0, 32, 64, 96],
  [-4, -2, 0, 2, 4],
];
const NARROW = 700;
const WAIT = 200; // milliseconds that the slider rests before it is posted to Python

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  Object.assign(view, { header, arrays, post: (/** @type {unknown} */ post) => setTriggerValue("d_k", post) });
  view.colours = weightColours(header.theme);
  if (view.posts.news(header.d_k, header.acknowledged)) view.stepIndex = header.steps.indexOf(header.d_k);
  const stop = listen(key, () => {});
  drawings.set(header.key, () => svgPage(view.size.width, view.size.height, header.theme, view.figure.innerHTML));
  setMarks(view);
  arrange(view);
  return stop;
}

/** @param {Root} root */
function build(root) {
  const slide = element("div", "slide");
  const label = element("label", "width");
  const range = element("input", "range");
  const marks = element("div", "marks");
  const reading = element("p", "reading");
  const figure = document.createElementNS(SVG, "svg");
  Object.assign(range, { type: "range", min: 0, step: 1, id: "d_k" });
  label.htmlFor = "d_k";
  marks.setAttribute("aria-hidden", "true");
  reading.setAttribute("aria-live", "polite");
  figure.setAttribute("class", "figure");
  figure.setAttribute("role", "img");
  slide.append(label, range, marks);
  root.append(slide, reading, figure);
  const view = /** @type {View} */ (
    /** @type {unknown} */ ({ root, label, range, marks, reading, figure, posts: posts(WAIT) })
  );
  connectRange(
    range,
    view.posts,
    (stepIndex) => show(view, stepIndex),
    () => postStep(view),
  );
  marks.onclick = (event) => {
    const mark = /** @type {Element} */ (event.target).closest(".mark");
    if (!mark) return;
    show(view, [...marks.children].indexOf(mark));
    postStep(view);
  };
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}

// Let go of: the address and the table follow.
/** @param {View} view */
function postStep(view) {
  view.posts.act(() => view.header.steps[view.stepIndex], view.post);
}

/** @param {View} view */
function setMarks(view) {
  const { steps } = view.header;
  view.range.max = String(steps.length - 1);
  view.marks.replaceChildren(
    ...steps.map((d_k, stepIndex) => {
      const mark = element("span", "mark", String(d_k));
      mark.style.left = `${(100 * stepIndex) / (steps.length - 1)}%`;
      return mark;
    }),
  );
}

/** @param {Theme} theme */
function weightColours(theme) {
  const table = colourTable(theme, "weights");
  /** @param {number} value */
  const pair = (value) => value.toString(16).padStart(2, "0");
  return Array.from(
    { length: FULL + 1 },
    (_, code) => `#${[0, 1, 2].map((channel) => pair(table[code * 4 + channel])).join("")}`,
  );
}

// "d_k" as it is set in print, and **words** that matter in the accent.
/**
 * @param {HTMLElement} node
 * @param {string} text
 */
function typeset(node, text) {
  const pieces = text.split("**").map((piece, pieceIndex) => {
    const holder = pieceIndex % 2 ? document.createElement("strong") : document.createDocumentFragment();
    piece.split("d_k").forEach((plain, nth) => {
      if (nth) holder.append(element("i", "", "d"), element("sub", "", "k"));
      holder.append(plain);
    });
    return holder;
  });
  node.replaceChildren(...pieces);
}

// The drawing

/**
 * @param {Element} parent
 * @param {string} tag
 * @param {Attributes} attributes
 * @param {string} [text]
 */
function add(parent, tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, String(name === "font-size" && typeof value === "number" ? legible(value) : value));
  }
  if (text !== undefined) write(node, text);
  parent.append(node);
  return node;
}

/**
 * @param {Element} node
 * @param {string} text
 */
function write(node, text) {
  node.replaceChildren();
  text.split("d_k").forEach((plain, nth) => {
    if (nth) {
      add(node, "tspan", { "font-style": "italic" }).textContent = "d";
      add(node, "tspan", { "font-size": "0.72em", dy: "0.28em" }).textContent = "k";
    }
    const rest = add(node, "tspan", nth ? { dy: "-0.2em" } : {});
    rest.textContent = plain || "\u200b"; // an empty one would not lift the line back up
  });
}

/**
 * @param {Element} node
 * @param {Attributes} attributes
 */
const move = (node, attributes) =>
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, String(value)));

// Everything that does not move with d_k, from the width alone. Kept nodes are what `show` moves.
/** @param {View} view */
function arrange(view) {
  const { root, header, arrays, figure } = view;
  if (!header || !root.clientWidth) return;
  const { theme } = header;
  const width = root.clientWidth;
  const narrow = width < NARROW;
  const gap = narrow ? 0 : 48;
  const half = narrow ? width : Math.round(width * 0.4);
  const [, , rows, keys] = arrays.rows.shape;
  const tall = 12; // of one row of weights
  const block = narrow ? 2 * (22 + rows * tall) + 56 : 22 + rows * tall + 36;
  const across = narrow ? 2 : 4;
  const panel = { width: (width - (across - 1) * 32) / across, height: 84, down: 128 };
  const measures = projected() ? [] : header.measures; // a room reads them in the sentence
  const height = 2 * block + (measures.length / across) * panel.down;
  const colours = [theme.accent, theme.ink]; // without, with
  view.size = { width, height };
  figure.replaceChildren();
  move(figure, { width, height, viewBox: `0 0 ${width} ${height}` });
  view.kept = { sides: [], panels: [] };

  for (const side of [0, 1]) {
    const top = side * block;
    const strips = narrow ? { x: 0, y: top + 24 } : { x: half + gap, y: top + 24 };
    const bell = narrow ? { x: 0, y: top + 24 + rows * tall + 26 } : { x: 0, y: top + 24 };
    view.kept.sides.push({
      cells: drawCells(figure, strips, (width - strips.x) / keys, tall, rows, keys, theme),
      ...drawBell(figure, bell, half, rows * tall, side, theme, colours[side], header.edges.length - 1),
    });
    add(
      figure,
      "text",
      { x: strips.x, y: strips.y - 9, fill: colours[side], "font-size": 15, "font-weight": 600 },
      header.titles[side],
    );
    add(
      figure,
      "text",
      { x: width, y: strips.y - 9, fill: theme.muted, "font-size": 12, "text-anchor": "end" },
      header.notes[side],
    );
    add(
      figure,
      "text",
      { x: bell.x, y: bell.y - 9, fill: theme.muted, "font-size": 12 },
      side ? "scores q·k / √d_k" : "scores q·k",
    );
  }
  measures.forEach((measure, measureIndex) => {
    const place = {
      x: (measureIndex % across) * (panel.width + 32),
      y: 2 * block + Math.floor(measureIndex / across) * panel.down + 26,
    };
    view.kept.panels.push(drawPanel(view, place, panel, measureIndex, measure, colours));
  });
  show(view, view.stepIndex);
}

/**
 * @param {Element} parent
 * @param {{ x: number, y: number }} box2
 * @param {number} wide
 * @param {number} tall
 * @param {number} rows
 * @param {number} keys
 * @param {Theme} theme
 */
function drawCells(parent, { x, y }, wide, tall, rows, keys, theme) {
  const group = add(parent, "g", { "shape-rendering": "crispEdges" });
  const cells = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < keys; column++) {
      cells.push(add(group, "rect", { x: x + column * wide, y: y + row * tall, width: wide, height: tall - 2 }));
    }
    add(group, "rect", {
      x: x + 0.5,
      y: y + row * tall + 0.5,
      width: keys * wide - 1,
      height: tall - 3,
      fill: "none",
      stroke: theme.rule,
    });
  }
  return cells;
}

/**
 * @param {Element} parent
 * @param {{ x: number, y: number }} box2
 * @param {number} width
 * @param {number} height
 * @param {number} side
 * @param {Theme} theme
 * @param {string} colour
 * @param {number} bins
 */
function drawBell(parent, { x, y }, width, height, side, theme, colour, bins) {
  const base = y + height;
  add(parent, "line", { x1: x, x2: x + width, y1: base + 0.5, y2: base + 0.5, stroke: theme.rule });
  for (const tick of TICKS[side]) {
    const tickX = x + ((tick / REACH[side] + 1) / 2) * width;
    const anchor = tick === TICKS[side][0] ? "start" : tick === TICKS[side].at(-1) ? "end" : "middle";
    add(
      parent,
      "text",
      { x: tickX, y: base + 15, fill: theme.muted, "font-size": 11, "text-anchor": anchor },
      String(tick).replace("-", "−"),
    );
  }
  const bars = Array.from({ length: bins }, () => add(parent, "rect", { fill: colour, opacity: side ? 0.22 : 0.38 }));
  const curve = add(parent, "path", { fill: "none", stroke: colour, "stroke-width": 1.75 });
  const law = add(parent, "text", { fill: colour, "font-size": 13, "font-weight": 600 }, "");
  const measured = add(
    parent,
    "text",
    { x: x + width, y: y - 9, fill: theme.muted, "font-size": 12, "text-anchor": "end" },
    "",
  );
  return { bars, curve, law, measured, place: { x, y, width, height, base } };
}

/**
 * @param {View} view
 * @param {{ x: number, y: number }} box2
 * @param {{ width: number, height: number }} options3
 * @param {number} measureIndex
 * @param {import("../types.js").Measure} measure
 * @param {string[]} colours
 */
function drawPanel(view, { x, y }, { width, height }, measureIndex, measure, colours) {
  const { figure, header, arrays } = view;
  const { theme, steps } = header;
  /**
   * @param {number} side
   * @param {number} step
   */
  const value = (side, step) =>
    arrays.numbers.values[(side * steps.length + step) * header.measures.length + measureIndex];
  /** @param {number} number */
  const scaled = (number) => (measure.log ? Math.log2(number) : number);
  const [low, high] = measure.limits.map(scaled);
  /** @param {number} step */
  const right = (step) => x + (step / (steps.length - 1)) * width;
  /** @param {number} number */
  const down = (number) => y + height - ((scaled(number) - low) / (high - low)) * height;
  add(figure, "text", { x, y: y - 11, fill: theme.ink, "font-size": 12.5 }, measure.name);
  add(figure, "line", { x1: x, x2: x + width, y1: y + height + 0.5, y2: y + height + 0.5, stroke: theme.rule });
  for (const step of [0, steps.length - 1]) {
    const anchor = step ? "end" : "start";
    add(
      figure,
      "text",
      { x: right(step), y: y + height + 15, fill: theme.muted, "font-size": 11, "text-anchor": anchor },
      step ? `d_k = ${steps[step]}` : String(steps[step]),
    );
  }
  let levelName = null;
  if (measure.level !== null) {
    const middle = down(measure.level);
    add(figure, "line", {
      x1: x,
      x2: x + width,
      y1: middle,
      y2: middle,
      stroke: theme.muted,
      "stroke-dasharray": "2 3",
    });
    levelName = add(figure, "text", { y: middle - 4, fill: theme.muted, "font-size": 11 }, measure.level_name);
  }
  const marker = add(figure, "line", { y1: y, y2: y + height, stroke: theme.muted, "stroke-width": 1 });
  const points = [0, 1].map((side) => {
    const line = steps.map((_, step) => `${right(step).toFixed(1)} ${down(value(side, step)).toFixed(1)}`);
    add(figure, "path", { d: `M${line.join("L")}`, fill: "none", stroke: colours[side], "stroke-width": 1.75 });
    const dot = add(figure, "circle", { r: 4, fill: colours[side], stroke: theme.paper, "stroke-width": 1.5 });
    // The paper's colour around a number keeps it readable on a line.
    const number = add(
      figure,
      "text",
      {
        fill: colours[side],
        "font-size": 13,
        "font-weight": 600,
        stroke: theme.paper,
        "stroke-width": 4,
        "paint-order": "stroke",
      },
      "",
    );
    return { dot, number };
  });
  return { marker, points, levelName, ends: [x, x + width], measure, value, right, down, bottom: y + height };
}

// One step of d_k: nothing is made here, only moved and coloured.
/**
 * @param {View} view
 * @param {number} stepIndex
 */
function show(view, stepIndex) {
  const { header, arrays, kept, colours } = view;
  const { steps } = header;
  view.stepIndex = stepIndex;
  const d_k = steps[stepIndex];
  const [, , rows, keys] = arrays.rows.shape;
  kept.sides.forEach((side, number) => {
    const start = (number * steps.length + stepIndex) * rows * keys;
    side.cells.forEach((cell, nth) =>
      cell.setAttribute("fill", colours[Math.round(arrays.rows.values[start + nth] * FULL)]),
    );
    moveBell(view, side, number, stepIndex);
  });
  for (const { marker, points, levelName, ends, measure, value, right, down, bottom } of kept.panels) {
    const x = right(stepIndex);
    const late = stepIndex > steps.length * 0.55;
    move(marker, { x1: x, x2: x });
    if (levelName) move(levelName, { x: ends[late ? 0 : 1], "text-anchor": late ? "start" : "end" });
    const heights = points.map((_, side) => down(value(side, stepIndex)));
    const lower = heights[0] >= heights[1] ? 0 : 1; // on the screen
    const between = !late && Math.abs(heights[0] - heights[1]) > 38; // there the numbers are off both lines
    const written = heights.map((height, side) => {
      const below = (side === lower) !== (between || (side === lower && height > bottom - 20));
      return height + (below ? 16 : -7);
    });
    written[1 - lower] = Math.min(written[1 - lower], written[lower] - 14);
    points.forEach(({ dot, number }, side) => {
      move(dot, { cx: x, cy: heights[side] });
      move(number, { x: late ? x - 7 : x + 7, y: written[side], "text-anchor": late ? "end" : "start" });
      const current = value(side, stepIndex);
      write(number, current.toFixed(current >= 100 ? 0 : current >= 10 ? 1 : measure.digits));
    });
  }
  view.range.value = String(stepIndex);
  view.range.setAttribute("aria-valuetext", `${d_k}`);
  typeset(view.label, `d_k = ${d_k}`);
  typeset(view.reading, header.sentences[stepIndex]);
  view.figure.setAttribute("aria-label", header.sentences[stepIndex].replaceAll("**", ""));
  [...view.marks.children].forEach((mark, nth) => mark.classList.toggle("now", nth === stepIndex));
  countDrawing(view.root);
}

// The histogram in bins of a fraction of √d_k, and the curve it should follow; both areas are 1.
/**
 * @param {View} view
 * @param {Side} bell
 * @param {number} side
 * @param {number} stepIndex
 */
function moveBell(view, { bars, curve, law, measured, place }, side, stepIndex) {
  const { header, arrays } = view;
  const { edges, steps } = header;
  const d_k = steps[stepIndex];
  const spread = side ? 1 : Math.sqrt(d_k);
  const bins = edges.length - 1;
  const density = arrays.density.values.subarray(
    (side * steps.length + stepIndex) * bins,
    (side * steps.length + stepIndex + 1) * bins,
  );
  const top = Math.max(0.46, ...density); // in units of 1 / spread
  /** @param {number} x */
  const inside = (x) => Math.min(Math.max(x, place.x), place.x + place.width);
  /** @param {number} sigmas */
  const right = (sigmas) => place.x + (((sigmas * spread) / REACH[side] + 1) / 2) * place.width;
  /** @param {number} height */
  const up = (height) => place.base - (height / top) * (place.height - 4);
  bars.forEach((bar, bin) => {
    const [from, to] = [inside(right(edges[bin])), inside(right(edges[bin + 1]))];
    move(bar, {
      x: from,
      width: Math.max(to - from - (to - from > 4 ? 1 : 0), 0),
      y: up(density[bin]),
      height: place.base - up(density[bin]),
    });
  });
  const most = Math.min(4.5, REACH[side] / spread);
  const points = Array.from({ length: 121 }, (_, nth) => (nth / 60 - 1) * most);
  /** @param {number} sigmas */
  const bell = (sigmas) => Math.exp(-(sigmas ** 2) / 2) / Math.sqrt(2 * Math.PI);
  curve.setAttribute("d", `M${points.map((x) => `${right(x).toFixed(1)} ${up(bell(x)).toFixed(1)}`).join("L")}`);
  const labelX = Math.min(right(1.05) + 8, place.x + place.width - 76);
  move(law, { x: labelX, y: up(bell(1.05)) - 4 });
  write(law, side ? "N(0, 1)" : `N(0, d_k = ${d_k})`);
  const variance = arrays.numbers.values[(side * steps.length + stepIndex) * header.measures.length];
  write(
    measured,
    side
      ? `variance ${variance.toFixed(2)}`
      : `variance ${variance.toFixed(variance < 100 ? 1 : 0)} = ${(variance / d_k).toFixed(2)} d_k`,
  );
}
