// One entry in the browser's history for what a person does, and a way back to it. Streamlit writes an entry for every
// part of the address that comes or goes, and going back to another page it forgets all but the page.

const opened = () => location.pathname + new URLSearchParams(location.search).get("lesson");

export function oneEntryEach() {
  if (history.pushState.once) return;
  const { pushState, replaceState } = history;
  let written = false; // what follows of the same click or key, or of Back, belongs to the entry that is there
  let here = opened();
  history.replaceState = (...entry) => {
    replaceState.apply(history, entry);
    here = opened();
  };
  history.pushState = (...entry) => {
    (written ? replaceState : pushState).apply(history, entry);
    written = true;
    here = opened();
  };
  history.pushState.once = true;
  for (const act of ["pointerdown", "keydown"]) addEventListener(act, () => (written = false), true);
  addEventListener(
    "popstate",
    (event) => {
      written = true;
      if (here === opened()) return;
      event.stopImmediatePropagation();
      location.reload(); // the address holds the whole state
    },
    true,
  );
}
