// What a class says of its answers, and which part of the lecturer's address students follow.

import assert from "node:assert/strict";
import test from "node:test";
import "./stand_in.js";
import { outcome } from "../../viz/canvas/frontend/page/class_bar.js";
import { pageOf } from "../../viz/canvas/frontend/page/class_client.js";

const view = (given, right, had, answers, revealed = true) => ({
  given,
  question: { number: 1, text: "Which?", choices: ["a", "b"], revealed },
  results: { answers, bars: [], right, had_it: had },
});

test("the outcome names the measured answer, who had it, and the own answer", () => {
  assert.equal(outcome(view("", "a", 2, 5)), "The measured answer is “a”. 2 of 5 students gave it.");
  assert.equal(
    outcome(view("b", "a", 0, 1)),
    "The measured answer is “a”. 0 of 1 student gave it. Your answer was “b”.",
  );
  assert.equal(outcome(view("b", "", null, 1)), "1 answer. No measured answer was given.");
  assert.equal(outcome(view("b", "a", 0, 1, false)), "", "nothing before it is revealed");
});

test("students follow page and state, and nothing that is the lecturer's own", () => {
  const search = "?text=a+b&class=KTM72XRP&present=grid&figure=grid&layer=2";
  assert.deepEqual(pageOf({ pathname: "/masks", search }), { page: "masks", query: "text=a+b&layer=2" });
  assert.deepEqual(pageOf({ pathname: "/", search: "" }), { page: "", query: "" });
  assert.deepEqual(pageOf({ pathname: "/lab/your-model", search: "?a=%3Cb%3E" }), {
    page: "your-model",
    query: "a=%3Cb%3E",
  });
});
