// What a computation on the server sends while it goes on. A file of the figure has no server to ask.

// onMessage(value) for every event; onStatus(ahead) with how many computations come first; onRest() at the end. Returns
// the function that closes the stream.
/**
 * @param {string} name
 * @param {number} after
 * @param {{ onMessage: (value: any) => void, onStatus: (ahead: number) => void, onRest: () => void }} listener
 */
export function eventStream(name, after, { onMessage, onStatus, onRest }) {
  if (!location.protocol.startsWith("http")) return () => {};
  const source = new EventSource(`./_lab/streams/${encodeURIComponent(name)}?after=${after}`);
  source.onmessage = (event) => onMessage(JSON.parse(event.data));
  source.addEventListener("status", (event) => onStatus(JSON.parse(event.data).ahead));
  source.addEventListener("rest", () => {
    source.close();
    onRest();
  });
  return () => source.close();
}
