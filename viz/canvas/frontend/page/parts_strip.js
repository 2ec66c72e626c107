// The parts of a Transformer in one line at the head of every page. Those that the page is about are marked. A click
// opens the page of a part.

/** @typedef {import("../types.js").StripPart} StripPart */

import { element } from "../lib/page_state.js";

export function partsStrip() {
  const strip = element("nav", "parts");
  strip.setAttribute("aria-label", "Parts of a Transformer");
  return strip;
}

/**
 * Draws the parts; those that stay keep their buttons, so that no click is lost.
 * @param {HTMLElement} strip
 * @param {StripPart[]} parts
 * @param {(name: string) => void} onPart
 */
export function showParts(strip, parts, onPart) {
  if (strip.children.length !== parts.length) strip.replaceChildren(...parts.map(() => element("button", "part")));
  const lit = parts.map((part) => part.lit);
  const changed = lit.join() !== strip.dataset.lit;
  strip.dataset.lit = lit.join();
  [...strip.children].forEach((child, index) => {
    const { name, label, hint } = parts[index];
    const button = /** @type {HTMLButtonElement} */ (child);
    if (button.textContent !== label) button.textContent = label;
    Object.assign(button, { type: "button", title: hint, onclick: () => onPart(name) });
    button.dataset.part = name;
    if (lit[index]) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  });
  if (changed) bringIntoSight(strip, lit);
}

// On a narrow screen the strip is longer than its line: it scrolls to the first marked part, with one before it.
/**
 * @param {HTMLElement} strip
 * @param {boolean[]} lit
 */
function bringIntoSight(strip, lit) {
  const before = strip.children[Math.max(0, lit.indexOf(true) - 1)];
  if (before instanceof HTMLElement) strip.scrollLeft = before.offsetLeft - strip.offsetLeft;
}
