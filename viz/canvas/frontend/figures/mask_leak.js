// A sentence set in lines: behind each word the colour of how far its output moved, under it the number.

/** @typedef {import("../types.js").MaskLeakHeader} Header */
/** @typedef {import("../types.js").Root} Root */
/** @typedef {import("../types.js").Pen} Pen */

import { colourOf, colourTable, FULL } from "../lib/cells.js";
import { asSvg, onCanvas, widthOf } from "../lib/drawing.js";
import { countDrawing, drawings, element, pointer, rootOf, unpack } from "../lib/page_state.js";

const SIZE = 16;
const [GAP, TALL, LINE, TOP] = [4, 46, 58, 8];
const SCALE = 46; // room below for the scale, in two lines

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  const canvas = (root.canvas ??= build(root));
  const labels = [...arrays.change.values].map((value, position) => format(value, arrays.unchanged.values[position]));
  root.arrange = () => {
    if (!root.clientWidth) return;
    const place = setLines(header, labels, root.clientWidth);
    /** @param {Pen} pen */
    const paint = (pen) => draw(header, arrays, labels, place, pen);
    root.style.height = `${place.height}px`;
    onCanvas(canvas, root.clientWidth, place.height, header.theme, paint);
    canvas.setAttribute("aria-label", header.words.map((word, position) => `${word} ${labels[position]}`).join(", "));
    drawings.set(header.key, () => asSvg(root.clientWidth, place.height, header.theme, paint));
    canvas.onclick = (event) => {
      const [px, py] = pointer(root, event);
      const position = place.boxes.findIndex(({ x, y, wide }) => px >= x && px < x + wide && py >= y && py < y + TALL);
      if (position >= 0) setTriggerValue("word", { position }); // a mark around the text stays: Python looks after it
    };
    countDrawing(root);
  };
  root.arrange();
}

/** @param {Root} root */
function build(root) {
  const canvas = element("canvas", "drawing");
  canvas.setAttribute("role", "img");
  root.append(canvas);
  new ResizeObserver(() => root.arrange?.()).observe(root);
  return canvas;
}

/**
 * @param {Header} header
 * @param {number} position
 */
const wordOf = ({ words, edited, replacement }, position) =>
  position === edited ? `${words[position]} → ${replacement}` : words[position];

/**
 * @param {Header} header
 * @param {string[]} labels
 * @param {number} width
 */
function setLines(header, labels, width) {
  let [x, y] = [1, TOP];
  const boxes = header.words.map((_, position) => {
    const wide = Math.min(
      Math.max(widthOf(wordOf(header, position), SIZE), widthOf(labels[position], 12)) + 18,
      width - 2,
    );
    if (x + wide > width - 1 && x > 1) [x, y] = [1, y + LINE];
    const box = { x, y, wide };
    x += wide + GAP;
    return box;
  });
  return { boxes, height: y + LINE + SCALE };
}

/**
 * @param {Header} header
 * @param {Record<string, import("../types.js").Floats>} arrays
 * @param {string[]} labels
 * @param {ReturnType<typeof setLines>} place
 * @param {Pen} pen
 */
function draw(header, arrays, labels, { boxes }, pen) {
  const { theme, edited, unit } = header;
  const table = colourTable(theme, "signed");
  /** @param {number} share */
  const colour = (share) => colourOf(table, Math.round(FULL / 2 + (share * FULL) / 2));
  const finite = [...arrays.change.values].filter(Number.isFinite);
  const most = Math.max(...finite, 1e-12);
  boxes.forEach(({ x, y, wide }, position) => {
    const value = arrays.change.values[position];
    const still = arrays.unchanged.values[position];
    const share = still || !Number.isFinite(value) ? 0 : Math.min(0.12 + 0.88 * Math.sqrt(value / most), 1);
    if (!still) pen.rect(x, y, wide, TALL, colour(share));
    if (position === edited) pen.frame(x, y, wide, TALL, theme.accent, 2);
    const dark = share > 0.55;
    pen.text(x + wide / 2, y + 16, wordOf(header, position), {
      size: SIZE,
      anchor: "middle",
      fill: dark ? theme.paper : theme.ink,
    });
    const fill = dark ? theme.paper : still ? theme.muted : theme.ink;
    pen.text(x + wide / 2, y + 35, labels[position], { size: 12, anchor: "middle", fill, weight: still ? 400 : 600 });
  });
  const base = boxes[boxes.length - 1].y + LINE + 8;
  const mutedText = { size: 11, fill: theme.muted };
  for (let step = 0; step < 24; step++) pen.rect(1 + step * 3, base - 4, 3, 8, colour(0.12 + (0.88 * step) / 23));
  pen.text(79, base, `${format(most, 0)} ${unit}`, mutedText);
  pen.text(1, base + 18, "0: unchanged to the last bit", mutedText);
}

/**
 * @param {number} value
 * @param {number} [unchanged]
 */
function format(value, unchanged) {
  if (unchanged) return "0";
  if (!Number.isFinite(value)) return "not a number";
  return value >= 0.005 ? value.toFixed(2) : value >= 5e-4 ? value.toFixed(3) : "< 0.001";
}
