import assert from "node:assert/strict";
import test from "node:test";

const { indexOfLargest, numbered, powerOfTen } = await import("../../viz/canvas/frontend/lib/values.js");

test("the largest value is found, the first of equal ones, in arrays of both kinds", () => {
  assert.equal(indexOfLargest([0.1, 0.7, 0.2]), 1);
  assert.equal(indexOfLargest(new Float32Array([0.5, 0.25, 0.5])), 0);
  assert.equal(indexOfLargest([-3, -1, -2]), 1);
  assert.equal(indexOfLargest([4]), 0);
  assert.equal(indexOfLargest([]), 0);
});

test("what is no number is never the largest, unless it is the first", () => {
  assert.equal(indexOfLargest([0.1, NaN, 0.2]), 2);
});

test("a number in powers of ten has its digits after the point and a raised exponent", () => {
  assert.equal(powerOfTen(1.24e-14, 1), "1.2·10⁻¹⁴");
  assert.equal(powerOfTen(0.003, 0), "3·10⁻³");
  assert.equal(powerOfTen(25, 1), "2.5·10¹");
});

test("only words that are there more than once bear their position", () => {
  assert.deepEqual(numbered(["the", "dog", "the", ""]), ["the (0)", "dog", "the (2)", ""]);
  assert.deepEqual(numbered([]), []);
});
