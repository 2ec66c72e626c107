// What a figure that moves by itself tells Python once the person rests, and whether what Python says must be shown.
//
// Each post has a number, and Python returns the number of the last post that it has heard together with the value that
// holds now. The value alone cannot say whose it is: Python may skip an answer (a later post interrupts the run), and a
// later Back of the browser to the same value would then be taken for that answer and never be shown.

import { shared } from "./shared.js";

// The count of Backs is one for the page.
const history = shared("history", watchHistory);

function watchHistory() {
  const counter = { backs: 0 };
  // With a hash it is a jump within the page.
  addEventListener("popstate", () => (counter.backs += location.hash ? 0 : 1), true);
  return counter;
}

// wait: milliseconds that the person rests before Python gets the value. Returns
//   touch()            the person moves something and has not let go yet;
//   act(value, send)   the person did something: send({ number, value }) with value() once they rest;
//                      undefined: nothing to send;
//   news(value, acknowledged) whether the figure must now show the value that Python sends.
/**
 * @param {number} wait
 */
export function posts(wait) {
  let acts = 0; // of the person
  let ahead = false; // the person did something that Python has not answered yet
  /** @type {{ number: number, value: string, acts: number } | null} */
  let lastPost = null; // the last post: { number, value, acts }
  /** @type {number | undefined} */
  let acknowledged; // the number of the last post that Python has taken
  /** @type {string | undefined} */
  let lastValue; // the value that Python sent last
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  let backs = history.backs; // at the last act

  const answered = () => !lastPost || (acknowledged ?? 0) >= lastPost.number;

  function touch() {
    clearTimeout(waiting);
    acts += 1;
    ahead = true;
    backs = history.backs;
  }

  /**
   * @param {() => unknown} value
   * @param {(post: { number: number, value: unknown }) => void} send
   */
  function act(value, send) {
    touch();
    waiting = setTimeout(() => {
      if (backs !== history.backs) return; // the person went back instead
      const now = value();
      if (now === undefined) return;
      if (JSON.stringify(now) === lastValue && answered()) {
        ahead = false; // Python knows it already
        return;
      }
      lastPost = { number: Math.max(lastPost?.number ?? 0, acknowledged ?? 0) + 1, value: JSON.stringify(now), acts };
      send({ number: lastPost.number, value: now });
    }, wait);
  }

  /** @param {unknown} value */
  function news(value, number = 0) {
    const first = acknowledged === undefined;
    const newly = number !== acknowledged;
    const now = JSON.stringify(value);
    const elsewhere = !newly && now !== lastValue; // no post of ours came between: a link, a Back, another figure
    [acknowledged, lastValue] = [number, now];
    // Nothing was done since the post that is answered.
    const last = newly && lastPost && answered() && lastPost.acts === acts;
    if (first || elsewhere || backs !== history.backs) {
      clearTimeout(waiting);
      ahead = false;
    } else if (last) ahead = false; // also where something else has overruled it
    return !ahead;
  }

  return { touch, act, news };
}
