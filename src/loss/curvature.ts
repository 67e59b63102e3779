/**
 * @file The curvature of a loss in the outputs, as a factor: Lambda_n = S_n S_n^T for every sample n, and products with
 * blockdiag(S_1, ..., S_N). The Fisher matrix (1/N) J^T Lambda J is then that of a mean squared error whose signals are S^T Delta.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import { agree } from "../error.ts";
import { matrix, zeros, type Floats, type Matrix } from "../linalg/matrix.ts";
import { addRow } from "../linalg/vector-product.ts";

/** S_n [C, K] of every sample. */
export type CurvatureFactor = {
  readonly samples: number;
  /** C, outputs. */
  readonly outputs: number;
  /** K, columns: fewer than C where the curvature has null directions. */
  readonly columns: number;
  /** [N, C, K] */
  readonly values: Float64Array;
  /** Rank of [S_1, ..., S_N] [C, N K]: less than C where a null direction is the same for all samples. */
  readonly rank: number;
};

/** @throws RangeError unless a curvature is of the samples and outputs of a kernel. */
export function checkFactor(
  { samples, outputs }: { readonly samples: number; readonly outputs: number },
  S: CurvatureFactor,
): void {
  agree(
    "curvature",
    `${samples} samples of ${outputs} outputs`,
    `${S.samples} samples of ${S.outputs} outputs`,
  );
  agree("curvature", `${samples * outputs * S.columns} numbers`, `${S.values.length} numbers`);
}

/** The factors of some samples. */
export function restrictFactor(S: CurvatureFactor, samples: readonly number[]): CurvatureFactor {
  const size = S.outputs * S.columns;
  const values = new Float64Array(samples.length * size);
  for (const [i, n] of samples.entries()) values.set(S.values.subarray(n * size, (n + 1) * size), i * size);
  return { ...S, samples: samples.length, values };
}

/** S v for v [N, K]: [N, C]. */
export function applyFactor(S: CurvatureFactor, v: Float64Array): Float64Array {
  const { samples, outputs: C, columns: K } = S;
  agree("coefficients", `${samples * K} numbers`, `${v.length} numbers`);
  const out = new Float64Array(samples * C);
  for (let row = 0; row < samples * C; row++) {
    const n = Math.floor(row / C);
    for (let k = 0; k < K; k++) out[row]! += S.values[row * K + k]! * v[n * K + k]!;
  }
  return out;
}

/** S^T v for v [N, C]: [N, K]. */
export function transposeFactor(S: CurvatureFactor, v: Float64Array): Float64Array {
  const out = zeros(S.samples * S.columns, 1);
  for (let row = 0; row < v.length; row++) addTransposed(out, S, { rows: v.length, cols: 1, data: v }, row);
  return out.data;
}

/** blockdiag(S) K for K [N K, m]: [N C, m]. */
export function applyFactorRows(S: CurvatureFactor, a: Matrix): Matrix {
  const { samples, outputs: C, columns: K } = S;
  agree("coefficients", `${samples * K} rows`, `${a.rows} rows`);
  const out = zeros(samples * C, a.cols);
  for (let row = 0; row < samples * C; row++) {
    const n = Math.floor(row / C);
    for (let k = 0; k < K; k++) addWeighted(out, row, a, n * K + k, S.values[row * K + k]!);
  }
  return out;
}

/** blockdiag(S)^T a for a [N C, m]: [N K, m]. */
export async function transposedProduct(
  S: CurvatureFactor,
  a: Matrix<Floats>,
  { signal }: Stoppable = {},
): Promise<Matrix> {
  const out = zeros(S.samples * S.columns, a.cols);
  for (let row = 0; row < a.rows; row++) {
    await breathe(signal);
    addTransposed(out, S, a, row);
  }
  return out;
}

/** What one row of a [N C, m] adds to blockdiag(S)^T a. */
function addTransposed(
  out: Matrix,
  { outputs: C, columns: K, values }: CurvatureFactor,
  a: Matrix<Floats>,
  row: number,
): void {
  const n = Math.floor(row / C);
  for (let k = 0; k < K; k++) addWeighted(out, n * K + k, a, row, values[row * K + k]!);
}

/** a blockdiag(S) for a [m, N C]: [m, N K]. */
export async function rightProduct(
  a: Matrix,
  S: CurvatureFactor,
  { signal }: Stoppable = {},
): Promise<Matrix> {
  const { samples, outputs: C, columns: K } = S;
  const out = matrix(a.rows, samples * K, new Float64Array(a.rows * samples * K));
  for (let i = 0; i < a.rows; i++) {
    await breathe(signal);
    for (let row = 0; row < samples * C; row++) {
      const value = a.data[i * a.cols + row]!;
      if (value === 0) continue;
      const to = i * out.cols + Math.floor(row / C) * K;
      for (let k = 0; k < K; k++) out.data[to + k]! += value * S.values[row * K + k]!;
    }
  }
  return out;
}

/** Row `to` of a matrix += weight * row `from` of another. */
function addWeighted(target: Matrix, to: number, a: Matrix<Floats>, from: number, weight: number): void {
  if (weight !== 0) addRow(target.data, to * a.cols, a.data, from * a.cols, a.cols, weight);
}
