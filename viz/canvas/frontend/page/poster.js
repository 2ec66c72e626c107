// The whole page on one sheet: title, sentence, switches, numbers, and every figure with its caption. One drawing for
// the poster, the same rows one by one for paper, so that no figure is cut by the edge of a sheet.

/** @typedef {import("../types.js").SaveHeader} Header */
/** @typedef {import("../types.js").View<Header>} View */
/** @typedef {import("../types.js").Theme} Theme */

import { linesOf, linesOfRuns, widthOf } from "../lib/drawing.js";
import { figures, svgPage, svgText, xml } from "../lib/page_state.js";
import { captionRuns, figureSvg, finished, footer } from "./picture.js";
import { figureKeys, keyed, METRIC, METRIC_PARTS } from "./streamlit.js";

const WIDE = 1240;
const EDGE = 40;
const GAP = 24; // between figures
const CAPTION = 13.5; // pixels of the letters of a caption
const SERIF = "Charter, 'Iowan Old Style', 'Noto Serif', Georgia, serif";
const NUMBER = 158; // pixels for one number of the strip
const PAD = 14; // right of a column of a table

// The figures of the page in reading order: [{ key, header }].
export function figuresShown() {
  return figureKeys()
    .map((key) => ({ key, header: /** @type {Header} */ (figures.get(key)) }))
    .filter(({ header }) => header);
}

// What the page says of itself, from the page.
export function words() {
  /** @param {string} selector @param {ParentNode} within */
  const text = (selector, within = document) => within.querySelector(selector)?.textContent.trim() ?? "";
  const numbers = [
    ...[...document.querySelectorAll(METRIC)].map((metric) => METRIC_PARTS.map((part) => text(part, metric))),
    ...[...document.querySelectorAll(".strip .number")].map((number) =>
      [".name", ".value", ".beside"].map((part) => text(part, number)),
    ),
  ];
  /** @param {HTMLTableElement} table */
  const lines = (table) =>
    [...table.rows].map((line) => [...line.cells].map((cell) => (cell.textContent ?? "").trim()));
  const tables = [.../** @type {NodeListOf<HTMLTableElement>} */ (document.querySelectorAll(".strip table"))].map(
    lines,
  );
  const note = text(".strip p");
  return { title: text(`${keyed("heading")} h1`), sentence: text(`${keyed("heading")} p`), numbers, tables, note };
}

// What the experiment is, in lines.
/** @param {{ header: Header }[]} all */
function experimentOf(all) {
  const origin = all.map(({ header }) => header.origin).find(({ weights, text }) => weights && text);
  const notices = [...new Set(all.flatMap(({ header }) => header.origin.says || []))];
  const model = origin?.weights
    ? [`Model: ${origin.weights}${origin.seed === undefined ? "" : `, seed ${origin.seed}`}.`]
    : [];
  if (origin?.switches && !notices.length) notices.push("with the full model");
  return [
    ...model,
    ...(origin?.text ? [`Text: ${origin.text}`] : []),
    ...notices.map((notice) => `${notice[0].toUpperCase()}${notice.slice(1)}.`),
  ];
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} text
 * @param {number} size
 * @param {string} fill
 */
const serif = (x, y, text, size, fill, weight = 400) =>
  `<text x="${x}" y="${y}" font-family="${xml(SERIF)}" font-size="${size}" font-weight="${weight}" ` +
  `fill="${fill}">${xml(text)}</text>`;

// A line of a caption, the emphasised runs in the colour and weight that they have on the page.
/**
 * @param {number} x
 * @param {number} y
 * @param {[string, boolean][]} runs
 * @param {Theme} theme
 */
const captionLine = (x, y, runs, theme) =>
  `<text x="${x}" y="${y}" font-family="${xml(SERIF)}" font-size="${CAPTION}" fill="${theme.ink}" ` +
  `xml:space="preserve">${runs
    .map(([text, strong]) =>
      strong ? `<tspan font-weight="600" fill="${theme.accent}">${xml(text)}</tspan>` : xml(text),
    )
    .join("")}</text>`;

// [{ height, body }]: the head, the strip of numbers, rows of figures, and the foot, each on a coordinate system of its
// own.
/** @param {Theme} theme */
export function rows(theme) {
  const all = figuresShown();
  const { title, sentence, numbers, tables, note } = words();
  const inner = WIDE - 2 * EDGE;
  const sections = [headOf(title, sentence, experimentOf(all), theme, inner)];
  if (numbers.length) sections.push(stripOf(numbers, theme));
  if (tables.length) sections.push(tablesOf(tables, note, theme, inner));
  const blocks = all.map((figure) => blockOf(figure, theme, inner)).filter((block) => block !== null);
  for (let next = 0; next < blocks.length; ) {
    const row = [blocks[next++]];
    const room = () => inner - row.reduce((sum, { width }) => sum + width + GAP, 0);
    while (next < blocks.length && blocks[next].width <= room()) row.push(blocks[next++]);
    let x = EDGE;
    const body = row.map(({ width, put }) => {
      const placed = put(x);
      x += width + GAP;
      return placed;
    });
    sections.push({ height: Math.max(...row.map(({ height }) => height)) + GAP, body: body.join("") });
  }
  const origin = {
    ...(all[0]?.header.origin ?? { software: "Attention Lab", version: "" }),
    says: "",
    link: location.href,
  };
  const lines = linesOf(footer(origin), inner, 11);
  const foot = lines.map((line, lineIndex) =>
    svgText(EDGE, 16 + lineIndex * 16, line, { size: 11, fill: theme.muted }),
  );
  sections.push({
    height: lines.length * 16 + 24,
    body: `<a href="${xml(origin.link)}">${foot.join("")}</a>`,
  });
  return { rows: sections, title, sentence, origin };
}

/**
 * @param {string} title
 * @param {string} sentence
 * @param {string[]} experiment
 * @param {Theme} theme
 * @param {number} inner
 */
function headOf(title, sentence, experiment, theme, inner) {
  let y = EDGE + 30;
  const body = [serif(EDGE, y, title, 32, theme.ink, 700)];
  for (const line of linesOf(sentence, inner, 15))
    body.push(svgText(EDGE, (y += 25), line, { size: 15, fill: theme.muted }));
  y += 8;
  for (const statement of experiment) {
    for (const line of linesOf(statement, inner, 14))
      body.push(svgText(EDGE, (y += 21), line, { size: 14, fill: theme.ink }));
  }
  return { height: y + 24, body: body.join("") };
}

/**
 * @param {string[][]} numbers
 * @param {Theme} theme
 */
function stripOf(numbers, theme) {
  const across = Math.floor((WIDE - 2 * EDGE) / NUMBER);
  const body = numbers.map(([name, value, beside], numberIndex) => {
    const [x, y] = [EDGE + (numberIndex % across) * NUMBER, 14 + Math.floor(numberIndex / across) * 70];
    return (
      linesOf(name, NUMBER - 12, 11.5)
        .slice(0, 1)
        .map((line) => svgText(x, y, line, { size: 11.5, fill: theme.ink }))
        .join("") +
      svgText(x, y + 25, value, { size: 22, fill: theme.ink }) +
      svgText(x, y + 43, beside, { size: 11.5, fill: theme.muted })
    );
  });
  return { height: Math.ceil(numbers.length / across) * 70 + 8, body: body.join("") };
}

// Tables beside each other as far as there is room: names and sentences at the left of their column, numbers at its
// right.
/**
 * @param {string[][][]} tables
 * @param {string} note
 * @param {Theme} theme
 * @param {number} inner
 */
function tablesOf(tables, note, theme, inner) {
  const body = [];
  let [left, top, tall] = [EDGE, 0, 0];
  for (const lines of tables) {
    const columns = lines.reduce((most, cells) => Math.max(most, cells.length), 0);
    /** @param {number} index */
    const column = (index) => lines.map((cells) => cells[index] ?? "");
    const wide = Array.from(
      { length: columns },
      (_, index) => Math.max(...column(index).map((cell) => widthOf(cell, 12))) + PAD,
    );
    const numbers = Array.from(
      { length: columns },
      (_, index) =>
        index > 0 &&
        column(index)
          .slice(1)
          .every((cell) => /^[^\p{L}]*( of \d+)?$/u.test(cell)),
    );
    const whole = wide.reduce((all, columnWidth) => all + columnWidth, 0);
    if (left > EDGE && left + whole > EDGE + inner) [left, top, tall] = [EDGE, top + tall, 0];
    lines.forEach((cells, line) => {
      const look = { size: 12, fill: line ? theme.ink : theme.muted };
      let x = left;
      cells.forEach((cell, index) => {
        const y = top + 12 + line * 18;
        body.push(
          numbers[index]
            ? svgText(x + wide[index] - PAD, y, cell, { ...look, anchor: "end" })
            : svgText(x, y, cell, look),
        );
        x += wide[index];
      });
    });
    left += whole + GAP;
    tall = Math.max(tall, lines.length * 18 + GAP);
  }
  const end = top + tall;
  const noteLines = note ? linesOf(note, inner, 12) : [];
  body.push(
    ...noteLines.map((line, lineIndex) => svgText(EDGE, end + lineIndex * 17, line, { size: 12, fill: theme.muted })),
  );
  return { height: end + noteLines.length * 17 + 8, body: body.join("") };
}

// One figure, never wider than the sheet, with its sentence below.
/**
 * @param {{ key: string, header: Header }} figure
 * @param {Theme} theme
 * @param {number} inner
 */
function blockOf({ key, header }, theme, inner) {
  const svg = figureSvg(key, theme, true);
  if (!svg) return null;
  const drawing = finished(svg, { theme, origin: header.origin });
  const scale = Math.min(1, inner / drawing.width);
  const [width, tall] = [drawing.width * scale, drawing.height * scale];
  const room = Math.max(width, 280);
  const lines = linesOfRuns(captionRuns(header), room * 0.94, CAPTION);
  const inside = drawing.text.slice(drawing.text.indexOf(">") + 1, drawing.text.lastIndexOf("</svg>"));
  /** @param {number} x */
  const put = (x) =>
    `<svg class="figure" x="${x}" y="0" width="${width}" height="${tall}" ` +
    `viewBox="${drawing.x} ${drawing.y} ${drawing.width} ${drawing.height}">${inside}</svg>` +
    lines.map((runs, lineIndex) => captionLine(x, tall + 18 + lineIndex * 19, runs, theme)).join("");
  return { width: room, height: tall + 8 + lines.length * 19, put };
}

// The poster as one drawing.
/** @param {Theme} theme */
export function poster(theme) {
  const { rows: all, ...about } = rows(theme);
  let y = 0;
  const body = all.map((row) => {
    const placed = `<g transform="translate(0 ${y})">${row.body}</g>`;
    y += row.height;
    return placed;
  });
  const head = `<title>${xml(about.title)}</title><metadata>${xml(JSON.stringify(about.origin))}</metadata>`;
  return {
    text: svgPage(WIDE, Math.ceil(y), theme, body.join("")).replace(">", `>${head}`),
    width: WIDE,
    height: Math.ceil(y),
    ...about,
  };
}

// Whoever prints the page, by our button or by the browser's own, gets these rows and nothing of the app around them.
/** @param {Theme} theme */
export function printable(theme) {
  const sheet = document.createElement("div");
  sheet.id = "attention-lab-paper";
  const style = document.createElement("style");
  style.textContent =
    "@page { margin: 10mm; } @media screen { #attention-lab-paper { display: none; } } @media print { " +
    "body > :not(#attention-lab-paper) { display: none !important; } " +
    `html, body { height: auto !important; overflow: visible !important; background: ${theme.paper} !important; } ` +
    "#attention-lab-paper svg { display: block; width: 100%; height: auto; break-inside: avoid; } " +
    "* { print-color-adjust: exact; } }";
  sheet.append(style);
  for (const row of rows(theme).rows) {
    const page = new DOMParser().parseFromString(
      svgPage(WIDE, Math.ceil(row.height), theme, row.body),
      "image/svg+xml",
    );
    sheet.append(document.importNode(page.documentElement, true));
  }
  document.body.append(sheet);
  return sheet;
}
