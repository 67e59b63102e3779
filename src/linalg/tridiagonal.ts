/**
 * @file Householder's reduction of a symmetric K to tridiagonal form, K = Q T Q^T, one column after the other in plain
 * loops (Householder 1958; LAPACK's dsytd2). tridiagonal-blocked.ts does the same faster.
 */
import { zeros, type Matrix } from "./matrix.ts";
import type { Reflectors } from "./reflectors.ts";

/** T, and Q as a product of reflections. */
export type Tridiagonal = {
  /** [n]. */
  readonly diagonal: Float64Array;
  /** [n - 1]. */
  readonly offDiagonal: Float64Array;
  readonly reflectors: readonly Reflectors[];
};

/** Squares of norms below this are taken for zero: they have lost digits to underflow. */
const TINY = 1e-280;

/** Reduces a symmetric `a` [n, n] of entries near 1 in size, n > 0, from its lower triangle, and overwrites it. */
export function reducePlainly(a: Matrix): Tridiagonal {
  const n = a.rows;
  const { data } = a;
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) data[j * n + i] = data[i * n + j]!;
  const count = Math.max(0, n - 2);
  const [diagonal, offDiagonal] = [new Float64Array(n), new Float64Array(n - 1)];
  const [v, tau] = [zeros(n - 1, count), new Float64Array(count)];
  const [x, w] = [new Float64Array(n), new Float64Array(n)];
  for (let j = 0; j < n; j++) {
    diagonal[j] = data[j * n + j]!;
    if (j === n - 1) break;
    const alpha = data[(j + 1) * n + j]!;
    let tail = 0;
    for (let i = j + 2; i < n; i++) tail += data[i * n + j]! ** 2;
    offDiagonal[j] = alpha;
    // No reflection: the column is tridiagonal already.
    if (tail < TINY) continue;
    const beta = alpha < 0 ? Math.sqrt(alpha * alpha + tail) : -Math.sqrt(alpha * alpha + tail);
    const t = (beta - alpha) / beta;
    offDiagonal[j] = beta;
    tau[j] = t;
    x[j + 1] = 1;
    for (let i = j + 2; i < n; i++) x[i] = data[i * n + j]! / (alpha - beta);
    for (let i = j + 1; i < n; i++) v.data[(i - 1) * count + j] = x[i]!;
    // A <- H A H = A - v w^T - w v^T with w = tau (A v) - (tau / 2) (tau v . A v) v.
    let along = 0;
    for (let i = j + 1; i < n; i++) {
      let sum = 0;
      for (let c = j + 1; c < n; c++) sum += data[i * n + c]! * x[c]!;
      w[i] = t * sum;
      along += w[i]! * x[i]!;
    }
    for (let i = j + 1; i < n; i++) w[i]! -= 0.5 * t * along * x[i]!;
    for (let i = j + 1; i < n; i++) {
      for (let c = j + 1; c < n; c++) data[i * n + c]! -= x[i]! * w[c]! + w[i]! * x[c]!;
    }
  }
  return { diagonal, offDiagonal, reflectors: count > 0 ? [{ start: 1, v, tau }] : [] };
}
