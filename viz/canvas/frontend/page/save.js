// What stands under every figure: its sentence, the table behind it, and its files. Pictures are made here, in the
// browser; the table, the numbers and the live page come from the server when they are asked for.

import { copyText } from "../lib/clipboard.js";
import { menu } from "../lib/menu.js";
import { element, figures, rootOf, unpack } from "../lib/page_state.js";
import { captionOf, download, drawn, finished, toPng } from "./picture.js";

const TYPES = { csv: "text/csv", npz: "application/zip", html: "text/html" };

export default function ({ data, parentElement, setTriggerValue }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  const view = (root.view ??= build(root));
  Object.assign(view, { header, tell: setTriggerValue });
  figures.set(header.figure, header); // for who saves the whole page
  root.classList.toggle("quiet", header.quiet);
  view.reading.hidden = header.reading.length === 0;
  view.reading.replaceChildren(
    ...header.reading.map(([text, strong]) => element(strong ? "strong" : "span", "", text)),
  );
  view.table.setAttribute("aria-expanded", String(header.open));
  view.table.setAttribute("aria-label", `Table, ${header.file}`);
  view.files.opener.setAttribute("aria-label", `Save ${header.file}`);
  view.copy.hidden = !header.python;
  if (header.made && view.asked === header.made) {
    view.asked = null;
    download(new Blob([arrays.bytes.values], { type: TYPES[header.made] }), `${header.file}.${header.made}`);
  }
}

function build(root) {
  const [reading, line, table, told] = [
    element("p", "reading"),
    element("div", "files"),
    element("button", "save", "Table"),
    element("span", "told"),
  ];
  const view = { reading, table, told, asked: null };
  table.type = "button";
  table.onclick = () => view.tell("table", true);
  told.setAttribute("role", "status");
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
  line.append(table, view.files.node, told);
  root.append(reading, line);
  return view;
}

async function picture(view, scale) {
  const { figure, file, theme } = view.header;
  const svg = drawn(figure, theme);
  if (!svg) return;
  const origin = { ...view.header.origin, link: location.href };
  const title = captionOf(view.header) || file;
  const { ticked } = view.files;
  const made = finished(svg, { theme, origin, title, transparent: ticked("transparent"), foot: ticked("foot") });
  if (scale) download(await toPng(made, scale, origin, title), `${file}.png`);
  else download(new Blob([made.text], { type: "image/svg+xml" }), `${file}.svg`);
}

function ask(view, kind) {
  view.asked = kind;
  view.tell("ask", { kind, foot: view.files.ticked("foot"), link: location.href });
}

async function copy(view) {
  await copyText(view.header.python);
  view.told.textContent = "Copied.";
  setTimeout(() => (view.told.textContent = ""), 2500);
}
