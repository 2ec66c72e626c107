// A whole Transformer on one sentence. Each token has a lane; the parts stand along the lanes in the order in which
// they act. Lines show what reaches the token in focus, layer by layer.

/** @typedef {import("../types.js").MachineHeader} Header */
/** @typedef {import("../types.js").MachineArrays} Arrays */
/** @typedef {import("../types.js").PlacedMachine} Placed */
/** @typedef {import("../types.js").Root} Root */
/** @typedef {import("../types.js").Target} Target */
/** @typedef {Pick<Placed, "header" | "stacks" | "colours" | "send">} Received what Python sends */
/** The parts of the figure. targetOf: button → the part that it is for; since: when the pointer came to that part.
 * @typedef {object} Own
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLElement} targets
 * @property {HTMLElement} figure
 * @property {{ root: HTMLElement, title: HTMLElement, text: HTMLElement, pageLink: HTMLButtonElement }} panel
 * @property {Map<HTMLButtonElement, Target>} targetOf
 * @property {number} since
 */
/** It has no place before it is on the screen.
 * @typedef {Omit<Placed, "place"> & Partial<Pick<Placed, "place">> & Own} View
 */

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

/** @param {import("../types.d.ts").Mount<Header, Arrays>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  const { theme } = header;
  /** @type {Received} */
  const received = {
    header,
    colours: { weights: colourTable(theme, "weights"), signed: colourTable(theme, "signed") },
    send: setTriggerValue,
    stacks: stacksOf(header, arrays),
  };
  /** @type {View} */
  const view = (root.view ??= build(root, received));
  Object.assign(view, received);
  const stop = listen(key, () => repaint(view));
  drawings.set(header.key, () => {
    if (!isPlaced(view)) return "";
    const { height } = view.place;
    const drawn = { ...view, part: null, head: null };
    return asSvg(root.clientWidth, height, theme, (pen) => draw(drawn, pen, focused(view, true)));
  });
  arrange(view);
  return stop;
}

/** @type {(view: View) => view is View & Placed} */
const isPlaced = (view) => view.place !== undefined;

/**
 * @param {Root} root
 * @param {Received} received
 */
function build(root, received) {
  const [canvas, targets, panel] = [element("canvas", "drawing"), element("div", "targets"), element("div", "panel")];
  const figure = element("div", "figure");
  figure.append(canvas, targets);
  const [title, text, pageLink] = [element("b", "title"), element("span", "text"), element("button", "page-link")];
  pageLink.type = "button";
  panel.append(title, text, pageLink);
  root.append(figure, panel);
  /** @type {View} */
  const view = {
    ...received,
    root,
    canvas,
    targets,
    figure,
    panel: { root: panel, title, text, pageLink },
    targetOf: new Map(),
    since: -Infinity,
    part: null,
    head: null,
    pressable: [],
    opened: {},
    open(layer, stack) {
      view.opened[stack] = layer;
      arrange(view);
    },
  };
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
  if (!place) return null;
  for (const band of place.bands) {
    if (band.stack.name === "encoder") continue; // the figure follows tokens of the target
    const row = Math.floor((y - band.lanes) / place.lane);
    if (row >= 0 && row < header.tokens.length) return row;
  }
  return null;
}

const WIDE = 1000; // pixels: on a projector a narrower figure has no room for its words

/** @param {View} view */
function arrange(view) {
  const { root, targets, figure } = view;
  if (!root.clientWidth) return;
  view.place = placeOf(view);
  if (!isPlaced(view)) return;
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
    view.pressable.find((target) => old && idOf(target) === idOf(old)) ?? null;
  [view.part, view.head] = [same(view.part), same(view.head)];
  repaint(view);
}

/** @param {View} view */
function repaint(view) {
  const { root, canvas, header } = view;
  if (!isPlaced(view) || !root.clientWidth) return;
  const row = focused(view);
  onCanvas(canvas, root.clientWidth, view.place.height, header.theme, (pen) => draw(view, pen, row));
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
    if (!target) return;
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
    if (!target) return;
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
