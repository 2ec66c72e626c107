// Learning rates, as model/training/optimizer.py has them. Steps are counted from 1.

// Both terms of equation 3 of Vaswani et al. 2017; the smaller of them is the rate.
/**
 * @param {number} width
 * @param {number} warmup
 * @param {number} step
 * @returns {[number, number]}
 */
export function termsOf(width, warmup, step) {
  return [width ** -0.5 * step * Math.max(1, warmup) ** -1.5, width ** -0.5 * step ** -0.5];
}

// The rate of a decay with the largest rate 1.
/**
 * @param {string} decay
 * @param {number} warmup
 * @param {number} steps
 * @param {number} step
 */
export function shareOf(decay, warmup, steps, step) {
  const rise = step / Math.max(1, warmup);
  const done = Math.max(0, (step - 1 - warmup) / Math.max(1, steps - warmup));
  if (decay === "inverse root") return Math.min(rise, Math.sqrt(Math.max(1, warmup) / step));
  if (decay === "cosine") return Math.min(rise, 0.5 * (1 + Math.cos(Math.PI * done)));
  return Math.min(rise, decay === "linear" ? 1 - done : 1);
}
