// A training at its saved steps. One slider moves everything: the loss, the learning rate, the score of every head for
// every relation, and the attention maps of all heads. All of it is sent once; a live training sends what it adds.

/** @typedef {import("../types.js").TrainingHistoryHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").Root} Root */
/** @typedef {{ x: number, y: number, wide: number, tall: number }} Box */

import { colourTable, imageOf } from "../lib/cells.js";
import { asSvg, fitted, onCanvas, widthOf } from "../lib/drawing.js";
import { eventStream } from "../lib/event_stream.js";
import { countDrawing, drawings, element, legible, projected, rootOf, unpack } from "../lib/page_state.js";
import { sliders } from "../lib/sliders.js";
import { gridOf, short } from "./training_drawing.js";

const NARROW = 620; // pixels
const GAP = 28;
const CURVE_TALL = 110;
const ROW = 19; // of the table of scores
const LEAST_NUMBER = 21; // the narrowest cell that shows its number
const MAPS_TALL = 400;
const [SIZE, TITLE] = [12, 13];
const FULL = 250; // the code of weight 1: viz/pack.py
const NOT_A_NUMBER = 254;

const line = () => legible(SIZE) * 1.45;

// A straight line.
/**
 * @param {Pen} pen
 * @param {number} x
 * @param {number} y
 * @param {number} toX
 * @param {number} toY
 * @param {string} ink
 * @param {number} [thick]
 */
function stroke(pen, x, y, toX, toY, ink, thick = 1) {
  const points = [
    [x, y],
    [toX, toY],
  ];
  pen.line(points, ink, thick);
}

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  const training = header.live ? header.live.run + header.live.side : JSON.stringify(header.sliders);
  if (root.view && root.view.training !== training) {
    root.view.close?.();
    root.replaceChildren(); // another training has other steps
    root.view = undefined;
  }
  /** @type {View} */
  const view = (root.view ??= build(root, training));
  Object.assign(view, {
    header,
    arrays,
    rests: !header.live || header.live.rests,
    post: (/** @type {unknown} */ state) => setTriggerValue("state", state),
    command: (/** @type {string} */ name) => setTriggerValue("command", name),
    onRest: () => setTriggerValue("rest", view.header.steps.at(-1)),
  });
  view.state = view.controls.receive(header.sliders, header.state, header.acknowledged);
  connect(view);
  arrange(view);
  drawings.set(header.key, () =>
    asSvg(view.place.width, view.place.height, view.header.theme, (pen) => draw(view, pen)),
  );
  return () => {
    view.close?.();
    cancelAnimationFrame(view.painting);
  };
}

// A training that goes on sends its further steps.
/** @param {View} view */
function connect(view) {
  view.close?.();
  if (view.rests || !view.header.live) return;
  view.close = eventStream(view.header.live.run, view.header.steps.at(-1) ?? -1, {
    onMessage: (frame) => take(view, frame),
    onStatus: () => {},
    onRest: () => {
      view.rests = true;
      showControls(view);
      view.onRest();
    },
  });
}

// A new step: the slider becomes longer, and moves along where it stands at the newest one.
/**
 * @param {View} view
 * @param {import("../types.js").TrainingFrame} frame
 */
function take(view, frame) {
  const { header, arrays } = view;
  const measured = header.live && frame[header.live.side];
  if (!measured || (header.steps.at(-1) ?? -1) >= frame.step) return;
  const follows = shownOf(view) === header.steps.length - 1;
  header.steps.push(frame.step);
  header.loss.push(measured.loss);
  header.rate.push(measured.rate);
  const letters = atob(measured.weights);
  arrays.weights.values = joined(
    arrays.weights.values,
    Uint8Array.from(letters, (letter) => letter.charCodeAt(0)),
  );
  arrays.scores.values = joined(
    arrays.scores.values,
    Float32Array.from(measured.scores, (score) => score ?? Number.NaN),
  );
  header.roles = formingRoles(header, arrays.scores.values);
  view.state = view.controls.grow(header.sliders[0].name, frame.step, follows);
  cancelAnimationFrame(view.painting);
  view.painting = requestAnimationFrame(() => show(view));
}

/**
 * @template {Uint8Array | Float32Array} Values
 * @param {Values} values
 * @param {Values} more
 * @returns {Values}
 */
function joined(values, more) {
  const all = new /** @type {any} */ (values.constructor)(values.length + more.length);
  all.set(values);
  all.set(more, values.length);
  return all;
}

// The heads that have taken up a role for good at the last step: forming_roles of model/training/history.py.
/**
 * @param {Header} header
 * @param {Float32Array} scores
 */
function formingRoles({ relations, steps, layers, heads, live }, scores) {
  const count = layers * heads;
  const least = live?.least ?? 1;
  /** @type {import("../types.js").HeadRole[]} */
  const roles = [];
  relations.forEach((relation, number) => {
    /** @param {number} step @param {number} index */
    const scoreAt = (step, index) => scores[(step * relations.length + number) * count + index] || 0;
    const last = steps.length - 1;
    let best = 0;
    for (let index = 1; index < count; index++) if (scoreAt(last, index) > scoreAt(last, best)) best = index;
    const place = steps.findLastIndex((_, step) => scoreAt(step, best) < least);
    if (relation.includes(",") || place < 0 || place === last) return;
    const [layer, head] = [Math.floor(best / heads), best % heads];
    roles.push({ relation, layer, head, before: steps[place], after: steps[place + 1] });
  });
  return roles.sort((a, b) => a.after - b.after);
}

/**
 * @param {Root} root
 * @param {string} training
 */
function build(root, training) {
  const [figure, canvas] = [element("div", "figure"), element("canvas", "still")];
  figure.setAttribute("role", "img");
  figure.append(canvas);
  const [bar, play, status] = [element("div", "bar"), element("button", "play"), element("span", "status")];
  play.type = "button";
  status.setAttribute("aria-live", "polite");
  bar.append(play, status);
  /** @type {any} */
  const view = { root, figure, canvas, training, bar, play, status };
  play.onclick = () => view.command(view.rests ? "play" : "pause");
  view.controls = sliders(
    (state) => {
      view.state = state;
      show(view);
    },
    (state) => view.post(state),
  );
  root.append(bar, view.controls.node, figure);
  root.advance = (delta) => advance(view, delta);
  new ResizeObserver(() => root.view === view && arrange(view)).observe(root);
  return view;
}

// The next step or the one before, as if the slider had been moved.
/**
 * @param {View} view
 * @param {number} delta
 */
function advance(view, delta) {
  /** @type {HTMLInputElement | null} */
  const range = view.controls.node.querySelector("input");
  const next = shownOf(view) + delta;
  if (!range || next < 0 || next >= view.header.steps.length) return false;
  range.value = String(next);
  range.dispatchEvent(new Event("input"));
  range.dispatchEvent(new Event("change"));
  return true;
}

/** @param {View} view */
const shownOf = ({ header, state }) => Math.max(0, header.steps.indexOf(state[header.sliders[0].name]));

/** @param {View} view */
function showControls({ header, rests, bar, play, status }) {
  bar.hidden = !header.live || !location.protocol.startsWith("http");
  play.textContent = rests ? "Play" : "Pause";
  play.disabled = rests && Boolean(header.live?.ended);
  status.textContent = rests ? "" : "Training";
}

/** @param {View} view */
function arrange(view) {
  if (!view.header || !view.root.clientWidth) return;
  showControls(view);
  view.place = layoutOf(view.header, view.root.clientWidth);
  view.figure.style.height = `${view.place.height}px`;
  show(view);
}

/** @param {View} view */
function show(view) {
  if (!view.place) return;
  const { header, place } = view;
  onCanvas(view.canvas, place.width, place.height, header.theme, (pen) => draw(view, pen));
  const step = header.steps[shownOf(view)].toLocaleString("en-GB");
  const named = header.roles.filter(({ after }) => after <= header.steps[shownOf(view)]).map(roleName);
  view.figure.setAttribute(
    "aria-label",
    `Step ${step}: held-out loss ${short(header.loss[shownOf(view)])} nats. Heads with a role: ` +
      `${named.join("; ") || "none"}. The table below has all numbers.`,
  );
  countDrawing(view.root);
}

/** @param {import("../types.js").HeadRole} role */
const roleName = ({ relation, layer, head }) => `L${layer}H${head} ${relation}`;

// Where everything stands. It depends on the width alone, so nothing moves with the slider.
/**
 * @param {Header} header
 * @param {number} width
 */
function layoutOf(header, width) {
  const narrow = width < NARROW;
  const head = legible(TITLE) * 1.4 + 15;
  const columns = narrow ? 1 : 3;
  const wide = (width - GAP * (columns - 1)) / columns;
  const block = head + CURVE_TALL + line() + 14;
  const curves = [0, 1, 2].map((number) => ({
    x: (number % columns) * (wide + GAP),
    y: Math.floor(number / columns) * block + head,
    wide,
    tall: CURVE_TALL,
  }));
  let top = Math.ceil(3 / columns) * block + 6;
  const heads = header.layers * header.heads;
  const half = narrow ? width : (width - GAP) / 2;
  const names = Math.min(half * 0.5, Math.max(...header.relations.map((name) => widthOf(name, SIZE))) + 10);
  const cell = Math.min(40, (half - names) / heads);
  const row = Math.max(ROW, line());
  const tableTall = projected() ? 0 : head + line() + header.relations.length * row;
  const table = { x: 0, y: top, names, cell, row, wide: half, head };
  if (narrow || projected()) top += tableTall + (tableTall ? 16 : 0);
  const room = projected() || narrow ? width : half;
  const grid = gridOf(heads, room, MAPS_TALL);
  const maps = { ...grid, x: room < width ? half + GAP : 0, y: top + head, wide: room };
  const height = Math.max(maps.y + maps.tall + line() + 6, narrow || projected() ? 0 : table.y + tableTall + 6);
  return { width, curves, table, maps, height };
}

/**
 * @param {View} view
 * @param {Pen} pen
 */
function draw(view, pen) {
  const { header, place } = view;
  const [loss, rate, scores] = place.curves;
  const shown = shownOf(view);
  const ink = header.theme.ink;
  curve(view, pen, loss, `held-out loss ${short(header.loss[shown])} nats`, [{ values: header.loss, ink }], 0);
  curve(view, pen, rate, `learning rate ${short(header.rate[shown])}`, [{ values: header.rate, ink }], 0);
  const roles = header.roles.map((role) => ({
    values: header.steps.map((_, step) => scoreOf(view, step, role)),
    ink: role.after <= header.steps[shown] ? header.theme.accent : header.theme.muted,
    mark: role.after,
  }));
  const formed = header.roles.filter(({ after }) => after <= header.steps[shown]).length;
  curve(view, pen, scores, `heads with a role: ${formed} of ${roles.length}`, roles, 1);
  if (!projected()) drawTable(view, pen);
  drawMaps(view, pen);
}

/**
 * @param {View} view
 * @param {number} step
 * @param {import("../types.js").HeadRole} role
 */
const scoreOf = ({ header, arrays }, step, { relation, layer, head }) =>
  arrays.scores.values[
    (step * header.relations.length + header.relations.indexOf(relation)) * header.layers * header.heads +
      layer * header.heads +
      head
  ];

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {Box} box
 * @param {string} title
 * @param {{ values: (number | null)[], ink: string, mark?: number }[]} lines
 * @param {number} most the end of the scale; 0: the largest value
 */
function curve(view, pen, box, title, lines, most) {
  const { header } = view;
  const { theme, steps } = header;
  const values = lines.flatMap((of) => of.values).filter((value) => value !== null && Number.isFinite(value));
  const end = most || Math.max(...values.map(Number)) * 1.06 || 1;
  const left = widthOf(short(end), SIZE) + 8;
  const [x0, wide] = [box.x + left, box.wide - left - 4]; // a dot at the end is seen whole
  const last = steps.at(-1) || 1;
  /** @param {number} step */
  const right = (step) => x0 + (step / last) * wide;
  /** @param {number} value */
  const down = (value) => box.y + (1 - Math.min(value, end) / end) * box.tall;
  pen.text(box.x, box.y - 15 - legible(TITLE) * 0.4, fitted(title, box.wide, TITLE, 600), { size: TITLE, weight: 600 });
  const base = box.y + box.tall;
  stroke(pen, x0, base, x0 + wide, base, theme.rule);
  for (const value of [0, end]) {
    pen.text(x0 - 6, down(value), short(value), { size: SIZE, fill: theme.muted, anchor: "end" });
  }
  pen.text(x0, base + line() * 0.6, "step 0", { size: SIZE, fill: theme.muted });
  const written = last.toLocaleString("en-GB");
  pen.text(x0 + wide, base + line() * 0.6, written, { size: SIZE, fill: theme.muted, anchor: "end" });
  const now = right(steps[shownOf(view)]);
  stroke(pen, now, box.y, now, base, theme.accent, 1);
  for (const { values: of, ink, mark } of lines) {
    const points = steps.flatMap((step, place) => {
      const value = of[place];
      return value === null || !Number.isFinite(value) ? [] : [[right(step), down(value)]];
    });
    if (points.length > 1) pen.line(points, ink, 1.5);
    for (const [x, y] of points) pen.dot(x, y, 1.75, ink);
    const value = of[shownOf(view)];
    if (value !== null && Number.isFinite(value)) pen.dot(now, down(value), 3.5, theme.accent);
    if (mark) stroke(pen, right(mark), base, right(mark), base - 7, ink, 2);
  }
}

// Every head for every relation at the shown step. A frame marks the head with the role, from the step at which it has
// taken it up.
/**
 * @param {View} view
 * @param {Pen} pen
 */
function drawTable(view, pen) {
  const { header, arrays, place } = view;
  const { theme, relations, layers, heads } = header;
  const { x, y, names, cell, row, wide } = place.table;
  const count = layers * heads;
  const shown = shownOf(view);
  const size = relations.length * count;
  const scores = arrays.scores.values.subarray(shown * size, (shown + 1) * size);
  pen.text(x, y + place.table.head - 10 - legible(TITLE) * 0.4, fitted("score of every head", wide, TITLE, 600), {
    size: TITLE,
    weight: 600,
  });
  const top = y + place.table.head + line();
  const every = Math.ceil((widthOf("L0H0", SIZE) + 5) / cell);
  for (let index = 0; index < count; index += every) {
    const name = `L${Math.floor(index / heads)}H${index % heads}`;
    pen.text(x + names + (index + 0.5) * cell, top - line() * 0.5, name, {
      size: SIZE,
      fill: theme.muted,
      anchor: "middle",
    });
  }
  const codes = Uint8Array.from(scores, (score) => (Number.isFinite(score) ? Math.round(score * FULL) : NOT_A_NUMBER));
  pen.image(imageOf(codes, colourTable(theme, "weights"), count), x + names, top, count * cell, relations.length * row);
  relations.forEach((relation, number) => {
    const middle = top + (number + 0.5) * row;
    pen.text(x, middle, fitted(relation, names - 8, SIZE), { size: SIZE });
    for (let index = 0; index < count && cell >= LEAST_NUMBER; index++) {
      const score = scores[number * count + index];
      const text = Number.isFinite(score) ? score.toFixed(2).replace(/^0/, "") : "–";
      const fill = score > 0.5 ? theme.paper : theme.ink;
      pen.text(x + names + (index + 0.5) * cell, middle, text, { size: 11, fill, anchor: "middle" });
    }
  });
  for (const { relation, layer, head, after } of header.roles) {
    if (after > header.steps[shown]) continue;
    const left = x + names + (layer * heads + head) * cell;
    pen.frame(left + 1, top + relations.indexOf(relation) * row + 1, cell - 2, row - 2, theme.accent, 2);
  }
}

/**
 * @param {View} view
 * @param {Pen} pen
 */
function drawMaps(view, pen) {
  const { header, arrays, place } = view;
  const { theme, layers, heads, tokens, roles } = header;
  const { x, y, columns, side, label, wide, tall } = place.maps;
  const [, , rows, cells] = arrays.weights.shape;
  const area = rows * cells;
  const first = shownOf(view) * layers * heads;
  const colours = colourTable(theme, "weights");
  const title = `attention at step ${header.steps[shownOf(view)].toLocaleString("en-GB")}`;
  pen.text(x, y - 10 - legible(TITLE) * 0.4, fitted(title, wide, TITLE, 600), { size: TITLE, weight: 600 });
  for (let index = 0; index < layers * heads; index++) {
    const left = x + (index % columns) * (side + 8);
    const top = y + Math.floor(index / columns) * (side + label);
    const [layer, head] = [Math.floor(index / heads), index % heads];
    const role = roles
      .filter((of) => of.layer === layer && of.head === head && of.after <= header.steps[shownOf(view)])
      .sort((a, b) => scoreOf(view, shownOf(view), b) - scoreOf(view, shownOf(view), a))[0];
    const name = role ? roleName(role) : `L${layer}H${head}`;
    const fill = role ? theme.accent : theme.muted;
    pen.text(left, top + label * 0.5, fitted(name, side + 4, SIZE, role ? 600 : 400), {
      size: SIZE,
      fill,
      weight: role ? 600 : 400,
    });
    pen.absent(left, top + label, side, side);
    const codes = arrays.weights.values.subarray((first + index) * area, (first + index + 1) * area);
    pen.image(imageOf(codes, colours, cells), left, top + label, side, side);
    pen.frame(left, top + label, side, side, theme.rule, 0.75);
  }
  const words = fitted(tokens.join(" "), wide, SIZE);
  pen.text(x, y + tall + line() * 0.6, words, { size: SIZE, fill: theme.muted });
}
