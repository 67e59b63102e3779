/**
 * @file The inverse of a small positive semidefinite matrix on its range, in plain loops and without eigenvalues: with
 * K = F F^T (pivoted Cholesky of rank r) and F = Q R (Gram and Schmidt, twice),
 *
 *     K = Q R R^T Q^T,    K^+ = Q R^-T R^-1 Q^T,
 *
 * in some 3 n r^2 multiply-adds. Rank is that of K scaled to a unit diagonal, so that it does not depend on how rows
 * are scaled.
 */
import type { Stoppable } from "../breathe.ts";
import { solveColumns, type DirectSolver } from "./linear-solver.ts";
import { pivotedCholesky } from "./pivoted-cholesky.ts";
import { zeros } from "./matrix.ts";
import { addMultiple, dot } from "./vectors.ts";

/**
 * K^+ of the K [n, n] that `entry` gives.
 * @param zero the size up to which pivots of the scaled matrix are rounding
 */
export async function rangeInverse(
  n: number,
  entry: (i: number, j: number) => number,
  zero: number,
  options: Stoppable = {},
): Promise<DirectSolver> {
  const scale = Float64Array.from({ length: n }, (_, i) => Math.sqrt(entry(i, i)));
  const k = zeros(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      // A row of zeros is not in the range, and stays unscaled.
      const size = scale[i]! * scale[j]!;
      k.data[i * n + j] = size > 0 ? entry(i, j) / size : 0;
      k.data[j * n + i] = k.data[i * n + j]!;
    }
  }
  const { factor, rank, condition } = await pivotedCholesky(k, n, zero, options);
  const columns = Array.from({ length: rank }, (_, j) =>
    Float64Array.from({ length: n }, (__, i) => scale[i]! * factor.data[i * rank + j]!),
  );
  const R = orthonormalise(columns);
  const inside = new Float64Array(rank);
  const solve = (b: Float64Array): Float64Array => {
    for (let j = 0; j < rank; j++) inside[j] = dot(columns[j]!, b);
    for (let i = rank - 1; i >= 0; i--) {
      for (let j = i + 1; j < rank; j++) inside[i]! -= R[j]![i]! * inside[j]!;
      inside[i]! /= R[i]![i]!;
    }
    for (let i = 0; i < rank; i++) {
      for (let j = 0; j < i; j++) inside[i]! -= R[i]![j]! * inside[j]!;
      inside[i]! /= R[i]![i]!;
    }
    const x = new Float64Array(n);
    for (let j = 0; j < rank; j++) addMultiple(x, inside[j]!, columns[j]!);
    return x;
  };
  return {
    size: n,
    rank,
    // The first pivot of the scaled matrix over the last one.
    condition: () => (rank > 0 ? condition : 1),
    solve,
    solveMatrix: (b) => solveColumns(solve, b),
  };
}

/** Columns of F become those of Q; returns the columns of R, each down to its diagonal. */
function orthonormalise(columns: readonly Float64Array[]): Float64Array[] {
  return columns.map((column, j) => {
    const r = new Float64Array(j + 1);
    // After one pass, rounding leaves a nearly dependent column far from orthogonal; a second pass is enough.
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < j; i++) {
        const along = dot(columns[i]!, column);
        r[i]! += along;
        addMultiple(column, -along, columns[i]!);
      }
    }
    const length = Math.sqrt(dot(column, column));
    r[j] = length;
    for (let i = 0; i < column.length; i++) column[i]! /= length;
    return r;
  });
}
