// The buttons of a figure that goes through its steps by itself: one step back, play or pause, one step on.

import { element } from "./page_state.js";

/** @type {[string, string, string][]} */
const BUTTONS = [
  ["back", "‹", "Back"],
  ["play", "▸", "Play"],
  ["next", "›", "Next"],
];

/** The three buttons, in their order. */
export function playerButtons() {
  return BUTTONS.map(([name, sign, label]) => {
    const button = element("button", name, sign);
    button.type = "button";
    button.setAttribute("aria-label", label);
    return button;
  });
}

// The middle button offers what is possible now.
/**
 * @param {HTMLButtonElement} play
 * @param {boolean} isPlaying
 */
export function showPlaying(play, isPlaying) {
  play.textContent = isPlaying ? "❙❙" : "▸";
  play.setAttribute("aria-label", isPlaying ? "Pause" : "Play");
}
