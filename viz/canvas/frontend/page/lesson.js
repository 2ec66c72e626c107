// A lesson beside the page: where one is, the question and its check, and the way on. The text itself is Streamlit's,
// which sets formulas; the figure to look at is outlined where it stands.

import { element, rootOf, unpack } from "../lib/page_state.js";
import { shared } from "../lib/shared.js";
import { PATIENCE, strayed } from "./stage.js";
import { isRunning, keyed, nodeOf } from "./streamlit.js";

// The step that is open, and what the keys of a lesson do: for the stage too, see page/stage.js.
const open = shared("lesson", () => ({ step: null, onKey: null }));

export default function ({ data, parentElement, setTriggerValue }) {
  const { header } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  const view = (root.view ??= build(root));
  Object.assign(view, { header, tell: setTriggerValue });
  draw(view);
  outline(view);
  const step = { title: header.steps[header.at], look: header.look, go: (by) => go(view, header.at + by) };
  open.step = step;
  dispatchEvent(new Event("attention-lab-lesson"));
  return () => {
    open.step = null;
    dispatchEvent(new Event("attention-lab-lesson"));
    view.outline.remove();
  };
}

function build(root) {
  const view = { root, outline: document.createElement("style") };
  const button = (className, label, act) =>
    Object.assign(element("button", className, label), { type: "button", onclick: act });
  view.where = element("p", "where");
  view.way = element("div", "way");
  view.asked = element("div", "asked");
  view.told = element("p", "told");
  view.told.setAttribute("role", "status");
  view.lost = element("p", "lost");
  view.back = button("tool", "Back", () => go(view, view.header.at - 1));
  view.next = button("next", "Next", () => go(view, view.header.at + 1));
  view.show = button("tool show", "To the figure", () => showFigure(view.header.look));
  view.out = button("tool", "Leave", () => view.tell("leave", true));
  Object.assign(view.back, { title: "One step back (key B)" });
  Object.assign(view.next, { title: "One step on (key N)" });
  const head = element("div", "head");
  head.append(view.where, view.show, view.back, view.next, view.out);
  root.append(head, view.way, view.asked, view.told, view.lost);
  listen(view);
  return view;
}

function go(view, to) {
  const { at, steps } = view.header;
  if (to < 0 || to === at || view.going === to) return;
  view.going = to < steps.length ? to : null;
  view.tell("step", Math.min(to, steps.length));
}

function draw(view) {
  const { header, asked, told } = view;
  const { at, steps, question, choices, given, verdict } = header;
  view.going = null;
  view.where.textContent = `${header.title}  ·  ${at + 1} of ${steps.length}`;
  view.way.replaceChildren(
    ...steps.map((title, to) => {
      const dot = element("button", to === at ? "dot now" : to < at ? "dot past" : "dot");
      dot.setAttribute("aria-label", `Step ${to + 1}: ${title}`);
      if (to === at) dot.setAttribute("aria-current", "step");
      return Object.assign(dot, { type: "button", title, onclick: () => go(view, to) });
    }),
  );
  view.back.disabled = at === 0;
  view.next.textContent = at === steps.length - 1 ? "Finish" : "Next";
  told.textContent = header.told;
  told.className = `told ${verdict}`;
  told.hidden = !question; // with a question its lines are kept free, so that an answer does not push the figure down
  const same = JSON.stringify([header.name, at]);
  if (view.drawn !== same) asked.replaceChildren(...(question ? ask(view, question, choices) : []));
  view.drawn = same;
  for (const choice of asked.querySelectorAll(".choice"))
    choice.setAttribute("aria-pressed", String(choice.textContent === given));
  const tell = asked.querySelector(".tell");
  if (tell) tell.hidden = verdict !== "wrong";
  view.root.dataset.drawn = Number(view.root.dataset.drawn ?? 0) + 1; // tests wait for it
}

function ask(view, question, choices) {
  const answer = element("form", "answer");
  answer.onsubmit = (event) => event.preventDefault();
  if (choices.length) {
    for (const choice of choices) {
      const button = element("button", "choice", choice);
      answer.append(Object.assign(button, { type: "button", onclick: () => view.tell("answer", choice) }));
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
      if (field.value.trim()) view.tell("answer", field.value.trim());
    };
    answer.append(field, check);
  }
  const tell = Object.assign(element("button", "tool tell", "Tell me"), {
    type: "button",
    hidden: true,
    onclick: () => view.tell("answer", ""),
  });
  answer.append(tell);
  return [element("p", "question", question), answer];
}

// The key of a figure is letters, digits, “-” and “_” only: the file's reader has seen to that.
function outline(view) {
  const { header } = view;
  const { look, theme } = header;
  document.head.append(view.outline);
  view.outline.textContent = look
    ? `:root:not([data-stage]) ${keyed(look)} ` +
      `{ outline: 2px solid ${theme.accent}; outline-offset: 6px; border-radius: 2px; }`
    : "";
  view.show.hidden = !look;
  view.lost.textContent = "";
  if (look) seek(view, look, PATIENCE / 100);
  if (look && beside() && view.looked !== `${header.name} ${header.at}`) {
    view.scrolled = false;
    bring(view, look, 600);
  }
  view.looked = `${header.name} ${header.at}`;
}

// Whether the step stays in sight while the page scrolls (see lesson.css). Where it does not, it is read first.
const beside = () => getComputedStyle(nodeOf("lesson").parentElement).position === "sticky";

// Whoever wrote the lesson may have named a figure that the page does not have in this state.
function seek(view, look, tries) {
  if (view.header.look !== look || !view.root.isConnected || nodeOf(look)) return;
  if (isRunning() || tries) return void setTimeout(() => seek(view, look, Math.max(0, tries - 1)), 100);
  view.lost.textContent = strayed(look);
}

function showFigure(look) {
  const figure = nodeOf(look);
  if (!figure) return;
  figure.style.scrollMarginTop = "72px"; // below the bar of the app
  figure.scrollIntoView({ block: "start" });
}

// A figure below the fold comes into sight once it is there, some only after seconds; what is seen already stays where
// it is, and whoever scrolls meanwhile is left alone.
function bring(view, look, tries) {
  if (view.scrolled || view.header.look !== look || !view.root.isConnected) return;
  const figure = nodeOf(look);
  const settled = figure?.querySelector("*")?.getBoundingClientRect().height > 40 && !isRunning();
  if (!settled) return tries && setTimeout(() => bring(view, look, tries - 1), 100);
  if (document.documentElement.hasAttribute("data-stage")) return;
  const box = figure.getBoundingClientRect();
  if (box.top + Math.min(box.height, 200) < innerHeight) return;
  figure.style.scrollMarginBottom = "64px"; // its sentence comes along
  figure.scrollIntoView({ block: "end" });
  if (tries) setTimeout(() => bring(view, look, Math.min(tries - 1, 4)), 150); // what stands above may still be growing
}

// Once for the page. On the stage the same steps are taken by Space and the page keys; see page/stage.js.
function listen(view) {
  for (const sign of ["wheel", "touchmove"]) addEventListener(sign, () => (view.scrolled = true), { passive: true });
  if (!open.onKey) document.addEventListener("keydown", (event) => open.onKey(event));
  open.onKey = (event) => {
    const target = /** @type {HTMLElement} */ (event.composedPath()[0]);
    if (event.ctrlKey || event.metaKey || event.altKey || !open.step) return;
    if (target.isContentEditable || target.matches?.("textarea, select, input:not([type=range])")) return;
    if (event.key === "n") open.step.go(1);
    if (event.key === "b") open.step.go(-1);
  };
}
