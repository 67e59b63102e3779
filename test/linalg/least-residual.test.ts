import fc from "fast-check";
import { Matrix as MlMatrix, pseudoInverse } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { conjugateGradients } from "../../src/linalg/conjugate-gradients.ts";
import { leastResidual } from "../../src/linalg/least-residual.ts";
import { matrix, multiply, transpose, type Matrix } from "../../src/linalg/matrix.ts";
import { randomState } from "../../src/random/random-state.ts";
import { relativeError } from "../support/tiny.ts";

/** A = F F^T [n, n] of rank r, and a right-hand side that need not be in its range. */
function problem(n: number, r: number, seed: number): { A: Matrix; b: Float64Array; solution: number[] } {
  const { normalsInto } = randomState(seed);
  const F = matrix(n, r, normalsInto(new Float64Array(n * r)));
  const A = multiply(F, transpose(F));
  const b = normalsInto(new Float64Array(n));
  const rows = Array.from({ length: n }, (_, i) => [...A.data.subarray(i * n, (i + 1) * n)]);
  const inverse = pseudoInverse(new MlMatrix(rows), 1e-10);
  return { A, b, solution: inverse.mmul(MlMatrix.columnVector([...b])).to1DArray() };
}

const times = (A: Matrix) => (v: Float64Array) => multiply(A, matrix(v.length, 1, v)).data;

/** What a vector is in the range of A: two with the same are the same solution. */
const seen = (A: Matrix, x: ArrayLike<number>): Float64Array => times(A)(Float64Array.from(x));

const SIZES = fc.record({
  n: fc.integer({ min: 1, max: 12 }),
  deficit: fc.integer({ min: 0, max: 5 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

describe("the least residual", () => {
  it("find the least-squares solution, whatever the rank, where conjugate gradients may run away", async () => {
    await fc.assert(
      fc.asyncProperty(SIZES, async ({ n, deficit, seed }) => {
        const { A, b, solution } = problem(n, Math.max(1, n - deficit), seed);
        const { x, converged } = await leastResidual(times(A), b, {
          tolerance: 1e-12,
          maxIterations: 200,
        });
        expect(converged).toBe(true);
        expect(relativeError(seen(A, x), seen(A, solution))).toBeLessThan(1e-8);
      }),
    );
  });

  it("never let the residual grow, with a preconditioner too", async () => {
    const { A, b } = problem(12, 7, 3);
    const residuals: number[] = [];
    const { relativeResidual, converged } = await leastResidual(times(A), b, {
      tolerance: 1e-10,
      onIteration: (at) => void residuals.push(at.relativeResidual),
    });
    expect(converged).toBe(true);
    for (const [k, now] of residuals.slice(1).entries())
      expect(now).toBeLessThanOrEqual(residuals[k]! * (1 + 1e-9));
    // What lies outside of the range stays.
    expect(relativeResidual).toBeGreaterThan(0.1);
    expect(relativeResidual).toBeLessThan(1);
  });

  it("agree with conjugate gradients where there is a solution", async () => {
    const { A, b } = problem(10, 10, 5);
    const [cr, cg] = [
      await leastResidual(times(A), b, { tolerance: 1e-12, maxIterations: 100 }),
      await conjugateGradients(times(A), b, { tolerance: 1e-12 }),
    ];
    expect(cr.relativeResidual).toBeLessThan(1e-10);
    expect(relativeError(cr.x, cg.x)).toBeLessThan(1e-8);
  });

  it("stop where they are told to, and need nothing for b = 0 or A = 0", async () => {
    const { A, b } = problem(12, 12, 7);
    const stopped = await leastResidual(times(A), b, { onIteration: () => "stop" });
    expect(stopped).toMatchObject({ iterations: 1, converged: false });
    expect((await leastResidual(times(A), b, { maxIterations: 3 })).iterations).toBe(3);
    const nothing = { iterations: 0, converged: true };
    expect(await leastResidual(times(A), new Float64Array(12))).toMatchObject(nothing);
    expect(await leastResidual(() => new Float64Array(12), b)).toMatchObject({
      ...nothing,
      relativeResidual: 1,
    });
  });
});

describe.each([
  ["conjugate gradients", conjugateGradients],
  ["the least residual", leastResidual],
])("the goal of %s", (_, solve) => {
  const { A, b } = problem(3, 3, 1);
  it.each([1, 2, Infinity, Number.NaN, -1e-3])("is no tolerance of %s", async (tolerance) => {
    await expect(solve(times(A), b, { tolerance })).rejects.toThrow(
      new RegExp(`: wanted a tolerance from 0 to below 1, got ${tolerance}$`),
    );
  });
  it.each([1.5, -1, Number.NaN])("is no number of iterations of %s", async (maxIterations) => {
    await expect(solve(times(A), b, { maxIterations })).rejects.toThrow(
      new RegExp(`: wanted a whole number of iterations >= 0, got ${maxIterations}$`),
    );
  });
});
