/**
 * @file What a loss is. Outputs and labels are [N, C]; the loss is a mean over samples of a sum over outputs. A new loss is
 * a file beside this and a line in the list; methods have no code for a particular loss.
 */
import { agree, demand } from "../error.ts";
import { zeros, type Matrix } from "../linalg/matrix.ts";
import type { CurvatureFactor } from "./curvature.ts";

/** A loss function. All functions throw RangeError where f and y have different shapes. */
export type Loss = {
  readonly name: string;
  readonly title: string;
  /** C, outputs that so many classes take. */
  outputs(classes: number): number;
  /** Labels [N, C] of samples of the classes 0 to `classes` - 1. */
  encode(labels: ArrayLike<number>, classes: number): Matrix;
  /**
   * Whether labels are what the loss is made for; left out where any numbers are, as for a regression.
   * @param what what an error calls them
   * @throws InputError naming the first that is not.
   */
  checkLabels?(y: Matrix, what?: string): void;
  /** The mean loss of outputs f against labels y. */
  value(f: Matrix, y: Matrix): number;
  /** r [N, C] such that the gradient of the loss is (1/N) J^T r. */
  residual(f: Matrix, y: Matrix): Matrix;
  /**
   * The curvature at f as S with Lambda = S S^T, and the residual r~ [N, K] with S r~ = r that belongs to it. Left out
   * where Lambda is the identity.
   */
  curvature?(f: Matrix, y: Matrix): { readonly factor: CurvatureFactor; readonly residual: Float64Array };
  /** K for C outputs; left out where it is C. */
  curvatureColumns?(outputs: number): number;
  /** (Lambda + rho I)^-1 r [N, C] for any r of gradients, or its pseudo-inverse at rho = 0: Newton's step in the outputs. */
  newton?(f: Matrix, r: Matrix, rho: number): Matrix;
};

/** K, numbers of a residual r~ for C outputs: columns of S, or C where Lambda is the identity. */
export const residualColumns = ({ curvatureColumns }: Loss, outputs: number): number =>
  curvatureColumns?.(outputs) ?? outputs;

/** One column per class, with a one at the class of the sample. */
export function oneHot(labels: ArrayLike<number>, classes: number): Matrix {
  const y = zeros(labels.length, classes);
  for (let n = 0; n < labels.length; n++) y.data[n * classes + labels[n]!] = 1;
  return y;
}

/** @throws InputError unless this is a loss. */
export const demandLoss = (loss: Loss): void =>
  demand(typeof loss?.encode === "function", "loss", "a loss, as mse or crossEntropy", loss);

/** @throws RangeError unless outputs and labels have one shape. */
export function checkShapes(f: Matrix, y: Matrix): void {
  agree("labels", `${f.rows} x ${f.cols}`, `${y.rows} x ${y.cols}`);
}

/**
 * Share of samples that are classified right: by sign for one output, by the greatest output otherwise. Labels are
 * signed (one output) or one-hot. An output of exactly zero, or NaN, is wrong.
 * @example
 * import { accuracy, matrix } from "natgrad";
 *
 * const f = matrix(2, 1, Float64Array.of(0.4, -0.1));
 * const y = matrix(2, 1, Float64Array.of(0.5, 0.5));
 * console.log(accuracy(f, y)); // 0.5
 */
export function accuracy(f: Matrix, y: Matrix): number {
  checkShapes(f, y);
  const { rows: N, cols: C } = f;
  let right = 0;
  for (let n = 0; n < N; n++) {
    right += Number(C === 1 ? f.data[n]! * y.data[n]! > 0 : argmax(f, n) === argmax(y, n));
  }
  return right / N;
}

function argmax(a: Matrix, row: number): number {
  const values = a.data.subarray(row * a.cols, (row + 1) * a.cols);
  return values.indexOf(Math.max(...values));
}
