// The whole page in one file: a poster, the same on paper, or an archive of everything with the way to make it again.

/** @typedef {import("../types.js").SavePageHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Root} Root */

import { menu } from "../lib/menu.js";
import { element, rootOf, unpack } from "../lib/page_state.js";
import { zip } from "../lib/zip.js";
import { captionOf, download, figureSvg, finished, toPng } from "./picture.js";
import { figuresShown, poster, printable, words } from "./poster.js";

// A print may be asked for here or by the browser's own menu: it needs to know of the page that is there now. The title
// of the page becomes the name of the PDF and the title within it; the link in its last line stays one.
/** @typedef {import("../types.js").Theme} Theme */
/** @type {{ root: HTMLElement | null, theme: Theme | null, sheet: HTMLElement | null, title: string }} */
const paper = { root: null, theme: null, sheet: null, title: "" };
addEventListener("beforeprint", () => {
  paper.sheet?.remove();
  paper.sheet = paper.theme && paper.root?.isConnected && figuresShown().length ? printable(paper.theme) : null;
  if (!paper.sheet) return;
  paper.title ||= document.title;
  document.title = nameOf();
});
addEventListener("afterprint", () => {
  paper.sheet?.remove();
  document.title = paper.title || document.title;
  paper.title = "";
});

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  Object.assign(view, { header, trigger: setTriggerValue });
  Object.assign(paper, { root, theme: header.theme });
  if (header.data && view.awaited) {
    view.awaited = false;
    const data = header.data.map(([figure, kind], index) => ({ figure, kind, bytes: arrays[`file${index}`].values }));
    archive(view, data).then((blob) => download(blob, `${nameOf()}.zip`));
  }
}

/** @param {Root} root */
function build(root) {
  /** @type {any} */
  const view = { awaited: false };
  const all = menu("Save the whole page", [
    ["PDF", () => print(), "the print view; A4, A3 or other paper"],
    ["Poster PNG", () => picture(view, true), "one tall sheet"],
    ["Poster SVG", () => picture(view, false), "the same as a drawing"],
    ["ZIP", () => ask(view), "figures, data, state, how to reproduce"],
  ]);
  const line = element("div", "files");
  line.append(all.node);
  root.append(line);
  return view;
}

const pageOf = () => location.pathname.split("/").filter(Boolean).at(-1) ?? "heads";

// As the figures are called: the experiment first.
function nameOf() {
  const { weights = "", removed, mask } = experimentOf();
  const subject = weights.includes(",") ? "" : weights; // a page about many models is called after none of them
  return [subject, ...(removed.length ? ["without", ...removed] : []), mask, pageOf()].filter(Boolean).join("-");
}

function experimentOf() {
  const origins = figuresShown().map(({ header }) => header.origin);
  const origin = origins.find(({ weights, text }) => weights && text) ?? origins[0] ?? {};
  const off = Object.entries(origin.switches ?? {})
    .filter(([, isOn]) => !isOn)
    .map(([name]) => name);
  return { ...origin, removed: [...off, ...(origin.heads_off ?? [])] };
}

/**
 * @param {View} view
 * @param {boolean} png
 */
async function picture(view, png) {
  const sheet = poster(view.header.theme);
  const name = `${nameOf()}-poster`;
  if (png) download(await toPng(sheet, 2, sheet.origin, sheet.title), `${name}.png`);
  else download(new Blob([sheet.text], { type: "image/svg+xml" }), `${name}.svg`);
}

/** @param {View} view */
function ask(view) {
  view.awaited = true;
  view.trigger("ask", location.href);
}

// figures/, data/, poster, experiment.json and README.txt. data: [{ figure, kind, bytes }], from the server.
/**
 * @param {View} view
 * @param {{ figure: string, kind: string, bytes: Uint8Array<ArrayBuffer> }[]} data
 */
async function archive({ header }, data) {
  const { theme } = header;
  /** @type {Record<string, Uint8Array<ArrayBuffer>>} */
  const files = {};
  /** @type {{ figure: string, file: string, sentence: string, origin: import("../types.js").Origin }[]} */
  const listed = [];
  /** @param {Blob} blob */
  const bytes = async (blob) => new Uint8Array(await blob.arrayBuffer());
  /** @param {string} content */
  const text = (content) => new TextEncoder().encode(content);
  for (const { key, header: figure } of figuresShown()) {
    const svg = figureSvg(key, theme);
    if (!svg) continue;
    const origin = { ...figure.origin, link: location.href };
    const title = captionOf(figure) || figure.file;
    const sheet = finished(svg, { theme, origin, title });
    let name = figure.file;
    while (`figures/${name}.svg` in files) name += "-";
    files[`figures/${name}.svg`] = text(sheet.text);
    files[`figures/${name}.png`] = await bytes(await toPng(sheet, 2, origin, title));
    for (const { figure: of, kind, bytes: content } of data) if (of === key) files[`data/${name}.${kind}`] = content;
    if (figure.python) files[`python/${name}.py`] = text(figure.python);
    listed.push({ figure: key, file: name, sentence: captionOf(figure), origin });
  }
  const sheet = poster(theme);
  files["poster.svg"] = text(sheet.text);
  files["poster.png"] = await bytes(await toPng(sheet, 2, sheet.origin, sheet.title));
  const state = Object.fromEntries(new URLSearchParams(location.search));
  const experiment = {
    link: location.href,
    page: pageOf(),
    state,
    ...experimentOf(),
    figure: undefined,
    figures: listed,
  };
  files["experiment.json"] = text(JSON.stringify(experiment, null, 1));
  files["README.txt"] = text(readme(experiment, words()));
  return zip(files);
}

/**
 * @param {ReturnType<typeof experimentOf> &
 *   { link: string, page: string, figures: { figure: string, file: string }[] }} experiment
 * @param {{ title: string, sentence: string }} words
 */
function readme({ link, page, software, version, weights, seed, figures }, { title, sentence }) {
  const trained = seed === undefined ? "" : `, trained with seed ${seed}`;
  const exports = figures.map(
    ({ figure, file }) => `  attention-lab export experiment.json --figure ${figure} --out ${file}.svg`,
  );
  const again = `To make the same figures from the command line, where the lab is installed:
${exports.join("\n")}

To compute the same numbers in Python, run a file of the folder python/.
`;
  const yours = `The figures show a file or a model that only you have.
The Python files in the folder python/ read it again; run them in the folder where it is.
`;
  return `${title}
${sentence}

Made with ${software ?? "Attention Lab"} ${version ?? ""}${weights ? `, weights "${weights}"${trained}` : ""}.

The same page, live:
  ${link}

${page === "your-model" ? yours : again}
figures/          each figure as SVG and PNG; its origin is inside the file
data/             the table behind each figure as CSV, its numbers with named axes as NPZ
python/           the lines that recompute it, if there are any
poster.svg, .png  the whole page
experiment.json   the state of the page: link, weights, seed, switches, version
`;
}
