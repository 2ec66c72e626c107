import assert from "node:assert/strict";
import test from "node:test";
import { crc32, withTexts } from "../../viz/canvas/frontend/lib/png.js";
import { bytesFrom, jsonFrom, writeBack } from "./reference.js";

test("the check of the PNG specification's own example is right", () => {
  // Every PNG ends in this chunk: IEND without data, whose check is AE 42 60 82.
  assert.equal(crc32(new TextEncoder().encode("IEND")), 0xae426082);
  assert.equal(crc32(new Uint8Array()), 0);
});

test("crc32 agrees with zlib", () => {
  for (const [text, check] of jsonFrom("crc32.json")) assert.equal(crc32(new TextEncoder().encode(text)), check);
});

test("a picture with texts keeps every byte of its own, before and after them", async () => {
  const picture = bytesFrom("picture.png");
  const texts = { Title: "ein Wort", Description: "π ≠ 3 – 👩🏽‍🚀" };
  const blob = await withTexts(new Blob([picture]), texts);
  assert.equal(blob.type, "image/png");
  const written = new Uint8Array(await blob.arrayBuffer());
  const added = written.length - picture.length;
  assert.deepEqual(written.slice(0, 33), picture.slice(0, 33));
  assert.deepEqual(written.slice(33 + added), picture.slice(33));
  await writeBack("texts.png", blob); // Pillow reads the texts: tests/test_frontend.py
});
