import assert from "node:assert/strict";
import test from "node:test";

let back; // what the browser calls when a person goes back
globalThis.location = { hash: "" };
globalThis.addEventListener = (kind, listener) => {
  assert.equal(kind, "popstate");
  back = listener;
};
const { posts } = await import("../../viz/canvas/frontend/lib/posts.js");

const WAIT = 200;

// A clock that only the tests move. The protocol sets one timer at a time.
let timer = null;
let now = 0;
globalThis.setTimeout = (work, wait) => (timer = { work, due: now + wait });
globalThis.clearTimeout = (cleared) => {
  if (timer === cleared) timer = null;
};
function rest(time = WAIT) {
  now += time;
  if (!timer || timer.due > now) return;
  const { work } = timer;
  timer = null;
  work();
}

// One figure and the posts it has sent.
function figure(first = 1) {
  const protocol = posts(WAIT);
  assert.equal(protocol.news(first, 0), true, "the first value is shown");
  const sent = [];
  const act = (value) =>
    protocol.act(
      () => value,
      (post) => sent.push(post),
    );
  return { ...protocol, sent, act };
}

test("Python hears of a value only once the person rests, and only of the last", () => {
  const { act, sent } = figure();
  act(2);
  rest(WAIT - 1);
  act(3);
  rest(WAIT - 1);
  assert.deepEqual(sent, []);
  rest(1);
  assert.deepEqual(sent, [{ number: 1, value: 3 }]);
});

test("posts are numbered upwards", () => {
  const { act, sent } = figure();
  for (const value of [2, 3, 4]) {
    act(value);
    rest();
  }
  assert.deepEqual(
    sent.map(({ number }) => number),
    [1, 2, 3],
  );
});

test("a figure that is mounted anew counts on from the number that Python heard last", () => {
  const protocol = posts(WAIT);
  protocol.news(1, 41);
  const sent = [];
  protocol.act(
    () => 2,
    (post) => sent.push(post),
  );
  rest();
  assert.deepEqual(sent, [{ number: 42, value: 2 }]);
});

test("an older answer does not overrule what the person has done since", () => {
  const { act, news } = figure();
  act(2);
  rest();
  act(3);
  rest();
  assert.equal(news(2, 1), false, "the answer to the first of two posts");
  assert.equal(news(3, 2), true, "the answer to the last one");
});

test("an answer that comes while the person moves on is not shown", () => {
  const { act, news, touch } = figure();
  act(2);
  rest();
  touch();
  assert.equal(news(2, 1), false);
});

test("a value that changed without a post of ours is shown: a link, or another figure", () => {
  const { act, news } = figure();
  act(2);
  rest();
  assert.equal(news(2, 1), true);
  assert.equal(news(7, 1), true);
});

test("an answer that Python skipped is made up for by a newer one", () => {
  const { act, news } = figure();
  act(2);
  rest();
  act(3);
  rest();
  assert.equal(news(3, 2), true, "the answer to the first post never came");
});

test("a value that Python holds already is not posted", () => {
  const { act, sent, news } = figure(5);
  act(6);
  act(5);
  rest();
  assert.deepEqual(sent, []);
  assert.equal(news(5, 0), true);
});

test("nothing is posted where there is nothing to send", () => {
  const { act, sent } = figure();
  act(undefined);
  rest();
  assert.deepEqual(sent, []);
});

test("whoever goes back while a post waits sees what Python says, and the post is not sent", () => {
  const { act, sent, news } = figure();
  act(2);
  back();
  rest();
  assert.deepEqual(sent, []);
  act(3);
  rest();
  back();
  assert.equal(news(1, 0), true, "even though the post is not answered yet");
});

test("a jump within the page is no way back", () => {
  const { act, sent } = figure();
  act(2);
  globalThis.location.hash = "#below";
  back();
  globalThis.location.hash = "";
  rest();
  assert.equal(sent.length, 1);
});
