// The drawing of a training: curves over the steps, gradient and residual stream by layer, attention maps, predictions.

/** @typedef {import("../types.js").TrainingHeader} Header */
/** @typedef {import("../types.js").TrainingFrame} Frame */
/** @typedef {import("../types.js").TrainedFrame} TrainedFrame */
/** @typedef {import("../types.js").TrainingLevel} Level */
/** @typedef {import("../types.js").Theme} Theme */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {"a" | "b"} Side */

import { colourTable, imageOf } from "../lib/cells.js";
import { fitted, widthOf } from "../lib/drawing.js";
import { legible, projected } from "../lib/page_state.js";

const NARROW = 620; // pixels
const GAP = 26; // between panels
const CURVE_TALL = 118; // of the loss and the accuracy
const PROFILE_TALL = 84; // of the smaller panels
const MAPS_TALL = 196; // of all maps of one model, at most
const WIDEST_MAP = 132;
const SIZE = 12; // of the small letters
const TITLE = 13;
const DECADES = 10; // of a logarithmic scale, at most
const EXPLODED = 3; // times the loss of guessing: curves are cut off above

/** @type {Side[]} */
const SIDES = ["a", "b"];

const line = () => legible(SIZE) * 1.45;

/**
 * What is drawn: the header, the frames so far, and the number of the frame that is shown.
 * @typedef {{ header: Header, frames: Frame[], shown: number }} Scene
 */

// The last frame up to the shown one in which this model was measured.
/**
 * @param {Scene} scene
 * @param {Side} side
 * @returns {TrainedFrame | null}
 */
export function frameOf({ frames, shown }, side) {
  for (let index = shown; index >= 0; index--) if (frames[index]?.[side]) return frames[index][side];
  return null;
}

/** @param {Theme} theme @param {Side} side */
const colourOfSide = (theme, side) => (side === "a" ? theme.ink : theme.accent);

// Three or four significant digits, as short as they can be.
/** @param {number | null | undefined} value */
export function short(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 10_000)) {
    return value.toExponential(0).replace("e-", "e−").replace("e+", "e");
  }
  if (value === 0) return "0";
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 3);
}

// Where everything stands, from the width alone, so that nothing moves while the models learn.
/**
 * @param {Header} header
 * @param {number} width
 */
export function layoutOf(header, width) {
  const head = legible(TITLE) * 1.4 + line() + 12; // the title and the numbers of both models
  // A room reads the two curves and the maps; the rest is for those who sit at a desk.
  const rows = projected() ? [2] : width < NARROW ? [2, 1, 1, 1] : [2, 3];
  let top = 0;
  const panels = rows.flatMap((columns, row) => {
    const wide = (width - GAP * (columns - 1)) / columns;
    const tall = row ? PROFILE_TALL : CURVE_TALL;
    const y = top + head;
    top = y + tall + line() + 12;
    return Array.from({ length: columns }, (_, column) => ({ x: column * (wide + GAP), y, wide, tall }));
  });
  top += 4;
  const half = width < NARROW ? width : (width - GAP) / 2;
  const grids = SIDES.map((side) => gridOf(header[side].layers * header[side].heads, half));
  const title = legible(TITLE) * 1.4 + 4;
  const below = width < NARROW ? title + grids[0].tall + 12 : 0; // B stands below A
  const maps = grids.map((grid, index) => ({
    ...grid,
    x: width < NARROW ? 0 : index * (half + GAP),
    y: top + title + index * below,
    wide: half,
  }));
  const end = Math.max(...maps.map(({ y, tall: high }) => y + high)) + 14;
  const names = Math.max(...["target", "B predicts"].map((name) => widthOf(name, SIZE))) + 14;
  const cell = Math.max(...[...header.tokens, ...header.targets].map((word) => widthOf(word, SIZE + 1))) + 10;
  const most = Math.max(1, Math.floor((width - names) / cell));
  const lines = projected() ? 0 : Math.ceil(header.tokens.length / most);
  const block = line() * 4 + 12;
  const example = { y: end, names, cell, most, block };
  return { panels, maps, example, height: end + lines * block + 4 };
}

// As many maps beside each other as make them largest, and all of them no taller than `most`; of the same size in as
// few rows as possible.
/**
 * @param {number} count
 * @param {number} room
 * @param {number} [most]
 */
export function gridOf(count, room, most = MAPS_TALL) {
  const label = line();
  let best = { columns: 1, side: 0, label, tall: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const side = Math.floor(Math.min((room - 8 * (columns - 1)) / columns, WIDEST_MAP, (most - rows * label) / rows));
    const tall = rows * (side + label);
    if (side > best.side || (side === best.side && tall < best.tall)) best = { columns, side, label, tall };
  }
  return best;
}

/**
 * @param {Scene} scene
 * @param {number} width
 * @param {Pen} pen
 */
export function drawTraining(scene, width, pen) {
  const { header, frames } = scene;
  const layout = layoutOf(header, width);
  const [loss, accuracy, gradient, residual, rate] = layout.panels;
  const guess = header.loss_levels[0]?.value ?? 1;
  const losses = frames
    .flatMap(({ a, b, others }) => [{ a, b }, ...others].flatMap((pair) => [pair.a?.loss, pair.b?.loss]))
    .filter((value) => typeof value === "number");
  const most = Math.min(Math.max(...losses, guess) * 1.06, EXPLODED * guess);
  curves(scene, pen, loss, { title: "held-out loss, nats", name: "loss", most, levels: header.loss_levels });
  curves(scene, pen, accuracy, {
    title: "held-out accuracy",
    name: "accuracy",
    most: 1,
    levels: header.accuracy_levels,
  });
  SIDES.forEach((side, index) => drawMaps(scene, pen, layout.maps[index], side));
  if (projected()) return;
  const rates = frames.flatMap(({ a, b }) => [a?.rate ?? 0, b?.rate ?? 0]);
  curves(scene, pen, rate, { title: "learning rate", name: "rate", most: Math.max(...rates) * 1.1 || 1, levels: [] });
  profile(scene, pen, gradient, "gradient norm", "gradient", ["embedding", "read-out"]);
  profile(scene, pen, residual, "length in the residual stream", "residual", ["embedded", "last layer"]);
  drawExample(scene, pen, layout.example);
}

/**
 * @param {Scene} scene
 * @param {Pen} pen
 * @param {{ x: number, y: number, wide: number, tall: number }} box
 * @param {string} title
 * @param {(frame: TrainedFrame | null) => string} value
 */
function heading({ header, frames, shown }, pen, box, title, value) {
  const { theme } = header;
  pen.text(box.x, box.y - line() - 18 - legible(TITLE) * 0.4, fitted(title, box.wide, TITLE, 600), {
    size: TITLE,
    weight: 600,
  });
  let x = box.x;
  for (const side of SIDES) {
    const text = `${side.toUpperCase()} ${value(frameOf({ header, frames, shown }, side))}`;
    if (x + widthOf(text, SIZE, 600) > box.x + box.wide) continue; // a narrow panel has no room for four numbers
    pen.text(x, box.y - line() * 0.5 - 10, text, { size: SIZE, fill: colourOfSide(theme, side), weight: 600 });
    x += widthOf(text, SIZE, 600) + 16;
  }
}

/**
 * @param {Scene} scene
 * @param {Pen} pen
 * @param {{ x: number, y: number, wide: number, tall: number }} box
 * @param {{ title: string, name: "loss" | "accuracy" | "rate", most: number, levels: Level[] }} curve
 */
function curves(scene, pen, box, { title, name, most, levels }) {
  const { header, frames, shown } = scene;
  const { theme, steps } = header;
  heading(scene, pen, box, title, (frame) => short(frame?.[name]));
  const left = widthOf(short(most), SIZE) + 8;
  const [x0, wide] = [box.x + left, box.wide - left - 4]; // a dot at the end is seen whole
  /** @param {number} step */
  const right = (step) => x0 + (step / steps) * wide;
  /** @param {number} value */
  const down = (value) => box.y + (1 - Math.min(value, most) / most) * box.tall;
  pen.line(
    [
      [x0, box.y + box.tall],
      [x0 + wide, box.y + box.tall],
    ],
    theme.rule,
  );
  for (const value of [0, most]) {
    pen.text(x0 - 6, down(value), short(value), { size: SIZE, fill: theme.muted, anchor: "end" });
  }
  pen.text(x0, box.y + box.tall + line() * 0.6, "step 0", { size: SIZE, fill: theme.muted });
  pen.text(x0 + wide, box.y + box.tall + line() * 0.6, String(steps), { size: SIZE, fill: theme.muted, anchor: "end" });
  for (const level of levels) {
    dashed(pen, x0, x0 + wide, down(level.value), theme.muted);
    const above = down(level.value) - box.y > line();
    const text = fitted(level.name, wide, SIZE);
    pen.text(x0 + wide, down(level.value) + (above ? -0.55 : 0.55) * line(), text, {
      size: SIZE,
      fill: theme.muted,
      anchor: "end",
    });
  }
  if (frames[shown]) {
    const now = right(frames[shown].step);
    pen.line(
      [
        [now, box.y],
        [now, box.y + box.tall],
      ],
      theme.rule,
      1,
    );
  }
  spread(scene, pen, name, right, down);
  if (name === "accuracy") roles(scene, pen, box, right);
  for (const side of SIDES) {
    const points = frames
      .filter((frame) => typeof frame[side]?.[name] === "number")
      .map((frame) => [right(frame.step), down(Number(frame[side]?.[name]))]);
    if (!points.length) continue;
    pen.line(
      points.map((point) => point.map((place) => place.toFixed(1))),
      colourOfSide(theme, side),
      side === "a" ? 1.5 : 2.25,
    );
    const [endX, endY] = /** @type {number[]} */ (points.at(-1));
    if (header[side].note) cross(pen, endX, endY, colourOfSide(theme, side));
    else pen.dot(endX, endY, 2.5, colourOfSide(theme, side));
  }
}

// From the lowest to the highest seed, at every step at which all were measured.
/**
 * @param {Scene} scene
 * @param {Pen} pen
 * @param {"loss" | "accuracy" | "rate"} name
 * @param {(step: number) => number} right
 * @param {(value: number) => number} down
 */
function spread({ header, frames }, pen, name, right, down) {
  if (name === "rate") return;
  SIDES.forEach((side, nth) => {
    for (const frame of frames) {
      const values = [frame, ...frame.others]
        .map((pair) => pair[side]?.[name])
        .filter((value) => Number.isFinite(value));
      if (values.length < 2) continue;
      const x = right(frame.step) + nth * 1.5 - 0.75; // beside each other where both have a value
      const heights = [Math.min(...values.map(Number)), Math.max(...values.map(Number))].map(down);
      pen.line(
        heights.map((height) => [x.toFixed(1), height.toFixed(1)]),
        colourOfSide(header.theme, side),
        1,
      );
    }
  });
}

// The step at which a head has taken up its role.
/**
 * @param {Scene} scene
 * @param {Pen} pen
 * @param {{ x: number, y: number, wide: number, tall: number }} box
 * @param {(step: number) => number} right
 */
function roles({ header, frames }, pen, box, right) {
  SIDES.forEach((side, nth) => {
    const frame = frames.find((each) => (each[side]?.finder[2] ?? 0) >= header.role);
    const finder = frame?.[side]?.finder;
    if (!frame || !finder) return;
    const [x, colour] = [right(frame.step), colourOfSide(header.theme, side)];
    const y = box.y + box.tall - (nth + 0.6) * line();
    const text = `${side.toUpperCase()}: L${finder[0]}H${finder[1]} finds the answer`;
    const fits = x + 6 + widthOf(text, SIZE) <= box.x + box.wide;
    pen.line(
      [
        [x, y - line() / 2],
        [x, box.y + box.tall],
      ],
      colour,
      1.5,
    );
    pen.text(fits ? x + 5 : x - 5, y, text, { size: SIZE, fill: colour, anchor: fits ? "start" : "end" });
  });
}

/**
 * @param {Pen} pen
 * @param {number} from
 * @param {number} to
 * @param {number} y
 * @param {string} stroke
 */
function dashed(pen, from, to, y, stroke) {
  for (let x = from; x < to; x += 7)
    pen.line(
      [
        [x, y],
        [Math.min(x + 3, to), y],
      ],
      stroke,
      1,
    );
}

// Where a curve ends because its number is none any more.
/**
 * @param {Pen} pen
 * @param {number} x
 * @param {number} y
 * @param {string} stroke
 */
function cross(pen, x, y, stroke) {
  pen.line(
    [
      [x - 4, y - 4],
      [x + 4, y + 4],
    ],
    stroke,
    2,
  );
  pen.line(
    [
      [x - 4, y + 4],
      [x + 4, y - 4],
    ],
    stroke,
    2,
  );
}

// A number of each layer, at the shown step, on a logarithmic scale that holds for all steps.
/**
 * @param {Scene} scene
 * @param {Pen} pen
 * @param {{ x: number, y: number, wide: number, tall: number }} box
 * @param {string} title
 * @param {"gradient" | "residual"} name
 * @param {[string, string]} ends
 */
function profile(scene, pen, box, title, name, ends) {
  const { header, frames } = scene;
  const { theme } = header;
  heading(scene, pen, box, title, (frame) => `${short(frame?.[name][0])} → ${short(frame?.[name].at(-1))}`);
  const values = frames
    .flatMap(({ a, b }) => [...(a?.[name] ?? []), ...(b?.[name] ?? [])])
    .filter((value) => value !== null && value > 0)
    .map((value) => Math.log10(Number(value)));
  const high = Math.ceil(Math.max(...values, -1));
  const low = Math.max(Math.min(Math.floor(Math.min(...values, high)), high - 1), high - DECADES);
  /** @param {number} power */
  const label = (power) => (power >= -2 && power <= 3 ? String(10 ** power) : `1e${power}`.replace("-", "−"));
  const left = Math.max(widthOf(label(high), SIZE), widthOf(label(low), SIZE)) + 8;
  const [x0, wide] = [box.x + left, box.wide - left - 4]; // a dot at the end is seen whole
  /** @param {number} value */
  const down = (value) => box.y + (1 - (Math.max(Math.log10(value), low) - low) / (high - low)) * box.tall;
  for (let power = low; power <= high; power++) {
    pen.line(
      [
        [x0, down(10 ** power)],
        [x0 + wide, down(10 ** power)],
      ],
      theme.rule,
      power === low ? 1 : 0.5,
    );
  }
  for (const power of [low, high]) {
    pen.text(x0 - 6, down(10 ** power), label(power), { size: SIZE, fill: theme.muted, anchor: "end" });
  }
  ends.forEach((end, index) => {
    const anchor = index ? "end" : "start";
    pen.text(x0 + index * wide, box.y + box.tall + line() * 0.6, end, { size: SIZE, fill: theme.muted, anchor });
  });
  for (const side of SIDES) {
    const numbers = frameOf(scene, side)?.[name] ?? [];
    const points = numbers
      .map((value, index) => ({ value, x: x0 + (index / Math.max(1, numbers.length - 1)) * wide }))
      .filter(({ value }) => value !== null && value > 0)
      .map(({ value, x }) => [x, down(Number(value))]);
    if (points.length) pen.line(points, colourOfSide(theme, side), side === "a" ? 1.5 : 2.25);
    for (const [x, y] of points) pen.dot(x, y, 3, colourOfSide(theme, side));
  }
}

/** @type {WeakMap<TrainedFrame, Uint8Array>} */
const decoded = new WeakMap();

/** @param {TrainedFrame} frame */
function codesOf(frame) {
  let codes = decoded.get(frame);
  if (!codes) {
    codes = Uint8Array.from(atob(frame.weights), (letter) => letter.charCodeAt(0));
    decoded.set(frame, codes);
  }
  return codes;
}

/**
 * @param {Scene} scene
 * @param {Pen} pen
 * @param {{ x: number, y: number, wide: number, columns: number, side: number, label: number }} grid
 * @param {Side} side
 */
function drawMaps(scene, pen, grid, side) {
  const { header } = scene;
  const { theme, tokens } = header;
  const { what, layers, heads } = header[side];
  const title = `${side.toUpperCase()}${what ? `: ${what}` : ""}`;
  pen.text(grid.x, grid.y - legible(TITLE) * 0.5 - 4, fitted(title, grid.wide, TITLE, 600), {
    size: TITLE,
    weight: 600,
    fill: colourOfSide(theme, side),
  });
  const frame = frameOf(scene, side);
  if (!frame) return;
  const [codes, colours, area] = [codesOf(frame), colourTable(theme, "weights"), tokens.length ** 2];
  for (let index = 0; index < layers * heads; index++) {
    const x = grid.x + (index % grid.columns) * (grid.side + 8);
    const y = grid.y + Math.floor(index / grid.columns) * (grid.side + grid.label);
    const name = `L${Math.floor(index / heads)}H${index % heads}`;
    pen.text(x, y + grid.label * 0.5, fitted(name, grid.side + 6, SIZE), { size: SIZE, fill: theme.muted });
    pen.absent(x, y + grid.label, grid.side, grid.side);
    pen.image(
      imageOf(codes.subarray(index * area, (index + 1) * area), colours, tokens.length),
      x,
      y + grid.label,
      grid.side,
      grid.side,
    );
    pen.frame(x, y + grid.label, grid.side, grid.side, theme.rule, 0.75);
  }
}

// The example, what is asked at each position, and what both models predict; a wrong prediction is underlined.
/**
 * @param {Scene} scene
 * @param {Pen} pen
 * @param {{ y: number, names: number, cell: number, most: number, block: number }} example
 */
function drawExample(scene, pen, { y, names, cell, most, block }) {
  const { header } = scene;
  const { theme, tokens, targets, vocabulary } = header;
  const rows = [
    { name: "example", fill: theme.muted, words: tokens },
    { name: "target", fill: theme.muted, words: targets },
    ...SIDES.map((side) => ({
      name: `${side.toUpperCase()} predicts`,
      fill: colourOfSide(theme, side),
      words: (frameOf(scene, side)?.prediction ?? []).map((id, index) => (targets[index] ? vocabulary[id] : "")),
    })),
  ];
  for (let start = 0; start < tokens.length; start += most) {
    const top = y + (start / most) * block;
    rows.forEach(({ name, fill, words }, row) => {
      const middle = top + (row + 0.5) * line();
      pen.text(0, middle, name, { size: SIZE, fill, weight: row > 1 ? 600 : 400 });
      words.slice(start, start + most).forEach((word, index) => {
        const x = names + (index + 0.5) * cell;
        pen.text(x, middle, word, { size: SIZE + 1, fill, anchor: "middle" });
        const wrong = row > 1 && word && word !== targets[start + index];
        if (wrong)
          pen.line(
            [
              [x - cell * 0.36, middle + line() * 0.42],
              [x + cell * 0.36, middle + line() * 0.42],
            ],
            fill,
            1.5,
          );
      });
    });
  }
}
