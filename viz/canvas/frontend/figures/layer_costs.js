// What each type of layer costs: counted in the browser while a slider moves, measured by the server when asked.

/** @typedef {import("../types.js").LayerCostsHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Root} Root */

import { asSvg, onCanvas } from "../lib/drawing.js";
import { eventStream } from "../lib/event_stream.js";
import { countDrawing, drawings, element, listen, projected, rootOf, unpack } from "../lib/page_state.js";
import { canvasBelowSliders } from "../lib/sliders.js";
import { drawCosts, heightOf } from "./layer_costs_drawing.js";

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  Object.assign(view, {
    header,
    results: header.results,
    rests: header.rests,
    waits: 0,
    post: (/** @type {any} */ state) => setTriggerValue("state", state),
    command: (/** @type {string} */ name) => setTriggerValue("command", [name, view.state]),
    onRest: () => setTriggerValue("rest", view.results.length),
  });
  view.state = view.controls.receive(header.sliders, header.state, header.acknowledged);
  connect(view);
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
  const bar = element("div", "bar");
  const [button, progress, status] = [
    element("button", "play"),
    element("progress", "progress"),
    element("span", "status"),
  ];
  button.type = "button";
  progress.setAttribute("aria-label", "Measurements that are done");
  status.setAttribute("aria-live", "polite");
  bar.append(button, progress, status);
  const view = Object.assign(canvasBelowSliders(root, arrange), { button, progress, status });
  button.onclick = () => view.command(view.rests ? "measure" : "stop");
  bar.hidden = !location.protocol.startsWith("http"); // a file of the figure has no server that measures
  view.controls.node.after(bar);
  return view;
}

/** @param {View} view */
function connect(view) {
  disconnect(view);
  if (view.rests || !view.header.run) return;
  view.close = eventStream(view.header.run, view.results.length - 1, {
    onMessage: (result) => {
      view.results = [...view.results, result];
      arrange(view);
    },
    onStatus: (ahead) => {
      view.waits = ahead;
      showControls(view);
    },
    onRest: () => {
      view.rests = true;
      showControls(view);
      view.onRest();
    },
  });
}

/** @param {View} view */
function disconnect(view) {
  view.close?.();
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
  showControls(view);
  countDrawing(view.root);
}

/** @param {View} view */
function showControls(view) {
  const { header, button, progress, status, rests, results } = view;
  const total = header.rows.length * header.lengths.length;
  button.textContent = rests ? (results.length ? "Measure again" : "Measure on this machine") : "Stop";
  button.disabled = !rests && !header.mine;
  progress.hidden = rests;
  progress.max = total;
  progress.value = results.length;
  const { same } = sceneOf(view);
  status.textContent = rests
    ? header.note ||
      (same && results.length ? "" : `Not measured with these sizes. It takes ${header.seconds} s at most.`)
    : view.waits
      ? `Waiting for ${view.waits === 1 ? "1 other measurement" : `${view.waits} other measurements`}`
      : `${results.length} of ${total} measured${header.mine ? "" : ", by another visitor"}`;
}
