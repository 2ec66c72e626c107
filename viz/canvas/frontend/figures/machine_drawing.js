// How a Transformer is drawn: lanes of tokens, strips of vectors, lines of attention, and the predicted words.

/** @typedef {import("../types.js").MachineHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").Target} Target */

import { imageOf, mapImage } from "../lib/cells.js";
import { fitted, linesOf, widthOf } from "../lib/drawing.js";
import { curve } from "../lib/lanes.js";
import { legible } from "../lib/page_state.js";
import { attentionWidth, FOLDED, GAP, isOn, middle, OUTPUT, predictionLine, STRIP } from "./machine_layout.js";

const LEAST_SHOWN = 0.01; // of what reaches the token in focus: less draws no line

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {number} row
 */
export function draw(view, pen, row) {
  const { header, place } = view;
  const { theme } = header;
  for (const band of place.bands) {
    header.tokens.forEach((token, each) => {
      const y = middle(place, band, each);
      const lit = each === row;
      pen.text(place.label - 8, y, fitted(token, place.label - 10, 13, lit ? 650 : 400), {
        anchor: "end",
        size: 13,
        weight: lit ? 650 : 400,
        fill: lit ? theme.accent : theme.ink,
      });
    });
    for (const block of band.blocks) drawBlock(view, pen, band, block, row);
  }
  const [first, last] = [place.bands[0], place.bands.at(-1)];
  strip(view, pen, first, place.label, 0, row);
  pen.text(place.label + STRIP / 2, first.top + place.title / 2 - 3, "embedding", {
    anchor: "middle",
    size: 11,
    fill: theme.muted,
  });
  foot(view, pen, first, place.label + STRIP / 2, "embedding", null, row);
  const predictions = place.predicts ? (place.output ? besideLane(view, last, row) : belowAll(view)) : null;
  if (predictions) drawPredictions(view, pen, predictions, row);
  for (const target of view.pressable) drawTarget(view, pen, target, row);
}

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {any} band
 * @param {{ layer: number, x: number, width: number }} block
 * @param {number} row
 */
function drawBlock(view, pen, band, { layer, x, width }, row) {
  const { header, place } = view;
  const { theme } = header;
  const folded = width <= FOLDED;
  const attention = folded ? width - 14 : attentionWidth(width);
  const title = folded ? "" : `layer ${layer}`;
  pen.line(
    [
      [x + 2, band.top + place.title - 6],
      [x + width - 4, band.top + place.title - 6],
    ],
    theme.rule,
  );
  pen.text(x + width / 2, band.top + place.title / 2 - 3, title, {
    anchor: "middle",
    size: 12,
    weight: 600,
    fill: theme.muted,
  });
  lanes(view, pen, band, x, x + (folded ? attention + GAP : attention + 2 * GAP), layer, row);
  if (folded) {
    strip(view, pen, band, x + attention, 2 * layer + 2, row, 12);
    return;
  }
  const after = x + attention + 2 * GAP;
  strip(view, pen, band, after, 2 * layer + 1, row);
  const mlp = after + STRIP + GAP;
  const room = width - attention - 2 * STRIP - 4 * GAP;
  keep(view, pen, band, after + STRIP, mlp + room + GAP, layer + 1, row);
  hiddenStrip(view, pen, band, mlp + 4, room - 8, layer);
  strip(view, pen, band, mlp + room + GAP, 2 * layer + 2, row);
  if (place.simple) {
    const y = band.lanes - legible(11) / 2 - 5;
    pen.text(x + attention / 2, y, "attention", { anchor: "middle", size: 11, fill: theme.muted });
    pen.text(mlp + room / 2, y, "feed-forward", { anchor: "middle", size: 11, fill: theme.muted });
  }
  foot(view, pen, band, x + attention / 2, "attention", layer, row);
  foot(view, pen, band, mlp + room / 2, "mlp", layer, row);
}

// The lines of an attention: what moved between tokens on its way to the token in focus, or the weights of one head.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {any} band
 * @param {number} left
 * @param {number} right
 * @param {number} layer
 * @param {number} row
 */
function lanes(view, pen, band, left, right, layer, row) {
  const { header, place, arrays, head } = view;
  const { theme } = header;
  const count = header.tokens.length;
  const residual = isOn(header, "residual");
  for (let each = 0; each < count; each++) {
    const y = middle(place, band, each);
    if (residual) {
      pen.line(
        [
          [left, y],
          [right, y],
        ],
        theme.rule,
        1,
      );
    }
  }
  const chosen = head?.layer === layer ? head.head : null;
  if (head && chosen === null) return;
  const heads = arrays.cells.shape[1];
  for (let to = 0; to < count; to++) {
    for (let from = 0; from < count; from++) {
      const share =
        chosen === null
          ? arrays.edges.values[((row * view.layers + layer) * count + to) * count + from]
          : to === row
            ? arrays.weights.values[((layer * heads + chosen) * count + to) * count + from]
            : 0;
      if (!(share > LEAST_SHOWN)) continue;
      const colour = from === to ? theme.muted : theme.weights[4];
      pen.line(curve(left, middle(place, band, from), right, middle(place, band, to)), colour, 0.8 + 9 * share);
    }
  }
}

// What goes on along a lane beside the feed-forward network.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {any} band
 * @param {number} left
 * @param {number} right
 * @param {number} level
 * @param {number} row
 */
function keep(view, pen, band, left, right, level, row) {
  const { header, place, arrays } = view;
  const count = header.tokens.length;
  for (let each = 0; each < count; each++) {
    const share = arrays.reach.values[(row * (view.layers + 1) + level) * count + each];
    const y = middle(place, band, each);
    pen.line(
      [
        [left, y],
        [right, y],
      ],
      share > LEAST_SHOWN ? header.theme.muted : header.theme.rule,
      share > LEAST_SHOWN ? 0.8 + 9 * share : 1,
    );
  }
}

// The vectors of all tokens at one place of the residual stream.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {any} band
 * @param {number} x
 * @param {number} joint
 * @param {number} row
 * @param {number} [wide]
 */
function strip({ header, place, arrays, colours }, pen, band, x, joint, row, wide = STRIP) {
  const [, count, cells] = arrays.stream.shape;
  const codes = arrays.stream.values.subarray(joint * count * cells, (joint + 1) * count * cells);
  rows(pen, place, band, imageOf(codes, colours.signed, cells), x, wide, header.theme);
  const y = middle(place, band, row) - place.lane / 2 + 2;
  pen.frame(x - 0.5, y, wide + 1, place.lane - 4, header.theme.accent, 1.25);
}

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {any} band
 * @param {number} x
 * @param {number} wide
 * @param {number} layer
 */
function hiddenStrip({ header, place, arrays, colours }, pen, band, x, wide, layer) {
  const [, count, cells] = arrays.hidden.shape;
  const codes = arrays.hidden.values.subarray(layer * count * cells, (layer + 1) * count * cells);
  rows(pen, place, band, imageOf(codes, colours.signed, cells), x, wide, header.theme);
}

// An image of one row of cells for each token, with paper between the lanes.
/**
 * @param {Pen} pen
 * @param {any} place
 * @param {any} band
 * @param {ImageData} image
 * @param {number} x
 * @param {number} wide
 * @param {import("../types.d.ts").Theme} theme
 */
function rows(pen, place, band, image, x, wide, theme) {
  const tall = image.height * place.lane;
  pen.image(image, x, band.lanes, wide, tall);
  for (let row = 0; row <= image.height; row++) {
    const top = band.lanes + row * place.lane;
    const [from, to] = [row ? top - 3 : top, row < image.height ? top + 3 : top];
    pen.rect(x - 0.5, from, wide + 1, to - from, theme.paper);
  }
}

// What stands below a part: what it does, the shape of what it gives, or its numbers for the token in focus.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {any} band
 * @param {number} x
 * @param {string} kind
 * @param {number | null} layer
 * @param {number} row
 */
function foot({ header, place, arrays }, pen, band, x, kind, layer, row) {
  const { theme } = header;
  const count = header.tokens.length;
  const part = header.parts.find((each) => each.kind === kind && each.layer === layer);
  if (!part || place.simple) return;
  const attention = place.bands[0].blocks.length ? attentionWidth(Math.max(...place.widths)) : 80;
  const room = kind === "embedding" ? STRIP + GAP : attention;
  const joint = layer === null ? 0 : 2 * layer + (kind === "mlp" ? 1 : 0);
  const lines =
    header.detail === "words"
      ? linesOf(header.short[kind], room, 11)
      : header.detail === "shapes"
        ? linesOf(part.shape, room, 11)
        : layer === null
          ? [`length ${arrays.lengths.values[row].toFixed(1)}`]
          : isOn(header, "residual")
            ? [
                `adds ${arrays.added.values[joint * count + row].toFixed(1)}`,
                `to one of ${arrays.lengths.values[joint * count + row].toFixed(1)}`,
              ]
            : [`gives ${arrays.added.values[joint * count + row].toFixed(1)}`];
  lines.slice(0, 3).forEach((line, index) => {
    const y = band.foot + 12 + index * (legible(11) + 4);
    pen.text(x, y, line, { anchor: "middle", size: 11, fill: theme.muted });
  });
}

// Where the predictions stand: beside the lane of the token in focus, or below all bands on a narrow screen.
/**
 * @param {View} view
 * @param {any} band
 * @param {number} row
 */
function besideLane({ header, place }, band, row) {
  const room = header.tokens.length * place.lane;
  const top = band.lanes + Math.max(0, Math.min(row * place.lane, room - 5 * predictionLine()));
  return { x: band.right + 8, title: band.top + place.title / 2 - 3, top, wide: place.output - 8 };
}

/** @param {View} view */
const belowAll = ({ root, place }) => ({
  x: place.label,
  title: place.outputBelow,
  top: place.outputBelow + 50,
  wide: root.clientWidth - place.label - 8,
});

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {{ x: number, title: number, top: number, wide: number }} where
 * @param {number} row
 */
function drawPredictions({ header }, pen, { x, title, top, wide }, row) {
  const { theme } = header;
  const words = header.next_tokens[row];
  const changed = words.some(([, now, before]) => Math.abs(now - before) > 1e-6);
  pen.text(x, title, header.predicts, { size: 12, weight: 600, fill: theme.muted });
  const token = `“${header.tokens[row]}”`;
  pen.text(x, title + legible(12) + 9, fitted(token, wide, 13, 650), { size: 13, weight: 650, fill: theme.accent });
  if (changed) {
    const beforeX = x + Math.min(wide, widthOf(token, 13, 650) + 8);
    const apart = wide > 2 * OUTPUT;
    pen.text(apart ? beforeX : x, title + (apart ? 1 : 2) * (legible(12) + 9), "frame: full model", {
      size: 11,
      fill: theme.muted,
    });
  }
  words.forEach(([word, share, before], index) => {
    const y = top + index * predictionLine();
    const beside = widthOf("100 %", 12) + 6;
    pen.text(x, y + 7, fitted(word, wide - beside, 12, index ? 400 : 650), { size: 12, weight: index ? 400 : 650 });
    pen.text(x + wide, y + 7, `${Math.round(100 * share)} %`, { size: 12, anchor: "end", fill: theme.muted });
    pen.rect(x, y + legible(12) / 2 + 9, wide, 7, theme.absent);
    pen.rect(x, y + legible(12) / 2 + 9, Math.max(1, wide * share), 7, theme.weights[4]);
    if (changed) pen.frame(x, y + legible(12) / 2 + 9, Math.max(1, wide * before), 7, theme.accent, 1.25);
  });
}

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {Target} target
 * @param {number} row
 */
function drawTarget(view, pen, target, row) {
  const { header, place, arrays, colours } = view;
  const { theme } = header;
  const { x, y, wide, tall } = target;
  if (target.kind === "token") return;
  if (target.kind === "head") {
    pen.absent(x, y, wide, tall);
    pen.image(mapImage(arrays.cells, colours.weights, target.layer ?? 0, target.head ?? 0), x, y, wide, tall);
    const cell = tall / header.tokens.length;
    pen.frame(x - 0.5, y + row * cell, wide + 1, Math.max(cell, 2), theme.accent, 1);
  } else {
    pen.rect(x, y, wide, tall, target.on ? theme.absent : theme.paper);
    pen.frame(x + 0.5, y + 0.5, wide - 1, tall - 1, theme.rule, 1);
    const fill = target.press ? theme.ink : theme.muted;
    const text = fitted(target.text, wide - 4, 11);
    pen.text(x + wide / 2, y + tall / 2, text, { anchor: "middle", size: 11, fill: target.on ? fill : theme.muted });
  }
  if (!target.on) {
    pen.line(
      [
        [x, y + tall],
        [x + wide, y],
      ],
      theme.accent,
      2,
    );
  }
  if (view.part === target) pen.frame(x - 1, y - 1, wide + 2, tall + 2, theme.accent, 1.5);
  if (target.kind === "fold" && place)
    pen.text(x + wide / 2, y - 15, "layer", { anchor: "middle", size: 10, fill: theme.muted });
}
