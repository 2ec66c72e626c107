import assert from "node:assert/strict";
import test from "node:test";
import { shareOf, termsOf } from "../../viz/canvas/frontend/lib/schedules.js";
import { jsonFrom } from "./reference.js";

test("the browser and model/training/optimizer.py have the same rates", () => {
  for (const { decay, width, warmup, steps, lr, rates } of jsonFrom("schedules.json")) {
    rates.forEach((rate, place) => {
      const step = place + 1;
      const own = decay.startsWith("Vaswani")
        ? Math.min(...termsOf(width, warmup, step))
        : lr * shareOf(decay, warmup, steps, step);
      assert.ok(Math.abs(own - rate) < 1e-12, `${decay}, step ${step}: ${own} is not ${rate}`);
    });
  }
});
