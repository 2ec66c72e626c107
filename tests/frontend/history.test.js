import assert from "node:assert/strict";
import test from "node:test";

const listeners = {};
globalThis.location = new URL("http://lab/heads");
globalThis.addEventListener = (kind, listener) => (listeners[kind] = listener);
const { oneEntryEach } = await import("../../viz/canvas/frontend/page/streamlit.js");

// A browser's history, opened anew: its entries, the search of each, and Back.
function opened() {
  const entries = [""];
  let place = 0;
  const open = () => (globalThis.location = new URL(`http://lab/heads${entries[place]}`));
  const write = (search) => {
    entries[place] = search;
    open();
  };
  globalThis.history = {
    replaceState: (_state, _title, address) => write(address.replace("/heads", "")),
    pushState(_state, _title, address) {
      entries.splice(++place);
      write(address.replace("/heads", ""));
    },
  };
  open();
  oneEntryEach();
  return {
    entries,
    act: () => listeners.keydown(),
    answer: (search) => history.pushState({}, "", `/heads${search}`),
    back() {
      place -= 1;
      open();
      listeners.popstate({ stopImmediatePropagation() {} });
      return entries[place];
    },
  };
}

test("what one act writes in several parts is one entry", () => {
  const visit = opened();
  visit.act();
  visit.answer("?layer=1");
  visit.answer("?layer=1&head=2");
  assert.deepEqual(visit.entries, ["", "?layer=1&head=2"]);
  assert.equal(visit.back(), "");
});
