// Every head of every layer as a small map: one canvas for the maps, one above it for the lit row.

/** @typedef {import("../types.js").HeadGridHeader} Header */
/** What this figure keeps.
 * @typedef {object} Own
 * @property {HTMLCanvasElement} maps
 * @property {HTMLCanvasElement} lit
 * @property {HTMLElement} buttons
 * @property {HTMLElement} tip
 * @property {import("../types.js").Cells} cells
 * @property {Uint8ClampedArray} colours
 * @property {Record<"wide" | "tall" | "across" | "down" | "width" | "height" | "ratio" | "top", number> &
 *   Record<"numbers" | "letters" | "line", number> & { named: boolean, stands: boolean, beside: boolean }} place
 * @property {(layer: number, head: number) => void} choose
 * @property {(row: number | null) => void} pin
 */
/** @typedef {import("../types.js").View<Header, Own>} View */
/** @typedef {import("../types.js").Root} Root */

import { ABSENT, colourTable, FULL, hatching, mapImage, NOT_A_NUMBER, svgCells, svgHatch } from "../lib/cells.js";
import { linesOf, widthOf } from "../lib/drawing.js";
import { placeHead, setHeads } from "../lib/head_buttons.js";
import {
  countDrawing,
  density,
  drawings,
  element,
  hover,
  hoveredRow,
  legible,
  listen,
  pointer,
  projected,
  rootOf,
  svgPage,
  svgText,
  unpack,
} from "../lib/page_state.js";
import { showTooltip, tooltip } from "../lib/tooltip.js";

const GUTTER = 30; // left of the maps: the number of the layer
const HEIGHT = 540; // what the grid may take of a screen of 900 before the maps get smaller
const MOST_LINES = 6; // of a name under a map
const LEAST = 26; // a map is never smaller than this
const LEAST_NAMED = 44; // smaller ones bear no names
const BESIDE = 0.5; // of the room of a head, for a name beside its map
const LEAST_BESIDE = 6; // letters that such a name has room for
const NUMBER = 11; // pixels of the number of a head
const NARROW = 8; // nor narrower, however much shorter one of its two sentences is

/** @param {Header} header */
const columnTokens = (header) => header.key_tokens ?? header.tokens; // the words of the columns

/** @param {import("../types.d.ts").Mount<Header, import("../types.d.ts").HeadGridArrays>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  Object.assign(view, { header, cells: arrays.cells, colours: colourTable(header.theme, "weights") });
  view.choose = (layer, head) => setTriggerValue("head", [layer, head]);
  view.pin = (row) => setTriggerValue("pin", { row });

  const [layers, heads] = arrays.cells.shape;
  setHeads(view.buttons, layers, heads, (layer, head) => view.choose(layer, head));
  const stop = listen(key, () => light(view));
  drawings.set(header.key, () => toSvg(view));
  arrange(view);
  return stop;
}

/** @param {Root} root */
function build(root) {
  const maps = element("canvas", "maps");
  const lit = element("canvas", "lit");
  const buttons = element("div", "heads");
  const tip = tooltip();
  root.append(maps, lit, buttons, tip);
  const view = /** @type {View} */ (/** @type {unknown} */ ({ root, maps, lit, buttons, tip }));

  buttons.onpointermove = (event) => point(view, event);
  buttons.onpointerleave = () => {
    tip.hidden = true;
    hover(null);
  };
  root.onkeydown = (event) => {
    // A handler that gives back false would stop Enter.
    if (event.key === "Escape" && view.header.pinned) view.pin(null);
  };
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}

/**
 * @param {View} view
 * @param {HTMLElement} button
 */
const headAt = (view, button) => {
  const headIndex = [...view.buttons.children].indexOf(button);
  const heads = view.cells.shape[1];
  return [Math.floor(headIndex / heads), headIndex % heads];
};

// Pixels of the letters of the names: six heads on a phone leave little room, and no word is cut as long as it can be
// read.
/**
 * @param {string[]} names
 * @param {number} room
 */
export function letterSize(names, room) {
  const words = names.flatMap((name) => name.split(" "));
  const fits = (/** @type {number} */ size) => words.every((word) => widthOf(word, size, 650) <= room);
  return [11.5, 10, 9.5, 9].find(fits) ?? 9;
}

// The room of a name below a map: two names beside each other are apart, and on a phone by less.
/** @param {number} room of the map */
const roomOfName = (room) => room - (room > 100 ? 16 : 6);

// Sizes, labels, and both canvases. Called when the data or the width changes.
/** @param {View} view */
function arrange(view) {
  const { header, cells, root, buttons } = view;
  if (!header || !root.clientWidth) return;
  const [layers, heads, rows, columns] = cells.shape;
  const room = (root.clientWidth - GUTTER) / heads;
  const names = header.head_roles.flat().map(([name = "head 10"]) => name);
  // On a projector letters are large and height is what lacks: there a name stands beside its map.
  const beside = projected() > 0 && room * BESIDE > widthOf("m".repeat(LEAST_BESIDE), projected(), 650);
  const nameRoom = nameRoomOf(room, beside);
  const letters = legible(letterSize(names, nameRoom));
  const line = Math.max(16, Math.ceil(letters * 1.3));
  const lines = names.map((name) => linesOf(name, nameRoom, letters, 650).length);
  const label = beside ? 0 : 4 + line * Math.min(MOST_LINES, Math.max(...lines)); // as many as the longest name needs
  const gap = room > 70 ? 18 : 4;
  const [T, S] = [header.tokens.length, columnTokens(header).length];
  /** @param {number} below */
  const size = (below) =>
    Math.min((room - gap - (beside ? nameRoom : 0)) / S, Math.max(LEAST, HEIGHT / layers - below) / T); // of one token
  const named = room >= LEAST_NAMED + gap && size(label + 8) * Math.max(T, S) >= LEAST_NAMED;
  const token = size(named ? label + 8 : gap);
  // Whole device pixels a cell, so that no row of a map looks thicker than another.
  const ratio = density(root);
  /**
   * @param {number} size
   * @param {number} cells
   */
  const sized = (size, cells) => {
    const pixels = (size * ratio) / cells;
    return pixels >= 4 ? (Math.floor(pixels) * cells) / ratio : Math.max(Math.floor(size), NARROW);
  };
  const [wide, tall] = [sized(token * S, columns), sized(token * T, rows)];
  const stands = named && tall >= LEAST_NAMED; // room for "layer 0" beside a row of maps
  const down = tall + (named ? label + 8 : gap);
  const across = named ? room : wide + gap;
  const width = GUTTER + across * heads;
  const numbers = legible(Math.min(NUMBER, across * 0.7)); // the heads of a grid without names are numbered above it
  const top = named ? 0 : numbers + 8;
  const height = top + down * layers;
  view.place = { wide, tall, across, down, width, height, named, stands, ratio, top, numbers, letters, line, beside };

  for (const canvas of [view.maps, view.lit]) {
    canvas.width = Math.round(root.clientWidth * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${root.clientWidth}px`;
    canvas.style.height = `${height}px`;
  }
  root.style.height = `${height}px`;
  const crowded = beside ? line * Math.max(...lines) > tall : label > 2.5 * line;
  root.toggleAttribute("data-beside", beside && named);
  root.style.setProperty("--map", `${wide}px`);
  root.toggleAttribute("data-crowded", crowded); // names of three lines: the stage looks for a wider place
  root.style.setProperty("--letters", `${letters}px`);
  root.style.setProperty("--line", `${line}px`);
  root.style.setProperty("--name", `${nameRoomOf(across, beside)}px`);
  root.style.setProperty("--label", named ? `${label}px` : "0");
  const chosen = header.selected[0] * heads + header.selected[1];
  [...buttons.children].forEach((button, headIndex) => {
    const [layer, head] = [Math.floor(headIndex / heads), headIndex % heads];
    const role = header.head_roles[layer][head][0] ?? "";
    const box = { left: GUTTER + head * across, top: top + layer * down, width: across - 4, height: down - 4 };
    placeHead(
      /** @type {HTMLButtonElement} */ (button),
      box,
      `Layer ${layer}, head ${head}${role ? `: ${role}` : ""}`,
      headIndex === chosen,
    );
    button.replaceChildren(element("span", "name", named ? role || `head ${head}` : ""));
    button.classList.toggle("has-role", Boolean(role));
  });
  drawMaps(view);
  light(view);
}

// How far down the maps of a layer begin.
/**
 * @param {View} view
 * @param {number} layer
 */
const topOf = ({ place }, layer) => place.top + layer * place.down;

// [head, the middle of its column] where the grid has no room for names.
/** @param {View} view */
const numbersAbove = ({ place, cells }) =>
  place.named
    ? []
    : Array.from({ length: cells.shape[1] }, (_, head) => [head, GUTTER + head * place.across + place.wide / 2]);

// The room of a name: half of its head's where it stands beside the map.
/**
 * @param {number} room
 * @param {boolean} beside
 */
const nameRoomOf = (room, beside) => (beside ? room * BESIDE - 8 : roomOfName(room));

// The lines of a name under or beside a map, as the page breaks them.
/**
 * @param {View} view
 * @param {string} name
 */
const namesBelow = ({ place }, name) =>
  place.named ? linesOf(name, nameRoomOf(place.across, place.beside), place.letters, 650).slice(0, MOST_LINES) : [];

/** @param {View} view */
function drawMaps(view) {
  const { header, cells, maps, place } = view;
  const { theme } = header;
  const [layers, heads, rows, columns] = cells.shape;
  const pen = /** @type {CanvasRenderingContext2D} */ (maps.getContext("2d"));
  pen.scale(place.ratio, place.ratio);
  const small = new OffscreenCanvas(columns, rows);
  const smallPen = /** @type {OffscreenCanvasRenderingContext2D} */ (small.getContext("2d"));
  const hatch = hatching(pen, theme);
  pen.fillStyle = theme.muted;
  pen.font = `${place.numbers}px ${getComputedStyle(view.root).fontFamily}`;
  pen.textAlign = "center";
  for (const [head, x] of numbersAbove(view)) pen.fillText(String(head), x, place.numbers);
  pen.imageSmoothingEnabled = place.tall * place.ratio < 2 * rows || place.wide * place.ratio < 2 * columns;
  for (let layer = 0; layer < layers; layer++) {
    pen.fillStyle = theme.muted;
    pen.font = `${legible(12)}px ${getComputedStyle(view.root).fontFamily}`;
    pen.save();
    pen.translate(place.beside ? GUTTER - 6 : 14, topOf(view, layer) + place.tall / 2);
    if (place.stands) pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText(place.stands ? `layer ${layer}` : String(layer), 0, 0);
    pen.restore();
    for (let head = 0; head < heads; head++) {
      const [x, y] = [GUTTER + head * place.across, topOf(view, layer)];
      pen.fillStyle = theme.absent;
      pen.fillRect(x, y, place.wide, place.tall);
      pen.fillStyle = hatch;
      pen.fillRect(x, y, place.wide, place.tall);
      smallPen.clearRect(0, 0, columns, rows);
      smallPen.putImageData(mapImage(view.cells, view.colours, layer, head), 0, 0);
      pen.drawImage(small, x, y, place.wide, place.tall);
    }
  }
  countDrawing(view.root);
}

/** @param {View} view */
const litRow = ({ header }) => Math.min(hoveredRow() ?? header.row, header.tokens.length - 1);

// The frame of a row of a map: its height, and how far down it stands.
/** @param {View} view */
const lineHeight = ({ header, place }) => Math.max(place.tall / header.tokens.length, 3);

/**
 * @param {View} view
 * @param {number} row
 */
const lineOf = (view, row) =>
  Math.min((row / view.header.tokens.length) * view.place.tall, view.place.tall - lineHeight(view));

/** @param {View} view */
function light(view) {
  const { header, cells, lit, place } = view;
  if (!place) return;
  const [layers, heads] = cells.shape;
  const row = litRow(view);
  const pen = /** @type {CanvasRenderingContext2D} */ (lit.getContext("2d"));
  pen.setTransform(place.ratio, 0, 0, place.ratio, 0, 0);
  pen.clearRect(0, 0, lit.width, lit.height);
  pen.strokeStyle = header.theme.accent;
  pen.lineWidth = 1.25;
  const tall = lineHeight(view);
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < heads; head++) {
      const y = topOf(view, layer) + lineOf(view, row);
      pen.strokeRect(GUTTER + head * place.across - 0.5, y, place.wide + 1, tall);
    }
  }
  const [layer, head] = header.selected;
  pen.lineWidth = 2;
  pen.strokeRect(GUTTER + head * place.across - 3, topOf(view, layer) + 0.5, place.wide + 6, place.tall + 2);
}

// The pointer over a map lights its row everywhere and names the cell.
/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function point(view, event) {
  const { header, cells, place, tip, root } = view;
  const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest?.(".head"));
  if (!button) return;
  const [layer, head] = headAt(view, button);
  const [px, py] = pointer(root, event);
  const [x, y] = [px - (GUTTER + head * place.across), py - topOf(view, layer)];
  if (x < 0 || y < 0 || x >= place.wide || y >= place.tall) {
    tip.hidden = true;
    hover(null);
    return;
  }
  const [T, S] = [header.tokens.length, columnTokens(header).length];
  const [row, column] = [Math.floor((y / place.tall) * T), Math.floor((x / place.wide) * S)];
  hover(row);
  const [, heads, rows, columns] = cells.shape;
  const cell = [blockOf(row, T, rows), blockOf(column, S, columns)];
  const code = cells.values[((layer * heads + head) * rows + cell[0]) * columns + cell[1]];
  const value =
    code === ABSENT
      ? "masked"
      : code === NOT_A_NUMBER
        ? "not a number"
        : `${(code / FULL).toFixed(2)}${header.pooled ? " at most" : ""}`;
  showTooltip(
    tip,
    [
      ["where", `Layer ${layer}, head ${head}  ${header.head_roles[layer][head].join(" · ")}`],
      ["what", `${header.tokens[row]} → ${columnTokens(header)[column]}  ${value}`],
    ],
    px,
    py,
    root.clientWidth,
  );
}

// The block that holds this position when `tokens` positions are pooled to `blocks`; as _block_max in pack.py.
/**
 * @param {number} position
 * @param {number} tokens
 * @param {number} blocks
 */
const blockOf = (position, tokens, blocks) => Math.floor(((position + 1) * blocks - 1) / tokens);

/** @param {View} view */
function toSvg(view) {
  const { header, cells, place } = view;
  const { theme } = header;
  const [layers, heads] = cells.shape;
  const parts = [svgHatch(theme)];
  const row = litRow(view);
  const tall = lineHeight(view);
  /**
   * @param {number} x
   * @param {number} y
   * @param {number} wide
   * @param {number} high
   * @param {number} thick
   */
  const svgFrame = (x, y, wide, high, thick) =>
    `<rect x="${x}" y="${y}" width="${wide}" height="${high}" fill="none" ` +
    `stroke="${theme.accent}" stroke-width="${thick}"/>`;
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < heads; head++) {
      const [x, y] = [GUTTER + head * place.across, 22 + topOf(view, layer)];
      const box = `x="${x}" y="${y}" width="${place.wide}" height="${place.tall}"`;
      const role = header.head_roles[layer][head][0] ?? "";
      parts.push(
        `<rect ${box} fill="${theme.absent}"/><rect ${box} fill="url(#hatch)"/>`,
        svgCells(mapImage(cells, view.colours, layer, head), x, y, place.wide, place.tall, cells.values.length),
        svgFrame(x - 0.5, y + lineOf(view, row), place.wide + 1, tall, 1.25),
        ...namesBelow(view, role || `head ${head}`).map((line, lineIndex) =>
          svgText(
            x + (place.beside ? place.wide + 8 : 0),
            y + (place.beside ? 0 : place.tall) + place.line * (lineIndex + 0.9),
            line,
            {
              fill: role ? theme.ink : theme.muted,
              weight: role ? 650 : 400,
              size: place.letters,
            },
          ),
        ),
      );
    }
    const name = svgText(0, 0, place.stands ? `layer ${layer}` : layer, { fill: theme.muted, anchor: "middle" });
    parts.push(
      `<g transform="translate(14 ${22 + topOf(view, layer) + place.tall / 2})` +
        `${place.stands ? " rotate(-90)" : ""}">${name}</g>`,
    );
  }
  for (const [head, x] of numbersAbove(view)) {
    parts.push(svgText(x, 22 + place.numbers, head, { fill: theme.muted, anchor: "middle", size: place.numbers }));
  }
  const [layer, head] = header.selected;
  parts.push(svgFrame(GUTTER + head * place.across - 3, 22.5 + topOf(view, layer), place.wide + 6, place.tall + 2, 2));
  const legend = "Rows are queries, columns are keys. Weight 0 … 1, light to dark; hatched: masked.";
  parts.unshift(
    svgText(0, 12, theme.name === "dark" ? legend.replace("light to dark", "dark to light") : legend, {
      fill: theme.muted,
      size: 11,
    }),
  );
  return svgPage(Math.ceil(place.width), Math.ceil(place.height + 26), theme, parts.join(""));
}
