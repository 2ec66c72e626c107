// Decoding: the bytes of the key–value cache, and what one new token costs with it and without, counted in the browser.

/** @typedef {import("../types.js").DecodingCostsHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Root} Root */
/** @typedef {import("../types.js").Pen} Pen */

import { asBytes, asCount, asTime, DECODING } from "../lib/cost.js";
import { drawSheet, sheetHeight } from "../lib/cost_sheet.js";
import { asSvg, onCanvas } from "../lib/drawing.js";
import { disconnect, measureBar, receiveMeasured, showMeasuring } from "../lib/measure_bar.js";
import { countDrawing, drawings, listen, projected, rootOf, unpack } from "../lib/page_state.js";
import { canvasBelowSliders } from "../lib/sliders.js";

const MARK = ["dot", "square", "frame", "triangle"];
const COLUMNS = [
  { heading: "heads of keys", short: "key heads", share: 0.8 },
  { heading: "cache after n tokens", short: "cache", share: 1.1, room: true },
  { heading: "read for a new token", short: "read", share: 1.1 },
  { heading: "prefill of n tokens, FLOPs", short: "prefill", share: 1.3 },
  { heading: "new token, cache, FLOPs", short: "token", share: 1.3, room: true },
  { heading: "new token, no cache", short: "no cache", share: 1.2, room: true },
];

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  Object.assign(view, { header, post: (/** @type {unknown} */ state) => setTriggerValue("state", state) });
  view.state = view.controls.receive(header.sliders, header.state, header.acknowledged);
  receiveMeasured(view, setTriggerValue, () => arrange(view));
  const stop = listen(key, () => {});
  drawings.set(header.key, () => asSvg(view.wide, heightOf(view), view.header.theme, (pen) => draw(view, pen)));
  arrange(view);
  return () => {
    disconnect(view);
    stop();
  };
}

/** @param {Root} root */
function build(root) {
  const view = canvasBelowSliders(root, arrange);
  view.canvas.before(measureBar(view));
  return view;
}

/** @param {View} view */
const timed = ({ results }) => results.some((/** @type {import("../types.js").CostResult} */ result) => result.seconds);

/** @param {View} view */
const heightOf = (view) => {
  const charts = timed(view) ? 4 : 3;
  return sheetHeight(view.wide, { rows: view.header.variants.length, columns: COLUMNS.length, lines: 0, charts });
};

/** @param {View} view */
function arrange(view) {
  const { root, header, canvas } = view;
  if (!header || !root.clientWidth) return;
  view.wide = root.clientWidth;
  root.classList.toggle("room", projected() > 0);
  onCanvas(canvas, view.wide, heightOf(view), header.theme, (pen) => draw(view, pen));
  const n = view.state[header.sizes.n];
  canvas.setAttribute(
    "aria-label",
    `Costs of decoding after ${n} tokens. The sentence and the table have the numbers.`,
  );
  showMeasuring(view, true, "Not measured here.");
  countDrawing(root);
}

// The sizes of the decoder that the sliders make. Groups are no more than heads.
/** @param {View} view */
function sizesOf({ header, state }) {
  const { sizes } = header;
  const [heads, width] = [state[sizes.n_heads], state[sizes.head_width]];
  const d = heads * width;
  return {
    n_layers: state[sizes.n_layers],
    d,
    n_heads: heads,
    n_groups: Math.min(heads, state[sizes.n_groups]),
    window: state[sizes.window],
    d_ff: 4 * d,
    vocab_size: 0,
    bytes_per_number: state[sizes.bytes_per_number],
  };
}

/**
 * @param {View} view
 * @param {Pen} pen
 */
function draw(view, pen) {
  const { header, state, wide } = view;
  const { theme, variants, stops } = header;
  const sizes = sizesOf(view);
  const n = state[header.sizes.n];
  const colours = [theme.accent, theme.ink, theme.weights[4], theme.muted];
  const steps = Array.from(
    { length: Math.round(Math.log2(stops[1] / stops[0])) + 1 },
    (_, power) => stops[0] * 2 ** power,
  );
  /**
   * @param {keyof typeof DECODING} count
   * @param {number} place
   */
  const lineOf = (count, place) => {
    const points = steps.map((length) => [length, DECODING[count](sizes, variants[place], length)]);
    return {
      points: points.filter((_, step) => step % 3 === 1),
      line: points,
      colour: colours[place],
      mark: MARK[place],
      thick: 1.75,
    };
  };
  const all = variants.map((_, place) => place);
  // The last kind is multi-head attention without a cache.
  const kinds = [...variants, "no cache"];
  /** @param {string} kind @param {number} place */
  const timesOf = (kind, place) => {
    const points = view.results
      .filter((/** @type {import("../types.js").CostResult} */ result) => result.kind === kind && result.seconds)
      .map((/** @type {import("../types.js").CostResult} */ result) => [result.n, result.seconds]);
    const style = place < variants.length ? place : 0;
    return { points, line: points, colour: colours[style], mark: MARK[style], thick: 1.75 };
  };
  drawSheet(pen, theme, wide, {
    columns: COLUMNS,
    rows: variants.map((variant, place) => ({
      label: variant,
      mark: MARK[place],
      colour: colours[place],
      cells: [
        String({ "grouped-query": sizes.n_groups, "multi-query": 1 }[variant] ?? sizes.n_heads),
        asBytes(DECODING.cache(sizes, variant, n)),
        asBytes(DECODING.read(sizes, variant, n)),
        asCount(DECODING.prefill(sizes, variant, n)),
        asCount(DECODING.decode(sizes, variant, n)),
        asCount(DECODING.without(sizes, variant, n)),
      ],
    })),
    lines: [],
    charts: [
      { title: "key–value cache, bytes", spell: asBytes, base: 2, lines: all.map((place) => lineOf("cache", place)) },
      {
        title: "bytes read for a new token",
        spell: asBytes,
        base: 2,
        lines: all.map((place) => lineOf("read", place)),
      },
      {
        title: "FLOPs, new token (top: no cache)",
        spell: asCount,
        lines: [...all.map((place) => lineOf("decode", place)), ...all.map((place) => lineOf("without", place))],
      },
      ...(timed(view)
        ? [
            {
              title: "time, measured (top: no cache)",
              spell: asTime,
              lines: kinds.map(timesOf),
              from: header.lengths[0],
              to: header.lengths.at(-1),
            },
          ]
        : []),
    ].map((chart) => ({ ...chart, flags: [] })),
    stops,
    now: n,
  });
}
