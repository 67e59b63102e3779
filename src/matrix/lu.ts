/**
 * @file Solves with general square matrices in float64, by LU with partial pivoting (numpy.linalg.solve), by ml-matrix.
 */
import { SingularGramError } from "../error.ts";
import { matrix, type Matrix } from "./matrix.ts";

/**
 * a^-1 b for a [n, n] and b [n, k].
 * @param what what an error calls the matrix
 * @throws SingularGramError when `a` is singular.
 */
export async function solveGeneral(a: Matrix, b: Matrix, what: string): Promise<Matrix> {
  const { LuDecomposition, Matrix: MlMatrix } = await import("ml-matrix");
  const lu = new LuDecomposition(MlMatrix.from1DArray(a.rows, a.cols, a.data));
  if (!lu.isSingular()) {
    const solution = lu.solve(MlMatrix.from1DArray(b.rows, b.cols, b.data));
    const out = matrix(b.rows, b.cols, Float64Array.from(solution.to1DArray()));
    if (out.data.every(Number.isFinite)) return out;
  }
  throw new SingularGramError({ what, size: a.rows, rank: undefined, condition: Infinity });
}
