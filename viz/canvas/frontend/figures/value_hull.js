// Values as points of a plane. The output of a row is their mean, each counted by its weight: it never leaves their
// hull.

/** @typedef {import("../types.js").ValueHullHeader} Header */
/** @typedef {import("../types.js").ValueHullArrays} Arrays */
/** What Python sends, as this figure uses it.
 * @typedef {object} Received
 * @property {Header} header
 * @property {number[][]} points
 * @property {number[][]} outputs
 * @property {Float32Array} weights (T, S)
 * @property {Uint8Array} mask (T, S)
 * @property {(row: number | null) => void} pin
 */
/** @typedef {Received & { root: Root, names: HTMLElement, canvas: HTMLCanvasElement }} View */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").Root} Root */

import { asSvg, onCanvas, widthOf } from "../lib/drawing.js";
import { keyedChildren } from "../lib/keyed_children.js";
import { countDrawing, drawings, element, hover, hoveredRow, listen, rootOf, unpack } from "../lib/page_state.js";
import { numbered, quoted } from "../lib/values.js";

const HEIGHT = 440;
const EDGE = 56;

/** @param {import("../types.d.ts").Mount<Header, Arrays>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {Received} */
  const received = {
    header,
    points: pairs(arrays.points.values),
    outputs: pairs(arrays.outputs.values),
    weights: arrays.weights.values,
    mask: arrays.mask.values,
    pin: (row) => setTriggerValue("pin", { row }),
  };
  /** @type {View} */
  const view = (root.view ??= build(root, received));
  Object.assign(view, received);
  const rows = header.words.map((_, row) => String(row));
  keyedChildren(view.names, rows, (row) => nameButton(view, Number(row))).forEach((button, row) => {
    button.textContent = header.words[row];
    button.setAttribute("aria-pressed", String(header.pinned && header.row === row));
  });
  const stop = listen(key, () => repaint(view));
  drawings.set(header.key, () => asSvg(root.clientWidth, HEIGHT, header.theme, (pen) => draw(view, pen, header.row)));
  root.style.minHeight = `${HEIGHT}px`;
  repaint(view);
  return stop;
}

/**
 * @param {View} view
 * @param {number} row
 */
function nameButton(view, row) {
  const button = element("button", "word");
  button.type = "button";
  button.onpointerenter = button.onfocus = () => hover(row);
  button.onclick = () => view.pin(view.header.pinned && view.header.row === row ? null : row);
  return button;
}

/** @param {Float32Array} flat */
const pairs = (flat) =>
  Array.from({ length: flat.length / 2 }, (_, wordIndex) => [flat[2 * wordIndex], flat[2 * wordIndex + 1]]);

/**
 * @param {Root} root
 * @param {Received} received
 */
function build(root, received) {
  const [names, canvas] = [element("div", "names"), element("canvas", "drawing")];
  root.append(names, canvas);
  /** @type {View} */
  const view = { ...received, root, names, canvas };
  names.onpointerleave = () => hover(null);
  new ResizeObserver(() => repaint(view)).observe(root);
  return view;
}

/** @param {View} view */
function repaint(view) {
  const { root, canvas, header, names } = view;
  if (!root.clientWidth) return;
  const row = Math.min(hoveredRow() ?? header.row, header.words.length - 1);
  [...names.children].forEach((button, wordIndex) => button.classList.toggle("lit", wordIndex === row));
  onCanvas(canvas, root.clientWidth, HEIGHT, header.theme, (pen) => draw(view, pen, row));
  countDrawing(root);
}

// The corners of the smallest convex shape around some points, in order. Andrew 1979, monotone chain.
/** @param {number[][]} points */
export function hull(points) {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  /**
   * @param {number[]} o
   * @param {number[]} a
   * @param {number[]} b
   */
  const turn = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
  /** @param {number[][]} all */
  const half = (all) => {
    const kept = [];
    for (const point of all) {
      while (kept.length > 1 && turn(kept[kept.length - 2], kept[kept.length - 1], point) <= 0) kept.pop();
      kept.push(point);
    }
    return kept.slice(0, -1);
  };
  return sorted.length < 3 ? sorted : [...half(sorted), ...half(sorted.reverse())];
}

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {number} row
 */
function draw(view, pen, row) {
  const { header, points, outputs, weights, mask, root } = view;
  const { theme, words } = header;
  const all = [...points, ...outputs];
  /** @param {number} axis */
  const range = (axis) => [Math.min(...all.map((p) => p[axis])), Math.max(...all.map((p) => p[axis]))];
  const [[left, right], [low, high]] = [range(0), range(1)];
  const scale = Math.min((root.clientWidth - 2 * EDGE) / (right - left || 1), (HEIGHT - 2 * EDGE) / (high - low || 1));
  const [middle, centre] = [(left + right) / 2, (low + high) / 2];
  /** @param {number[]} point */
  const place = ([x, y]) => [root.clientWidth / 2 + (x - middle) * scale, HEIGHT / 2 - (y - centre) * scale];
  const visible = words.map((_, s) => mask[row * words.length + s] !== 0);
  const corners = hull(points.filter((_, s) => visible[s])).map(place);
  if (corners.length) pen.line([...corners, corners[0]], theme.muted, 1);
  const [x, y] = place(outputs[row]);
  /** @param {number} s */
  const weightOf = (s) => weights[row * words.length + s] || 0;
  const names = numbered(words);
  points.forEach((point, s) => {
    const weight = weightOf(s);
    if (weight > 0.005) pen.line([place(point), [x, y]], theme.accent, 0.5 + 5 * weight);
  });
  const taken = [[x - 60, x + 60, y + 11, y + 28]]; // boxes where something is written already
  const order = points.map((_, s) => s).sort((a, b) => weightOf(b) - weightOf(a));
  for (const s of order) {
    const [px, py] = place(points[s]);
    const weight = weightOf(s);
    pen.dot(px, py, visible[s] ? 4 + 6 * weight : 2.5, visible[s] ? theme.weights[4] : theme.rule);
    const label = weight > 0.05 ? `${names[s]} ${weight.toFixed(2)}` : names[s];
    const half = widthOf(label) / 2;
    // above the point, or below it, or not at all where both places are taken: the table has every word
    const baseline = [py - 12 - 6 * weight, py + 15 + 6 * weight].find((line) =>
      taken.every(
        ([from, to, top, bottom]) => px + half < from || px - half > to || line + 8 < top || line - 8 > bottom,
      ),
    );
    if (baseline === undefined) continue;
    taken.push([px - half, px + half, baseline - 8, baseline + 8]);
    pen.text(px, baseline, label, { size: 12, anchor: "middle", fill: visible[s] ? theme.ink : theme.muted });
  }
  pen.dot(x, y, 7, theme.accent);
  const label = `z of ${quoted(words[row])}`;
  // In front of the lines.
  pen.rect(x - widthOf(label, 13, 650) / 2 - 3, y + 11, widthOf(label, 13, 650) + 6, 17, theme.paper);
  pen.text(x, y + 19, label, { size: 13, weight: 650, anchor: "middle", fill: theme.accent });
}
