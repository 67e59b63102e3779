/**
 * @file Small datasets whose law is known, on the unit sphere in M dimensions (where the kernels of wide networks
 * live): blobs around random directions, the parity of a few coordinates, and a linear teacher.
 *
 * Everything is drawn from one stream of standard normals, in a fixed order, so a seed gives one dataset.
 */
import { InputError } from "../error.ts";
import { type Matrix, rowRange, zeros } from "../matrix/matrix.ts";
import { checkSelection, type Dataset, type LossType } from "./dataset.ts";
import { encodeLabels } from "./labels.ts";
import { normaliseRows } from "./normalise.ts";

/** Fills an array with independent standard normals. */
export type Normals = (out: Float64Array) => unknown;

/**
 * - `blobs`: class c is x = m_c + spread · g/√M on the sphere, m_c a uniform unit vector and g standard normal; the
 *   classes take turns.
 * - `parity`: x uniform on the sphere, the class is the sign of the product of its first `degree` coordinates; degree 2
 *   is XOR, which no linear model learns. Two classes.
 * - `teacher`: x uniform on the sphere, y = √M W x + noise · g, W [C, M] with rows uniform on the sphere, so that each
 *   label has variance 1 + noise². A regression: `mse` alone, and no classes.
 */
export type SyntheticKind = "blobs" | "parity" | "teacher";

export type SyntheticOptions = {
  readonly kind?: SyntheticKind;
  readonly trainSize: number;
  readonly testSize: number;
  readonly lossType: LossType;
  /** M */
  readonly inputs?: number;
  /** Number of classes of `blobs`; outputs of `teacher`, where 2 stands for one output as in classification. */
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
  const { kind = "blobs", trainSize, testSize, lossType, inputs = 32, classes = 2 } = options;
  const { spread = 1, degree = 2, noise = 0 } = options;
  const targetClasses = Array.from({ length: classes }, (_, c) => c);
  checkSelection({ targetClasses, trainSize, testSize, lossType });
  const check = (ok: boolean, what: string, wanted: string, got: unknown): void => {
    if (!ok) throw new InputError(`synthetic ${what}: wanted ${wanted}, got ${String(got)}`);
  };
  check(Number.isInteger(inputs) && inputs >= 2, "inputs", "a whole number above 1", inputs);
  check(spread >= 0 && spread < Infinity, "spread", "a finite number of at least 0", spread);
  check(noise >= 0 && noise < Infinity, "noise", "a finite number of at least 0", noise);

  const n = trainSize + testSize;
  const draw = (rows: number, cols: number): Matrix => {
    const out = zeros(rows, cols);
    normals(out.data);
    return out;
  };
  const directions = (rows: number): Matrix => normaliseRows(draw(rows, inputs), `synthetic ${kind}`);
  const split = (x: Matrix, y: Matrix, kept: readonly number[]): Dataset => ({
    xTrain: rowRange(x, 0, trainSize),
    yTrain: rowRange(y, 0, trainSize),
    xTest: rowRange(x, trainSize, n),
    yTest: rowRange(y, trainSize, n),
    targetClasses: kept,
  });

  switch (kind) {
    case "blobs": {
      const centres = directions(classes);
      const x = draw(n, inputs);
      const labels = Array.from({ length: n }, (_, i) => i % classes);
      for (let i = 0; i < x.data.length; i++) {
        const centre = centres.data[labels[Math.floor(i / inputs)]! * inputs + (i % inputs)]!;
        x.data[i] = centre + (spread * x.data[i]!) / Math.sqrt(inputs);
      }
      return split(
        normaliseRows(x, "synthetic blobs"),
        encodeLabels(labels, targetClasses, lossType),
        targetClasses,
      );
    }
    case "parity": {
      check(classes === 2, "parity", "2 classes", classes);
      check(Number.isInteger(degree) && degree >= 1 && degree <= inputs, "degree", `1 to ${inputs}`, degree);
      const x = directions(n);
      const labels = Array.from({ length: n }, (_, i) => {
        const product = x.data
          .subarray(i * inputs, i * inputs + degree)
          .reduce((a, b) => a * Math.sign(b), 1);
        return product > 0 ? 0 : 1;
      });
      return split(x, encodeLabels(labels, targetClasses, lossType), targetClasses);
    }
    case "teacher": {
      check(lossType === "mse", "teacher", "loss_type mse (its labels are numbers)", lossType);
      const outputs = classes === 2 ? 1 : classes;
      const w = directions(outputs);
      const x = directions(n);
      const y = draw(n, outputs);
      for (let i = 0; i < n; i++) {
        for (let c = 0; c < outputs; c++) {
          let sum = 0;
          for (let m = 0; m < inputs; m++) sum += w.data[c * inputs + m]! * x.data[i * inputs + m]!;
          y.data[i * outputs + c] = Math.sqrt(inputs) * sum + noise * y.data[i * outputs + c]!;
        }
      }
      return split(x, y, []);
    }
    default:
      throw new InputError(`synthetic kind: wanted blobs, parity or teacher, got ${String(kind)}`);
  }
}
