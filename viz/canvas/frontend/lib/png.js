// Text inside a PNG: chunks after the first one, each with its length and its check (PNG specification, 5.3 and
// 11.3.3.4).

const table = Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte >>> 0;
});

/**
 * @param {Uint8Array} bytes
 */
export function crc32(bytes) {
  let check = 0xffffffff;
  for (const byte of bytes) check = table[(check ^ byte) & 255] ^ (check >>> 8);
  return (check ^ 0xffffffff) >>> 0;
}

const HEAD = 33; // bytes of the signature and of the first chunk, IHDR

// A chunk of type iTXt: keyword, no compression, no language, the text in UTF-8.
/**
 * @param {string} keyword
 * @param {string} text
 */
function textChunk(keyword, text) {
  const body = new TextEncoder().encode(`iTXt${keyword}\0\0\0\0\0${text}`);
  const chunk = new Uint8Array(body.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length - 4);
  chunk.set(body, 4);
  view.setUint32(body.length + 4, crc32(body));
  return chunk;
}

// The same picture with texts in it, by keyword (at most 79 letters each).
/**
 * @param {Blob} blob
 * @param {Record<string, string>} texts
 */
export async function withTexts(blob, texts) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const chunks = Object.entries(texts).map(([keyword, text]) => textChunk(keyword, text));
  return new Blob([bytes.subarray(0, HEAD), ...chunks, bytes.subarray(HEAD)], { type: "image/png" });
}
