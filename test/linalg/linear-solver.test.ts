/** @file The contract of linear solvers: every one of them on the same matrix, against its definition. */
import { describe, expect, it } from "vitest";
import { UnsolvedError } from "../../src/error.ts";
import { factorize } from "../../src/linalg/cholesky.ts";
import { iterativeSolver } from "../../src/linalg/iterative-solver.ts";
import type { LinearSolver } from "../../src/linalg/linear-solver.ts";
import { woodburyPreconditioner } from "../../src/linalg/low-rank-preconditioner.ts";
import { factorizeGeneral } from "../../src/linalg/lu.ts";
import { addDiagonal, matrix, multiply, transpose, type Matrix } from "../../src/linalg/matrix.ts";
import { pseudoInverse } from "../../src/linalg/pseudo-inverse.ts";
import { rangeInverse } from "../../src/linalg/range-inverse.ts";
import { addTimes } from "../../src/linalg/vector-product.ts";
import { random } from "../support/matrices.ts";
import { relativeError } from "../support/tiny.ts";

const N = 12;
const SHIFT = 0.5;
/** F^T [4, n]; A = F F^T + shift has the smallest eigenvalue `SHIFT`. */
const FT = random(4, N);
const A = addDiagonal(multiply(transpose(FT), FT), SHIFT);

const product = (v: Float64Array): Float64Array => {
  const out = new Float64Array(N);
  addTimes(out, 1, A, v);
  return out;
};

const SOLVERS: Record<string, () => Promise<LinearSolver> | LinearSolver> = {
  factorize: () => factorize(A, { what: "A" }),
  factorizeGeneral: () => factorizeGeneral(A, "A"),
  pseudoInverse: () => pseudoInverse(A),
  rangeInverse: () => rangeInverse(N, (i, j) => A.data[i * N + j]!, 1e-13),
  woodburyPreconditioner: () => woodburyPreconditioner(FT, SHIFT),
  iterativeSolver: () => iterativeSolver(product, N, { what: "A", tolerance: 1e-13 }),
};

describe.each(Object.entries(SOLVERS))("%s", (name, make) => {
  it("solves for vectors and for matrices, as often as it is asked", async () => {
    const solver = await make();
    const B = random(N, 3, 2);
    for (let time = 0; time < 2; time++) {
      const X: Matrix = await solver.solveMatrix(B);
      expect(relativeError(multiply(A, X).data, B.data)).toBeLessThan(1e-11);
      const b = random(N, 1, 3).data;
      const kept = b.slice();
      const x = matrix(N, 1, await solver.solve(b));
      expect(relativeError(multiply(A, x).data, kept)).toBeLessThan(1e-11);
      expect(b).toEqual(kept);
    }
  });

  it("knows its size, and rank and condition where it has looked", async () => {
    const solver = await make();
    expect(solver.size).toBe(N);
    if (name === "iterativeSolver") {
      expect([solver.rank, solver.condition()]).toEqual([undefined, undefined]);
      return;
    }
    expect(solver.rank).toBe(N);
    const { condition } = await pseudoInverse(A);
    expect(solver.condition()).toBeGreaterThan(1);
    // Estimates from pivots, from a few products, or of the matrix with a unit diagonal.
    expect(solver.condition()).toBeLessThan(1.001 * condition());
    if (name === "woodburyPreconditioner") expect(solver.condition()).toBeGreaterThan(0.5 * condition());
  });
});

describe("an iteration that does not converge", () => {
  it("is an error with the residual", async () => {
    const { solve } = iterativeSolver(product, N, { what: "A", maxIterations: 1, tolerance: 1e-13 });
    await expect((async () => solve(random(N, 1, 3).data))()).rejects.toThrow(UnsolvedError);
  });
});
