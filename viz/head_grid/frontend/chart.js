// The enlarged map is a Plotly chart that Streamlit draws anew at every change. It joins in from outside: the pointer
// over it lights the row everywhere, and the lit row is outlined on it.

import { hover } from "./store.js";

const chartOf = (key) => document.querySelector(`.st-key-${CSS.escape(key)} .js-plotly-plot`);

let followed = null;

export function followChart(key, rows) {
  const first = followed === null;
  followed = { key, rows, inside: false };
  if (first) document.addEventListener("pointermove", follow, { passive: true });
}

function follow(event) {
  const chart = event.target.closest?.(".js-plotly-plot");
  const axes = chart && chart === chartOf(followed.key) ? chart._fullLayout : null;
  if (!axes?.yaxis) {
    if (followed.inside) hover(null);
    followed.inside = false;
    return;
  }
  const box = chart.getBoundingClientRect();
  const x = event.clientX - box.left - axes.xaxis._offset;
  const row = Math.round(axes.yaxis.p2l(event.clientY - box.top - axes.yaxis._offset));
  const onMap = x >= 0 && x <= axes.xaxis._length && row >= 0 && row < followed.rows;
  if (onMap || followed.inside) hover(onMap ? row : null);
  followed.inside = onMap;
}

export function lightChart(key, row, theme, hovering) {
  const chart = chartOf(key);
  const axes = chart?._fullLayout;
  if (!axes?.yaxis) return;
  let lit = chart.querySelector(":scope > .lit-row");
  if (!lit) {
    lit = document.createElement("div");
    lit.className = "lit-row";
    Object.assign(lit.style, { position: "absolute", pointerEvents: "none", boxSizing: "border-box" });
    chart.append(lit);
  }
  const top = axes.yaxis.l2p(row - 0.5);
  const height = Math.max(axes.yaxis.l2p(row + 0.5) - top, 3);
  lit.hidden = !hovering;
  Object.assign(lit.style, {
    left: `${axes.xaxis._offset}px`,
    top: `${axes.yaxis._offset + top}px`,
    width: `${axes.xaxis._length}px`,
    height: `${height}px`,
    border: `1.5px solid ${theme.accent}`,
    display: hovering ? "block" : "none",
  });
}
