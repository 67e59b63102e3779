/**
 * @file The inverse of a symmetric matrix on its numerical range (numpy.linalg.pinv with `hermitian`),
 *
 *     K^+ = sum over |lambda_i| > zero of v_i v_i^T / lambda_i,
 *
 * where `zero` follows from the rounding of the entries. K^+ b is the x of least norm among those that minimise |K x - b|.
 */
import type { ComputeOptions } from "../engine/compute.ts";
import { eigen } from "./eigen.ts";
import type { InverseSolver } from "./linear-solver.ts";
import { matrix, zeros, type Matrix } from "./matrix.ts";
import { product } from "./product.ts";
import { numericalZero } from "./singular.ts";
import { addTimes, addTimesTransposed } from "./vector-product.ts";

/** Options of {@link pseudoInverse}. */
export type PseudoInverseOptions = ComputeOptions & {
  /** Relative error of the entries. Default: float64. */
  epsilon?: number;
  /** Whether K is positive semidefinite, so that negative eigenvalues are rounding. Default: true. */
  semidefinite?: boolean;
  /** An upper bound of the rank that is known beforehand. */
  maxRank?: number;
};

/**
 * K^+ of a symmetric K [n, n], in some 7 n^3 operations and 8 n^2 numbers of memory beside K. Its rank is the number of eigenvalues
 * that are more than rounding.
 * @throws InputError for entries that are not finite.
 */
export async function pseudoInverse(k: Matrix, options: PseudoInverseOptions = {}): Promise<InverseSolver> {
  const { epsilon = 2 ** -52, semidefinite = true, maxRank = k.rows, engine, signal } = options;
  const n = k.rows;
  const computing = { engine, signal };
  const transposed = { ...computing, transA: true };
  const { values, vectors } = await eigen(k, computing);
  const zero = numericalZero(values, epsilon, semidefinite);
  const kept = [...values.keys()]
    .filter((i) => (semidefinite ? values[i]! : Math.abs(values[i]!)) > zero)
    .sort((i, j) => Math.abs(values[j]!) - Math.abs(values[i]!))
    .slice(0, maxRank);
  const rank = kept.length;
  // Eigenvectors in rows, and the same divided by their eigenvalues.
  const V = zeros(rank, n);
  for (const [to, from] of kept.entries()) {
    for (let i = 0; i < n; i++) V.data[to * n + i] = vectors.data[i * n + from]!;
  }
  const divided = (a: Matrix): Matrix => {
    for (const [row, from] of kept.entries()) {
      for (let j = row * a.cols; j < (row + 1) * a.cols; j++) a.data[j]! /= values[from]!;
    }
    return a;
  };
  const size = (i: number): number => Math.abs(values[kept[i]!]!);
  return {
    size: n,
    rank,
    condition: () => (rank > 0 ? size(0) / size(rank - 1) : 1),
    solve(b) {
      const inside = zeros(rank, 1);
      addTimes(inside.data, 1, V, b);
      const out = new Float64Array(n);
      addTimesTransposed(out, 1, V, divided(inside).data);
      return out;
    },
    solveMatrix: async (b) => product(V, divided(await product(V, b, computing)), transposed),
    inverse: async () => product(V, divided(matrix(rank, n, V.data.slice())), transposed),
  };
}
