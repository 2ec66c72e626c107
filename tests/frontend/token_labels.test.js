import assert from "node:assert/strict";
import test from "node:test";
import "./stand_in.js";

const { crowded, tokenLabels } = await import("../../viz/canvas/frontend/lib/token_labels.js");
const { namedRadius } = await import("../../viz/canvas/frontend/figures/sinusoid_waves.js");
const { formatChange } = await import("../../viz/canvas/frontend/figures/compare.js");
const { scrolledTo } = await import("../../viz/canvas/frontend/figures/sentence.js");

test("letters beside and above a map keep clear of the next line, at every size of a cell", () => {
  for (let cell = 2; cell < 40; cell += 0.25) {
    const { every, size, turn } = tokenLabels(cell, 28);
    assert.ok(size >= 9 && size <= 13, `${size} can be read`);
    assert.ok(every * cell >= 1.2 * size - 1e-9, `the rows of ${cell} pixels touch`);
    const apart = every * cell * Math.sin((-turn * Math.PI) / 180);
    assert.ok(apart >= 1.15 * size, `the columns of ${cell} pixels overprint: ${apart} for letters of ${size}`);
    assert.equal(every > 1, crowded(cell));
  }
});

test("28 tokens in the column of the Heads page are all named, and so are 13 in large slanted letters", () => {
  assert.equal(tokenLabels(13, 28).every, 1);
  assert.deepEqual(tokenLabels(30, 13), { every: 1, size: 13, turn: -56 });
});

test("a clock and its number end before the next clock begins", () => {
  for (let side = 47; side < 84; side++) {
    const bottom = 2 + 2 * namedRadius(side) + 11 * (0.82 + 0.5); // as drawn: 2 pixels, the circle, the number
    assert.ok(bottom <= side - 1, `a clock of ${side} pixels ends at ${bottom}`);
  }
});

test("a long sentence scrolls to where a word begins, and no farther from its beginning than it must", () => {
  const starts = [0, 40, 80, 120, 160, 200, 240, 280];
  const word = (place) => [starts[place], starts[place] + 40];
  assert.equal(scrolledTo([word(2), word(0)], starts, 200), 0, "both are seen from the beginning");
  assert.equal(scrolledTo([word(5), word(3)], starts, 200), 80, "64 pixels would do; a word begins at 80");
  assert.equal(scrolledTo([word(7), word(0)], starts, 200), 160, "both do not fit: the query is seen");
});

test("a small change of a prediction is not written as none", () => {
  assert.deepEqual([0, 4e-5, 0.42, 123.4, NaN].map(formatChange), ["0.00", "4·10⁻⁵", "0.42", "123", "no number"]);
});
