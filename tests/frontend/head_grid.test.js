import assert from "node:assert/strict";
import { test } from "node:test";
import "./stand_in.js";
import { letterSize } from "../../viz/canvas/frontend/figures/head_grid.js";

// In the stand-in a letter is as wide as half its size.

test("the names have the largest letters in which no word is cut", () => {
  assert.equal(letterSize(["previous token 0.73"], 8 * 5.75), 11.5);
  assert.equal(letterSize(["previous token 0.73", "induction 0.54"], 8 * 5.75), 10);
  assert.equal(letterSize(["induction 0.54"], 9 * 4.75), 9.5);
});

test("below nine pixels a name could not be read, so a longer word is cut", () => {
  assert.equal(letterSize(["incomprehensibilities"], 40), 9);
});
