// The stage: one figure and its sentence, as large as the screen allows, and nothing else. "present": for a projector,
// entered and left by keys. "embed": for a slide or a course page, always. Figures stay where they are and stay alive;
// a style rule lifts one above the page, and scaling lets the browser keep its letters sharp.

/** @typedef {import("../types.js").ShareHeader} Header */
/** @typedef {Header["stage"]["mode"]} Mode */
/** A box of the screen, and the words that stand at its head.
 * @typedef {{ wide: number, left: number, top: number, words: (Words & { top: number }) | null | undefined }} Screen
 */
/** @typedef {ReturnType<typeof wordsAbove>} MaybeWords */
/** @typedef {NonNullable<MaybeWords>} Words */
/** @typedef {ReturnType<typeof caption>} CaptionBox */
/** What fits into the screen. current: whether no other fit has begun.
 * @typedef {object} Fit
 * @property {string} figure
 * @property {Screen} screen
 * @property {CaptionBox} captionBox
 * @property {number} most
 * @property {number} sentence
 * @property {number} tall
 * @property {number[]} shares
 * @property {() => boolean} current
 */
/** A width at which the figure is so high, and how much it is enlarged.
 * @typedef {{ width: number, high: number, scale: number }} FittedWidth
 */
/** @typedef {import("../types.js").Root} Root */

import { element } from "../lib/page_state.js";
import { posts } from "../lib/posts.js";
import { shared } from "../lib/shared.js";
import { app, CHART, figureKeys, isRunning, keyedInApp, nodeOf } from "./streamlit.js";

const LARGE = 2.3; // how large a figure may be drawn on a projector 1280 pixels wide; a person at a desk sees 1
// Of the screen, as the figure lays itself out before it is enlarged.
const WIDTHS = [1, 0.84, 0.7, 0.58, 0.48, 0.4, 0.33, 0.27];
// Pixels of a screen 720 high: over 2.5 % of it, read from 10 m where it is 2 m high (AVIXA V202.01: 1/200).
const LEGIBLE = 18.5;
const HAND = 700; // pixels: a narrower screen is a phone
const WIDER = [1.6, 1.25]; // in a small frame: what stands side by side is seen whole
const EDGE = 0.025; // of the screen's width
const MIDDLE = 1.4; // while widths are tried: the scale that letters reckon with where height is what lacks
const ROUNDS = 4;
// Milliseconds before Python hears of a step, and before a figure that is not drawn yet is asked again.
const WAIT = 250;
const MAIN = 200; // pixels: the first figure of a page that is at least so tall is the one the page is about
// On a projector: what stands above a figure, and whose sentence stands below it, where the page has them.
/** @type {Record<string, string>} */
const WORDS_ABOVE = { grid: "sentence", enlarged: "sentence" };
/** @type {Record<string, string>} */
const SENTENCE_OF = { grid: "enlarged" };
const WORDS = 17; // pixels: the size of the words above a figure, as they lay themselves out
export const PATIENCE = 2500; // milliseconds that a figure may take to come
const LOOK = 150; // milliseconds between two looks at whether the page is complete

/** What is on the stage. shown, node: the figure that is lifted; settled: its height with its sentence.
 * @type {{ mode: Mode, figure: string, shown: string, node: HTMLElement | null, main: string, since: number } &
 *   { posts: ReturnType<typeof posts>, post: (post: { number: number, value: unknown }) => void } &
 *   { fitting: number, settled: number, begun: boolean, listening: boolean } &
 *   { sizes: ResizeObserver | null, watching: ReturnType<typeof setTimeout> | undefined }}
 */
const stage = {
  mode: "",
  figure: "",
  shown: "",
  node: null,
  main: "",
  since: 0,
  posts: posts(WAIT),
  post() {},
  fitting: 0,
  settled: 0,
  begun: false,
  listening: false,
  sizes: null,
  watching: undefined,
};
const style = element("style", "");
const note = element("div", "stage-note");
const bare = element("style", "", ".lab > :not(.reading) { display: none !important; }");

// The step that is open; see page/lesson.js.
/** @type {import("../types.d.ts").OpenLesson} */
const open = shared("lesson", () => ({ step: null, onKey: null }));
const lesson = () => open.step;
// The figure that the step of a lesson points at, where the page has it.
const figureOfLesson = () => (nodeOf(lesson()?.figure_key ?? "") ? (lesson()?.figure_key ?? "") : "");

// The figures of the page, from its top to its end: each has its sentence under it.
function figuresOnPage() {
  return figureKeys().filter((key) => nodeOf(key));
}

// The figure that fills most of the window: what the person is looking at.
function mostVisible() {
  /** @param {string} key */
  const visibleArea = (key) => {
    const box = /** @type {HTMLElement} */ (nodeOf(key)).getBoundingClientRect();
    const tall = Math.min(box.bottom, innerHeight) - Math.max(box.top, 0);
    return Math.max(0, tall) * box.width;
  };
  return figuresOnPage().reduce((best, key) => (best && visibleArea(best) >= visibleArea(key) ? best : key), "");
}

// What a page is about. Once chosen it stays, however small it gets, but for one above it that comes later.
function main() {
  const figure = figuresOnPage().find((key) => key === stage.main || (nodeOf(key)?.offsetHeight ?? 0) >= MAIN);
  if (figure) return (stage.main = figure);
  return Date.now() - stage.since < PATIENCE ? "" : mostVisible();
}

// The message for a step of a lesson whose figure the page does not have in this state.
/** @param {string} figure_key */
export const missingFigure = (figure_key) =>
  `This step points at the figure “${figure_key}”, which is not on this page in this state. ` +
  `There are: ${figuresOnPage().join(", ") || "none"}.`;

// What Python says: the mode and figure of the link, the step of a lesson.
/**
 * @param {Header} header
 * @param {typeof stage.post} post
 */
export function setStage(header, post) {
  stage.post = post;
  const { mode, figure } = header.stage;
  const news = stage.posts.news([mode, figure], header.acknowledged);
  if (news && (!stage.begun || mode !== stage.mode || figure !== stage.figure)) show(mode, figure);
  stage.begun = true;
  listen();
}

/**
 * @param {Mode} mode
 * @param {string} figure
 */
function show(mode, figure) {
  stage.mode = mode;
  stage.figure = figure;
  Object.assign(stage, { shown: "", node: null, main: "", since: Date.now() });
  document.documentElement.toggleAttribute("data-stage", Boolean(mode));
  setLeast(0);
  if (!mode) {
    stage.fitting++; // whatever is still being fitted stops
    for (const node of [style, note, bare]) node.remove();
    dispatchEvent(new Event("resize"));
    return;
  }
  /** @type {HTMLElement | null} */ (document.activeElement)?.blur();
  lift();
  setTimeout(() => stage.mode && stage.shown !== wantedFigure() && lift(), PATIENCE); // another may have come
}

// Shows what the lesson points at, or what is looked at; whether there is a figure.
function enter() {
  const figure = figureOfLesson() || mostVisible();
  if (!stage.mode) step(figure);
  return Boolean(figure);
}

/** @param {string} figure */
function step(figure) {
  if (!figure || stage.mode === "embed") return;
  show("present", figure);
  later(figure);
}

function leave() {
  if (stage.mode !== "present") return;
  show("", "");
  later("");
}

/** @param {string} figure */
function later(figure) {
  stage.posts.act(() => [figure ? "present" : "", figure], stage.post);
}

// One further: within a lesson to its next step, within a figure that has steps to its next one, else to the next
// figure.
/** @param {number} delta */
function further(delta) {
  const current = lesson();
  if (current) return current.go(delta);
  if (advance(stage.shown, delta)) return;
  const all = figuresOnPage();
  step(all[all.indexOf(stage.shown) + delta]);
}

// Within a figure that has steps; whether it has this one.
/**
 * @param {string} figure
 * @param {number} delta
 */
const advance = (figure, delta) =>
  Boolean(/** @type {Root | null} */ (within(nodeOf(figure))?.querySelector(".lab") ?? null)?.advance?.(delta));

export const stageKeys = { enter };

// Once for the page: keys, and figures that come, go or change their size.
function listen() {
  if (stage.listening) return;
  stage.listening = true;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.composedPath()[0]);
    if (target.isContentEditable || target.matches?.("textarea, select, input:not([type=range]), dialog *")) return;
    const delta = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (delta && target === document.body && advance(stage.mode ? stage.shown : mostVisible(), delta))
      return event.preventDefault();
    if (stage.mode !== "present") {
      if (event.key === "p") enter();
      return;
    }
    const pressed = target.matches?.("button, [role=button], [role=slider], a, input") && event.key === " ";
    const act = {
      Escape: leave,
      p: leave,
      PageDown: () => further(1),
      PageUp: () => further(-1),
      " ": () => further(event.shiftKey ? -1 : 1),
    }[event.key];
    if (!act || pressed) return;
    event.preventDefault();
    act();
  });
  addEventListener("resize", () => stage.mode && lift());
  addEventListener("attention-lab-lesson", () => {
    stage.since = Date.now();
    if (stage.mode) lift();
  });
  new MutationObserver(() => {
    if (!stage.mode) return;
    clearTimeout(stage.watching);
    stage.watching = setTimeout(
      () => (stage.shown !== wantedFigure() || stage.node !== nodeOf(stage.shown)) && lift(),
      120,
    );
  }).observe(app() ?? document.body, { childList: true, subtree: true });
}

// "true" asks for the figure that the lesson points at, or else for the one the page is about.
function wantedFigure() {
  if (nodeOf(stage.figure)) return stage.figure;
  if (stage.mode === "embed" || (stage.figure && stage.figure !== "true")) return "";
  if (lesson()?.figure_key && !figureOfLesson() && Date.now() - stage.since < PATIENCE) return "";
  return figureOfLesson() || main();
}

// A phone is held near: there nothing needs to be enlarged.
const inHand = () => innerWidth < HAND;

// The least size of letters in the lifted figure; see projected() in lib/page_state.js.
/** @param {number} scale */
function setLeast(scale) {
  const { dataset, style } = document.documentElement;
  const least = scale && stage.mode === "present" && !inHand() ? (LEGIBLE * innerHeight) / 720 / scale : 0;
  if (!least) delete dataset.projected;
  else dataset.projected = String(least);
  style.setProperty("--least", `${least}px`);
}

// The words that stand above the figure, where a room reads them: { key, scale, least, wide }.
/**
 * @param {string} figure
 * @param {number} wide
 */
function wordsAbove(figure, wide) {
  const key = WORDS_ABOVE[figure];
  if (stage.mode !== "present" || inHand() || !key || !nodeOf(key)) return null;
  const letters = (LEGIBLE * innerHeight) / 720;
  const scale = Math.max(letters, innerWidth / 60) / WORDS;
  return { key, scale, least: letters / scale, wide: wide / scale };
}

// The key of what is below the figure: its sentence and its files.
/** @param {string} figure */
function below(figure) {
  const key = stage.mode === "present" && !inHand() ? (SENTENCE_OF[figure] ?? figure) : figure;
  return `save_${nodeOf(`save_${key}`) ? key : figure}`;
}

// Lifts the figure that is wanted above the page, and fits it and its sentence into the screen.
async function lift() {
  if (!stage.mode) return; // it was left meanwhile
  const turn = ++stage.fitting;
  document.documentElement.dataset.stage = ""; // until it stands
  document.head.append(style);
  document.body.append(note);
  const figure = wantedFigure();
  Object.assign(stage, { shown: figure, node: nodeOf(figure), settled: 0 });
  showNote(figure);
  stage.sizes?.disconnect();
  if (!figure) {
    style.textContent = "";
    // What is drawn in a figure changes nothing that is watched, so ask again.
    if (Date.now() - stage.since < PATIENCE) setTimeout(() => turn === stage.fitting && lift(), WAIT);
    return;
  }
  const wide = innerWidth * (1 - 2 * EDGE);
  const words = wordsAbove(figure, wide);
  const title = note.firstChild ? note.offsetHeight + 8 : 0;
  const [left, top] = [innerWidth * EDGE, innerWidth * (words ? EDGE / 2 : EDGE)];
  const screen = { wide, left, top, words: words && { ...words, top: top + title } };
  const near = stage.mode === "embed" || inHand();
  const most = near ? 1.25 : (LARGE * innerWidth) / 1280;
  const captionBox = caption(
    figure,
    screen.wide,
    near ? Math.min(1, Math.max(0.75, innerHeight / 480)) : Math.max(innerWidth / 1280, innerHeight / 720),
  );
  style.textContent = rules(figure, screen.wide, 1, screen, captionBox, 0) + covered(figure);
  await frames();
  const sentence = captionBox.tall();
  const above = title + (words ? (nodeOf(words.key)?.offsetHeight ?? 0) * words.scale + 8 : 0);
  const tall = innerHeight - 2 * screen.top - above - (sentence ? sentence + 12 : 0);
  /** @type {Fit} */
  const fit = {
    figure,
    screen,
    captionBox,
    most,
    sentence,
    tall,
    shares: near ? [...WIDER, ...WIDTHS] : WIDTHS,
    current: () => turn === stage.fitting,
  };
  const best = await tryWidths(fit);
  if (!best) return;
  screen.top += above;
  if (!(await place(fit, best))) return;
  stage.settled = height(figure, captionBox);
  watch(figure, captionBox);
  document.documentElement.dataset.stage = figure;
}

// Hides the figure and its sentence while they are being fitted, so that nothing that is seen moves.
/** @param {string} figure */
const covered = (figure) => {
  const parts = [selector(figure), selector(below(figure))];
  return `${parts.map((part) => `${part}, ${part} *`).join(", ")} { visibility: hidden !important; }`;
};

// The width at which the figure, as it lays itself out there, can be enlarged most: { width, high, scale }. Nothing
// where another fit has begun or the figure is not drawn yet.
/**
 * @param {Fit} fit
 * @returns {Promise<FittedWidth | null>}
 */
async function tryWidths({ figure, screen, captionBox, most, shares, tall, current }) {
  /** @type {FittedWidth | null} */
  let best = null;
  const chart = nodeOf(figure)?.querySelector(CHART); // as tall at every width, and slow to follow a change
  const natural = chart ? Math.min(most, tall / (nodeOf(figure)?.offsetHeight ?? 1)) : 1;
  for (const share of chart ? [1 / Math.max(natural, 0.4)] : shares) {
    const width = Math.round(screen.wide * share);
    const widest = Math.min(most, screen.wide / width);
    let [scale, high] = [Math.min(widest, MIDDLE), 0];
    for (const pass of [0, 1]) {
      const assumed = scale;
      setLeast(scale);
      style.textContent = rules(figure, width - pass, 1, screen, captionBox, 0) + covered(figure);
      await frames();
      if (!current()) return null;
      high = nodeOf(figure)?.offsetHeight ?? 0;
      if (!high) {
        setTimeout(() => current() && lift(), WAIT);
        return null;
      }
      scale = Math.min(widest, tall / high);
      if (scale > assumed * 0.96) break; // else letters must be larger than they were
    }
    const crowded = Boolean(best) && cramped(within(nodeOf(figure)));
    if (!best || (scale > best.scale * 1.04 && !crowded)) best = { width, high, scale };
    else if (share < 1 && scale < best.scale * 0.8) break; // from here on it only gets taller
  }
  return best;
}

// Puts the figure there; whether it stands. It has one pixel less each time, for it must hear of a change to draw
// itself anew, as sharp as it is large now. Larger letters can move a label to another line, and a taller figure stands
// smaller: so again until it rests.
/**
 * @param {Fit} fit
 * @param {FittedWidth} best
 */
async function place({ figure, screen, captionBox, sentence, tall, current }, best) {
  let atRest = "";
  // The width that was tried last may be that of the first round: without another one between, nothing is drawn anew.
  style.textContent = rules(figure, best.width + 1, best.scale, screen, captionBox, best.high) + covered(figure);
  await frames();
  if (!current()) return false;
  for (let [round, before, high] = [1, -Infinity, best.high]; round <= ROUNDS && Math.abs(high - before) > 1; round++) {
    const scale = Math.min(best.scale, tall / high);
    const spare = Math.max(0, tall - high * scale);
    setLeast(scale);
    const top = screen.top + spare / 2;
    const fitted = rules(figure, best.width - round, scale, { ...screen, top }, captionBox, high);
    style.textContent = fitted + covered(figure);
    await frames();
    if (!current()) return false;
    if (Math.abs(captionBox.tall() - sentence) > 4) {
      lift(); // the sentence came after the figure
      return false;
    }
    before = high;
    high = nodeOf(figure)?.offsetHeight || high;
    atRest = fitted;
  }
  style.textContent = atRest;
  return true;
}

/**
 * @param {string} figure
 * @param {CaptionBox} captionBox
 */
const height = (figure, captionBox) => (nodeOf(figure)?.offsetHeight ?? 0) + captionBox.tall() / captionBox.scale;

// A figure or a sentence that grows or shrinks by itself, because it was not drawn yet or has changed, is fitted anew.
/**
 * @param {string} figure
 * @param {CaptionBox} captionBox
 */
function watch(figure, captionBox) {
  const sizes = new ResizeObserver(() => {
    if (stage.mode && stage.shown === figure && Math.abs(height(figure, captionBox) - stage.settled) > 2) lift();
  });
  for (const node of [nodeOf(figure), nodeOf(below(figure))]) if (node) sizes.observe(node);
  stage.sizes = sizes;
}

const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

// At this width not every word is named, or some have to be scrolled to.
/** @param {ShadowRoot | null | undefined} root */
function cramped(root) {
  if (!root || root.querySelector("[data-crowded]")) return Boolean(root);
  /** @param {HTMLElement} node */
  const scrolls = (node) =>
    node.scrollWidth > node.clientWidth + 8 && /auto|scroll/.test(getComputedStyle(node).overflowX);
  return [...root.querySelectorAll("div")].some(scrolls);
}

// What a component has drawn stands behind a shadow root.
/** @param {HTMLElement | null} node */
const within = (node) => [...(node?.querySelectorAll("*") ?? [])].find((part) => part.shadowRoot)?.shadowRoot;

// The sentence under the figure, in large type and without its buttons.
/**
 * @param {string} figure
 * @param {number} wide
 * @param {number} scale
 */
function caption(figure, wide, scale) {
  const node = nodeOf(below(figure));
  const inner = within(node);
  inner?.append(bare);
  const explains = inner?.querySelector(".lab.compact");
  if (stage.mode === "present" && !inHand()) scale *= explains ? 1.45 : 1.7;
  const empty = () => !inner?.querySelector(".reading:not([hidden])")?.textContent;
  return { scale, width: wide / scale, tall: () => (empty() ? 0 : (node?.offsetHeight ?? 0) * scale) };
}

/** @param {string} figure */
const selector = (figure) => `:root[data-stage] ${keyedInApp(figure)}`;

/**
 * @param {string} figure
 * @param {number} width
 * @param {number} scale
 * @param {Screen} screen
 * @param {CaptionBox} captionBox
 * @param {number} height
 */
function rules(figure, width, scale, screen, captionBox, height) {
  const left = screen.left + (screen.wide - width * scale) / 2;
  const under = screen.top + height * scale + 12;
  const [shown, sentence, { words }] = [selector(figure), selector(below(figure)), screen];
  const placed =
    "position: fixed !important; margin: 0 !important; outline: none !important; max-width: none !important; " +
    "z-index: 1;";
  // Plotly measures itself on the screen: only what lies within the measured box may be enlarged.
  const chart = Boolean(nodeOf(figure)?.querySelector(CHART));
  const enlarged = chart ? `${shown} .svg-container` : shown;
  return `
    ${chart ? `${shown}, ${shown} * { overflow: visible !important; pointer-events: none; }` : ""}
    ${shown}, ${shown} *, ${sentence}, ${sentence} * { visibility: visible !important; }
    ${shown} { ${placed} left: ${left}px; top: ${screen.top}px; width: ${width}px !important; }
    ${enlarged} { transform: scale(${scale}); transform-origin: 0 0; }
    ${sentence} { ${placed} left: ${screen.left}px; top: ${under}px; width: ${captionBox.width}px !important;
      transform: scale(${captionBox.scale}); transform-origin: 0 0; }
    ${words ? wordsRules(words, screen.left, placed) : ""}
  `;
}

/**
 * @param {{ key: string, scale: number, least: number, wide: number, top: number }} words
 * @param {number} left
 * @param {string} placed
 */
function wordsRules({ key, scale, least, wide, top }, left, placed) {
  const node = selector(key);
  return `
    ${node}, ${node} * { visibility: visible !important; }
    ${node} { ${placed} left: ${left}px; top: ${top}px; width: ${wide}px !important; --least: ${least}px;
      transform: scale(${scale}); transform-origin: 0 0; }
  `;
}

// Whether the page has drawn all that it will: its script has ended. A figure that comes later is still lifted.
const isComplete = () => Date.now() - stage.since > PATIENCE || (figuresOnPage().length > 0 && !isRunning());

// What stands over the figure: the heading of a lesson's step, and its question while the figure is covered; or why
// there is no figure.
/** @param {string} figure */
function showNote(figure) {
  const parts = [];
  const all = figuresOnPage();
  if (figure) {
    if (stage.mode === "present" && lesson()) parts.push(element("p", "title", lesson()?.title ?? ""));
    if (stage.mode === "present" && lesson()?.question) parts.push(element("p", "question", lesson()?.question ?? ""));
    const figure_key = lesson()?.figure_key;
    if (figure_key && !nodeOf(figure_key)) parts.push(element("p", "missing", missingFigure(figure_key)));
  } else if (isComplete()) {
    const named = stage.figure === "true" ? "" : ` “${stage.figure}”`;
    const list = all.length ? ` There ${all.length === 1 ? "is" : "are"}: ${all.join(", ")}.` : "";
    parts.push(element("p", "missing", `There is no figure${named} on this page in this state.${list}`));
  } else setTimeout(() => stage.mode && !stage.node && lift(), LOOK);
  note.replaceChildren(...parts);
}
