// Stacks of layers as grids of cells: a row for each layer, the input at the bottom, a column for each token. Sliders
// choose what is lit: the path of a signal, the region that a token can be reached from, or what is computed by now.
// Above paths stands the sentence; its two ends can be dragged.

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
const STRIP = 124; // room for the sentence whose ends are dragged
const HANDLE = 76; // where its handles stand, from the top

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
  const stand = element("div", "stand");
  view.ends = [handle(view, 0), handle(view, 1)];
  stand.append(figure, ...view.ends);
  root.append(view.controls.node, stand);
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}

// One end of the signal: a handle that a pointer drags along the sentence, and that arrow keys move.
/**
 * @param {View} view
 * @param {number} end 0: where the signal starts, 1: where it goes
 */
function handle(view, end) {
  const node = element("div", "end");
  node.setAttribute("role", "slider");
  node.tabIndex = 0;
  const move = (/** @type {number} */ token, /** @type {boolean} */ rest) => {
    const { tokens, sliders: specs } = view.header;
    view.controls.set(specs[end].name, Math.max(0, Math.min(tokens.length - 1, token)), rest);
  };
  const under = (/** @type {PointerEvent} */ event) => {
    const { left, width } = view.figure.getBoundingClientRect();
    return Math.floor(((event.clientX - left) / width) * view.header.tokens.length);
  };
  const held = (/** @type {PointerEvent} */ event) => node.hasPointerCapture(event.pointerId);
  node.onpointerdown = (event) => node.setPointerCapture(event.pointerId);
  node.onpointermove = (event) => {
    if (held(event)) move(under(event), false);
  };
  node.onpointerup = (event) => {
    if (held(event)) move(under(event), true);
  };
  node.onkeydown = (event) => {
    const now = view.state[view.header.sliders[end].name];
    /** @type {Record<string, number>} */
    const targets = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, Home: 0 };
    const target = event.key === "End" ? view.header.tokens.length - 1 : targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(target, true);
  };
  return node;
}

/**
 * @param {View} view
 * @param {number} end
 */
const tokenAt = ({ header, state }, end) => state[header.sliders[end].name];
/**
 * @param {View} view
 * @param {number} token
 */
const acrossOf = ({ header, place }, token) => ((token + 0.5) * place.width) / header.tokens.length;

/** @param {View} view */
function placeEnds(view) {
  const { header } = view;
  view.ends.forEach((/** @type {HTMLElement} */ node, /** @type {number} */ end) => {
    node.hidden = header.kind !== "path";
    if (node.hidden) return;
    const token = tokenAt(view, end);
    node.style.left = `${acrossOf(view, token)}px`;
    node.style.top = `${HANDLE}px`;
    node.setAttribute("aria-label", `${end ? "to" : "from"} token, drag along the sentence`);
    node.setAttribute("aria-valuemin", "0");
    node.setAttribute("aria-valuemax", String(header.tokens.length - 1));
    node.setAttribute("aria-valuenow", String(token));
    node.setAttribute("aria-valuetext", `${token} ${header.tokens[token]}`);
  });
}

// The sentence on a line with its two ends, and how far they are from each other.
/**
 * @param {View} view
 * @param {Pen} pen
 */
function drawStrip(view, pen) {
  const { header, place } = view;
  const { theme, tokens } = header;
  const [source, target] = [tokenAt(view, 0), tokenAt(view, 1)];
  const room = place.width / tokens.length;
  pen.rect(room / 2, HANDLE - 1, place.width - room, 2, theme.rule);
  const flat = tokens.every((token) => widthOf(token, TITLE, 600) < room - 4);
  const ahead = target >= source;
  const points = [source, target].map((token) => [acrossOf(view, token), HANDLE]);
  if (ahead) pen.line(points, theme.accent, 4);
  tokens.forEach((token, index) => {
    const end = index === source || index === target;
    const x = acrossOf(view, index);
    pen.dot(x, HANDLE, end ? 11 : 3, end ? theme.accent : theme.muted);
    if (end) pen.dot(x, HANDLE, 5, theme.paper);
    const { size, turn } = tokenLabels(room, tokens.length);
    const weight = end ? 600 : 400;
    const fill = end ? theme.accent : theme.ink;
    if (!flat) {
      const word = fitted(token, HANDLE - 18, size, weight);
      pen.text(x, HANDLE - 17, word, { size, weight, fill, turn });
    } else {
      pen.text(x, HANDLE - 24, fitted(token, room - 4, TITLE, weight), { size: TITLE, weight, fill, anchor: "middle" });
    }
  });
  const apart = Math.abs(target - source);
  const text = ahead ? `${apart} ${apart === 1 ? "position" : "positions"}` : "no way back";
  const wide = widthOf(text, TITLE, 600) / 2;
  const middle = (points[0][0] + points[1][0]) / 2;
  pen.text(Math.max(wide, Math.min(place.width - wide, middle)), HANDLE + 26, text, {
    size: TITLE,
    weight: 600,
    fill: theme.accent,
    anchor: "middle",
  });
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
  const top = header.kind === "path" ? STRIP : 0;
  view.place = { width, columns, across: across + GAP, cell, rows, line, tall, top };
  view.place.height = top + Math.ceil(count / columns) * tall;
  figure.style.height = `${view.place.height}px`;
  onCanvas(view.canvas, width, view.place.height, header.theme, (pen) => draw(view, pen));
  placeEnds(view);
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
  if (header.kind === "path") drawStrip(view, pen);
  header.grids.forEach((grid, number) => {
    const x = (number % place.columns) * place.across;
    const y = place.top + Math.floor(number / place.columns) * place.tall;
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
