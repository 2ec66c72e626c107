import assert from "node:assert/strict";
import test from "node:test";

import "./stand_in.js";
import { bytesFrom, jsonFrom } from "./reference.js";

const { hover, hoveredRow, legible, listen, svgText, unpack, xml } = await import(
  "../../viz/canvas/frontend/lib/page_state.js"
);

test("what viz/pack.py packs comes out: header, shapes and values", () => {
  for (const { file, header, arrays } of jsonFrom("packed.json")) {
    const unpacked = unpack(bytesFrom(file));
    const { arrays: described, ...rest } = unpacked.header;
    assert.deepEqual(rest, header);
    assert.deepEqual(Object.keys(described), Object.keys(arrays));
    for (const [name, { type, shape, values }] of Object.entries(arrays)) {
      assert.equal(unpacked.arrays[name].values.constructor.name, type);
      assert.deepEqual(unpacked.arrays[name].shape, shape);
      const expected = values.map((value) => value ?? NaN); // JSON has no NaN
      assert.deepEqual([...unpacked.arrays[name].values], expected);
    }
  }
});

test("bytes that begin somewhere in a larger buffer are unpacked too", () => {
  const packed = bytesFrom("packed-0.bin");
  const larger = new Uint8Array(packed.length + 7);
  larger.set(packed, 7);
  assert.deepEqual(unpack(larger.subarray(7)), unpack(packed));
});

test("what is unpacked already stays as it is", () => {
  const unpacked = { header: { theme: {} }, arrays: {} };
  assert.equal(unpack(unpacked), unpacked);
});

test("text in SVG cannot end the element it stands in", () => {
  assert.equal(xml(`<b a="1">&`), "&lt;b a=&quot;1&quot;&gt;&amp;");
  assert.ok(!svgText(0, 0, "</text><script>", { fill: "#000" }).includes("<script>"));
});

test("every listener hears of another row once, and none after it has stopped", () => {
  const rows = [];
  const stop = listen("a", (row) => rows.push(row));
  hover(2);
  hover(2);
  hover(null);
  stop();
  hover(3);
  assert.deepEqual(rows, [2, null]);
  assert.equal(hoveredRow(), 3);
});

test("letters are at least as large as a projector asks for", () => {
  assert.equal(legible(12), 12);
  document.documentElement.dataset.projected = "18.5";
  assert.equal(legible(12), 18.5);
  delete document.documentElement.dataset.projected;
});
