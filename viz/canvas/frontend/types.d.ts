// The types that the scripts share. Only the type checker reads this file; no page loads it.

/** The colours of a figure: viz/theme.py. */
export interface Theme {
  paper: string;
  ink: string;
  muted: string;
  rule: string;
  accent: string;
  absent: string;
  hatch: string;
  broken: string;
  /** Colours from the weight 0 to the weight 1. */
  weights: string[];
  /** Colours from −1 to +1. */
  signed: string[];
}

/** An array as viz/pack.py sends it, row by row. */
export interface Packed {
  values: Float32Array | Uint8Array;
  shape: number[];
}

/** The element that a component draws in; what it keeps from one call to the next hangs on it. */
export interface Root extends HTMLElement {
  view?: any;
  canvas?: HTMLCanvasElement;
  arrange?: () => void;
  /** One step further or back, where a figure has steps; whether it has this one. */
  advance?: (delta: number) => boolean | undefined;
}

/** The codes of a map: pack.py. */
export interface Cells {
  values: Uint8Array;
  shape: number[];
}

export interface Unpacked {
  /** What the figure's function in viz/canvas/ sends beside its arrays. */
  header: any;
  arrays: Record<string, any>;
}

/** What Streamlit calls a component with. */
export interface Mount {
  data: any;
  parentElement: ShadowRoot;
  setTriggerValue(name: string, value: unknown): void;
  setStateValue(name: string, value: unknown): void;
  key: string;
}

export interface TextStyle {
  size?: number;
  weight?: number;
  fill?: string;
  anchor?: "start" | "middle" | "end";
  /** Degrees, about the beginning of the text. */
  turn?: number;
}

export interface Image {
  width: number;
  height: number;
  data: Uint8ClampedArray;
}

/** The calls that draw on a canvas or write SVG: lib/drawing.js. Lengths are in pixels. */
export interface Pen {
  rect(x: number, y: number, wide: number, tall: number, fill: string): void;
  frame(x: number, y: number, wide: number, tall: number, stroke: string, thick?: number): void;
  line(points: any[][], stroke: string, thick?: number): void;
  dot(x: number, y: number, radius: number, fill: string): void;
  text(x: number, y: number, text: string, style?: TextStyle): void;
  absent(x: number, y: number, wide: number, tall: number): void;
  image(image: ImageData, x: number, y: number, wide: number, tall: number): void;
}

/** One slider: its name in the state, its label and the values it runs through. */
export interface SliderSpec {
  name: string;
  label: string;
  values: number[];
}

declare global {
  /** What the components of a page share: lib/shared.js. */
  var attentionLab: Record<string, any>;
}
