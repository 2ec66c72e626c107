import assert from "node:assert/strict";
import test from "node:test";
import { formatNumber, residual, sinusoid, turnOf } from "../../viz/canvas/frontend/lib/sinusoid.js";
import { jsonFrom } from "./reference.js";

const near = (actual, expected, tolerance, what) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} is not ${expected}`);

test("the table is the formula, worked out by hand", () => {
  // Width 4, base 100: pair 0 turns by 1, pair 1 by 1 / 10.
  const table = sinusoid(3, 4, 100);
  assert.deepEqual([...table.slice(0, 4)], [0, 1, 0, 1]);
  near(table[4], 0.8414709848078965, 1e-15, "sin 1");
  near(table[9], -0.4161468365471424, 1e-15, "cos 2");
  near(table[10], 0.19866933079506122, 1e-15, "sin 0.2");
  near(table[7], 0.9950041652780258, 1e-15, "cos 0.1");
});

test("the browser and model/position.py hold the same table", () => {
  for (const { length, width, base, table } of jsonFrom("sinusoid.json")) {
    const own = sinusoid(length, width, base);
    assert.equal(own.length, table.length);
    table.forEach((value, place) => near(own[place], value, 1e-12, `${length}, ${width}, ${base}, cell ${place}`));
  }
});

test("a pair turns once in the wavelength that model/analysis/sinusoid.py gives it", () => {
  for (const { width, base, wavelengths } of jsonFrom("sinusoid.json")) {
    wavelengths.forEach((length, pair) => near(turnOf(pair, width, base) * length, 2 * Math.PI, 1e-12, `pair ${pair}`));
  }
});

test("a step of k is one rotation, to rounding, as in model/analysis/sinusoid.py", () => {
  for (const { length, width, base, steps, error } of jsonFrom("sinusoid.json")) {
    near(residual(length, width, base, steps), 0, 1e-12, "in the browser");
    near(error, 0, 1e-12, "in Python");
  }
});

test("a number is formatNumber with as many digits as it needs", () => {
  assert.deepEqual([6.2832, 39.738, 35333.4, 99.96, 0].map(formatNumber), ["6.28", "39.7", "35,333", "100.0", "0.00"]);
});
