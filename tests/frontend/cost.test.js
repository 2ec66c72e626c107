import assert from "node:assert/strict";
import test from "node:test";
import {
  asBytes,
  asCount,
  asTime,
  attentionSpace,
  countedCrossover,
  DECODING,
  fitExponent,
  LAYERS,
  measuredCrossover,
} from "../../viz/canvas/frontend/lib/cost.js";
import { jsonFrom } from "./reference.js";

const near = (actual, expected, what) =>
  assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${what}: ${actual}, ${expected}`);

test("the terms of Table 1 are those of the paper, worked out by hand", () => {
  const sizes = { n: 10, d: 8, kernel: 3, window: 4, n_heads: 2, rank: 5 };
  const terms = { attention: 800, rnn: 640, gru: 640, convolution: 1920, window: 320, linformer: 400 };
  for (const [kind, count] of Object.entries(terms)) assert.equal(LAYERS[kind].operations(sizes), count, kind);
  assert.deepEqual([LAYERS.rnn.path(sizes), LAYERS.convolution.path(sizes), LAYERS.window.path(sizes)], [10, 3, 3]);
  assert.equal(attentionSpace(sizes), 2 * 100 + 80);
});

test("the browser and model/cost/complexity.py count the same", () => {
  const cases = jsonFrom("cost.json").layers;
  assert.equal(new Set(cases.map(({ kind }) => kind)).size, Object.keys(LAYERS).length);
  for (const { kind, sizes, counts } of cases) {
    for (const [name, count] of Object.entries(counts)) near(LAYERS[kind][name](sizes), count, `${kind}, ${name}`);
  }
});

test("the browser and model/cost/decoding.py count the same", () => {
  for (const { variant, sizes, n, counts } of jsonFrom("cost.json").decoding) {
    assert.deepEqual(Object.keys(counts).sort(), Object.keys(DECODING).sort());
    for (const [name, count] of Object.entries(counts))
      near(DECODING[name](sizes, variant, n), count, `${variant} ${name}`);
  }
});

test("crossovers and fits are those of Python", () => {
  const { crossovers, fits, measured } = jsonFrom("cost.json");
  for (const { pair, sizes, longest, n } of crossovers) assert.equal(countedCrossover(...pair, sizes, longest), n);
  for (const { points, exponent, error, factor } of fits) {
    const fit = fitExponent(points);
    near(fit.exponent, exponent, "exponent");
    near(fit.error, error, "error");
    near(fit.factor, factor, "factor");
  }
  for (const { lengths, cheaper, dearer, n } of measured) {
    const own = measuredCrossover(lengths, cheaper, dearer);
    if (n === null) assert.equal(own, null);
    else near(own, n, "crossover");
  }
});

test("an exponent needs two lengths, and has no error with two", () => {
  assert.equal(fitExponent([[64, 1]]), null);
  assert.equal(fitExponent([]), null);
  const fit = fitExponent([
    [10, 1],
    [100, 100],
  ]);
  near(fit.exponent, 2, "slope");
  assert.equal(fit.error, Number.POSITIVE_INFINITY);
});

test("numbers have three digits and a unit", () => {
  assert.deepEqual(
    [asCount(17), asCount(1000), asCount(1_234_567), asCount(4e12)],
    ["17", "1.00 K", "1.23 M", "4.00 T"],
  );
  assert.deepEqual([asBytes(512), asBytes(1536), asBytes(2 ** 33)], ["512 B", "1.50 KiB", "8.00 GiB"]);
  assert.deepEqual([asTime(2.5e-4), asTime(0.0123), asTime(3)], ["250 µs", "12.3 ms", "3.00 s"]);
});
