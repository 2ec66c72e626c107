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
  name: string;
  /** The weight from which on a cell is so dark that text on it has the colour of the paper. */
  text_turns: number;
  /** Colours from the weight 0 to the weight 1. */
  weights: string[];
  /** Colours from −1 to +1. */
  signed: string[];
}

/** An array as viz/pack.py sends it, row by row. */
export interface Packed {
  values: Float32Array | Uint8Array<ArrayBuffer>;
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

/** What a figure keeps from one call to the next: its root, its header, and parts of its own. */
export type View<Header, Own = Record<string, any>> = { root: Root; header: Header } & Own;

/** The codes of a map: pack.py. */
export interface Cells {
  values: Uint8Array<ArrayBuffer>;
  shape: number[];
}

export interface Unpacked<Header, Arrays = Record<string, any>> {
  /** What the figure's function in viz/canvas/ sends beside its arrays. */
  header: Header;
  arrays: Arrays;
}

/** What a component is sent: packed bytes, or the same unpacked where one figure holds another. */
export type Data<Header, Arrays = Record<string, any>> = Uint8Array | Unpacked<Header, Arrays>;

/** What Streamlit calls a component with. */
export interface Mount<Header = any, Arrays = Record<string, any>> {
  data: Data<Header, Arrays>;
  parentElement: ShadowRoot;
  setTriggerValue(name: string, value: unknown): void;
  setStateValue(name: string, value: unknown): void;
  key: string;
}

// The headers, as the functions of viz/canvas/ write them.

export interface FigureHeader {
  key: string;
  theme: Theme;
}

/** The query row in focus: viz/canvas/focus.py. */
interface Focus {
  row: number;
  pinned: boolean;
}

export interface Tokens {
  tokens: string[];
  /** The same, hardly shortened. */
  full: string[];
}

export interface SentenceHeader extends FigureHeader, Focus, Tokens {
  /** The words of the keys, where they are others. */
  keys: Tokens | null;
  unknown: number[];
}

export interface SentenceArrays {
  weights: Floats; // (T, S)
  mask: Cells; // (T, S)
}

export interface HeadGridHeader extends FigureHeader, Focus {
  tokens: string[];
  key_tokens: string[] | null;
  head_roles: string[][][];
  selected: [number, number];
  pooled: boolean;
}

export interface HeadGridArrays {
  cells: Cells; // (L, H, N, M)
}

export interface CompareHeader extends FigureHeader, Focus {
  tokens: string[];
  titles: [string, string, string];
  measure: [string, string];
  selected: [number, number];
}

export interface Panel {
  title: string;
  kind: "weight" | "signed" | "size" | "mask";
  limit: number;
  marks: [number, number][];
  numbers: boolean;
}

export interface MapsHeader extends FigureHeader {
  query_tokens: string[];
  key_tokens: string[];
  panels: Panel[];
  titles: string[][];
  row: number | null;
  pinned: boolean;
  pins: boolean;
  picks: boolean;
  /** The number of the map to paint on. */
  paint: number | null;
  step: { name: string; value: number; values: number[] } | null;
  acknowledged: number | null;
}

export interface MapsArrays {
  values: Floats; // (steps, N, T, S)
}

export interface BarsHeader extends FigureHeader {
  words: string[];
  sides: string[];
}

export interface LogitLensHeader extends FigureHeader {
  /** Of each layer, the likeliest first. */
  words: string[][];
}

export interface MaskLeakHeader extends FigureHeader {
  words: string[];
  edited: number;
  replacement: string;
  unit: string;
}

export interface HeadStepsHeader extends FigureHeader {
  about: string;
  words: string[];
  width: number;
  /** The place of the query among the words; −1: it is another text's, as in cross-attention. */
  row: number;
  /** The token whose row this is, and its place in its text. */
  query: string;
  query_place: number;
  step: number;
  key_index: number | null;
  acknowledged: number;
  divisor: number;
  position: string;
  layer: number;
  head: number;
  /** Mean and divisor of the norm before the head. */
  norm: [number, number] | null;
  norm_after: boolean;
  has_bias: boolean;
  is_rotated: boolean;
  has_residual: boolean;
}

/** Numbers of one row of one head; viz/canvas/head_steps.py says which. */
type HeadArrayName =
  | ("x_query" | "x" | "gain" | "shift" | "stream" | "after" | "carried" | "z")
  | ("q" | "k" | "v" | "w_q" | "w_k" | "w_v" | "w_o" | "b_q" | "b_k" | "b_v" | "b_o")
  | ("scores" | "scaled" | "bias" | "biased" | "mask" | "masked" | "weights");

export type HeadStepsArrays = Record<HeadArrayName, Floats>;

/** The same, with what each head and what all other heads add to the residual stream. */
export type HeadNumbers = Record<HeadArrayName | "heads" | "others", Float32Array>;

/** What a step of a row brings in. */
export type StepKind =
  | ("x" | "q" | "k" | "v" | "z" | "carried" | "others" | "stream" | "after")
  | ("scores" | "scaled" | "bias" | "masked" | "exp" | "weights");

/** One number of a row: which one, at which key, at which place of its vector. */
export interface StepFocus {
  kind: StepKind;
  s?: number;
  i: number;
}

/** What the sentence of a step is made from. */
export interface ExplainedStep {
  header: HeadStepsHeader;
  n: HeadNumbers;
  /** Keys, and the widths of the stream, of q and k, and of v. */
  sizes: { S: number; C: number; D: number; E: number };
  exponentials: { top: number; each: number[]; sum: number };
  step: number;
  keyIndex: number;
  focus: StepFocus;
  /** How many terms of a sum are written. */
  layout: { terms: number };
}

export interface ValueHullHeader extends FigureHeader, Focus {
  words: string[];
}

export interface ValueHullArrays {
  points: Floats; // (S, 2)
  outputs: Floats; // (T, 2)
  weights: Floats; // (T, S)
  mask: Cells; // (T, S)
}

/** One part of a whole model: viz/canvas/machine.py. */
export interface MachinePart {
  kind: string;
  layer: number | null;
  norm: string;
  present: boolean;
  shape: string;
  /** "encoder" or "decoder" in a model of both, else "". */
  stack: string;
}

/** The source of a model of two sentences; of each target token, the source token that gives most to it. */
export interface MachineSource {
  tokens: string[];
  followed: number[];
}

export interface MachineSwitch {
  name: string;
  label: string;
  on: boolean;
  available: boolean;
}

export interface MachineHeader extends FigureHeader, Focus {
  tokens: string[];
  positions: number[];
  parts: MachinePart[];
  switches: MachineSwitch[];
  heads_off: string[];
  source: MachineSource | null;
  /** Of each token, what each part did to it. */
  sentences: string[][];
  /** Of each token: word, probability, probability in the full model. */
  next_tokens: [string, number, number][][];
  predicts: string;
  position_place: string;
  detail: string;
  /** By part: its name, what it is for, a few words, and the label of the button that opens its page. */
  names: Record<string, string>;
  purposes: Record<string, string>;
  short: Record<string, string>;
  pages: Record<string, string>;
}

export interface HiddenUnitsHeader extends FigureHeader {
  units: number[];
  /** Of each unit, the words that it raises. */
  raised: string[];
}

/** A rectangle of a drawing, in pixels from its upper left corner. */
export interface Box {
  x: number;
  y: number;
  wide: number;
  tall: number;
}

/** Numbers of an array, row by row. */
export interface Floats {
  values: Float32Array;
  shape: number[];
}

/** One attention in every layer of a drawn stack. */
export interface DrawnAttention {
  /** Of its heads in names: "L", "X", "E". */
  letter: string;
  cells: Cells;
  weights: Floats;
  edges: Floats;
}

/** A stack of layers as it is drawn: the tokens of one sentence, and the parts of each layer in order. */
export interface DrawnStack {
  name: string;
  tokens: string[];
  layers: number;
  /** "attention", "cross", "mlp". */
  kinds: string[];
  attentions: Record<string, DrawnAttention>;
  stream: Cells;
  hidden: Cells;
  lengths: Floats;
  added: Floats;
  reach: Floats;
  /** The last vectors of an encoder, after its norm; in a decoder those that cross-attention reads. */
  output: Cells | null;
  /** The source tokens that cross-attention reads. */
  memory: string[];
}

/** What one stack sends. L layers, H heads, T tokens, J places of the residual stream; N cells stand for a vector. */
export interface StackArrays {
  cells: Cells; // (L, H, T, T)
  weights: Floats; // (L, H, T, T)
  edges: Floats; // (T, L, T, T)
  stream: Cells; // (J, T, N)
  hidden: Cells; // (L, T, N)
  lengths: Floats; // (J, T)
  added: Floats; // (2L, T), with cross-attention (3L, T)
  reach: Floats; // (T, L + 1, T), with cross-attention (T, 2L + 1, T)
}

/** The arrays of the encoder and of the cross-attention beside those of a decoder. */
export type PairArrays = StackArrays & { [Name in keyof StackArrays as `encoder_${Name}`]: StackArrays[Name] } & {
  encoder_output: Cells; // (1, S, N)
  cross_cells: Cells; // (L, H, T, S)
  cross_weights: Floats; // (L, H, T, S)
  cross_edges: Floats; // (T, L, T, S)
};

export type MachineArrays = StackArrays | PairArrays;

/** A part of a drawn layer, and where the strip of the residual stream after it begins. */
export interface DrawnPart {
  kind: string;
  x: number;
  width: number;
  strip: number;
}

/** A drawn layer. Folded, it has no parts. */
export interface DrawnLayer {
  layer: number;
  x: number;
  width: number;
  folded: boolean;
  parts: DrawnPart[];
}

/** Layers of one stack beside each other. Heights are in pixels from the top of the figure. */
export interface Band {
  stack: DrawnStack;
  blocks: DrawnLayer[];
  left: number;
  right: number;
  top: number;
  end: number;
  /** Lines of small buttons, the side of a head's map, and how many maps stand beside each other. */
  chipRows: number;
  head: number;
  perRow: number;
  /** The first lane of the tokens, and of the source tokens that cross-attention reads. */
  lanes: number;
  memory: number;
  /** What stands below the lanes; the predictions, and their heading. */
  foot: number;
  predictions: number;
  heading: number;
}

/** Sizes that hold in the whole drawing. */
export interface MachineSizes {
  /** A room sees no buttons and no small print. */
  simple: boolean;
  title: number;
  lane: number;
  memoryLane: number;
  label: number;
  chip: number;
  letter: number;
  /** The width of the predictions beside the lanes; 0: they stand below, or there are none. */
  output: number;
  strip: number;
  /** The decoder stands to the right of the encoder. */
  beside: boolean;
}

/** Where everything of a drawn model stands. */
export interface MachinePlace extends MachineSizes {
  bands: Band[];
  /** Where the predictions begin that stand below the bands. */
  outputBelow: number | null;
  height: number;
}

/** What the layout of a whole model is made from. */
export interface MachineModel {
  root: Root;
  header: MachineHeader;
  stacks: DrawnStack[];
  /** Name of a stack → the layer that is shown with its parts, where not all are. */
  opened: Record<string, number>;
  send(name: string, value: unknown): void;
  open(layer: number, stack: string): void;
}

/** A whole model once it has its place. */
export interface PlacedMachine extends MachineModel {
  place: MachinePlace;
  pressable: Target[];
  colours: { weights: Uint8ClampedArray; signed: Uint8ClampedArray };
  /** The part and the head under the pointer or the focus. */
  part: Target | null;
  head: Target | null;
}

/** Puts a button of a switch into a drawing of a whole model. */
export type AddChip = (
  stack: DrawnStack,
  name: string,
  box: { x: number; y: number; wide: number },
  layer: number | null,
  of: string,
) => void;

/** What can be pressed in a drawing of a whole model. */
export interface Target {
  stack: string;
  kind: string;
  part: string;
  layer: number | null;
  head?: number;
  x: number;
  y: number;
  wide: number;
  tall: number;
  text: string;
  on: boolean;
  row?: number;
  position?: number;
  press?: (() => void) | null;
  /** Which part a norm or a residual connection belongs to. */
  of?: string;
}

export interface DecodingHeader extends FigureHeader {
  about: string;
  step: number;
  acknowledged: number;
  pinned: boolean;
  default_row: number;
  source: string[];
  start: string;
  output: string[];
  candidates: string[][];
  gold: number[][];
  unknown: number[];
  unit: string;
  shares_rows: boolean;
}

/** A network without attention has a vector instead of weights. */
export interface DecodingArrays {
  probabilities: Floats; // (N, K)
  cross_weights?: Floats; // (N, S)
  self_weights?: Floats; // (N, N)
  vector?: Floats; // (C,)
}

export interface Branch {
  parent: number;
  word: string;
  total: number;
  label: string;
  kept: boolean;
  ended: boolean;
  best: boolean;
}

export interface BeamTreeHeader extends FigureHeader {
  step: number;
  steps: Branch[][];
}

export interface SlidersHeader extends FigureHeader {
  sliders: SliderSpec[];
  state: Record<string, number>;
  acknowledged: number;
}

/** viz/canvas/curves.py. */
export interface PanelAxis {
  name: string;
  log: boolean;
  limits: [number, number] | null;
}

export interface PanelSeries {
  name: string;
  x: number[];
  y: (number | null)[];
  accent?: boolean;
  muted?: boolean;
  dashed?: boolean;
  dots?: boolean;
}

export interface LinePanelsHeader extends FigureHeader {
  panels: { title: string; x: PanelAxis; y: PanelAxis; series: PanelSeries[] }[];
}

export interface SchedulesHeader extends SlidersHeader {
  lr: number;
  decays: string[];
  /** The decays that the two models use, and which of the models. */
  used: string[];
  users: string[];
}

export interface LayerGridHeader extends SlidersHeader {
  kind: "path" | "region" | "schedule";
  tokens: string[];
  /** Of each network its name, and what is written beside it for every choice of the sliders. */
  grids: { title: string; labels: string[] }[];
}

/** The sizes of a layer: model/cost/complexity.py. */
export interface CostSizes {
  n: number;
  d: number;
  kernel: number;
  window: number;
  n_heads: number;
  rank: number;
}

/** The sizes of a decoder: model/cost/decoding.py. */
export interface DecoderSizes {
  n_layers: number;
  d: number;
  n_heads: number;
  n_groups: number;
  window: number;
  d_ff: number;
  vocab_size: number;
  bytes_per_number: number;
}

/** A type of layer, and its three formulas as texts. */
export interface CostRow {
  kind: string;
  label: string;
  operations: string;
  sequential: string;
  path: string;
}

/** One layer at one length, as the server has measured it; null where it was refused. */
export interface CostResult {
  kind: string;
  n: number;
  seconds: number | null;
  peak_bytes: number | null;
  refused: string;
}

/** What is measured on the server. */
export interface MeasuredHeader extends SlidersHeader {
  /** The name of the stream; "": nothing was measured. */
  run: string;
  results: CostResult[];
  lengths: number[];
  /** Results of a whole measurement. */
  total: number;
  rests: boolean;
  /** Whether this visit has started the measurement. */
  mine: boolean;
  note: string;
  seconds: number;
}

export interface LayerCostsHeader extends MeasuredHeader {
  rows: CostRow[];
  columns: string[];
  /** Field of CostSizes, or from_n → name of its slider. */
  sizes: Record<string, string>;
  /** The shortest and the longest n of the charts. */
  stops: [number, number];
  /** Which type of layer becomes cheaper than which; what is written there. */
  pair: [string, string];
  short: string;
  /** Whether the costs of one head and of many are written below the table. */
  heads: boolean;
  /** Whether a forward and a backward pass are measured. */
  backward: boolean;
}

export interface DecodingCostsHeader extends MeasuredHeader {
  variants: string[];
  /** Field of DecoderSizes, n or head_width → name of its slider. */
  sizes: Record<string, string>;
  stops: [number, number];
}

export interface ApproximationHeader extends FigureHeader {
  methods: string[];
  sizes: number[];
  head: number;
}

export interface TiledAttentionHeader extends SlidersHeader {
  tokens: string[];
  /** Queries and keys of a tile. */
  tile: [number, number];
  places: [number, number][];
  skipped: [number, number][];
}

export interface ShuffleHeader extends FigureHeader {
  tokens: string[];
  order: number[];
  acknowledged: number;
  cases: { name: string; result: string }[];
  rounding: number;
  most: number;
}

export interface LengthsHeader extends FigureHeader {
  schemes: string[];
  lengths: number[];
  longest: number;
  kinds: [string, string];
}

export interface Measure {
  name: string;
  limits: [number, number];
  digits: number;
  log: boolean;
  level: number | null;
  level_name: string;
}

export interface ScalingHeader extends FigureHeader {
  steps: number[];
  d_k: number;
  acknowledged: number;
  edges: number[];
  measures: Measure[];
  titles: [string, string];
  notes: [string, string];
  sentences: string[];
}

/** One model after some steps: viz/pages/training/runs.py. null: the number is not finite. */
export interface TrainedFrame {
  loss: number | null;
  accuracy: number;
  rate: number;
  gradient: (number | null)[];
  residual: (number | null)[];
  /** Codes of weights (L, H, T, T), in base 64. */
  weights: string;
  prediction: number[];
  /** Layer and head with the largest weight on the answer, and that weight. */
  finder: [number, number, number | null];
  /** Mean weight on the right keys, of every relation and head (R · L · H). */
  scores: (number | null)[];
}

/** A further seed. */
export interface TrainedNumbers {
  loss: number | null;
  accuracy: number;
}

export interface TrainingFrame {
  step: number;
  a: TrainedFrame | null;
  b: TrainedFrame | null;
  others: { a: TrainedNumbers | null; b: TrainedNumbers | null }[];
}

export interface TrainedSide {
  what: string;
  layers: number;
  heads: number;
  parts: string[];
  note: string;
}

export interface TrainingLevel {
  value: number;
  name: string;
}

export interface TrainingHeader extends FigureHeader {
  run: string;
  a: TrainedSide;
  b: TrainedSide;
  tokens: string[];
  targets: string[];
  vocabulary: string[];
  steps: number;
  frames: TrainingFrame[];
  kept: number[];
  rests: boolean;
  ended: boolean;
  note: string;
  loss_levels: TrainingLevel[];
  accuracy_levels: TrainingLevel[];
  role: number;
}

/** A head that took up a role between two saved steps. */
export interface HeadRole {
  relation: string;
  layer: number;
  head: number;
  before: number;
  after: number;
}

/** With the arrays scores (N, R, L · H) and weights, codes (N, L · H, rows, columns). null: the number is not finite. */
export interface TrainingHistoryHeader extends SlidersHeader {
  steps: number[];
  loss: (number | null)[];
  rate: number[];
  relations: string[];
  layers: number;
  heads: number;
  roles: HeadRole[];
  tokens: string[];
  /** How it goes on; null: it is over. */
  live: { run: string; side: "a" | "b"; rests: boolean; ended: boolean; least: number } | null;
}

/** viz/export/notebook.py. */
export interface AttentionBrowserHeader extends FigureHeader, Tokens {
  title: string;
  keys: Tokens | null;
  head_roles: string[][][];
  selected: [number, number];
  /** The row to light in each head. */
  rows: number[][];
  pooled: boolean;
  /** Where each head begins among the packed bytes. */
  starts: number[];
  /** Whether a weight has two bytes. */
  fine: boolean;
}

export interface AttentionBrowserArrays {
  cells: Cells; // (L, H, N, M)
  zipped: Cells; // (bytes,)
}

/** What every file of a figure carries: viz/export/provenance.py. */
export interface Origin {
  software: string;
  version: string;
  weights?: string;
  seed?: number;
  text?: string;
  file?: string;
  shows?: string;
  says?: string;
  link?: string;
  mask?: string;
  switches?: Record<string, boolean>;
  heads_off?: string[];
  [part: string]: unknown;
}

export interface SaveHeader {
  theme: Theme;
  figure: string;
  file: string;
  /** Pieces of the sentence: text, stressed or not. */
  reading: [string, boolean][];
  /** The sentence of each row while the pointer is on it; empty: it says the same of all. */
  rows: [string, boolean][][];
  compact: boolean;
  table_open: boolean;
  origin: Origin;
  python: string;
  /** The ending of the file that was asked for. */
  ready: "csv" | "npz" | "html" | null;
}

export interface SavePageHeader {
  theme: Theme;
  /** Figure and ending of each file that came. */
  data: [string, string][] | null;
}

export interface QrCode {
  link: string;
  side: number;
  path: string;
  /** Why there is no code. */
  refused?: string;
}

export interface ShareHeader {
  theme: Theme;
  stage: { mode: "" | "present" | "embed"; figure: string };
  acknowledged: number;
  code: QrCode | null;
  opened: number;
  join: string;
  followed: number;
  strip: StripPart[];
  lookahead: string[]; // the keys of the switches whose clicks are answered ahead
  removed: string[]; // those that are off
}

/** What Streamlit has sent for a figure; times: how often. */
export interface Received {
  bytes: Uint8Array;
  header: Record<string, any>;
  times: number;
}

/** What a figure will be sent after a click. */
export interface Ahead {
  component: string;
  key: string;
  bytes: Uint8Array;
}

/** What a link shows. rest: a digest of all that is no figure. */
export interface ShownPage {
  rest: string;
  figures: Ahead[];
}

/** What is known ahead of the clicks on the switches. */
export interface Lookahead {
  parts: string[]; // the keys of the switches
  removed: string[]; // those that are off in what Python shows
  kept: Map<string, ShownPage>; // by link
  scripts: Map<string, (mount: Mount) => (() => void) | undefined>; // by component
  shown: string; // the link of what is drawn ahead; ""
  clicked: number; // when, in milliseconds
  drawn: (Ahead & { times: number; stop?: () => void })[];
  timer?: ReturnType<typeof setTimeout>;
  isWatching: boolean;
  counts: { ahead: number; compared: number; apart: string[] };
}

/** One part of a Transformer in the strip at the head of a page. */
export interface StripPart {
  name: string;
  label: string;
  hint: string;
  lit: boolean;
}

export interface LessonHeader {
  theme: Theme;
  name: string;
  title: string;
  step: number;
  headings: string[];
  figure_key: string;
  question: string;
  choices: string[];
  answer: string;
  verdict: "right" | "wrong" | "none" | "";
  feedback: string;
  covered: boolean;
  open_figures: string[];
  tolerance: number;
  measured: string;
}

export interface ClassQuestionHeader {
  theme: Theme;
  text: string;
  choices: string[];
  measured: string;
}

/** A question that the lecturer of a class can ask, and whose answer the lab measures. */
export interface MeasuredQuestion {
  text: string;
  choices: string[]; // none: the answer is a number
  tolerance: number;
  measured: string; // the measured answer, once it is shown
  reveal(): void; // show the measured answer
}

/** What a figure and the class share: the question that the page offers. */
export interface PageQuestion {
  question: MeasuredQuestion | null;
}

/** What a lesson and the stage share: the step that is open, and what a key does. */
export interface OpenLesson {
  step: {
    title: string;
    question: string; // "" when the figure is not covered
    figure_key: string;
    question_text: string; // the question, covered or not; "" where the step has none
    choices: string[];
    tolerance: number;
    measured: string; // the measured answer, once it is shown
    reveal(): void; // show the measured answer
    go(delta: number): void;
  } | null;
  onKey: ((event: KeyboardEvent) => void) | null;
}

/** A page and its state, as a link names them. */
export interface FollowedPage {
  page: string; // the last part of its path
  query: string;
}

/** The distribution of the answers of a class. had_it: how many gave the measured answer; null: nothing was measured. */
export interface ClassResults {
  answers: number;
  bars: { label: string; count: number }[];
  right: string;
  had_it: number | null;
}

/** What a lecturer or a student sees of a class: viz/classroom/classes.py. */
export interface ClassView extends FollowedPage {
  code: string;
  moves: number;
  spread: number;
  question: { number: number; text: string; choices: string[]; revealed: boolean } | null;
  results: ClassResults | null;
  follows?: boolean; // of a student
  given?: string;
  present?: number; // of a lecturer
  following?: number;
  answered?: number;
}

/** A drawing as a file of its own. */
export interface Sheet {
  text: string;
  x: number;
  y: number;
  width: number;
  height: number;
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
  /** A coordinate may be a number as text, rounded for a file. */
  line(points: (number | string)[][], stroke: string, thick?: number): void;
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
