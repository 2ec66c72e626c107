// The sinusoidal encoding in the browser, in double precision: the twin of sinusoid() in model/position.py.

// How far pair i turns at one step, in radians.
/**
 * @param {number} pair
 * @param {number} width
 * @param {number} base
 */
export const turnOf = (pair, width, base) => base ** ((-2 * pair) / width);

// PE(pos, 2i) = sin(pos · turn), PE(pos, 2i + 1) = cos(pos · turn): (length, width), row by row.
/**
 * @param {number} length
 * @param {number} width
 * @param {number} base
 */
export function sinusoid(length, width, base) {
  const table = new Float64Array(length * width);
  for (let dimension = 0; dimension < width; dimension++) {
    const turn = turnOf(dimension >> 1, width, base);
    const wave = dimension % 2 ? Math.cos : Math.sin;
    for (let position = 0; position < length; position++) table[position * width + dimension] = wave(position * turn);
  }
  return table;
}

// The largest |PE(pos + k) − R_k PE(pos)| over all positions. R_k turns each pair by k · turn, whatever the position.
/**
 * @param {number} length
 * @param {number} width
 * @param {number} base
 * @param {number} k
 */
export function residual(length, width, base, k) {
  const table = sinusoid(length + k, width, base);
  let largest = 0;
  for (let pair = 0; pair < width / 2; pair++) {
    const [sin, cos] = [Math.sin(k * turnOf(pair, width, base)), Math.cos(k * turnOf(pair, width, base))];
    for (let position = 0; position < length; position++) {
      const [s, c] = [table[position * width + 2 * pair], table[position * width + 2 * pair + 1]];
      const target = (position + k) * width + 2 * pair;
      largest = Math.max(
        largest,
        Math.abs(table[target] - (cos * s + sin * c)),
        Math.abs(table[target + 1] - (cos * c - sin * s)),
      );
    }
  }
  return largest;
}

// A number as people read it: 6.28, 39.7, 35,333.
/**
 * @param {number} number
 */
export function formatNumber(number) {
  const digits = number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return number.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
