// Where the blocks of a model stand beside each other, and the curves between lanes.

// The width of each block: all open where there is room for all, else one open and the others folded.
/**
 * @param {number} count
 * @param {number} opened
 * @param {number} room
 * @param {{ folded: number, open: number, widest: number, few?: number }} sizes few: as many are never folded
 */
export function blockWidths(count, opened, room, { folded, open, widest, few = 4 }) {
  if (count * open <= room || count <= few) {
    const fit = Math.max(1, Math.min(count, Math.floor(room / open)));
    return Array(count).fill(Math.max(open, Math.min(widest, Math.floor(room / fit))));
  }
  const left = room - (count - 1) * folded;
  return Array.from({ length: count }, (_, index) =>
    index === opened ? Math.max(open, Math.min(widest, left)) : folded,
  );
}

// Blocks in bands no wider than `right`, from `left` on; `first` is what stands before the first block.
/**
 * @param {number[]} widths
 * @param {number} left
 * @param {number} right
 * @param {number} first
 */
export function bandsOf(widths, left, right, first) {
  /** @type {{ blocks: { layer: number, x: number, width: number }[], right: number }[]} */
  const bands = [{ blocks: [], right: left + first }];
  for (const [layer, width] of widths.entries()) {
    let band = /** @type {typeof bands[0]} */ (bands.at(-1));
    if (band.blocks.length && band.right + width > right) {
      band = { blocks: [], right: left + first };
      bands.push(band);
    }
    band.blocks.push({ layer, x: band.right, width });
    band.right += width;
  }
  return bands;
}

// From one lane to another, level at both ends: points of a cubic curve.
/**
 * @param {number} x0
 * @param {number} y0
 * @param {number} x1
 * @param {number} y1
 * @returns {[number, number][]}
 */
export function curve(x0, y0, x1, y1, points = 14) {
  if (y0 === y1) {
    return [
      [x0, y0],
      [x1, y1],
    ];
  }
  return Array.from({ length: points + 1 }, (_, point) => {
    const t = point / points;
    return [x0 + (x1 - x0) * t, y0 + (y1 - y0) * t * t * (3 - 2 * t)];
  });
}
