// The drawing of what layers cost: a row for each type of layer, and below three charts against n.

/** @typedef {import("../types.js").LayerCostsHeader} Header */
/** @typedef {import("../types.js").CostSizes} Sizes */
/** @typedef {import("../types.js").CostResult} Result */
/** @typedef {import("../types.js").Theme} Theme */
/** @typedef {import("../types.js").Pen} Pen */
/** @typedef {{ header: Header, sizes: Sizes & { from_n: number }, results: Result[] }} Scene */

import {
  asBytes,
  asCount,
  asTime,
  attentionSpace,
  countedCrossover,
  fitExponent,
  LAYERS,
  measuredCrossover,
} from "../lib/cost.js";
import { drawSheet, NARROW, sheetHeight } from "../lib/cost_sheet.js";

/** @type {Record<string, string>} */
const MARK = {
  attention: "dot",
  rnn: "square",
  gru: "frame",
  convolution: "triangle",
  window: "cross",
  fused: "square",
  linformer: "triangle",
  linear: "frame",
};

/** @type {Record<string, import("../lib/cost_sheet.js").Column>} */
const COLUMNS = {
  operations: { heading: "operations, Table 1", short: "operations", share: 1.7, room: true },
  sequential: { heading: "sequential", short: "sequential", share: 0.8 },
  path: { heading: "longest path", short: "path", share: 1.1 },
  tokens: { heading: "tokens per second at n", short: "tokens/s", share: 1.3, room: true },
  time: { heading: "time at n", short: "time", share: 0.8, room: true },
  memory: { heading: "memory at n", short: "memory", share: 0.9 },
  time_exponent: { heading: "time ∝ n^p, p", short: "time ∝ n^", share: 1.1, room: true },
  memory_exponent: { heading: "memory ∝ n^p, p", short: "mem. ∝ n^", share: 1.1 },
};

// Where training is measured, the tanh RNN has the square.
/** @param {Header} header @param {string} kind */
const markOf = (header, kind) => (header.backward && kind === "fused" ? "triangle" : MARK[kind]);

/** @param {Scene} scene */
const seen = ({ results }) => results.some((result) => result.seconds);

/**
 * @param {Scene} scene
 * @param {number} width
 */
export function heightOf(scene, width) {
  const { rows, columns, heads } = scene.header;
  const lines = heads ? (width < NARROW ? 6 : 2) : 0;
  const charts = seen(scene) ? 3 : scene.header.backward ? 1 : 2;
  return sheetHeight(width, { rows: rows.length, columns: columns.length, lines, charts });
}

/**
 * @param {Theme} theme
 * @param {string} kind
 */
const colourOf = (theme, kind) =>
  ({
    attention: theme.accent,
    convolution: theme.weights[4],
    window: theme.signed[5],
    linformer: theme.weights[4],
    linear: theme.muted,
  })[kind] ?? theme.ink;

// What was measured of a type of layer, and the two fits from the length `from_n` on.
/**
 * @param {Scene} scene
 * @param {string} kind
 */
function measuredOf({ results, sizes }, kind) {
  const own = results.filter((result) => result.kind === kind);
  /** @param {"seconds" | "peak_bytes"} name @returns {[number, number][]} */
  const points = (name) => own.filter((result) => result[name]).map((result) => [result.n, Number(result[name])]);
  const [time, memory] = [points("seconds"), points("peak_bytes")];
  /** @param {[number, number][]} all */
  const fit = (all) => fitExponent(all.filter(([n]) => n >= sizes.from_n));
  return { own, time, memory, timeFit: fit(time), memoryFit: fit(memory) };
}

/** @param {{ exponent: number, error: number } | null} fit */
const exponentText = (fit) =>
  fit ? `${fit.exponent.toFixed(2)}${Number.isFinite(fit.error) ? ` ± ${fit.error.toFixed(2)}` : ""}` : "–";

/**
 * @param {[number, number][]} points
 * @param {{ exponent: number, factor: number } | null} fit
 * @param {number} n
 * @param {(value: number) => string} spell
 */
function valueText(points, fit, n, spell) {
  const exact = points.find(([length]) => length === n);
  if (exact) return spell(exact[1]);
  return fit ? `≈ ${spell(fit.factor * n ** fit.exponent)}` : "–";
}

/** @param {string} formula @param {number} value */
const equation = (formula, value) => (formula === "1" ? "1" : `${formula} = ${asCount(value)}`);

/**
 * @param {Scene} scene
 * @param {import("../types.js").CostRow} row
 * @returns {Record<string, string>}
 */
function cellsOf(scene, row) {
  const { sizes } = scene;
  const counted = LAYERS[row.kind];
  const { own, time, memory, timeFit, memoryFit } = measuredOf(scene, row.kind);
  const refused = own.some((result) => result.n === sizes.n && result.refused);
  return {
    operations: equation(row.operations, counted.operations(sizes)),
    sequential: equation(row.sequential, counted.sequential(sizes)),
    path: equation(row.path, counted.path(sizes)),
    tokens: refused ? "not run" : valueText(time, timeFit, sizes.n, (seconds) => asCount(sizes.n / seconds)),
    time: refused ? "not run" : valueText(time, timeFit, sizes.n, asTime),
    memory:
      memory.length && !refused
        ? valueText(memory, memoryFit, sizes.n, asBytes)
        : `≈ ${asBytes(4 * counted.elements(sizes))}`,
    time_exponent: exponentText(timeFit),
    memory_exponent: exponentText(memoryFit),
  };
}

/**
 * @param {Scene} scene
 * @param {number} width
 * @param {Pen} pen
 */
export function drawCosts(scene, width, pen) {
  const { header } = scene;
  const { theme } = header;
  drawSheet(pen, theme, width, {
    columns: header.columns.map((name) => COLUMNS[name]),
    rows: header.rows.map((row) => {
      const cells = cellsOf(scene, row);
      const texts = header.columns.map((name) => cells[name]);
      return { label: row.label, mark: markOf(header, row.kind), colour: colourOf(theme, row.kind), cells: texts };
    }),
    lines: header.heads ? headLines(scene, width) : [],
    charts: chartsOf(scene),
    stops: header.stops,
    now: scene.sizes.n,
  });
}

// The same width as one head, and as many heads that share it.
/**
 * @param {Scene} scene
 * @param {number} width
 * @returns {string[][]}
 */
function headLines({ sizes }, width) {
  const { n, d, n_heads: h } = sizes;
  const time = asCount(n ** 2 * d);
  const space = [1, h].map((count) => asCount(attentionSpace({ ...sizes, n_heads: count })));
  const cases = [
    ["1 head of width d", `time n²·d = ${time}`, `space n² + n·d = ${space[0]}`],
    [
      `${h} head${h === 1 ? "" : "s"} of width d/h = ${d / h}`,
      `time h·n²·(d/h) = n²·d = ${time}`,
      `space h·n² + n·d = ${space[1]}`,
    ],
  ];
  return width < NARROW ? cases.flat().map((text) => [text]) : cases;
}

/** @param {Scene} scene */
function chartsOf(scene) {
  const { header, sizes } = scene;
  const { theme } = header;
  const [from, to] = header.stops;
  const steps = Array.from({ length: Math.round(Math.log2(to / from)) + 1 }, (_, power) => from * 2 ** power);
  const measured = new Map(header.rows.map(({ kind }) => [kind, measuredOf(scene, kind)]));
  const [cheaper, dearer] = header.pair;
  const counted = countedCrossover(cheaper, dearer, sizes, to);
  const crossing = crossoverOf(measured.get(cheaper)?.time ?? [], measured.get(dearer)?.time ?? []);
  /** @param {string} kind */
  const look = (kind) => ({
    colour: colourOf(theme, kind),
    mark: markOf(header, kind),
    thick: kind === cheaper || kind === dearer ? 2 : 1.25,
  });
  /** @param {(kind: string) => (n: number) => number} count */
  const countedLines = (count) =>
    header.rows.map(({ kind }) => ({
      ...look(kind),
      line: steps.map((n) => [n, count(kind)(n)]),
      points: steps.filter((_, place) => place % 3 === 1).map((n) => [n, count(kind)(n)]),
    }));
  /** @param {"time" | "memory"} name */
  const measuredLines = (name) =>
    header.rows.map(({ kind }) => {
      const of = measured.get(kind)?.[name] ?? [];
      return { ...look(kind), line: of, points: of };
    });
  const timed = seen(scene);
  const span = { from: header.lengths[0], to: header.lengths.at(-1) };
  const { backward } = header;
  /** @type {(all: any[]) => any[]} */
  const shown = (all) => (backward ? (timed ? [all[3], all[1], all[2]] : all.slice(0, 1)) : all);
  return shown([
    {
      title: backward ? "FLOPs of the forward pass, counted" : "FLOPs, counted",
      spell: asCount,
      lines: countedLines((kind) => (n) => LAYERS[kind].flops({ ...sizes, n })),
      flags:
        counted === null
          ? []
          : [{ x: counted, label: `${header.short}: from n ${counted.toLocaleString("en-GB")}`, colour: theme.ink }],
    },
    {
      ...span,
      title: backward ? "time of a training step, measured here" : "time, measured here",
      spell: asTime,
      lines: measuredLines("time"),
      flags:
        crossing === null
          ? []
          : [
              {
                x: crossing,
                label: `${header.short}: from n ≈ ${Math.round(crossing).toLocaleString("en-GB")}`,
                colour: theme.ink,
              },
            ],
    },
    {
      ...(timed ? span : {}),
      base: 2,
      title: timed ? "peak memory, measured here" : "peak memory, estimated",
      spell: asBytes,
      lines: timed
        ? measuredLines("memory")
        : countedLines((kind) => (n) => 4 * LAYERS[kind].elements({ ...sizes, n })),
      flags: [],
    },
    {
      ...span,
      title: "tokens per second of training, measured here",
      spell: asCount,
      lines: backward ? header.rows.map(({ kind }) => speedsOf(look(kind), measured.get(kind)?.time ?? [])) : [],
      flags: [],
    },
  ]).filter(({ lines }) => lines.some((/** @type {any} */ { line }) => line.length));
}

// Tokens per second against the length, from the seconds of a pass.
/**
 * @param {{ colour: string, mark: string, thick: number }} look
 * @param {[number, number][]} times
 */
function speedsOf(look, times) {
  const speeds = times.map(([n, seconds]) => [n, n / seconds]);
  return { ...look, line: speeds, points: speeds };
}

/**
 * @param {[number, number][]} cheaper
 * @param {[number, number][]} dearer
 */
function crossoverOf(cheaper, dearer) {
  const both = cheaper.filter(([n]) => dearer.some(([other]) => other === n));
  const other = both.map(([n]) => Number(dearer.find(([length]) => length === n)?.[1]));
  return measuredCrossover(
    both.map(([n]) => n),
    both.map(([, value]) => value),
    other,
  );
}
