import assert from "node:assert/strict";
import test from "node:test";

import "./stand_in.js";

const { ABSENT, FULL, NOT_A_NUMBER, colourOf, colourTable, imageOf, mapImage, svgCells } = await import(
  "../../viz/canvas/frontend/lib/cells.js"
);

const theme = { weights: ["#000000", "#102030", "#ffffff"], broken: "#ff0080" };
const table = colourTable(theme, "weights");

test("the ends and the stops of a scale have their own colours, and half way is half way", () => {
  assert.equal(colourOf(table, 0), "#000000");
  assert.equal(colourOf(table, FULL / 2), "#102030");
  assert.equal(colourOf(table, FULL), "#ffffff");
  assert.equal(colourOf(table, FULL * 0.1), "#03060a"); // a fifth of 16, 32, 48: 3.2, 6.4, 9.6
});

test("a value that is no number has a colour of its own, an absent cell none", () => {
  assert.equal(colourOf(table, NOT_A_NUMBER), "#ff0080");
  assert.equal(table[NOT_A_NUMBER * 4 + 3], 255);
  assert.equal(table[ABSENT * 4 + 3], 0);
});

test("codes become pixels row by row, and a map is that of its layer and head", () => {
  const image = imageOf(Uint8Array.of(0, FULL, ABSENT, NOT_A_NUMBER, 125, 0), table, 3);
  assert.deepEqual([image.width, image.height], [3, 2]);
  assert.deepEqual([...image.data.slice(4, 12)], [255, 255, 255, 255, 0, 0, 0, 0]);
  const values = Uint8Array.from({ length: 2 * 3 * 1 * 2 }, (_, place) => place);
  const map = mapImage({ values, shape: [2, 3, 1, 2] }, table, 1, 2);
  assert.deepEqual(map.data, imageOf(Uint8Array.of(10, 11), table, 2).data);
});

test("SVG cells of one colour in a row are one rectangle, and an absent cell is none", () => {
  const image = imageOf(Uint8Array.of(0, 0, FULL, ABSENT, 0, ABSENT), table, 3);
  const svg = svgCells(image, 5, 6, 30, 20);
  assert.match(svg, /transform="translate\(5 6\) scale\(10 10\)"/);
  assert.deepEqual(
    [...svg.matchAll(/fill="(#\w+)" d="([^"]+)"/g)].map(([, fill, path]) => [fill, path]),
    [
      ["#000000", "M0 0h2v1H0zM1 1h1v1H1z"],
      ["#ffffff", "M2 0h1v1H2z"],
    ],
  );
});

test("more cells than a drawing can hold become a picture", () => {
  const image = imageOf(new Uint8Array(65 * 65), table, 65);
  assert.match(svgCells(image, 0, 0, 65, 65), /^<image x="0" y="0" width="65" height="65"/);
  assert.match(svgCells(imageOf(new Uint8Array(4), table, 2), 0, 0, 1, 1, 100_001), /^<image/);
});
