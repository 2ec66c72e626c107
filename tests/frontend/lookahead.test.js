// What is drawn ahead of an answer is compared with the answer.

import "./stand_in.js";
import assert from "node:assert/strict";
import test from "node:test";

const { differenceOf } = await import("../../viz/canvas/frontend/page/lookahead.js");

const OFFSET = "at"; // what pack() calls the place of an array

// As pack() in viz/pack.py packs ahead array of 32-bit numbers.
function packed(header, numbers) {
  const values = new Uint8Array(new Float32Array(numbers).buffer);
  const arrays = { cells: { dtype: "f4", shape: [numbers.length], [OFFSET]: 0, bytes: values.length } };
  const text = new TextEncoder().encode(JSON.stringify({ ...header, arrays }));
  const bytes = new Uint8Array(4 + text.length + values.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(values, 4 + text.length);
  return bytes;
}

test("equal pages do not differ, whatever belongs to the visit alone", () => {
  const ahead = packed({ title: "a", acknowledged: 3, theme: { ink: "#000" } }, [0.1, Number.NaN, Infinity]);
  const other = packed({ title: "a", acknowledged: 4, theme: { ink: "#fff" } }, [0.1, Number.NaN, Infinity]);
  assert.equal(differenceOf(ahead, other), "");
});

test("another word, another number of cells and a cell that is no number are named", () => {
  const ahead = packed({ title: "a" }, [0.1, Number.NaN]);
  assert.equal(differenceOf(ahead, packed({ title: "b" }, [0.1, Number.NaN])), "title");
  assert.equal(differenceOf(ahead, packed({ title: "a" }, [0.1])), "arrays");
  assert.equal(differenceOf(ahead, packed({ title: "a" }, [0.1, 0.2])), "cells");
  assert.equal(differenceOf(ahead, packed({ title: "a" }, [Number.NaN, Number.NaN])), "cells");
});

test("a cell may differ by one step of the scale, and not by two", () => {
  const ahead = packed({}, [0.5, -200]);
  assert.equal(differenceOf(ahead, packed({}, [0.5 + 0.9 / 255, -200.5])), "");
  assert.equal(differenceOf(ahead, packed({}, [0.5 + 2 / 255, -200])), "cells");
  assert.equal(differenceOf(ahead, packed({}, [0.5, -202])), "cells");
});
