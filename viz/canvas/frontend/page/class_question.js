// A question about the page that the lecturer of a class can ask. It draws nothing: “Ask” offers it (class_bar.js).

/** @typedef {import("../types.js").ClassQuestionHeader} Header */

import { rootOf, unpack } from "../lib/page_state.js";
import { shared } from "../lib/shared.js";

/** @type {import("../types.d.ts").PageQuestion} */
const page = shared("question", () => ({ question: null }));

/** @param {import("../types.d.ts").Mount<Header>} mount */
export default function ({ data, parentElement, setTriggerValue }) {
  const { text, choices, measured, theme } = unpack(data).header;
  rootOf(parentElement, theme);
  const question = { text, choices, tolerance: 0, measured, reveal: () => setTriggerValue("reveal", true) };
  page.question = question;
  dispatchEvent(new Event("attention-lab-question"));
  return () => {
    if (page.question !== question) return;
    page.question = null;
    dispatchEvent(new Event("attention-lab-question"));
  };
}
