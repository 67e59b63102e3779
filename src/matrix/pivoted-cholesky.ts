/**
 * @file Pivoted Cholesky: a factor F [n, r] with K = F F^T for a positive semidefinite K of known or bounded rank
 * (LAPACK's pstrf; Harbrecht, Peters & Schneider 2012). Reads r rows of K only.
 */
import { zeros, type Matrix } from "./matrix.ts";

/** A factor and what is left. */
export type PivotedCholesky = {
  /** F [n, rank]. */
  readonly factor: Matrix;
  /** Steps taken before the greatest remaining pivot fell to `tolerance` times the first. */
  readonly rank: number;
  /** First pivot over last pivot. */
  readonly condition: number;
};

/** Factors a positive semidefinite K [n, n] in at most `maxRank` steps. */
export function pivotedCholesky(k: Matrix, maxRank = k.rows, tolerance = 2 ** -52): PivotedCholesky {
  const n = k.rows;
  const steps = Math.min(n, maxRank);
  const columns: Float64Array[] = [];
  const rest = Float64Array.from({ length: n }, (_, i) => k.data[i * n + i]!);
  const largest = Math.max(...rest);
  let last = largest;
  while (columns.length < steps) {
    let p = 0;
    for (let i = 1; i < n; i++) if (rest[i]! > rest[p]!) p = i;
    const pivot = rest[p]!;
    if (!(pivot > tolerance * largest)) break;
    last = pivot;
    const root = Math.sqrt(pivot);
    const column = k.data.slice(p * n, (p + 1) * n);
    for (const earlier of columns) {
      const weight = earlier[p]!;
      for (let i = 0; i < n; i++) column[i]! -= weight * earlier[i]!;
    }
    for (let i = 0; i < n; i++) {
      column[i]! /= root;
      rest[i]! -= column[i]! ** 2;
    }
    rest[p] = 0;
    columns.push(column);
  }
  const factor = zeros(n, columns.length);
  for (const [j, column] of columns.entries()) {
    for (let i = 0; i < n; i++) factor.data[i * columns.length + j] = column[i]!;
  }
  return { factor, rank: columns.length, condition: largest / last };
}
