/**
 * @file Solves with general square matrices in float64, by LU with partial pivoting: numpy.linalg.solve.
 */
import { array, linalg } from "numpy-ts";
import { SingularGramError } from "../error.ts";
import { matrix, type Matrix } from "./matrix.ts";

/**
 * a^-1 b for a [n, n] and b [n, k].
 * @param what what an error calls the matrix
 * @throws SingularGramError when `a` is singular.
 */
export function solveGeneral(a: Matrix, b: Matrix, what: string): Matrix {
  try {
    const solution = linalg.solve(
      array(a.data).reshape(a.rows, a.cols),
      array(b.data).reshape(b.rows, b.cols),
    );
    // A copy: numpy-ts takes the memory behind `data` back once the array is collected.
    const data = (solution.data as Float64Array).slice();
    if (data.every(Number.isFinite)) return matrix(b.rows, b.cols, data);
  } catch {
    // The typed error below says more than the library's.
  }
  throw new SingularGramError({ what, size: a.rows, rank: undefined, condition: Infinity });
}
