import assert from "node:assert/strict";
import test from "node:test";

import "./stand_in.js";

const { asSvg, drawSigns, fitted, linesOf, linesOfRuns, widthOf } = await import(
  "../../viz/canvas/frontend/lib/drawing.js"
);

const theme = { paper: "#fff", ink: "#000", hatch: "#ccc", absent: "#eee" };

test("a text that fits is whole, and one that does not ends in an ellipsis within its room", () => {
  assert.equal(widthOf("abcd", 12), 24); // the stand-in: a letter is half as wide as its type is large
  assert.equal(fitted("abcd", 24), "abcd");
  assert.equal(fitted("abcde", 24), "abc…");
  assert.equal(fitted("abc", 0), "…");
});

test("lines are no wider than their room, lose no word, and a long word is cut", () => {
  assert.deepEqual(linesOf("aa bb cc", 30), ["aa bb", "cc"]);
  assert.deepEqual(linesOf("a abcdefgh b", 30), ["a", "abcde", "fgh b"]);
  for (const room of [6, 13, 30, 100]) {
    const lines = linesOf("the quick brown fox jumps over it", room);
    for (const line of lines) assert.ok(widthOf(line) <= room);
    assert.equal(lines.join("").replaceAll(" ", ""), "thequickbrownfoxjumpsoverit");
  }
});

test("the same calls as on a canvas become SVG, with the text escaped", () => {
  const svg = asSvg(100, 50, theme, (pen) => {
    pen.rect(1, 2, -3, 4, "#123");
    pen.line(
      [
        [0, 0],
        [5, 6],
      ],
      "#456",
      2,
    );
    pen.text(7, 8, "<b>", { turn: 90 });
  });
  assert.match(svg, /<rect x="1" y="2" width="0" height="4" fill="#123"\/>/);
  assert.match(svg, /<polyline points="0,0,?\s?5,6" fill="none" stroke="#456" stroke-width="2"\/>/);
  assert.match(svg, /translate\(7 8\) rotate\(90\)/);
  assert.match(svg, /&lt;b&gt;/);
});

test("a cell clearly below 0 bears a minus, one without a number a cross, and a small cell nothing", () => {
  const drawn = [];
  const pen = { line: () => drawn.push("line"), rect: () => drawn.push("minus") };
  drawSigns(pen, theme, [0.5, -0.1, -0.5, Infinity, NaN], 5, 0, 0, 20);
  assert.deepEqual(drawn, ["minus", "line", "line"]);
  drawn.length = 0;
  drawSigns(pen, theme, [-1], 1, 0, 0, 8);
  assert.deepEqual(drawn, []);
});

test("the lines of a text in runs are those of the text, and each run keeps its emphasis", () => {
  const runs = [
    ["the ", false],
    ["old river", true],
    [" of it", false],
  ];
  assert.deepEqual(linesOfRuns(runs, 60), [
    [
      ["the ", false],
      ["old", true],
    ],
    [
      ["river", true],
      [" of", false],
    ],
    [["it", false]],
  ]);
  assert.deepEqual(linesOfRuns([["", false]], 60), []);
});
