// A class on the page: the lecturer's line or the student's, the question, and the answers of the class.

/** @typedef {import("../types.js").ClassView} ClassView */
/** @typedef {import("../types.js").ClassResults} ClassResults */
/** @typedef {import("./class_client.js").ClassClient} ClassClient */
/** @typedef {{ bar: HTMLElement, sheet: HTMLDialogElement, client: ClassClient, showCode: () => void }} Parts */
/** @typedef {Parts & { drawn?: string }} Place */

import { element, focusedBeside } from "../lib/page_state.js";
import { shared } from "../lib/shared.js";

const REVEAL_TIME = 8000; // milliseconds that a lesson may take to compute its answer

/** @type {import("../types.d.ts").OpenLesson} */
const lesson = shared("lesson", () => ({ step: null, onKey: null }));
/** @type {import("../types.d.ts").PageQuestion} */
const page = shared("question", () => ({ question: null }));

/**
 * The questions that the page can ask and answer: that of the lesson step, and that of a guess.
 * @returns {import("../types.d.ts").MeasuredQuestion[]}
 */
function measuredQuestions() {
  const { step } = lesson;
  const ofStep = step?.question_text ? [{ ...step, text: step.question_text }] : [];
  return page.question ? [...ofStep, page.question] : ofStep;
}

/** @param {string} text */
const measuredQuestion = (text) => measuredQuestions().find((question) => question.text === text);

/**
 * @param {string} label
 * @param {() => void} act
 */
const button = (label, act, className = "tool") =>
  Object.assign(element("button", className, label), { type: "button", onclick: act });

/** @param {number} count @param {string} noun */
export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/**
 * Draws the bar from what the client knows. What a person types into it stays, because it is drawn again only when
 * something has changed.
 * @param {Place} place
 */
export function drawClass(place) {
  const { bar, client } = place;
  const { view, message, isLecturer, code } = client;
  const offered = measuredQuestions().map((question) => question.text);
  const state = JSON.stringify([view, message, isLecturer, code, offered]);
  if (state === place.drawn) return;
  place.drawn = state;
  bar.hidden = !code && !message;
  const parts = [];
  if (view) parts.push(isLecturer ? lecturerLine(place, view) : studentLine(place, view));
  else if (code) parts.push(element("p", "line", "Connecting to the class …"));
  if (message) parts.push(element("p", "class-message", message));
  if (view?.question) parts.push(questionBox(place, view));
  // The page's own button would show the answer before the class has given its own.
  const { question } = view ?? {};
  const hides = Boolean(question && !question.revealed && measuredQuestion(question.text));
  document.documentElement.toggleAttribute("data-class-asks", hides);
  const active = focusedBeside(bar);
  const focus = active instanceof HTMLElement && bar.contains(active) ? active.dataset.name : undefined;
  bar.replaceChildren(...parts);
  if (focus) /** @type {HTMLElement | null} */ (bar.querySelector(`[data-name="${CSS.escape(focus)}"]`))?.focus();
}

/** @param {Place} place @param {ClassView} view */
function lecturerLine(place, view) {
  const line = element("p", "line");
  const attendance = `${counted(view.present ?? 0, "student")} here, ${view.following} following`;
  line.append(element("span", "class-code", `Class ${view.code}`), element("span", "count", attendance));
  const end = button("End the class", () => confirmEnd(place));
  line.append(
    button("Show code", place.showCode),
    button("Ask", () => askSheet(place)),
    end,
  );
  return line;
}

/** @param {Place} place @param {ClassView} view */
function studentLine({ client }, view) {
  const line = element("p", "line");
  const where = view.follows ? "You follow the lecturer's page." : "You explore on your own.";
  line.append(element("span", "class-code", `Class ${view.code}`), element("span", "count", where));
  const label = view.follows ? "Explore on my own" : "Follow the lecturer";
  line.append(
    button(label, () => client.follow(!view.follows)),
    button("Leave the class", () => client.leave()),
  );
  return line;
}

/** @param {Place} place @param {ClassView} view */
function questionBox(place, view) {
  const { client } = place;
  const { text, revealed } = /** @type {NonNullable<ClassView["question"]>} */ (view.question);
  const box = element("div", "class-question");
  box.append(element("p", "question", text));
  if (!client.isLecturer && !revealed) box.append(answerForm(client, view));
  if (client.isLecturer) box.append(element("p", "count", `${view.answered} of ${view.present} have answered.`));
  if (view.results) box.append(bars(view.results));
  if (revealed && view.results) box.append(element("p", "outcome", outcome(view)));
  if (client.isLecturer) box.append(lecturerButtons(place, view));
  return box;
}

/** @param {ClassClient} client @param {ClassView} view */
function answerForm(client, view) {
  const { choices, text } = /** @type {NonNullable<ClassView["question"]>} */ (view.question);
  const form = element("form", "answer");
  form.onsubmit = (event) => event.preventDefault();
  if (choices.length) {
    for (const choice of choices) {
      const node = button(choice, () => client.act("answer", { answer: choice }), "choice");
      node.dataset.name = choice;
      node.setAttribute("aria-pressed", String(choice === view.given));
      form.append(node);
    }
    return form;
  }
  const field = Object.assign(element("input", "number"), { type: "text", inputMode: "decimal", maxLength: 24 });
  field.setAttribute("aria-label", text);
  field.value = view.given ?? "";
  field.dataset.name = "number";
  form.onsubmit = (event) => {
    event.preventDefault();
    if (field.value.trim()) client.act("answer", { answer: field.value.trim() });
  };
  form.append(field, Object.assign(element("button", "choice", "Send"), { type: "submit" }));
  if (view.given) form.append(element("span", "count", `Your answer is ${view.given}. You can change it.`));
  return form;
}

/** @param {ClassResults} results */
export function bars({ bars, right }) {
  const most = Math.max(1, ...bars.map((bar) => bar.count));
  const list = element("ul", "bars");
  for (const { label, count } of bars) {
    const row = element("li", label === right && right ? "bar right" : "bar");
    const fill = element("span", "fill");
    fill.style.width = `${(count / most) * 100}%`;
    const track = element("span", "track");
    track.append(fill);
    row.append(element("span", "label", label), track, element("span", "value", String(count)));
    list.append(row);
  }
  return list;
}

/** @param {ClassView} view */
export function outcome({ results, given, question }) {
  const { answers, right, had_it } = /** @type {ClassResults} */ (results);
  if (!question?.revealed) return "";
  if (!right) return `${counted(answers, "answer")}. No measured answer was given.`;
  const own = given ? ` Your answer was “${given}”.` : "";
  return `The measured answer is “${right}”. ${had_it} of ${counted(answers, "student")} gave it.${own}`;
}

/** @param {Place} place @param {ClassView} view */
function lecturerButtons(place, view) {
  const { client } = place;
  const { revealed, choices, text } = /** @type {NonNullable<ClassView["question"]>} */ (view.question);
  const line = element("p", "answer");
  if (!revealed) {
    if (measuredQuestion(text)) line.append(button("Reveal", () => revealMeasured(place, text), "choice"));
    else if (choices.length) {
      line.append(element("span", "count", "Reveal; the measured answer is:"));
      for (const choice of choices)
        line.append(button(choice, () => client.act("reveal", { right: choice }), "choice"));
      line.append(button("none", () => client.act("reveal"), "choice"));
    } else {
      const field = Object.assign(element("input", "number"), { type: "text", inputMode: "decimal", maxLength: 24 });
      field.setAttribute("aria-label", "Measured answer");
      field.placeholder = "measured";
      field.dataset.name = "measured";
      line.append(
        field,
        button("Reveal", () => client.act("reveal", { right: field.value.trim() }), "choice"),
      );
    }
  }
  line.append(
    button("Save answers", () => saveAnswers(client)),
    button("Close question", () => client.act("close")),
  );
  return line;
}

// The page computes its answer for what is on the screen now; the class gets it when it has come.
/** @param {Place} place @param {string} text of the question */
function revealMeasured(place, text) {
  const question = measuredQuestion(text);
  if (!question) return drawClass(place); // the page shows something else now: the lecturer gives the answer
  const { client } = place;
  const began = Date.now();
  question.reveal();
  const look = () => {
    const measured = measuredQuestion(text)?.measured ?? "";
    if (measured || Date.now() - began > REVEAL_TIME) client.act("reveal", { right: measured });
    else setTimeout(look, 100);
  };
  look();
}

/** @param {ClassClient} client */
async function saveAnswers(client) {
  const text = await client.act("answers");
  if (text === null) return;
  const link = element("a", "");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = `attention-lab-class-${client.code}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** @param {Place} place */
function confirmEnd(place) {
  fill(place.sheet, [
    element("p", "", "End the class? The answers are deleted. Save them first if you want to keep them."),
    button("End the class", () => void place.client.end().then(() => place.sheet.close()), "choice"),
    button("Keep it", () => place.sheet.close()),
  ]);
}

/** @param {HTMLDialogElement} sheet @param {HTMLElement[]} parts */
function fill(sheet, parts) {
  sheet.replaceChildren(...parts);
  if (!sheet.open) sheet.showModal();
}

/**
 * The sheet before there is a class: start one, or join one.
 * @param {Place} place
 */
export function classSheet(place) {
  const { client, sheet } = place;
  const start = button("Start a class", () => void client.start().then(() => closeIfIn(place)), "choice");
  /** @type {HTMLElement[]} */
  const parts = [
    element("h2", "", "A class"),
    element("p", "", "You get a code. Students who open it see your page, follow it, and answer your questions."),
    element("p", "", "No names and no addresses are kept. The class ends with you, or after three hours."),
    start,
  ];
  const comeBack = () => {
    client.comeBack();
    sheet.close();
  };
  if (client.started.code) parts.push(button(`Back to your class ${client.started.code}`, comeBack, "choice"));
  const form = element("form", "answer");
  const field = Object.assign(element("input", "number"), { type: "text", maxLength: 20, autocomplete: "off" });
  field.setAttribute("aria-label", "Code of a class");
  field.placeholder = "KTM7-2XRP";
  form.append(field, Object.assign(element("button", "choice", "Join"), { type: "submit" }));
  form.onsubmit = (event) => {
    event.preventDefault();
    if (field.value.trim()) client.join(field.value.trim());
    sheet.close();
  };
  parts.push(
    element("p", "", "Or join one with its code:"),
    form,
    button("Close", () => sheet.close()),
  );
  fill(sheet, parts);
}

/** @param {Place} place */
function closeIfIn({ client, sheet }) {
  if (client.code) sheet.close();
  else sheet.append(element("p", "refused", client.message));
}

/** @param {Place} place */
function askSheet(place) {
  const { client, sheet } = place;
  const text = Object.assign(element("textarea", "ask-text"), { rows: 2, maxLength: 400 });
  text.setAttribute("aria-label", "Question");
  const choices = Object.assign(element("textarea", "ask-text"), { rows: 5, maxLength: 700 });
  choices.setAttribute("aria-label", "Choices, one in each line");
  const ask = async (/** @type {object} */ question) => {
    if (await client.act("ask", question)) sheet.close();
    else sheet.append(element("p", "refused", client.message));
  };
  /** @type {HTMLElement[]} */
  const parts = [element("h2", "", "Ask the class")];
  for (const { text, choices, tolerance } of measuredQuestions()) {
    const question = { text, choices: [...choices], tolerance };
    parts.push(button(`Ask: ${text}`, () => ask(question), "choice"));
  }
  parts.push(
    element("p", "", "Your question:"),
    text,
    element("p", "", "Its choices, one in each line. Without choices, students enter a number."),
    choices,
    button("Ask", () => ask({ text: text.value, choices: choices.value.split("\n") }), "choice"),
    button("Close", () => sheet.close()),
  );
  fill(sheet, parts);
}
