// A whole Transformer on one sentence. Each token has a lane; the parts stand along the lanes in the order in which
// they act. Lines show what reaches the token in focus, layer by layer.

/** @typedef {import("../types.js").MachineHeader} Header */
/** @typedef {import("../types.js").MachinePart} Part */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").Root} Root */
/** @typedef {import("../types.js").Target} Target */

import { colourTable, imageOf, mapImage } from "../lib/cells.js";
import { asSvg, fitted, linesOf, onCanvas, widthOf } from "../lib/drawing.js";
import { bandsOf, blockWidths, curve } from "../lib/lanes.js";
import {
  countDrawing,
  drawings,
  element,
  hover,
  hoveredRow,
  legible,
  listen,
  pointer,
  rootOf,
  unpack,
} from "../lib/page_state.js";

const STRIP = 36; // width of a strip that stands for a vector
const OUTPUT = 132; // width of the predictions at the end
const FOLDED = 48; // width of a block of which only the stream is shown
const OPEN = 190; // the least width of a block with its parts
const WIDEST = 330;
const CHIP = 19; // height of a button
const GAP = 4;
const LEAST_SHOWN = 0.01; // of what reaches the token in focus: less draws no line
const NARROW = 700; // pixels: on a narrower screen the predictions stand below
const PLUS = 16; // width of the button of a residual connection

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  const { theme } = header;
  Object.assign(view, {
    header,
    arrays,
    colours: { weights: colourTable(theme, "weights"), signed: colourTable(theme, "signed") },
    send: setTriggerValue,
  });
  view.layers = arrays.cells.shape[0];
  view.opened = Math.min(view.opened ?? 0, view.layers - 1);
  const stop = listen(key, () => repaint(view));
  drawings.set(header.key, () =>
    asSvg(root.clientWidth, view.place.height, theme, (pen) => draw(view, pen, focused(view, true))),
  );
  arrange(view);
  return stop;
}

/** @param {Root} root */
function build(root) {
  const [canvas, targets, panel] = [element("canvas", "drawing"), element("div", "targets"), element("div", "panel")];
  const figure = element("div", "figure");
  figure.append(canvas, targets);
  const [title, text, door] = [element("b", "title"), element("span", "text"), element("button", "door")];
  door.type = "button";
  panel.append(title, text, door);
  root.append(figure, panel);
  /** @type {any} */
  const view = { root, canvas, targets, figure, panel: { root: panel, title, text, door }, part: null, head: null };
  figure.onpointermove = (event) => {
    const row = rowAt(view, pointer(figure, event));
    if (row !== null) hover(view.header.positions[row]);
  };
  figure.onpointerleave = () => {
    view.head = null;
    hover(null);
    repaint(view);
  };
  figure.onclick = (event) => {
    const row = rowAt(view, pointer(figure, event));
    if (row !== null) pin(view, row);
  };
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}

/**
 * @param {View} view
 * @param {number} row
 */
function pin(view, row) {
  const { header } = view;
  const position = header.positions[row];
  view.send("pin", { row: header.pinned && header.row === position ? null : position });
}

// The drawn token in focus: the one under the pointer, or the one that is chosen.
/**
 * @param {View} view
 * @param {boolean} [chosen]
 */
function focused({ header }, chosen = false) {
  const row = header.positions.indexOf((chosen ? null : hoveredRow()) ?? header.row);
  return row < 0 ? Math.max(0, header.positions.indexOf(header.row)) : row;
}

/**
 * @param {View} view
 * @param {number[]} point
 */
function rowAt({ place, header }, [, y]) {
  for (const band of place?.bands ?? []) {
    const row = Math.floor((y - band.lanes) / place.lane);
    if (row >= 0 && row < header.tokens.length) return row;
  }
  return null;
}

// Where everything stands, from the width alone; on a narrow screen the blocks stand in several bands.
/** @param {View} view */
function arrange(view) {
  const { root, header, layers, arrays, targets, figure } = view;
  if (!header || !root.clientWidth) return;
  const width = root.clientWidth;
  const count = header.tokens.length;
  const heads = arrays.cells.shape[1];
  const label = Math.min(118, 14 + Math.max(...header.tokens.map((token) => widthOf(token, 13, 650))));
  const predicts = header.next_tokens.length > 0;
  const output = predicts && width >= NARROW ? OUTPUT : 0;
  const room = width - label - STRIP - output - 12;
  const widths = blockWidths(layers, view.opened, room, { folded: FOLDED, open: OPEN, widest: WIDEST });
  const lane = Math.max(count > 18 ? 17 : 21, legible(12) + 6);
  const perRow = Math.ceil(Math.sqrt(heads));
  const head = Math.min(44, Math.floor((attentionWidth(Math.max(...widths)) + STRIP) / perRow) - 3);
  const headRows = Math.ceil(heads / perRow);
  const letter = legible(11);
  const chip = Math.max(CHIP, letter + 8);
  const above = 24 + 2 * (chip + GAP) + headRows * (head + 3) + 6;
  const below = 12 + (header.detail === "words" ? 3 : 2) * (legible(11) + 4);
  const bands = bandsOf(widths, label, width - (output ? output + 8 : 0), STRIP + GAP);
  const tall = above + count * lane + below + 14;
  for (const [index, band] of bands.entries()) {
    band.top = index * tall;
    band.lanes = band.top + above;
    band.foot = band.lanes + count * lane;
  }
  const outputBelow = predicts && !output ? bands.length * tall + 10 : null;
  const height = bands.length * tall + (outputBelow === null ? 0 : 64 + 5 * predictionLine());
  view.place = { predicts, outputBelow, bands, lane, label, perRow, head, headRows, chip, above, height, widths, output, letter };
  figure.style.height = `${height}px`;
  view.targets_ = targetsOf(view);
  targets.replaceChildren(...view.targets_.map((/** @type {Target} */ target) => button(view, target)));
  repaint(view);
}

/**
 * @param {Header} header
 * @param {string} name
 */
const isOn = (header, name) => header.switches.find((part) => part.name === name)?.on !== false;

/** @param {number} block */
const attentionWidth = (block) => Math.round((block - 2 * STRIP - 4 * GAP) * 0.58);

/** @param {View} view */
function repaint(view) {
  const { root, canvas, header, place } = view;
  if (!place || !root.clientWidth) return;
  const row = focused(view);
  onCanvas(canvas, root.clientWidth, place.height, header.theme, (pen) => draw(view, pen, row));
  explain(view, row);
  countDrawing(root);
}

// Everything that can be pressed: { x, y, wide, tall, name, part, press }.
/** @param {View} view */
function targetsOf(view) {
  const { header, place, layers, arrays } = view;
  const heads = arrays.cells.shape[1];
  const switches = Object.fromEntries(header.switches.map((part) => [part.name, part]));
  /** @type {Target[]} */
  const found = [];
  /**
   * @param {string} name
   * @param {number} x
   * @param {number} y
   * @param {number} wide
   * @param {number | null} layer
   */
  const chip = (name, x, y, wide, layer) => {
    const { label, on, available } = switches[name];
    const text = label;
    const press = available ? () => view.send("part", name) : null;
    found.push({ kind: "chip", part: name, layer, x, y, wide, tall: place.chip, text, on, press });
  };
  const first = place.bands[0];
  const y0 = first.top + 24;
  if (switches.position) chip("position", place.label - 14, y0, 60, null);
  for (const band of place.bands) {
    for (const { layer, x, width } of band.blocks) {
      const top = band.top;
      if (width <= FOLDED) {
        const press = () => {
          view.opened = layer;
          arrange(view);
        };
        const box = { x: x + 2, y: top + 24, wide: width - 6, tall: place.chip };
        found.push({ kind: "fold", part: "fold", layer, ...box, text: `${layer} ▸`, on: true, press });
        continue;
      }
      const y = top + 24;
      const part = header.parts.find((each) => each.kind === "attention" && each.layer === layer);
      const attention = attentionWidth(width);
      const three = switches.mask?.available || switches.mask?.on === false ? ["scale", "mask"] : ["scale"];
      const normWidth = widthOf(switches.norm.label, place.letter) + 8;
      const below = y + place.chip + GAP;
      let left = x + GAP;
      for (const name of part?.norm === "after" ? three : ["norm", ...three]) {
        const wide = widthOf(switches[name].label, place.letter) + 8;
        chip(name, left, below, wide, layer);
        left += wide + 3;
      }
      const box = { x: x + GAP, y, wide: attention, tall: place.chip };
      const on = Boolean(part?.present);
      const press = () => view.send("layer", layer);
      found.push({ kind: "chip", part: "attention", layer, ...box, text: "attention", on, press });
      for (let head = 0; head < heads; head++) {
        const [hx, hy] = [head % place.perRow, Math.floor(head / place.perRow)];
        const size = place.head;
        found.push({
          kind: "head",
          part: "head",
          layer,
          head,
          x: x + GAP + hx * (size + 3),
          y: y + 2 * (place.chip + GAP) + hy * (size + 3),
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
      if (part?.norm !== "after") chip("norm", mlp + (room - normWidth) / 2, below, normWidth, layer);
      const beside = (STRIP - PLUS) / 2 + GAP - 2;
      chip("mlp", mlp - beside, y, room + 2 * beside, layer);
      chip("residual", mlp + room + GAP + (STRIP - PLUS) / 2, y, PLUS, layer);
      if (part?.norm === "after") {
        chip("norm", after, below, normWidth, layer);
        chip("norm", mlp + room + GAP, below, normWidth, layer);
      }
    }
  }
  header.tokens.forEach((token, row) => {
    for (const band of place.bands) {
      const box = { x: 0, y: band.lanes + row * place.lane, wide: place.label - 4, tall: place.lane };
      const position = header.positions[row];
      found.push({ kind: "token", part: "token", layer: null, ...box, text: token, on: true, row, position });
    }
  });
  return found.filter(({ layer }) => layer === null || layer < layers);
}

/**
 * @param {View} view
 * @param {Target} target
 */
function button(view, target) {
  const node = element("button", `target ${target.kind}`);
  node.type = "button";
  node.style.cssText = `left:${target.x}px;top:${target.y}px;width:${target.wide}px;height:${target.tall}px`;
  const state = target.kind === "chip" || target.kind === "head";
  const layer = target.layer === null || target.kind === "head" ? "" : `, layer ${target.layer}`;
  node.setAttribute("aria-label", target.kind === "fold" ? `Open layer ${target.layer}` : target.text + layer);
  if (state) node.setAttribute("aria-pressed", String(target.on));
  node.disabled = state && !target.press;
  const enter = () => {
    if (target.row !== undefined) hover(target.position ?? null);
    if (state) {
      view.part = target;
      view.head = target.kind === "head" ? target : null;
      repaint(view);
    }
  };
  node.onpointerenter = node.onfocus = enter;
  node.onclick = (event) => {
    event.stopPropagation();
    if (target.row !== undefined) pin(view, target.row);
    else target.press?.();
  };
  return node;
}

// What the part is for, and what it did to the token in focus.
/**
 * @param {View} view
 * @param {number} row
 */
function explain(view, row) {
  const { header, panel, part: target } = view;
  const part = partOf(header, target) ?? header.parts.length - 1;
  const described = header.parts[part];
  const own = header.purposes[target?.part ?? ""];
  const where = described.layer === null ? "" : `, layer ${described.layer}`;
  const name = target ? (target.kind === "head" ? target.text : header.names[target.part]) : described.title;
  panel.title.textContent = target?.kind === "head" ? name : name + (target?.layer === null ? "" : where);
  panel.text.textContent = ` ${own ?? described.purpose} ${header.sentences[row][part]}`;
  const [kind, layer, head] = [target?.part ?? described.kind, target?.layer ?? -1, target?.head ?? -1];
  panel.door.textContent = header.doors[kind] ?? "";
  panel.door.hidden = !header.doors[kind];
  panel.door.onclick = () => view.send("open", [kind, layer, head]);
}

// The part of the model that a target belongs to.
/**
 * @param {Header} header
 * @param {Target | null} target
 */
function partOf(header, target) {
  if (!target) return null;
  const kind = target.part === "mlp" ? "mlp" : target.part === "position" ? "embedding" : "attention";
  const index = header.parts.findIndex((part) => part.kind === kind && part.layer === target.layer);
  return index < 0 ? null : index;
}

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {number} row
 */
function draw(view, pen, row) {
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
  pen.text(place.label + STRIP / 2, first.top + 9, "embedding", { anchor: "middle", size: 11, fill: theme.muted });
  foot(view, pen, first, place.label + STRIP / 2, "embedding", null, row);
  const predictions = place.predicts ? (place.output ? beside(view, last, row) : below(view)) : null;
  if (predictions) drawPredictions(view, pen, predictions, row);
  for (const target of view.targets_) drawTarget(view, pen, target, row);
}

/**
 * @param {any} place
 * @param {any} band
 * @param {number} row
 */
const middle = (place, band, row) => band.lanes + (row + 0.5) * place.lane;

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
      [x + 2, band.top + 18],
      [x + width - 4, band.top + 18],
    ],
    theme.rule,
  );
  pen.text(x + width / 2, band.top + 9, title, { anchor: "middle", size: 12, weight: 600, fill: theme.muted });
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
  if (!part) return;
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
                `to ${arrays.lengths.values[joint * count + row].toFixed(1)}`,
              ]
            : [`gives ${arrays.added.values[joint * count + row].toFixed(1)}`];
  lines.slice(0, 3).forEach((line, index) => {
    const y = band.foot + 12 + index * (legible(11) + 4);
    pen.text(x, y, line, { anchor: "middle", size: 11, fill: theme.muted });
  });
}

const predictionLine = () => Math.max(32, legible(12) + 20);

// Where the predictions stand: beside the lane of the token in focus, or below all bands on a narrow screen.
/**
 * @param {View} view
 * @param {any} band
 * @param {number} row
 */
function beside({ header, place }, band, row) {
  const room = header.tokens.length * place.lane;
  const top = band.lanes + Math.max(0, Math.min(row * place.lane, room - 5 * predictionLine()));
  return { x: band.right + 8, title: band.top + 9, top, wide: OUTPUT - 8 };
}

/** @param {View} view */
const below = ({ root, place }) => ({
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
  pen.text(x, title + 21, fitted(token, wide, 13, 650), { size: 13, weight: 650, fill: theme.accent });
  if (changed) {
    const beforeX = x + Math.min(wide, widthOf(token, 13, 650) + 8);
    const apart = wide > OUTPUT;
    pen.text(apart ? beforeX : x, title + (apart ? 21 : 39), "frame: full model", { size: 11, fill: theme.muted });
  }
  words.forEach(([word, share, before], index) => {
    const y = top + index * predictionLine();
    pen.text(x, y + 7, fitted(word, wide - 42, 12, index ? 400 : 650), { size: 12, weight: index ? 400 : 650 });
    pen.text(x + wide, y + 7, `${Math.round(100 * share)} %`, { size: 12, anchor: "end", fill: theme.muted });
    pen.rect(x, y + 15, wide, 7, theme.absent);
    pen.rect(x, y + 15, Math.max(1, wide * share), 7, theme.weights[4]);
    if (changed) pen.frame(x, y + 15, Math.max(1, wide * before), 7, theme.accent, 1.25);
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
  if (target.kind === "fold" && place) pen.text(x + wide / 2, y - 15, "layer", { anchor: "middle", size: 10, fill: theme.muted });
}
