// A row of sliders whose figure is drawn in the browser. Python gets their values when they come to rest, for the
// address and the table.

import { element } from "./page_state.js";
import { posts } from "./posts.js";

// Moving a range changes the figure at once; Python gets the value when the person lets go.
/**
 * @param {HTMLInputElement} range
 * @param {{ touch: () => void }} protocol
 * @param {(place: number) => void} onMove
 * @param {() => void} onRest
 */
export function connectRange(range, protocol, onMove, onRest) {
  range.oninput = () => {
    protocol.touch();
    onMove(Number(range.value));
  };
  range.onchange = onRest;
}

/**
 * @param {readonly number[]} values
 * @param {number} value
 */
const nearest = (values, value) =>
  values.reduce((best, each, place) => (Math.abs(each - value) < Math.abs(values[best] - value) ? place : best), 0);

const WAIT = 200; // milliseconds that a slider rests before it is posted to Python

// specs: [{ name, label, values }]; onMove(state) at every step, post(state) at rest. Returns { node, receive(specs,
// state, acknowledged), step(name, delta), set(name, value, rest), grow(name, value, follows) }.
/**
 * @param {(state: Record<string, number>) => void} onMove
 * @param {(post: { number: number, value: unknown }) => void} post
 */
export function sliders(onMove, post) {
  const node = element("div", "sliders");
  const protocol = posts(WAIT);
  /** @type {Record<string, number>} */
  let values = {};
  /** @type {Map<string, { range: HTMLInputElement, spell: () => void, spec: import("../types.d.ts").SliderSpec }>} */
  const controls = new Map();

  /** @param {import("../types.d.ts").SliderSpec} spec */
  function add(spec) {
    const [holder, title, range] = [element("label", "slider"), element("span", "name"), element("input", "range")];
    const number = element("span", "number");
    title.append(spec.label, number);
    Object.assign(range, { type: "range", min: 0, max: spec.values.length - 1, step: 1, name: spec.name });
    const spell = () => {
      const value = spec.values[Number(range.value)];
      number.textContent = value.toLocaleString("en-GB");
      range.setAttribute("aria-valuetext", `${spec.label} ${value}`);
      values = { ...values, [spec.name]: value };
    };
    const move = () => {
      spell();
      onMove(values);
    };
    connectRange(range, protocol, move, () => protocol.act(() => values, post));
    holder.append(title, range);
    node.append(holder);
    controls.set(spec.name, { range, spell, spec });
  }

  // Move a slider by so many stops, as a person would; whether it has such a stop.
  /**
   * @param {string} name
   * @param {number} delta
   */
  function step(name, delta) {
    const range = controls.get(name)?.range;
    const next = Number(range?.value) + delta;
    if (!range || next < 0 || next > Number(range.max)) return false;
    range.value = String(next);
    range.dispatchEvent(new Event("input"));
    range.dispatchEvent(new Event("change"));
    return true;
  }

  /**
   * @param {import("../types.d.ts").SliderSpec[]} specs
   * @param {Record<string, number>} state
   * @param {number} [acknowledged]
   */
  function receive(specs, state, acknowledged) {
    for (const spec of specs) {
      const known = controls.get(spec.name);
      if (!known) add(spec);
      else if (String(known.spec.values) !== String(spec.values)) {
        const value = values[spec.name];
        known.spec.values = spec.values;
        known.range.max = String(spec.values.length - 1);
        known.range.value = String(nearest(spec.values, value));
        known.spell();
      }
    }
    if (!protocol.news(state, acknowledged)) return values;
    values = { ...state };
    for (const { range, spell, spec } of controls.values()) {
      range.value = String(spec.values.indexOf(state[spec.name]));
      spell();
    }
    return values;
  }
  // One more value at the end of a slider. It moves there where the figure follows; nobody has moved it.
  /**
   * @param {string} name
   * @param {number} value
   * @param {boolean} follows
   */
  function grow(name, value, follows) {
    const control = controls.get(name);
    if (!control) return values;
    control.spec.values.push(value);
    control.range.max = String(control.spec.values.length - 1);
    if (follows) control.range.value = control.range.max;
    control.spell();
    return values;
  }
  // What the figure itself moves, as if a slider had been dragged; `rest`: the person has let go.
  /**
   * @param {string} name
   * @param {number} value
   * @param {boolean} rest
   */
  function set(name, value, rest) {
    const control = controls.get(name);
    const place = control?.spec.values.indexOf(value) ?? -1;
    if (!control || place < 0) return;
    protocol.touch();
    control.range.value = String(place);
    control.spell();
    onMove(values);
    if (rest) protocol.act(() => values, post);
  }
  return { node, receive, step, set, grow };
}

/**
 * The view of a figure that is one canvas below its sliders. It is arranged at each move and when its size changes.
 * @param {import("../types.d.ts").Root} root
 * @param {(view: any) => void} arrange
 */
export function canvasBelowSliders(root, arrange) {
  const canvas = element("canvas", "drawing");
  canvas.setAttribute("role", "img");
  /** @type {any} */
  const view = { root, canvas };
  view.controls = sliders(
    (state) => {
      view.state = state;
      arrange(view);
    },
    (state) => view.post(state),
  );
  root.append(view.controls.node, canvas);
  new ResizeObserver(() => arrange(view)).observe(root);
  return view;
}
