// The sinusoidal encoding three times: as waves, as a map, and for one position as a set of clock hands. Nothing here
// asks the server: a slider recomputes the table, a hover ties the three together.

/** @typedef {import("../types.js").SlidersHeader} Header */
/** What this figure keeps.
 * @typedef {object} Own
 * @property {HTMLElement} reading
 * @property {HTMLElement} figure
 * @property {HTMLCanvasElement} still
 * @property {HTMLCanvasElement} lit
 * @property {{ pair: number, position?: number } | null} hovered
 * @property {ReturnType<typeof sliders>} controls
 * @property {(state: unknown) => void} post
 * @property {Uint8ClampedArray} colours
 * @property {number} length
 * @property {number} width
 * @property {number} base
 * @property {number} pairs
 * @property {number} position
 * @property {Float64Array} table
 * @property {number[] | null} even
 * @property {number[]} shown
 * @property {typeof DESK} layout
 * @property {{ width: number, height: number, narrow: boolean, short: boolean, waves: Box, map: Box, clocks: Box,
 *   side: number, across: number }} place
 */
/** @typedef {import("../types.js").View<Header, Own>} View */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").Root} Root */
/** @typedef {import("../types.js").Box} Box */

import { colourTable, FULL } from "../lib/cells.js";
import { asSvg, fitted, onCanvas, widthOf } from "../lib/drawing.js";
import {
  countDrawing,
  drawings,
  element,
  legible,
  listen,
  pointer,
  projected,
  rootOf,
  unpack,
} from "../lib/page_state.js";
import { formatNumber, sinusoid, turnOf } from "../lib/sinusoid.js";
import { sliders } from "../lib/sliders.js";

const NARROW = 700;
const HEAD = 24;
const LEAST_NAMED = 47; // pixels of a clock: smaller ones have no number
const NUMBER = 11; // pixels of that number
const DOWN = 0.82; // of these: from the circle to the middle of the number
// Pixels: for the names of the pairs, one pair of waves, the map; and how many pairs. On a projector fewer, in larger
// letters.
const DESK = { labels: 116, strip: 30, most: 7, map: 178 };
const PROJECTED = { labels: 84, strip: 29, most: 5, map: 116 };

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
  arrange(view); // the colours may be new
  const stop = listen(key, () => {});
  drawings.set(header.key, () =>
    asSvg(view.place.width, view.place.height, view.header.theme, (pen) => {
      drawStill(view, pen);
      drawLit(view, pen);
    }),
  );
  return stop;
}

/** @param {Root} root */
function build(root) {
  const [reading, figure] = [element("p", "reading"), element("div", "figure")];
  const [still, lit] = [element("canvas", "still"), element("canvas", "lit")];
  reading.setAttribute("aria-live", "polite");
  figure.append(still, lit);
  const view = /** @type {View} */ (/** @type {unknown} */ ({ root, reading, figure, still, lit, hovered: null }));
  view.controls = sliders(
    (state) => change(view, state),
    (state) => view.post(state),
  );
  root.append(view.controls.node, reading, figure);
  figure.onpointermove = (event) => hover(view, find(view, event));
  figure.onpointerdown = figure.onpointermove;
  figure.onpointerleave = () => hover(view, null);
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}

/**
 * @param {View} view
 * @param {Record<string, number>} state
 */
function change(view, { length, width, base, pos }) {
  if (view.length === length && view.width === width && view.base === base && view.place) {
    view.position = Math.min(pos, length - 1);
    view.hovered = null;
    light(view);
    return;
  }
  const pairs = width / 2;
  Object.assign(view, { length, width, base, pairs, position: Math.min(pos, length - 1), hovered: null });
  view.table = sinusoid(length, width, base); // tests read it
  view.even = null;
  arrange(view);
}

// Which pairs are drawn as waves: spread over all of them.
/**
 * @param {number} pairs
 * @param {number} most
 */
function spread(pairs, most) {
  const strips = Math.min(pairs, most);
  return Array.from({ length: strips }, (_, nth) => (strips > 1 ? Math.round((nth * (pairs - 1)) / (strips - 1)) : 0));
}

// Where everything stands, from the width alone.
/** @param {View} view */
function arrange(view) {
  const { root, header, figure } = view;
  if (!header || !root.clientWidth || !view.table) return;
  const width = root.clientWidth;
  const layout = projected() ? PROJECTED : DESK;
  const narrow = width < NARROW && layout === DESK;
  if (!view.even || view.layout !== layout) view.shown = view.even = spread(view.pairs, layout.most);
  view.layout = layout;
  const short = narrow || layout === PROJECTED;
  const left = narrow ? 58 : layout.labels;
  const wide = Math.round(narrow ? width - left - 4 : width * 0.66 - left);
  const waves = { x: left, y: HEAD, wide, tall: layout.most * layout.strip };
  const map = { x: left, y: waves.y + waves.tall + HEAD + 8, wide, tall: layout.map };
  const bottom = map.y + map.tall + 40;
  const clocks = narrow
    ? { x: 0, y: bottom + HEAD, wide: width, tall: 260 }
    : { x: left + wide + 40, y: HEAD, wide: width - left - wide - 40, tall: bottom - HEAD - 36 };
  let side = 8; // of one clock: as large as lets all of them in
  while (Math.floor(clocks.wide / (side + 1)) * Math.floor(clocks.tall / (side + 1)) >= view.pairs && side < 84) side++;
  const across = Math.max(1, Math.floor(clocks.wide / side));
  view.place = {
    width,
    height: narrow ? clocks.y + clocks.tall + 8 : bottom,
    narrow,
    short,
    waves,
    map,
    clocks,
    side,
    across,
  };
  figure.style.height = `${view.place.height}px`;
  onCanvas(view.still, width, view.place.height, header.theme, (pen) => drawStill(view, pen));
  light(view);
  countDrawing(root);
}

/**
 * @param {View} view
 * @param {{ x: number, wide: number }} box2
 * @param {number} position
 */
const along = ({ length }, { x, wide }, position) => x + ((position + 0.5) / length) * wide;

/**
 * @param {View} view
 * @param {Pen} pen
 */
function drawStill(view, pen) {
  const { header, place, table, length, width, base, pairs } = view;
  const { theme } = header;
  const { waves, map, narrow, short } = place;
  const mutedText = { size: 12, fill: theme.muted };
  const some =
    view.shown.length < pairs
      ? `${view.shown.length} of ${pairs} pairs`
      : pairs === 1
        ? "the one pair"
        : `all ${pairs} pairs`;
  pen.text(waves.x, waves.y - 14, short ? `Waves, ${some}` : `Waves of ${some} of dimensions`, {
    size: 14,
    weight: 600,
  });
  pen.text(waves.x + waves.wide - widthOf("cosine", 12) - 8, waves.y - 14, "sine", {
    size: 12,
    fill: theme.accent,
    weight: 600,
    anchor: "end",
  });
  pen.text(waves.x + waves.wide, waves.y - 14, "cosine", { size: 12, anchor: "end" });
  view.shown.forEach((pair, nth) => {
    const middle = waves.y + (nth + 0.5) * (waves.tall / view.shown.length);
    const reach = (waves.tall / view.shown.length) * 0.42;
    pen.line(
      [
        [waves.x, middle],
        [waves.x + waves.wide, middle],
      ],
      theme.rule,
    );
    const name = short
      ? `λ ${formatNumber((2 * Math.PI) / turnOf(pair, width, base))}`
      : `pair ${pair}  λ ${formatNumber((2 * Math.PI) / turnOf(pair, width, base))}`;
    pen.text(waves.x - 8, middle, name, { ...mutedText, size: narrow ? 10 : 11.5, anchor: "end" });
    // Smooth between the positions: a wave of 2π would look broken if it were only joined at whole numbers.
    const samples = Math.max(2, Math.round(waves.wide / 1.5));
    for (const cosine of [1, 0]) {
      const points = Array.from({ length: samples + 1 }, (_, sample) => {
        const angle = ((sample / samples) * length - 0.5) * turnOf(pair, width, base);
        return [
          (waves.x + (sample / samples) * waves.wide).toFixed(1),
          (middle - reach * (cosine ? Math.cos(angle) : Math.sin(angle))).toFixed(1),
        ];
      });
      pen.line(points, cosine ? theme.ink : theme.accent, cosine ? 1 : 1.5);
    }
  });
  pen.text(
    map.x,
    map.y - 14,
    short ? "The same as a map" : "The same table as a map: one row a dimension, one column a position",
    { size: 14, weight: 600 },
  );
  const image = new ImageData(length, width);
  const [pixels, colours] = [new Uint32Array(image.data.buffer), new Uint32Array(view.colours.buffer)]; // one a cell
  for (let position = 0; position < length; position++) {
    for (let dimension = 0; dimension < width; dimension++) {
      pixels[dimension * length + position] =
        colours[Math.round(((table[position * width + dimension] + 1) / 2) * FULL)];
    }
  }
  pen.image(image, map.x, map.y, map.wide, map.tall);
  pen.frame(map.x, map.y, map.wide, map.tall, theme.rule);
  for (const dimension of new Set([0, width - 1])) {
    pen.text(map.x - 8, map.y + ((dimension + 0.5) / width) * map.tall, `dim ${dimension}`, {
      ...mutedText,
      size: 11.5,
      anchor: "end",
    });
  }
  const step = [1, 2, 4, 8, 16, 32, 64].find((each) => length / each <= (short ? 5 : 10)) ?? 64;
  for (let position = 0; position < length; position += step) {
    pen.text(along(view, map, position), map.y + map.tall + 12, String(position), { ...mutedText, anchor: "middle" });
  }
  pen.text(map.x + map.wide, map.y + map.tall + 28, "position →", { ...mutedText, anchor: "end" });
  const strip = new ImageData(FULL + 1, 1);
  strip.data.set(view.colours.subarray(0, (FULL + 1) * 4));
  const begin = map.x + widthOf("−1") + 6;
  pen.text(map.x, map.y + map.tall + 28, "−1", mutedText);
  pen.image(strip, begin, map.y + map.tall + 24, 56, 8);
  pen.frame(begin, map.y + map.tall + 24, 56, 8, theme.rule);
  pen.text(begin + 61, map.y + map.tall + 28, "+1", mutedText);
}

// What follows the hand: the position through waves and map, its hands, and the pair that is pointed at.
/**
 * @param {View} view
 * @param {Pen} pen
 */
function drawLit(view, pen) {
  const { header, place, pairs, shown, length } = view;
  const { theme } = header;
  const { waves, map } = place;
  const { position, pair } = pointed(view);
  const x = along(view, waves, position);
  pen.line(
    [
      [x, waves.y - 2],
      [x, waves.y + waves.tall],
    ],
    theme.muted,
  );
  pen.frame(x - map.wide / length / 2, map.y, Math.max(map.wide / length, 2), map.tall, theme.muted);
  shown.forEach((drawnPair, nth) => {
    const middle = waves.y + (nth + 0.5) * (waves.tall / shown.length);
    const reach = (waves.tall / shown.length) * 0.42;
    const angle = position * turnOf(drawnPair, view.width, view.base);
    pen.dot(x, middle - reach * Math.cos(angle), 3, theme.ink);
    pen.dot(x, middle - reach * Math.sin(angle), 3.5, theme.accent);
    if (drawnPair === pair)
      pen.frame(waves.x - 0.5, middle - reach - 2, waves.wide + 1, 2 * reach + 4, theme.accent, 1.5);
  });
  const row = map.tall / pairs;
  pen.frame(map.x - 0.5, map.y + pair * row, map.wide + 1, Math.max(row, 3), theme.accent, 1.5);
  drawClocks(view, pen, position, pair);
}

// The radius of a clock in a square of `side` pixels that leaves room for its number below, and paper before the next.
/** @param {number} side */
export const namedRadius = (side) => Math.min(side * 0.36, (side - 4 - legible(NUMBER) * (DOWN + 0.5)) / 2);

// A hand points to (PE(2i), PE(2i + 1)) = (sin, cos): it starts at twelve and turns clockwise.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {number} position
 * @param {number} pair
 */
function drawClocks(view, pen, position, pair) {
  const { header, place, pairs, width, base } = view;
  const { theme } = header;
  const { clocks, side, across } = place;
  pen.text(
    clocks.x,
    clocks.y - 14,
    place.short && !place.narrow ? `Position ${position}` : `Position ${position}: one clock a pair`,
    { size: 14, weight: 600 },
  );
  const named = side >= LEAST_NAMED;
  const radius = named ? namedRadius(side) : side * 0.42;
  const below = clocks.y + Math.ceil(pairs / across) * side + 10;
  if (!place.short && below < place.height - 24) {
    pen.text(clocks.x, below, fitted("Each hand: (sine, cosine), clockwise from twelve.", clocks.wide, 12), {
      size: 12,
      fill: theme.muted,
    });
  }
  for (let clockPair = 0; clockPair < pairs; clockPair++) {
    const [x, y] = [
      clocks.x + ((clockPair % across) + 0.5) * side,
      clocks.y + Math.floor(clockPair / across) * side + radius + 2,
    ];
    const angle = position * turnOf(clockPair, width, base);
    const chosen = clockPair === pair;
    ring(pen, x, y, radius, chosen ? theme.accent : theme.rule, chosen ? 2 : 1);
    pen.line(
      [
        [x, y - radius],
        [x, y - radius + 4],
      ],
      theme.muted,
    );
    pen.line(
      [
        [x, y],
        [x + radius * Math.sin(angle), y - radius * Math.cos(angle)],
      ],
      chosen ? theme.accent : theme.ink,
      side > 30 ? 2 : 1.5,
    );
    pen.dot(x, y, 1.5, chosen ? theme.accent : theme.ink);
    if (named)
      pen.text(x, y + radius + legible(NUMBER) * DOWN, String(clockPair), {
        size: NUMBER,
        fill: chosen ? theme.accent : theme.muted,
        anchor: "middle",
      });
  }
}

/**
 * @param {Pen} pen
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @param {string} stroke
 * @param {number} thick
 */
function ring(pen, x, y, radius, stroke, thick) {
  const points = Array.from({ length: 49 }, (_, corner) => [
    x + radius * Math.sin((corner * Math.PI) / 24),
    y - radius * Math.cos((corner * Math.PI) / 24),
  ]);
  pen.line(points, stroke, thick);
}

/** @param {View} view */
const pointed = ({ hovered, position, pairs }) => ({
  position: hovered?.position ?? position,
  pair: hovered?.pair ?? Math.min(3, pairs - 1),
});

// The pair that is pointed at has its waves drawn, in place of the nearest that are.
/**
 * @param {View} view
 * @param {number} pair
 */
function bringIn(view, pair) {
  const even = /** @type {number[]} */ (view.even);
  const nearest = even.reduce((best, candidate) =>
    Math.abs(candidate - pair) < Math.abs(best - pair) ? candidate : best,
  );
  view.shown = even.map((candidate) => (candidate === nearest ? pair : candidate));
  onCanvas(view.still, view.place.width, view.place.height, view.header.theme, (pen) => drawStill(view, pen));
}

/** @param {View} view */
function light(view) {
  const { pair } = pointed(view);
  if (!view.shown.includes(pair)) bringIn(view, pair);
  onCanvas(view.lit, view.place.width, view.place.height, view.header.theme, (pen) => drawLit(view, pen));
  describe(view);
}

/** @param {number} turns */
const formatTurns = (turns) => (turns && turns < 0.1 ? turns.toPrecision(2) : formatNumber(turns));

/** @param {View} view */
function describe(view) {
  const { width, base, pairs } = view;
  const { position, pair } = pointed(view);
  /** @param {number} ofPair */
  const wavelength = (ofPair) => (2 * Math.PI) / turnOf(ofPair, width, base);
  const [sine, cosine] = [0, 1].map((which) =>
    view.table[position * width + 2 * pair + which].toFixed(2).replace("-", "−"),
  );
  const towards = projected() ? "" : `, towards base·2π = ${formatNumber(base * 2 * Math.PI)}`;
  const grow =
    pairs > 1
      ? ` to ${formatNumber(wavelength(pairs - 1))}, ` +
        `each ${formatNumber(wavelength(1) / wavelength(0))} times the one before${towards}`
      : "";
  const text =
    `At position **${position}** pair **${pair}** (dimensions ${2 * pair} and ${2 * pair + 1}) ` +
    `has made ${formatTurns(position / wavelength(pair))} turns: ` +
    `sine ${sine}, cosine ${cosine}. ` +
    `${pairs > 1 ? "Wavelengths grow from" : "Its wavelength is"} **2π = 6.28**${grow}.`;
  view.reading.replaceChildren(
    ...text.split("**").map((piece, pieceIndex) => (pieceIndex % 2 ? element("strong", "", piece) : piece)),
  );
  view.figure.setAttribute("role", "img");
  view.figure.setAttribute("aria-label", text.replaceAll("**", ""));
}

/**
 * @param {View} view
 * @param {Own["hovered"]} hit
 */
function hover(view, hit) {
  if (hit?.position === view.hovered?.position && hit?.pair === view.hovered?.pair) return;
  view.hovered = hit;
  light(view);
}

// What is under the pointer: a position and a pair on the waves and the map, a pair alone on the clocks.
/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function find(view, event) {
  const { place, length, pairs, shown } = view;
  const [px, py] = pointer(view.figure, event);
  /** @param {{ x: number, y: number, wide: number, tall: number }} view */
  const inside = ({ x, y, wide, tall }) => px >= x && px < x + wide && py >= y && py < y + tall;
  /** @type {[Box, (down: number) => number][]} */
  const fields = [
    [place.waves, (down) => shown[Math.floor(down * shown.length)]],
    [place.map, (down) => Math.floor(down * pairs)],
  ];
  for (const [field, pairAt] of fields) {
    if (inside(field))
      return {
        position: Math.floor(((px - field.x) / field.wide) * length),
        pair: pairAt((py - field.y) / field.tall),
      };
  }
  const { clocks, side, across } = place;
  const [column, row] = [Math.floor((px - clocks.x) / side), Math.floor((py - clocks.y) / side)];
  const pair = row * across + column;
  return inside(clocks) && column < across && pair < pairs ? { pair } : null;
}
