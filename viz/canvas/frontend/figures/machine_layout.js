// Where everything of a drawn Transformer stands, from the width of the figure alone; and what of it can be pressed.

/** @typedef {import("../types.js").MachineHeader} Header */
/** @typedef {import("../types.js").MachineModel} Model */
/** @typedef {import("../types.js").PlacedMachine} View */
/** @typedef {import("../types.js").MachineSizes} Sizes */
/** @typedef {import("../types.js").MachinePlace} Place */
/** @typedef {import("../types.js").Band} Band */
/** @typedef {import("../types.js").DrawnLayer} DrawnLayer */
/** @typedef {import("../types.js").Target} Target */
/** @typedef {import("../types.js").DrawnStack} Stack */
/** @typedef {import("../types.js").DrawnAttention} DrawnAttention */

import { widthOf } from "../lib/drawing.js";
import { bandsOf, blockWidths } from "../lib/lanes.js";
import { legible, projected } from "../lib/page_state.js";

const STRIP = 36; // width of a strip that stands for a vector
const NARROW_STRIP = 22;
export const OUTPUT = 132; // width of the predictions at the end
const FOLDED = 48; // width of a block of which only the stream is shown
const OPEN = 190; // the least width of a block with its parts
const OPEN_BESIDE = 160; // the same in an encoder beside a decoder
const OPEN_CROSS = 240; // the same of a block with cross-attention
const [OPEN_PROJECTED, OPEN_CROSS_PROJECTED] = [110, 180]; // the same without buttons, where two stacks share the width
const WIDEST = 330;
const WIDEST_CROSS = 520;
const CHIP = 19; // height of a button
export const GAP = 4;
const NARROW = 700; // pixels: on a narrower screen the predictions stand below
const PLUS = 16; // width of the button of a residual connection
const SHARE = { attention: 0.58, mlp: 0.42 }; // of the room of a block
const SHARE_CROSS = { attention: 0.375, cross: 0.375, mlp: 0.25 };
const BESIDE = 940; // pixels: from this width on two stacks stand beside each other, some of their layers folded
const BESIDE_PROJECTED = 900; // the same where a room sees no buttons
const ROOMY = 1500; // pixels: from this width on their strips are as wide as those of one stack
const ENCODER_SHARE = 0.38; // of the width where the decoder stands beside it
const MANY = 26; // tokens of two stacks beside each other: with more, the lanes are tight
const TIGHT = 14; // pixels
const BETWEEN = 26; // pixels between the lanes of the source and those of the target, and between two stacks

/**
 * @param {Header} header
 * @param {string} name
 */
export const isOn = (header, name) => header.switches.find((part) => part.name === name)?.on !== false;

export const predictionLine = () => Math.max(32, legible(12) + 20); // height of one predicted word

/**
 * @param {Sizes} place
 * @param {Band} band
 * @param {number} row
 */
export const middle = (place, band, row) => band.lanes + (row + 0.5) * place.lane;

// The same of a source token in the lanes that run past the layers of a decoder.
/**
 * @param {Sizes} place
 * @param {Band} band
 * @param {number} row
 */
export const memoryMiddle = (place, band, row) => band.memory + (row + 0.5) * place.memoryLane;

// The stacks of a model in the order in which they are drawn: a model of two sentences has an encoder first.
/**
 * @param {Header} header
 * @param {import("../types.js").MachineArrays} arrays
 * @returns {Stack[]}
 */
export function stacksOf({ tokens, source }, arrays) {
  const { cells, weights, edges, stream, hidden, lengths, added, reach } = arrays;
  const layers = cells.shape[0];
  const own = { layers, tokens, stream, hidden, lengths, added, reach };
  /** @type {DrawnAttention} */
  const attention = { letter: "L", cells, weights, edges };
  if (!source || !("encoder_cells" in arrays)) {
    return [{ ...own, name: "", kinds: ["attention", "mlp"], attentions: { attention }, output: null, memory: [] }];
  }
  const output = arrays.encoder_output;
  return [
    {
      name: "encoder",
      layers: arrays.encoder_cells.shape[0],
      tokens: source.tokens,
      stream: arrays.encoder_stream,
      hidden: arrays.encoder_hidden,
      lengths: arrays.encoder_lengths,
      added: arrays.encoder_added,
      reach: arrays.encoder_reach,
      kinds: ["attention", "mlp"],
      attentions: {
        attention: {
          letter: "E",
          cells: arrays.encoder_cells,
          weights: arrays.encoder_weights,
          edges: arrays.encoder_edges,
        },
      },
      output,
      memory: [],
    },
    {
      ...own,
      name: "decoder",
      kinds: ["attention", "cross", "mlp"],
      attentions: {
        attention,
        cross: { letter: "X", cells: arrays.cross_cells, weights: arrays.cross_weights, edges: arrays.cross_edges },
      },
      output,
      memory: source.tokens,
    },
  ];
}

// On a narrow screen the blocks stand in several bands below each other. On a wide one the decoder stands to the right
// of the encoder, whose lanes run on past the layers of the decoder; else it stands below.
/**
 * @param {Model} view
 * @returns {Place}
 */
export function placeOf(view) {
  const wide = view.stacks.length > 1 && view.root.clientWidth >= (projected() > 0 ? BESIDE_PROJECTED : BESIDE);
  // Below each other, stacks always have room.
  return (wide && placed(view, true)) || /** @type {Place} */ (placed(view, false));
}

// null: the decoder has no room beside the encoder.
/**
 * @param {Model} view
 * @param {boolean} beside
 * @returns {Place | null}
 */
function placed({ root, header, stacks, opened }, beside) {
  const width = root.clientWidth;
  const heads = stacks[0].attentions.attention.cells.shape[1];
  const simple = projected() > 0; // a room sees what flows; buttons and small print are for a desk
  const longest = Math.max(...stacks.flatMap(({ tokens }) => tokens.map((token) => widthOf(token, 13, 650))));
  const label = Math.min((width < NARROW && stacks.length > 1 ? 82 : 118) * (legible(13) / 13), 14 + longest);
  const predicts = header.next_tokens.length > 0;
  const output = predicts && width >= NARROW ? Math.round((beside ? 0.85 : 1) * OUTPUT * (legible(12) / 12)) : 0;
  const most = stacks.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const letter = legible(11);
  const lane =
    beside && !simple && most > MANY
      ? TIGHT
      : Math.max(most > 18 ? 17 : 21, legible(12) + (simple && stacks.length > 1 ? 3 : 6));
  const chip = Math.max(CHIP, letter + 8);
  const title = Math.max(24, legible(12) + 10);
  const strip = stacks.length > 1 && (width < NARROW || (beside && width < ROOMY)) ? NARROW_STRIP : STRIP;
  /** @type {Sizes} */
  const sizes = {
    simple,
    title,
    lane,
    label,
    chip,
    letter,
    output,
    strip,
    memoryLane: beside ? lane : letter + 4,
    beside,
  };
  /** @type {Band[]} */
  const placedBands = [];
  const heading = beside ? 0 : letter + 6; // above the lanes of the source in a decoder
  let [top, left, lowest] = [0, 0, 0];
  for (const [index, stack] of stacks.entries()) {
    const last = index === stacks.length - 1;
    const after = last ? (output ? output + 8 : 0) : strip + 3 * GAP; // beside the last block
    const [open, widest] = stack.memory.length
      ? [beside && simple ? OPEN_CROSS_PROJECTED : OPEN_CROSS, WIDEST_CROSS]
      : [beside ? (simple ? OPEN_PROJECTED : OPEN_BESIDE) : OPEN, WIDEST];
    const right = beside && !last ? Math.round(width * ENCODER_SHARE) : width;
    const room = right - left - label - strip - (after || 4) - GAP;
    // The last layer of a decoder opens first: it is the nearest to the prediction.
    const chosen = Math.min(opened[stack.name] ?? (beside && last ? stack.layers - 1 : 0), stack.layers - 1);
    const widths = blockWidths(stack.layers, chosen, room, {
      folded: FOLDED,
      open,
      widest,
      few: beside && !simple ? 1 : 4,
    });
    const bands = bandsOf(widths, left + label, right - after, strip + GAP);
    if (beside && (bands.length > 1 || bands[0].right > right - after)) return null;
    const layers = bands.map((band) => band.blocks.map((block) => ({ ...block, ...partsOf(block, stack, strip) })));
    const ends = layers.flat().flatMap((block) => chipsOf(header, stack, block, sizes));
    const chipRows = 1 + Math.max(1, ...ends.map(({ line }) => line + 1));
    const widestFirst = Math.max(...layers.flat().flatMap((block) => block.parts[0]?.width ?? 0));
    const perRow = Math.ceil(Math.sqrt(heads));
    const head = Math.max(8, Math.min(44, Math.floor((widestFirst + strip) / perRow) - 3));
    const headRows = Math.ceil(heads / perRow);
    const maps = headRows * (head + 3);
    const above = simple
      ? Math.max(title + maps, title + legible(13) + 34) + letter + 12
      : title + chipRows * (chip + GAP) + maps + 6;
    const below = simple ? 4 : 12 + (header.detail === "words" ? 3 : 2) * (letter + 4);
    const memory = stack.memory.length ? heading + stack.memory.length * sizes.memoryLane + BETWEEN : 0;
    const tall = above + memory + stack.tokens.length * lane + below + 14;
    for (const [bandIndex, band] of bands.entries()) {
      const lanes = top + above + memory;
      // Five predictions stand beside the lanes; over those of a short target there is room.
      const more = memory ? Math.max(0, 5 * predictionLine() - stack.tokens.length * lane - below) : 0;
      const predictions = lanes - more;
      placedBands.push({
        stack,
        blocks: layers[bandIndex],
        left,
        right: band.right,
        top,
        end: top + tall,
        chipRows,
        head,
        perRow,
        lanes,
        memory: top + above + heading,
        foot: lanes + stack.tokens.length * lane,
        predictions,
        heading: memory ? predictions - title / 2 - 2 * (legible(12) + 9) - letter / 2 - 4 : top,
      });
      top += tall;
    }
    lowest = Math.max(lowest, top);
    if (beside) [top, left] = [0, right];
    else if (!last) top += BETWEEN - 14;
  }
  if (beside) align(placedBands);
  top = Math.max(lowest, ...placedBands.map(({ end }) => end));
  const outputBelow = predicts && !output ? top + 10 : null;
  const height = top + (outputBelow === null ? 0 : 64 + 5 * predictionLine());
  return { ...sizes, bands: placedBands, outputBelow, height };
}

// Puts the encoder and the decoder that stands beside it on the same height, so that the lanes of the source are the
// same in both.
/** @param {Band[]} bands */
function align([encoder, decoder]) {
  const lower = encoder.lanes - decoder.memory;
  const moved = lower > 0 ? decoder : encoder;
  for (const name of HEIGHTS) moved[name] += Math.abs(lower);
}

/** @type {("lanes" | "foot" | "memory" | "predictions" | "heading" | "end")[]} */
const HEIGHTS = ["lanes", "foot", "memory", "predictions", "heading", "end"];

// The parts of a block from left to right, each with the strip of the stream after it; none where it is folded.
/**
 * @param {{ x: number, width: number }} block
 * @param {Stack} stack
 * @param {number} strip
 */
function partsOf({ x, width }, { kinds }, strip) {
  const folded = width <= FOLDED;
  if (folded) return { folded, parts: [] };
  /** @type {Record<string, number>} */
  const shares = kinds.length > 2 ? SHARE_CROSS : SHARE;
  const room = width - kinds.length * (strip + 2 * GAP);
  /** @type {import("../types.js").DrawnPart[]} */
  const parts = [];
  let left = x;
  for (const kind of kinds) {
    const own = kind === "mlp" ? x + width - strip - GAP - left : Math.round(room * shares[kind]);
    const after = left + own + (kind === "mlp" ? GAP : 2 * GAP);
    parts.push({ kind, x: left, width: own, strip: after });
    left = after + strip + (kind === "mlp" ? 0 : GAP);
  }
  return { folded, parts };
}

// The small buttons of each attention of a block, in lines: norm, scaling, mask, positions.
/**
 * @param {Header} header
 * @param {Stack} stack
 * @param {DrawnLayer} block
 * @param {Sizes} place
 */
function chipsOf(header, stack, block, place) {
  const switches = Object.fromEntries(header.switches.map((part) => [part.name, part]));
  const chips = [];
  for (const { kind, x, width } of block.parts) {
    if (kind === "mlp") continue;
    const before = header.parts.some(
      (part) => part.kind === kind && part.stack === stack.name && part.norm === "before",
    );
    const masked = switches.mask.available && kind === "attention" && stack.name !== "encoder";
    const positioned = header.position_place === "attention" && kind === "attention";
    const names = [...(before ? ["norm"] : []), "scale", ...(masked ? ["mask"] : [])];
    const end = x + width + (before ? place.strip + GAP : 0);
    let [left, line] = [x + GAP, 0];
    for (const name of names) {
      const wide = widthOf(switches[name].label, place.letter) + 8;
      if (left > x + GAP && left + wide > end) [left, line] = [x + GAP, line + 1];
      chips.push({ name, kind, layer: block.layer, x: left, line, wide });
      left += wide + 3;
    }
    if (positioned) chips.push({ name: "position", kind, layer: block.layer, x: x + GAP, line: line + 1, wide: 58 });
  }
  return chips;
}

// Everything that can be pressed: { x, y, wide, tall, name, part, press }.
/** @param {View} view */
export function targetsOf(view) {
  const { header, place } = view;
  const switches = Object.fromEntries(header.switches.map((part) => [part.name, part]));
  /** @type {Target[]} */
  const targets = [];
  /** @type {import("../types.d.ts").AddChip} */
  const chip = (stack, name, box, layer, of) => {
    if (place.simple) return;
    const { on, available } = switches[name];
    const label = name === "mlp" ? shortened(switches.mlp.label, "FFN", box.wide, place) : switches[name].label;
    const press = available ? () => view.send("part", name) : null;
    const same = { kind: "chip", part: name, layer, stack: stack.name, of };
    targets.push({ ...same, ...box, tall: place.chip, text: label, on, press });
  };
  const normWide = widthOf(switches.norm.label, place.letter) + 8;
  /** @type {(kind: string, stack: Stack) => string | undefined} */
  const normOf = (kind, stack) => header.parts.find((part) => part.kind === kind && part.stack === stack.name)?.norm;
  for (const [index, band] of place.bands.entries()) {
    const { stack } = band;
    const y = band.top + place.title;
    const below = y + place.chip + GAP;
    const first = index === 0 || place.bands[index - 1].stack !== stack;
    const last = place.bands[index + 1]?.stack !== stack;
    const embedded = band.left + place.label + place.strip; // the right end of the first strip
    if (first) {
      if (header.position_place === "embedding") {
        const wide = Math.min(58, place.label + place.strip);
        chip(stack, "position", { x: embedded - wide, y, wide }, null, "embedding");
      }
      if (normOf("embedding", stack) === "after") {
        chip(stack, "norm", { x: embedded - normWide, y: below, wide: normWide }, null, "embedding");
      }
    }
    if (last && normOf("output", stack) === "before") {
      const x = Math.min(band.right + GAP + place.strip / 2 - normWide / 2, view.root.clientWidth - normWide);
      chip(stack, "norm", { x, y, wide: normWide }, null, "output");
    }
    if (last && normOf("unembedding", stack) === "before") {
      const box = place.output
        ? { x: band.right + place.output - normWide, y: band.heading + place.title }
        : { x: view.root.clientWidth - normWide - 8, y: place.outputBelow ?? y };
      chip(stack, "norm", { ...box, wide: normWide }, null, "unembedding");
    }
    for (const block of band.blocks) blockTargets(view, targets, chip, band, block, normWide);
    stack.tokens.forEach((token, row) => {
      if (stack.name === "encoder") return; // the figure follows tokens of the target
      const box = { x: band.left, y: band.lanes + row * place.lane, wide: place.label - 4, tall: place.lane };
      const position = header.positions[row];
      const same = { kind: "token", part: "token", layer: null, stack: stack.name };
      targets.push({ ...same, ...box, text: token, on: true, row, position });
    });
  }
  return targets;
}

/**
 * @param {View} view
 * @param {Target[]} targets
 * @param {import("../types.d.ts").AddChip} chip
 * @param {Band} band
 * @param {DrawnLayer} block
 * @param {number} normWide
 */
function blockTargets(view, targets, chip, band, block, normWide) {
  const { header, place } = view;
  const { stack } = band;
  const { layer, x, width, parts, folded } = block;
  const y = band.top + place.title;
  const below = y + place.chip + GAP;
  if (folded) {
    const press = () => view.open(layer, stack.name);
    const box = { x: x + 2, y, wide: width - 6, tall: place.chip };
    const same = { kind: "fold", part: "fold", layer, stack: stack.name };
    targets.push({ ...same, ...box, text: `${layer} ▸`, on: true, press });
    return;
  }
  for (const { name, kind, x: left, line, wide } of chipsOf(header, stack, block, place)) {
    chip(stack, name, { x: left, y: below + line * (place.chip + GAP), wide }, layer, kind);
  }
  for (const { kind, x: left, width: own, strip } of parts) {
    const part = header.parts.find((each) => each.kind === kind && each.layer === layer && each.stack === stack.name);
    const beside = (place.strip - PLUS) / 2 + GAP - 2;
    if (kind === "mlp") {
      chip(stack, "mlp", { x: left - beside, y, wide: own + 2 * beside }, layer, kind);
      if (part?.norm === "before") {
        chip(stack, "norm", { x: left + (own - normWide) / 2, y: below, wide: normWide }, layer, kind);
      }
    } else {
      attentionTargets(view, targets, band, { kind, layer, x: left + GAP, width: own, on: Boolean(part?.present) });
    }
    chip(stack, "residual", { x: strip + (place.strip - PLUS) / 2, y, wide: PLUS }, layer, kind);
    if (part?.norm === "after") {
      const wide = Math.min(normWide, place.strip + 2 * GAP);
      chip(stack, "norm", { x: strip + (place.strip - wide) / 2, y: below, wide }, layer, kind);
    }
  }
}

// The heads of one attention, and the button of all of them.
/**
 * @param {View} view
 * @param {Target[]} targets
 * @param {Band} band
 * @param {{ kind: string, layer: number, x: number, width: number, on: boolean }} attention
 */
function attentionTargets(view, targets, band, { kind, layer, x, width, on }) {
  const { header, place } = view;
  const { stack } = band;
  const { letter, cells } = stack.attentions[kind];
  const y = band.top + place.title;
  const same = { layer, stack: stack.name, of: kind };
  const text = kind === "cross" ? shortened("cross-attention", "cross", width, place) : "attention";
  if (!place.simple) {
    const box = { x, y, wide: width, tall: place.chip };
    const press = () => view.send("layer", [layer, letter]);
    targets.push({ ...same, kind: "chip", part: kind, ...box, text, on, press });
  }
  const top = y + (place.simple ? 0 : band.chipRows * (place.chip + GAP));
  for (let head = 0; head < cells.shape[1]; head++) {
    const [column, row] = [head % band.perRow, Math.floor(head / band.perRow)];
    targets.push({
      ...same,
      kind: "head",
      part: "head",
      head,
      x: x + column * (band.head + 3),
      y: top + row * (band.head + 3),
      wide: band.head,
      tall: band.head,
      text: `${NAMED[letter]}ayer ${layer}, head ${head}`,
      on: !header.heads_off.includes(`${letter}${layer}H${head}`),
      press: () => view.send("head", [layer, head, letter]),
    });
  }
}

/** @type {(text: string, short: string, room: number, place: Sizes) => string} */
const shortened = (text, short, room, { letter }) => (widthOf(text, letter) + 4 <= room ? text : short);

/** @type {Record<string, string>} */
const NAMED = { L: "L", X: "Cross-attention, l", E: "Encoder, l" };
