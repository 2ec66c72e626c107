// Any figure of the page as a file, made in the browser: the figure as SVG, and the SVG drawn as PNG at twice its size.

import { drawings, element, rootOf, svgPage, unpack } from "./store.js";

const SCALE = 2;

export default function ({ data, parentElement }) {
  const { header } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  if (!root.children.length) {
    for (const kind of ["PNG", "SVG"]) {
      const button = element("button", "save", kind);
      button.type = "button";
      button.onclick = () => save(root.header, kind);
      root.append(button);
    }
  }
  root.header = header;
  for (const button of root.children) button.setAttribute("aria-label", `Save ${header.file} as ${button.textContent}`);
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
