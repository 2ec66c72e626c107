import assert from "node:assert/strict";
import test from "node:test";
import "./stand_in.js";

// As much of an element as the strip touches; a part of it is 60 pixels wide.
globalThis.HTMLElement = class {
  constructor(tag, className = "") {
    Object.assign(this, { tag, className, dataset: {}, attributes: {}, children: [], textContent: "", scrollLeft: 0 });
    Object.assign(this, { offsetLeft: 16 });
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
  removeAttribute(name) {
    delete this.attributes[name];
  }
  replaceChildren(...children) {
    this.children = children;
    children.forEach((child, index) => {
      child.offsetLeft = this.offsetLeft + 60 * index;
    });
  }
};
document.createElement = (tag) => new HTMLElement(tag);
const { partsStrip, showParts } = await import("../../viz/canvas/frontend/page/parts_strip.js");

const NAMES = ["tokens", "mask", "weights", "mlp"];
const parts = (...lit) =>
  NAMES.map((name) => ({ name, label: name.toUpperCase(), hint: `Open ${name}`, lit: lit.includes(name) }));
const marked = (strip) =>
  strip.children.filter((part) => part.attributes["aria-current"]).map((part) => part.dataset.part);

test("the parts that a page is about are marked, and those of the page before are not", () => {
  const strip = partsStrip();
  showParts(strip, parts("mask", "weights"), () => {});
  assert.deepEqual(marked(strip), ["mask", "weights"]);
  showParts(strip, parts("mlp"), () => {});
  assert.deepEqual(marked(strip), ["mlp"]);
});

test("a part keeps its button, with the label, the hint and the click of today", () => {
  const strip = partsStrip();
  const clicked = [];
  showParts(strip, parts(), (name) => clicked.push(`old ${name}`));
  const buttons = [...strip.children];
  showParts(strip, parts("mask"), (name) => clicked.push(name));
  assert.deepEqual(strip.children, buttons);
  buttons[1].onclick();
  assert.deepEqual(clicked, ["mask"]);
  assert.deepEqual([buttons[1].textContent, buttons[1].title, buttons[1].type], ["MASK", "Open mask", "button"]);
});

test("the strip scrolls to the part before the first marked part, and only when the marked parts have changed", () => {
  const strip = partsStrip();
  showParts(strip, parts("weights"), () => {});
  assert.equal(strip.scrollLeft, 60, "mask stands first");
  strip.scrollLeft = 100; // a person's hand
  showParts(strip, parts("weights"), () => {});
  assert.equal(strip.scrollLeft, 100);
  showParts(strip, parts("tokens"), () => {});
  assert.equal(strip.scrollLeft, 0);
});
