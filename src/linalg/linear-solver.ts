/**
 * @file The contract of every solver of A x = b with a square A [n, n]: it is made once and applied to many right-hand sides, and it
 * says how far the matrix is from singular. scipy.linalg has the pairs cho_factor and cho_solve, lu_factor and lu_solve.
 *
 * | A                                 | solver                                              | file                        |
 * | --------------------------------- | --------------------------------------------------- | --------------------------- |
 * | symmetric positive definite       | `factorize`: Cholesky, n^3 / 3 operations           | cholesky.ts                 |
 * | symmetric, perhaps singular       | `pseudoInverse`: A^+ by eigenvalues, 7 n^3          | pseudo-inverse.ts           |
 * | the same, small                   | `rangeInverse`: A^+ in plain loops                  | range-inverse.ts            |
 * | any                               | `factorizeGeneral`: LU, 2 n^3 / 3                   | lu.ts                       |
 * | F F^T + shift I                   | `woodburyPreconditioner`: n r operations per solve  | low-rank-preconditioner.ts  |
 * | known by its products A v         | `iterativeSolver`: conjugate gradients              | iterative-solver.ts         |
 */
import { zeros, type Matrix } from "./matrix.ts";

/** A solver of A x = b. */
export type LinearSolver = {
  /** n. */
  readonly size: number;
  /** Rank of A: n, or less for an inverse on the numerical range of A; undefined where it was not counted. */
  readonly rank: number | undefined;
  /** Largest over smallest eigenvalue of A (on its range), as far as the solver can tell; undefined where it cannot. */
  condition(): number | undefined;
  /** x for b [n] (a new vector). */
  solve(b: Float64Array): Float64Array | Promise<Float64Array>;
  /** X for B [n, m] (a new matrix). */
  solveMatrix(b: Matrix): Promise<Matrix>;
};

/** A direct solver: it needs no iteration, so that `solve` is synchronous and rank and condition are known. */
export type DirectSolver = Omit<LinearSolver, "rank" | "condition" | "solve"> & {
  readonly rank: number;
  condition(): number;
  solve(b: Float64Array): Float64Array;
};

/** A direct solver whose inverse can be written out. */
export type InverseSolver = DirectSolver & {
  /** A^-1, or A^+ [n, n]. */
  inverse(): Promise<Matrix>;
};

/** `solveMatrix` of a solver that takes single vectors: one column after the other. */
export async function solveColumns(solve: LinearSolver["solve"], b: Matrix): Promise<Matrix> {
  const out = zeros(b.rows, b.cols);
  for (let j = 0; j < b.cols; j++) {
    const x = await solve(Float64Array.from({ length: b.rows }, (_, i) => b.data[i * b.cols + j]!));
    for (let i = 0; i < b.rows; i++) out.data[i * b.cols + j] = x[i]!;
  }
  return out;
}
