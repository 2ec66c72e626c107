// Buttons over small maps, one for each head: how a pointer or the keys choose one.

import { element } from "./page_state.js";

// One button a head, layer by layer; choose(layer, head) is called with the one that is pressed.
/**
 * @param {HTMLElement} group
 * @param {number} layers
 * @param {number} heads
 * @param {(layer: number, head: number) => void} choose
 */
export function setHeads(group, layers, heads, choose) {
  const shape = `${layers}×${heads}`;
  if (group.dataset.shape === shape) return;
  group.dataset.shape = shape;
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", `${layers} layers of ${heads} heads. Arrow keys move, Enter enlarges.`);
  group.replaceChildren(
    ...Array.from({ length: layers * heads }, (_, headIndex) => {
      const button = element("button", "head");
      button.type = "button";
      button.onclick = (event) => {
        event.stopPropagation();
        choose(Math.floor(headIndex / heads), headIndex % heads);
      };
      return button;
    }),
  );
  group.onkeydown = (event) => moveFocus(group, heads, event);
}

// Where the button of a head stands (left, top, width and height in pixels), what it is called, and whether it is
// chosen.
/**
 * @param {HTMLButtonElement} button
 * @param {Record<string, number>} box
 * @param {string} name
 * @param {boolean} chosen
 */
export function placeHead(button, box, name, chosen) {
  for (const [side, pixels] of Object.entries(box)) button.style.setProperty(side, `${pixels}px`);
  button.setAttribute("aria-label", name);
  button.setAttribute("aria-pressed", String(chosen));
  button.tabIndex = chosen ? 0 : -1;
}

/**
 * @param {HTMLElement} group
 * @param {number} heads
 * @param {KeyboardEvent} event
 */
function moveFocus(group, heads, event) {
  const buttons = /** @type {HTMLElement[]} */ ([...group.children]);
  const focused = buttons.indexOf(/** @type {HTMLElement} */ (event.target));
  /** @type {Record<string, number>} */
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -heads, ArrowDown: heads };
  const next = buttons[focused + steps[event.key]];
  if (focused < 0 || !next) return;
  event.preventDefault();
  buttons[focused].tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
