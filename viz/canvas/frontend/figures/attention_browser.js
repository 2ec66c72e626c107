// All heads, one of them large, and its lines between the words: the page of heads in one file, with nobody to ask.
// A head is unpacked when it is chosen, so that many long heads cost nothing until then.

/** @typedef {import("../types.js").AttentionBrowserHeader} Header */
/** @typedef {import("../types.js").AttentionBrowserArrays} Arrays */
/** The figure's parts, and what is chosen in it.
 * @typedef {object} View
 * @property {Header} header
 * @property {import("../types.js").Cells} cells
 * @property {Uint8Array<ArrayBuffer>} zipped the heads, each on its own
 * @property {[number, number]} chosen
 * @property {number | null} pinned
 * @property {Record<string, ShadowRoot>} parts
 */
/**
 * @template PartHeader, PartArrays
 * @typedef {import("../types.js").Mount<PartHeader, PartArrays>} Mount
 */

import { ABSENT, FULL } from "../lib/cells.js";
import { element, rootOf, unpack } from "../lib/page_state.js";
import drawGrid from "./head_grid.js";
import drawPanels from "./maps.js";
import drawSentence from "./sentence.js";

const PARTS = ["sentence", "head_grid", "maps"];
const [FULL_16, ABSENT_16] = [65000, 65535]; // as in notebook.py

/** @param {Mount<Header, Arrays>} mount */
export default function ({ data, parentElement }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = {
    header,
    cells: arrays.cells,
    zipped: arrays.zipped.values,
    chosen: header.selected,
    pinned: null,
    parts: {},
  };
  if (header.title) root.append(element("h1", "title", header.title));
  for (const part of PARTS) {
    const [place, style] = [
      element("div", part),
      element("style", "", document.getElementById(`style-${part}`)?.textContent ?? ""),
    ];
    view.parts[part] = place.attachShadow({ mode: "open" });
    view.parts[part].append(style);
    root.append(place);
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
    drawSentence,
    { ...common, key: "sentence", tokens, full, keys, unknown: [] },
    { weights: { values: weights, shape }, mask: { values: mask, shape } },
  );
  draw(
    view,
    drawGrid,
    {
      ...common,
      key: "head_grid",
      tokens,
      key_tokens: keys?.tokens ?? null,
      head_roles: header.head_roles,
      selected: chosen,
      pooled: header.pooled,
    },
    { cells },
  );
  const title = `Layer ${layer}, head ${head}`;
  /** @type {import("../types.js").Panel[]} */
  const panels = [{ title, kind: "weight", limit: 1, marks: [], numbers: false }];
  const words = { query_tokens: tokens, key_tokens: (keys ?? header).tokens };
  const fixed = { titles: [[title]], pins: true, picks: false, paint: null, step: null, acknowledged: null };
  const values = { values: visible, shape: [1, ...shape] };
  draw(view, drawPanels, { ...common, key: "maps", ...words, ...fixed, panels }, { values });
}

/**
 * @template {{ key: string }} PartHeader
 * @template PartArrays
 * @param {View} view
 * @param {(mount: Mount<PartHeader, PartArrays>) => unknown} mount
 * @param {PartHeader} header
 * @param {PartArrays} arrays
 */
function draw(view, mount, header, arrays) {
  /**
   * A part sends the head or the row that was pressed, as it would to Python.
   * @param {string} _
   * @param {unknown} value
   */
  const setTriggerValue = (_, value) => {
    if (Array.isArray(value)) view.chosen = [Number(value[0]), Number(value[1])];
    else if (typeof value === "object" && value && "row" in value) {
      view.pinned = typeof value.row === "number" ? value.row : null;
    }
    show(view);
  };
  const { key } = header;
  mount({ data: { header, arrays }, parentElement: view.parts[key], setTriggerValue, setStateValue() {}, key });
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
