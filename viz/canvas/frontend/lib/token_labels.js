// How the tokens beside a map and above it are written: no line of letters touches the next.

import { legible } from "./page_state.js";

const [LEAST, LARGEST] = [9, 13]; // pixels of the letters
const LINE = 1.2; // of the letters: from a line to the next, where they do not touch
const [SLANTED, STEEP] = [-56, -75]; // degrees: the tokens above a map
const MOST_TOKENS = 40; // of a side that are named

// Whether there is no room to name every token, in cells of so many pixels.
/**
 * @param {number} cell
 */
export const crowded = (cell) => cell < legible(LEAST) * LINE;

// The size of the letters, the turn of the tokens above, and that every so manieth token is named.
/**
 * @param {number} cell
 * @param {number} tokens
 */
export function tokenLabels(cell, tokens) {
  const every = Math.max(Math.ceil(tokens / MOST_TOKENS), Math.ceil((legible(LEAST) * LINE) / cell));
  const size = Math.min(Math.max((every * cell) / LINE, LEAST), LARGEST);
  /** @param {number} turn */
  const apart = (turn) => every * cell * Math.sin((Math.abs(turn) * Math.PI) / 180);
  return { every, size, turn: apart(SLANTED) < legible(size) * LINE ? STEEP : SLANTED };
}
