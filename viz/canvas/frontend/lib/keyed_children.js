// Children with a key each. A child that stays is the same node, so that a press that began on it ends on it, and the
// focus stays where it is. A browser gives no click for a button that was replaced between press and release.

/**
 * Make the children of `parent` the nodes of these keys, in this order. Returns the nodes.
 * @template {HTMLElement} Child
 * @param {HTMLElement} parent
 * @param {string[]} keys a key may occur more than once
 * @param {(key: string) => Child} make makes every child of the parent
 */
export function keyedChildren(parent, keys, make) {
  /** @type {Map<string | undefined, Child[]>} */
  const present = new Map();
  const before = /** @type {HTMLCollectionOf<Child>} */ (parent.children);
  for (const node of before) present.set(node.dataset.id, [...(present.get(node.dataset.id) ?? []), node]);
  const nodes = keys.map((key) => {
    const node = present.get(key)?.shift() ?? make(key);
    node.dataset.id = key;
    return node;
  });
  for (const left of present.values()) for (const node of left) node.remove();
  nodes.forEach((node, place) => {
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
  });
  return nodes;
}
