// Cells of one byte as pixels: the codes of pack.py and the colours they stand for.

export const FULL = 250;
export const NOT_A_NUMBER = 254;
export const ABSENT = 255;

// Code → red, green, blue, opacity.
export function colourTable(scale) {
  const table = new Uint8ClampedArray(256 * 4);
  const stops = scale.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  for (let code = 0; code <= FULL; code++) {
    const at = (code / FULL) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    for (let channel = 0; channel < 3; channel++) {
      table[code * 4 + channel] = stops[low][channel] + (at - low) * (stops[low + 1][channel] - stops[low][channel]);
    }
    table[code * 4 + 3] = 255;
  }
  table.set([200, 30, 30, 255], NOT_A_NUMBER * 4);
  return table; // ABSENT stays transparent: the hatching shows
}

// The colour of one code, for CSS and SVG.
export const colourOf = (table, code) =>
  `#${[...table.subarray(code * 4, code * 4 + 3)].map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;

// One map of cells (L, H, rows, columns) as pixels.
export function mapImage(cells, colours, layer, head) {
  const [, heads, rows, columns] = cells.shape;
  const image = new ImageData(columns, rows);
  const start = (layer * heads + head) * rows * columns;
  for (let at = 0; at < rows * columns; at++) {
    const code = cells.values[start + at] * 4;
    image.data.set(colours.subarray(code, code + 4), at * 4);
  }
  return image;
}

// What is behind a cell that is not allowed.
export function hatching(pen, theme) {
  const tile = new OffscreenCanvas(6, 6);
  const line = tile.getContext("2d");
  line.strokeStyle = theme.hatch;
  for (const offset of [-6, 0, 6]) {
    line.moveTo(offset, 6);
    line.lineTo(offset + 6, 0);
  }
  line.stroke();
  return pen.createPattern(tile, "repeat");
}

export const svgHatch = (theme) =>
  `<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse"><path d="M0 6L6 0" stroke="${theme.hatch}"/></pattern></defs>`;
