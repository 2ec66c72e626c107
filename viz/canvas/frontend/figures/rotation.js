// A step of k is a turn: every pair of sine and cosine turns by its own angle, and the angle does not ask where it
// began.

/** @typedef {import("../types.js").SlidersHeader} Header */
/** What this figure keeps.
 * @typedef {object} Own
 * @property {HTMLElement} reading
 * @property {HTMLElement} figure
 * @property {HTMLCanvasElement} canvas
 * @property {number} pair
 * @property {ReturnType<typeof sliders>} controls
 * @property {(state: unknown) => void} post
 * @property {Uint8ClampedArray} colours
 * @property {number} pos
 * @property {number} step
 * @property {number} width
 * @property {number} base
 * @property {number} pairs
 * @property {number} residual
 * @property {ArrayLike<number>} table
 * @property {{ width: number, height: number, narrow: boolean,
 *   dials: Record<"x" | "y" | "side" | "across" | "tall", number>,
 *   matrix: { x: number, y: number, side: number } }} place
 */
/** @typedef {import("../types.js").View<Header, Own>} View */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").Root} Root */

import { colourTable, FULL } from "../lib/cells.js";
import { asSvg, onCanvas } from "../lib/drawing.js";
import { countDrawing, drawings, element, listen, pointer, projected, rootOf, unpack } from "../lib/page_state.js";
import { formatNumber, residual, sinusoid, turnOf } from "../lib/sinusoid.js";
import { sliders } from "../lib/sliders.js";
import { powerOfTen } from "../lib/values.js";

const NARROW = 700;
const HEAD = 26;
const UPTO = 256; // positions over which the residual is taken

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  Object.assign(view, {
    header,
    post: (/** @type {unknown} */ state) => setTriggerValue("state", state),
    colours: colourTable(header.theme, "signed"),
  });
  change(view, view.controls.receive(header.sliders, header.state, header.acknowledged));
  const stop = listen(key, () => {});
  drawings.set(header.key, () =>
    asSvg(view.place.width, view.place.height, view.header.theme, (pen) => draw(view, pen)),
  );
  return stop;
}

/** @param {Root} root */
function build(root) {
  const [reading, figure, canvas] = [element("p", "reading"), element("div", "figure"), element("canvas", "still")];
  reading.setAttribute("aria-live", "polite");
  figure.setAttribute("role", "img");
  figure.append(canvas);
  const view = /** @type {View} */ (/** @type {unknown} */ ({ root, reading, figure, canvas, pair: 0 }));
  view.controls = sliders(
    (state) => change(view, state),
    (state) => view.post(state),
  );
  root.append(view.controls.node, reading, figure);
  figure.onpointermove = (event) => choose(view, event);
  figure.onpointerdown = figure.onpointermove;
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}

/**
 * @param {View} view
 * @param {Record<string, number>} state
 */
function change(view, { pos, k: step, rotation_width: width, base }) {
  Object.assign(view, { pos, step, width, base, pairs: width / 2 });
  view.pair = Math.min(view.pair, view.pairs - 1);
  view.residual = residual(UPTO, view.width, view.base, step); // tests read it
  view.table = sinusoid(pos + step + 1, view.width, view.base);
  arrange(view);
}

/** @param {View} view */
function arrange(view) {
  const { root, header, figure, pairs } = view;
  if (!header || !root.clientWidth || !pairs) return;
  const width = root.clientWidth;
  const narrow = width < NARROW;
  const wide = narrow ? width : Math.round(width * 0.56);
  const most = narrow ? 4 : 6;
  const across = Math.min(pairs, pairs <= most ? pairs : Math.ceil(pairs / Math.ceil(pairs / most)));
  const side = Math.min(wide / across, 140);
  const dials = { x: 0, y: HEAD, side, across, tall: Math.ceil(pairs / across) * (side + 16) };
  const right = narrow ? 0 : wide + 48;
  const top = narrow ? dials.y + dials.tall + 20 + HEAD : HEAD;
  const square = Math.min(320, (narrow ? width : width - right) - 130);
  view.place = {
    width,
    narrow,
    dials,
    matrix: { x: right, y: top, side: square },
    height: Math.max(dials.y + dials.tall, top + square + 44),
  };
  figure.style.height = `${view.place.height}px`;
  onCanvas(view.canvas, width, view.place.height, header.theme, (pen) => draw(view, pen));
  describe(view);
  countDrawing(root);
}

/**
 * @param {View} view
 * @param {Pen} pen
 */
function draw(view, pen) {
  const { header, place, pos, step, width, base, pairs } = view;
  const { theme } = header;
  const { dials, narrow } = place;
  pen.text(
    0,
    8,
    narrow || projected()
      ? "pos, pos + k and the rotation"
      : "Each pair at pos and at pos + k, and the rotation between them",
    { size: 14, weight: 600 },
  );
  for (let pair = 0; pair < pairs; pair++) {
    const [x, y] = [
      dials.x + ((pair % dials.across) + 0.5) * dials.side,
      dials.y + Math.floor(pair / dials.across) * (dials.side + 16) + dials.side / 2,
    ];
    const radius = dials.side * 0.4;
    const [from, angle] = [pos * turnOf(pair, width, base), step * turnOf(pair, width, base)];
    /**
     * @param {number} angle
     * @param {number} share
     */
    const tip = (angle, share) => [x + share * radius * Math.sin(angle), y - share * radius * Math.cos(angle)];
    pen.line(arc(tip, 0, 2 * Math.PI, 1), pair === view.pair ? theme.accent : theme.rule, pair === view.pair ? 2 : 1);
    pen.line(arc(tip, from, from + Math.min(angle, 2 * Math.PI), 0.55), theme.accent, 2.5);
    pen.line([[x, y], tip(from, 1)], theme.ink, 2);
    pen.line([[x, y], tip(from + angle, 1)], theme.accent, 2);
    pen.dot(x, y, 2.5, theme.ink);
    pen.text(x, y + radius + 11, `pair ${pair}: ${rounds(angle)}`, { size: 11.5, fill: theme.muted, anchor: "middle" });
  }
  drawMatrix(view, pen);
}

/**
 * @param {(angle: number, share: number) => number[]} tip
 * @param {number} from
 * @param {number} to
 * @param {number} share
 */
const arc = (tip, from, to, share) =>
  Array.from({ length: 49 }, (_, sample) => tip(from + ((to - from) * sample) / 48, share));

// A turn in degrees, and in whole rounds where it is more than one.
/** @param {number} angle */
function rounds(angle) {
  const degrees = (angle * 180) / Math.PI;
  if (degrees < 360) return `${degrees < 10 ? degrees.toPrecision(2) : degrees.toFixed(0)}°`;
  return `${(degrees / 360).toFixed(1)} rounds`;
}

// R_k · PE(pos) = PE(pos + k): a two-by-two block for each pair, zero elsewhere.
/**
 * @param {View} view
 * @param {Pen} pen
 */
function drawMatrix(view, pen) {
  const { header, place, table, pos, step, width, base, colours } = view;
  const { theme } = header;
  const { x, y, side } = place.matrix;
  const matrix = new ImageData(width, width);
  /**
   * @param {ImageData} image
   * @param {number} pixel
   * @param {number} value
   */
  const paint = (image, pixel, value) => {
    const code = Math.round(((value + 1) / 2) * FULL) * 4;
    image.data.set(colours.subarray(code, code + 4), pixel * 4);
  };
  for (let cell = 0; cell < width * width; cell++) paint(matrix, cell, 0);
  for (let pair = 0; pair < width / 2; pair++) {
    const angle = step * turnOf(pair, width, base);
    const corner = 2 * pair * (width + 1);
    paint(matrix, corner, Math.cos(angle));
    paint(matrix, corner + 1, Math.sin(angle));
    paint(matrix, corner + width, -Math.sin(angle));
    paint(matrix, corner + width + 1, Math.cos(angle));
  }
  /** @param {number} position */
  const strip = (position) => {
    const image = new ImageData(1, width);
    for (let dimension = 0; dimension < width; dimension++)
      paint(image, dimension, table[position * width + dimension]);
    return image;
  };
  const head = { size: 14, weight: 600 };
  /** @type {[number, number, ImageData, string][]} */
  const parts = [
    [x, side, matrix, `R for k = ${step}`],
    [x + side + 26, 22, strip(pos), `PE(${pos})`],
    [x + side + 92, 22, strip(pos + step), `PE(${pos + step})`],
  ];
  parts.forEach(([left, wide, image, name], nth) => {
    pen.text(nth ? left + wide / 2 : left, y - 14, name, {
      ...head,
      anchor: nth ? "middle" : "start",
      size: nth ? 12 : 14,
      weight: nth ? 400 : 600,
    });
    pen.image(image, left, y, wide, side);
    pen.frame(left, y, wide, side, theme.rule);
    pen.frame(left - 0.5, y + (2 * view.pair * side) / width, wide + 1, (2 * side) / width, theme.accent, 1.5);
  });
  pen.text(x + side + 13, y + side / 2, "·", { size: 22, anchor: "middle" });
  pen.text(x + side + 70, y + side / 2, "=", { size: 18, anchor: "middle" });
  const mutedText = { size: 11.5, fill: theme.muted };
  const scale = new ImageData(FULL + 1, 1);
  scale.data.set(colours.subarray(0, (FULL + 1) * 4));
  pen.text(x, y + side + 18, "−1", mutedText);
  pen.image(scale, x + 20, y + side + 14, 56, 8);
  pen.frame(x + 20, y + side + 14, 56, 8, theme.rule);
  pen.text(x + 81, y + side + 18, "+1", mutedText);
}

/** @param {View} view */
function describe(view) {
  const { pos, step, pair, width, base } = view;
  const angle = step * turnOf(pair, width, base);
  const text =
    `From position ${pos} to ${pos + step}, pair **${pair}** rotates by **${rounds(angle)}** ` +
    `(k / base^(2i/d) = ${angle < 0.1 ? angle.toPrecision(2) : formatNumber(angle)} radians). ` +
    `It rotates by the same angle from every other position: if you change the position, only the hands move. ` +
    `Over the first ${UPTO} positions, PE(pos + k) and ` +
    `R PE(pos) differ by at most **${view.residual ? powerOfTen(view.residual, 1) : "0"}** (float64).`;
  view.reading.replaceChildren(
    ...text.split("**").map((piece, pieceIndex) => (pieceIndex % 2 ? element("strong", "", piece) : piece)),
  );
  view.figure.setAttribute("aria-label", text.replaceAll("**", ""));
}

// The pair under the pointer, on its dial or in the matrix.
/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function choose(view, event) {
  const { place, pairs } = view;
  const [px, py] = pointer(view.figure, event);
  const { dials, matrix } = place;
  const [column, row] = [Math.floor((px - dials.x) / dials.side), Math.floor((py - dials.y) / (dials.side + 16))];
  let pair = column >= 0 && column < dials.across && row >= 0 ? row * dials.across + column : -1;
  const down = (py - matrix.y) / matrix.side;
  if (px >= matrix.x && px < matrix.x + matrix.side + 120 && down >= 0 && down < 1) pair = Math.floor(down * pairs);
  if (pair < 0 || pair >= pairs || pair === view.pair) return;
  view.pair = pair;
  arrange(view);
}
