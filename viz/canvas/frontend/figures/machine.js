// A whole Transformer on one sentence. Each token has a lane; the parts stand along the lanes in the order in which
// they act. Lines show what reaches the token in focus, layer by layer.

/** @typedef {import("../types.js").MachineHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Root} Root */
/** @typedef {import("../types.js").Target} Target */

import { colourTable } from "../lib/cells.js";
import { asSvg, onCanvas } from "../lib/drawing.js";
import { keyedChildren } from "../lib/keyed_children.js";
import {
  countDrawing,
  drawings,
  element,
  hover,
  hoveredRow,
  listen,
  pointer,
  rootOf,
  unpack,
} from "../lib/page_state.js";
import { draw } from "./machine_drawing.js";
import { placeOf, stacksOf, targetsOf } from "./machine_layout.js";

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  const { theme } = header;
  Object.assign(view, {
    header,
    arrays,
    colours: { weights: colourTable(theme, "weights"), signed: colourTable(theme, "signed") },
    send: setTriggerValue,
    stacks: stacksOf(header, arrays),
    open(/** @type {number} */ layer, /** @type {string} */ stack) {
      view.opened[stack] = layer;
      arrange(view);
    },
  });
  view.opened ??= {}; // name of a stack → the layer that is shown with its parts, where not all are
  const stop = listen(key, () => repaint(view));
  drawings.set(header.key, () =>
    asSvg(root.clientWidth, view.place.height, theme, (pen) => {
      draw({ ...view, part: null, head: null }, pen, focused(view, true));
    }),
  );
  arrange(view);
  return stop;
}

/** @param {Root} root */
function build(root) {
  const [canvas, targets, panel] = [element("canvas", "drawing"), element("div", "targets"), element("div", "panel")];
  const figure = element("div", "figure");
  figure.append(canvas, targets);
  const [title, text, pageLink] = [element("b", "title"), element("span", "text"), element("button", "page-link")];
  pageLink.type = "button";
  panel.append(title, text, pageLink);
  root.append(figure, panel);
  /** @type {any} */
  const view = { root, canvas, targets, figure, part: null, head: null };
  view.panel = { root: panel, title, text, pageLink };
  view.targetOf = new Map(); // button → the part that it is for
  figure.onpointermove = (event) => {
    const row = rowAt(view, pointer(figure, event));
    if (row !== null) hover(view.header.positions[row]);
  };
  figure.onpointerleave = () => {
    view.head = null;
    hover(null);
    repaint(view);
  };
  figure.onclick = (event) => {
    const row = rowAt(view, pointer(figure, event));
    if (row !== null) pin(view, row);
  };
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}

/**
 * @param {View} view
 * @param {number} row
 */
function pin(view, row) {
  const { header } = view;
  const position = header.positions[row];
  view.send("pin", { row: header.pinned && header.row === position ? null : position });
}

// The drawn token in focus: the one under the pointer, or the one that is chosen.
/**
 * @param {View} view
 * @param {boolean} [chosen]
 */
function focused({ header }, chosen = false) {
  const row = header.positions.indexOf((chosen ? null : hoveredRow()) ?? header.row);
  return row < 0 ? Math.max(0, header.positions.indexOf(header.row)) : row;
}

/**
 * @param {View} view
 * @param {number[]} point
 */
function rowAt({ place, header }, [, y]) {
  for (const band of place?.bands ?? []) {
    if (band.stack.name === "encoder") continue; // the figure follows tokens of the target
    const row = Math.floor((y - band.lanes) / place.lane);
    if (row >= 0 && row < header.tokens.length) return row;
  }
  return null;
}

const WIDE = 1000; // pixels: on a projector a narrower figure has no room for its words

/** @param {View} view */
function arrange(view) {
  const { root, header, targets, figure } = view;
  if (!header || !root.clientWidth) return;
  view.place = placeOf(view);
  view.panel.root.hidden = view.place.simple;
  root.toggleAttribute("data-crowded", view.place.simple && root.clientWidth < WIDE); // the stage then makes it wider
  figure.style.height = `${view.place.height}px`;
  view.pressable = targetsOf(view);
  keyedChildren(targets, view.pressable.map(idOf), () => button(view)).forEach((node, place) => {
    describe(node, view.pressable[place]);
    view.targetOf.set(node, view.pressable[place]);
  });
  // The part under the pointer or the focus is the same part of the new drawing.
  const same = (/** @type {Target | null} */ old) =>
    view.pressable.find((/** @type {Target} */ target) => old && idOf(target) === idOf(old)) ?? null;
  [view.part, view.head] = [same(view.part), same(view.head)];
  repaint(view);
}

/** @param {View} view */
function repaint(view) {
  const { root, canvas, header, place } = view;
  if (!place || !root.clientWidth) return;
  const row = focused(view);
  onCanvas(canvas, root.clientWidth, place.height, header.theme, (pen) => draw(view, pen, row));
  explain(view, row);
  countDrawing(root);
}

// A button that stays the same while its part is drawn anew, for as long as the part is there.
/** @param {View} view */
function button(view) {
  const node = element("button", "");
  node.type = "button";
  const enter = () => {
    const target = view.targetOf.get(node);
    if (view.part !== target) view.since = performance.now();
    if (target.row !== undefined) hover(target.position ?? null);
    if (isPart(target)) {
      view.part = target;
      view.head = target.kind === "head" ? target : null;
      repaint(view);
    }
  };
  node.onpointerenter = node.onfocus = enter;
  node.onblur = () => {
    view.head = null;
    repaint(view);
  };
  node.onclick = (event) => {
    event.stopPropagation();
    const target = view.targetOf.get(node);
    if (target.row !== undefined) pin(view, target.row);
    else if (!(isPart(target) && isFinger(event) && performance.now() - view.since < TAP)) target.press?.();
  };
  return node;
}

/**
 * @param {HTMLButtonElement} node
 * @param {Target} target
 */
function describe(node, target) {
  node.className = `target ${target.kind}`;
  node.style.cssText = `left:${target.x}px;top:${target.y}px;width:${target.wide}px;height:${target.tall}px`;
  node.setAttribute("aria-label", labelOf(target));
  if (isPart(target)) node.setAttribute("aria-pressed", String(target.on));
  node.disabled = isPart(target) && !target.press;
}

// The name of a button: of the part and of its place.
/** @param {Target} target */
function labelOf({ kind, part, layer, stack, of, text }) {
  if (kind === "head" || kind === "token") return text;
  const place = stack === "encoder" ? ", encoder" : of === "cross" && part !== "cross" ? ", cross-attention" : "";
  if (kind === "fold") return `Open layer ${layer}${place}`;
  const name = part === "cross" ? "cross-attention" : part === "mlp" ? "feed-forward" : text;
  return name + place + (layer === null ? "" : `, layer ${layer}`);
}

const TAP = 600; // milliseconds: a finger that came to a part so shortly before only reads what the part is for

/** @param {MouseEvent} event */
const isFinger = (event) => /** @type {PointerEvent} */ (event).pointerType === "touch";

/** @param {Target} target */
const isPart = ({ kind }) => kind === "chip" || kind === "head";

/** @param {Target} target */
const idOf = ({ kind, part, layer, head, row, of, stack }) => [kind, part, layer, head, row, of, stack].join(" ");

// What the part is for, and what it did to the token in focus.
/**
 * @param {View} view
 * @param {number} row
 */
function explain(view, row) {
  const { header, panel, part: target } = view;
  const part = partOf(header, target) ?? header.parts.length - 1;
  const described = header.parts[part];
  const crosses = target?.kind === "head" && target.of === "cross";
  const purpose = header.purposes[crosses ? "cross_head" : (target?.part ?? described.kind)];
  const where = described.layer === null ? "" : `, layer ${described.layer}`;
  const name = target
    ? target.kind === "head"
      ? target.text
      : header.names[target.part]
    : header.names[described.kind];
  const stack = described.stack === "encoder" && target?.kind !== "head" ? ", encoder" : "";
  panel.title.textContent = target?.kind === "head" ? name : name + stack + (target?.layer === null ? "" : where);
  panel.text.textContent = ` ${purpose} ${header.sentences[row][part]}`;
  const [kind, layer, head] = [target?.part ?? described.kind, target?.layer ?? -1, target?.head ?? -1];
  panel.pageLink.textContent = header.pages[kind] ?? "";
  panel.pageLink.hidden = !header.pages[kind];
  panel.pageLink.onclick = () => view.send("open", [crosses ? "cross_head" : kind, layer, head, described.stack]);
}

// The part of the model that a target belongs to.
/**
 * @param {Header} header
 * @param {Target | null} target
 */
function partOf(header, target) {
  if (!target) return null;
  const kind = target.of ?? "attention";
  const index = header.parts.findIndex(
    (part) => part.kind === kind && part.layer === target.layer && part.stack === target.stack,
  );
  return index < 0 ? null : index;
}
