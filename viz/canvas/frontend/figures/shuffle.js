// A sentence whose words can be put in another order, by hand or by keys; below each word, how far its output vector
// moved.

/** @typedef {import("../types.js").ShuffleHeader} Header */
/** What this figure keeps.
 * @typedef {object} Own
 * @property {HTMLElement} table
 * @property {number | null} held
 * @property {ReturnType<typeof posts>} posts
 * @property {Float32Array} change
 * @property {(order: unknown) => void} post
 * @property {number[]} order
 * @property {number | null | undefined} focus
 */
/** @typedef {import("../types.js").View<Header, Own>} View */
/** @typedef {import("../types.js").Root} Root */

import { asSvg, widthOf } from "../lib/drawing.js";
import { countDrawing, drawings, element, listen, rootOf, unpack } from "../lib/page_state.js";
import { posts } from "../lib/posts.js";
import { powerOfTen } from "../lib/values.js";

const TALL = 56; // pixels of the largest bar
const WAIT = 150; // milliseconds that the order rests before it is posted to Python

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  // The numbers belong to Python's order: they are not shown as long as a later order of the person is on its way.
  if (!view.posts.news(header.order, header.acknowledged)) return listen(key, () => {});
  Object.assign(view, {
    header,
    change: arrays.change.values,
    post: (/** @type {unknown} */ order) => setTriggerValue("order", order),
  });
  view.order = [...header.order];
  view.root.classList.remove("waiting");
  const stop = listen(key, () => {});
  drawings.set(header.key, () => save(view));
  show(view);
  return stop;
}

/** @param {Root} root */
function build(root) {
  const [hands, scroll, table] = [element("div", "hands"), element("div", "scroll"), element("div", "table")];
  const [mix, back, hint] = [
    element("button", "", "Shuffle"),
    element("button", "", "Put back"),
    element("span", "hint"),
  ];
  hint.textContent = "Drag a word onto another, or move it with ← and →.";
  const view = /** @type {View} */ (/** @type {unknown} */ ({ root, table, held: null, posts: posts(WAIT) }));
  mix.onclick = () => {
    const order = view.header.order.map((_, place) => place);
    for (let place = order.length - 1; place > 1; place--) {
      const other = 1 + Math.floor(Math.random() * place); // the start mark stays where it is
      [order[place], order[other]] = [order[other], order[place]];
    }
    put(view, order);
  };
  back.onclick = () =>
    put(
      view,
      view.header.order.map((_, place) => place),
    );
  hands.append(mix, back, hint);
  scroll.append(table);
  root.append(hands, scroll);
  table.onkeydown = (event) => key(view, event);
  table.onpointerdown = (event) => grab(view, event);
  table.onpointermove = (event) => drag(view, event);
  table.onpointerup = (event) => drop(view, event);
  table.onpointercancel = () => release(view);
  return view;
}

// The browser shows the new order at once; the numbers follow when the model has read it.
/**
 * @param {View} view
 * @param {number[]} order
 * @param {number} [focus]
 */
function put(view, order, focus) {
  if (order.join() === view.order.join()) return;
  view.order = order;
  view.focus = focus;
  view.root.classList.toggle("waiting", order.join() !== view.header.order.join());
  show(view);
  view.posts.act(() => view.order, view.post);
}

/** @param {View} view */
function show(view) {
  const { table, header, order } = view;
  const { tokens, cases } = header;
  table.style.gridTemplateColumns = `max-content repeat(${tokens.length}, minmax(52px, max-content))`;
  const chips = order.map((word, place) => {
    const chip = element("button", `chip${place ? "" : " fixed"}${word === place ? "" : " moved"}`, tokens[word]);
    Object.assign(chip, { type: "button", disabled: place === 0 });
    chip.dataset.place = String(place);
    if (place) chip.setAttribute("aria-label", `${tokens[word]}, word ${place}; arrows move it`);
    return chip;
  });
  const rows = cases.flatMap(({ name, result }, row) => {
    const title = element("div", "case");
    title.append(element("b", "", name), element("span", "", result));
    return [
      title,
      ...order.map((word) => {
        const change = view.change[row * tokens.length + word];
        const cell = element("div", `cell${change < header.rounding ? " still" : ""}`);
        const bar = element("div", "bar");
        bar.style.height = `${change < header.rounding ? 0 : Math.max(1, Math.min(change / header.most, 1) * TALL)}px`;
        cell.append(element("span", "number", format(change)), bar);
        return cell;
      }),
    ];
  });
  table.replaceChildren(element("div", "case"), ...chips, ...rows);
  if (view.focus) chips[view.focus]?.focus();
  countDrawing(view.root);
}

/** @param {number} change */
const format = (change) => (change === 0 ? "0" : change < 0.005 ? powerOfTen(change, 0) : change.toFixed(2));

/** @param {EventTarget | null} target */
const placeOf = (target) => {
  const chip =
    target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest(".chip:not(.fixed)")) : null;
  return chip ? Number(chip.dataset.place) : null;
};

/**
 * @param {View} view
 * @param {KeyboardEvent} event
 */
function key(view, event) {
  const place = placeOf(event.target);
  /** @type {Record<string, number>} */
  const steps = { ArrowLeft: -1, ArrowRight: 1 };
  const to = (place ?? NaN) + steps[event.key];
  if (place === null || !(to >= 1 && to < view.order.length)) return;
  event.preventDefault();
  swap(view, place, to);
}

/**
 * @param {View} view
 * @param {number} from
 * @param {number} to
 */
function swap(view, from, to) {
  const order = [...view.order];
  [order[from], order[to]] = [order[to], order[from]];
  put(view, order, to);
}

/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function grab(view, event) {
  const place = placeOf(event.target);
  if (place === null) return;
  view.held = place;
  view.focus = null;
}

// The chip under the pointer: the component lives in a shadow tree, whose own root must be asked.
/**
 * @param {View} view
 * @param {PointerEvent} event
 */
const under = (view, event) =>
  placeOf(/** @type {ShadowRoot} */ (view.root.getRootNode()).elementFromPoint(event.clientX, event.clientY));

/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function drag(view, event) {
  if (view.held === null) return;
  const over = under(view, event);
  for (const chip of /** @type {NodeListOf<HTMLElement>} */ (view.table.querySelectorAll(".chip"))) {
    chip.classList.toggle("held", Number(chip.dataset.place) === view.held && over !== view.held);
    chip.classList.toggle("over", Number(chip.dataset.place) === over && over !== view.held);
  }
}

/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function drop(view, event) {
  const [from, to] = [view.held, under(view, event)];
  release(view);
  if (from !== null && to !== null && from !== to) swap(view, from, to);
}

/** @param {View} view */
function release(view) {
  view.held = null;
  for (const chip of view.table.querySelectorAll(".chip")) chip.classList.remove("held", "over");
}

/** @param {View} view */
function save(view) {
  const { header, order, change } = view;
  const { tokens, cases, theme } = header;
  const wide = order.map((word) => Math.max(52, widthOf(tokens[word], 16) + 18));
  const left = 200;
  const starts = wide.map((_, place) => left + wide.slice(0, place).reduce((sum, wordWidth) => sum + wordWidth, 0));
  const width = left + wide.reduce((sum, wordWidth) => sum + wordWidth, 0);
  return asSvg(width, 50 + cases.length * 92, theme, (pen) => {
    order.forEach((word, place) => {
      const fill = word === place ? theme.ink : theme.accent;
      pen.text(starts[place] + wide[place] / 2, 20, tokens[word], { size: 16, anchor: "middle", fill });
    });
    cases.forEach(({ name, result }, row) => {
      const base = 50 + row * 92 + 76;
      pen.text(0, base - 24, name, { size: 14, weight: 600 });
      pen.text(0, base - 8, result, { size: 12, fill: theme.muted });
      pen.line(
        [
          [left, base],
          [width, base],
        ],
        theme.rule,
      );
      order.forEach((word, place) => {
        const value = change[row * tokens.length + word];
        const tall = value < header.rounding ? 0 : Math.max(1, Math.min(value / header.most, 1) * TALL);
        pen.rect(starts[place] + wide[place] / 2 - 15, base - tall, 30, tall, theme.accent);
        pen.text(starts[place] + wide[place] / 2, base - tall - 9, format(value), {
          size: 11.5,
          fill: theme.muted,
          anchor: "middle",
        });
      });
    });
  });
}
