// The line at the head of every page: the parts of the model, and what a person can take along: the link of the page
// (as text or as a QR code), and the stage for a projector or a slide.

/** @typedef {import("../types.js").ShareHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Root} Root */

import { copyText } from "../lib/clipboard.js";
import { element, rootOf, unpack } from "../lib/page_state.js";
import { shared } from "../lib/shared.js";
import { classSheet, drawClass } from "./class_bar.js";
import { ClassClient, joinLink } from "./class_client.js";
import { showOnStage } from "./class_stage.js";
import { lookAhead } from "./lookahead.js";
import { partsStrip, showParts } from "./parts_strip.js";
import { setStage, stageKeys } from "./stage.js";
import { app, applyOnEnter, isRunning, mainArea, oneEntryEach } from "./streamlit.js";

const SVG = "http://www.w3.org/2000/svg";
const MESSAGE_TIME = 1600; // milliseconds that a button says what came of it

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue }) {
  const { header } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {View} */
  const view = (root.view ??= build(root));
  if (view.header && view.header.opened !== header.opened) mainArea()?.scrollTo(0, 0);
  Object.assign(view, { header, trigger: setTriggerValue });
  showParts(view.strip, header.strip, (name) => setTriggerValue("part", name));
  takePartInClass(view, header.join, header.followed);
  lookAhead(header.lookahead, header.removed);
  if (header.code && view.awaited) {
    view.awaited = false;
    showCode(view, header.code);
  }
  setStage(header, (/** @type {unknown} */ post) => setTriggerValue("present", post));
  view.watch?.disconnect();
  view.watch = watchTheme(view);
  return () => view.watch.disconnect();
}

/** @param {Root} root */
function build(root) {
  oneEntryEach();
  shared("enter", () => {
    applyOnEnter();
    // The question of a page may come after the news of the class.
    addEventListener("attention-lab-question", () => shared("class", () => new ClassClient()).changed());
    return {};
  });
  /** @type {any} */
  const view = { root, awaited: false };
  /**
   * @param {string} label
   * @param {string} hint
   * @param {() => void} act
   */
  const button = (label, hint, act) => {
    const node = element("button", "tool", label);
    Object.assign(node, { type: "button", title: hint, onclick: act });
    node.setAttribute("aria-label", hint);
    return node;
  };
  view.copy = button("Copy link", "Copy the link to exactly this state", () => copy(view));
  view.code = button("QR code", "Show the link as a QR code", () => {
    view.awaited = true;
    view.trigger("code", { link: pageLink() });
  });
  view.present = button("Present", "Show one figure, large (key P; Space steps, Escape leaves)", () => {
    if (!stageKeys.enter()) showMessage(view.present, "No figure here");
  });
  view.class = button("Class", "Start a class, or join one", () => classSheet(/** @type {any} */ (view)));
  view.sheet = element("dialog", "sheet");
  // Not in one expression: a handler that returns false keeps the forms of the sheet from being sent.
  view.sheet.onclick = (/** @type {PointerEvent} */ event) => {
    if (event.target === view.sheet) view.sheet.close();
  };
  view.strip = partsStrip();
  const tools = element("div", "tools");
  tools.append(view.copy, view.code, view.present, view.class);
  view.bar = element("section", "class");
  view.bar.hidden = true;
  view.bar.setAttribute("aria-label", "Class");
  root.append(view.strip, tools, view.bar, view.sheet);
  return view;
}

// A class lasts while its tab shows page after page.
/**
 * @param {View} view
 * @param {string} join the code in the link that was opened
 * @param {number} followed the last move of the lecturer that Python has taken
 */
function takePartInClass(view, join, followed) {
  const client = shared("class", () => new ClassClient());
  view.client = client;
  view.showCode = () => {
    view.awaited = true;
    view.trigger("code", { link: joinLink(client.code) });
  };
  const place = /** @type {import("./class_bar.js").Place} */ (/** @type {any} */ (view));
  client.changed = () => {
    drawClass(place);
    showOnStage(client.isLecturer ? client.view : null);
  };
  client.isBusy = isRunning;
  client.arrived = followed;
  client.open = (/** @type {unknown} */ page) => view.trigger("follow", page);
  if (join) client.join(join);
  else client.resume();
  drawClass(place);
}

// Python paints in the theme that it has heard of last. Streamlit tells it of another one only with the next click.
/** @param {View} view */
function watchTheme(view) {
  const page = app() ?? document.body;
  const paper = () => getComputedStyle(page).backgroundColor;
  let known = paper();
  const observer = new MutationObserver(() => {
    if (paper() === known) return;
    known = paper();
    if (view.root.isConnected) view.trigger("themed", true);
  });
  observer.observe(page, { attributes: true, attributeFilter: ["class"] });
  return observer;
}

const pageLink = () => location.href.split("#")[0];

/** @param {View} view */
async function copy(view) {
  await copyText(pageLink());
  showMessage(view.copy, "Copied");
}

/**
 * @param {HTMLElement & { timer?: ReturnType<typeof setTimeout> }} button
 * @param {string} message
 */
function showMessage(button, message) {
  button.dataset.label ??= button.textContent ?? "";
  button.textContent = message;
  clearTimeout(button.timer);
  button.timer = setTimeout(() => (button.textContent = button.dataset.label ?? ""), MESSAGE_TIME);
}

// code: { link, side, path } of a square of `side` modules, or { link, refused } with the sentence that says why not.
/**
 * @param {View} view
 * @param {import("../types.js").QrCode} code
 */
function showCode(view, { link, side, path, refused }) {
  const close = element("button", "tool", "Close");
  Object.assign(close, { type: "button", onclick: () => view.sheet.close() });
  /** @type {Element[]} */
  const parts = [close];
  if (refused) parts.unshift(element("p", "refused", refused));
  else {
    const joining = new URL(link).searchParams.get("class");
    const figure = document.createElementNS(SVG, "svg");
    // A quiet zone of four modules, as the standard asks.
    figure.setAttribute("viewBox", `-4 -4 ${side + 8} ${side + 8}`);
    figure.setAttribute("role", "img");
    figure.setAttribute("aria-label", "The link as a QR code");
    const dots = document.createElementNS(SVG, "path");
    dots.setAttribute("d", path);
    figure.append(dots);
    parts.unshift(figure, ...(joining ? [element("p", "join-code", joining)] : []), element("p", "link", link));
    if (/^(localhost|127\.|\[::1\])/.test(new URL(link).host)) {
      parts.splice(
        -1,
        0,
        element(
          "p",
          "refused",
          "Only this machine can open this address. " +
            "For others, start the lab with --server.address 0.0.0.0 and open it under the machine's name.",
        ),
      );
    }
  }
  view.sheet.replaceChildren(...parts);
  if (!view.sheet.open) view.sheet.showModal();
}
