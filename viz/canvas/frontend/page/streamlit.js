// Everything of Streamlit's own page that the lab's tools rely on: its elements, its marks and its use of the browser's
// history. No other script names them. tests/browser/page/test_browser_streamlit.py says which of them is missing.

export const APP = '[data-testid="stApp"]'; // the whole app; its class and its colour change with the theme
export const MAIN = '[data-testid="stMain"]'; // what scrolls
export const RUNNING = '[data-test-script-state="running"]'; // the script of the page is at work
export const AT_REST = '[data-test-script-state="notRunning"]'; // the script has ended, and no run of it is wanted
export const TEXT_AREA = '[data-testid="stTextArea"] textarea'; // a text that a person types
export const METRIC = '[data-testid="stMetric"]'; // a number of st.metric, with its three parts
export const METRIC_PARTS = ["stMetricLabel", "stMetricValue", "stMetricDelta"].map(
  (part) => `[data-testid="${part}"]`,
);
export const CHART = ".js-plotly-plot"; // a chart of Plotly in st.plotly_chart
const KEYED = "st-key-"; // the class that st.container(key=...) and components get; style sheets know it too
const SAVED = `${KEYED}save_`; // what stands under a figure: viz/ui/figure_panel.py calls it save_ and the figure's key
const APP_CLASS = ".stApp";

// The selector of what has this key in Python.
/** @param {string} key */
export const keyed = (key) => `.${KEYED}${CSS.escape(key)}`;
// The same with more weight than Streamlit's own rules.
/** @param {string} key */
export const keyedInApp = (key) => `${APP_CLASS} ${keyed(key)}`;

/** @returns {HTMLElement | null} what has this key in Python */
export const nodeOf = (/** @type {string} */ key) => (key ? document.querySelector(keyed(key)) : null);

/** @returns {HTMLElement | null} */
export const app = () => document.querySelector(APP);
/** @returns {HTMLElement | null} */
export const mainArea = () => document.querySelector(MAIN);
export const isRunning = () => Boolean(document.querySelector(RUNNING));
export const isAtRest = () => Boolean(document.querySelector(AT_REST));

// Enter applies the text of a text area, as Streamlit does on Ctrl+Enter. Shift+Enter begins a new line.
export function applyOnEnter() {
  /** @param {KeyboardEvent} event */
  const apply = (event) => {
    const field = /** @type {Element | null} */ (event.target);
    const modified = event.shiftKey || event.ctrlKey || event.metaKey || event.altKey;
    if (event.key !== "Enter" || modified || event.isComposing || !field?.matches?.(TEXT_AREA)) return;
    event.preventDefault();
    event.stopPropagation();
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true }));
  };
  addEventListener("keydown", apply, true);
}

// Calls when the script of the page begins or ends.
/** @param {() => void} act */
export function onScriptState(act) {
  const watch = new MutationObserver(act);
  watch.observe(document.documentElement, { subtree: true, attributeFilter: ["data-test-script-state"] });
}

// What a component has drawn in.
/** @param {Element | null} node what has its key @returns {ShadowRoot | null | undefined} */
export const shadowOf = (node) => node?.querySelector('[data-testid="stBidiComponentIsolated"]')?.shadowRoot;

// The keys of the figures in the main area, from its top to its end: each has its files and its sentence under it.
export function figureKeys() {
  const under = [...document.querySelectorAll(`${MAIN} [class*="${SAVED}"]`)];
  const names = under.map((node) => [...node.classList].find((name) => name.startsWith(SAVED)));
  return [...new Set(names.map((name = "") => name.slice(SAVED.length)))];
}

const opened = () => location.pathname + new URLSearchParams(location.search).get("lesson");

// One entry in the browser's history for what a person does, and a way back to it. Streamlit writes an entry for every
// part of the address that comes or goes, and going back to another page it forgets all but the page.
export function oneEntryEach() {
  /** @type {History["pushState"] & { once?: boolean }} */
  let patched = history.pushState;
  if (patched.once) return;
  const { pushState, replaceState } = history;
  let written = false; // what follows of the same click or key, or of Back, belongs to the entry that is there
  let current = opened();
  history.replaceState = (...entry) => {
    replaceState.apply(history, entry);
    current = opened();
  };
  patched = (...entry) => {
    (written ? replaceState : pushState).apply(history, entry);
    written = true;
    current = opened();
  };
  patched.once = true;
  history.pushState = patched;
  for (const act of ["pointerdown", "keydown"]) addEventListener(act, () => (written = false), true);
  addEventListener(
    "popstate",
    (event) => {
      written = true;
      if (current === opened()) return;
      event.stopImmediatePropagation();
      location.reload(); // the address holds the whole state
    },
    true,
  );
}
