import assert from "node:assert/strict";
import test from "node:test";

const { bandsOf, blockWidths, curve } = await import("../../viz/canvas/frontend/lib/lanes.js");
const SIZES = { folded: 48, open: 190, widest: 330 };
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

test("a few blocks share the room, and none is wider than it may be", () => {
  assert.deepEqual(blockWidths(3, 0, 600, SIZES), [200, 200, 200]);
  assert.deepEqual(blockWidths(2, 0, 4000, SIZES), [330, 330]);
});

test("of many blocks one is open and the others are folded, within the room", () => {
  for (const count of [6, 12]) {
    for (const opened of [0, 3, count - 1]) {
      const widths = blockWidths(count, opened, 830, SIZES);
      assert.equal(widths.filter((width) => width > SIZES.folded).length, 1);
      assert.ok(widths[opened] >= SIZES.open);
      assert.ok(sum(widths) <= 830);
    }
  }
});

test("every block stands in one band, in order, and no band is wider than its room", () => {
  const widths = blockWidths(12, 5, 300, SIZES);
  const bands = bandsOf(widths, 60, 350, 40);
  assert.deepEqual(
    bands.flatMap((band) => band.blocks.map((block) => block.layer)),
    [...widths.keys()],
  );
  for (const { blocks, right } of bands) {
    assert.ok(blocks.length === 1 || right <= 350);
    assert.equal(blocks[0].x, 100);
    for (let next = 1; next < blocks.length; next++) {
      assert.equal(blocks[next].x, blocks[next - 1].x + blocks[next - 1].width);
    }
  }
});

test("a curve begins on one lane and ends on the other, and is level at both ends", () => {
  const points = curve(0, 10, 100, 50, 100);
  assert.deepEqual(
    [points[0], points.at(-1)],
    [
      [0, 10],
      [100, 50],
    ],
  );
  assert.ok(points[1][1] - 10 < 0.1 && 50 - points.at(-2)[1] < 0.1);
  assert.equal(curve(0, 10, 100, 10).length, 2);
});
