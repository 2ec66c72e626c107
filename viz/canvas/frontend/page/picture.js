// A figure as a file: cut to what is drawn, with its origin inside, and on its face what an ablated picture must say.

/** @typedef {import("../types.js").SaveHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Theme} Theme */
/** @typedef {import("../types.js").Origin} Origin */
/** A chart that Plotly has drawn.
 * @typedef {Element & { _fullLayout: { width: number, height: number } }} PlotlyChart
 */

import { linesOf, widthOf } from "../lib/drawing.js";
import { drawings, svgPage, svgText, xml } from "../lib/page_state.js";
import { withTexts } from "../lib/png.js";
import { CHART, nodeOf } from "./streamlit.js";

const EDGE = 10; // paper around the drawing
const SAYS = { size: 13, weight: 600 };
const FOOT = { size: 10.5 };
const LINE = 1.45; // of the size of the type
const LEAST = 300; // a line is never narrower, even under a small drawing

// The figure with that key as SVG, as it stands on the page, or `whole` where it shows one step of several; null when
// there is none.
/**
 * @param {string} key
 * @param {Theme} theme
 */
export function figureSvg(key, theme, whole = false) {
  const chart = /** @type {PlotlyChart | null | undefined} */ (nodeOf(key)?.querySelector(CHART));
  return chart ? chartSvg(chart, theme) : (drawings.get(key)?.(whole) ?? null);
}

// The caption of the figure: the sentence under it, or the one inside it.
/** @param {{ figure: string, reading: [string, boolean][] }} header */
export const captionOf = (header) =>
  captionRuns(header)
    .map(([text]) => text)
    .join("");

// The same as [text, emphasised].
/**
 * @param {{ figure: string, reading: [string, boolean][] }} header
 * @returns {[string, boolean][]}
 */
export function captionRuns({ figure, reading }) {
  if (reading.some(([text]) => text)) return reading;
  const inside = [...(nodeOf(figure)?.querySelectorAll("*") ?? [])].filter((node) => node.shadowRoot);
  const text = inside.map(({ shadowRoot }) => shadowRoot?.querySelector("[aria-live]")?.textContent.trim());
  return [[text.find(Boolean) ?? "", false]];
}

// A Plotly chart is a few SVG drawings laid over each other.
/**
 * @param {PlotlyChart} chart
 * @param {Theme} theme
 */
export function chartSvg(chart, theme) {
  const { width, height } = chart._fullLayout;
  const layers = [...chart.querySelectorAll(".main-svg")].map((layer) => {
    const copy = /** @type {Element} */ (layer.cloneNode(true));
    copy.querySelectorAll(".hoverlayer, .draglayer, .modebar").forEach((part) => part.remove());
    copy.removeAttribute("style");
    return new XMLSerializer().serializeToString(copy);
  });
  return svgPage(width, height, theme, `<g class="chart">${layers.join("")}</g>`);
}

// { text, width, height }: the drawing as a file of its own.
/**
 * @param {string} svg
 * @param {{ theme: Theme, origin: Origin, title?: string, transparent?: boolean, foot?: boolean }} wish
 */
export function finished(svg, { theme, origin, title = "", transparent = false, foot = false }) {
  const sheet = document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true);
  const paper = sheet.querySelector(":scope > .paper");
  const box = extent(sheet);
  let [top, bottom] = [box.y, box.y + box.height];
  const wide = Math.max(box.width, LEAST);
  /** @type {string[]} */
  const written = [];
  const face = [
    { statement: origin.shows, fill: theme.ink },
    { statement: origin.says, fill: theme.accent },
  ];
  const notices = face.flatMap(({ statement, fill }) =>
    !statement
      ? []
      : linesOf(statement[0].toUpperCase() + statement.slice(1), wide, SAYS.size, SAYS.weight).map((line) => [
          line,
          fill,
        ]),
  );
  const tall = SAYS.size * LINE;
  notices.forEach(([line, fill], lineIndex) => {
    written.push(svgText(box.x, top - 6 - (notices.length - 1 - lineIndex) * tall, line, { ...SAYS, fill }));
  });
  if (notices.length) top -= 6 + notices.length * tall;
  const below = foot ? linesOf(footer(origin), wide, FOOT.size) : [];
  below.forEach((line, lineIndex) => {
    written.push(
      svgText(box.x, bottom + 10 + (lineIndex + 1) * FOOT.size * LINE, line, { ...FOOT, fill: theme.muted }),
    );
  });
  if (below.length) bottom += 14 + below.length * FOOT.size * LINE;
  const right = Math.max(
    box.width,
    ...notices.map(([line]) => widthOf(line, SAYS.size, SAYS.weight)),
    ...below.map((line) => widthOf(line, FOOT.size)),
  );
  const [x, y] = [Math.floor(box.x - EDGE), Math.floor(top - EDGE)];
  const place = { x, y, width: Math.ceil(box.x + right + EDGE) - x, height: Math.ceil(bottom + EDGE) - y };
  for (const [name, value] of Object.entries({ width: place.width, height: place.height }))
    sheet.setAttribute(name, String(value));
  sheet.setAttribute("viewBox", `${place.x} ${place.y} ${place.width} ${place.height}`);
  if (transparent) paper?.remove();
  else for (const [name, value] of Object.entries(place)) paper?.setAttribute(name, String(value));
  const head = `<title>${xml(title)}</title><metadata>${xml(JSON.stringify(origin))}</metadata>`;
  const text = new XMLSerializer().serializeToString(sheet);
  const open = text.indexOf(">") + 1;
  const close = text.lastIndexOf("</svg>");
  return {
    text: text.slice(0, open) + head + text.slice(open, close) + written.join("") + text.slice(close),
    ...place,
  };
}

// What is drawn, letters included: a drawing may be narrower than its room, and a name may stand out of it.
/** @param {Element} sheet */
function extent(sheet) {
  const width = Number(sheet.getAttribute("width"));
  const height = Number(sheet.getAttribute("height"));
  if (sheet.querySelector(":scope > .chart")) return { x: 0, y: 0, width, height }; // what is clipped would count too
  const host = document.createElement("div");
  host.style.cssText = "position: fixed; left: -100000px; top: 0; visibility: hidden;";
  const measured = /** @type {SVGGraphicsElement} */ (sheet.cloneNode(true));
  measured.querySelectorAll(":scope > .paper").forEach((part) => part.remove());
  host.attachShadow({ mode: "open" }).append(measured); // out of reach of the page's own rules
  document.body.append(host);
  const box = measured.getBBox();
  host.remove();
  return box.width && box.height ? box : { x: 0, y: 0, width, height };
}

// The origin in one line; as `footer` in viz/export/provenance.py.
/** @param {Origin} origin */
export function footer(origin) {
  const weights = origin.weights && origin.weights + (origin.seed === undefined ? "" : `, seed ${origin.seed}`);
  return [`${origin.software} ${origin.version}`, weights, origin.file, origin.says, origin.link]
    .filter(Boolean)
    .join("  ·  ");
}

/**
 * @param {{ text: string, width: number, height: number }} sheet
 * @param {number} scale
 * @param {Origin} origin
 */
export async function toPng({ text, width, height }, scale, origin, title = "") {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width * scale, height * scale];
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  const blob = await new Promise((/** @type {(blob: Blob) => void} */ done) =>
    canvas.toBlob((png) => done(/** @type {Blob} */ (png)), "image/png"),
  );
  const texts = {
    Software: footer({ ...origin, weights: "", file: "", says: "", link: "" }),
    Description: title,
    Source: origin.link ?? "",
  };
  return withTexts(blob, { ...texts, "attention-lab": JSON.stringify(origin) });
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
