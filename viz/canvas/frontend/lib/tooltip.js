// The note beside the pointer: what it says, and where it stays within the figure.

import { element } from "./page_state.js";

const RIGHT = 14; // pixels from the pointer to the note
const BELOW = 16;
const EDGE = 4; // of the figure, at its right

/** A hidden note. */
export function tooltip() {
  const tip = element("div", "tip");
  tip.hidden = true;
  return tip;
}

// Right of the pointer, or as far to the left as keeps the whole note inside `room` pixels.
/**
 * @param {number} x
 * @param {number} wide
 * @param {number} room
 */
export const leftOf = (x, wide, room) => Math.max(0, Math.min(x + RIGHT, room - wide - EDGE));

// lines: [class, text] of each line, "where" for what is pointed at and "what" for its value; x, y: the pointer in the
// figure's own pixels; room: the width of the figure.
/**
 * @param {HTMLElement} tip
 * @param {[string, string][]} lines
 * @param {number} x
 * @param {number} y
 * @param {number} room
 */
export function showTooltip(tip, lines, x, y, room) {
  tip.replaceChildren(...lines.map(([className, text]) => element("div", className, text)));
  tip.hidden = false;
  tip.style.left = `${leftOf(x, tip.offsetWidth, room)}px`;
  tip.style.top = `${y + BELOW}px`;
}
