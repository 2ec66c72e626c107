// Several files as one, stored without compression (APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).

import { crc32 } from "./png.js";

const UTF8 = 0x0800; // flag: names are in UTF-8

// files: name → Uint8Array.
/**
 * @param {Record<string, Uint8Array<ArrayBuffer>>} files
 */
export function zip(files) {
  /** @type {Uint8Array<ArrayBuffer>[][]} */
  const [parts, index] = [[], []];
  let offset = 0;
  for (const [name, bytes] of Object.entries(files)) {
    const path = new TextEncoder().encode(name);
    const check = crc32(bytes);
    // version, flags, method, time, date, check, sizes, name, extra
    const fields = [
      [2, 20],
      [2, UTF8],
      [2, 0],
      [2, 0],
      [2, 0x21],
      [4, check],
      [4, bytes.length],
      [4, bytes.length],
      [2, path.length],
      [2, 0],
    ];
    const head = record(0x04034b50, fields);
    index.push(record(0x02014b50, [[2, 20], ...fields, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), path);
    parts.push(head, path, bytes);
    offset += head.length + path.length + bytes.length;
  }
  const long = index.reduce((sum, part) => sum + part.length, 0);
  const many = index.length / 2;
  const end = record(0x06054b50, [
    [2, 0],
    [2, 0],
    [2, many],
    [2, many],
    [4, long],
    [4, offset],
    [2, 0],
  ]);
  return new Blob([...parts, ...index, end], { type: "application/zip" });
}

// A signature and whole numbers of 2 or 4 bytes, lowest byte first.
/**
 * @param {number} signature
 * @param {number[][]} fields
 */
function record(signature, fields) {
  const all = [[4, signature], ...fields];
  const bytes = new Uint8Array(all.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const [size, value] of all) {
    if (size === 2) view.setUint16(offset, value, true);
    else view.setUint32(offset, value, true);
    offset += size;
  }
  return bytes;
}
