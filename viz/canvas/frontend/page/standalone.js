// A figure in a file of its own: the same scripts on the same bytes, with nobody to answer. What would ask a server is
// not heard; pointing, sliding and stepping work as on the page. When it is asked for a picture of itself, it writes
// one down.

/** @typedef {import("../types.js").SaveHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */

// @ts-expect-error In the file the figure has this name; see viz/export/standalone.py.
import mount from "../figure.js";
import { drawings } from "../lib/page_state.js";
import { chartSvg, finished, toPng } from "./picture.js";
import { CHART } from "./streamlit.js";

/** @param {string} base64 */
function bytesOf(base64) {
  /** @type {typeof Uint8Array & { fromBase64?: (base64: string) => Uint8Array }} */
  const kind = Uint8Array;
  if (kind.fromBase64) return kind.fromBase64(base64); // browsers before 2025 do not know it
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = letters.charCodeAt(index);
  return bytes;
}

/** @param {string} id */
const textOf = (id) => document.getElementById(id)?.textContent ?? "";
/** @param {string} id */
const jsonOf = (id) => JSON.parse(textOf(id));
const place = /** @type {HTMLElement} */ (document.getElementById("figure"));

if (mount) {
  const data = bytesOf(textOf("data"));
  const style = document.createElement("style");
  style.textContent = textOf("style");
  place.attachShadow({ mode: "open" }).append(style);
  mount({ data, parentElement: place.shadowRoot, setTriggerValue() {}, setStateValue() {}, key: "alone" });
}

// asked: { kind: "svg" or "png", scale, transparent, foot, theme, title }.
/**
 * @param {{ kind: string, scale: number, theme: import("../types.js").Theme, title?: string,
 *   transparent?: boolean, foot?: boolean }} wish
 */
async function write({ kind, scale, theme, ...more }) {
  const svg = mount
    ? [...drawings.values()][0]()
    : chartSvg(/** @type {import("./picture.js").PlotlyChart} */ (document.querySelector(CHART)), theme);
  const origin = jsonOf("origin");
  const sheet = finished(svg, { theme, origin, ...more });
  const file = kind === "png" ? await toPng(sheet, scale, origin, more.title) : new Blob([sheet.text]);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const answer = document.createElement("pre");
  answer.id = "made";
  for (let offset = 0; offset < bytes.length; offset += 3 * 8192) {
    answer.append(btoa(String.fromCharCode(...bytes.subarray(offset, offset + 3 * 8192))));
  }
  document.body.append(answer);
}

// Whoever asked reads the page once it is loaded. A frame whose document is open keeps it loading.
/** @param {Promise<unknown>} work */
async function loadingUntil(work) {
  const open = document.createElement("iframe");
  document.body.append(open);
  open.contentDocument?.open();
  await work.finally(() => open.contentDocument?.close());
}

if (jsonOf("asked")) loadingUntil(write(jsonOf("asked")));
