// The connection of this browser to a class: what it may do, what it sees, and the page that it follows.
//
// What a person sees of the class comes as a stream of JSON objects, one a line (viz/server/class_routes.py). A stream
// that breaks comes back by itself. Nothing is sent and no stream is open while there is no class.

/** @typedef {import("../types.js").ClassView} ClassView */
/** @typedef {import("../types.js").FollowedPage} FollowedPage */

const ADDRESS = "./_lab/class";
const RETRY = 1000; // milliseconds before a broken stream is opened again, and up to twice as many
const CHECK = 300; // milliseconds between two checks of the lecturer's address
const STARTED = "attention-lab-class"; // in the browser: the code and the key of the class that was started here
const JOINED = "attention-lab-class-joined"; // in the tab: the class that it takes part in
const MEMBER = "attention-lab-member"; // in the browser: the random name under which it answers
const TRIES = 100;
const BUSY = 150; // milliseconds until the page is checked again while it is drawn
const AGAIN = 2500; // milliseconds after which a move that Python has not taken is sent again
const NOT_SENT = "The server does not answer. Try again.";

export class ClassClient {
  code = "";
  key = ""; // the lecturer's; "" for a student
  /** What this person sees. @type {ClassView | null} */
  view = null;
  message = ""; // a sentence about the connection, or about what was refused
  followedMove = -1; // the last move of the lecturer that this page was to follow
  arrived = -1; // the last move that Python has taken
  changed = () => {};
  /** Opens a page in a state. @type {(page: FollowedPage & { move: number }) => void} */
  open = () => {};
  /** Whether the page is being drawn. */
  isBusy = () => false;
  /** @type {AbortController | null} */
  #stream = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #watching;

  get isLecturer() {
    return Boolean(this.key);
  }

  /** The class that was started in this browser, to come back to it. */
  get started() {
    return readItem(localStore(), STARTED);
  }

  /** Take part again in what this tab took part in before it was loaded anew. */
  resume() {
    const joined = readItem(tabStore(), JOINED);
    if (joined.code && !this.code) this.#enter(joined.code, joined.key ?? "");
  }

  async start() {
    const answer = await this.#send("", {});
    if (!answer) return;
    writeItem(localStore(), STARTED, answer);
    this.#enter(answer.code, answer.key);
  }

  /** Be the lecturer again of the class that was started in this browser. */
  comeBack() {
    const { code, key } = this.started;
    if (code) this.#enter(code, key);
  }

  /** @param {string} code */
  join(code) {
    this.#enter(code, "");
  }

  /** @param {string} action @param {object} message @returns {Promise<any>} the answer; null: it was refused */
  act(action, message = {}) {
    const who = this.isLecturer ? { key: this.key } : { member: memberName() };
    return this.#send(`/${encodeURIComponent(this.code)}/${action}`, { ...who, ...message });
  }

  /** @param {boolean} follows */
  async follow(follows) {
    if (!(await this.act("follow", { follows })) || !follows || !this.view) return;
    Object.assign(this.view, { follows });
    this.arrived = -1;
    this.#openPage(this.view);
  }

  async end() {
    if (await this.act("end")) this.leave();
  }

  leave(message = "") {
    if (this.code && !this.isLecturer && !message) this.act("leave");
    if (this.isLecturer) writeItem(localStore(), STARTED, {});
    writeItem(tabStore(), JOINED, {});
    this.#stop();
    Object.assign(this, { code: "", key: "", view: null, message });
    this.changed();
  }

  /** @param {string} code @param {string} key */
  #enter(code, key) {
    this.#stop();
    Object.assign(this, { code, key, view: null, message: "", followedMove: -1, arrived: -1 });
    writeItem(tabStore(), JOINED, { code, key });
    this.#watch();
    if (key) this.#watching = setInterval(() => this.#show(), CHECK);
    this.changed();
  }

  #stop() {
    this.#stream?.abort();
    this.#stream = null;
    clearInterval(this.#watching);
    this.#shown = "";
  }

  #shown = ""; // the link that the class was shown last
  #before = ""; // the link at the last check: a link that still changes is not shown

  // The lecturer's page is what its address says. It is shown once it rests.
  async #show() {
    const page = pageOf(location);
    const link = `${page.page}?${page.query}`;
    if (link === this.#before && link !== this.#shown && this.view) {
      this.#shown = link;
      if (!(await this.act("show", page))) this.#shown = "";
    }
    this.#before = link;
  }

  async #watch() {
    const stream = new AbortController();
    this.#stream = stream;
    while (!stream.signal.aborted) {
      try {
        const who = this.isLecturer ? { key: this.key } : { member: memberName() };
        const answer = await fetch(`${ADDRESS}/${encodeURIComponent(this.code)}/watch`, {
          method: "POST",
          body: JSON.stringify(who),
          signal: stream.signal,
        });
        if (answer.ok) await this.#read(answer, stream.signal);
        else if (answer.status === 404 || answer.status === 403 || answer.status === 400)
          return this.leave((await answer.json()).error);
        else this.#say((await answer.json()).error);
      } catch {
        if (stream.signal.aborted) return;
        this.#say("The connection to the class is lost. It comes back by itself.");
      }
      if (stream.signal.aborted) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY * (1 + Math.random())));
    }
  }

  /** @param {Response} answer @param {AbortSignal} signal */
  async #read(answer, signal) {
    const reader = /** @type {ReadableStream} */ (answer.body).pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    while (!signal.aborted) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines.filter(Boolean)) this.take(JSON.parse(line));
    }
  }

  /** @param {any} news one line of the stream */
  take(news) {
    if (news.ended) return this.leave("The class has ended.");
    if (news.away) return this.#say(news.away);
    this.message = "";
    this.view = /** @type {ClassView} */ (news);
    if (!this.isLecturer && this.view.follows && this.view.moves !== this.followedMove) this.#openLater(this.view);
    this.changed();
  }

  // The pages of a class are computed one after the other, so its browsers do not ask all at once.
  /** @param {ClassView} view */
  #openLater(view) {
    this.followedMove = view.moves;
    setTimeout(() => this.view?.follows && this.#openPage(this.view), Math.random() * view.spread * 1000);
  }

  // A page that is being drawn may lose what is sent to it. So it is sent until Python has taken it, the lecturer has
  // moved on, or the student has let go.
  /** @param {ClassView} view */
  #openPage(view, tries = TRIES) {
    this.followedMove = view.moves;
    const now = pageOf(location);
    const isShown = view.page === now.page && view.query === now.query;
    const { follows, moves } = this.view ?? {};
    if (!view.moves || isShown || !follows || moves !== view.moves || this.arrived === view.moves || !tries) return;
    const busy = this.isBusy();
    if (!busy) this.open({ page: view.page, query: view.query, move: view.moves });
    setTimeout(() => this.#openPage(view, tries - 1), busy ? BUSY : AGAIN);
  }

  /** @param {string} path @param {object} message */
  async #send(path, message) {
    try {
      const answer = await fetch(`${ADDRESS}${path}`, { method: "POST", body: JSON.stringify(message) });
      if (answer.headers.get("content-type")?.startsWith("text/csv")) return await answer.text();
      const content = await answer.json();
      this.#say(answer.ok ? "" : content.error);
      return answer.ok ? content : null;
    } catch {
      this.#say(NOT_SENT);
      return null;
    }
  }

  /** @param {string} message */
  #say(message) {
    this.message = message;
    this.changed();
  }
}

const OWN = ["class", "present", "figure"]; // of the link: what the students' pages do not follow

/**
 * The page and the state that an address names.
 * @param {{ pathname: string, search: string }} address
 * @returns {FollowedPage}
 */
export function pageOf({ pathname, search }) {
  const parameters = new URLSearchParams(search);
  for (const name of OWN) parameters.delete(name);
  return { page: pathname.split("/").at(-1) ?? "", query: parameters.toString() };
}

/** The link by which students join. @param {string} code */
export const joinLink = (code) => `${new URL("./", location.href).href}?class=${encodeURIComponent(code)}`;

// A browser may forbid both stores; then a class lasts until the tab is loaded anew.
const localStore = () => safely(() => localStorage);
const tabStore = () => safely(() => sessionStorage);

/** @param {() => Storage} store */
function safely(store) {
  try {
    return store();
  } catch {
    return null;
  }
}

/** @param {Storage | null} store @param {string} name @returns {Record<string, string>} */
function readItem(store, name) {
  try {
    return JSON.parse(store?.getItem(name) ?? "{}") ?? {};
  } catch {
    return {};
  }
}

/** @param {Storage | null} store @param {string} name @param {object} value */
const writeItem = (store, name, value) =>
  safely(() => /** @type {any} */ (store?.setItem(name, JSON.stringify(value))));

let unkept = ""; // the name, where the browser keeps nothing

function memberName() {
  const known = readItem(localStore(), MEMBER).name ?? unkept;
  if (known) return known;
  unkept = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  writeItem(localStore(), MEMBER, { name: unkept });
  return unkept;
}
