// What layers and decoding cost, counted in the browser: the twin of model/cost/complexity.py, decoding.py and
// exponent.py. tests/frontend/cost.test.js compares both.

/** @typedef {import("../types.d.ts").CostSizes} Sizes */
/** @typedef {import("../types.d.ts").DecoderSizes} Decoder */

/** @param {Sizes} s */
const padded = (s) => Math.ceil(s.n / s.window) * s.window; // the last block of a window is filled with zeros
/** @param {Sizes} s */
const mapCells = (s) => s.n_heads * s.n ** 2;

/** @param {Sizes} s */
function dilatedPath(s) {
  let [layers, reached] = [1, s.kernel];
  while (reached < s.n) [layers, reached] = [layers + 1, reached * s.kernel];
  return layers;
}

/** @typedef {(s: Sizes) => number} Count */
/** @type {Record<string, { operations: Count, sequential: Count, path: Count, flops: Count, elements: Count }>} */
export const LAYERS = {
  attention: {
    operations: (s) => s.n ** 2 * s.d,
    sequential: () => 1,
    path: () => 1,
    flops: (s) => 4 * s.n ** 2 * s.d,
    elements: (s) => 4 * mapCells(s) + 3 * s.n ** 2 + 4 * s.n * s.d,
  },
  rnn: {
    operations: (s) => s.n * s.d ** 2,
    sequential: (s) => s.n,
    path: (s) => s.n,
    flops: (s) => 4 * s.n * s.d ** 2,
    elements: (s) => 4 * s.n * s.d + 4 * s.d,
  },
  gru: {
    operations: (s) => s.n * s.d ** 2,
    sequential: (s) => s.n,
    path: (s) => s.n,
    flops: (s) => 12 * s.n * s.d ** 2,
    elements: (s) => 6 * s.n * s.d + 24 * s.d,
  },
  convolution: {
    operations: (s) => s.kernel * s.n * s.d ** 2,
    sequential: () => 1,
    path: dilatedPath,
    flops: (s) => 2 * s.kernel * s.n * s.d ** 2,
    elements: (s) => 4 * s.n * s.d,
  },
  window: {
    operations: (s) => s.window * s.n * s.d,
    sequential: () => 1,
    path: (s) => Math.max(1, Math.ceil((s.n - 1) / (s.window - 1))),
    flops: (s) => 8 * s.window * padded(s) * s.d,
    elements: (s) => 10 * s.window * padded(s) * s.n_heads + 8 * padded(s) * s.d,
  },
  fused: {
    operations: (s) => s.n ** 2 * s.d,
    sequential: () => 1,
    path: () => 1,
    flops: (s) => 4 * s.n ** 2 * s.d,
    elements: (s) => 2 * s.n * s.d,
  },
  linformer: {
    operations: (s) => s.rank * s.n * s.d,
    sequential: () => 1,
    path: () => 1,
    flops: (s) => 8 * s.rank * s.n * s.d,
    elements: (s) => 4 * s.rank * s.n * s.n_heads + 3 * s.rank * s.n + 2 * s.n * s.d,
  },
  linear: {
    operations: (s) => s.n * s.d ** 2,
    sequential: () => 1,
    path: () => 1,
    flops: (s) => 4 * s.n * s.d * Math.floor(s.d / s.n_heads) + 2 * s.n * s.d,
    elements: (s) => 5 * s.n * s.d + s.d ** 2,
  },
};

// Numbers that attention keeps: h·n² weights and n·d outputs.
/** @param {Sizes} s */
export const attentionSpace = (s) => mapCells(s) + s.n * s.d;

// The smallest n from which on `cheaper` takes fewer operations than `dearer`; null: none up to `longest`.
/**
 * @param {string} cheaper
 * @param {string} dearer
 * @param {Sizes} sizes
 */
export function countedCrossover(cheaper, dearer, sizes, longest = 1 << 13) {
  const [first, second] = [LAYERS[cheaper].flops, LAYERS[dearer].flops];
  const current = { ...sizes, n: longest };
  while (current.n > 0 && first(current) < second(current)) current.n--;
  return current.n < longest ? current.n + 1 : null;
}

// value = factor · n^exponent, a least-squares line on logarithmic axes; null with fewer than two lengths. error: the
// standard error of the exponent; infinite with two points.
/** @param {[number, number][]} points */
export function fitExponent(points) {
  if (new Set(points.map(([n]) => n)).size < 2) return null;
  const x = points.map(([n]) => Math.log(n));
  const y = points.map(([, value]) => Math.log(value));
  /** @param {number[]} values */
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [centre, level] = [mean(x), mean(y)];
  const spread = x.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  const exponent = x.reduce((sum, value, place) => sum + (value - centre) * (y[place] - level), 0) / spread;
  const start = level - exponent * centre;
  const residual = x.reduce((sum, value, place) => sum + (y[place] - start - exponent * value) ** 2, 0);
  const error = x.length > 2 ? Math.sqrt(residual / (x.length - 2) / spread) : Number.POSITIVE_INFINITY;
  return { exponent, error, factor: Math.exp(start) };
}

// The length from which on `cheaper` stays below `dearer`, both measured at `lengths`; null if it is not at the last.
/**
 * @param {number[]} lengths
 * @param {number[]} cheaper
 * @param {number[]} dearer
 */
export function measuredCrossover(lengths, cheaper, dearer) {
  const last = lengths.length - 1;
  if (last < 0 || cheaper[last] >= dearer[last]) return null;
  const gap = cheaper.map((value, place) => Math.log(value) - Math.log(dearer[place]));
  const above = gap.findLastIndex((value) => value >= 0);
  if (above < 0) return lengths[0];
  const share = gap[above] / (gap[above] - gap[above + 1]);
  const [low, high] = [Math.log(lengths[above]), Math.log(lengths[above + 1])];
  return Math.exp(low + share * (high - low));
}

/** @param {Decoder} s @param {string} variant */
const keyHeads = (s, variant) => (variant === "grouped-query" ? s.n_groups : variant === "multi-query" ? 1 : s.n_heads);
/** @param {Decoder} s @param {string} variant @param {number} n */
const kept = (s, variant, n) => (variant === "window" ? Math.min(n, s.window) : n);
/** @param {Decoder} s @param {string} variant */
const keyWidth = (s, variant) => keyHeads(s, variant) * Math.floor(s.d / s.n_heads);
/** @param {Decoder} s @param {string} variant @param {number} n */
const linearFlops = (s, variant, n) =>
  n * (s.n_layers * (4 * s.d ** 2 + 4 * s.d * keyWidth(s, variant) + 4 * s.d * s.d_ff) + 2 * s.d * s.vocab_size);
/** @param {Decoder} s @param {string} variant @param {number} n */
const cacheBytes = (s, variant, n) => 2 * s.n_layers * kept(s, variant, n) * keyWidth(s, variant) * s.bytes_per_number;
/** @param {Decoder} s @param {string} variant @param {number} n */
const prefillFlops = (s, variant, n) => linearFlops(s, variant, n) + s.n_layers * 4 * n * kept(s, variant, n) * s.d;

// Each of one text of n tokens. without: a token without a cache, for which the whole text is read again.
/** @type {Record<string, (s: Decoder, variant: string, n: number) => number>} */
export const DECODING = {
  cache: cacheBytes,
  prefill: prefillFlops,
  decode: (s, variant, n) => linearFlops(s, variant, 1) + s.n_layers * 4 * kept(s, variant, n) * s.d,
  without: prefillFlops,
  read: (s, variant, n) => (linearFlops(s, variant, 1) / 2) * s.bytes_per_number + cacheBytes(s, variant, n),
};

/** @param {number} value @param {[number, string][]} units */
function withUnit(value, units) {
  const [size, unit] = units.findLast(([least]) => Math.abs(value) >= least * 0.9995) ?? units[0];
  const scaled = value / size;
  const digits = /^$|^ B$/.test(unit) && Number.isInteger(value) ? 0 : scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  return `${scaled.toFixed(digits)}${unit}`;
}

/** 1,234,567 → "1.23 M". @param {number} value */
export const asCount = (value) =>
  withUnit(value, [
    [1, ""],
    [1e3, " K"],
    [1e6, " M"],
    [1e9, " G"],
    [1e12, " T"],
    [1e15, " P"],
  ]);
/** @param {number} value */
export const asBytes = (value) =>
  withUnit(value, [
    [1, " B"],
    [2 ** 10, " KiB"],
    [2 ** 20, " MiB"],
    [2 ** 30, " GiB"],
    [2 ** 40, " TiB"],
  ]);
/** @param {number} value */
export const asTime = (value) =>
  withUnit(value, [
    [1e-9, " ns"],
    [1e-6, " µs"],
    [1e-3, " ms"],
    [1, " s"],
  ]);
