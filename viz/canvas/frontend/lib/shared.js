// What the parts of a page share. Each component loads its own copy of every file, from a folder of its own, so a
// variable of a module belongs to one component. What belongs to the page is kept under one global name.

const page = (globalThis.attentionLab ??= {});

/**
 * The object of that name, the same one for every component; made by the first that asks.
 * @template T
 * @param {string} name
 * @param {() => T} make
 * @returns {T}
 */
export const shared = (name, make) => (page[name] ??= make());
