// The steps of a row, and how each number comes from the numbers before it: the sum, term by term.

// shows: what the step brings in; about: the number whose sum is opened first; needs: all that a projector shows of it
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

export const spelt = (value) => {
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

// e^(score − the largest) of every key, and their sum; a key that may not be looked at has 0.
export function oddsOf({ masked, mask }) {
  const top = Math.max(...masked.filter((_, s) => mask[s]));
  const each = Array.from(masked, (value, s) => (mask[s] ? Math.exp(value - top) : 0));
  return { top, each, sum: each.reduce((a, b) => a + b, 0) };
}

// Kinds of which every key has one.
export const PER_KEY = ["k", "v", "scores", "scaled", "bias", "masked", "exp", "weights"];

// In words what this step does; and for the number in focus its terms, their sum, and what the model itself had.
/** @returns {{ told: any[], total: string, terms: any[], model: string | null, cut?: boolean }} */
export function explain(view) {
  const { header, step } = view;
  const words = named(header.words);
  const [a, b] = [words[header.row], words[view.looked]];
  const { divisor } = header;
  const sentences = {
    x: [
      `The vector of `,
      [a],
      ` as this layer reads it${header.norm ? ", after its layer norm" : ""}: ${view.sizes.C} numbers. ` +
        "Each word has such a vector.",
    ],
    "q, k, v": [
      "Three matrices turn x into a query (what ",
      [a],
      " looks for), and every word's x into a key (what it can be found by) and a value (what it passes on).",
    ],
    "q · k": [
      "Multiply q by the key below it, number by number, and add up. The score of ",
      [`${a} → ${b}`],
      ` is ${spelt(view.n.scores[view.looked])}.`,
    ],
    "÷ √d":
      divisor === 1
        ? ["Scaling is switched off, so the scores are unchanged."]
        : [
            `Divide by √${view.sizes.D} = ${spelt(divisor)}, so that scores do not grow with the width of the head. `,
            [`${a} → ${b}`],
            ` becomes ${spelt(view.n.scaled[view.looked])}.`,
          ],
    "+ bias": header.biased
      ? [
          "The position adds a number that depends only on the distance. ",
          [`${a} → ${b}`],
          ` gets ${spelt(view.n.bias[view.looked])}.`,
        ]
      : ["Nothing is added to the scores here (", [header.position], ")."],
    mask: view.n.mask.every(Boolean)
      ? ["Every word is allowed: nothing is masked."]
      : [
          "Masked scores become −∞: ",
          [`${view.n.mask.filter((one) => !one).length} of ${view.sizes.S}`],
          " words are hatched.",
        ],
    exp: [
      "The largest score is subtracted from each score, so that nothing overflows. " +
        "Then e is raised to the power of each result. The sum is ",
      [spelt(view.odds.sum)],
      ".",
    ],
    softmax: [
      "Each power of e is divided by their sum. The weights of ",
      [a],
      " add up to 1, and ",
      [b],
      ` has weight ${spelt(view.n.weights[view.looked])}.`,
    ],
    "Σ weight · v": [
      "Multiply every value by its weight and add up: z is a weighted mean of the values. ",
      [b],
      ` has weight ${spelt(view.n.weights[view.looked])}.`,
    ],
    W_O: [
      "W_O turns this head's z into a vector as wide as the residual stream. The head adds this vector to ",
      [a],
      ".",
    ],
    "+ stream": header.residual
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
  const told = [
    [`Step ${step + 1} of ${STEPS.length}. `, false],
    ...sentences[STEPS[step].name].map((piece) => (Array.isArray(piece) ? [piece[0], true] : [piece, false])),
  ];
  return { told, ...sum(view) };
}

// A word that stands in the text more than once bears its place.
const named = (words) =>
  words.map((word, at) => (words.indexOf(word) !== words.lastIndexOf(word) ? `${word} (${at})` : word));

function sum(view) {
  const { header, n, sizes, focus, odds } = view;
  const { C, D, E, S } = sizes;
  const { kind } = focus;
  const s = focus.s ?? header.row;
  const i = focus.i ?? 0;
  const words = named(header.words);
  const arrow = `${words[header.row]} → ${words[s]}`;
  // [name, left, right] of each product
  const products = (name, pairs, rest, model) => {
    const total = pairs.reduce((all, [, left, right]) => all + left * right, 0) + (rest?.[1] ?? 0);
    const shown =
      pairs.length > view.layout.terms
        ? [...pairs].sort((a, b) => Math.abs(b[1] * b[2]) - Math.abs(a[1] * a[2])).slice(0, view.layout.terms)
        : pairs;
    const terms = shown.map(([of, left, right]) => ({ name: of, text: `${spelt(left)} × ${spelt(right)}` }));
    if (rest) terms.push({ name: rest[0], text: spelt(rest[1]) });
    const cut = pairs.length - shown.length;
    return {
      terms,
      total: `${cut ? `and ${cut} smaller terms; together ` : ""}${name} = ${spelt(total)}`,
      model: told(model, total),
      cut,
    };
  };
  const plain = (name, pieces, total, model) => ({
    terms: pieces.map(([of, text]) => ({ name: of, text })),
    total: `${name} = ${spelt(total)}`,
    model: told(model, total),
  });
  const projected = (name, matrix, bias, wide, who, model) => {
    const pairs = Array.from({ length: C }, (_, c) => [c, n.x[who * C + c], n[matrix][c * wide + i]]);
    const made = products(
      `${name}[${i}] = Σ x[c] · W[c, ${i}]`,
      pairs,
      bias.length ? ["b", bias[i]] : null,
      header.turned && name !== "v" ? null : model,
    );
    return header.turned && name !== "v"
      ? { ...made, model: `then rotated by its position to ${spelt(model)} (RoPE)` }
      : made;
  };
  switch (kind) {
    case "x":
      return header.norm
        ? {
            ...plain(
              `x[${i}]`,
              [
                ["(stream", spelt(n.stream[i])],
                ["− mean)", spelt(header.norm[0])],
                ["÷ deviation", spelt(header.norm[1])],
                ["× gain", spelt(n.gain[i])],
                ["+ shift", spelt(n.shift[i])],
              ],
              ((n.stream[i] - header.norm[0]) / header.norm[1]) * n.gain[i] + n.shift[i],
              n.x[header.row * C + i],
            ),
          }
        : {
            terms: [{ name: "stream", text: spelt(n.stream[i]) }],
            total: `x[${i}] = ${spelt(n.x[header.row * C + i])}`,
            model: "There is no norm before the layer, so x is the stream.",
          };
    case "q":
      return projected("q", "w_q", n.b_q, D, header.row, n.q[i]);
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
          ["score", spelt(n.scores[s])],
          ["÷", spelt(header.divisor)],
        ],
        n.scores[s] / header.divisor,
        n.scaled[s],
      );
    case "bias":
      return plain(
        arrow,
        [
          ["scaled", spelt(n.scaled[s])],
          ["+ bias", spelt(n.bias[s])],
        ],
        n.scaled[s] + n.bias[s],
        n.biased[s],
      );
    case "masked":
      return n.mask[s]
        ? plain(arrow, [["allowed", spelt(n.biased[s])]], n.biased[s], n.masked[s])
        : {
            terms: [{ name: "masked", text: "−∞" }],
            total: `${arrow} = −∞`,
            model: "e to the power of −∞ is 0: the weight is exactly 0.",
          };
    case "exp":
      return n.mask[s]
        ? {
            terms: [{ name: "e ^", text: `(${spelt(n.masked[s])} − ${spelt(odds.top)})` }],
            total: `${arrow} = ${spelt(odds.each[s])}`,
            model: "",
          }
        : { terms: [], total: `${arrow} = 0`, model: "This key is masked." };
    case "weights":
      return plain(
        arrow,
        [
          ["exp", spelt(odds.each[s])],
          ["÷ Σ", spelt(odds.sum)],
        ],
        odds.sum ? odds.each[s] / odds.sum : 0,
        n.weights[s],
      );
    case "z":
      return products(
        `z[${i}]`,
        Array.from({ length: S }, (_, at) => [words[at], n.weights[at], n.v[at * E + i]]),
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
      const heads = Array.from({ length: n.heads.length / C }, (_, at) => [`head ${at}`, n.heads[at * C + i]]).filter(
        (_, at) => at !== header.head,
      );
      const pieces = [...heads, ["bias of W_O", n.b_o[i]]];
      return {
        ...plain(
          `others[${i}]`,
          pieces.map(([of, value]) => [of, spelt(value)]),
          n.others[i],
          null,
        ),
        model: "Computed here, head by head.",
      };
    }
    case "stream":
      return {
        terms: [],
        total: `stream[${i}] = ${spelt(n.stream[i])}`,
        model: header.layer
          ? `The output of layer ${header.layer - 1} for ${words[header.row]}.`
          : `The embedding of ${words[header.row]}.`,
      };
    default: {
      const stream = header.residual ? [["stream", n.stream[i]]] : [];
      const pieces = [...stream, ["this head", n.carried[i]], ["other heads", n.others[i]]];
      const total = pieces.reduce((all, [, value]) => all + value, 0);
      return plain(
        `after[${i}]`,
        pieces.map(([name, value]) => [name, spelt(value)]),
        total,
        n.after[i],
      );
    }
  }
}

// The sum made here against the number the model had.
function told(model, total) {
  if (model === null) return "";
  const apart = Math.abs(model - total);
  return apart === 0
    ? "The model has the same number."
    : `The model has ${spelt(model)}. The difference of ${apart.toExponential(0)} is rounding.`;
}
