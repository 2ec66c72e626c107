// The sentence twice: above, the queries; below, the keys, which may be those of another
// sentence; between them, one head's weights.

/** @typedef {import("../types.js").SentenceHeader} Header */
/** @typedef {import("../types.js").SentenceArrays} Arrays */
/** @typedef {import("../types.js").Root} Root */
/** What Python sends, as this figure uses it.
 * @typedef {object} Received
 * @property {Header} header
 * @property {import("../types.js").Floats} weights (T, S)
 * @property {import("../types.js").Cells} mask (T, S)
 * @property {(row: number | null) => void} pin
 */
/** The parts of the figure, and what it keeps. queries, keys: an element for each word; focus: the query that the keys
 * move from; words: what the elements were made of.
 * @typedef {object} Own
 * @property {Root} root
 * @property {HTMLElement} scroll
 * @property {HTMLElement} rows
 * @property {HTMLElement} upper
 * @property {HTMLElement} lower
 * @property {HTMLCanvasElement} lines
 * @property {HTMLElement} announcement
 * @property {HTMLButtonElement[]} queries
 * @property {{ word: HTMLElement, value: HTMLElement }[]} keys
 * @property {number} focus
 * @property {string} words
 * @property {string} opened the width and the words at which the strip was last brought to its start
 */
/** @typedef {Received & Own} View */

import {
  density,
  drawings,
  element,
  hover,
  hoveredRow,
  listen,
  rootOf,
  svgPage,
  svgText,
  unpack,
} from "../lib/page_state.js";
import { indexOfLargest, quoted } from "../lib/values.js";

const FAINT = 0.02; // lines below this weight are not drawn
const NAMED = 0.05; // weights from here on stand as numbers under their word
const GAP = 60; // pixels between the two rows of words
const EDGE = 24; // pixels that fade where the sentence goes on; as in sentence.css

/** @param {Header} header */
const keyWords = (header) => header.keys ?? header; // { tokens, full } of the keys

/** @param {import("../types.d.ts").Mount<Header, Arrays>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {Received} */
  const received = { header, ...arrays, pin: (row) => setTriggerValue("pin", { row }) };
  /** @type {View} */
  const view = (root.view ??= build(root, received));
  Object.assign(view, received);

  const words = JSON.stringify([header.full, header.unknown, header.keys]);
  if (view.words !== words) {
    view.words = words;
    setWords(view);
  }
  const stop = listen(key, () => draw(view));
  drawings.set(header.key, () => toSvg(view));
  bringIntoView(view);
  fade(view);
  draw(view);
  return stop;
}

/**
 * @param {Root} root
 * @param {Received} received
 */
function build(root, received) {
  const scroll = element("div", "scroll");
  const rows = element("div", "rows");
  const upper = element("div", "words queries");
  const lines = element("canvas", "lines");
  const lower = element("div", "words keys");
  const announcement = element("div", "announcement");
  announcement.setAttribute("aria-live", "polite");
  upper.setAttribute("role", "group");
  upper.setAttribute("aria-label", "Query words. Arrow keys move, Enter pins, Escape releases.");
  lower.setAttribute("aria-hidden", "true");
  rows.append(upper, lines, lower);
  scroll.append(rows);
  const top = element("div", "side top", "query");
  const bottom = element("div", "side bottom", "key");
  root.append(top, scroll, bottom, announcement);
  const parts = { root, scroll, rows, upper, lines, lower, announcement };
  /** @type {View} */
  const view = { ...received, ...parts, queries: [], keys: [], focus: 0, words: "", opened: "" };

  /** @param {Event} event */
  const rowOf = (event) => {
    const word = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest?.("[data-index]"));
    return word ? Number(word.dataset.index) : null;
  };
  rows.onpointerover = (event) => {
    const row = rowOf(event);
    if (row !== null && event.pointerType !== "touch") hover(row);
  };
  root.onpointerleave = () => hover(null);
  rows.onclick = (event) => {
    const row = rowOf(event);
    if (row !== null) view.pin(view.header.pinned && view.header.row === row ? null : row);
  };
  // No browser knows onfocusin; the root is built once, so these listeners are added once.
  upper.addEventListener("focusin", (event) => {
    const row = rowOf(event);
    if (row === null || !(/** @type {Element} */ (event.target).matches(":focus-visible"))) return;
    view.focus = row;
    hover(row);
    view.announcement.textContent = describe(view, row);
  });
  upper.addEventListener("focusout", () => hover(null));
  upper.onkeydown = (event) => {
    const last = view.header.tokens.length - 1;
    const to = { ArrowLeft: view.focus - 1, ArrowRight: view.focus + 1, Home: 0, End: last }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      moveFocus(view, Math.min(Math.max(to, 0), last));
    } else if (event.key === "Escape") {
      hover(null);
      if (view.header.pinned) view.pin(null);
    }
  };
  scroll.onscroll = () => {
    fade(view);
    draw(view);
  };
  let wide = 0;
  new ResizeObserver(() => {
    if (wide !== scroll.clientWidth) fit(view);
    wide = scroll.clientWidth;
    bringIntoView(view);
    fade(view);
    draw(view);
  }).observe(scroll);
  return view;
}

/** @param {View} view */
function setWords(view) {
  const { header, upper, lower } = view;
  const unknown = new Set(header.unknown);
  /**
   * @template {"button" | "span"} Tag
   * @param {Tag} tag
   * @param {import("../types.js").Tokens} tokens
   * @param {boolean} isQuery
   */
  const wordsOf = (tag, { tokens, full }, isQuery) =>
    tokens.map((token, wordIndex) => {
      const word = element(tag, "word", token);
      word.title = full[wordIndex];
      if (!isQuery) return word;
      word.dataset.index = String(wordIndex); // a row of its own: it can be pointed at and chosen
      if (unknown.has(wordIndex)) word.title += ": not in this model's vocabulary, read as ⟨unknown⟩";
      word.classList.toggle("unknown", unknown.has(wordIndex));
      return word;
    });
  view.queries = wordsOf("button", header, true);
  for (const word of view.queries) Object.assign(word, { type: "button", tabIndex: -1 });
  view.keys = wordsOf("span", keyWords(header), !header.keys).map((word) => {
    const value = element("small", "value", "");
    word.append(value);
    return { word, value };
  });
  upper.replaceChildren(...view.queries);
  lower.replaceChildren(...view.keys.map(({ word }) => word));
  view.focus = Math.min(header.row, view.queries.length - 1);
  fit(view);
}

// Three sizes of type: the largest at which the whole sentence is seen without scrolling.
/** @param {View} view */
function fit(view) {
  for (const size of ["large", "middle", "small"]) {
    view.rows.dataset.size = size;
    if (view.rows.scrollWidth <= view.scroll.clientWidth) break;
  }
}

// Where the sentence goes on, its edge fades: no word is cut as if it ended there.
/** @param {View} view */
function fade({ scroll }) {
  scroll.toggleAttribute("data-before", scroll.scrollLeft > 1);
  scroll.toggleAttribute("data-after", scroll.scrollLeft + scroll.clientWidth < scroll.scrollWidth - 1);
}

// A long sentence opens at its beginning. With a pinned word it scrolls to that query and to the key with its largest
// weight, and never under a pointer on it. Without one it stays where a person has scrolled it.
/** @param {View} view */
function bringIntoView(view) {
  const { scroll, queries, keys, header } = view;
  if (scroll.matches(":hover")) return;
  const opened = `${scroll.clientWidth} ${view.words}`;
  const anew = opened !== view.opened;
  view.opened = opened;
  if (!header.pinned) {
    if (anew) scroll.scrollLeft = 0;
    return;
  }
  const row = litRow(view);
  const ends = [queries[row], keys[indexOfLargest(weightsOf(view, row))].word];
  /** @type {[number, number][]} */
  const sides = ends.map((word) => [word.offsetLeft, word.offsetLeft + word.offsetWidth]);
  const starts = queries.map((word) => word.offsetLeft);
  scroll.scrollLeft = scrolledTo(sides, starts, scroll.clientWidth);
}

// How far to scroll so that both words are seen, or the first of them where both do not fit: as little from the
// beginning of the sentence as possible, to where a word begins.
/**
 * @param {[number, number][]} sides of the two words, left and right
 * @param {number[]} starts where each word begins
 * @param {number} room
 */
export function scrolledTo(sides, starts, room) {
  const left = Math.min(...sides.map(([start]) => start));
  const right = Math.max(...sides.map(([, end]) => end));
  const [first, last] = right - left > room - EDGE ? sides[0] : [left, right];
  if (last <= room) return 0;
  const least = last + EDGE - room;
  return starts.find((start) => start >= least && start <= first) ?? least;
}

/**
 * @param {View} view
 * @param {number} row
 */
function moveFocus(view, row) {
  view.queries[view.focus].tabIndex = -1;
  view.focus = row;
  view.queries[row].tabIndex = 0;
  view.queries[row].focus();
  view.queries[row].scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** @param {View} view */
const litRow = (view) => Math.min(hoveredRow() ?? view.header.row, view.header.tokens.length - 1);

/**
 * @param {View} view
 * @param {number} row
 */
function weightsOf(view, row) {
  const width = view.weights.shape[1];
  return view.weights.values.subarray(row * width, (row + 1) * width);
}

/**
 * @param {View} view
 * @param {number} row
 */
export function describe(view, row) {
  const named = [...weightsOf(view, row)]
    .map((weight, wordIndex) => ({ weight, word: keyWords(view.header).full[wordIndex] }))
    .filter(({ weight }) => weight >= NAMED)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, 3)
    .map(({ weight, word }) => `${quoted(word)} ${weight.toFixed(2)}`);
  return `${quoted(view.header.full[row])} attends to ${named.join(", ") || "no word in particular"}`;
}

/** @param {HTMLElement} word */
const middle = (word) => word.offsetLeft + word.offsetWidth / 2;

/**
 * @param {View} view
 * @param {number} row
 */
function curves(view, row) {
  const from = middle(view.queries[row]);
  return [...weightsOf(view, row).entries()]
    .filter(([, weight]) => weight >= FAINT)
    .map(([wordIndex, weight]) => ({ weight, from, to: middle(view.keys[wordIndex].word) }))
    .sort((a, b) => a.weight - b.weight);
}

/** @param {View} view */
function draw(view) {
  const { header, queries, keys, lines, scroll, mask } = view;
  const row = litRow(view);
  const weights = weightsOf(view, row);
  const best = indexOfLargest(weights);
  for (const [wordIndex, word] of queries.entries()) {
    word.classList.toggle("lit", wordIndex === row);
    const pressed = String(header.pinned && wordIndex === header.row);
    // Of many words few change, and only those are touched.
    if (word.ariaPressed !== pressed) word.ariaPressed = pressed;
    const tab = wordIndex === view.focus ? 0 : -1;
    if (word.tabIndex !== tab) word.tabIndex = tab;
  }
  for (const [wordIndex, { word, value }] of keys.entries()) {
    const weight = weights[wordIndex];
    word.classList.toggle("forbidden", !mask.values[row * mask.shape[1] + wordIndex]);
    word.classList.toggle("best", wordIndex === best && weight >= NAMED);
    const text = weight >= NAMED ? weight.toFixed(2) : "";
    if (value.textContent !== text) value.textContent = text;
  }

  const ratio = density(lines);
  const width = scroll.clientWidth;
  const left = scroll.scrollLeft;
  lines.style.width = `${width}px`;
  lines.style.height = `${GAP}px`;
  lines.width = Math.round(width * ratio); // setting the size also clears the canvas
  lines.height = Math.round(GAP * ratio);
  const pen = lines.getContext("2d");
  if (!pen) return;
  pen.scale(ratio, ratio);
  pen.translate(-left, 0);
  pen.strokeStyle = header.theme.accent;
  pen.lineCap = "butt";
  for (const { weight, from, to } of curves(view, row)) {
    pen.globalAlpha = 0.25 + 0.75 * weight;
    pen.lineWidth = 0.75 + 7 * weight;
    pen.beginPath();
    pen.moveTo(from, 0);
    pen.bezierCurveTo(from, GAP * 0.55, to, GAP * 0.45, to, GAP);
    pen.stroke();
  }
}

/** @param {View} view */
function toSvg(view) {
  const { header, queries, keys } = view;
  const { theme } = header;
  const row = litRow(view);
  const weights = weightsOf(view, row);
  const size = parseFloat(getComputedStyle(view.rows).fontSize);
  const top = size + 8;
  const paths = curves(view, row).map(
    ({ weight, from, to }) =>
      `<path d="M${from} ${top + 6}C${from} ${top + 6 + GAP * 0.55} ` +
      `${to} ${top + 6 + GAP * 0.45} ${to} ${top + 6 + GAP}" ` +
      `fill="none" stroke="${theme.accent}" stroke-width="${0.75 + 7 * weight}" opacity="${0.25 + 0.75 * weight}"/>`,
  );
  const below = top + 6 + GAP + size + 2;
  const words = header.tokens.map((token, wordIndex) =>
    svgText(middle(queries[wordIndex]), top, token, {
      size,
      fill: wordIndex === row ? theme.accent : theme.ink,
      anchor: "middle",
    }),
  );
  keyWords(header).tokens.forEach((token, wordIndex) => {
    const x = middle(keys[wordIndex].word);
    words.push(svgText(x, below, token, { size, fill: theme.ink, anchor: "middle" }));
    if (weights[wordIndex] >= NAMED) {
      words.push(
        svgText(x, below + size, weights[wordIndex].toFixed(2), { size: 11, fill: theme.accent, anchor: "middle" }),
      );
    }
  });
  return svgPage(view.rows.scrollWidth, Math.ceil(below + size + 10), theme, paths.join("") + words.join(""));
}
