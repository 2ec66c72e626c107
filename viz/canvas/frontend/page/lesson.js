// A lesson beside the page: where one is, the question and its check, and the way on. The text itself is Streamlit's,
// which sets formulas; the figure to look at is outlined where it stands.

/** @typedef {import("../types.js").LessonHeader} Header */
/** @typedef {import("../types.js").Root} Root */
/** @typedef {{ header: Header, trigger: (name: string, value: unknown) => void }} Received what Python sends */
/** The parts of the step, and what it keeps. going: the step that was asked for; drawn, outlinedStep: the step whose
 * question is drawn and whose figure is outlined; scrolled: by the person; waiting: for the next frame.
 * @typedef {object} Own
 * @property {Root} root
 * @property {HTMLStyleElement} outline
 * @property {HTMLElement} where
 * @property {HTMLElement} way
 * @property {HTMLElement} questionBox
 * @property {HTMLElement} feedback
 * @property {HTMLElement} missing
 * @property {HTMLButtonElement} back
 * @property {HTMLButtonElement} next
 * @property {HTMLButtonElement} show
 * @property {HTMLButtonElement} out
 * @property {HTMLButtonElement} more
 * @property {number | null} going
 * @property {string} drawn
 * @property {string} outlinedStep
 * @property {boolean} scrolled
 * @property {boolean} waiting
 * @property {MutationObserver} [changes]
 * @property {ResizeObserver} [sizes]
 */
/** @typedef {Received & Own} View */

import { keyedChildren } from "../lib/keyed_children.js";
import { countDrawing, element, focusedBeside, rootOf, unpack } from "../lib/page_state.js";
import { shared } from "../lib/shared.js";
import { missingFigure, PATIENCE } from "./stage.js";
import { app, figureKeys, isRunning, keyed, mainArea, nodeOf } from "./streamlit.js";

const PAUSE = 150; // milliseconds between two looks at where the figure is
const TRIES = 400; // looks while a figure is not drawn
const KEPT = 20; // looks after it was drawn
const MIN_DRAWN = 20; // pixels: a lower figure is not drawn yet
const EDGE = 12; // pixels between the figure and what stands above and below it
const UNCOVERED = "data-uncovered"; // the mark of a drawing that viz/ui/lesson.css leaves open

// The step that is open, and what the keys of a lesson do: for the stage too, see page/stage.js.
/** @type {import("../types.d.ts").OpenLesson} */
const open = shared("lesson", () => ({ step: null, onKey: null }));

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue }) {
  const { header } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {Received} */
  const received = { header, trigger: setTriggerValue };
  /** @type {View} */
  const view = (root.view ??= build(root, received));
  Object.assign(view, received);
  watch(view);
  draw(view);
  outline(view);
  cover(view);
  fold(view);
  const step = {
    title: header.headings[header.step],
    question: header.covered ? header.question : "",
    figure_key: header.figure_key,
    question_text: header.question,
    choices: header.choices,
    tolerance: header.tolerance,
    measured: header.measured,
    reveal: () => view.trigger("answer", ""),
    go: (/** @type {number} */ delta) => go(view, header.step + delta),
  };
  open.step = step;
  dispatchEvent(new Event("attention-lab-lesson"));
  return () => {
    open.step = null;
    dispatchEvent(new Event("attention-lab-lesson"));
    view.outline.remove();
    view.changes?.disconnect();
    view.sizes?.disconnect();
    delete document.documentElement.dataset.lessonMore;
    delete document.documentElement.dataset.lessonFolded;
    for (const node of document.querySelectorAll(".lesson-cover")) node.remove();
  };
}

/**
 * @param {Root} root
 * @param {Received} received
 */
function build(root, received) {
  /**
   * @param {string} className
   * @param {string} label
   * @param {() => void} act
   */
  const button = (className, label, act) =>
    Object.assign(element("button", className, label), { type: "button", onclick: act });
  /** @type {View} */
  const view = {
    ...received,
    root,
    outline: document.createElement("style"),
    where: element("p", "where"),
    way: element("div", "way"),
    questionBox: element("div", "question-box"),
    feedback: element("p", "feedback"),
    missing: element("p", "missing"),
    back: button("tool", "Back", () => go(view, view.header.step - 1)),
    next: button("next", "Next", () => go(view, view.header.step + 1)),
    show: button("tool show", "To the figure", () => showFigure(view.header.figure_key)),
    out: button("tool", "Leave", () => view.trigger("leave", true)),
    more: button("tool more", "More", () => unfold(view)),
    going: null,
    drawn: "",
    outlinedStep: "",
    scrolled: false,
    waiting: false,
  };
  view.feedback.setAttribute("role", "status");
  Object.assign(view.back, { title: "One step back (key B)" });
  Object.assign(view.next, { title: "One step on (key N)" });
  const head = element("div", "head");
  head.append(view.where, view.more, view.show, view.back, view.next, view.out);
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
  view.where.textContent = `${step + 1} of ${headings.length}  ·  ${header.title}`;
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
  const same = JSON.stringify([header.name, step]);
  if (view.drawn !== same) questionBox.replaceChildren(...(question ? ask(view, question, choices) : []));
  view.drawn = same;
  for (const choice of questionBox.querySelectorAll(".choice"))
    choice.setAttribute("aria-pressed", String(choice.textContent === answer));
  /** @type {HTMLElement | null} */
  const reveal = questionBox.querySelector(".tell");
  if (reveal) reveal.hidden = verdict !== "wrong";
  /** @type {HTMLElement | null} */
  const form = questionBox.querySelector(".answer");
  if (form) {
    const known = verdict === "right" || verdict === "none"; // then the explanation takes the place of the choices
    if (known && !form.hidden && form.contains(focusedBeside(questionBox))) view.next.focus();
    form.hidden = known;
  }
  countDrawing(view.root);
}

/**
 * @param {View} view
 * @param {string} question
 * @param {string[]} choices
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
  if (view.outlinedStep === stepOf(view)) return;
  view.outlinedStep = stepOf(view);
  view.scrolled = false;
  delete document.documentElement.dataset.lessonMore;
  if (figure_key && staysInSight()) bring(view, figure_key, TRIES);
}

/** @param {View} view */
const stepOf = (view) => `${view.header.name} ${view.header.step}`;

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

// The figure of a step comes into sight once it is drawn, which for some takes seconds. For a while it is kept there,
// because what stands above it may still grow. Whoever scrolls meanwhile is left alone.
/**
 * @param {View} view
 * @param {string} figure_key
 * @param {number} tries
 */
function bring(view, figure_key, tries) {
  if (view.scrolled || !tries || view.header.figure_key !== figure_key || !view.root.isConnected) return;
  if (view.outlinedStep !== stepOf(view)) return;
  const figure = nodeOf(figure_key);
  const height = figure?.querySelector("*")?.getBoundingClientRect().height ?? 0;
  const settled = height > MIN_DRAWN && !isRunning();
  if (figure && settled && !document.documentElement.hasAttribute("data-stage")) {
    mainArea()?.scrollBy(0, wayToSight(figure, nodeOf(`save_${figure_key}`)));
  }
  setTimeout(() => bring(view, figure_key, settled ? Math.min(tries - 1, KEPT) : tries - 1), PAUSE);
}

// Pixels to scroll so that the figure and its sentence stand between the step and the end of the window; of a figure
// that is taller than this room, its beginning.
/**
 * @param {HTMLElement} figure
 * @param {HTMLElement | null} sentence
 */
function wayToSight(figure, sentence) {
  const top = (nodeOf("lesson")?.getBoundingClientRect().bottom ?? 0) + EDGE;
  const box = figure.getBoundingClientRect();
  const end = Math.max(box.bottom, sentence?.getBoundingClientRect().bottom ?? 0) + EDGE;
  if (box.top < top) return box.top - top;
  return Math.min(Math.max(0, end - innerHeight), box.top - top);
}

// While the question waits for an answer, viz/ui/lesson.css hides what the page shows and says. Here each hidden figure
// gets a cover. The figure of the step, or the first where it is missing, has the sentence and the way around it.
/** @param {View} view */
function cover(view) {
  const { covered, open_figures, figure_key } = view.header;
  const keys = covered ? figureKeys().filter((key) => nodeOf(key)) : [];
  const first = keys.includes(figure_key) ? figure_key : keys[0];
  const wanted = new Set();
  for (const key of keys) {
    const isOpen = open_figures.includes(key);
    const place = isOpen ? nodeOf(`save_${key}`) : nodeOf(key);
    if (isOpen) nodeOf(key)?.setAttribute(UNCOVERED, "");
    if (!place || (isOpen && key !== first)) continue;
    wanted.add(place);
    const present = /** @type {HTMLElement | null} */ (place.querySelector(":scope > .lesson-cover"));
    if (present && (present.dataset.main === "true") === (key === first)) continue;
    present?.remove();
    place.append(coverOf(view, key === first));
  }
  for (const node of document.querySelectorAll(".lesson-cover")) if (!wanted.has(node.parentElement)) node.remove();
  for (const node of document.querySelectorAll(`[${UNCOVERED}]`))
    if (!keys.some((key) => open_figures.includes(key) && nodeOf(key) === node)) node.removeAttribute(UNCOVERED);
}

/**
 * @param {View} view
 * @param {boolean} main
 */
function coverOf(view, main) {
  const node = element("div", main ? "lesson-cover" : "lesson-cover aside");
  node.dataset.main = String(main);
  if (!main) return node;
  const show = element("button", "", "Show it anyway");
  Object.assign(show, { type: "button", onclick: () => view.trigger("show", true) });
  node.append(element("p", "", "Guess first: this is covered until you check an answer."), show);
  return node;
}

// A long text, or a long answer, is folded to the height that lesson.css gives the step; “More” unfolds it.
/** @param {View} view */
function fold(view) {
  const { dataset } = document.documentElement;
  const parts = [nodeOf("lesson_text"), nodeOf("lesson_way")];
  const folded = parts.map((part) => (part ? part.scrollHeight > part.clientHeight + 2 : false));
  const unfolded = "lessonMore" in dataset;
  if (folded[0] && !unfolded) dataset.lessonFolded = "";
  else delete dataset.lessonFolded;
  view.more.hidden = !unfolded && !folded.some(Boolean);
  view.more.textContent = unfolded ? "Less" : "More";
  view.more.setAttribute("aria-expanded", String(unfolded));
}

/** @param {View} view */
function unfold(view) {
  const { dataset } = document.documentElement;
  if ("lessonMore" in dataset) delete dataset.lessonMore;
  else dataset.lessonMore = "";
  fold(view);
}

// Figures come after the step, and some come anew; formulas change the height of the text.
/** @param {View} view */
function watch(view) {
  view.changes?.disconnect();
  view.sizes?.disconnect();
  const look = () => {
    view.waiting = false;
    if (!view.root.isConnected) return; // another step's may be there by now
    cover(view);
    fold(view);
  };
  const later = () => {
    if (!view.waiting) requestAnimationFrame(look);
    view.waiting = true;
  };
  view.changes = new MutationObserver(later);
  view.changes.observe(app() ?? document.body, { childList: true, subtree: true });
  view.sizes = new ResizeObserver(later);
  view.sizes.observe(view.root);
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
