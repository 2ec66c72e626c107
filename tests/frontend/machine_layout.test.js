import assert from "node:assert/strict";
import test from "node:test";

import "./stand_in.js";

const { placeOf, stacksOf, targetsOf } = await import("../../viz/canvas/frontend/figures/machine_layout.js");

const SWITCHES = ["scale", "mask", "position", "norm", "residual", "mlp"];

const partsOf = (stack, kinds, layers, norm) => [
  { kind: "embedding", layer: null, norm: "none", present: true, stack },
  ...Array.from({ length: layers }, (_, layer) =>
    kinds.map((kind) => ({ kind, layer, norm, present: true, stack })),
  ).flat(),
];

// A model of `layers` layers of four heads on three tokens. norm: where the norm of a layer stands.
// source: whether an encoder stands before it. sizes: tokens of the source and the target, each is `word`.
function figure({
  layers = 2,
  norm = "before",
  mask = true,
  positions = "attention",
  width = 1090,
  off = [],
  source = false,
  sizes = [4, 3],
  word = "a",
} = {}) {
  const [own, finalNorm] = [source ? "decoder" : "", norm === "before" ? "before" : "none"];
  const parts = [
    ...(source ? partsOf("encoder", ["attention", "mlp"], layers, norm) : []),
    ...(source ? [{ kind: "output", layer: null, norm: finalNorm, present: true, stack: "encoder" }] : []),
    ...partsOf(own, source ? ["attention", "cross", "mlp"] : ["attention", "mlp"], layers, norm),
    { kind: "unembedding", layer: null, norm: finalNorm, present: true, stack: own },
  ];
  const sent = [];
  const view = {
    root: { clientWidth: width },
    opened: {},
    send: (...message) => sent.push(message),
    header: {
      tokens: Array(sizes[1]).fill(word),
      positions: [...Array(sizes[1]).keys()],
      parts,
      switches: SWITCHES.map((name) => ({
        name,
        label: { scale: "÷√d_k", residual: "+" }[name] ?? name,
        on: !off.includes(name),
        available: name !== "mask" || mask,
      })),
      heads_off: ["L1H2"],
      source: source ? { tokens: Array(sizes[0]).fill(word), followed: [0, 1, 2] } : null,
      next_tokens: [[], [], []],
      position_place: positions,
      detail: "words",
    },
  };
  const shape = [layers, 4, 3, 3];
  view.stacks = stacksOf(view.header, {
    cells: { shape },
    encoder_cells: { shape },
    cross_cells: { shape },
    encoder_output: {},
  });
  view.place = placeOf(view);
  const targets = targetsOf(view);
  return { view, targets, sent, named: (part, layer) => targets.filter((t) => t.part === part && t.layer === layer) };
}

test("every part of every layer can be pressed, and says its name", () => {
  const { targets, sent, named } = figure();
  for (const layer of [0, 1]) {
    assert.equal(named("head", layer).length, 4);
    for (const part of ["attention", "mlp", "scale", "mask", "position"]) assert.equal(named(part, layer).length, 1);
    for (const part of ["norm", "residual"])
      assert.deepEqual(
        named(part, layer).map(({ of }) => of),
        ["attention", "mlp"],
      );
  }
  named("mlp", 1)[0].press();
  named("attention", 1)[0].press();
  named("head", 1)[2].press();
  assert.deepEqual(sent, [
    ["part", "mlp"],
    ["layer", [1, "L"]],
    ["head", [1, 2, "L"]],
  ]);
  assert.deepEqual(
    named("head", 1).map(({ on }) => on),
    [true, true, false, true],
  );
  assert.equal(targets.filter(({ kind }) => kind === "token").length, 3);
});

test("a pre-norm model has norms before the parts and the words, a post-norm model after each sum", () => {
  const before = figure();
  const [first, second] = before.named("norm", 0);
  const [plus, secondPlus] = before.named("residual", 0);
  assert.ok(first.x < plus.x && plus.x < second.x && second.x < secondPlus.x);
  assert.equal(before.named("norm", null).length, 1);
  const after = figure({ norm: "after" });
  for (const [index, norm] of after.named("norm", 0).entries()) {
    const sum = after.named("residual", 0)[index];
    assert.ok(norm.x < sum.x + sum.wide && sum.x < norm.x + norm.wide && norm.y > sum.y);
  }
  assert.equal(after.named("norm", null).length, 0);
  assert.equal(figure({ norm: "none" }).named("norm", 0).length, 0);
});

test("a norm that is removed keeps its place and can be put back", () => {
  const [on, off] = [figure(), figure({ off: ["norm"] })];
  assert.deepEqual(
    off.named("norm", 0).map(({ x, y }) => [x, y]),
    on.named("norm", 0).map(({ x, y }) => [x, y]),
  );
  assert.ok(off.named("norm", 0).every(({ on, press }) => !on && press));
});

test("an encoder has no mask, and positions stand where they come in", () => {
  assert.equal(figure({ mask: false }).named("mask", 0).length, 0);
  const embedded = figure({ positions: "embedding" });
  assert.deepEqual([embedded.named("position", null).length, embedded.named("position", 0).length], [1, 0]);
  const none = figure({ positions: "none" });
  assert.equal(none.targets.filter(({ part }) => part === "position").length, 0);
});

test("nothing stands outside the figure or over another part, on a screen, on a phone and with twelve layers", () => {
  for (const settings of [
    {},
    { width: 358 },
    { layers: 12 },
    { layers: 12, width: 358 },
    { layers: 4, norm: "after" },
    { source: true },
    { source: true, width: 358 },
    { source: true, width: 358, positions: "embedding" },
    { source: true, norm: "after" },
    { source: true, width: 358, norm: "after" },
    { source: true, layers: 6 },
    { source: true, layers: 6, width: 900 },
    { source: true, width: 900 },
    { source: true, width: 1280 },
    { source: true, width: 1280, positions: "embedding", norm: "after" },
    { source: true, width: 1280, layers: 6 },
  ]) {
    const { view, targets } = figure(settings);
    for (const { x, y, wide, tall, text } of targets) {
      assert.ok(x >= 0 && x + wide <= view.root.clientWidth + 0.5, `${text} at ${x} of ${wide}`);
      assert.ok(y >= 0 && y + tall <= view.place.height);
    }
    for (const [index, target] of targets.entries()) {
      for (const other of targets.slice(index + 1)) {
        const apart =
          target.x + target.wide <= other.x + 0.5 ||
          other.x + other.wide <= target.x + 0.5 ||
          target.y + target.tall <= other.y + 0.5 ||
          other.y + other.tall <= target.y + 0.5;
        assert.ok(apart, `${target.part} ${target.layer} and ${other.part} ${other.layer} ${JSON.stringify(settings)}`);
      }
    }
  }
});

test("of twelve layers one is open, and a press opens another", () => {
  const { view, targets } = figure({ layers: 12 });
  const folds = targets.filter(({ kind }) => kind === "fold");
  assert.equal(folds.length, 11);
  view.open = (layer, stack) => (view.opened[stack] = layer);
  folds[4].press();
  view.place = placeOf(view);
  assert.deepEqual(
    targetsOf(view)
      .filter(({ part }) => part === "attention")
      .map(({ layer }) => layer),
    [folds[4].layer],
  );
});

test("a model of two sentences has an encoder above a decoder with cross-attention", () => {
  const { view, targets, sent } = figure({ source: true, width: 900 });
  const count = (part, stack) => targets.filter((target) => target.part === part && target.stack === stack).length;
  assert.deepEqual([count("mask", "encoder"), count("mask", "decoder")], [0, 2], "an encoder has no mask");
  assert.deepEqual([count("cross", "encoder"), count("cross", "decoder")], [0, 2]);
  assert.deepEqual([count("scale", "encoder"), count("scale", "decoder")], [2, 4]);
  assert.deepEqual([count("residual", "encoder"), count("residual", "decoder")], [4, 6]);
  assert.deepEqual(
    [count("norm", "encoder"), count("norm", "decoder")],
    [4 + 1, 6 + 1],
    "pre-norm: before each output",
  );
  assert.deepEqual([count("token", "encoder"), count("token", "decoder")], [0, 3]);
  const heads = targets.filter(({ kind, layer, head }) => kind === "head" && layer === 1 && head === 2);
  for (const head of heads) head.press();
  targets.find(({ part }) => part === "cross").press();
  assert.deepEqual(sent, [
    ["head", [1, 2, "E"]],
    ["head", [1, 2, "L"]],
    ["head", [1, 2, "X"]],
    ["layer", [0, "X"]],
  ]);
  assert.deepEqual(
    heads.map(({ on }) => on),
    [true, false, true],
  );
  const [encoder, decoder] = view.place.bands;
  assert.ok(encoder.foot < decoder.top && decoder.memory < decoder.lanes - 3 * view.place.memoryLane);
});

test("the parts of a block stand side by side and fill it, with a strip after each", () => {
  for (const width of [1280, 900, 358]) {
    const { view } = figure({ source: true, width });
    for (const { blocks } of view.place.bands) {
      for (const { x, width: wide, parts, folded } of blocks) {
        if (folded) continue;
        let left = x;
        for (const part of parts) {
          assert.ok(part.x >= left && part.width > 20 && part.strip >= part.x + part.width);
          left = part.strip + view.place.strip;
        }
        assert.equal(left, x + wide);
      }
    }
  }
});

test("on a wide screen the decoder stands beside the encoder, whose lanes run on at the same height", () => {
  const [encoder, decoder] = figure({ source: true, width: 1280 }).view.place.bands;
  assert.equal(decoder.memory, encoder.lanes);
  assert.ok(decoder.left > encoder.right && decoder.lanes > encoder.foot && decoder.foot > encoder.foot);
  const [above, below] = figure({ source: true, width: 900 }).view.place.bands;
  assert.ok(below.left === 0 && below.top > above.foot && below.memory > above.foot);
});

test("both stacks of a model of two sentences are seen in one screen; a press opens a folded layer", () => {
  const { view, targets } = figure({
    source: true,
    width: 1089,
    sizes: [15, 16],
    positions: "embedding",
    word: "because",
  });
  assert.ok(view.place.height <= 720, `${view.place.height}`); // its letters are wider than those of a browser
  const open = () =>
    view.place.bands.map(({ blocks }) => blocks.filter(({ folded }) => !folded).map(({ layer }) => layer));
  assert.deepEqual(open(), [[0], [1]]);
  view.open = (layer, stack) => (view.opened[stack] = layer);
  targets.find(({ kind, stack }) => kind === "fold" && stack === "decoder").press();
  view.place = placeOf(view);
  assert.deepEqual(open(), [[0], [0]]);
});
