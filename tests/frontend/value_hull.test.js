import assert from "node:assert/strict";
import test from "node:test";

import "./stand_in.js";

const { hull } = await import("../../viz/canvas/frontend/figures/value_hull.js");

const turn = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);

// Points on a coarse grid, so that some are equal and some lie on one line. A linear congruential generator.
function scattered(count, seed) {
  let state = seed;
  const next = () => (state = (state * 1103515245 + 12345) % 2 ** 31) >> 16;
  return Array.from({ length: count }, () => [next() % 12, next() % 12]);
}

test("the hull of a square with points inside and on its edges is its four corners, counter-clockwise", () => {
  const points = [
    [1, 1],
    [0, 0],
    [2, 0],
    [1, 0],
    [2, 2],
    [0, 2],
    [2, 1],
    [1, 1],
  ];
  assert.deepEqual(hull(points), [
    [0, 0],
    [2, 0],
    [2, 2],
    [0, 2],
  ]);
});

test("one point, two points and points on a line are their own ends", () => {
  assert.deepEqual(hull([]), []);
  assert.deepEqual(hull([[3, 4]]), [[3, 4]]);
  assert.deepEqual(
    hull([
      [3, 4],
      [1, 2],
    ]),
    [
      [1, 2],
      [3, 4],
    ],
  );
  assert.deepEqual(
    hull([
      [0, 0],
      [2, 2],
      [1, 1],
      [3, 3],
    ]),
    [
      [0, 0],
      [3, 3],
    ],
  );
});

test("no point lies outside, every corner is one of the points, and the shape only turns left", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const points = scattered(3 + (seed % 25), seed);
    const corners = hull(points);
    if (corners.length < 3) continue;
    corners.forEach((corner, place) => {
      const [next, after] = [1, 2].map((further) => corners[(place + further) % corners.length]);
      assert.ok(points.some((point) => point[0] === corner[0] && point[1] === corner[1]));
      assert.ok(turn(corner, next, after) > 0, "each corner is a real one");
      for (const point of points) assert.ok(turn(corner, next, point) >= 0, "no point is right of an edge");
    });
  }
});
