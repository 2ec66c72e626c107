// All heads, one of them large, and its lines between the words: the page of heads in one file, with nobody to ask.
// A head is unpacked when it is chosen, so that many long heads cost nothing until then.

/** @typedef {import("../types.js").AttentionBrowserHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */

import { ABSENT, FULL } from "../lib/cells.js";
import { element, rootOf, unpack } from "../lib/page_state.js";
import drawGrid from "./head_grid.js";
import drawPanels from "./maps.js";
import drawSentence from "./sentence.js";

/** @type {Record<string, (mount: any) => unknown>} */
const PARTS = { sentence: drawSentence, head_grid: drawGrid, maps: drawPanels };
const [FULL_16, ABSENT_16] = [65000, 65535]; // as in notebook.py

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {any} */
  const view = {
    header,
    cells: arrays.cells,
    zipped: arrays.zipped.values,
    chosen: header.selected,
    pinned: null,
    parts: {},
  };
  if (header.title) root.append(element("h1", "title", header.title));
  for (const part of Object.keys(PARTS)) {
    const [place, style] = [
      element("div", part),
      element("style", "", document.getElementById(`style-${part}`)?.textContent ?? ""),
    ];
    place.attachShadow({ mode: "open" }).append(style);
    root.append(place);
    view.parts[part] = place.shadowRoot;
  }
  show(view);
}

/** @param {View} view */
async function show(view) {
  const { header, cells, chosen } = view;
  const [layer, head] = chosen;
  const { visible, weights, mask } = await headOf(view, layer, head);
  if (view.chosen !== chosen) return; // another was chosen meanwhile
  const { tokens, full, keys, theme } = header;
  const shape = [tokens.length, (keys ?? header).tokens.length];
  const common = { theme, row: view.pinned ?? header.rows[layer][head], pinned: view.pinned !== null };
  draw(
    view,
    "sentence",
    { ...common, tokens, full, keys, unknown: [] },
    { weights: { values: weights, shape }, mask: { values: mask, shape } },
  );
  draw(
    view,
    "head_grid",
    {
      ...common,
      tokens,
      key_tokens: keys?.tokens ?? null,
      head_roles: header.head_roles,
      selected: chosen,
      pooled: header.pooled,
    },
    { cells },
  );
  const title = `Layer ${layer}, head ${head}`;
  const panels = [{ title, kind: "weight", limit: 1, marks: [], numbers: false }];
  const words = { query_tokens: tokens, key_tokens: (keys ?? header).tokens };
  const fixed = { titles: [[title]], pins: true, picks: false, paint: null, step: null };
  draw(view, "maps", { ...common, ...words, ...fixed, panels }, { values: { values: visible, shape: [1, ...shape] } });
}

/**
 * @param {View} view
 * @param {keyof typeof PARTS} part
 * @param {any} header
 * @param {any} arrays
 */
function draw(view, part, header, arrays) {
  /**
   * @param {string} what
   * @param {any} value
   */
  const answer = (what, value) => {
    if (what === "head") view.chosen = value;
    else view.pinned = value.row;
    show(view);
  };
  PARTS[part]({
    data: /** @type {any} */ ({ header: { key: part, ...header }, arrays }),
    parentElement: view.parts[part],
    setTriggerValue: answer,
    key: part,
  });
}

// One head: its weights, 0 where there is no cell and NaN there in `visible`; mask: 1 where there is one.
/**
 * @param {View} view
 * @param {number} layer
 * @param {number} head
 */
async function headOf({ header, zipped }, layer, head) {
  const headIndex = layer * header.head_roles[0].length + head;
  const packed = new Blob([zipped.subarray(header.starts[headIndex], header.starts[headIndex + 1])]);
  const raw = await new Response(packed.stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
  const [codes, full, absent] = header.fine
    ? [new Uint16Array(raw), FULL_16, ABSENT_16]
    : [new Uint8Array(raw), FULL, ABSENT];
  const weights = Float32Array.from(codes, (code) => (code === absent ? 0 : code / full));
  const mask = Uint8Array.from(codes, (code) => (code === absent ? 0 : 1));
  return { weights, mask, visible: weights.map((weight, cell) => (mask[cell] ? weight : NaN)) };
}
