// Stacks of layers as grids of cells: a row for each layer, the input at the bottom, a column for each token. Sliders
// choose what is lit: the path of a signal, the region that a token can be reached from, or what is computed by now.

/** @typedef {import("../types.js").LayerGridHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").Root} Root */

import { asSvg, fitted, onCanvas, widthOf } from "../lib/drawing.js";
import { countDrawing, drawings, element, legible, rootOf, unpack } from "../lib/page_state.js";
import { sliders } from "../lib/sliders.js";
import { tokenLabels } from "../lib/token_labels.js";

const TITLE = 15; // pixels
const [GAP, LEFT] = [28, 20]; // between two grids, and for the numbers of the layers
const [LEAST, MOST] = [170, 330]; // the width of a grid
const CELL = 26; // the largest cell
const WORDS = 64; // room for the words under a grid

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  Object.assign(view, {
    header,
    post: (/** @type {unknown} */ state) => setTriggerValue("state", state),
    cells: header.grids.map((_, number) => arrays[`cells${number}`]),
  });
  view.state = view.controls.receive(header.sliders, header.state, header.acknowledged);
  arrange(view);
  drawings.set(header.key, () =>
    asSvg(view.place.width, view.place.height, view.header.theme, (pen) => draw(view, pen)),
  );
}

/** @param {Root} root */
function build(root) {
  const [figure, canvas] = [element("div", "figure"), element("canvas", "still")];
  figure.setAttribute("role", "img");
  figure.append(canvas);
  /** @type {any} */
  const view = { root, figure, canvas };
  view.controls = sliders(
    (state) => {
      view.state = state;
      arrange(view);
    },
    (state) => view.post(state),
  );
  root.append(view.controls.node, figure);
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}

// The number of the choice that the sliders make: the last slider counts fastest.
/**
 * @param {Header} header
 * @param {Record<string, number>} state
 */
const choiceOf = ({ sliders: specs }, state) =>
  specs.reduce((number, spec) => number * spec.values.length + spec.values.indexOf(state[spec.name]), 0);

/** @param {View} view */
function arrange(view) {
  const { root, header, figure } = view;
  if (!header || !root.clientWidth) return;
  const width = root.clientWidth;
  const count = header.grids.length;
  const columns = Math.max(1, Math.min(count, Math.floor((width + GAP) / (LEAST + GAP))));
  const across = (width - (columns - 1) * GAP) / columns;
  const cell = Math.min(CELL, (Math.min(across, MOST) - LEFT) / header.tokens.length);
  const rows = Math.max(...view.cells.map((/** @type {any} */ cells) => cells.shape[1]));
  const line = legible(TITLE) * 1.3;
  const tall = 2 * line + 6 + rows * cell + WORDS;
  view.place = { width, columns, across: across + GAP, cell, rows, line, tall };
  view.place.height = Math.ceil(count / columns) * tall;
  figure.style.height = `${view.place.height}px`;
  onCanvas(view.canvas, width, view.place.height, header.theme, (pen) => draw(view, pen));
  figure.setAttribute("aria-label", header.grids.map((_, number) => `${titleOf(view, number)}.`).join(" "));
  countDrawing(root);
}

/**
 * @param {View} view
 * @param {number} number
 */
const labelOf = ({ header, state }, number) => header.grids[number].labels[choiceOf(header, state)];
/**
 * @param {View} view
 * @param {number} number
 */
const titleOf = (view, number) => `${view.header.grids[number].title}: ${labelOf(view, number)}`;

/**
 * @param {View} view
 * @param {Pen} pen
 */
function draw(view, pen) {
  const { header, place } = view;
  const { theme } = header;
  header.grids.forEach((grid, number) => {
    const x = (number % place.columns) * place.across;
    const y = Math.floor(number / place.columns) * place.tall;
    pen.text(x, y + place.line / 2, fitted(grid.title, place.across - GAP, TITLE, 600), { size: TITLE, weight: 600 });
    const label = fitted(labelOf(view, number), place.across - GAP, TITLE);
    pen.text(x, y + 1.5 * place.line, label, { size: TITLE, fill: theme.accent });
    drawGrid(view, pen, number, x + LEFT, y + 2 * place.line + 6);
  });
}

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {number} number
 * @param {number} x
 * @param {number} y
 */
function drawGrid(view, pen, number, x, y) {
  const { header, place, state } = view;
  const { theme, kind, tokens } = header;
  const { values, shape } = view.cells[number];
  const [, layers, length] = shape;
  const choice = choiceOf(header, state);
  const offset = kind === "schedule" ? 0 : choice * layers * length;
  const bottom = y + place.rows * place.cell;
  /** @type {[number, number, number][]} */
  const nodes = [];
  for (let layer = 0; layer < layers; layer++) {
    const middle = bottom - (layer + 0.5) * place.cell;
    const name = kind === "schedule" ? `${layer + 1}` : layer ? `${layer}` : "in";
    if (layers > 1) pen.text(x - 4, middle, name, { size: 11, fill: theme.muted, anchor: "end" });
    for (let token = 0; token < length; token++) {
      const value = values[offset + layer * length + token];
      const [centre, radius] = [x + (token + 0.5) * place.cell, place.cell * 0.32];
      const now = kind === "schedule" && value > 0 && value === choice;
      const lit = kind === "schedule" ? value > 0 && value <= choice : value > 0;
      pen.dot(centre, middle, radius, now ? theme.accent : lit ? theme.ink : theme.absent);
      if (kind === "path" && value) nodes.push([value, centre, middle]);
    }
  }
  nodes.sort(([first], [second]) => first - second);
  if (nodes.length) {
    pen.line(
      nodes.map(([, centre, middle]) => [centre, middle]),
      theme.accent,
      3,
    );
    for (const [, centre, middle] of nodes) pen.dot(centre, middle, place.cell * 0.32, theme.accent);
  }
  const { every, size, turn } = tokenLabels(place.cell, tokens.length);
  const angle = (-turn * Math.PI) / 180;
  tokens.forEach((token, index) => {
    if (index % every) return;
    const word = fitted(token, WORDS - 8, size);
    const room = widthOf(word, size) * Math.cos(angle);
    const sink = widthOf(word, size) * Math.sin(angle);
    pen.text(x + (index + 0.6) * place.cell - room, bottom + 6 + sink, word, { size, fill: theme.muted, turn });
  });
}
