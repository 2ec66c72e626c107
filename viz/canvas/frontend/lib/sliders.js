// A row of sliders whose picture is drawn here; Python hears of them when they come to rest, for the address and the
// table.

import { element } from "./page_state.js";
import { posts } from "./posts.js";

const WAIT = 200; // milliseconds that a slider rests before Python hears of it

// specs: [{ name, label, values }]; onMove(state) at every step, post(state) at rest. Returns { node, receive(specs,
// state, heard) }.
export function sliders(onMove, post) {
  const node = element("div", "sliders");
  const own = { node, state: null, posts: posts(WAIT), made: new Map() };

  const spell = ({ range, label, number, values, name }) => {
    const value = values[Number(range.value)];
    number.textContent = value.toLocaleString("en-GB");
    range.setAttribute("aria-valuetext", `${label} ${value}`);
    own.state = { ...own.state, [name]: value };
  };

  function make({ name, label, values }) {
    const [holder, title, range] = [element("label", "slider"), element("span", "name"), element("input", "range")];
    const number = element("span", "number");
    title.append(label, number);
    Object.assign(range, { type: "range", min: 0, max: values.length - 1, step: 1, name });
    const one = { name, label, values, range, number };
    range.oninput = () => {
      own.posts.touch();
      spell(one);
      onMove(own.state);
    };
    range.onchange = () => own.posts.act(() => own.state, post);
    holder.append(title, range);
    node.append(holder);
    own.made.set(name, one);
    return one;
  }

  own.receive = (specs, state, heard) => {
    for (const spec of specs) if (!own.made.has(spec.name)) make(spec);
    if (!own.posts.news(state, heard)) return own.state;
    own.state = { ...state };
    for (const one of own.made.values()) {
      one.range.value = one.values.indexOf(state[one.name]);
      spell(one);
    }
    return own.state;
  };
  return own;
}
