import assert from "node:assert/strict";
import { test } from "node:test";
import { keyedChildren } from "../../viz/canvas/frontend/lib/keyed_children.js";

// As much of a parent as the module uses. `moved` counts the nodes that were put somewhere.
function parentOf() {
  const parent = {
    children: [],
    moved: 0,
    insertBefore(node, next) {
      parent.moved++;
      parent.children = parent.children.filter((child) => child !== node);
      parent.children.splice(next ? parent.children.indexOf(next) : parent.children.length, 0, node);
    },
  };
  const make = () => {
    const node = { dataset: {}, remove: () => (parent.children = parent.children.filter((child) => child !== node)) };
    return node;
  };
  return [parent, make];
}

const keysOf = (parent) => parent.children.map((node) => node.dataset.id);

test("the children have the keys in their order, and what stays is the same node", () => {
  const [parent, make] = parentOf();
  const [a, b, c] = keyedChildren(parent, ["a", "b", "c"], make);
  keyedChildren(parent, ["c", "d", "a"], make);
  assert.deepEqual(keysOf(parent), ["c", "d", "a"]);
  assert.equal(parent.children[0], c);
  assert.equal(parent.children[2], a);
  assert.ok(!parent.children.includes(b));
});

test("the same keys again move no node", () => {
  const [parent, make] = parentOf();
  keyedChildren(parent, ["a", "b", "a"], make);
  const before = [...parent.children];
  parent.moved = 0;
  assert.deepEqual(keyedChildren(parent, ["a", "b", "a"], make), before);
  assert.equal(parent.moved, 0);
  assert.equal(new Set(before).size, 3, "a key that occurs twice has two nodes");
});

test("what is left over goes", () => {
  const [parent, make] = parentOf();
  keyedChildren(parent, ["a", "b", "b"], make);
  keyedChildren(parent, ["b"], make);
  assert.deepEqual(keysOf(parent), ["b"]);
  keyedChildren(parent, [], make);
  assert.deepEqual(keysOf(parent), []);
});
