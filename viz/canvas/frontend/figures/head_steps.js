// One row of one head, step by step, with the real numbers. Vectors are strips of cells, laid so that what is
// multiplied stands above each other: q over every k, every v over their mean z, and below them what is added to the
// stream.

/** @typedef {import("../types.js").HeadStepsHeader} Header */
/** @typedef {import("../types.js").HeadStepsArrays} Arrays */
/** @typedef {import("../types.js").HeadNumbers} Numbers */
/** @typedef {import("../types.js").StepKind} StepKind */
/** @typedef {import("../types.js").StepFocus} Focus */
/** What Python sends, as this figure uses it.
 * @typedef {object} Received
 * @property {Header} header
 * @property {Numbers} n
 * @property {import("../types.js").ExplainedStep["sizes"]} sizes
 * @property {import("../types.js").ExplainedStep["exponentials"]} exponentials
 * @property {Uint8ClampedArray} colours
 * @property {(post: { number: number, value: unknown }) => void} post
 */
/** The parts of the figure, and what it keeps. whole: every step is drawn; wide: 0 until it is on the screen.
 * @typedef {object} Own
 * @property {Root} root
 * @property {HTMLElement} names
 * @property {HTMLButtonElement} play
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLCanvasElement} rail
 * @property {HTMLElement} tip
 * @property {HTMLElement} sentenceBox
 * @property {HTMLElement} scroll
 * @property {HTMLElement} terms
 * @property {ReturnType<typeof posts>} posts
 * @property {string | null} about
 * @property {number} step
 * @property {number} keyIndex
 * @property {Focus} focus the number whose sum is open
 * @property {typeof DESK} layout
 * @property {boolean} large
 * @property {number} wide
 * @property {boolean} [whole]
 * @property {ReturnType<typeof setInterval> | undefined} playing
 * @property {Cell[]} hits
 */
/** Numbers of one kind beside each other, `count` of them.
 * @typedef {{ kind: StepKind, s?: number, x: number, y: number, wide: number, tall: number, count: number }} Cell
 */
/** @typedef {Received & Own} View */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").Root} Root */

import { colourOf, colourTable, FULL } from "../lib/cells.js";
import { asSvg, drawSigns, fitted, onCanvas } from "../lib/drawing.js";
import { countDrawing, drawings, element, listen, pointer, projected, rootOf, unpack } from "../lib/page_state.js";
import { playerButtons, showPlaying } from "../lib/player.js";
import { posts } from "../lib/posts.js";
import { showTooltip, tooltip } from "../lib/tooltip.js";
import { indexOfLargest, quoted, valuesOf } from "../lib/values.js";
import { explain, exponentialsOf, formatNumber, PER_KEY, STEPS } from "./head_steps_text.js";

const ROW = 22; // pixels a word
const STRIP = 208; // of q, k, v and z
const GAP = 12;
/** @type {("scores" | "scaled" | "bias" | "masked" | "exp" | "weights")[]} */
const COLUMNS = ["scores", "scaled", "bias", "masked", "exp", "weights"];
// At a desk everything; on a projector what the step needs, in larger letters, of no more words than can be read.
const DESK = {
  words: 96,
  number: 58,
  size: 13,
  small: 12,
  query: 38,
  top: 100,
  stream: 17,
  apart: 22,
  terms: 64,
  most: Infinity,
};
const PROJECTED = {
  words: 128,
  number: 84,
  size: 15,
  small: 15,
  query: 4,
  top: 58,
  stream: 40,
  apart: 62,
  terms: 2,
  most: 13,
};
/** @param {typeof DESK} layout */
const least = ({ words, number }) => words + 2 * (STRIP + GAP) + COLUMNS.length * number + 40;
const PACE = 1600; // milliseconds a step when it plays
const WAIT = 400; // milliseconds at rest before the address follows

/** @param {import("../types.d.ts").Mount<Header, Arrays>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  const n = numbersOf(valuesOf(arrays), header.width, header.head);
  const [S, C, D, E] = [header.words.length, header.width, n.q.length, n.z.length];
  /** @type {Received} */
  const received = {
    header,
    n,
    sizes: { S, C, D, E },
    exponentials: exponentialsOf(n),
    colours: colourTable(header.theme, "signed"),
    post: (post) => setTriggerValue("step", post),
  };
  /** @type {View} */
  const view = (root.view ??= build(root, received));
  Object.assign(view, received);
  const news = view.posts.news([header.step, header.key_index], header.acknowledged);
  const keyIndex = header.key_index ?? indexOfLargest(n.weights);
  const changed = header.step !== view.step || keyIndex !== view.keyIndex; // if not, the sum that is open stays open
  const moves = view.about !== header.about || (news && changed);
  if (moves) Object.assign(view, { step: header.step, keyIndex });
  view.about = header.about;
  view.keyIndex = Math.min(view.keyIndex, S - 1);
  if (moves) focusOn(view, null);
  const stop = listen(key, () => {});
  drawings.set(header.key, (whole) =>
    view.wide ? asSvg(view.wide, heightOf(view), header.theme, (pen) => draw({ ...view, whole }, pen)) : "",
  );
  arrange(view);
  return () => {
    clearInterval(view.playing);
    stop();
  };
}

// What this head carries, and what the other heads and the bias of W_O add together.
/**
 * @param {Record<keyof Arrays, Float32Array>} n
 * @param {number} width
 * @param {number} head
 * @returns {Numbers}
 */
function numbersOf(n, width, head) {
  const heads = n.carried; // (H, C)
  const others = n.b_o.map((bias, c) => {
    let sum = bias;
    for (let offset = c; offset < heads.length; offset += width)
      if (Math.floor(offset / width) !== head) sum += heads[offset];
    return sum;
  });
  return { ...n, heads, carried: heads.slice(head * width, (head + 1) * width), others };
}

/**
 * @param {Root} root
 * @param {Received} received
 */
function build(root, received) {
  const bar = element("div", "bar");
  const names = element("div", "names");
  const [back, play, next] = playerButtons();
  const scroll = element("div", "scroll");
  const [canvas, rail, tip] = [element("canvas", "drawing"), element("canvas", "rail"), tooltip()];
  const sentenceBox = element("div", "sentence");
  sentenceBox.setAttribute("aria-live", "polite");
  scroll.tabIndex = 0; // on a narrow screen it scrolls, also by keys
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "The row, drawn");
  scroll.append(canvas, rail, tip);
  bar.append(back, play, next, names);
  const terms = element("div", "terms");
  root.append(bar, sentenceBox, scroll, terms);
  root.tabIndex = 0;
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Steps of one row. Left and right arrows step, up and down choose the key.");
  /** @type {View} */
  const view = {
    ...received,
    root,
    names,
    play,
    canvas,
    rail,
    tip,
    sentenceBox,
    scroll,
    terms,
    posts: posts(WAIT),
    about: null,
    step: 0,
    keyIndex: 0,
    focus: { kind: "x", i: 0 },
    layout: DESK,
    large: false,
    wide: 0,
    playing: undefined,
    hits: [],
  };
  names.append(
    ...STEPS.map(({ name }, stepIndex) => {
      const button = element("button", "step", name);
      button.type = "button";
      button.onclick = () => go(view, stepIndex);
      return button;
    }),
  );
  root.advance = (delta) => go(view, view.step + delta); // by keys pressed elsewhere; see page/stage.js
  back.onclick = () => go(view, view.step - 1);
  next.onclick = () => go(view, view.step + 1);
  play.onclick = () => toggle(view);
  root.onkeydown = (event) => {
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: -1, ArrowRight: 1 };
    /** @type {Record<string, number>} */
    const rows = { ArrowUp: -1, ArrowDown: 1 };
    const [step, row] = [steps[event.key], rows[event.key]];
    if (!step && !row) return;
    event.preventDefault();
    if (step) go(view, view.step + step);
    else look(view, view.keyIndex + row);
  };
  canvas.onpointermove = (event) => point(view, event);
  canvas.onpointerleave = () => (tip.hidden = true);
  canvas.onclick = (event) => {
    const hit = find(view, event);
    if (!hit) return;
    if (hit.s !== undefined && hit.s !== view.keyIndex) look(view, hit.s);
    focusOn(view, hit);
    repaint(view);
  };
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}

/**
 * @param {View} view
 * @param {number} step
 * @returns {boolean}
 */
function go(view, step) {
  if (step < 0 || step >= STEPS.length) {
    stopPlaying(view);
    return false;
  }
  view.step = step;
  focusOn(view, null);
  repaint(view);
  rest(view);
  return true;
}

/**
 * @param {View} view
 * @param {number} keyIndex
 */
function look(view, keyIndex) {
  if (keyIndex < 0 || keyIndex >= view.sizes.S) return;
  view.keyIndex = keyIndex;
  focusOn(view, null);
  repaint(view);
  rest(view);
}

/** @param {View} view */
function toggle(view) {
  if (view.playing) return stopPlaying(view);
  if (view.step === STEPS.length - 1) go(view, 0);
  else rest(view);
  view.playing = setInterval(() => go(view, view.step + 1), PACE);
  showPlaying(view.play, true);
}

/** @param {View} view */
function stopPlaying(view) {
  clearInterval(view.playing);
  view.playing = undefined;
  rest(view);
  showPlaying(view.play, false);
}

// When nothing has moved for a moment, the address follows.
/** @param {View} view */
function rest(view) {
  view.posts.act(() => (view.playing ? undefined : [view.step, view.keyIndex]), view.post);
}

// The number whose sum is opened: a clicked one, or the one the step is about.
/**
 * @param {View} view
 * @param {Focus | null} hit
 */
function focusOn(view, hit) {
  const step = STEPS[view.step];
  const s = PER_KEY.includes(step.about) ? view.keyIndex : undefined;
  view.focus = hit ? { kind: hit.kind, s: hit.s, i: hit.i } : { kind: step.about, s, i: 0 };
}

/** @param {View} view */
function arrange(view) {
  const { root } = view;
  if (!root.clientWidth) return;
  view.large = projected() > 0;
  view.layout = view.large ? PROJECTED : DESK;
  root.classList.toggle("large", view.large);
  view.wide = view.large ? root.clientWidth : Math.max(root.clientWidth, least(DESK));
  repaint(view);
}

/** @param {View} view */
function heightOf({ sizes, layout, large }) {
  const rows = layout.top + Math.min(sizes.S, layout.most) * ROW + 26;
  return large ? Math.max(rows, layout.top + 4 * layout.apart) : rows + 22 + 4 * layout.apart;
}

/** @param {View} view */
function repaint(view) {
  const { root, names, sentenceBox, canvas, header } = view;
  onCanvas(canvas, view.wide, heightOf(view), header.theme, (pen) => draw(view, pen));
  view.rail.hidden = view.wide <= view.scroll.clientWidth; // on a narrow screen the words stay while the row scrolls
  if (!view.rail.hidden) {
    onCanvas(view.rail, DESK.words - 4, heightOf(view), header.theme, (pen) => {
      pen.rect(0, 0, DESK.words - 4, heightOf(view), header.theme.paper);
      draw({ ...view, hits: [] }, pen);
    });
  }
  [...names.children].forEach((button, stepIndex) => {
    button.setAttribute("aria-current", String(stepIndex === view.step));
    button.classList.toggle("done", stepIndex < view.step);
  });
  const { sentence, total, terms, model, cut } = explain(view);
  sentenceBox.replaceChildren(...sentence.map(([text, strong]) => element(strong ? "strong" : "span", "", text)));
  const spelled = terms.map(({ name, text }) => {
    const term = element("span", "term");
    if (name !== "") term.append(element("span", "of", typeof name === "number" ? `[${name}]` : name));
    term.append(text);
    return term;
  });
  const sum = [element("span", "total", total), element("span", "model", model ?? "")];
  // “and 14 smaller terms” comes after some.
  view.terms.replaceChildren(...(cut ? [...spelled, ...sum] : [...sum, ...spelled]));

  countDrawing(root);
  root.dataset.step = String(view.step);
  if (view.wide > view.scroll.clientWidth) {
    const now = view.hits.find(({ kind }) => kind === STEPS[view.step].about);
    const room = view.scroll.clientWidth;
    if (now) view.scroll.scrollLeft = now.x + Math.min(now.wide, room / 2) - room * 0.7;
  }
}

// Where the columns begin; what is not `on` is not drawn.
/** @param {View} view */
function places({ wide, large, layout, step }) {
  /** @param {StepKind | "all x"} kind */
  const on = (kind) => (large ? STEPS[step].needs.includes(kind) : kind !== "all x");
  const columns = COLUMNS.filter(on);
  const strips = Number(on("k")) + Number(on("v"));
  const spare = Math.max(wide - least(layout), 0);
  const rest = wide - layout.words - 3 * GAP; // on a projector
  const number = large
    ? Math.max(layout.number, (rest - strips * 1.4 * STRIP) / Math.max(columns.length, 3))
    : layout.number + Math.min(spare / 12, 18);
  const strip = large ? (rest - columns.length * number) / strips - GAP : STRIP + Math.min(spare / 3, 120);
  const k = layout.words;
  const first = k + (on("k") ? strip + GAP : 0);
  const columnEnds = Object.fromEntries(columns.map((name, column) => [name, first + (column + 1) * number]));
  const v = first + columns.length * number + GAP + 12;
  return { on, k, strip, number, columns, columnEnds, v, right: large ? wide - 2 : v + strip };
}

// The words that have a line: all, or those with the most of the weight, in their order.
/** @param {View} view */
function wordsShown({ layout, sizes, header, keyIndex, n }) {
  const all = Array.from({ length: sizes.S }, (_, s) => s);
  /** @param {number} s */
  const first = (s) => (s === keyIndex || s === header.row ? 2 : n.weights[s] || 0);
  return all
    .sort((a, b) => first(b) - first(a))
    .slice(0, layout.most)
    .sort((a, b) => a - b);
}

/**
 * @param {View} view
 * @param {Pen} pen
 */
function draw(view, pen) {
  const { header, n, sizes, step, keyIndex, focus, layout } = view;
  const { theme, words, row } = header;
  const { S, C, D, E } = sizes;
  const { on, k, strip, number, columns, columnEnds, v, right } = places(view);
  const { size, small, top } = layout;
  const lines = wordsShown(view);
  view.hits = [];
  /** @param {StepKind | "all x"} kind */
  const done = (kind) => view.whole || STEPS.findIndex(({ shows }) => kind !== "all x" && shows.includes(kind)) <= step;
  /** @param {StepKind | "all x"} kind */
  const now = (kind) => kind !== "all x" && STEPS[step].shows.includes(kind);
  const limits = {
    x: Math.max(most(n.x), most(n.x_query)),
    qk: Math.max(most(n.q), most(n.k)),
    v: Math.max(most(n.v), most(n.z)),
    stream: Math.max(most(n.stream), most(n.after), most(n.carried), most(n.others)),
  };

  /**
   * @param {StepKind | "all x"} kind
   * @param {Float32Array} values
   * @param {number} from
   * @param {number} count
   * @param {number} limit
   * @param {number} x
   * @param {number} y
   * @param {number} wide
   * @param {number} tall
   * @param {number} [s]
   */
  const cells = (kind, values, from, count, limit, x, y, wide, tall, s) => {
    if (!on(kind)) return;
    const cell = wide / count;
    for (let i = 0; i < count; i++) {
      const value = values[from + i];
      const share = Math.min(Math.max((value / limit + 1) / 2, 0), 1);
      const fill = Number.isFinite(value) ? colourOf(view.colours, Math.round(share * FULL)) : theme.hatch;
      if (done(kind)) pen.rect(x + i * cell, y, Math.max(cell - (cell > 5 ? 1 : 0), 0.5), tall, fill);
      if (done(kind) && focus.kind === kind && focus.s === s && focus.i === i) {
        pen.frame(x + i * cell - 0.5, y - 0.5, cell, tall + 1, theme.accent, 1.5);
      }
    }
    if (done(kind))
      drawSigns(pen, theme, values.subarray(from, from + count), count, x, y + (tall - cell) / 2, cell, limit);
    pen.frame(x, y, wide, tall, now(kind) ? theme.accent : theme.rule, now(kind) ? 1.5 : 0.75);
    if (kind !== "all x") view.hits.push({ kind, s, x, y, wide, tall, count });
  };

  /**
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {StepKind} kind
   */
  const label = (text, x, y, kind, more = {}) =>
    on(kind) &&
    pen.text(x, y, text, {
      size: small,
      fill: now(kind) ? theme.accent : theme.muted,
      weight: now(kind) ? 650 : 400,
      ...more,
    });
  /** @param {StepKind} kind */
  const isShown = (kind) => on(kind) && done(kind);

  // What comes in
  if (!on("all x")) {
    label(`x  ${fitted(header.query, 60, small)}`, k - 8, 10, "x", { anchor: "end" });
    cells("x", n.x_query, 0, C, limits.x, k, 2, right - k, 16);
  }
  const { query } = layout;
  label("q", k - 8, query + 8, "q", { anchor: "end" });
  cells("q", n.q, 0, D, limits.qk, k, query, strip, 16);
  if (now("scores"))
    pen.text(k + strip + 8, query + 8, view.large ? "× each k" : "× each k below, added up", {
      size: small,
      fill: theme.accent,
    });

  // One line a key
  label("k", k + strip / 2, top - 14, "k", { anchor: "middle" });
  label("v", v + strip / 2, top - 14, "v", { anchor: "middle" });
  const heads = {
    scores: "q · k",
    scaled: header.divisor === 1 ? "not scaled" : "÷ √d",
    bias: "bias",
    masked: "masked",
    exp: "exp",
    weights: "weight",
  };
  for (const kind of columns) label(heads[kind], columnEnds[kind] - 4, top - 14, kind, { anchor: "end" });
  const listed = on("all x") || on("k") || on("v") || columns.length > 0;
  if (listed) lines.forEach((s, nth) => line(s, top + nth * ROW));
  /**
   * @param {number} s
   * @param {number} y
   */
  function line(s, y) {
    if (s === keyIndex && !on("all x")) {
      pen.rect(0, y - 1, 3, ROW - 2, theme.accent);
      pen.frame(0, y - 1, right + (view.large ? 1 : 4), ROW - 1, theme.accent, 1);
    }
    const allowed = n.mask[s] !== 0;
    const ink = done("masked") && !allowed ? theme.rule : theme.ink;
    pen.text(k - 8, y + ROW / 2 - 1, fitted(words[s], layout.words - 14, size), {
      size,
      anchor: "end",
      fill: ink,
      weight: s === row ? 650 : 400,
    });
    if (on("all x")) cells(s === row ? "x" : "all x", n.x, s * C, C, limits.x, k, y + 2, right - k, ROW - 6);
    cells("k", n.k, s * D, D, limits.qk, k, y + 2, strip, ROW - 6, s);
    cells("v", n.v, s * E, E, limits.v, v, y + 2, strip, ROW - 6, s);
    const values = {
      scores: n.scores[s],
      scaled: n.scaled[s],
      bias: n.bias[s],
      masked: n.masked[s],
      exp: view.exponentials.each[s],
      weights: n.weights[s],
    };
    for (const kind of columns) {
      const value = values[kind];
      view.hits.push({ kind, s, x: columnEnds[kind] - number + 4, y, wide: number - 4, tall: ROW, count: 1 });
      if (!done(kind)) continue;
      if (kind === "masked" && !allowed) {
        pen.absent(columnEnds[kind] - number + 12, y + 2, number - 16, ROW - 6);
        continue;
      }
      if (kind === "weights")
        pen.rect(
          columnEnds[kind] - number + 10,
          y + 2,
          Math.max((number - 14) * (value || 0), 0.5),
          ROW - 6,
          colourOf(view.colours, Math.round(FULL * 0.62)),
        );
      const chosen = focus.kind === kind && focus.s === s;
      const fill = chosen ? theme.accent : now(kind) ? theme.ink : theme.muted;
      pen.text(columnEnds[kind] - 4, y + ROW / 2 - 1, formatNumber(value), {
        size: small,
        anchor: "end",
        fill,
        weight: chosen ? 650 : 400,
      });
    }
  }

  // What comes out
  const below = top + lines.length * ROW + 14;
  /**
   * @param {"exp" | "weights"} kind
   * @param {number} sum
   */
  const total = (kind, sum) =>
    label(`Σ ${formatNumber(sum)}`, columnEnds[kind] - 4, below, kind, { anchor: "end", weight: 400 });
  if (isShown("exp")) total("exp", view.exponentials.sum);
  if (isShown("weights"))
    total(
      "weights",
      n.weights.reduce((a, b) => a + b, 0),
    );
  if (listed && lines.length < S)
    pen.text(0, below, `and ${S - lines.length} more`, { size: small, fill: theme.muted });
  const stripsOnly = !listed; // then the last strips have the place of the lines
  label("z", (stripsOnly ? k : v) - 9, stripsOnly ? top + layout.stream / 2 - layout.apart : below, "z", {
    anchor: "end",
  });
  if (stripsOnly) cells("z", n.z, 0, E, limits.v, k, top - layout.apart, right - k, layout.stream);
  else cells("z", n.z, 0, E, limits.v, v, below - 8, strip, 16);
  const before = header.has_residual ? "stream before" : "not added";
  /** @type {["carried" | "others" | "stream" | "after", string][]} */
  const last = [
    ["carried", "this head"],
    ["others", "other heads"],
    ["stream", before],
    ["after", "stream after"],
  ];
  last.forEach(([kind, title], nth) => {
    const y = (stripsOnly ? top : below + 26) + nth * layout.apart;
    label(fitted(title, layout.words - 8, small), k - 8, y + layout.stream / 2, kind, { anchor: "end" });
    cells(kind, n[kind], 0, C, limits.stream, k, y, right - k, layout.stream);
  });
}

/** @param {Float32Array} values */
const most = (values) =>
  values.reduce((top, value) => (Number.isFinite(value) ? Math.max(top, Math.abs(value)) : top), 1e-12);

/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function find(view, event) {
  const [px, py] = pointer(view.canvas, event);
  for (const { kind, s, x, y, wide, tall, count } of view.hits) {
    if (px >= x && py >= y && px < x + wide && py < y + tall)
      return { kind, s, i: Math.floor(((px - x) / wide) * count), px, py };
  }
  return null;
}

/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function point(view, event) {
  const hit = find(view, event);
  const { tip, canvas, sizes, n, header } = view;
  tip.hidden = !hit;
  canvas.style.cursor = hit ? "pointer" : "";
  if (!hit) return;
  const { kind, s, i } = hit;
  /** Of kinds that have a vector for every word. @type {Partial<Record<StepKind, number>>} */
  const widths = { x: sizes.C, k: sizes.D, v: sizes.E };
  const width = widths[kind];
  const valueIndex = width && kind !== "x" && s !== undefined ? s * width + i : (s ?? i);
  const value = kind === "exp" ? view.exponentials.each[s ?? i] : kind === "x" ? n.x_query[i] : n[kind][valueIndex];
  const where =
    s === undefined
      ? `${kind}[${i}]`
      : width
        ? `${kind}[${i}] of ${quoted(header.words[s])}`
        : `${header.query} → ${header.words[s]}`;
  showTooltip(
    tip,
    [
      ["where", where],
      ["what", formatNumber(value)],
      ["where", "click to see how it is computed"],
    ],
    hit.px,
    hit.py,
    view.wide,
  );
}
