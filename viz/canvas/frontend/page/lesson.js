// A lesson beside the page: where one is, the question and its check, and the way on. The text itself is Streamlit's,
// which sets formulas; the figure to look at is outlined where it stands.

/** @typedef {import("../types.js").LessonHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Root} Root */

import { keyedChildren } from "../lib/keyed_children.js";
import { countDrawing, element, rootOf, unpack } from "../lib/page_state.js";
import { shared } from "../lib/shared.js";
import { missingFigure, PATIENCE } from "./stage.js";
import { isRunning, keyed, nodeOf } from "./streamlit.js";

// The step that is open, and what the keys of a lesson do: for the stage too, see page/stage.js.
/** @type {import("../types.d.ts").OpenLesson} */
const open = shared("lesson", () => ({ step: null, onKey: null }));

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue }) {
  const { header } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  Object.assign(view, { header, trigger: setTriggerValue });
  draw(view);
  outline(view);
  const step = {
    title: header.headings[header.step],
    figure_key: header.figure_key,
    go: (/** @type {number} */ delta) => go(view, header.step + delta),
  };
  open.step = step;
  dispatchEvent(new Event("attention-lab-lesson"));
  return () => {
    open.step = null;
    dispatchEvent(new Event("attention-lab-lesson"));
    view.outline.remove();
  };
}

/** @param {Root} root */
function build(root) {
  /** @type {any} */
  const view = { root, outline: document.createElement("style") };
  /**
   * @param {string} className
   * @param {string} label
   * @param {any} act
   */
  const button = (className, label, act) =>
    Object.assign(element("button", className, label), { type: "button", onclick: act });
  view.where = element("p", "where");
  view.way = element("div", "way");
  view.questionBox = element("div", "question-box");
  view.feedback = element("p", "feedback");
  view.feedback.setAttribute("role", "status");
  view.missing = element("p", "missing");
  view.back = button("tool", "Back", () => go(view, view.header.step - 1));
  view.next = button("next", "Next", () => go(view, view.header.step + 1));
  view.show = button("tool show", "To the figure", () => showFigure(view.header.figure_key));
  view.out = button("tool", "Leave", () => view.trigger("leave", true));
  Object.assign(view.back, { title: "One step back (key B)" });
  Object.assign(view.next, { title: "One step on (key N)" });
  const head = element("div", "head");
  head.append(view.where, view.show, view.back, view.next, view.out);
  root.append(head, view.way, view.questionBox, view.feedback, view.missing);
  listen(view);
  return view;
}

/**
 * @param {View} view
 * @param {number} to
 */
function go(view, to) {
  const { step, headings } = view.header;
  if (to < 0 || to === step || view.going === to) return;
  view.going = to < headings.length ? to : null;
  view.trigger("step", Math.min(to, headings.length));
}

/**
 * @param {View} view
 * @param {number} to
 */
const stepButton = (view, to) =>
  Object.assign(element("button", "dot"), { type: "button", onclick: () => go(view, to) });

/** @param {View} view */
function draw(view) {
  const { header, questionBox, feedback } = view;
  const { step, headings, question, choices, answer, verdict } = header;
  view.going = null;
  view.where.textContent = `${header.title}  ·  ${step + 1} of ${headings.length}`;
  const places = headings.map((_, to) => String(to));
  keyedChildren(view.way, places, (to) => stepButton(view, Number(to))).forEach((dot, to) => {
    dot.className = to === step ? "dot now" : to < step ? "dot past" : "dot";
    dot.title = headings[to];
    dot.setAttribute("aria-label", `Step ${to + 1}: ${headings[to]}`);
    if (to === step) dot.setAttribute("aria-current", "step");
    else dot.removeAttribute("aria-current");
  });
  view.back.disabled = step === 0;
  view.next.textContent = step === headings.length - 1 ? "Finish" : "Next";
  feedback.textContent = header.feedback;
  feedback.className = `feedback ${verdict}`;
  feedback.hidden = !question; // with a question its lines stay free: an answer does not push the figure down
  const same = JSON.stringify([header.name, step]);
  if (view.drawn !== same) questionBox.replaceChildren(...(question ? ask(view, question, choices) : []));
  view.drawn = same;
  for (const choice of questionBox.querySelectorAll(".choice"))
    choice.setAttribute("aria-pressed", String(choice.textContent === answer));
  const reveal = questionBox.querySelector(".tell");
  if (reveal) reveal.hidden = verdict !== "wrong";
  countDrawing(view.root);
}

/**
 * @param {View} view
 * @param {any} question
 * @param {any} choices
 */
function ask(view, question, choices) {
  const answer = element("form", "answer");
  answer.onsubmit = (event) => event.preventDefault();
  if (choices.length) {
    for (const choice of choices) {
      const button = element("button", "choice", choice);
      answer.append(Object.assign(button, { type: "button", onclick: () => view.trigger("answer", choice) }));
    }
  } else {
    const field = Object.assign(element("input", "number"), {
      type: "text",
      inputMode: "decimal",
      autocomplete: "off",
      maxLength: 40,
    });
    field.setAttribute("aria-label", question);
    const check = Object.assign(element("button", "choice", "Check"), { type: "submit" });
    answer.onsubmit = (event) => {
      event.preventDefault();
      if (field.value.trim()) view.trigger("answer", field.value.trim());
    };
    answer.append(field, check);
  }
  const reveal = Object.assign(element("button", "tool tell", "Tell me"), {
    type: "button",
    hidden: true,
    onclick: () => view.trigger("answer", ""),
  });
  answer.append(reveal);
  return [element("p", "question", question), answer];
}

// The key of a figure is letters, digits, “-” and “_” only: the file's reader has seen to that.
/** @param {View} view */
function outline(view) {
  const { header } = view;
  const { figure_key, theme } = header;
  document.head.append(view.outline);
  view.outline.textContent = figure_key
    ? `:root:not([data-stage]) ${keyed(figure_key)} ` +
      `{ outline: 2px solid ${theme.accent}; outline-offset: 6px; border-radius: 2px; }`
    : "";
  view.show.hidden = !figure_key;
  view.missing.textContent = "";
  if (figure_key) seek(view, figure_key, PATIENCE / 100);
  if (figure_key && staysInSight() && view.outlinedStep !== `${header.name} ${header.step}`) {
    view.scrolled = false;
    bring(view, figure_key, 600);
  }
  view.outlinedStep = `${header.name} ${header.step}`;
}

// Whether the step stays in sight while the page scrolls (see lesson.css). Where it does not, it is read first.
const staysInSight = () =>
  getComputedStyle(/** @type {Element} */ (nodeOf("lesson")?.parentElement)).position === "sticky";

// Whoever wrote the lesson may have named a figure that the page does not have in this state.
/**
 * @param {View} view
 * @param {string} figure_key
 * @param {number} tries
 */
function seek(view, figure_key, tries) {
  if (view.header.figure_key !== figure_key || !view.root.isConnected || nodeOf(figure_key)) return;
  if (isRunning() || tries) return void setTimeout(() => seek(view, figure_key, Math.max(0, tries - 1)), 100);
  view.missing.textContent = missingFigure(figure_key);
}

/** @param {string} figure_key */
function showFigure(figure_key) {
  const figure = nodeOf(figure_key);
  if (!figure) return;
  figure.style.scrollMarginTop = "72px"; // below the bar of the app
  figure.scrollIntoView({ block: "start" });
}

// A figure below the fold comes into sight once it is there, some only after seconds; what is seen already stays where
// it is, and whoever scrolls meanwhile is left alone.
/**
 * @param {View} view
 * @param {string} figure_key
 * @param {number} tries
 */
function bring(view, figure_key, tries) {
  if (view.scrolled || view.header.figure_key !== figure_key || !view.root.isConnected) return;
  const figure = nodeOf(figure_key);
  const drawn = figure?.querySelector("*");
  const settled = drawn && drawn.getBoundingClientRect().height > 40 && !isRunning();
  if (!figure || !settled) return tries && setTimeout(() => bring(view, figure_key, tries - 1), 100);
  if (document.documentElement.hasAttribute("data-stage")) return;
  const box = figure.getBoundingClientRect();
  if (box.top + Math.min(box.height, 200) < innerHeight) return;
  figure.style.scrollMarginBottom = "64px"; // its sentence comes along
  figure.scrollIntoView({ block: "end" });
  if (tries) setTimeout(() => bring(view, figure_key, Math.min(tries - 1, 4)), 150); // what is above may still grow
}

// Once for the page. On the stage the same steps are taken by Space and the page keys; see page/stage.js.
/** @param {View} view */
function listen(view) {
  for (const sign of ["wheel", "touchmove"]) addEventListener(sign, () => (view.scrolled = true), { passive: true });
  if (!open.onKey) document.addEventListener("keydown", (event) => open.onKey?.(event));
  open.onKey = (event) => {
    const target = /** @type {HTMLElement} */ (event.composedPath()[0]);
    if (event.ctrlKey || event.metaKey || event.altKey || !open.step) return;
    if (target.isContentEditable || target.matches?.("textarea, select, input:not([type=range])")) return;
    if (event.key === "n") open.step.go(1);
    if (event.key === "b") open.step.go(-1);
  };
}
