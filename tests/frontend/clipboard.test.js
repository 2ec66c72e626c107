import assert from "node:assert/strict";
import test from "node:test";

import { copyText } from "../../viz/canvas/frontend/lib/clipboard.js";

const give = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

test("a browser that has a clipboard is handed the text", async () => {
  const copied = [];
  give("navigator", { clipboard: { writeText: async (text) => void copied.push(text) } });
  await copyText("one\ntwo");
  assert.deepEqual(copied, ["one\ntwo"]);
});

test("without a clipboard a selection is copied, and the field it needs is removed", async () => {
  const steps = [];
  const field = { select: () => steps.push("select"), remove: () => steps.push("remove") };
  give("navigator", {}); // as on a page without https
  give("document", {
    createElement: () => field,
    body: { append: (node) => steps.push(["append", node.value]) },
    execCommand: (command) => steps.push(command),
  });
  await copyText("the text");
  assert.deepEqual(steps, [["append", "the text"], "select", "copy", "remove"]);
});
