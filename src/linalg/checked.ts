/**
 * @file The solvers of linear-solver.ts as `natgrad/linalg` exports them: each checks the sizes of the matrices and vectors that it is
 * given. natgrad's own code calls them without these checks.
 */
import type { ComputeOptions } from "../engine/compute.ts";
import { agree, InputError } from "../error.ts";
import { factorize as factorizePlainly, type CholeskyFactor, type FactorizeOptions } from "./cholesky.ts";
import type { InverseSolver, LinearSolver } from "./linear-solver.ts";
import { factorizeGeneral as factorizeGenerally } from "./lu.ts";
import type { Matrix } from "./matrix.ts";
import { pseudoInverse as pseudoInversePlainly, type PseudoInverseOptions } from "./pseudo-inverse.ts";

/**
 * Cholesky factor of a symmetric positive definite K [n, n], of which the lower triangle is read.
 * @throws SingularGramError when K is not positive definite beyond rounding; InputError when it is not square.
 */
export async function factorize(k: Matrix, options: FactorizeOptions): Promise<CholeskyFactor> {
  demandSquare(options.what, k);
  const factor = await factorizePlainly(k, options);
  return {
    ...checked(options.what, factor),
    solveLower: fitting(options.what, factor.size, factor.solveLower),
    solveUpper: fitting(options.what, factor.size, factor.solveUpper),
  };
}

/**
 * P A = L U for any A [n, n].
 * @param what what an error calls the matrix
 * @throws SingularGramError when a pivot is not finite, or no more than rounding of the largest; InputError when A is not square.
 */
export async function factorizeGeneral(
  a: Matrix,
  what: string,
  options: ComputeOptions = {},
): Promise<LinearSolver> {
  demandSquare(what, a);
  return checked(what, await factorizeGenerally(a, what, options));
}

/**
 * K^+ of a symmetric K [n, n]. Its rank is the number of eigenvalues that are more than rounding.
 * @throws InputError for entries that are not finite, or when K is not square.
 */
export async function pseudoInverse(k: Matrix, options: PseudoInverseOptions = {}): Promise<InverseSolver> {
  return checked("pseudoInverse", await pseudoInversePlainly(k, options));
}

function demandSquare(what: string, { rows, cols }: Matrix): void {
  if (rows !== cols) throw new InputError(`${what}: wanted a square matrix, got ${rows} x ${cols}`);
}

/** `solve`, which refuses a matrix that has not n rows. */
const fitting =
  (what: string, n: number, solve: (b: Matrix) => Promise<Matrix>) =>
  async (b: Matrix): Promise<Matrix> => {
    agree(what, `${n} rows`, `${b.rows} rows`);
    return solve(b);
  };

/** A solver that checks the sizes of what it is given. */
function checked<S extends LinearSolver>(what: string, solver: S): S {
  return {
    ...solver,
    solve(b: Float64Array) {
      agree(what, `${solver.size} numbers`, `${b.length} numbers`);
      return solver.solve(b);
    },
    solveMatrix: fitting(what, solver.size, solver.solveMatrix),
  };
}
