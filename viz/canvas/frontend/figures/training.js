// Two models that learn: a stream of the server brings what is measured, and everything measured can be gone through.

/** @typedef {import("../types.js").TrainingHeader} Header */
/** @typedef {import("../types.js").TrainingFrame} Frame */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Root} Root */

import { asSvg, onCanvas } from "../lib/drawing.js";
import { eventStream } from "../lib/event_stream.js";
import { countDrawing, drawings, element, listen, rootOf, unpack } from "../lib/page_state.js";
import { drawTraining, layoutOf } from "./training_drawing.js";

/** @type {[string, string][]} */
const BUTTONS = [
  ["play", "Play"],
  ["single", "1 step"],
  ["ten", "10 steps"],
];

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  const follows = !view.frames || view.run !== header.run || view.shown === view.frames.length - 1;
  Object.assign(view, {
    header,
    run: header.run,
    frames: header.frames,
    waits: null,
    rests: header.rests,
    command: (/** @type {string} */ name, /** @type {number} */ number) => setTriggerValue("command", [name, number]),
    onRest: () => setTriggerValue("rest", view.frames.at(-1)?.step ?? 0),
  });
  view.shown = follows ? view.frames.length - 1 : Math.min(view.shown, view.frames.length - 1);
  connect(view);
  const stop = listen(key, () => {});
  drawings.set(header.key, () =>
    asSvg(view.wide, layoutOf(view.header, view.wide).height, view.header.theme, (pen) =>
      drawTraining(sceneOf(view), view.wide, pen),
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
  const [bar, canvas] = [element("div", "bar"), element("canvas", "drawing")];
  const buttons = BUTTONS.map(([name, text]) => element("button", name, text));
  for (const button of buttons) button.type = "button";
  const [range, count, back, status] = [
    element("input", "range"),
    element("span", "count"),
    element("button", "back"),
    element("span", "status"),
  ];
  Object.assign(range, { type: "range", min: 0, step: 1 });
  range.setAttribute("aria-label", "Step that is shown");
  status.setAttribute("aria-live", "polite");
  back.type = "button";
  bar.append(...buttons, range, count, back, status);
  canvas.setAttribute("role", "img");
  root.append(bar, canvas);
  /** @type {any} */
  const view = { root, canvas, range, count, back, status, buttons, shown: 0 };
  const [play, single, ten] = buttons;
  play.onclick = () => view.command(view.rests ? "play" : "pause", 0);
  single.onclick = () => view.command("play", 1);
  ten.onclick = () => view.command("play", 10);
  back.onclick = () => view.command("rewind", view.frames[view.shown].step);
  range.oninput = () => {
    view.shown = Number(range.value);
    show(view);
  };
  root.advance = (delta) => advance(view, delta);
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}

/**
 * @param {View} view
 * @param {number} delta
 */
function advance(view, delta) {
  const next = view.shown + delta;
  if (next < 0 || next >= view.frames.length) return false;
  view.shown = next;
  show(view);
  return true;
}

/** @param {View} view */
function connect(view) {
  disconnect(view);
  if (view.rests) return;
  view.close = eventStream(view.run, view.frames.at(-1)?.step ?? -1, {
    onMessage: (frame) => take(view, frame),
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
  cancelAnimationFrame(view.painting);
}

// Several frames may come at once; they are drawn together, at the next frame of the screen.
/**
 * @param {View} view
 * @param {Frame} frame
 */
function take(view, frame) {
  if ((view.frames.at(-1)?.step ?? -1) >= frame.step) return;
  const follows = view.shown === view.frames.length - 1;
  view.frames.push(frame);
  if (follows) view.shown = view.frames.length - 1;
  cancelAnimationFrame(view.painting);
  view.painting = requestAnimationFrame(() => show(view));
}

/** @param {View} view */
const sceneOf = ({ header, frames, shown }) => ({ header, frames, shown });

/** @param {View} view */
function arrange(view) {
  if (!view.header || !view.root.clientWidth) return;
  view.wide = view.root.clientWidth;
  show(view);
}

/** @param {View} view */
function show(view) {
  if (!view.wide) return;
  const { height } = layoutOf(view.header, view.wide);
  onCanvas(view.canvas, view.wide, height, view.header.theme, (pen) => drawTraining(sceneOf(view), view.wide, pen));
  showControls(view);
  countDrawing(view.root);
}

/** @param {View} view */
function showControls(view) {
  const { header, frames, shown, rests, range, count, back, status, canvas } = view;
  const [play, single, ten] = view.buttons;
  const last = frames.at(-1)?.step ?? 0;
  const ended = rests && header.ended;
  play.textContent = rests ? "Play" : "Pause";
  play.disabled = ended;
  for (const button of [single, ten]) button.disabled = ended || !rests;
  range.max = String(frames.length - 1);
  range.value = String(shown);
  range.setAttribute("aria-valuetext", `step ${frames[shown]?.step ?? 0}`);
  count.textContent = `step ${frames[shown]?.step ?? 0} of ${header.steps}`;
  const step = frames[shown]?.step ?? 0;
  back.hidden = !rests || step === last || !header.kept.includes(step);
  back.textContent = `Go back to step ${step}`;
  status.textContent = view.waits
    ? `Waiting for ${view.waits === 1 ? "1 other training" : `${view.waits} other trainings`}`
    : rests
      ? header.note
      : "Training";
  canvas.setAttribute(
    "aria-label",
    `Both models after step ${step}. The sentence and the table below have the numbers.`,
  );
}
