/**
 * @file Labels as a network's outputs are compared with them.
 *
 * Mean squared error: two classes share one output, +1/2 for the first class and −1/2 for the second; more are
 * one-hot. Softmax cross-entropy needs one output per class, for two classes too: a softmax over one output is 1
 * whatever the network says.
 */
import { InputError } from "../error.ts";
import { type Matrix, zeros } from "../matrix/matrix.ts";
import { classMembers, className, type ClassGroup } from "./classes.ts";
import type { LossType } from "./dataset.ts";

/** C, outputs that so many classes take. */
export const outputsFor = (classes: number, lossType: LossType): number =>
  lossType === "mse" && classes === 2 ? 1 : classes;

/**
 * Labels [N, C] of samples whose classes are known.
 * @param labels the class of each sample, by its number in the source
 * @param targetClasses the classes, or groups of them, in the order of the outputs
 */
export function encodeLabels(
  labels: ArrayLike<number>,
  targetClasses: readonly ClassGroup[],
  lossType: LossType,
): Matrix {
  const y = zeros(labels.length, outputsFor(targetClasses.length, lossType));
  const shared = y.cols < targetClasses.length;
  const outputOf = new Map(targetClasses.flatMap((group, c) => classMembers(group).map((k) => [k, c])));
  for (let n = 0; n < labels.length; n++) {
    const c = outputOf.get(labels[n]!);
    if (c === undefined) {
      const names = targetClasses.map(className).join(", ");
      throw new InputError(`labels: wanted one of ${names}, got ${labels[n]}`);
    }
    if (shared) y.data[n] = c === 0 ? 0.5 : -0.5;
    else y.data[n * y.cols + c] = 1;
  }
  return y;
}

/**
 * Labels [N, C] that were made for any loss, made fit for `lossType`: a single column of signs becomes two one-hot
 * columns for cross-entropy; everything else stays as it is.
 * @throws InputError when cross-entropy is given rows that are not probabilities.
 */
export function adaptLabels(y: Matrix, lossType: LossType, what: string): Matrix {
  if (lossType === "mse") return y;
  if (y.cols === 1) {
    const out = zeros(y.rows, 2);
    for (const [n, label] of y.data.entries()) {
      if (label === 0)
        throw new InputError(`${what}: wanted a sign for cross_entropy, got 0 for sample ${n}`);
      out.data[2 * n + (label > 0 ? 0 : 1)] = 1;
    }
    return out;
  }
  for (let n = 0; n < y.rows; n++) {
    const row = y.data.subarray(n * y.cols, (n + 1) * y.cols);
    const sum = row.reduce((a, b) => a + b, 0);
    if (Math.abs(sum - 1) > 1e-6 || row.some((p) => p < 0)) {
      throw new InputError(
        `${what}: wanted probabilities that sum to 1 for cross_entropy, got sample ${n} with sum ${sum}`,
      );
    }
  }
  return y;
}
