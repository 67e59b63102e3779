/**
 * @file Small datasets with known distributions, on the unit sphere in M dimensions (where the kernels of wide networks
 * live): blobs around random directions, the parity of a few coordinates, and a linear teacher.
 *
 * Everything is drawn from one stream of standard normals, in a fixed order, so a seed gives one dataset.
 */
import { InputError } from "../error.ts";
import type { Loss } from "../loss/loss.ts";
import { addScaled, type Matrix, multiply, rowRange, scale, transpose, zeros } from "../linalg/matrix.ts";
import { checkSelection, type Dataset } from "./dataset.ts";
import { encodeLabels } from "./labels.ts";
import { normaliseRows } from "./normalise.ts";

/** The default number of input features, M. */
export const SYNTHETIC_FEATURES = 32;

/** Fills an array with independent standard normals. */
export type Normals = (out: Float64Array) => unknown;

/**
 * - `blobs`: class c is x = m_c + spread · g/√M on the sphere, m_c a uniform unit vector and g standard normal; the
 *   classes take turns.
 * - `parity`: x uniform on the sphere, the class is the sign of the product of its first `degree` coordinates; degree 2
 *   is XOR, which no linear model learns. Two classes.
 * - `teacher`: x uniform on the sphere, y = √M W x + noise · g, W [C, M] with rows uniform on the sphere, so that each
 *   label has variance 1 + noise². A regression: for losses of any numbers, and no classes.
 */
export type SyntheticKind = "blobs" | "parity" | "teacher";

export type SyntheticOptions = {
  readonly kind?: SyntheticKind;
  readonly trainSize: number;
  readonly testSize: number;
  readonly loss: Loss;
  /** M */
  readonly inputs?: number;
  /** Number of classes of `blobs`; outputs of `teacher`, as many as the loss has for so many classes. */
  readonly classes?: number;
  readonly spread?: number;
  readonly degree?: number;
  readonly noise?: number;
};

/**
 * Draws a dataset; training samples first, test samples after them, all independent.
 * @throws InputError when an option is out of range.
 */
export function synthetic(normals: Normals, options: SyntheticOptions): Dataset {
  const { kind = "blobs", trainSize, testSize, loss, inputs = SYNTHETIC_FEATURES, classes = 2 } = options;
  const targetClasses = Array.from({ length: classes }, (_, c) => c);
  checkSelection({ targetClasses, trainSize, testSize, loss });
  for (const size of [trainSize, testSize])
    check(size < Infinity, "size", "a number of samples to draw", size);
  check(Number.isInteger(inputs) && inputs >= 2, "inputs", "a whole number above 1", inputs);
  const draw: Draw = (rows, cols) => {
    const out = zeros(rows, cols);
    normals(out.data);
    return out;
  };
  const n = trainSize + testSize;
  const settings = { ...options, classes };
  const drawn = DRAWERS[kind];
  check(drawn !== undefined, "kind", "blobs, parity or teacher", kind);
  const { x, ...answers } = drawn(draw, n, inputs, settings);
  const y = "y" in answers ? answers.y : encodeLabels(answers.labels, targetClasses, loss);
  return {
    xTrain: rowRange(x, 0, trainSize),
    yTrain: rowRange(y, 0, trainSize),
    xTest: rowRange(x, trainSize, n),
    yTest: rowRange(y, trainSize, n),
    targetClasses: "y" in answers ? [] : targetClasses,
  };
}

type Draw = (rows: number, cols: number) => Matrix;
type Settings = SyntheticOptions & { readonly classes: number };
type Drawn = { readonly x: Matrix } & ({ readonly labels: readonly number[] } | { readonly y: Matrix });
type Drawer = (draw: Draw, n: number, inputs: number, settings: Settings) => Drawn;

function check(ok: boolean, what: string, wanted: string, got: unknown): void {
  if (!ok) throw new InputError(`synthetic ${what}: wanted ${wanted}, got ${String(got)}`);
}

/** Points [rows, cols] uniform on the unit sphere. */
const onSphere = (draw: Draw, rows: number, cols: number): Matrix =>
  normaliseRows(draw(rows, cols), "synthetic");

function blobs(draw: Draw, n: number, inputs: number, { classes, spread = 1 }: Settings): Drawn {
  check(spread >= 0 && spread < Infinity, "spread", "a finite number of at least 0", spread);
  const centres = onSphere(draw, classes, inputs);
  const x = draw(n, inputs);
  const labels = Array.from({ length: n }, (_, i) => i % classes);
  for (let i = 0; i < x.data.length; i++) {
    const centre = centres.data[labels[Math.floor(i / inputs)]! * inputs + (i % inputs)]!;
    x.data[i] = centre + (spread * x.data[i]!) / Math.sqrt(inputs);
  }
  return { x: normaliseRows(x, "synthetic"), labels };
}

function parity(draw: Draw, n: number, inputs: number, { classes, degree = 2 }: Settings): Drawn {
  check(classes === 2, "parity", "2 classes", classes);
  check(Number.isInteger(degree) && degree >= 1 && degree <= inputs, "degree", `1 to ${inputs}`, degree);
  const x = onSphere(draw, n, inputs);
  const labels = Array.from({ length: n }, (_, i) => {
    const sign = x.data.subarray(i * inputs, i * inputs + degree).reduce((a, b) => a * Math.sign(b), 1);
    return sign > 0 ? 0 : 1;
  });
  return { x, labels };
}

function teacher(draw: Draw, n: number, inputs: number, { classes, loss, noise = 0 }: Settings): Drawn {
  check(!loss.checkLabels, "teacher", "a loss of any numbers, as mse", loss.name);
  check(noise >= 0 && noise < Infinity, "noise", "a finite number of at least 0", noise);
  const outputs = loss.outputs(classes);
  const w = onSphere(draw, outputs, inputs);
  const x = onSphere(draw, n, inputs);
  const y = addScaled(scale(draw(n, outputs), noise), Math.sqrt(inputs), multiply(x, transpose(w)));
  return { x, y };
}

const DRAWERS: Record<SyntheticKind, Drawer> = { blobs, parity, teacher };
