import assert from "node:assert/strict";
import test from "node:test";

import "./stand_in.js";

const { placeOf, targetsOf } = await import("../../viz/canvas/frontend/figures/machine_layout.js");

const SWITCHES = ["scale", "mask", "position", "norm", "residual", "mlp"];

// A model of `layers` layers of four heads on three tokens. norm: where the norm of a layer stands.
function figure({ layers = 2, norm = "before", mask = true, positions = "attention", width = 1090, off = [] } = {}) {
  const parts = [
    { kind: "embedding", layer: null, norm: "none", present: true },
    ...Array.from({ length: layers }, (_, layer) =>
      ["attention", "mlp"].map((kind) => ({ kind, layer, norm, present: true })),
    ).flat(),
    { kind: "unembedding", layer: null, norm: norm === "before" ? "before" : "none", present: true },
  ];
  const sent = [];
  const view = {
    root: { clientWidth: width },
    layers,
    opened: 0,
    arrays: { cells: { shape: [layers, 4, 3, 3] } },
    send: (...message) => sent.push(message),
    header: {
      tokens: ["a", "b", "c"],
      positions: [0, 1, 2],
      parts,
      switches: SWITCHES.map((name) => ({
        name,
        label: name,
        on: !off.includes(name),
        available: name !== "mask" || mask,
      })),
      heads_off: [[1, 2]],
      next_tokens: [[], [], []],
      position_place: positions,
      detail: "words",
    },
  };
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
    ["layer", 1],
    ["head", [1, 2]],
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
  view.open = (layer) => (view.opened = layer);
  folds[4].press();
  view.place = placeOf(view);
  assert.deepEqual(
    targetsOf(view)
      .filter(({ part }) => part === "attention")
      .map(({ layer }) => layer),
    [folds[4].layer],
  );
});
