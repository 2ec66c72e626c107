// What stands under every figure: its sentence, the table behind it, and its files. Pictures are made here, in the
// browser; the table, the numbers and the live page come from the server when they are asked for.

/** @typedef {import("../types.js").SaveHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Root} Root */

import { copyText } from "../lib/clipboard.js";
import { menu } from "../lib/menu.js";
import { element, figures, hoveredRow, listen, rootOf, unpack } from "../lib/page_state.js";
import { captionOf, download, figureSvg, finished, toPng } from "./picture.js";

const TYPES = { csv: "text/csv", npz: "application/zip", html: "text/html" };

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  Object.assign(view, { header, trigger: setTriggerValue });
  figures.set(header.figure, header); // for who saves the whole page
  root.classList.toggle("compact", header.compact);
  view.reading.hidden = header.reading.length === 0;
  keepRoom(view, header);
  say(view, header.rows[hoveredRow() ?? -1] ?? header.reading);
  view.table.setAttribute("aria-expanded", String(header.table_open));
  view.table.setAttribute("aria-label", `Table, ${header.file}`);
  view.files.opener.setAttribute("aria-label", `Save ${header.file}`);
  view.copy.hidden = !header.python;
  if (header.ready && view.awaited === header.ready) {
    view.awaited = null;
    download(new Blob([arrays.bytes.values], { type: TYPES[header.ready] }), `${header.file}.${header.ready}`);
  }
  if (!header.rows.length) return;
  return listen(`sentence of ${header.figure}`, (row) => say(view, header.rows[row ?? -1] ?? header.reading));
}

/**
 * @param {View} view
 * @param {Header["reading"]} reading
 */
function say(view, reading) {
  view.reading.replaceChildren(...reading.map(([text, strong]) => element(strong ? "strong" : "span", "", text)));
}

// The longest of the sentences has its room from the start, so that nothing moves while the pointer does.
/**
 * @param {View} view
 * @param {Header} header
 */
function keepRoom(view, header) {
  view.reading.style.minHeight = "";
  if (!header.rows.length) return;
  const lengthOf = (/** @type {Header["reading"]} */ reading) => reading.reduce((sum, [text]) => sum + text.length, 0);
  say(
    view,
    header.rows.reduce((longest, row) => (lengthOf(row) > lengthOf(longest) ? row : longest)),
  );
  view.reading.style.minHeight = `${view.reading.offsetHeight}px`;
}

/** @param {Root} root */
function build(root) {
  const [reading, line, table, status] = [
    element("p", "reading"),
    element("div", "files"),
    element("button", "save", "Table"),
    element("span", "status"),
  ];
  /** @type {any} */
  const view = { reading, table, status, awaited: null };
  table.type = "button";
  table.onclick = () => view.trigger("table", true);
  status.setAttribute("role", "status");
  view.files = menu(
    "Save",
    [
      ["SVG", () => picture(view, null), "drawing, sharp at any size"],
      ["PNG 2×", () => picture(view, 2), "picture for a screen"],
      ["PNG 4×", () => picture(view, 4), "picture for print"],
      ["HTML", () => ask(view, "html"), "one interactive file, opens offline"],
      ["CSV", () => ask(view, "csv"), "the table"],
      ["NPZ", () => ask(view, "npz"), "the numbers, with named axes"],
      ["Copy as Python", () => copy(view), "the lines that recompute it"],
    ],
    [
      ["transparent", "transparent"],
      ["footer with origin", "foot"],
    ],
  );
  view.copy = [...view.files.node.querySelectorAll(".choice")].at(-1);
  line.append(table, view.files.node, status);
  root.append(reading, line);
  return view;
}

/**
 * @param {View} view
 * @param {number | null} scale
 */
async function picture(view, scale) {
  const { figure, file, theme } = view.header;
  const svg = figureSvg(figure, theme);
  if (!svg) return;
  const origin = { ...view.header.origin, link: location.href };
  const title = captionOf(view.header) || file;
  const { ticked } = view.files;
  const sheet = finished(svg, { theme, origin, title, transparent: ticked("transparent"), foot: ticked("foot") });
  if (scale) download(await toPng(sheet, scale, origin, title), `${file}.png`);
  else download(new Blob([sheet.text], { type: "image/svg+xml" }), `${file}.svg`);
}

/**
 * @param {View} view
 * @param {string} kind
 */
function ask(view, kind) {
  view.awaited = kind;
  view.trigger("ask", { kind, foot: view.files.ticked("foot"), link: location.href });
}

/** @param {View} view */
async function copy(view) {
  await copyText(view.header.python);
  view.status.textContent = "Copied.";
  setTimeout(() => (view.status.textContent = ""), 2500);
}
