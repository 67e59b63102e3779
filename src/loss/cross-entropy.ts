/**
 * @file Softmax cross-entropy, -(1/N) sum y log p with p = softmax(f): r = p - y, Lambda = diag(p) - p p^T.
 *
 * Lambda = D (I - q q^T) D with D = diag(sqrt p) and q = sqrt p a unit vector, so S = D Q with Q [C, C - 1] an orthonormal
 * basis of what is orthogonal to q: the last C - 1 columns of the Householder reflection that takes q to the first axis.
 * The null direction of Lambda (all outputs shifted alike) is thereby left out, and with it the reason why an undamped
 * Gram would be singular by construction. r~ = Q^T (p - y) / sqrt p.
 *
 * Labels are probabilities, one output per class, for two classes too: a softmax over one output is 1 whatever the network says.
 */
import { demand, demandDamping, InputError } from "../error.ts";
import { zeros, type Matrix } from "../linalg/matrix.ts";
import { checkShapes, oneHot, type Loss } from "./loss.ts";

/** Probabilities are kept from zero, where r~ has no finite value. */
const SMALLEST = 1e-60;

/**
 * Cross-entropy of the softmax of the outputs with probabilities.
 * @example
 * import { crossEntropy, matrix } from "natgrad";
 *
 * const f = matrix(1, 2, Float64Array.of(0, 0));
 * const y = matrix(1, 2, Float64Array.of(1, 0));
 * console.log(crossEntropy.value(f, y)); // log 2
 */
export const crossEntropy: Loss = {
  name: "cross_entropy",
  title: "softmax cross-entropy",

  outputs: (classes) => classes,
  encode: oneHot,

  checkLabels(y, what = "labels") {
    demandColumns(y);
    for (let n = 0; n < y.rows; n++) {
      const row = rowOf(y, n);
      let sum = 0;
      for (const p of row) sum += p;
      if (row.every((p) => p >= 0) && Math.abs(sum - 1) <= 1e-6) continue;
      throw new InputError(
        `${what}: wanted probabilities that sum to 1 for cross_entropy, got sample ${n} with sum ${sum}`,
      );
    }
  },

  value(f, y) {
    checkPair(f, y);
    let sum = 0;
    for (let n = 0; n < f.rows; n++) {
      const [row, label] = [rowOf(f, n), rowOf(y, n)];
      const shift = logSumExp(row);
      for (let c = 0; c < f.cols; c++) if (label[c]! !== 0) sum += label[c]! * (shift - row[c]!);
    }
    return sum / f.rows;
  },

  residual(f, y) {
    checkPair(f, y);
    const p = softmax(f);
    return { ...p, data: p.data.map((x, i) => x - y.data[i]!) };
  },

  curvature(f, y) {
    checkPair(f, y);
    const { rows: N, cols: C } = f;
    const K = C - 1;
    const p = softmax(f);
    const values = new Float64Array(N * C * K);
    const residual = new Float64Array(N * K);
    for (let n = 0; n < N; n++) {
      const q = rowOf(p, n).map(Math.sqrt);
      // Householder: H = I - 2 w w^T / |w|^2 with w = q + e_0 (q_0 > 0: no cancellation) takes q to -e_0.
      const w = q.slice();
      w[0]! += 1;
      const scale = 2 / w.reduce((sum, x) => sum + x * x, 0);
      for (let c = 0; c < C; c++) {
        const excess = q[c]! - y.data[n * C + c]! / q[c]!;
        for (let k = 0; k < K; k++) {
          const Q = Number(c === k + 1) - scale * w[c]! * w[k + 1]!;
          values[(n * C + c) * K + k] = q[c]! * Q;
          residual[n * K + k]! += Q * excess;
        }
      }
    }
    return { factor: { samples: N, outputs: C, columns: K, values, rank: K }, residual };
  },

  curvatureColumns: (C) => C - 1,

  newton(f, gradients, rho) {
    checkShapes(f, gradients);
    demandDamping(rho);
    const { rows: N, cols: C } = f;
    const p = softmax(f);
    const out = zeros(N, C);
    for (let n = 0; n < N; n++) {
      const [pn, r, z] = [rowOf(p, n), rowOf(gradients, n), rowOf(out, n)];
      if (rho === 0) {
        // Lambda (r / p) = r; the least solution has no common shift.
        const ratio = r.map((x, c) => x / pn[c]!);
        const mean = ratio.reduce((sum, x) => sum + x, 0) / C;
        z.set(ratio.map((x) => x - mean));
        continue;
      }
      // (diag(p) + rho - p p^T)^-1 by Sherman and Morrison.
      const inverse = pn.map((x) => 1 / (x + rho));
      let along = 0;
      let left = 1;
      for (let c = 0; c < C; c++) {
        along += pn[c]! * inverse[c]! * r[c]!;
        left -= pn[c]! * inverse[c]! * pn[c]!;
      }
      z.set(r.map((x, c) => inverse[c]! * (x + (pn[c]! * along) / left)));
    }
    return out;
  },
};

/** One output has probability 1 whatever it is. */
const demandColumns = ({ cols }: Matrix): void =>
  demand(cols > 1, "cross_entropy", "an output or label of two columns or more", cols);

function checkPair(f: Matrix, y: Matrix): void {
  checkShapes(f, y);
  demandColumns(f);
}

const rowOf = (a: Matrix, n: number): Float64Array => a.data.subarray(n * a.cols, (n + 1) * a.cols);

function logSumExp(row: Float64Array): number {
  const largest = Math.max(...row);
  let sum = 0;
  for (const x of row) sum += Math.exp(x - largest);
  return largest + Math.log(sum);
}

/** Softmax of every row. */
export function softmax(f: Matrix): Matrix {
  const out = zeros(f.rows, f.cols);
  for (let n = 0; n < f.rows; n++) {
    const shift = logSumExp(rowOf(f, n));
    rowOf(out, n).set(rowOf(f, n).map((x) => Math.max(SMALLEST, Math.exp(x - shift))));
  }
  return out;
}
