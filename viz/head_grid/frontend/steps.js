// The steps of a row, and how each number comes from the numbers before it: the sum, term by term.

// shows: what the step brings in; about: the number whose sum is opened first
export const STEPS = [
  { name: "x", shows: ["x"], about: "x" },
  { name: "q, k, v", shows: ["q", "k", "v"], about: "q" },
  { name: "q · k", shows: ["scores"], about: "scores" },
  { name: "÷ √d", shows: ["scaled"], about: "scaled" },
  { name: "+ bias", shows: ["bias"], about: "bias" },
  { name: "mask", shows: ["masked"], about: "masked" },
  { name: "exp", shows: ["exp"], about: "exp" },
  { name: "softmax", shows: ["weights"], about: "weights" },
  { name: "Σ weight · v", shows: ["z"], about: "z" },
  { name: "W_O", shows: ["carried"], about: "carried" },
  { name: "+ stream", shows: ["others", "stream", "after"], about: "after" },
];

const MOST_TERMS = 64;

export const spelt = (value) => {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "no number" : value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  const text = size && size < 0.001 ? size.toExponential(1) : size >= 1000 ? size.toFixed(0) : size.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 3);
  return value < 0 ? `−${text}` : text;
};

export function sumOfExp({ masked, mask }) {
  const top = Math.max(...masked.filter((_, s) => mask[s]));
  return masked.reduce((sum, value, s) => (mask[s] ? sum + Math.exp(value - top) : sum), 0);
}

// In words what this step does; and for the number in focus its terms, their sum, and what the model itself had.
export function explain(view) {
  const { header, step } = view;
  const [a, b] = [header.words[header.row], header.words[view.looked]];
  const { divisor } = header;
  const sentences = {
    x: [`The vector of `, [a], ` as this layer reads it${header.normed ? ", after its layer norm" : ""}: ${view.sizes.C} numbers. Each word has one.`],
    "q, k, v": ["Three matrices turn x into a query (what ", [a], " seeks), and every word's x into a key (what it offers) and a value (what it hands over)."],
    "q · k": ["Multiply q with the key below it, number by number, and add up: the score of ", [`${a} → ${b}`], ` is ${spelt(view.n.scores[view.looked])}.`],
    "÷ √d": divisor === 1
      ? ["The scaling is taken out: the scores stay as they are."]
      : [`Divide by √${view.sizes.D} = ${spelt(divisor)}, so that scores do not grow with the width of the head: `, [`${a} → ${b}`], ` becomes ${spelt(view.n.scaled[view.looked])}.`],
    "+ bias": header.biased
      ? ["The position adds a number that depends only on the distance: ", [`${a} → ${b}`], ` gets ${spelt(view.n.bias[view.looked])}.`]
      : ["Nothing is added to the scores here: ", [header.position], "."],
    mask: view.n.mask.every(Boolean)
      ? ["Every word may be looked at: nothing is masked."]
      : ["What may not be looked at gets −∞ and is gone: ", [`${view.n.mask.filter((one) => !one).length} of ${view.sizes.S}`], " words are hatched."],
    exp: ["e to the power of each score, less the largest of them so that nothing overflows. Their sum is ", [spelt(sumOfExp(view.n))], "."],
    softmax: ["Each divided by that sum: the weights of ", [a], " add up to 1, and ", [b], ` has ${spelt(view.n.weights[view.looked])} of them.`],
    "Σ weight · v": ["Every value times its weight, added up: z is a mean of the values, nothing more. ", [b], ` counts ${spelt(view.n.weights[view.looked])}.`],
    W_O: ["W_O turns this head's z into the width of the stream: what this head has to say about ", [a], "."],
    "+ stream": header.residual
      ? ["All heads' words are added to the stream of ", [a], ". Nothing in it is overwritten."]
      : ["The residual connection is taken out: what the heads say replaces the stream of ", [a], "."],
  };
  const told = [[`Step ${step + 1} of ${STEPS.length}. `, false], ...sentences[STEPS[step].name].map((piece) => (Array.isArray(piece) ? [piece[0], true] : [piece, false]))];
  return { told, ...sum(view) };
}

function sum(view) {
  const { header, n, sizes, focus } = view;
  const { C, D, E, S } = sizes;
  const { kind } = focus;
  const s = focus.s ?? header.row;
  const i = focus.i ?? 0;
  const words = header.words;
  const arrow = `${words[header.row]} → ${words[s]}`;
  // [name, left, right] of each product
  const products = (name, pairs, rest, model) => {
    const total = pairs.reduce((all, [, left, right]) => all + left * right, 0) + (rest?.[1] ?? 0);
    const shown = pairs.length > MOST_TERMS ? [...pairs].sort((a, b) => Math.abs(b[1] * b[2]) - Math.abs(a[1] * a[2])).slice(0, MOST_TERMS) : pairs;
    const terms = shown.map(([of, left, right]) => ({ name: of, text: `${spelt(left)} × ${spelt(right)}` }));
    if (rest) terms.push({ name: rest[0], text: spelt(rest[1]) });
    const cut = pairs.length - shown.length;
    return { terms, total: `${cut ? `and ${cut} smaller terms; together ` : ""}${name} = ${spelt(total)}`, model: told(model, total) };
  };
  const plain = (name, pieces, total, model) => ({
    terms: pieces.map(([of, text]) => ({ name: of, text })),
    total: `${name} = ${spelt(total)}`,
    model: told(model, total),
  });
  const projected = (name, matrix, bias, wide, who, model) => {
    const pairs = Array.from({ length: C }, (_, c) => [c, n.x[who * C + c], n[matrix][c * wide + i]]);
    const made = products(`${name}[${i}]`, pairs, bias.length ? ["b", bias[i]] : null, header.turned && name !== "v" ? null : model);
    return header.turned && name !== "v" ? { ...made, model: `then turned by its position to ${spelt(model)} (RoPE)` } : made;
  };
  switch (kind) {
    case "x":
      return { terms: [], total: `x[${i}] of ${words[s]} = ${spelt(n.x[s * C + i])}`, model: "Click any cell or number to open the sum it comes from." };
    case "q":
      return projected("q", "w_q", n.b_q, D, header.row, n.q[i]);
    case "k":
      return projected("k", "w_k", n.b_k, D, s, n.k[s * D + i]);
    case "v":
      return projected("v", "w_v", n.b_v, E, s, n.v[s * E + i]);
    case "scores":
      return products(arrow, Array.from({ length: D }, (_, d) => [d, n.q[d], n.k[s * D + d]]), null, n.scores[s]);
    case "scaled":
      return plain(arrow, [["score", spelt(n.scores[s])], ["÷", spelt(header.divisor)]], n.scores[s] / header.divisor, n.scaled[s]);
    case "bias":
      return plain(arrow, [["scaled", spelt(n.scaled[s])], ["+ bias", spelt(n.bias[s])]], n.scaled[s] + n.bias[s], n.biased[s]);
    case "masked":
      return n.mask[s]
        ? plain(arrow, [["may be looked at", spelt(n.biased[s])]], n.biased[s], n.masked[s])
        : { terms: [{ name: "may not be looked at", text: "−∞" }], total: `${arrow} = −∞`, model: "e to the power of −∞ is 0: the weight is exactly 0." };
    case "exp": {
      const top = Math.max(...n.masked.filter((_, at) => n.mask[at]));
      const value = n.mask[s] ? Math.exp(n.masked[s] - top) : 0;
      return { terms: [{ name: "e ^", text: `(${spelt(n.masked[s])} − ${spelt(top)})` }], total: `= ${spelt(value)}`, model: "" };
    }
    case "weights": {
      const top = Math.max(...n.masked.filter((_, at) => n.mask[at]));
      const all = sumOfExp(n);
      const odds = n.mask[s] ? Math.exp(n.masked[s] - top) : 0;
      return plain(arrow, [["exp", spelt(odds)], ["÷ Σ", spelt(all)]], all ? odds / all : 0, n.weights[s]);
    }
    case "z":
      return products(`z[${i}]`, Array.from({ length: S }, (_, at) => [words[at], n.weights[at], n.v[at * E + i]]), null, n.z[i]);
    case "carried":
      return products(`(z W_O)[${i}]`, Array.from({ length: E }, (_, e) => [e, n.z[e], n.w_o[e * C + i]]), null, n.carried[i]);
    default: {
      const pieces = [["stream", n.stream[i]], ["this head", n.carried[i]], ["other heads", n.others[i]]];
      const total = pieces.reduce((all, [, value]) => all + value, 0);
      const made = plain(`after[${i}]`, pieces.map(([name, value]) => [name, spelt(value)]), total, n.after[i]);
      return kind === "after" ? made : { ...made, total: `${kind}[${i}] = ${spelt(n[kind][i])}; after[${i}] = ${spelt(total)}` };
    }
  }
}

// The sum made here against the number the model had.
function told(model, total) {
  if (model === null) return "";
  const apart = Math.abs(model - total);
  return apart === 0 ? "The model has the same number." : `The model has ${spelt(model)}: ${apart.toExponential(0)} apart, rounding.`;
}
