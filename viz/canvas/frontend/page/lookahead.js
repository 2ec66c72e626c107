// A click on a switch is answered at once: the server has sent before what the page shows after it
// (viz/server/lookahead.py). All figures and the sentences under them change together, before the next repaint.
//
// The server answers the click as always, and its answer replaces what was drawn ahead. Both are compared.

/** @typedef {import("../types.js").Ahead} Ahead */

import { parse, received } from "../lib/page_state.js";
import { shared } from "../lib/shared.js";
import { app, isAtRest, nodeOf, onScriptState, shadowOf } from "./streamlit.js";

const ADDRESS = "./_lab/lookahead";
const REST = 150; // milliseconds that a page is at rest before anything is fetched for it
const PATIENCE = 5000; // milliseconds that the server has to answer a click
const MOST = 48; // links whose figures are kept
const STEP = 1 / 255; // of the scale of a cell: two computations may differ by it
const OF_THE_VISIT = ["acknowledged", "theme"]; // of a header: not the same for two visitors

/** @type {import("../types.js").Lookahead} */
const state = shared("lookahead", () => ({
  parts: [],
  removed: [],
  kept: new Map(),
  scripts: new Map(),
  shown: "",
  clicked: 0,
  drawn: [],
  timer: undefined,
  isWatching: false,
  counts: { ahead: 0, compared: 0, apart: [] },
}));

/**
 * Prepares for clicks on the switches of these parts.
 * @param {string[]} parts their keys; none: the page has no lookahead
 * @param {string[]} removed those that are off in what Python shows
 */
export function lookAhead(parts, removed) {
  Object.assign(state, { parts: state.counts.apart.length ? [] : parts, removed });
  if (!state.isWatching) {
    addEventListener("click", answerClick, true);
    onScriptState(onRest);
    state.isWatching = true;
  }
  onRest();
}

// The link of what is shown, with its parameters in one order, so that equal states have equal links.
/** @param {string} search */
function linkOf(search) {
  const parameters = new URLSearchParams(search);
  parameters.sort();
  return `${location.pathname.split("/").at(-1)}?${parameters}`;
}

/** @param {string} link @param {string} part @param {boolean} on */
function withPart(link, part, on) {
  const [page, query] = link.split("?");
  const parameters = new URLSearchParams(query);
  if (on) parameters.delete(part);
  else parameters.set(part, "false");
  parameters.sort();
  return `${page}?${parameters}`;
}

/** @param {string} part @returns {HTMLInputElement | null | undefined} */
const switchOf = (part) => nodeOf(part)?.querySelector("input[type=checkbox]");

// The figures are drawn somewhat after the script of the page has ended. A click that the server does not answer in
// time is taken back.
function onRest() {
  clearTimeout(state.timer);
  state.timer = setTimeout(() => {
    if (isAtRest() && (isAnswered() || Date.now() - state.clicked > PATIENCE)) {
      finish();
      fetchAll();
    } else onRest();
  }, REST);
}

// Whether Python has shown what the address says. The address changes with the click, before Python hears of it.
function isAnswered() {
  const parameters = new URLSearchParams(location.search);
  return state.parts.every((part) => state.removed.includes(part) === (parameters.get(part) === "false"));
}

async function fetchAll() {
  const link = linkOf(location.search);
  if (state.parts.length && !state.kept.has(link)) await fetchOne(link);
  for (const part of state.parts) {
    const node = switchOf(part);
    if (!node || node.disabled) continue;
    const next = withPart(link, part, !node.checked);
    if (!state.kept.has(next)) await fetchOne(next);
    if (!isAtRest() || !isAnswered() || link !== linkOf(location.search)) return; // the person goes first
  }
}

/** @param {string} link */
async function fetchOne(link) {
  const [page, query] = link.split("?");
  try {
    const answer = await fetch(`${ADDRESS}?${new URLSearchParams({ page, query })}`);
    if (answer.status !== 200) return;
    const shown = shownIn(new Uint8Array(await answer.arrayBuffer()));
    await Promise.all(shown.figures.map(({ component }) => loadScript(component)));
    keep(link, shown);
  } catch {
    // The server does not answer; a click is answered as without lookahead.
  }
}

/** @param {string} component */
async function loadScript(component) {
  if (state.scripts.has(component)) return;
  const script = component === "save" ? import("./save.js") : import(`../figures/${component}.js`);
  state.scripts.set(component, (await script).default);
}

/** @param {string} link @param {import("../types.js").ShownPage} shown */
function keep(link, shown) {
  state.kept.set(link, shown);
  for (const oldest of state.kept.keys()) {
    if (state.kept.size <= MOST) return;
    state.kept.delete(oldest);
  }
}

// The inverse of packed() in viz/server/lookahead.py.
/** @param {Uint8Array} content @returns {import("../types.js").ShownPage} */
function shownIn(content) {
  const length = new DataView(content.buffer).getUint32(0, true);
  /** @type {{ rest: string, figures: [string, string, number][] }} */
  const { rest, figures } = JSON.parse(new TextDecoder().decode(content.subarray(4, 4 + length)));
  let start = 4 + length;
  const withBytes = figures.map(([component, key, size]) => {
    const bytes = content.slice(start, start + size);
    start += size;
    return { component, key, bytes };
  });
  return { rest, figures: withBytes };
}

/** @param {Event} event */
function answerClick(event) {
  const target = /** @type {Node} */ (event.composedPath()[0]);
  const part = state.parts.find((name) => switchOf(name)?.closest("label")?.contains(target));
  const input = part && switchOf(part);
  if (!input || input.disabled) return;
  // A click on the input has changed it by now. One on its label has not; Streamlit changes the switch itself.
  const on = target === input ? input.checked : !input.checked;
  const before = state.shown || linkOf(location.search);
  const link = withPart(before, part, on);
  if (link === before) return; // the click on the input that follows one on its label
  const [now, next] = [state.kept.get(before), state.kept.get(link)];
  state.shown = "";
  if (now && next && isAllThatChanges(now, next)) drawAhead(link, next.figures);
}

// Whether the two pages differ in their figures only, and these are on the page, without an open table of numbers.
/** @param {import("../types.js").ShownPage} now @param {import("../types.js").ShownPage} next */
function isAllThatChanges(now, next) {
  const keysOf = (/** @type {import("../types.js").ShownPage} */ { figures }) => figures.map(({ key }) => key).join();
  if (now.rest !== next.rest || keysOf(now) !== keysOf(next)) return false;
  const isDrawn = (/** @type {string} */ key) => shadowOf(nodeOf(key))?.querySelector(".lab");
  return next.figures.every(({ key }) => isDrawn(key) && received.has(key) && !received.get(key)?.header.table_open);
}

/** @param {string} link @param {Ahead[]} entries */
function drawAhead(link, entries) {
  Object.assign(state, { shown: link, clicked: Date.now() });
  state.counts.ahead += 1;
  for (const entry of entries) {
    const before = state.drawn.find(({ key }) => key === entry.key);
    before?.stop?.();
    const drawn = { ...entry, times: received.get(entry.key)?.times ?? 0, stop: draw(entry) };
    state.drawn = [...state.drawn.filter((other) => other !== before), drawn];
  }
  app()?.setAttribute("data-ahead", "");
  onRest();
}

// Draws with the script that draws it on the page, into the same place. The theme and the posts are the visit's own.
/** @param {Ahead} entry @returns {(() => void) | undefined} what ends it */
function draw({ component, key, bytes }) {
  const [shadow, known] = [shadowOf(nodeOf(key)), received.get(key)];
  if (!shadow || !known) return;
  const root = /** @type {import("../types.js").Root} */ (shadow.querySelector(".lab"));
  const data = parse(bytes);
  for (const name of OF_THE_VISIT) if (name in known.header) data.header[name] = known.header[name];
  const setTriggerValue = root.view?.trigger ?? (() => {});
  return state.scripts.get(component)?.({ data, parentElement: shadow, setTriggerValue, setStateValue() {}, key });
}

// The server has answered. A figure that it has not drawn anew is as it was before the click: that is drawn again.
function finish() {
  const { drawn, counts } = state;
  if (!drawn.length) return;
  const answered = isAnswered() && linkOf(location.search) === state.shown;
  Object.assign(state, { drawn: [], shown: "" });
  for (const entry of drawn) {
    const known = received.get(entry.key);
    entry.stop?.();
    if (!known || !nodeOf(entry.key)) continue;
    const isAnswer = answered && known.times > entry.times;
    if (isAnswer) {
      counts.compared += 1;
      const difference = differenceOf(entry.bytes, known.bytes);
      if (difference) counts.apart.push(`${entry.key}: ${difference}`);
      if (difference) state.parts = []; // what was wrong once is not shown again
    } else draw({ ...entry, bytes: known.bytes });
  }
  app()?.removeAttribute("data-ahead");
}

/** @param {Uint8Array} ahead @param {Uint8Array} answer @returns {string} in what they differ; "" in nothing */
export function differenceOf(ahead, answer) {
  const [a, b] = [parse(ahead), parse(answer)];
  for (const name of Object.keys(b.header)) {
    if (OF_THE_VISIT.includes(name)) continue;
    if (JSON.stringify(a.header[name]) !== JSON.stringify(b.header[name])) return name;
  }
  for (const [name, { values }] of Object.entries(b.arrays)) {
    const other = a.arrays[name]?.values;
    if (other?.length !== values.length) return name;
    const scale = values instanceof Float32Array ? STEP : 1;
    const isFar = (/** @type {number} */ value, /** @type {number} */ index) =>
      Number.isFinite(value)
        ? !(Math.abs(value - other[index]) <= scale * Math.max(1, Math.abs(value)))
        : !Object.is(value, other[index]);
    if ([...values].some(isFar)) return name;
  }
  return "";
}
