/**
 * @file Mean squared error, (1/2N) sum |f - y|^2 (paper, eq. 3). Its curvature in the outputs is the identity, so the
 * Fisher matrix is J^T J / N. Two classes share one output, +1/2 for the first and -1/2 for the second; more are one-hot.
 */
import { matrix, subtract } from "../linalg/matrix.ts";
import { checkShapes, oneHot, type Loss } from "./loss.ts";

/**
 * Mean squared error, (1/2N) sum |f - y|^2.
 * @example
 * import { matrix, mse } from "natgrad";
 *
 * const f = matrix(2, 1, Float64Array.of(0.5, 0));
 * const y = matrix(2, 1, Float64Array.of(0.5, -0.5));
 * console.log(mse.value(f, y)); // 0.0625
 */
export const mse: Loss = {
  name: "mse",
  title: "mean squared error",
  outputs: (classes) => (classes === 2 ? 1 : classes),
  encode(labels, classes) {
    if (classes !== 2) return oneHot(labels, classes);
    return matrix(
      labels.length,
      1,
      Float64Array.from(labels, (c) => (c === 0 ? 0.5 : -0.5)),
    );
  },
  value(f, y) {
    checkShapes(f, y);
    let sum = 0;
    for (const r of subtract(f, y).data) sum += r * r;
    return sum / (2 * f.rows);
  },
  residual(f, y) {
    checkShapes(f, y);
    return subtract(f, y);
  },
};
