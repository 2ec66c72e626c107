import assert from "node:assert/strict";
import test from "node:test";
import "./stand_in.js";

const { quoted } = await import("../../viz/canvas/frontend/lib/values.js");
const { explain, STEPS } = await import("../../viz/canvas/frontend/figures/head_steps_text.js");
const decoding = await import("../../viz/canvas/frontend/figures/decoding.js");
const sentence = await import("../../viz/canvas/frontend/figures/sentence.js");

const unquoted = (/** @type {string} */ text) => text.replaceAll(/“[^“”]*”/g, "").includes("‡");
const numbers = (/** @type {number} */ length) => new Float32Array(length).fill(0.5);

test("a token without a letter or a digit has quotation marks, another has none", () => {
  assert.deepEqual(["‡", "...", "∅", "␣"].map(quoted), ["“‡”", "“...”", "“∅”", "“␣”"]);
  assert.deepEqual(["a.", "⟨start⟩", "7", "été", "猫"].map(quoted), ["a.", "⟨start⟩", "7", "été", "猫"]);
});

test("no step of the walk along a row has bare punctuation in its sentence", () => {
  const kinds = ["x", "q", "k", "v", "scores", "scaled", "bias", "masked", "weights", "z", "w_o", "others", "stream"];
  const n = Object.fromEntries([...kinds, "carried", "after", "heads", "b_o"].map((kind) => [kind, numbers(64)]));
  const header = { words: ["‡", "‡", "…"], row: 1, layer: 0, head: 0, divisor: 2, has_bias: true, has_residual: true };
  const view = {
    header,
    n: { ...n, mask: [true, true, false] },
    keyIndex: 0,
    sizes: { C: 4, D: 2, E: 2, S: 3 },
    exponentials: { top: 0, each: [1, 1, 0], sum: 2 },
    layout: { terms: 4 },
  };
  let named = 0;
  STEPS.forEach((_, step) => {
    for (const layer of [0, 1]) {
      const viewed = { ...view, header: { ...header, layer }, step, focus: { kind: "stream", i: 0 } };
      const { sentence: parts, model } = explain(/** @type {any} */ (viewed));
      const text = parts.map(([part]) => part).join("") + model;
      named += Number(text.includes("‡"));
      assert.ok(!unquoted(text), text);
    }
  });
  assert.equal(named, 2 * STEPS.length); // the origin of the stream names the token in every step
});

test("no step of a translation has bare punctuation in its sentence", () => {
  const output = ["‡", "‡"];
  const header = { output, source: ["‡"], candidates: [["‡"], ["‡"]], gold: [[0], []], vector: {} };
  const n = { probabilities: numbers(2), cross_weights: numbers(2), vector: numbers(3) };
  const views = [
    { header, n, step: 2 },
    { header, n, step: 2, over: { side: "source", index: 0 } },
    { header, n: { ...n, cross_weights: undefined }, step: 2 },
  ];
  for (const view of views) {
    for (const step of [1, 2]) {
      const text = decoding
        .describe(/** @type {any} */ (view), step)
        .map(([part]) => part)
        .join("");
      assert.ok(text.includes("‡") && !unquoted(text), text);
    }
  }
});

test("the row that is read aloud has no bare punctuation", () => {
  const header = { full: ["‡", "‡"], tokens: ["‡", "‡"] };
  const view = { header, weights: { values: numbers(4), shape: [2, 2] } };
  const text = sentence.describe(/** @type {any} */ (view), 1);
  assert.ok(text.includes("‡") && !unquoted(text), text);
});
