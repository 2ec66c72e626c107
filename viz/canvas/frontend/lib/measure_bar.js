// The button that measures on the server and stops, how far it is, and the results as they come.

import { eventStream } from "./event_stream.js";
import { element } from "./page_state.js";

/** The view of a figure that measures. @typedef {any} View */

/** @param {View} view @returns {HTMLElement} */
export function measureBar(view) {
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
  Object.assign(view, { button, progress, status });
  button.onclick = () => view.command(view.rests ? "measure" : "stop");
  bar.hidden = !location.protocol.startsWith("http"); // a file of the figure has no server that measures
  return bar;
}

/**
 * Take what the server knows of the measurement; further results call `changed`.
 * @param {View} view
 * @param {(name: string, value: any) => void} post
 * @param {() => void} changed
 */
export function receiveMeasured(view, post, changed) {
  const { header } = view;
  Object.assign(view, {
    results: header.results,
    rests: header.rests,
    waits: 0,
    command: (/** @type {string} */ name) => post("command", [name, view.state]),
  });
  disconnect(view);
  if (view.rests || !header.run) return;
  view.close = eventStream(header.run, view.results.length - 1, {
    onMessage: (result) => {
      view.results = [...view.results, result];
      changed();
    },
    onStatus: (ahead) => {
      view.waits = ahead;
      changed();
    },
    onRest: () => {
      view.rests = true;
      changed();
      post("rest", view.results.length);
    },
  });
}

/** @param {View} view */
export function disconnect(view) {
  view.close?.();
}

/**
 * @param {View} view
 * @param {boolean} same whether the results were measured with the sizes of the sliders
 * @param {string} unmeasured what is missing before anything is measured
 */
export function showMeasuring(view, same = true, unmeasured = "Not measured with these sizes.") {
  const { header, button, progress, status, rests, results } = view;
  button.textContent = rests ? (results.length ? "Measure again" : "Measure on this machine") : "Stop";
  button.disabled = !rests && !header.mine;
  progress.hidden = rests;
  progress.max = header.total;
  progress.value = results.length;
  const waiting = view.waits === 1 ? "1 other measurement" : `${view.waits} other measurements`;
  status.textContent = rests
    ? header.note || (same && results.length ? "" : `${unmeasured} It takes ${header.seconds} s at most.`)
    : view.waits
      ? `Waiting for ${waiting}`
      : `${results.length} of ${header.total} measured${header.mine ? "" : ", by another visitor"}`;
}
