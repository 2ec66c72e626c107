// The steps of a row, and how each number comes from the numbers before it: the sum, term by term.

/** @typedef {import("../types.js").HeadStepsHeader} Header */
/** @typedef {import("../types.js").ExplainedStep} View */
/** @typedef {import("../types.js").StepKind} StepKind */
/** One term of a sum. @typedef {{ name: string | number, text: string }} Term */
/** A product: what it is of, and its two factors. @typedef {[string | number, number, number]} Product */
/** cut: how many terms are not written. @typedef {{ terms: Term[], total: string, model: string, cut?: number }} Sum */

import { numbered, quoted } from "../lib/values.js";

// shows: what the step brings in; about: the number whose sum is opened first; needs: all that a projector shows of it
/** @type {{ name: string, shows: StepKind[], about: StepKind, needs: (StepKind | "all x")[] }[]} */
export const STEPS = [
  { name: "x", shows: ["x"], about: "x", needs: ["x", "all x"] },
  { name: "q, k, v", shows: ["q", "k", "v"], about: "q", needs: ["q", "k", "v"] },
  { name: "q · k", shows: ["scores"], about: "scores", needs: ["q", "k", "scores"] },
  { name: "÷ √d", shows: ["scaled"], about: "scaled", needs: ["scores", "scaled"] },
  { name: "+ bias", shows: ["bias"], about: "bias", needs: ["scores", "scaled", "bias"] },
  { name: "mask", shows: ["masked"], about: "masked", needs: ["scaled", "bias", "masked"] },
  { name: "exp", shows: ["exp"], about: "exp", needs: ["masked", "exp"] },
  { name: "softmax", shows: ["weights"], about: "weights", needs: ["masked", "exp", "weights"] },
  { name: "Σ weight · v", shows: ["z"], about: "z", needs: ["weights", "v", "z"] },
  { name: "W_O", shows: ["carried"], about: "carried", needs: ["z", "carried"] },
  {
    name: "+ stream",
    shows: ["others", "stream", "after"],
    about: "after",
    needs: ["carried", "others", "stream", "after"],
  },
];

/** @param {number} value */
export const formatNumber = (value) => {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "no number" : value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  const text =
    size && size < 0.001
      ? size.toExponential(1)
      : size >= 1000
        ? size.toFixed(0)
        : size.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 3);
  return value < 0 ? `−${text}` : text;
};

// e^(score − the largest) of every key, and their sum; a masked key has 0.
/** @param {import("../types.js").HeadNumbers} n */
export function exponentialsOf({ masked, mask }) {
  const top = Math.max(...masked.filter((_, s) => mask[s]));
  const each = Array.from(masked, (value, s) => (mask[s] ? Math.exp(value - top) : 0));
  return { top, each, sum: each.reduce((a, b) => a + b, 0) };
}

// Kinds of which every key has one.
/** @type {StepKind[]} */
export const PER_KEY = ["k", "v", "scores", "scaled", "bias", "masked", "exp", "weights"];

// The token whose row this is; of another text than the keys with its place there.
/** @param {Header} header */
const queryOf = ({ words, row, query, query_place }) =>
  row < 0 ? `${quoted(query)} (${query_place})` : numbered(words.map(quoted))[row];

// In words what this step does; and for the number in focus its terms, their sum, and what the model itself had.
/**
 * @param {View} view
 * @returns {{ sentence: [string, boolean][] } & Sum} pieces of the sentence: text, stressed or not
 */
export function explain(view) {
  const { header, step } = view;
  const words = numbered(header.words.map(quoted));
  const [a, b] = [queryOf(header), words[view.keyIndex]];
  const crosses = header.row < 0;
  const { divisor } = header;
  /** By step; a piece in brackets is stressed. @type {Record<string, (string | [string])[]>} */
  const sentences = {
    x: [
      `The vector of `,
      [a],
      ` as this layer reads it${header.norm ? ", after its layer norm" : ""}: ${view.sizes.C} numbers. ` +
        (crosses
          ? "The words below are the source. Their vectors are the output of the encoder."
          : "Each word has such a vector."),
    ],
    "q, k, v": crosses
      ? [
          "The query comes from the decoder: it is what ",
          [a],
          " looks for. The keys and the values come from the encoder: one of each for every word of the source.",
        ]
      : [
          "Three matrices turn x into a query (what ",
          [a],
          " looks for), and every word's x into a key (what it can be found by) and a value (what it passes on).",
        ],
    "q · k": [
      "Multiply q by the key below it, number by number, and add up. The score of ",
      [`${a} → ${b}`],
      ` is ${formatNumber(view.n.scores[view.keyIndex])}.`,
    ],
    "÷ √d":
      divisor === 1
        ? ["Scaling is switched off, so the scores are unchanged."]
        : [
            `Divide by √${view.sizes.D} = ${formatNumber(divisor)}, ` +
              "so that scores do not grow with the width of the head. ",
            [`${a} → ${b}`],
            ` becomes ${formatNumber(view.n.scaled[view.keyIndex])}.`,
          ],
    "+ bias": header.has_bias
      ? [
          "The position adds a number that depends only on the distance. ",
          [`${a} → ${b}`],
          ` gets ${formatNumber(view.n.bias[view.keyIndex])}.`,
        ]
      : ["Nothing is added to the scores here (", [header.position], ")."],
    mask: view.n.mask.every(Boolean)
      ? ["Every word is allowed: nothing is masked."]
      : [
          "Masked scores become −∞: ",
          [`${view.n.mask.filter((allowed) => !allowed).length} of ${view.sizes.S}`],
          " words are hatched.",
        ],
    exp: [
      "The largest score is subtracted from each score, so that nothing overflows. " +
        "Then e is raised to the power of each result. The sum is ",
      [formatNumber(view.exponentials.sum)],
      ".",
    ],
    softmax: [
      "Each power of e is divided by their sum. The weights of ",
      [a],
      " add up to 1, and ",
      [b],
      ` has weight ${formatNumber(view.n.weights[view.keyIndex])}.`,
    ],
    "Σ weight · v": [
      "Multiply every value by its weight and add up: z is a weighted mean of the values. ",
      [b],
      ` has weight ${formatNumber(view.n.weights[view.keyIndex])}.`,
    ],
    W_O: [
      "W_O turns this head's z into a vector as wide as the residual stream. The head adds this vector to ",
      [a],
      ".",
    ],
    "+ stream": header.has_residual
      ? [
          "The outputs of all heads are added to the residual stream of ",
          [a],
          header.norm_after
            ? ". The layer norm of this sublayer then normalises the sum."
            : ". Nothing in it is overwritten.",
        ]
      : [
          "The residual connection is removed, so the outputs of the heads replace the stream of ",
          [a],
          header.norm_after ? ". The layer norm of this sublayer then normalises them." : ".",
        ],
  };
  /** @type {[string, boolean][]} */
  const pieces = sentences[STEPS[step].name].map((piece) => (Array.isArray(piece) ? [piece[0], true] : [piece, false]));
  return { sentence: [[`Step ${step + 1} of ${STEPS.length}. `, false], ...pieces], ...sum(view) };
}

/**
 * @param {View} view
 * @returns {Sum}
 */
function sum(view) {
  const { header, n, sizes, focus, exponentials } = view;
  const { C, D, E, S } = sizes;
  const { kind } = focus;
  const s = focus.s ?? view.keyIndex;
  const i = focus.i ?? 0;
  const words = numbered(header.words.map(quoted));
  const arrow = `${queryOf(header)} → ${words[s]}`;
  /**
   * @param {string} name
   * @param {Product[]} pairs
   * @param {[string, number] | null} rest
   * @param {number | null} model
   */
  const products = (name, pairs, rest, model) => {
    const total = pairs.reduce((all, [, left, right]) => all + left * right, 0) + (rest?.[1] ?? 0);
    const shownPairs =
      pairs.length > view.layout.terms
        ? [...pairs].sort((a, b) => Math.abs(b[1] * b[2]) - Math.abs(a[1] * a[2])).slice(0, view.layout.terms)
        : pairs;
    /** @type {Term[]} */
    const terms = shownPairs.map(([of, left, right]) => ({
      name: of,
      text: `${formatNumber(left)} × ${formatNumber(right)}`,
    }));
    if (rest) terms.push({ name: rest[0], text: formatNumber(rest[1]) });
    const cut = pairs.length - shownPairs.length;
    return {
      terms,
      total: `${cut ? `and ${cut} smaller terms; together ` : ""}${name} = ${formatNumber(total)}`,
      model: comparison(model, total),
      cut,
    };
  };
  /**
   * @param {string} name
   * @param {[string, string][]} pieces
   * @param {number} total
   * @param {number | null} model
   */
  const plain = (name, pieces, total, model) => ({
    terms: pieces.map(([of, text]) => ({ name: of, text })),
    total: `${name} = ${formatNumber(total)}`,
    model: comparison(model, total),
  });
  /**
   * @param {string} name
   * @param {"w_q" | "w_k" | "w_v"} matrix
   * @param {Float32Array} bias
   * @param {number} wide
   * @param {number | null} who
   * @param {number} model
   */
  const projected = (name, matrix, bias, wide, who, model) => {
    const input = (/** @type {number} */ c) => (who === null ? n.x_query[c] : n.x[who * C + c]);
    /** @type {Product[]} */
    const pairs = Array.from({ length: C }, (_, c) => [c, input(c), n[matrix][c * wide + i]]);
    const product = products(
      `${name}[${i}] = Σ x[c] · W[c, ${i}]`,
      pairs,
      bias.length ? ["b", bias[i]] : null,
      header.is_rotated && name !== "v" ? null : model,
    );
    return header.is_rotated && name !== "v"
      ? { ...product, model: `then rotated by its position to ${formatNumber(model)} (RoPE)` }
      : product;
  };
  switch (kind) {
    case "x":
      return header.norm
        ? {
            ...plain(
              `x[${i}]`,
              [
                ["(stream", formatNumber(n.stream[i])],
                ["− mean)", formatNumber(header.norm[0])],
                ["÷ deviation", formatNumber(header.norm[1])],
                ["× gain", formatNumber(n.gain[i])],
                ["+ shift", formatNumber(n.shift[i])],
              ],
              ((n.stream[i] - header.norm[0]) / header.norm[1]) * n.gain[i] + n.shift[i],
              n.x_query[i],
            ),
          }
        : {
            terms: [{ name: "stream", text: formatNumber(n.stream[i]) }],
            total: `x[${i}] = ${formatNumber(n.x_query[i])}`,
            model: "There is no norm before the layer, so x is the stream.",
          };
    case "q":
      return projected("q", "w_q", n.b_q, D, null, n.q[i]);
    case "k":
      return projected("k", "w_k", n.b_k, D, s, n.k[s * D + i]);
    case "v":
      return projected("v", "w_v", n.b_v, E, s, n.v[s * E + i]);
    case "scores":
      return products(
        arrow,
        Array.from({ length: D }, (_, d) => [d, n.q[d], n.k[s * D + d]]),
        null,
        n.scores[s],
      );
    case "scaled":
      return plain(
        arrow,
        [
          ["score", formatNumber(n.scores[s])],
          ["÷", formatNumber(header.divisor)],
        ],
        n.scores[s] / header.divisor,
        n.scaled[s],
      );
    case "bias":
      return plain(
        arrow,
        [
          ["scaled", formatNumber(n.scaled[s])],
          ["+ bias", formatNumber(n.bias[s])],
        ],
        n.scaled[s] + n.bias[s],
        n.biased[s],
      );
    case "masked":
      return n.mask[s]
        ? plain(arrow, [["allowed", formatNumber(n.biased[s])]], n.biased[s], n.masked[s])
        : {
            terms: [{ name: "masked", text: "−∞" }],
            total: `${arrow} = −∞`,
            model: "e to the power of −∞ is 0: the weight is exactly 0.",
          };
    case "exp":
      return n.mask[s]
        ? {
            terms: [{ name: "e ^", text: `(${formatNumber(n.masked[s])} − ${formatNumber(exponentials.top)})` }],
            total: `${arrow} = ${formatNumber(exponentials.each[s])}`,
            model: "",
          }
        : { terms: [], total: `${arrow} = 0`, model: "This key is masked." };
    case "weights":
      return plain(
        arrow,
        [
          ["exp", formatNumber(exponentials.each[s])],
          ["÷ Σ", formatNumber(exponentials.sum)],
        ],
        exponentials.sum ? exponentials.each[s] / exponentials.sum : 0,
        n.weights[s],
      );
    case "z":
      return products(
        `z[${i}]`,
        Array.from({ length: S }, (_, keyIndex) => [words[keyIndex], n.weights[keyIndex], n.v[keyIndex * E + i]]),
        null,
        n.z[i],
      );
    case "carried":
      return {
        ...products(
          `(z W_O)[${i}]`,
          Array.from({ length: E }, (_, e) => [e, n.z[e], n.w_o[e * C + i]]),
          null,
          null,
        ),
        model: "Computed here: the model mixes all heads in one product.",
      };
    case "others": {
      /** @type {[string, number][]} */
      const heads = Array.from({ length: n.heads.length / C }, (_, headIndex) => [
        `head ${headIndex}`,
        n.heads[headIndex * C + i],
      ]);
      /** @type {[string, number][]} */
      const pieces = [...heads.filter((_, headIndex) => headIndex !== header.head), ["bias of W_O", n.b_o[i]]];
      return {
        ...plain(
          `others[${i}]`,
          pieces.map(([of, value]) => [of, formatNumber(value)]),
          n.others[i],
          null,
        ),
        model: "Computed here, head by head.",
      };
    }
    case "stream":
      return {
        terms: [],
        total: `stream[${i}] = ${formatNumber(n.stream[i])}`,
        model:
          header.row < 0
            ? `The residual stream of ${queryOf(header)} after the self-attention of decoder layer ${header.layer}.`
            : header.layer
              ? `The output of layer ${header.layer - 1} for ${queryOf(header)}.`
              : `The embedding of ${queryOf(header)}.`,
      };
    default: {
      /** @type {[string, number][]} */
      const stream = header.has_residual ? [["stream", n.stream[i]]] : [];
      /** @type {[string, number][]} */
      const pieces = [...stream, ["this head", n.carried[i]], ["other heads", n.others[i]]];
      const total = pieces.reduce((all, [, value]) => all + value, 0);
      return plain(
        `after[${i}]`,
        pieces.map(([name, value]) => [name, formatNumber(value)]),
        total,
        n.after[i],
      );
    }
  }
}

// The sum made here against the number the model had.
/**
 * @param {number | null} model
 * @param {number} total
 */
function comparison(model, total) {
  if (model === null) return "";
  const apart = Math.abs(model - total);
  return apart === 0
    ? "The model has the same number."
    : `The model has ${formatNumber(model)}. The difference of ${apart.toExponential(0)} is rounding.`;
}
