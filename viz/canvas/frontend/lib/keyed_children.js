// Children with a key each. A child that stays is the same node, so that a press that began on it ends on it, and the
// focus stays where it is. A browser gives no click for a button that was replaced between press and release.

/**
 * Make the children of `parent` the nodes of these keys, in this order. Returns the nodes.
 * @param {any} parent
 * @param {string[]} keys a key may occur more than once
 * @param {(key: string) => any} make
 */
export function keyedChildren(parent, keys, make) {
  /** @type {Map<string, any[]>} */
  const present = new Map();
  for (const node of parent.children) present.set(node.dataset.id, [...(present.get(node.dataset.id) ?? []), node]);
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
