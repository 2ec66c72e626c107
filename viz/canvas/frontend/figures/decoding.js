// A sentence as it is generated: the source above, the words so far below, and between them the cross-attention.
// Every step is here from the beginning; Python is told of one only when the person rests on it.

/** @typedef {import("../types.js").DecodingHeader} Header */
/** @typedef {import("../types.js").DecodingArrays} Arrays */
/** Where a word stands. @typedef {{ word: string, x: number, wide: number }} Place */
/** A word of one of the sentences. @typedef {{ side: "source" | "output", index: number }} Word */
/** What Python sends, as this figure uses it.
 * @typedef {object} Received
 * @property {Header} header
 * @property {{ [Name in keyof Arrays]: Float32Array | undefined } & { probabilities: Float32Array }} n
 * @property {{ weight: Uint8ClampedArray, signed: Uint8ClampedArray }} colours
 * @property {(post: { number: number, value: unknown }) => void} post
 */
/** The parts of the figure, and what it keeps. rests: nobody has chosen a word yet; wide: 0 until it is on the screen.
 * @typedef {object} Own
 * @property {Root} root
 * @property {HTMLElement} sentence
 * @property {HTMLElement} scroll
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLButtonElement} play
 * @property {HTMLInputElement} range
 * @property {HTMLElement} count
 * @property {ReturnType<typeof posts>} posts
 * @property {string | null} about
 * @property {number} step
 * @property {boolean} rests
 * @property {ReturnType<typeof setInterval> | undefined} playing
 * @property {Word | null} over the word that is pointed at
 * @property {(Word & Place & { y: number, tall: number })[]} hits
 * @property {number} size
 * @property {{ source: Place[], output: Place[] }} boxes
 * @property {number} wide
 * @property {number} begin
 */
/** @typedef {Received & Own} View */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {import("../types.js").Root} Root */

import { colourOf, colourTable, FULL } from "../lib/cells.js";
import { asSvg, drawSigns, fitted, onCanvas, widthOf } from "../lib/drawing.js";
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
import { playerButtons, showPlaying } from "../lib/player.js";
import { posts } from "../lib/posts.js";
import { indexOfLargest, quoted } from "../lib/values.js";

const PACE = 1100; // milliseconds a word when it plays
const WAIT = 400; // milliseconds at rest before the address follows
// Of the words: the first at which both sentences are seen whole; else the last, and they scroll.
const SIZES = [18, 16, 14, 13, 14];
const BETWEEN = 12; // pixels between two words
const NARROW = 640; // a place without room for names at the left
const CELL = 18; // of a weight, above or below its word
const GAP = 80; // between the sentences
const LINE = 21; // of a candidate
const FAINT = 0.02; // lines below this weight are not drawn
const NAMED = 0.05; // weights from here on stand as numbers

/** @param {import("../types.d.ts").Mount<Header, Arrays>} mount */
export default function ({ data, parentElement, setTriggerValue, key }) {
  const { header, arrays } = unpack(data);
  const root = rootOf(parentElement, header.theme);
  /** @type {Received} */
  const received = {
    header,
    n: {
      probabilities: arrays.probabilities.values,
      cross_weights: arrays.cross_weights?.values,
      self_weights: arrays.self_weights?.values,
      vector: arrays.vector?.values,
    },
    colours: { weight: colourTable(header.theme, "weights"), signed: colourTable(header.theme, "signed") },
    post: (post) => setTriggerValue("step", post),
  };
  /** @type {View} */
  const view = (root.view ??= build(root, received));
  Object.assign(view, received);
  const news = view.posts.news(header.pinned ? header.step : null, header.acknowledged);
  if (view.about !== header.about || news) {
    halt(view);
    view.step = header.step;
    view.rests = !header.pinned; // nobody has chosen a word yet: the most telling one is lit, in the whole sentence
  }
  view.about = header.about;
  view.range.max = String(header.output.length);
  view.range.setAttribute("aria-label", `${header.unit[0].toUpperCase()}${header.unit.slice(1)}s generated`);
  const stop = listen(key, () => repaint(view));
  drawings.set(header.key, (whole) => {
    if (!view.wide) return "";
    const all = { step: header.output.length, rests: true, over: null };
    return asSvg(view.wide, heightOf(view), header.theme, (pen) => draw(whole ? { ...view, ...all } : view, pen, 0));
  });
  arrange(view);
  return () => {
    clearInterval(view.playing);
    stop();
  };
}

/**
 * @param {Root} root
 * @param {Received} received
 */
function build(root, received) {
  const [bar, sentence, scroll] = ["bar", "sentence", "scroll"].map((name) => element("div", name));
  const canvas = element("canvas", "drawing");
  const buttons = playerButtons();
  const range = element("input", "range");
  Object.assign(range, { type: "range", min: 1, step: 1 });
  const count = element("span", "count");
  bar.append(...buttons, range, count);
  sentence.setAttribute("aria-live", "polite");
  scroll.tabIndex = 0; // a long sentence scrolls, also by keys
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Both sentences, drawn");
  scroll.append(canvas);
  root.append(bar, sentence, scroll);
  root.tabIndex = 0;
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "A sentence being written. Left and right arrows step, Home and End jump.");
  const [back, play, next] = buttons;
  /** @type {View} */
  const view = {
    ...received,
    root,
    sentence,
    scroll,
    canvas,
    play,
    range,
    count,
    posts: posts(WAIT),
    about: null,
    step: 1,
    rests: false,
    playing: undefined,
    over: null,
    hits: [],
    size: SIZES[0],
    boxes: { source: [], output: [] },
    wide: 0,
    begin: 0,
  };
  back.onclick = () => go(view, view.step - 1);
  next.onclick = () => go(view, view.step + 1);
  play.onclick = () => toggle(view);
  range.oninput = () => go(view, Number(range.value));
  root.advance = (delta) => go(view, view.step + delta); // by keys pressed elsewhere; see page/stage.js
  root.onkeydown = (event) => {
    const last = view.header.output.length;
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: view.step - 1, ArrowRight: view.step + 1, Home: 1, End: last };
    const to = steps[event.key];
    if (to === undefined) return;
    event.preventDefault();
    stopPlaying(view);
    go(view, to);
  };
  canvas.onpointermove = (event) => point(view, find(view, event));
  canvas.onpointerleave = () => point(view, null);
  canvas.onclick = (event) => {
    const hit = find(view, event);
    if (hit?.side === "output") go(view, hit.index + 1);
    else point(view, hit);
  };
  scroll.onscroll = () => repaint(view); // the candidates stay where they are seen
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}

/**
 * @param {View} view
 * @param {number} step
 * @returns {boolean}
 */
function go(view, step) {
  if (step < 1 || step > view.header.output.length) {
    stopPlaying(view);
    return false;
  }
  view.step = step;
  view.rests = false;
  view.over = null;
  if (view.header.shares_rows) hover(step - 1); // the maps of the page light the row of this word
  repaint(view);
  bringIntoView(view);
  rest(view);
  return true;
}

/** @param {View} view */
function rest(view) {
  view.posts.act(() => (view.playing ? undefined : view.step), view.post);
}

/** @param {View} view */
function toggle(view) {
  if (view.playing) return stopPlaying(view);
  if (view.step === view.header.output.length) go(view, 1);
  else rest(view);
  view.playing = setInterval(() => go(view, view.step + 1), PACE);
  showPlaying(view.play, true);
}

/** @param {View} view */
function stopPlaying(view) {
  const played = view.playing;
  halt(view);
  if (played) go(view, view.step);
}

/** @param {View} view */
function halt(view) {
  clearInterval(view.playing);
  view.playing = undefined;
  showPlaying(view.play, false);
}

// Where every word stands: from the widths of the words, in the largest type at which both sentences fit.
/** @param {View} view */
function arrange(view) {
  const { root, header } = view;
  if (!root.clientWidth) return;
  const begin = root.clientWidth < NARROW ? 0 : Math.max(78, widthOf("candidates") + 10);
  for (const size of SIZES) {
    /** @param {string[]} words */
    const placesOf = (words) => {
      let x = begin;
      return words.map((word) => {
        const wide = Math.max(widthOf(word, size, 650) + BETWEEN, widthOf("0.00", 11) + 8);
        x += wide;
        return { word, x: x - wide, wide };
      });
    };
    view.size = size;
    view.boxes = { source: placesOf(header.source), output: placesOf([header.start, ...header.output]) };
    view.wide = Math.max(endOf(view.boxes.source), endOf(view.boxes.output)) + 2;
    if (view.wide <= root.clientWidth) break;
  }
  view.wide = Math.max(view.wide, root.clientWidth);
  view.begin = begin;
  repaint(view);
  bringIntoView(view);
}

/** @param {Place[]} places */
const endOf = (places) => Math.max(...places.map(({ x, wide }) => x + wide));

const TOP = { cells: 2, source: 34 };
/** @param {View} view */
const places = (view) => {
  const outputTop = TOP.source + GAP + (view.n.vector ? 26 : 0);
  return {
    output: outputTop,
    back: outputTop + 16,
    candidates: outputTop + (view.n.self_weights ? 16 + CELL + 22 : 30),
  };
};
/** @param {View} view */
const heightOf = (view) => places(view).candidates + view.header.candidates[0].length * LINE + 4;

// The step that is shown: the word that is pointed at, in this figure or in a map of the page; or where the person
// stands.
/** @param {View} view */
function shownStep(view) {
  if (view.over?.side === "output") return view.over.index + 1;
  const row = view.header.shares_rows && !view.over ? hoveredRow() : null;
  if (row !== null && row < view.header.output.length) return row + 1;
  return view.rests ? view.header.default_row + 1 : view.step;
}

/** @param {View} view */
function repaint(view) {
  const { root, canvas, header, sentence, range, count } = view;
  if (!view.wide) return;
  onCanvas(canvas, view.wide, heightOf(view), header.theme, (pen) => draw(view, pen, view.scroll.scrollLeft));
  const step = shownStep(view);
  sentence.replaceChildren(
    ...describe(view, step).map(([text, strong]) => element(strong ? "strong" : "span", "", text)),
  );
  range.value = String(view.step);
  count.textContent = view.rests ? `all ${header.output.length}` : `${view.step} of ${header.output.length}`;
  range.setAttribute("aria-valuetext", `${header.output[view.step - 1]}, ${count.textContent}`);
  countDrawing(root);
  root.dataset.step = String(view.step);
}

/**
 * @param {View} view
 * @param {"cross_weights" | "self_weights"} name
 * @param {number} step
 */
function rowOf({ n, header }, name, step) {
  const wide = name === "cross_weights" ? header.source.length : header.output.length;
  return n[name]?.subarray((step - 1) * wide, step * wide);
}

// The step as a sentence from its numbers: [text, stressed or not].
/**
 * @returns {[string, boolean][]}
 * @param {View} view
 * @param {number} step
 */
export function describe(view, step) {
  const { header, n } = view;
  const { output, source, candidates } = header;
  const before =
    step === 1
      ? "No word generated yet. Next: "
      : `After “${output.slice(Math.max(0, step - 4), step - 1).join(" ")}” comes `;
  const rank = candidates[step - 1].indexOf(output[step - 1]);
  const probability = n.probabilities[(step - 1) * candidates[0].length + rank];
  /** @type {[string, boolean][]} */
  const chosen = [
    [before, false],
    [quoted(output[step - 1]), true],
    [rank < 0 ? "" : ` (probability ${probability.toFixed(2)})`, false],
  ];
  if (view.over?.side === "source" && n.cross_weights) {
    const s = view.over.index;
    const best = Array.from({ length: view.step }, (_, t) => rowOf(view, "cross_weights", t + 1)?.[s] ?? 0);
    const most = indexOfLargest(best);
    return [
      [quoted(source[s]), true],
      [" has its largest weight when the model predicts ", false],
      [quoted(output[most]), true],
      [`: ${best[most].toFixed(2)} of that row.`, false],
    ];
  }
  const row = rowOf(view, "cross_weights", step);
  if (!row)
    return [
      ...chosen,
      [
        `. The decoder receives only one vector of ${n.vector?.length} numbers from the source. ` +
          "It is the same at every step.",
        false,
      ],
    ];
  const best = indexOfLargest(row);
  /** @type {[string, boolean][]} */
  const attended = [
    [". It attends most to ", false],
    [quoted(source[best]), true],
    [` (${row[best].toFixed(2)})`, false],
  ];
  const right = header.gold[step - 1];
  const judged = right.length
    ? right.includes(best)
      ? ", which is gold."
      : `; gold is “${right.map((s) => source[s]).join("” or “")}”.`
    : ".";
  return [...chosen, ...attended, [judged, false]];
}

// left: how far the sentences are scrolled.
/**
 * @param {View} view
 * @param {Pen} pen
 * @param {number} left
 */
function draw(view, pen, left) {
  const { header, n, boxes, size, begin } = view;
  const { theme } = header;
  const step = shownStep(view);
  const { output, back, candidates } = places(view);
  view.hits = [];
  const muted = { size: 12, fill: theme.muted };
  if (begin) {
    if (n.cross_weights) pen.text(0, TOP.cells + CELL / 2, "attends to", muted);
    pen.text(0, TOP.source, "source", muted);
    pen.text(0, output, "written", muted);
    if (n.self_weights) pen.text(0, back + CELL / 2, "earlier words", muted);
  }

  /**
   * @param {{ x: number, wide: number }} view
   * @param {number} y
   * @param {number} value
   */
  const cell = ({ x, wide }, y, value) => {
    pen.rect(x + 2, y, wide - 4, CELL, colourOf(view.colours.weight, Math.round(Math.min(value, 1) * FULL)));
    pen.frame(x + 2, y, wide - 4, CELL, theme.rule, 0.75);
    const ink = value >= theme.text_turns ? theme.paper : theme.ink;
    if (value >= NAMED)
      pen.text(x + wide / 2, y + CELL / 2, value.toFixed(2), { size: 11, anchor: "middle", fill: ink });
  };
  const weights = rowOf(view, "cross_weights", step);
  const from = view.over?.side === "source" ? view.over.index : null;
  const best = weights && indexOfLargest(weights);
  boxes.source.forEach((place, s) => {
    if (weights) cell(place, TOP.cells, weights[s]);
    const lit = from === null ? s === best && (weights?.[s] ?? 0) >= NAMED : s === from;
    const fill = lit ? theme.accent : header.unknown.includes(s) ? theme.muted : theme.ink;
    pen.text(place.x + place.wide / 2, TOP.source, place.word, {
      size,
      weight: lit ? 650 : 400,
      anchor: "middle",
      fill,
    });
    if (header.unknown.includes(s))
      pen.line(
        [
          [place.x + 6, TOP.source + 11],
          [place.x + place.wide - 6, TOP.source + 11],
        ],
        theme.muted,
        1,
      );
    if (weights && header.gold[step - 1].includes(s) && from === null)
      pen.frame(place.x + 2, TOP.cells, place.wide - 4, CELL, theme.accent, 1.5);
    view.hits.push({ side: "source", index: s, ...place, y: 0, tall: TOP.source + 16 });
  });

  const earlier = rowOf(view, "self_weights", step);
  // Words that are not generated yet are not there.
  const last = Math.max(view.step, step);
  boxes.output.slice(0, last + 1).forEach((place, t) => {
    const lit = t === step && from === null;
    const fill = lit ? theme.accent : t ? theme.ink : theme.muted;
    pen.text(place.x + place.wide / 2, output, place.word, { size, weight: lit ? 650 : 400, anchor: "middle", fill });
    if (earlier && t < step) cell(place, back, earlier[t]);
    if (t)
      view.hits.push({
        side: "output",
        index: t - 1,
        ...place,
        y: output - 16,
        tall: 16 + (n.self_weights ? 18 + CELL : 16),
      });
  });

  /** @param {{ x: number, wide: number }} view */
  const middle = ({ x, wide }) => x + wide / 2;
  /**
   * @param {number} a
   * @param {number} b
   * @param {number} weight
   * @param {number} top
   * @param {number} bottom
   */
  const curve = (a, b, weight, top, bottom) => {
    if (weight < FAINT) return;
    const points = Array.from({ length: 25 }, (_, step) => {
      const t = step / 24;
      const ease = t * t * (3 - 2 * t);
      return [(a + (b - a) * ease).toFixed(1), (top + (bottom - top) * t).toFixed(1)];
    });
    pen.line(points, theme.accent, 0.6 + 7 * weight);
  };
  const [top, bottom] = [TOP.source + 14, output - 14];
  if (n.vector) drawVector(view, n.vector, pen, { top, bottom, curve, middle, step });
  else if (from !== null) {
    for (let t = 1; t <= last; t++) {
      const weight = rowOf(view, "cross_weights", t)?.[from] ?? 0;
      curve(middle(boxes.source[from]), middle(boxes.output[t]), weight, top, bottom);
    }
  } else
    weights?.forEach((weight, s) => curve(middle(boxes.source[s]), middle(boxes.output[step]), weight, top, bottom));

  drawCandidates(view, pen, step, candidates, left);
}

/** Where curves run between the sentences, and what draws one.
 * @typedef {object} Between
 * @property {number} top
 * @property {number} bottom
 * @property {(a: number, b: number, weight: number, top: number, bottom: number) => void} curve
 * @property {(place: Place) => number} middle
 * @property {number} step
 */
// All that a network without attention has of the source: one strip of numbers between the sentences.
/**
 * @param {View} view
 * @param {Float32Array} vector
 * @param {Pen} pen
 * @param {Between} between
 */
function drawVector({ boxes, header, colours, begin, root }, vector, pen, { top, bottom, curve, middle, step }) {
  const { theme } = header;
  const wide = Math.min(endOf(boxes.source), root.clientWidth) - begin;
  const y = (top + bottom) / 2 - 9;
  const reach = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
  const centre = begin + wide / 2;
  boxes.source.forEach((place) => curve(middle(place), centre, 0.1, top, y - 2));
  curve(centre, middle(boxes.output[step]), 0.5, y + 20, bottom);
  const cell = wide / vector.length;
  vector.forEach((value, i) => {
    pen.rect(
      begin + i * cell,
      y,
      cell + 0.3,
      18,
      colourOf(colours.signed, Math.round(((value / reach + 1) / 2) * FULL)),
    );
  });
  drawSigns(pen, theme, vector, vector.length, begin, y + 9 - cell / 2, cell, reach);
  pen.frame(begin, y, wide, 18, theme.rule, 0.75);
  if (begin) pen.text(0, y + 9, "one vector", { size: 12, fill: theme.muted });
}

/**
 * @param {View} view
 * @param {Pen} pen
 * @param {number} step
 * @param {number} top
 * @param {number} scrolled
 */
function drawCandidates({ header, n, root, ...view }, pen, step, top, scrolled) {
  const { theme, output, candidates } = header;
  const words = candidates[step - 1];
  const begin = scrolled + view.begin;
  if (view.begin) pen.text(scrolled, top + LINE / 2, "candidates", { size: 12, fill: theme.muted });
  const left = begin + Math.min(Math.max(...candidates.flat().map((word) => widthOf(word, 14, 650))), 130) + 10;
  const room = Math.min(root.clientWidth - (left - scrolled) - 60, 420);
  words.forEach((word, rank) => {
    const y = top + rank * LINE + LINE / 2;
    const value = n.probabilities[(step - 1) * words.length + rank];
    const chosen = word === output[step - 1];
    /** @type {import("../types.d.ts").TextStyle & { weight: number }} */
    const ink = { size: 14, anchor: "end", fill: chosen ? theme.accent : theme.ink, weight: chosen ? 650 : 400 };
    pen.text(left - 8, y, fitted(word, left - begin - 8, 14, ink.weight), ink);
    pen.rect(left, y - 7, Math.max(value * room, 1), 14, chosen ? theme.accent : theme.weights[4]);
    pen.text(left + value * room + 6, y, value === 0 ? "0" : value < 0.0005 ? "< 0.001" : value.toFixed(3), {
      size: 11,
      fill: theme.muted,
    });
  });
}

/** @param {View} view */
function bringIntoView(view) {
  const { scroll, boxes } = view;
  const step = shownStep(view);
  if (!view.wide || scroll.scrollWidth <= scroll.clientWidth || scroll.matches(":hover")) return;
  const ends = [boxes.output[step]];
  const weights = rowOf(view, "cross_weights", step);
  if (weights) ends.push(boxes.source[indexOfLargest(weights)]);
  const centre = ends.reduce((sum, { x, wide }) => sum + x + wide / 2, 0) / ends.length;
  scroll.scrollLeft = centre - scroll.clientWidth / 2;
}

/**
 * @param {View} view
 * @param {PointerEvent} event
 */
function find(view, event) {
  const [px, py] = pointer(view.canvas, event);
  return view.hits.find(({ x, wide, y, tall }) => px >= x && px < x + wide && py >= y && py < y + tall) ?? null;
}

/**
 * @param {View} view
 * @param {Word | null} hit
 */
function point(view, hit) {
  const over = hit && { side: hit.side, index: hit.index };
  view.canvas.style.cursor = over?.side === "output" ? "pointer" : "";
  if (JSON.stringify(over) === JSON.stringify(view.over)) return;
  view.over = over;
  if (view.header.shares_rows) hover(over?.side === "output" ? over.index : null);
  repaint(view);
}
