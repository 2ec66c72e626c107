// Draws the figures of the preview that the server has put into the page (viz/server/preview/markup.py), with the
// scripts and the bytes of the page itself. opening.js takes the preview away when the page shows the same.

import { unpack } from "../lib/page_state.js";

const CHOSEN_THEME = "stActiveTheme"; // where Streamlit keeps a theme that a person has chosen in its menu

/** @type {HTMLElement | null} */
const place = document.getElementById("preview");
const chosen = Object.keys(localStorage).some((name) => name.startsWith(CHOSEN_THEME));

/**
 * @param {HTMLElement} figure
 * @param {(mount: any) => void} mount the script of its component
 */
function draw(figure, mount) {
  const { component = "", key = "", bytes = "" } = figure.dataset;
  const data = unpack(Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0)));
  if (matchMedia("(prefers-color-scheme: dark)").matches) data.header.theme = JSON.parse(place?.dataset.dark ?? "");
  const shadow = figure.attachShadow({ mode: "open" });
  const style = document.createElement("style");
  style.textContent = document.getElementById(`preview-${component}`)?.textContent ?? "";
  shadow.append(style);
  mount({ data, parentElement: shadow, setTriggerValue() {}, setStateValue() {}, key: `preview-${key}` });
}

// All at once when all scripts are there: a figure that gets its height later would move those below it.
async function drawAll() {
  /** @type {NodeListOf<HTMLElement> | undefined} */
  const nodes = place?.querySelectorAll(".figure");
  const figures = [...(nodes ?? [])];
  const scripts = await Promise.all(figures.map(({ dataset }) => import(`../figures/${dataset.component}.js`)));
  if (!place?.isConnected) return; // the page was faster
  place.dataset.drawn = ""; // columns take room from now on: an empty row of them would move
  figures.forEach((figure, index) => draw(figure, scripts[index].default));
}

if (chosen) place?.remove();
else drawAll();
