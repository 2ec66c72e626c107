// How a Transformer is drawn: lanes of tokens, strips of vectors, lines of attention, and the predicted words.

/** @typedef {import("../types.js").MachineHeader} Header */
/** @typedef {import("../types.js").PlacedMachine} View */
/** @typedef {import("../types.js").MachineSizes} Sizes */
/** @typedef {import("../types.js").Band} Band */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").Target} Target */
/** @typedef {import("../types.js").DrawnStack} Stack */

import { imageOf, mapImage } from "../lib/cells.js";
import { fitted, linesOf, widthOf } from "../lib/drawing.js";
import { curve } from "../lib/lanes.js";
import { legible } from "../lib/page_state.js";
import { GAP, isOn, memoryMiddle, middle, OUTPUT, predictionLine } from "./machine_layout.js";

/** @type {Record<string, string[]>} */
const PART_NAMES = {
  attention: ["attention", "self"],
  cross: ["cross-attention", "cross"],
  mlp: ["feed-forward", "FFN"],
};
const LEAST_SHOWN = 0.01; // of what reaches the token in focus: less draws no line

/** @param {number} share */
const thickness = (share) => 0.8 + 9 * share;

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {number} row
 */
export function draw(view, pen, row) {
  const { header, place } = view;
  for (const [index, band] of place.bands.entries()) {
    const lit = litRow(header, band.stack, row);
    labels(view, pen, band, lit);
    if (band.stack.memory.length) drawMemory(view, pen, band, row);
    for (const block of band.blocks) drawBlock(view, pen, band, block, row);
    if (index === 0 || place.bands[index - 1].stack !== band.stack) drawEmbedding(view, pen, band, lit);
    if (band.stack.name === "encoder" && place.bands[index + 1].stack !== band.stack) {
      drawOutput(view, pen, band, row);
      if (!place.beside) drawWay(view, pen, band, place.bands[index + 1]);
    }
  }
  const last = place.bands[place.bands.length - 1];
  if (place.output) drawPredictions(view, pen, besideLane(view, last, row), row);
  else if (place.outputBelow !== null) drawPredictions(view, pen, belowAll(view, place.outputBelow), row);
  for (const target of view.pressable) drawTarget(view, pen, target, row);
}

// The lane that is lit for the token in focus: its own, and in the encoder that of the source token that gives most.
/**
 * @param {Header} header
 * @param {Stack} stack
 * @param {number} row
 */
const litRow = (header, stack, row) => (stack.name === "encoder" && header.source ? header.source.followed[row] : row);

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {Band} band
 * @param {number} lit
 */
function labels({ header, place }, pen, band, lit) {
  const { theme } = header;
  band.stack.tokens.forEach((token, each) => {
    const weight = each === lit ? 650 : 400;
    pen.text(band.left + place.label - 8, middle(place, band, each), fitted(token, place.label - 10, 13, weight), {
      anchor: "end",
      size: 13,
      weight,
      fill: each === lit ? theme.accent : theme.ink,
    });
  });
}

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {Band} band
 * @param {number} lit
 */
function drawEmbedding(view, pen, band, lit) {
  const { header, place } = view;
  const { stack } = band;
  const x = band.left + place.label;
  strip(view, pen, band, x, 0, lit);
  const y = stack.memory.length ? band.lanes - legible(11) / 2 - 5 : band.top + place.title / 2 - 3;
  const style = { size: 11, fill: header.theme.muted };
  const name = place.beside && place.simple ? stack.name : "embedding";
  pen.text(x + place.strip / 2, y, name, { ...style, anchor: "middle" });
  foot(view, pen, band, x + place.strip / 2, place.strip, "embedding", null, lit);
}

// The last vectors of an encoder, behind its last block.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {Band} band
 * @param {number} row
 */
function drawOutput(view, pen, band, row) {
  const { header, place } = view;
  const { stack } = band;
  const x = band.right + GAP;
  const { theme } = header;
  keep(view, pen, band, [band.right, x], stack.layers, row);
  if (stack.output) {
    const image = imageOf(stack.output.values, view.colours.signed, stack.output.shape[2]);
    rows(pen, place, band, image, x, place.strip, theme);
  }
  frame(pen, place, band, x, litRow(header, stack, row), theme);
  const style = { size: 11, fill: theme.muted };
  pen.text(x + place.strip / 2, band.top + place.title / 2 - 3, "output", { ...style, anchor: "middle" });
}

// The way of the output of the encoder to the decoder, which stands below.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {Band} band
 * @param {Band} next
 */
function drawWay({ header, place }, pen, band, next) {
  const [x, turn] = [band.right + GAP + place.strip / 2, next.top - 8];
  const end = next.memory - legible(11) - 4;
  pen.line(
    [
      [x, band.foot + 4],
      [x, turn],
      [4, turn],
      [4, end],
    ],
    header.theme.muted,
    1.5,
  );
  for (const side of [-4, 4]) {
    pen.line(
      [
        [4 + side, end - 5],
        [4, end],
      ],
      header.theme.muted,
      1.5,
    );
  }
}

// The output of the encoder runs past every layer of the decoder: each cross-attention takes keys and values from it.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {Band} band
 * @param {number} row
 */
function drawMemory(view, pen, band, row) {
  const { header, place, colours } = view;
  const { theme } = header;
  const { stack } = band;
  const count = stack.memory.length;
  const style = { size: 11, fill: theme.muted };
  const lit = header.source?.followed[row] ?? 0;
  const [encoder] = place.bands;
  const begins = place.beside ? encoder.right + GAP + place.strip + 2 : place.label + place.strip + GAP;
  if (!place.beside && stack.output) {
    pen.text(0, band.memory - legible(11) / 2 - 2, "encoder output: keys and values", { ...style, anchor: "start" });
    const image = imageOf(stack.output.values, colours.signed, stack.output.shape[2]);
    pen.image(image, place.label, band.memory, place.strip, count * place.memoryLane);
  }
  for (let each = 0; each < count; each++) {
    const y = memoryMiddle(place, band, each);
    if (!place.beside) {
      const [weight, fill] = each === lit ? [650, theme.accent] : [400, theme.muted];
      const name = fitted(stack.memory[each], place.label - 10, 11, weight);
      pen.text(place.label - 8, y, name, { anchor: "end", size: 11, weight, fill });
      const top = band.memory + each * place.memoryLane;
      if (each) pen.rect(place.label - 0.5, top - 1, place.strip + 1, 2, theme.paper);
    }
    let x = begins;
    for (const block of band.blocks) {
      const end = block.x + block.width - GAP;
      const leaves = block.parts.find(({ kind }) => kind === "cross")?.x ?? block.x;
      for (const [to, first] of [
        [leaves, block.layer],
        [end, block.layer + 1],
      ]) {
        const share = memoryShare(stack, row, each, first);
        const shown = share > LEAST_SHOWN && view.head === null;
        level(pen, x, to, y, shown ? theme.weights[4] : theme.rule, shown ? thickness(share) : 1);
        x = to;
      }
    }
  }
}

// What the cross-attentions from this layer on take of a source token, on its way to the token in focus.
/**
 * @param {Stack} stack
 * @param {number} row
 * @param {number} from
 * @param {number} first
 */
function memoryShare(stack, row, from, first) {
  const [, layers, count, sources] = stack.attentions.cross.edges.shape;
  let share = 0;
  for (let layer = first; layer < layers; layer++) {
    for (let to = 0; to < count; to++) {
      share += stack.attentions.cross.edges.values[((row * layers + layer) * count + to) * sources + from];
    }
  }
  return share;
}

/**
 * @param {Pen} pen
 * @param {number} left
 * @param {number} right
 * @param {number} y
 * @param {string} colour
 * @param {number} wide
 */
function level(pen, left, right, y, colour, wide) {
  pen.line(
    [
      [left, y],
      [right, y],
    ],
    colour,
    wide,
  );
}

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {Band} band
 * @param {import("../types.js").DrawnLayer} block
 * @param {number} row
 */
function drawBlock(view, pen, band, { layer, x, width, folded, parts }, row) {
  const { header, place } = view;
  const { theme } = header;
  const { stack } = band;
  const lit = litRow(header, stack, row);
  level(pen, x + 2, x + width - 4, band.top + place.title - 6, theme.rule, 1);
  const long = `${stack.name}, layer ${layer}`;
  const title = stack.name && widthOf(long, 12, 600) < width ? long : `layer ${layer}`;
  pen.text(x + width / 2, band.top + place.title / 2 - 3, folded ? "" : title, {
    anchor: "middle",
    size: 12,
    weight: 600,
    fill: theme.muted,
  });
  const attentions = stack.kinds.filter((kind) => kind !== "mlp");
  const [mixings, joints] = [attentions.length, stack.kinds.length];
  if (folded) {
    const room = (width - 14 + GAP) / mixings;
    attentions.forEach((kind, index) => {
      lanes(view, pen, band, kind, [x + index * room, x + (index + 1) * room], layer, row);
    });
    strip(view, pen, band, x + width - 14, joints * (layer + 1), lit, 12);
    return;
  }
  parts.forEach((part, index) => {
    const { kind, x: left, width: own, strip: after } = part;
    if (kind === "mlp") {
      keep(view, pen, band, [left - GAP, after], mixings * (layer + 1), row);
      hiddenStrip(view, pen, band, left + 4, own - 8, layer);
    } else {
      lanes(view, pen, band, kind, [index ? left - GAP : left, after], layer, row);
    }
    strip(view, pen, band, after, joints * layer + index + 1, lit);
    if (place.simple) {
      const [long, short] = PART_NAMES[kind];
      const name = widthOf(long, 11) < own + place.strip ? long : short;
      const lowest = stack.memory.length ? band.memory - (place.beside ? 0 : legible(11) + 6) : band.lanes;
      const y = lowest - legible(11) / 2 - 5;
      pen.text(left + own / 2, y, name, { anchor: "middle", size: 11, fill: theme.muted });
    }
    foot(view, pen, band, left + own / 2, own, kind, layer, lit);
  });
}

// The lines of an attention: what moved between tokens on its way to the token in focus, or the weights of one head.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {Band} band
 * @param {string} kind
 * @param {number[]} ends
 * @param {number} layer
 * @param {number} row
 */
function lanes(view, pen, band, kind, [left, right], layer, row) {
  const { header, place, head } = view;
  const { theme } = header;
  const { stack } = band;
  const crosses = kind === "cross";
  const { cells, edges, weights } = stack.attentions[kind];
  const count = stack.tokens.length;
  const sources = crosses ? stack.memory.length : count;
  if (isOn(header, "residual")) {
    for (let each = 0; each < count; each++) level(pen, left, right, middle(place, band, each), theme.rule, 1);
  }
  const chosen =
    head && head.layer === layer && head.stack === stack.name && head.of === kind ? (head.head ?? null) : null;
  if (head && chosen === null) return;
  if (crosses && chosen === null) keep(view, pen, band, [left, right], 2 * layer + 1, row, false);
  const heads = cells.shape[1];
  const shown = chosen === null ? row : litRow(header, stack, row);
  for (let to = 0; to < count; to++) {
    for (let from = 0; from < sources; from++) {
      const share =
        chosen === null
          ? edges.values[((shown * stack.layers + layer) * count + to) * sources + from]
          : to === shown
            ? weights.values[((layer * heads + chosen) * count + to) * sources + from]
            : 0;
      if (!(share > LEAST_SHOWN)) continue;
      const colour = from === to && !crosses ? theme.muted : theme.weights[4];
      const start = crosses ? memoryMiddle(place, band, from) : middle(place, band, from);
      const points = crosses ? 28 : 14; // they go far
      pen.line(curve(left, start, right, middle(place, band, to), points), colour, thickness(share));
    }
  }
}

// What goes on along a lane beside a part: `faint` draws the other lanes as well.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {Band} band
 * @param {number[]} ends
 * @param {number} step
 * @param {number} row
 * @param {boolean} [faint]
 */
function keep({ header, place }, pen, band, [left, right], step, row, faint = true) {
  const { stack } = band;
  const { values, shape } = stack.reach;
  const count = stack.tokens.length;
  for (let each = 0; each < count; each++) {
    const share = values[(row * shape[1] + step) * count + each];
    const shown = share > LEAST_SHOWN;
    const colour = shown ? header.theme.muted : header.theme.rule;
    if (shown || faint) level(pen, left, right, middle(place, band, each), colour, shown ? thickness(share) : 1);
  }
}

// The vectors of all tokens at one place of the residual stream.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {Band} band
 * @param {number} x
 * @param {number} joint
 * @param {number} lit
 * @param {number} [wide]
 */
function strip({ header, place, colours }, pen, band, x, joint, lit, wide = place.strip) {
  const { stream } = band.stack;
  const [, count, cells] = stream.shape;
  const codes = stream.values.subarray(joint * count * cells, (joint + 1) * count * cells);
  rows(pen, place, band, imageOf(codes, colours.signed, cells), x, wide, header.theme);
  frame(pen, place, band, x, lit, header.theme, wide);
}

/**
 * @param {Pen} pen
 * @param {Sizes} place
 * @param {Band} band
 * @param {number} x
 * @param {number} lit
 * @param {import("../types.d.ts").Theme} theme
 * @param {number} [wide]
 */
function frame(pen, place, band, x, lit, theme, wide = place.strip) {
  const y = middle(place, band, lit) - place.lane / 2 + 2;
  pen.frame(x - 0.5, y, wide + 1, place.lane - 4, theme.accent, 1.25);
}

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {Band} band
 * @param {number} x
 * @param {number} wide
 * @param {number} layer
 */
function hiddenStrip({ header, place, colours }, pen, band, x, wide, layer) {
  const { hidden } = band.stack;
  const [, count, cells] = hidden.shape;
  const codes = hidden.values.subarray(layer * count * cells, (layer + 1) * count * cells);
  rows(pen, place, band, imageOf(codes, colours.signed, cells), x, wide, header.theme);
}

// An image of one row of cells for each token, with paper between the lanes.
/**
 * @param {Pen} pen
 * @param {Sizes} place
 * @param {Band} band
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
 * @param {Band} band
 * @param {number} x
 * @param {number} own
 * @param {string} kind
 * @param {number | null} layer
 * @param {number} lit
 */
function foot({ header, place }, pen, band, x, own, kind, layer, lit) {
  const { theme } = header;
  const { stack } = band;
  const count = stack.tokens.length;
  const part = header.parts.find((each) => each.kind === kind && each.layer === layer && each.stack === stack.name);
  if (!part || place.simple) return;
  const room = kind === "mlp" ? own + place.strip : kind === "embedding" ? Math.max(own + GAP, legible(11) * 3.6) : own;
  const joint = layer === null ? 0 : stack.kinds.length * layer + stack.kinds.indexOf(kind);
  const length = stack.lengths.values[joint * count + lit].toFixed(1);
  const added = layer === null ? "" : stack.added.values[joint * count + lit].toFixed(1);
  const lines =
    header.detail === "words"
      ? linesOf(header.short[kind], room, 11)
      : header.detail === "shapes"
        ? linesOf(part.shape, room, 11)
        : layer === null
          ? linesOf(`length ${length}`, Math.max(room, place.strip * 2), 11)
          : isOn(header, "residual")
            ? [`adds ${added}`, widthOf(`to one of ${length}`, 11) < room ? `to one of ${length}` : `to ${length}`]
            : [`gives ${added}`];
  lines.slice(0, 3).forEach((line, index) => {
    const y = band.foot + 12 + index * (legible(11) + 4);
    pen.text(x, y, line, { anchor: "middle", size: 11, fill: theme.muted });
  });
}
// Where the predictions stand: beside the lane of the token in focus, or below all bands on a narrow screen.
/**
 * @param {View} view
 * @param {Band} band
 * @param {number} row
 */
function besideLane({ place }, band, row) {
  const top = Math.max(band.predictions, Math.min(band.lanes + row * place.lane, band.foot - 5 * predictionLine()));
  return { x: band.right + 8, title: band.heading + place.title / 2 - 3, top, wide: place.output - 8 };
}

/**
 * @param {View} view
 * @param {number} title
 */
const belowAll = ({ root, place }, title) => ({
  x: place.label,
  title,
  top: title + 50,
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
  const { header, place, colours } = view;
  const { theme } = header;
  const { x, y, wide, tall } = target;
  if (target.kind === "token") return;
  if (target.kind === "head") {
    pen.absent(x, y, wide, tall);
    const stack = view.stacks.find(({ name }) => name === target.stack) ?? view.stacks[0];
    const { cells } = stack.attentions[target.of ?? "attention"];
    pen.image(mapImage(cells, colours.weights, target.layer ?? 0, target.head ?? 0), x, y, wide, tall);
    const cell = tall / stack.tokens.length;
    pen.frame(x - 0.5, y + litRow(header, stack, row) * cell, wide + 1, Math.max(cell, 2), theme.accent, 1);
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
