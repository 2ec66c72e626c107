// A sentence set in lines: behind each word the colour of how far its output moved, under it the number.

import { colourOf, colourTable, FULL } from "../lib/cells.js";
import { asSvg, onCanvas, widthOf } from "../lib/drawing.js";
import { drawings, element, pointer, rootOf, unpack } from "../lib/page_state.js";

const SIZE = 16;
const [GAP, TALL, LINE, TOP] = [4, 46, 58, 8];
const SCALE = 46; // room below for the scale, in two lines

export default function ({ data, parentElement, setTriggerValue }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  if (!root.canvas) {
    root.canvas = element("canvas", "drawing");
    root.canvas.setAttribute("role", "img");
    root.append(root.canvas);
    new ResizeObserver(() => root.arrange()).observe(root);
  }
  const told = [...arrays.moved.values].map((value, at) => spelt(value, arrays.exactly.values[at]));
  root.arrange = () => {
    if (!root.clientWidth) return;
    const place = setLines(header, told, root.clientWidth);
    const drawn = (pen) => draw(header, arrays, told, place, pen);
    root.style.height = `${place.height}px`;
    onCanvas(root.canvas, root.clientWidth, place.height, header.theme, drawn);
    root.canvas.setAttribute("aria-label", header.words.map((word, at) => `${word} ${told[at]}`).join(", "));
    drawings.set(header.key, () => asSvg(root.clientWidth, place.height, header.theme, drawn));
    root.canvas.onclick = (event) => {
      const [px, py] = pointer(root, event);
      const at = place.boxes.findIndex(({ x, y, wide }) => px >= x && px < x + wide && py >= y && py < y + TALL);
      if (at >= 0) setTriggerValue("word", { at }); // a mark around the text stays: Python looks after it
    };
    root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1); // tests and benches wait for it
  };
  root.arrange();
}

const wordOf = ({ words, edited, by }, at) => (at === edited ? `${words[at]} → ${by}` : words[at]);

function setLines(header, told, width) {
  let [x, y] = [1, TOP];
  const boxes = header.words.map((_, at) => {
    const wide = Math.min(Math.max(widthOf(wordOf(header, at), SIZE), widthOf(told[at], 12)) + 18, width - 2);
    if (x + wide > width - 1 && x > 1) [x, y] = [1, y + LINE];
    const box = { x, y, wide };
    x += wide + GAP;
    return box;
  });
  return { boxes, height: y + LINE + SCALE };
}

function draw(header, arrays, told, { boxes }, pen) {
  const { theme, edited, unit } = header;
  const table = colourTable(theme, "signed");
  const colour = (share) => colourOf(table, Math.round(FULL / 2 + (share * FULL) / 2));
  const finite = [...arrays.moved.values].filter(Number.isFinite);
  const most = Math.max(...finite, 1e-12);
  boxes.forEach(({ x, y, wide }, at) => {
    const value = arrays.moved.values[at];
    const still = arrays.exactly.values[at];
    const share = still || !Number.isFinite(value) ? 0 : Math.min(0.12 + 0.88 * Math.sqrt(value / most), 1);
    if (!still) pen.rect(x, y, wide, TALL, colour(share));
    if (at === edited) pen.frame(x, y, wide, TALL, theme.accent, 2);
    const dark = share > 0.55;
    pen.text(x + wide / 2, y + 16, wordOf(header, at), {
      size: SIZE,
      anchor: "middle",
      fill: dark ? theme.paper : theme.ink,
    });
    const fill = dark ? theme.paper : still ? theme.muted : theme.ink;
    pen.text(x + wide / 2, y + 35, told[at], { size: 12, anchor: "middle", fill, weight: still ? 400 : 600 });
  });
  const base = boxes.at(-1).y + LINE + 8;
  const quiet = { size: 11, fill: theme.muted };
  for (let step = 0; step < 24; step++) pen.rect(1 + step * 3, base - 4, 3, 8, colour(0.12 + (0.88 * step) / 23));
  pen.text(79, base, `${spelt(most, 0)} ${unit}`, quiet);
  pen.text(1, base + 18, "0: unchanged to the last bit", quiet);
}

function spelt(value, exactly) {
  if (exactly) return "0";
  if (!Number.isFinite(value)) return "not a number";
  return value >= 0.005 ? value.toFixed(2) : value >= 5e-4 ? value.toFixed(3) : "< 0.001";
}
