// What stands under every figure: its sentence, the table behind it, and its files. Pictures are made in the browser: the
// figure as SVG, and the SVG drawn as PNG at twice its size. The table and the CSV come from the server when asked for.

import { drawings, element, rootOf, svgPage, unpack } from "./store.js";

const SCALE = 2;

export default function ({ data, parentElement, setTriggerValue }) {
  const { header } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  const view = (root.view ??= build(root));
  Object.assign(view, { header, tell: setTriggerValue });
  root.classList.toggle("quiet", header.quiet);
  view.reading.hidden = header.reading.length === 0;
  view.reading.replaceChildren(...header.reading.map(([text, strong]) => element(strong ? "strong" : "span", "", text)));
  view.buttons.Table.setAttribute("aria-expanded", String(header.open));
  for (const [kind, button] of Object.entries(view.buttons)) button.setAttribute("aria-label", `${kind}, ${header.file}`);
  if (header.csv !== null && view.asked) {
    view.asked = false;
    download(new Blob([header.csv], { type: "text/csv" }), `${header.file}.csv`);
  }
}

function build(root) {
  const [reading, files] = [element("p", "reading"), element("div", "files")];
  const view = { reading, buttons: {}, asked: false };
  const on = {
    Table: () => view.tell("table", true),
    CSV: () => {
      view.asked = true;
      view.tell("csv", true);
    },
    PNG: () => save(view.header, "PNG"),
    SVG: () => save(view.header, "SVG"),
  };
  for (const [kind, act] of Object.entries(on)) {
    const button = (view.buttons[kind] = element("button", "save", kind));
    button.type = "button";
    button.onclick = act;
    files.append(button);
  }
  root.append(reading, files);
  return view;
}

async function save({ figure, file, theme }, kind) {
  const chart = document.querySelector(`.st-key-${CSS.escape(figure)} .js-plotly-plot`);
  const svg = chart ? chartSvg(chart, theme) : drawings.get(figure)?.();
  if (!svg) return;
  const text = new Blob([svg], { type: "image/svg+xml" });
  download(kind === "SVG" ? text : await toPng(text), `${file}.${kind.toLowerCase()}`);
}

// A Plotly chart is a few SVG drawings laid over each other.
function chartSvg(chart, theme) {
  const { width, height } = chart._fullLayout;
  const layers = [...chart.querySelectorAll(".main-svg")].map((layer) => {
    const copy = layer.cloneNode(true);
    copy.querySelectorAll(".hoverlayer, .draglayer, .modebar").forEach((part) => part.remove());
    copy.removeAttribute("style");
    return new XMLSerializer().serializeToString(copy);
  });
  return svgPage(width, height, theme, layers.join(""));
}

async function toPng(svg) {
  const image = new Image();
  image.src = URL.createObjectURL(svg);
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth * SCALE;
  canvas.height = image.naturalHeight * SCALE;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
