import assert from "node:assert/strict";
import test from "node:test";

import "./stand_in.js";

const { leftOf } = await import("../../viz/canvas/frontend/lib/tooltip.js");

test("a note is right of the pointer where the figure has room for it", () => {
  assert.equal(leftOf(100, 80, 600), 114);
});

test("a note at the right edge ends 4 pixels before it, and a note wider than the figure begins at its left", () => {
  assert.equal(leftOf(590, 80, 600), 516);
  assert.equal(leftOf(590, 700, 600), 0);
});

test("no note leaves the figure, wherever the pointer is", () => {
  for (let x = 0; x <= 600; x += 7) {
    const left = leftOf(x, 80, 600);
    assert.ok(left >= 0 && left + 80 <= 600, `pointer at ${x}`);
  }
});
