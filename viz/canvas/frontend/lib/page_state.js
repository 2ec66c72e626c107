// What the parts of a page share in the browser: which row is lit, and how to draw each figure as SVG.

import { shared } from "./shared.js";

/** The row under the pointer or the focus; null: none. @type {{ row: number | null }} */
const pointed = shared("pointed", () => ({ row: null }));
/** By mounted component. @type {Map<string, (row: number | null) => void>} */
const listeners = shared("listeners", () => new Map());
/** By key of the figure: the figure as SVG text; whole: with every step of it.
 * @type {Map<string, (whole?: boolean) => string>} */
export const drawings = shared("drawings", () => new Map());
/** By key of the figure: what stands under it, its sentence, its file's name, its origin.
 * @type {Map<string, import("../types.d.ts").SaveHeader>} */
export const figures = shared("figures", () => new Map());

/** By key on the page: what Streamlit has sent last for a figure, or for what stands under it.
 * @type {Map<string, import("../types.d.ts").Received>} */
export const received = shared("received", () => new Map());

export const hoveredRow = () => pointed.row;

/**
 * @param {number | null} row
 */
export function hover(row) {
  if (row === pointed.row) return;
  pointed.row = row;
  for (const listener of listeners.values()) listener(row);
}

// One listener a mount: a mount that is called again replaces its own. Streamlit's name for it is not the key in
// Python.
/**
 * @param {string} mount
 * @param {(row: number | null) => void} listener
 */
export function listen(mount, listener) {
  listeners.set(mount, listener);
  return () => {
    if (listeners.get(mount) !== listener) return; // another one has replaced it
    listeners.delete(mount);
    pointed.row = null;
  };
}

// The inverse of pack() in pack.py: { header, arrays: { name: { values, shape } } }. A drawing that holds another hands
// it what is unpacked already.
/**
 * @template Header, Arrays
 * @param {import("../types.d.ts").Data<Header, Arrays>} bytes
 * @returns {import("../types.d.ts").Unpacked<Header, Arrays>}
 */
export function unpack(bytes) {
  if ("header" in bytes) return bytes;
  const data = parse(bytes);
  const { key, figure } = data.header;
  const name = key ?? (figure && `save_${figure}`);
  if (name) received.set(name, { bytes, header: data.header, times: (received.get(name)?.times ?? 0) + 1 });
  // types.d.ts says for each figure which arrays its function in viz/canvas/ sends.
  return /** @type {import("../types.d.ts").Unpacked<Header, Arrays>} */ (/** @type {unknown} */ (data));
}

/**
 * @param {Uint8Array} bytes
 * @returns {{ header: any, arrays: Record<string, import("../types.d.ts").Packed> }}
 */
export function parse(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  /** @type {Record<string, import("../types.d.ts").Packed>} */
  const arrays = {};
  for (const [name, { dtype, shape, at: offset, bytes: size }] of Object.entries(header.arrays)) {
    const start = 4 + length + offset;
    const raw = bytes.slice(start, start + size); // a copy: typed arrays must begin at a multiple of their size
    arrays[name] = { values: dtype === "f4" ? new Float32Array(raw.buffer) : raw, shape };
  }
  return { header, arrays };
}

/** @type {("paper" | "ink" | "muted" | "rule" | "accent" | "absent" | "hatch")[]} */
const COLOURS = ["paper", "ink", "muted", "rule", "accent", "absent", "hatch"];

// A root element of our own inside the component, created once and kept across updates.
/**
 * @param {ParentNode & Node} parentElement
 * @param {import("../types.d.ts").Theme} theme
 * @returns {import("../types.d.ts").Root}
 */
export function rootOf(parentElement, theme) {
  /** @type {import("../types.d.ts").Root | null} */
  let root = parentElement.querySelector(".lab");
  if (!root) {
    root = document.createElement("div");
    root.className = "lab";
    parentElement.append(root);
  }
  for (const name of COLOURS) {
    root.style.setProperty(`--${name}`, theme[name]);
  }
  return root;
}

// On a projector (page/stage.js) the least size of letters, in a figure's own pixels, so that a room can read them; 0
// at a desk. A crowded figure then shows less. Style sheets know it as --least.
export const projected = () => Number(document.documentElement.dataset.projected ?? 0);
/**
 * @param {number} size
 */
export const legible = (size) => Math.max(size, projected());

// How much larger a node is on the screen than it thinks: 1, or more on the stage (page/stage.js).
/**
 * @param {HTMLElement} node
 */
const enlarged = (node) => node.getBoundingClientRect().width / node.offsetWidth || 1;

// Device pixels for one of a node's own, so that a canvas is sharp on every screen and on the stage.
/**
 * @param {HTMLElement} node
 */
export const density = (node) => (window.devicePixelRatio || 1) * enlarged(node);

// Where the pointer is, in a node's own pixels.
/**
 * @param {HTMLElement} node
 * @param {MouseEvent} event
 */
export function pointer(node, event) {
  const box = node.getBoundingClientRect();
  const scale = enlarged(node);
  return [(event.clientX - box.left) / scale, (event.clientY - box.top) / scale];
}

// What has the focus in the same component as a node.
/** @param {Node} node */
export function focusedBeside(node) {
  const root = node.getRootNode();
  return root instanceof ShadowRoot || root instanceof Document ? root.activeElement : null;
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text; // never innerHTML: tokens are somebody's text
  return node;
}

/** @type {Record<string, string>} */
const ENTITIES = { "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;" };

/**
 * @param {unknown} text
 */
export const xml = (text) => String(text).replace(/[<>&"]/g, (letter) => ENTITIES[letter]);

// Counts how often a figure was drawn: tests and benches wait for it.
/**
 * @param {HTMLElement} root
 */
export function countDrawing(root) {
  root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1);
}

export const FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif";

/**
 * @param {number} x
 * @param {number} y
 * @param {unknown} text
 * @param {{ size?: number, weight?: number, fill?: string, anchor?: string }} style
 */
export function svgText(x, y, text, { size = 12, fill, weight = 400, anchor = "start" }) {
  const type = `font-size="${size}" font-weight="${weight}" fill="${fill}" text-anchor="${anchor}"`;
  return `<text x="${x}" y="${y}" ${type}>${xml(text)}</text>`;
}

/**
 * @param {number} width
 * @param {number} height
 * @param {import("../types.d.ts").Theme} theme
 * @param {string} body
 */
export function svgPage(width, height, theme, body) {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
    `font-family="${xml(FONT)}"><rect class="paper" width="100%" height="100%" fill="${theme.paper}"/>${body}</svg>`
  );
}
