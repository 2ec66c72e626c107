// Where everything of a drawn Transformer stands, from the width of the figure alone; and what of it can be pressed.

/** @typedef {import("../types.js").MachineHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Target} Target */

import { widthOf } from "../lib/drawing.js";
import { bandsOf, blockWidths } from "../lib/lanes.js";
import { legible, projected } from "../lib/page_state.js";

export const STRIP = 36; // width of a strip that stands for a vector
export const OUTPUT = 132; // width of the predictions at the end
export const FOLDED = 48; // width of a block of which only the stream is shown
const OPEN = 190; // the least width of a block with its parts
const WIDEST = 330;
const CHIP = 19; // height of a button
export const GAP = 4;
const NARROW = 700; // pixels: on a narrower screen the predictions stand below
const PLUS = 16; // width of the button of a residual connection

/**
 * @param {Header} header
 * @param {string} name
 */
export const isOn = (header, name) => header.switches.find((part) => part.name === name)?.on !== false;

/** @param {number} block */
export const attentionWidth = (block) => Math.round((block - 2 * STRIP - 4 * GAP) * 0.58);

export const predictionLine = () => Math.max(32, legible(12) + 20); // height of one predicted word

/**
 * @param {any} place
 * @param {any} band
 * @param {number} row
 */
export const middle = (place, band, row) => band.lanes + (row + 0.5) * place.lane;

// On a narrow screen the blocks stand in several bands below each other.
/** @param {View} view */
export function placeOf({ root, header, layers, arrays, opened }) {
  const width = root.clientWidth;
  const count = header.tokens.length;
  const heads = arrays.cells.shape[1];
  const simple = projected() > 0; // a room sees what flows; buttons and small print are for a desk
  const label = Math.min(
    118 * (legible(13) / 13),
    14 + Math.max(...header.tokens.map((token) => widthOf(token, 13, 650))),
  );
  const predicts = header.next_tokens.length > 0;
  const output = predicts && width >= NARROW ? Math.round(OUTPUT * (legible(12) / 12)) : 0;
  const room = width - label - STRIP - output - 12;
  const widths = blockWidths(layers, opened, room, { folded: FOLDED, open: OPEN, widest: WIDEST });
  const lane = Math.max(count > 18 ? 17 : 21, legible(12) + 6);
  const perRow = Math.ceil(Math.sqrt(heads));
  const head = Math.min(44, Math.floor((attentionWidth(Math.max(...widths)) + STRIP) / perRow) - 3);
  const headRows = Math.ceil(heads / perRow);
  const letter = legible(11);
  const chip = Math.max(CHIP, letter + 8);
  const title = Math.max(24, legible(12) + 10);
  const heading = legible(13) + 34; // of the predictions
  const chipRows = header.position_place === "attention" ? 3 : 2;
  const above = simple
    ? Math.max(title + headRows * (head + 3), title + heading) + letter + 12
    : title + chipRows * (chip + GAP) + headRows * (head + 3) + 6;
  const below = simple ? 4 : 12 + (header.detail === "words" ? 3 : 2) * (legible(11) + 4);
  const bands = bandsOf(widths, label, width - (output ? output + 8 : 0), STRIP + GAP);
  const tall = above + count * lane + below + 14;
  for (const [index, band] of bands.entries()) {
    band.top = index * tall;
    band.lanes = band.top + above;
    band.foot = band.lanes + count * lane;
  }
  const outputBelow = predicts && !output ? bands.length * tall + 10 : null;
  const height = bands.length * tall + (outputBelow === null ? 0 : 64 + 5 * predictionLine());
  return {
    simple,
    chipRows,
    title,
    predicts,
    outputBelow,
    bands,
    lane,
    label,
    perRow,
    head,
    headRows,
    chip,
    above,
    height,
    widths,
    output,
    letter,
  };
}

// Everything that can be pressed: { x, y, wide, tall, name, part, press }.
/** @param {View} view */
export function targetsOf(view) {
  const { header, place, layers, arrays } = view;
  const heads = arrays.cells.shape[1];
  const switches = Object.fromEntries(header.switches.map((part) => [part.name, part]));
  /** @type {Target[]} */
  const targets = [];
  /**
   * @param {string} name
   * @param {number} x
   * @param {number} y
   * @param {number} wide
   * @param {number | null} layer
   * @param {string} [of]
   */
  const chip = (name, x, y, wide, layer, of = "attention") => {
    if (place.simple) return;
    const { label, on, available } = switches[name];
    const press = available ? () => view.send("part", name) : null;
    targets.push({ kind: "chip", part: name, layer, x, y, wide, tall: place.chip, text: label, on, press, of });
  };
  const first = place.bands[0];
  const y0 = first.top + place.title;
  const normWide = widthOf(switches.norm.label, place.letter) + 8;
  const embedded = place.label + STRIP; // the right end of the first strip
  if (header.position_place === "embedding") chip("position", embedded - 58, y0, 58, null, "embedding");
  const norms = Object.fromEntries(header.parts.map(({ kind, norm }) => [kind, norm]));
  const belowChip = place.chip + GAP;
  if (norms.embedding === "after") chip("norm", embedded - normWide, y0 + belowChip, normWide, null, "embedding");
  if (norms.unembedding === "before") {
    const [x, y] = place.output
      ? [place.bands.at(-1).right + place.output - normWide, place.bands.at(-1).top + place.title]
      : [view.root.clientWidth - normWide - 8, place.outputBelow];
    chip("norm", x, y, normWide, null, "unembedding");
  }
  for (const band of place.bands) {
    for (const { layer, x, width } of band.blocks) {
      const top = band.top;
      if (width <= FOLDED) {
        const press = () => view.open(layer);
        const box = { x: x + 2, y: top + place.title, wide: width - 6, tall: place.chip };
        targets.push({ kind: "fold", part: "fold", layer, ...box, text: `${layer} ▸`, on: true, press });
        continue;
      }
      const y = top + place.title;
      const part = header.parts.find((each) => each.kind === "attention" && each.layer === layer);
      const attention = attentionWidth(width);
      const inside = switches.mask.available ? ["scale", "mask"] : ["scale"];
      const below = y + place.chip + GAP;
      if (header.position_place === "attention") chip("position", x + GAP, below + place.chip + GAP, 58, layer);
      let left = x + GAP;
      for (const name of part?.norm === "before" ? ["norm", ...inside] : inside) {
        const wide = widthOf(switches[name].label, place.letter) + 8;
        chip(name, left, below, wide, layer);
        left += wide + 3;
      }
      const box = { x: x + GAP, y, wide: attention, tall: place.chip };
      const on = Boolean(part?.present);
      const press = () => view.send("layer", layer);
      if (!place.simple) targets.push({ kind: "chip", part: "attention", layer, ...box, text: "attention", on, press });
      for (let head = 0; head < heads; head++) {
        const [hx, hy] = [head % place.perRow, Math.floor(head / place.perRow)];
        const size = place.head;
        targets.push({
          kind: "head",
          part: "head",
          layer,
          head,
          x: x + GAP + hx * (size + 3),
          y: y + (place.simple ? 0 : place.chipRows * (place.chip + GAP)) + hy * (size + 3),
          wide: size,
          tall: size,
          text: `Layer ${layer}, head ${head}`,
          on: !header.heads_off.some(([l, h]) => l === layer && h === head),
          press: () => view.send("head", [layer, head]),
        });
      }
      const after = x + attention + 2 * GAP;
      chip("residual", after + (STRIP - PLUS) / 2, y, PLUS, layer);
      const mlp = after + STRIP + GAP;
      const room = width - attention - 2 * STRIP - 4 * GAP;
      if (part?.norm === "before") chip("norm", mlp + (room - normWide) / 2, below, normWide, layer, "mlp");
      const beside = (STRIP - PLUS) / 2 + GAP - 2;
      chip("mlp", mlp - beside, y, room + 2 * beside, layer, "mlp");
      chip("residual", mlp + room + GAP + (STRIP - PLUS) / 2, y, PLUS, layer, "mlp");
      if (part?.norm === "after") {
        chip("norm", after, below, normWide, layer);
        chip("norm", mlp + room + GAP, below, normWide, layer, "mlp");
      }
    }
  }
  header.tokens.forEach((token, row) => {
    for (const band of place.bands) {
      const box = { x: 0, y: band.lanes + row * place.lane, wide: place.label - 4, tall: place.lane };
      const position = header.positions[row];
      targets.push({ kind: "token", part: "token", layer: null, ...box, text: token, on: true, row, position });
    }
  });
  return targets.filter(({ layer }) => layer === null || layer < layers);
}
