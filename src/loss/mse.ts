/**
 * @file Mean squared error, (1/2N) sum |f - y|^2 (paper, eq. 3). Its curvature in the outputs is the identity, so the
 * Fisher matrix is J^T J / N.
 */
import { subtract } from "../matrix/matrix.ts";
import { checkShapes, type Loss } from "./loss.ts";

export const mse: Loss = {
  name: "mse",
  title: "mean squared error",
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
