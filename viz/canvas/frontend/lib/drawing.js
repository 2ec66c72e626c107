// One drawing, two papers: the same calls draw on a canvas and write SVG, so that the screen and the saved file agree.

import { hatching, svgCells, svgHatch } from "./cells.js";
import {
  countDrawing,
  density,
  drawings,
  element,
  FONT,
  legible,
  rootOf,
  svgPage,
  svgText,
  unpack,
} from "./page_state.js";

const ruler = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
/**
 * @param {number} size
 * @param {number} weight
 */
const font = (size, weight) => `${weight} ${legible(size)}px ${FONT}`;

/**
 * @param {string} text
 * @param {number} [size]
 * @param {number} [weight]
 */
export function widthOf(text, size = 12, weight = 400) {
  ruler.font = font(size, weight);
  return ruler.measureText(text).width;
}

// As much of a text as fits; squeezed letters cannot be read.
/**
 * @param {string} text
 * @param {number} room
 * @param {number} [size]
 * @param {number} [weight]
 */
export function fitted(text, room, size = 12, weight = 400) {
  if (widthOf(text, size, weight) <= room) return text;
  let kept = text;
  while (kept && widthOf(`${kept}…`, size, weight) > room) kept = kept.slice(0, -1);
  return `${kept}…`;
}

// Words in lines no wider than their room; what has no space in it, a link, is cut where it must be.
/**
 * @param {string} text
 * @param {number} room
 * @param {number} [size]
 * @param {number} [weight]
 */
export function linesOf(text, room, size = 12, weight = 400) {
  const lines = [];
  for (let word of text.split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (widthOf(longer, size, weight) <= room) {
      lines.splice(-1, lines.length ? 1 : 0, longer);
      continue;
    }
    for (let piece = word; piece; piece = word) {
      while (piece.length > 1 && widthOf(piece, size, weight) > room) piece = piece.slice(0, -1);
      lines.push(piece);
      word = word.slice(piece.length);
    }
  }
  return lines;
}

// The same of a text in runs, [text, emphasised]: each line as the runs that stand on it.
/**
 * @param {[string, boolean][]} runs
 * @param {number} room
 * @param {number} [size]
 * @returns {[string, boolean][][]}
 */
export function linesOfRuns(runs, room, size = 12) {
  const text = runs.map(([part]) => part).join("");
  const emphasised = runs.flatMap(([part, strong]) => Array(part.length).fill(strong));
  let start = 0;
  return (text ? linesOf(text, room, size) : []).map((line) => {
    start = text.indexOf(line, start);
    /** @type {[string, boolean][]} */
    const lineRuns = [];
    for (let end = start + line.length; start < end; start++) {
      const last = lineRuns.at(-1);
      if (last && last[1] === emphasised[start]) last[0] += text[start];
      else lineRuns.push([text[start], emphasised[start]]);
    }
    return lineRuns;
  });
}

/** @type {{ start: CanvasTextAlign, middle: CanvasTextAlign, end: CanvasTextAlign }} */
const ALIGN = { start: "left", middle: "center", end: "right" };

// A canvas made ready for `draw(pen)`, sharp on screens of any density.
/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @param {import("../types.d.ts").Theme} theme
 * @param {(pen: import("../types.d.ts").Pen) => void} draw
 */
export function onCanvas(canvas, width, height, theme, draw) {
  const ratio = density(canvas);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const to = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  to.scale(ratio, ratio);
  const hatch = hatching(to, theme);
  draw({
    rect(x, y, wide, tall, fill) {
      to.fillStyle = fill;
      to.fillRect(x, y, wide, tall);
    },
    frame(x, y, wide, tall, stroke, thick = 1) {
      to.strokeStyle = stroke;
      to.lineWidth = thick;
      to.strokeRect(x, y, wide, tall);
    },
    line(points, stroke, thick = 1) {
      to.strokeStyle = stroke;
      to.lineWidth = thick;
      to.beginPath();
      for (const [x, y] of points) to.lineTo(Number(x), Number(y));
      to.stroke();
    },
    dot(x, y, radius, fill) {
      to.fillStyle = fill;
      to.beginPath();
      to.arc(x, y, radius, 0, 2 * Math.PI);
      to.fill();
    },
    // y is the middle of the line; turn in degrees, about the beginning of the text
    text(x, y, text, { size = 12, weight = 400, fill = theme.ink, anchor = "start", turn = 0 } = {}) {
      to.save();
      to.font = font(size, weight);
      to.fillStyle = fill;
      to.textAlign = ALIGN[anchor];
      to.translate(x, y);
      to.rotate((turn * Math.PI) / 180);
      to.fillText(text, 0, legible(size) * 0.36);
      to.restore();
    },
    absent(x, y, wide, tall) {
      to.fillStyle = theme.absent;
      to.fillRect(x, y, wide, tall);
      to.fillStyle = hatch;
      to.fillRect(x, y, wide, tall);
    },
    image(image, x, y, wide, tall) {
      to.imageSmoothingEnabled = wide * ratio < 2 * image.width; // cells stay sharp until they are smaller than a pixel
      to.drawImage(sheet(image), x, y, wide, tall);
    },
  });
}

/**
 * @param {number} width
 * @param {number} height
 * @param {import("../types.d.ts").Theme} theme
 * @param {(pen: import("../types.d.ts").Pen) => void} draw
 */
export function asSvg(width, height, theme, draw) {
  const parts = [svgHatch(theme)];
  draw({
    rect: (x, y, wide, tall, fill) =>
      parts.push(`<rect x="${x}" y="${y}" width="${Math.max(wide, 0)}" height="${tall}" fill="${fill}"/>`),
    frame: (x, y, wide, tall, stroke, thick = 1) =>
      parts.push(
        `<rect x="${x}" y="${y}" width="${wide}" height="${tall}" fill="none" ` +
          `stroke="${stroke}" stroke-width="${thick}"/>`,
      ),
    line: (points, stroke, thick = 1) =>
      parts.push(`<polyline points="${points.join(" ")}" fill="none" stroke="${stroke}" stroke-width="${thick}"/>`),
    dot: (x, y, radius, fill) => parts.push(`<circle cx="${x}" cy="${y}" r="${radius}" fill="${fill}"/>`),
    text: (x, y, text, { size = 12, weight = 400, fill = theme.ink, anchor = "start", turn = 0 } = {}) =>
      parts.push(
        `<g transform="translate(${x} ${y}) rotate(${turn})">` +
          `${svgText(0, size * 0.36, text, { size, weight, fill, anchor })}</g>`,
      ),
    absent: (x, y, wide, tall) => {
      const box = `x="${x}" y="${y}" width="${wide}" height="${tall}"`;
      parts.push(`<rect ${box} fill="${theme.absent}"/><rect ${box} fill="url(#hatch)"/>`);
    },
    image: (image, x, y, wide, tall) => parts.push(svgCells(image, x, y, wide, tall)),
  });
  return svgPage(width, height, theme, parts.join(""));
}

// Not by colour alone: a cell clearly below 0 bears a minus, one whose value is no number (Infinity, see maps.py) a
// cross.
// values: row by row, `columns` cells of `cell` pixels a row; limit: the end of their scale.
/**
 * @param {import("../types.d.ts").Pen} pen
 * @param {import("../types.d.ts").Theme} theme
 * @param {ArrayLike<number> & { forEach(use: (value: number, place: number) => void): void }} values
 * @param {number} columns
 * @param {number} x
 * @param {number} y
 * @param {number} cell
 * @param {number} [limit]
 */
export function drawSigns(pen, theme, values, columns, x, y, cell, limit = 1) {
  if (cell < 9) return;
  values.forEach((value, cellIndex) => {
    const share = -value / limit;
    const [left, top] = [x + ((cellIndex % columns) + 0.3) * cell, y + (Math.floor(cellIndex / columns) + 0.3) * cell];
    const wide = 0.4 * cell;
    if (value === Infinity) {
      pen.line(
        [
          [left, top],
          [left + wide, top + wide],
        ],
        theme.paper,
        1.5,
      );
      pen.line(
        [
          [left + wide, top],
          [left, top + wide],
        ],
        theme.paper,
        1.5,
      );
    } else if (share > 0.15) pen.rect(left, top + wide / 2 - 0.6, wide, 1.2, share > 0.55 ? theme.paper : theme.ink);
  });
}

/**
 * @param {ImageData} image
 */
function sheet(image) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas;
}

// A component that is one drawing and nothing else. heightOf(header, width); draw(header, arrays, width, pen).
/**
 * @template {import("../types.d.ts").FigureHeader} Header
 * @template Arrays
 * @param {import("../types.d.ts").Mount<Header, Arrays>} mount
 * @param {(header: Header, width: number) => number} heightOf
 * @param {(header: Header, arrays: Arrays, width: number, pen: import("../types.d.ts").Pen) => void} draw
 */
export function drawing({ data, parentElement }, heightOf, draw) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  const canvas = (root.canvas ??= build(root));
  const height = () => heightOf(header, root.clientWidth);
  /** @param {import("../types.d.ts").Pen} pen */
  const paint = (pen) => draw(header, arrays, root.clientWidth, pen);
  root.arrange = () => {
    if (!root.clientWidth) return; // out of sight: there is nothing to draw on
    root.style.height = `${height()}px`;
    onCanvas(canvas, root.clientWidth, height(), header.theme, paint);
    countDrawing(root);
  };
  drawings.set(header.key, () => asSvg(root.clientWidth, height(), header.theme, paint));
  root.arrange();
}

/** @param {import("../types.d.ts").Root} root */
function build(root) {
  const canvas = element("canvas", "drawing");
  root.append(canvas);
  new ResizeObserver(() => root.arrange?.()).observe(root);
  return canvas;
}
