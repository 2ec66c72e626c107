// The question of a class on a projector: large, below the figure, with the answers as they come.

/** @typedef {import("../types.js").ClassView} ClassView */

import { element } from "../lib/page_state.js";
import { bars, counted, outcome } from "./class_bar.js";

/** @type {HTMLElement | null} */
let panel = null;
/** @type {MutationObserver | null} */
let observer = null;
/** What the lecturer sees now. @type {ClassView | null} */
let shown = null;

/**
 * Shows the question of the class while a figure is presented.
 * @param {ClassView | null} view what the lecturer sees; null: nothing is shown
 */
export function showOnStage(view) {
  shown = view;
  if (view && !observer) {
    observer = new MutationObserver(draw);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-stage"] });
  }
  draw();
}

function draw() {
  const { question, results, answered = 0, present = 0 } = shown ?? {};
  if (!question || !document.documentElement.hasAttribute("data-stage")) {
    panel?.remove();
    panel = null;
    return;
  }
  if (!panel) {
    panel = element("section", "class-stage");
    panel.setAttribute("aria-label", "Question to the class");
    document.body.append(panel);
  }
  /** @type {HTMLElement[]} */
  const parts = [element("p", "question", question.text)];
  parts.push(element("p", "count", `${answered} of ${counted(present, "student")} have answered.`));
  if (results && (question.revealed || results.answers)) parts.push(bars(results));
  if (shown && question.revealed && results) parts.push(element("p", "outcome", outcome(shown)));
  panel.replaceChildren(...parts);
}
