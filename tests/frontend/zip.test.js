import assert from "node:assert/strict";
import test from "node:test";
import { zip } from "../../viz/canvas/frontend/lib/zip.js";
import { writeBack } from "./reference.js";

const bytes = (text) => new TextEncoder().encode(text);

test("an archive is as long as its format says", async () => {
  const blob = zip({ "a.txt": bytes("abc") });
  assert.equal(blob.type, "application/zip");
  assert.equal(blob.size, 30 + 5 + 3 + (46 + 5) + 22); // local header, name, data, entry of the directory, its end
  assert.equal(zip({}).size, 22);
});

test("Python's zipfile reads the archive back", async () => {
  const noise = Uint8Array.from({ length: 70_000 }, (_, place) => (place * 197) % 251);
  await writeBack("archive.zip", zip({ "figures/ö – 1.svg": bytes("<svg/>"), empty: new Uint8Array(), noise }));
});
