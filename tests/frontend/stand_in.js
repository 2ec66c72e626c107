// The few parts of a browser that some modules touch when they are loaded. Import this file before them.
// A letter is as wide as half the size of its type, so that widths can be worked out by hand.

import { TextDecoder, TextEncoder } from "node:util";

const context = () => ({
  font: "",
  measureText(text) {
    return { width: (text.length * Number(this.font.match(/([\d.]+)px/)[1])) / 2 };
  },
  putImageData() {},
});

Object.assign(globalThis, {
  addEventListener() {},
  TextDecoder,
  TextEncoder,
  ImageData: class {
    constructor(width, height) {
      Object.assign(this, { width, height, data: new Uint8ClampedArray(4 * width * height) });
    }
  },
  document: {
    documentElement: { dataset: {} },
    createElement: () => ({ getContext: context, toDataURL: () => "data:image/png;base64,AA==" }),
  },
});
