// The learning rate against the step: equation 3 of Vaswani et al. 2017 with its two terms, and other schedules beside
// it. The sliders are answered here; Python gets their values when they come to rest.

/** @typedef {import("../types.js").SchedulesHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Root} Root */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").PanelSeries} Series */

import { asSvg, onCanvas } from "../lib/drawing.js";
import { countDrawing, drawings, element, listen, projected, rootOf, unpack } from "../lib/page_state.js";
import { drawPanel, footOf, headOf, spelled } from "../lib/panel.js";
import { shareOf, termsOf } from "../lib/schedules.js";
import { sliders } from "../lib/sliders.js";

const NARROW = 700;
const GAP = 40;
const TALL = 180; // of the field of one panel
const POINTS = 240;

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  Object.assign(view, { header, post: (/** @type {unknown} */ state) => setTriggerValue("state", state) });
  show(view, view.controls.receive(header.sliders, header.state, header.acknowledged));
  const stop = listen(key, () => {});
  drawings.set(header.key, () =>
    asSvg(view.root.clientWidth, heightOf(view), view.header.theme, (pen) => draw(view, view.root.clientWidth, pen)),
  );
  return stop;
}

/** @param {Root} root */
function build(root) {
  const [reading, canvas] = [element("p", "reading"), element("canvas", "drawing")];
  reading.setAttribute("aria-live", "polite");
  canvas.setAttribute("role", "img");
  /** @type {any} */
  const view = { root, reading, canvas };
  view.controls = sliders(
    (state) => show(view, state),
    (state) => view.post(state),
  );
  root.append(view.controls.node, reading, canvas);
  new ResizeObserver(() => show(view, view.state)).observe(root);
  return view;
}

/** @param {View} view */
function heightOf(view) {
  const tall = headOf(4) + TALL + footOf();
  return view.root.clientWidth < NARROW ? 2 * tall : tall;
}

/**
 * @param {View} view
 * @param {Record<string, number>} state
 */
function show(view, state) {
  view.state = state;
  const width = view.root.clientWidth;
  if (!view.header || !width) return;
  const { warmup, model_width } = namedState(view);
  const most = spelled(termsOf(model_width, warmup, Math.max(1, warmup))[1]);
  view.reading.textContent =
    `Equation 3: the rate rises in proportion to the step until step ${Math.max(1, warmup).toLocaleString("en-GB")}, ` +
    `where it is ${most}; then it falls with 1/√step.`;
  view.reading.hidden = projected(); // the sentence below the figure has it too
  view.canvas.setAttribute("aria-label", view.reading.textContent);
  onCanvas(view.canvas, width, heightOf(view), view.header.theme, (pen) => draw(view, width, pen));
  countDrawing(view.root);
}

/** @param {View} view */
function namedState({ header, state }) {
  const [warmup, model_width, steps] = header.sliders.map(({ name }) => state[name]);
  return { warmup, model_width, steps };
}

/**
 * @param {View} view
 * @param {number} width
 * @param {Pen} pen
 */
function draw(view, width, pen) {
  const { theme, lr, decays, used } = view.header;
  const { warmup, model_width, steps } = namedState(view);
  const narrow = width < NARROW;
  const wide = narrow ? width : (width - GAP) / 2;
  const tall = heightOf(view) / (narrow ? 2 : 1);
  const places = Array.from({ length: POINTS + 1 }, (_, nth) => 1 + ((steps - 1) * nth) / POINTS);
  const x = [...new Set([...places, Math.min(Math.max(1, warmup), steps)])].sort((a, b) => a - b);
  const terms = x.map((step) => termsOf(model_width, warmup, step));
  const highest = termsOf(model_width, warmup, Math.max(1, warmup))[1];
  /** @type {[number, number]} */
  const limits = [1, steps];
  const axis = { name: "step", log: false, limits };
  drawPanel(
    pen,
    theme,
    { x: 0, y: 0, wide, tall },
    {
      title: "Equation 3",
      x: axis,
      y: { name: "rate", log: false, limits: [0, 1.5 * highest] },
      series: [
        { name: "rate: the smaller term", x, y: terms.map((pair) => Math.min(...pair)), accent: true },
        { name: "step · warmup^−1.5 / √width", x, y: terms.map(([rise]) => cut(rise, highest)), dashed: true },
        {
          name: "1 / √(step · width)",
          x,
          y: terms.map(([, fall]) => cut(fall, highest)),
          dashed: true,
          muted: true,
        },
      ],
    },
  );
  /** @type {Series[]} */
  const series = decays.map((decay, nth) => ({
    name: used.includes(decay) ? `${decay}: used by ${view.header.users[used.indexOf(decay)]}` : decay,
    x,
    y: x.map((step) => lr * shareOf(decay, warmup, steps, step)),
    accent: used.includes(decay),
    muted: nth > 1,
    dashed: nth % 2 === 1,
  }));
  const title = `Largest rate ${spelled(lr)}`;
  const place = narrow ? { x: 0, y: tall } : { x: wide + GAP, y: 0 };
  drawPanel(
    pen,
    theme,
    { ...place, wide, tall },
    {
      title,
      x: axis,
      y: { name: "rate", log: false, limits: [0, 1.1 * lr] },
      series,
    },
  );
}

// A term that is far above the rate leaves the panel at its upper edge.
/**
 * @param {number} value
 * @param {number} highest
 */
const cut = (value, highest) => (value > 1.5 * highest ? Number.NaN : value);
