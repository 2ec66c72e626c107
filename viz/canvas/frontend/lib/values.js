// Numbers and words as the figures need them.

// The place of the largest value, the first of equal ones; 0 where there is none.
/**
 * @param {ArrayLike<number>} values
 */
export function indexOfLargest(values) {
  let best = 0;
  for (let index = 1; index < values.length; index++) if (values[index] > values[best]) best = index;
  return best;
}

// A number in powers of ten: 1.2·10⁻¹⁴.
/**
 * @param {number} number
 * @param {number} digits after the point
 */
export function powerOfTen(number, digits) {
  const [factor, power] = number.toExponential(digits).split("e");
  return `${factor}·10${power
    .replace("-", "⁻")
    .replace("+", "")
    .replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)])}`;
}

// A token in a sentence: in quotation marks where it has no letter and no digit, as bold() of labels.py has it.
/** @param {string} token */
export const quoted = (token) => (/[\p{L}\p{N}]/u.test(token) ? token : `“${token}”`);

// The words of a text; a word that is in it more than once has its position behind it.
/**
 * @param {string[]} words
 */
export const numbered = (words) =>
  words.map((word, index) => (words.indexOf(word) !== words.lastIndexOf(word) ? `${word} (${index})` : word));

// The numbers of each array, by its name.
/**
 * @template {string} Name
 * @param {Record<Name, import("../types.d.ts").Floats>} arrays
 * @returns {Record<Name, Float32Array>}
 */
export const valuesOf = (arrays) =>
  /** @type {Record<Name, Float32Array>} */ (
    Object.fromEntries(Object.keys(arrays).map((name) => [name, arrays[/** @type {Name} */ (name)].values]))
  );
