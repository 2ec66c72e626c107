// Cells of one byte as pixels: the codes of pack.py and the colours they stand for.

export const FULL = 250;
export const NOT_A_NUMBER = 254;
export const ABSENT = 255;
const MOST_DRAWN = 4096; // cells of one map
const MOST_IN_ALL = 100_000; // cells of one drawing

/**
 * @param {string} hex
 */
const channels = (hex) => [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));

// Code → red, green, blue, opacity, on the scale of that name.
/**
 * @param {import("../types.d.ts").Theme} theme
 * @param {"weights" | "signed"} scale
 */
export function colourTable(theme, scale) {
  const table = new Uint8ClampedArray(256 * 4);
  const stops = theme[scale].map(channels);
  for (let code = 0; code <= FULL; code++) {
    const stop = (code / FULL) * (stops.length - 1);
    const low = Math.min(Math.floor(stop), stops.length - 2);
    for (let channel = 0; channel < 3; channel++) {
      table[code * 4 + channel] = stops[low][channel] + (stop - low) * (stops[low + 1][channel] - stops[low][channel]);
    }
    table[code * 4 + 3] = 255;
  }
  table.set([...channels(theme.broken), 255], NOT_A_NUMBER * 4);
  return table; // ABSENT stays transparent: the hatching shows
}

// The colour of one code, for CSS and SVG.
/**
 * @param {Uint8ClampedArray} table
 * @param {number} code
 */
export const colourOf = (table, code) =>
  `#${[...table.subarray(code * 4, code * 4 + 3)].map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;

// One map of cells (L, H, rows, columns) as pixels.
/**
 * @param {import("../types.d.ts").Cells} cells
 * @param {Uint8ClampedArray} colours
 * @param {number} layer
 * @param {number} head
 */
export function mapImage(cells, colours, layer, head) {
  const [, heads, rows, columns] = cells.shape;
  const start = (layer * heads + head) * rows * columns;
  return imageOf(cells.values.subarray(start, start + rows * columns), colours, columns);
}

// Codes, row by row, as pixels: four bytes at once.
/**
 * @param {Uint8Array} codes
 * @param {Uint8ClampedArray} colours
 * @param {number} columns
 */
export function imageOf(codes, colours, columns) {
  const image = new ImageData(columns, codes.length / columns);
  const [pixels, table] = [new Uint32Array(image.data.buffer), new Uint32Array(colours.buffer)];
  for (let cell = 0; cell < codes.length; cell++) pixels[cell] = table[codes[cell]];
  return image;
}

// What is behind a cell that is not allowed.
/**
 * @param {CanvasRenderingContext2D} pen
 * @param {import("../types.d.ts").Theme} theme
 */
export function hatching(pen, theme) {
  const tile = new OffscreenCanvas(6, 6);
  const line = /** @type {OffscreenCanvasRenderingContext2D} */ (tile.getContext("2d"));
  line.strokeStyle = theme.hatch;
  for (const offset of [-6, 0, 6]) {
    line.moveTo(offset, 6);
    line.lineTo(offset + 6, 0);
  }
  line.stroke();
  return /** @type {CanvasPattern} */ (pen.createPattern(tile, "repeat"));
}

// The same as SVG: sharp at any size. A path a colour; as a picture where there are more cells than a drawing can hold,
// `cells` of them in all its maps, or where they are the steps of a scale.
/**
 * @param {ImageData} image
 * @param {number} x
 * @param {number} y
 * @param {number} wide
 * @param {number} tall
 * @param {number} [cells]
 */
export function svgCells(image, x, y, wide, tall, cells = 0) {
  const { width, height, data } = image;
  if (width * height > MOST_DRAWN || cells > MOST_IN_ALL || height === 1) {
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [width, height];
    sheet.getContext("2d")?.putImageData(image, 0, 0);
    const box = `x="${x}" y="${y}" width="${wide}" height="${tall}"`;
    return `<image ${box} preserveAspectRatio="none" style="image-rendering:pixelated" href="${sheet.toDataURL()}"/>`;
  }
  const paths = new Map();
  for (let row = 0; row < height; row++) {
    for (let from = 0, to; from < width; from = to) {
      const fill = colourAt(data, row * width + from);
      for (to = from + 1; to < width && colourAt(data, row * width + to) === fill; ) to++; // cells alike are one
      if (fill) paths.set(fill, `${paths.get(fill) ?? ""}M${from} ${row}h${to - from}v1H${from}z`);
    }
  }
  const drawn = [...paths].map(([fill, path]) => `<path fill="${fill}" d="${path}"/>`);
  const size = `translate(${x} ${y}) scale(${wide / width} ${tall / height})`;
  return `<g class="cells" transform="${size}" shape-rendering="crispEdges">${drawn.join("")}</g>`;
}

// null: nothing is there, and what is behind shows.
/**
 * @param {Uint8ClampedArray} data
 * @param {number} cell
 */
const colourAt = (data, cell) => (data[cell * 4 + 3] ? colourOf(data, cell) : null);

/**
 * @param {import("../types.d.ts").Theme} theme
 */
export const svgHatch = (theme) =>
  `<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse">` +
  `<path d="M0 6L6 0" stroke="${theme.hatch}"/></pattern></defs>`;
