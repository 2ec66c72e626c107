// A quiet button that opens a short list: buttons to press, boxes to tick. It lies above everything and closes by
// Escape, by a click beside it, or by what was chosen in it.

import { element } from "./page_state.js";

let menuCount = 0;

// actions: [words, function, what it is for those who cannot see it]; boxes: [words, key]. ticked(key) tells what is
// ticked.
/**
 * @param {string} label
 * @param {[string, () => void, string?][]} actions
 * @param {[string, string][]} [boxes]
 */
export function menu(label, actions, boxes = []) {
  const [holder, opener, list] = [
    element("span", "holder"),
    element("button", "save opener", label),
    element("div", "menu"),
  ];
  list.id = `menu-${menuCount++}`;
  list.setAttribute("popover", "auto");
  Object.assign(opener, { type: "button" });
  opener.setAttribute("aria-expanded", "false");
  opener.setAttribute("aria-controls", list.id);
  /** @type {Record<string, HTMLInputElement>} */
  const ticks = {};
  for (const [words, key] of boxes) {
    const [line, box] = [element("label", "tick"), element("input", "box")];
    box.type = "checkbox";
    ticks[key] = box;
    line.append(box, words);
    list.append(line);
  }
  for (const [words, act, means] of actions) {
    const button = element("button", "choice", words);
    button.type = "button";
    if (means) button.append(element("small", "means", means));
    button.onclick = () => {
      list.hidePopover();
      opener.focus();
      act();
    };
    list.append(button);
  }
  opener.onclick = () => list.togglePopover();
  list.ontoggle = (event) => {
    const open = event.newState === "open";
    opener.setAttribute("aria-expanded", String(open));
    if (!open) return;
    place(list, opener);
    /** @type {HTMLElement | null} */ (list.querySelector(".choice"))?.focus({ preventScroll: true });
  };
  list.onkeydown = (event) => {
    if (event.key === "Escape") opener.focus(); // the browser closes the list
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const all = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("input, button")]);
    const { activeElement } = /** @type {Document | ShadowRoot} */ (list.getRootNode());
    const focused = all.indexOf(/** @type {HTMLElement} */ (activeElement));
    all[(focused + step + all.length) % all.length].focus();
  };
  addEventListener("scroll", () => list.matches(":popover-open") && place(list, opener), {
    capture: true,
    passive: true,
  });
  holder.append(opener, list);
  return { node: holder, opener, ticked: (/** @type {string} */ key) => ticks[key].checked };
}

// Below the button, or above it where there is no room.
/**
 * @param {HTMLElement} list
 * @param {HTMLElement} opener
 */
function place(list, opener) {
  const [from, size] = [opener.getBoundingClientRect(), list.getBoundingClientRect()];
  const below = from.bottom + size.height + 8 < innerHeight;
  list.style.left = `${Math.max(4, Math.min(from.left, innerWidth - size.width - 8))}px`;
  list.style.top = `${below ? from.bottom + 2 : Math.max(4, from.top - size.height - 2)}px`;
}
