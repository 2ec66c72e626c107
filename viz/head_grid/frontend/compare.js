// A, B and A − B: one head large, every head small, and how far the prediction after each word has moved.

import { ABSENT, FULL, NOT_A_NUMBER, colourTable, hatching, mapImage, svgHatch } from "./maps.js";
import { FONT, drawings, element, hover, hoveredRow, listen, rootOf, svgPage, svgText, unpack } from "./store.js";

const WORDS = 74; // room for the words left of the first map
const ABOVE = 84; // room for the title and the words above a map
const MOVED = 92; // room for the bars at the right
const MOST_WORDS = 40; // more would overlap

export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  const view = (root.view ??= build(root));
  const weights = colourTable(header.theme.weights);
  Object.assign(view, {
    header,
    large: arrays.large, // (3, T, T) exact: A, B, A − B; NaN where not allowed
    moved: arrays.moved.values, // (T,) KL of the next word
    sides: ["a", "b", "difference"].map((name, side) => ({
      cells: arrays[name],
      colours: side < 2 ? weights : colourTable(header.theme.signed),
      title: header.titles[side],
    })),
    choose: (layer, head) => setTriggerValue("head", [layer, head]),
    pin: (row) => setTriggerValue("pin", { row }),
  });
  const stop = listen(key, () => light(view));
  drawings.set(header.key, () => toSvg(view));
  arrange(view);
  return stop;
}

function build(root) {
  const maps = element("canvas", "maps");
  const lit = element("canvas", "lit");
  const heads = element("div", "heads");
  const tip = element("div", "tip");
  tip.hidden = true;
  heads.setAttribute("role", "group");
  root.append(maps, lit, heads, tip);
  const view = { root, maps, lit, heads, tip };
  root.onpointermove = (event) => point(view, event);
  root.onpointerleave = () => {
    tip.hidden = true;
    hover(null);
  };
  root.onclick = (event) => {
    const found = find(view, event);
    if (found?.small) view.choose(found.layer, found.head);
    else if (found) view.pin(view.header.pinned && view.header.row === found.row ? null : found.row);
  };
  heads.onkeydown = (event) => moveFocus(view, event);
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}

// Where everything stands, from the width alone; on a narrow screen the three sides stand below each other.
function arrange(view) {
  const { root, header, sides, heads } = view;
  if (!header || !root.clientWidth) return;
  const [layers, count] = sides[0].cells.shape;
  const tokens = header.tokens.length;
  const narrow = root.clientWidth < 700;
  const columns = narrow ? 1 : 3;
  const across = (root.clientWidth - WORDS - (narrow ? 0 : MOVED)) / columns;
  const room = Math.min(across - 16, narrow ? 300 : 330);
  const size = tokens <= room / 4 ? Math.floor(room / tokens) * tokens : Math.floor(room);
  const small = Math.min(Math.floor((size + 8) / count) - 6, 64);
  const block = ABOVE + size + 22 + layers * (small + 6) + 10;
  const height = narrow ? block * 3 : block;
  const ratio = window.devicePixelRatio || 1;
  view.place = { size, small, across, block, height, narrow, ratio, layers, count };
  for (const canvas of [view.maps, view.lit]) {
    canvas.width = Math.round(root.clientWidth * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${root.clientWidth}px`;
    canvas.style.height = `${height}px`;
  }
  root.style.height = `${height}px`;
  if (heads.children.length !== layers * count) {
    heads.replaceChildren(
      ...Array.from({ length: layers * count }, (_, at) => {
        const button = element("button", "head");
        button.type = "button";
        button.onclick = (event) => {
          event.stopPropagation();
          view.choose(Math.floor(at / count), at % count);
        };
        return button;
      }),
    );
    heads.setAttribute("aria-label", `${layers} layers of ${count} heads. Arrow keys move, Enter enlarges.`);
  }
  const chosen = header.selected[0] * count + header.selected[1];
  [...heads.children].forEach((button, at) => {
    const [x, y] = corner(view, 0, Math.floor(at / count), at % count);
    Object.assign(button.style, { left: `${x}px`, top: `${y}px`, width: `${small}px`, height: `${small}px` });
    button.setAttribute("aria-label", `Layer ${Math.floor(at / count)}, head ${at % count}`);
    button.setAttribute("aria-pressed", String(at === chosen));
    button.tabIndex = at === chosen ? 0 : -1;
  });
  drawMaps(view);
  light(view);
}

function moveFocus(view, event) {
  const { count, layers } = view.place;
  const at = [...view.heads.children].indexOf(event.target);
  const to = at + ({ ArrowLeft: -1, ArrowRight: 1, ArrowUp: -count, ArrowDown: count }[event.key] ?? 0);
  if (at < 0 || to === at || to < 0 || to >= layers * count) return;
  event.preventDefault();
  view.heads.children[at].tabIndex = -1;
  view.heads.children[to].tabIndex = 0;
  view.heads.children[to].focus();
}

// The corner of a side's large map, and of one of its small maps.
function origin({ place }, side) {
  return place.narrow ? [WORDS, side * place.block + ABOVE] : [WORDS + side * place.across, ABOVE];
}

function corner(view, side, layer, head) {
  const [x, y] = origin(view, side);
  const { size, small } = view.place;
  return [x + head * (small + 6), y + size + 22 + layer * (small + 6)];
}

function drawMaps(view) {
  const { header, place, sides, maps, large, moved } = view;
  const { theme, tokens } = header;
  const pen = maps.getContext("2d");
  pen.setTransform(place.ratio, 0, 0, place.ratio, 0, 0);
  pen.clearRect(0, 0, maps.width, maps.height);
  pen.textBaseline = "middle";
  const family = getComputedStyle(view.root).fontFamily;
  const hatch = hatching(pen, theme);
  const paint = (image, x, y, size) => {
    const sheet = new OffscreenCanvas(image.width, image.height);
    sheet.getContext("2d").putImageData(image, 0, 0);
    pen.fillStyle = theme.absent;
    pen.fillRect(x, y, size, size);
    pen.fillStyle = hatch;
    pen.fillRect(x, y, size, size);
    pen.imageSmoothingEnabled = size * place.ratio < 2 * image.width;
    pen.drawImage(sheet, x, y, size, size);
  };
  const every = Math.ceil(tokens.length / MOST_WORDS);
  const type = Math.max(8, Math.min(13, place.size / tokens.length));
  sides.forEach(({ cells, colours, title }, side) => {
    const [x, y] = origin(view, side);
    pen.fillStyle = theme.ink;
    pen.font = `600 15px ${family}`;
    pen.fillText(fitted(pen, title, place.across - 12), x, y - ABOVE + 10);
    if (side === 2) drawSigns(view, pen, family, x + pen.measureText(title).width + 14, y - ABOVE + 10);
    paint(largeImage(large, side, colours), x, y, place.size);
    pen.font = `${type}px ${family}`;
    tokens.forEach((token, at) => {
      if (at % every) return;
      const middle = ((at + 0.5) / tokens.length) * place.size;
      if (side === 0 || place.narrow) {
        pen.textAlign = "right";
        pen.fillStyle = theme.ink;
        pen.fillText(token, x - 6, y + middle, WORDS - 8);
      }
      pen.save();
      pen.translate(x + middle, y - 5);
      pen.rotate(-Math.PI / 3.2);
      pen.textAlign = "left";
      pen.fillStyle = theme.muted;
      pen.fillText(token, 0, 0, ABOVE - 26);
      pen.restore();
    });
    pen.textAlign = "left";
    for (let layer = 0; layer < place.layers; layer++) {
      for (let head = 0; head < place.count; head++) {
        paint(mapImage(cells, colours, layer, head), ...corner(view, side, layer, head), place.small);
      }
      if (side === 0 || place.narrow) {
        const [left, top] = corner(view, side, layer, 0);
        pen.fillStyle = theme.muted;
        pen.font = `12px ${family}`;
        pen.textAlign = "right";
        pen.fillText(`layer ${layer}`, left - 8, top + place.small / 2);
        pen.textAlign = "left";
        pen.font = `${type}px ${family}`;
      }
    }
  });
  if (!place.narrow) drawMoved(view, pen, family, moved);
  view.root.dataset.drawn = Number(view.root.dataset.drawn ?? 0) + 1; // tests and benches wait for it
}

// As much of a text as fits; squeezed letters cannot be read.
function fitted(pen, text, room) {
  if (pen.measureText(text).width <= room) return text;
  let kept = text;
  while (kept && pen.measureText(`${kept}…`).width > room) kept = kept.slice(0, -1);
  return `${kept}…`;
}

// Which colour of the difference belongs to which side.
const SIGNS = ["A looks more", "B looks more"];
const signColours = ({ signed }) => [signed.at(-2), signed[1]];

function drawSigns(view, pen, family, left, middle) {
  pen.font = `12px ${family}`;
  SIGNS.forEach((told, at) => {
    pen.fillStyle = signColours(view.header.theme)[at];
    pen.fillText(told, left, middle);
    left += pen.measureText(told).width + 12;
  });
}

// Right of the difference: how far the model's next word has moved, word by word.
function barsOf(view) {
  const { place, moved } = view;
  const [x, top] = origin(view, 2);
  const most = Math.max(...moved.filter(Number.isFinite), 1e-9);
  return { left: x + place.size + 14, top, room: MOVED - 58, tall: place.size / moved.length, most };
}

const MOVED_TITLE = ["next word moved,", "KL in nats"];
const spellMoved = (kl) => (Number.isFinite(kl) ? (kl < 100 ? kl.toFixed(2) : kl.toFixed(0)) : "no number");

function drawMoved(view, pen, family, moved) {
  const { left, top, room, tall, most } = barsOf(view);
  pen.fillStyle = view.header.theme.muted;
  pen.font = `11px ${family}`;
  MOVED_TITLE.forEach((line, at) => pen.fillText(line, left, top - 26 + 14 * at, MOVED - 12));
  moved.forEach((kl, at) => {
    const long = Number.isFinite(kl) ? (kl / most) * room : room;
    pen.fillStyle = view.header.theme.accent;
    pen.fillRect(left, top + (at + 0.25) * tall, long, Math.max(tall / 2, 1));
    pen.fillStyle = view.header.theme.muted;
    if (tall >= 10) pen.fillText(spellMoved(kl), left + long + 4, top + (at + 0.5) * tall, MOVED - room - 18);
  });
}

function largeImage({ values, shape }, side, colours) {
  const [, rows, columns] = shape;
  const image = new ImageData(columns, rows);
  for (let at = 0; at < rows * columns; at++) {
    const value = values[side * rows * columns + at];
    // NaN: not allowed. Infinity: allowed, and not a number.
    const finite = Math.round(side < 2 ? value * FULL : ((value + 1) / 2) * FULL);
    const code = Number.isNaN(value) ? ABSENT : value === Infinity ? NOT_A_NUMBER : finite;
    image.data.set(colours.subarray(code * 4, code * 4 + 4), at * 4);
  }
  return image;
}

function light(view) {
  const { header, place, lit } = view;
  if (!place) return;
  const tokens = header.tokens.length;
  const row = Math.min(hoveredRow() ?? header.row, tokens - 1);
  const pen = lit.getContext("2d");
  pen.setTransform(place.ratio, 0, 0, place.ratio, 0, 0);
  pen.clearRect(0, 0, lit.width, lit.height);
  pen.strokeStyle = header.theme.accent;
  for (let side = 0; side < 3; side++) {
    const [x, y] = origin(view, side);
    pen.lineWidth = 1.5;
    pen.strokeRect(x - 0.5, y + (row / tokens) * place.size, place.size + 1, Math.max(place.size / tokens, 3));
    const [left, top] = corner(view, side, ...header.selected);
    pen.lineWidth = 2;
    pen.strokeRect(left - 2, top - 2, place.small + 4, place.small + 4);
  }
}

// What is under the pointer: a cell of a large map, or a small map.
function find(view, event) {
  const { root, place, header } = view;
  const box = root.getBoundingClientRect();
  const [px, py] = [event.clientX - box.left, event.clientY - box.top];
  for (let side = 0; side < 3; side++) {
    const [x, y] = origin(view, side);
    const tokens = header.tokens.length;
    const [column, row] = [px - x, py - y].map((offset) => Math.floor((offset / place.size) * tokens));
    if (column >= 0 && row >= 0 && column < tokens && row < tokens) return { row, column, px, py };
    const [left, top] = corner(view, side, 0, 0);
    const [head, layer] = [px - left, py - top].map((offset) => Math.floor(offset / (place.small + 6)));
    if (layer >= 0 && head >= 0 && layer < place.layers && head < place.count) {
      return { small: true, layer, head, px, py };
    }
  }
  return null;
}

function point(view, event) {
  const { tip, header, large, root } = view;
  const found = find(view, event);
  tip.hidden = !found;
  hover(found && !found.small ? found.row : null);
  if (!found) return;
  if (found.small) {
    tip.replaceChildren(element("div", "what", `Layer ${found.layer}, head ${found.head}`));
  } else {
    const tokens = header.tokens.length;
    const value = (side) => large.values[(side * tokens + found.row) * tokens + found.column];
    const spelt = (number) => (Number.isNaN(number) ? "–" : number === Infinity ? "not a number" : number.toFixed(3));
    tip.replaceChildren(
      element("div", "where", `${header.tokens[found.row]} → ${header.tokens[found.column]}`),
      element("div", "what", `A ${spelt(value(0))}   B ${spelt(value(1))}   A − B ${spelt(value(2))}`),
    );
  }
  tip.style.left = `${Math.max(0, Math.min(found.px + 14, root.clientWidth - tip.offsetWidth - 4))}px`;
  tip.style.top = `${found.py + 16}px`;
}

function toSvg(view) {
  const { place, header, root, sides, large, moved } = view;
  const { theme, tokens } = header;
  const every = Math.ceil(tokens.length / MOST_WORDS);
  const type = Math.max(8, Math.min(13, place.size / tokens.length));
  const picture = (image, x, y, size) => {
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [image.width, image.height];
    sheet.getContext("2d").putImageData(image, 0, 0);
    const box = `x="${x}" y="${y}" width="${size}" height="${size}"`;
    return (
      `<rect ${box} fill="${theme.absent}"/><rect ${box} fill="url(#hatch)"/>` +
      `<image ${box} preserveAspectRatio="none" style="image-rendering:pixelated" href="${sheet.toDataURL()}"/>`
    );
  };
  const pen = document.createElement("canvas").getContext("2d");
  const parts = [svgHatch(theme)];
  sides.forEach(({ cells, colours, title }, side) => {
    const [x, y] = origin(view, side);
    pen.font = `600 15px ${FONT}`;
    parts.push(svgText(x, y - ABOVE + 14, fitted(pen, title, place.across - 12), { size: 15, weight: 600, fill: theme.ink }));
    if (side === 2) {
      SIGNS.forEach((told, at) => {
        const fill = signColours(theme)[at];
        parts.push(svgText(x + pen.measureText(title).width + 14 + 86 * at, y - ABOVE + 14, told, { fill }));
      });
    }
    parts.push(picture(largeImage(large, side, colours), x, y, place.size));
    tokens.forEach((token, at) => {
      if (at % every) return;
      const middle = ((at + 0.5) / tokens.length) * place.size;
      const above = svgText(0, type / 3, token, { size: type, fill: theme.muted });
      parts.push(`<g transform="translate(${x + middle} ${y - 5}) rotate(-56)">${above}</g>`);
      if (side === 0 || place.narrow) {
        parts.push(svgText(x - 6, y + middle + type / 3, token, { size: type, fill: theme.ink, anchor: "end" }));
      }
    });
    for (let layer = 0; layer < place.layers; layer++) {
      for (let head = 0; head < place.count; head++) {
        parts.push(picture(mapImage(cells, colours, layer, head), ...corner(view, side, layer, head), place.small));
      }
      const [left, top] = corner(view, side, layer, 0);
      if (side === 0 || place.narrow) {
        parts.push(svgText(left - 8, top + place.small / 2 + 4, `layer ${layer}`, { fill: theme.muted, anchor: "end" }));
      }
    }
    const [left, top] = corner(view, side, ...header.selected);
    const row = `x="${x}" y="${y + (header.row / tokens.length) * place.size}" width="${place.size}" height="${place.size / tokens.length}"`;
    const head = `x="${left - 2}" y="${top - 2}" width="${place.small + 4}" height="${place.small + 4}"`;
    parts.push(`<g fill="none" stroke="${theme.accent}" stroke-width="1.5"><rect ${row}/><rect ${head}/></g>`);
  });
  if (!place.narrow) {
    const { left, top, room, tall, most } = barsOf(view);
    MOVED_TITLE.forEach((line, at) => {
      parts.push(svgText(left, top - 26 + 14 * at, line, { size: 10, fill: theme.muted }));
    });
    moved.forEach((kl, at) => {
      const long = Number.isFinite(kl) ? (kl / most) * room : room;
      parts.push(`<rect x="${left}" y="${top + (at + 0.25) * tall}" width="${long}" height="${tall / 2}" fill="${theme.accent}"/>`);
      if (tall < 10) return;
      parts.push(svgText(left + long + 4, top + (at + 0.5) * tall + 4, spellMoved(kl), { size: 10, fill: theme.muted }));
    });
  }
  return svgPage(root.clientWidth, place.height, theme, parts.join(""));
}
