// What each type of layer costs: counted in the browser while a slider moves, measured by the server when asked.

/** @typedef {import("../types.js").LayerCostsHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Root} Root */

import { asSvg, onCanvas } from "../lib/drawing.js";
import { disconnect, measureBar, receiveMeasured, showMeasuring } from "../lib/measure_bar.js";
import { countDrawing, drawings, listen, projected, rootOf, unpack } from "../lib/page_state.js";
import { canvasBelowSliders } from "../lib/sliders.js";
import { drawCosts, heightOf } from "./layer_costs_drawing.js";

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
  drawings.set(header.key, () =>
    asSvg(view.wide, heightOf(sceneOf(view), view.wide), view.header.theme, (pen) =>
      drawCosts(sceneOf(view), view.wide, pen),
    ),
  );
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

// The sizes that the sliders make, and the results that were measured with these.
/** @param {View} view */
function sceneOf({ header, state, results }) {
  const sizes = Object.fromEntries(Object.entries(header.sizes).map(([field, name]) => [field, state[name]]));
  const same = Object.entries(header.sizes).every(
    ([field, name]) => field === "n" || field === "from_n" || state[name] === header.state[name],
  );
  return { header, sizes: /** @type {any} */ (sizes), results: same ? results : [], same };
}

/** @param {View} view */
function arrange(view) {
  if (!view.header || !view.root.clientWidth) return;
  view.wide = view.root.clientWidth;
  view.root.classList.toggle("room", projected() > 0);
  const scene = sceneOf(view);
  const height = heightOf(scene, view.wide);
  onCanvas(view.canvas, view.wide, height, view.header.theme, (pen) => drawCosts(scene, view.wide, pen));
  view.canvas.setAttribute(
    "aria-label",
    `Costs with n ${scene.sizes.n} and d ${scene.sizes.d}. The sentence and the table have the numbers.`,
  );
  showMeasuring(view, scene.same);
  countDrawing(view.root);
}
