/**
 * @file Conjugate gradients and their preconditioners against direct solves, on kernels that are ill-conditioned.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { factorize } from "../../src/linalg/cholesky.ts";
import {
  cgStateFromArrays,
  cgStateToArrays,
  conjugateGradients,
  type CgState,
} from "../../src/linalg/conjugate-gradients.ts";
import type { LinearSolver } from "../../src/linalg/linear-solver.ts";
import { nystromPreconditioner, woodburyPreconditioner } from "../../src/linalg/low-rank-preconditioner.ts";
import {
  addDiagonal,
  matrix,
  multiply,
  norm,
  scale,
  subtract,
  transpose,
  zeros,
  type Matrix,
} from "../../src/linalg/matrix.ts";
import { readNpz, writeNpz } from "../../src/linalg/npz.ts";
import { partialCholesky, type RowSource } from "../../src/linalg/pivoted-cholesky.ts";
import { addTimes } from "../../src/linalg/vector-product.ts";
import { computing } from "../support/computing.ts";
import { random } from "../support/matrices.ts";

/** exp(-|x - x'|^2 / 2) on random points in three dimensions: eigenvalues fall to rounding. */
function kernel(n: number, seed = 1): Matrix {
  const points = random(n, 3, seed).data;
  const k = zeros(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let square = 0;
      for (let d = 0; d < 3; d++) square += (points[3 * i + d]! - points[3 * j + d]!) ** 2;
      k.data[i * n + j] = Math.exp(-square / 2);
    }
  }
  return k;
}

const operator = (a: Matrix) => (v: Float64Array) => {
  const out = new Float64Array(a.rows);
  addTimes(out, 1, a, v);
  return out;
};

const rowsOf = (k: Matrix, indices: readonly number[]): Matrix =>
  matrix(
    indices.length,
    k.cols,
    Float64Array.from(indices.flatMap((i) => [...k.data.subarray(i * k.cols, (i + 1) * k.cols)])),
  );

const source = (k: Matrix): RowSource => ({
  diagonal: Float64Array.from({ length: k.rows }, (_, i) => k.data[i * k.rows + i]!),
  rows: (indices) => rowsOf(k, indices),
});

const distance = (a: Float64Array, b: Float64Array) =>
  norm(subtract(matrix(a.length, 1, a), matrix(b.length, 1, b))) / norm(matrix(b.length, 1, b));

describe("conjugateGradients", () => {
  it("agrees with the direct solve for random positive definite matrices", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 1000 }),
        async (n, seed) => {
          const half = random(n, n, seed);
          const a = addDiagonal(scale(multiply(half, transpose(half)), 1 / n), 0.1);
          const b = random(n, 1, seed + 1).data;
          const { x, converged, relativeResidual } = await conjugateGradients(operator(a), b, {
            tolerance: 1e-13,
          });
          expect(converged).toBe(true);
          expect(relativeResidual).toBeLessThanOrEqual(1e-13);
          expect(distance(x, (await factorize(a, { ...computing, what: "a" })).solve(b))).toBeLessThan(1e-10);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("goes on from a saved state to the last bit", async () => {
    const a = addDiagonal(kernel(60), 1e-3);
    const b = random(60, 1).data;
    const { preconditioner } = await lowRank(kernel(60), 1e-3, 10);
    const whole = await conjugateGradients(operator(a), b, { preconditioner, tolerance: 1e-12 });
    expect(whole.converged).toBe(true);
    let saved: CgState | undefined;
    await conjugateGradients(operator(a), b, {
      preconditioner,
      tolerance: 1e-12,
      onIteration({ iteration, state }) {
        if (iteration < 7) return undefined;
        saved = state();
        return "stop";
      },
    });
    expect(saved!.iteration).toBe(7);
    const archive = await readNpz(writeNpz(cgStateToArrays(saved!)), "state");
    const state = cgStateFromArrays(archive, "state");
    const rest = await conjugateGradients(operator(a), b, { preconditioner, tolerance: 1e-12, state });
    expect(rest).toEqual(whole);
  });

  it("tells every iteration, and says the residual of x rather than that of the recursion", async () => {
    const a = kernel(80);
    const b = random(80, 1).data;
    const told: number[] = [];
    const result = await conjugateGradients(operator(a), b, {
      tolerance: 1e-14,
      maxIterations: 300,
      onIteration({ iteration }) {
        told.push(iteration);
      },
    });
    expect(told).toEqual(Array.from({ length: result.iterations }, (_, i) => i + 1));
    const Ax = operator(a)(result.x);
    expect(result.relativeResidual).toBeCloseTo(distance(Ax, b), 12);
    expect(result.converged).toBe(false);
  });

  it("starts at a given x, and has nothing to do at the solution", async () => {
    const a = addDiagonal(kernel(30), 1);
    const start = random(30, 1, 3).data;
    const b = operator(a)(start);
    const { iterations, x } = await conjugateGradients(operator(a), b, { start });
    expect(iterations).toBe(0);
    expect([...x]).toEqual([...start]);
    const zero = await conjugateGradients(operator(a), new Float64Array(30));
    expect(zero).toMatchObject({ iterations: 0, converged: true, relativeResidual: 0 });
  });

  it("solves a consistent semidefinite system", async () => {
    const half = random(20, 6);
    const a = multiply(half, transpose(half));
    const b = operator(a)(random(20, 1, 2).data);
    const { converged, x } = await conjugateGradients(operator(a), b, { tolerance: 1e-11 });
    expect(converged).toBe(true);
    expect(distance(operator(a)(x), b)).toBeLessThan(1e-10);
  });

  it("says what broke down, with the number", async () => {
    const a = addDiagonal(zeros(4, 4), -2);
    const b = Float64Array.of(1, 2, 3, 4);
    const indefinite = await conjugateGradients(operator(a), b);
    expect(indefinite.converged).toBe(false);
    expect(indefinite.breakdown).toEqual({ kind: "operator", value: -2 });
    const one = addDiagonal(zeros(4, 4), 1);
    const bad = await conjugateGradients(operator(one), b, {
      preconditioner: { solve: (v) => v.map((x) => -x) },
    });
    expect(bad.breakdown).toEqual({ kind: "preconditioner", value: -1 });
    expect(bad.relativeResidual).toBe(1);
  });

  it("throws at NaN and at wrong sizes", async () => {
    const b = Float64Array.of(1, 2);
    await expect(conjugateGradients(() => Float64Array.of(1, NaN), b)).rejects.toThrow(
      "conjugate gradients: wanted finite numbers in A v, got NaN at 1",
    );
    await expect(conjugateGradients(() => Float64Array.of(1), b, { what: "K" })).rejects.toThrow(
      "K: wanted 2 numbers in A v, got 1",
    );
    await expect(conjugateGradients((v) => v, Float64Array.of(NaN, 1))).rejects.toThrow(
      /finite numbers in b/,
    );
    expect(() => cgStateFromArrays(new Map(), "file")).toThrow(
      "file: wanted float64 array scalars, got none",
    );
  });
});

/** Woodbury on a partial Cholesky factor. */
async function lowRank(k: Matrix, mu: number, maxRank: number, block = 1) {
  const partial = await partialCholesky(source(k), { ...computing, maxRank, block });
  return { preconditioner: await woodburyPreconditioner(partial.factorT, mu, computing), partial };
}

describe("low-rank preconditioners", () => {
  const n = 150;
  const mu = 1e-4;
  const k = kernel(n);
  const a = addDiagonal(kernel(n), mu);
  const b = random(n, 1, 9).data;
  const iterations = async (preconditioner?: Pick<LinearSolver, "solve">) => {
    const result = await conjugateGradients(operator(a), b, {
      tolerance: 1e-9,
      maxIterations: 5000,
      ...(preconditioner ? { preconditioner } : {}),
    });
    expect(result.converged).toBe(true);
    expect(distance(result.x, (await factorize(a, { ...computing, what: "a" })).solve(b))).toBeLessThan(1e-5);
    return result.iterations;
  };
  const landmarks = (count: number) => Array.from({ length: count }, (_, i) => (i * 37) % n);

  it("need fewer iterations the greater their rank, and far fewer than none", async () => {
    const plain = await iterations();
    const pivoted: number[] = [];
    const nystrom: number[] = [];
    for (const rank of [10, 30, 60, 120]) {
      pivoted.push(await iterations((await lowRank(k, mu, rank)).preconditioner));
      const S = landmarks(rank);
      nystrom.push(await iterations(await nystromPreconditioner(rowsOf(k, S), S, mu, computing)));
    }
    for (const counts of [pivoted, nystrom]) {
      expect(counts).toEqual([...counts].sort((x, y) => y - x));
      expect(counts[0]!).toBeLessThanOrEqual(plain);
      expect(counts.at(-1)!).toBeLessThan(plain / 8);
    }
  });

  it("are the inverse of K + mu where the rank is full", async () => {
    const small = kernel(12);
    const shifted = addDiagonal(kernel(12), 0.1);
    const v = random(12, 1).data;
    const wanted = (await factorize(shifted, { ...computing, what: "k" })).solve(v);
    const { solve } = await woodburyPreconditioner(
      (await lowRank(small, 0.1, 12)).partial.factorT,
      0.1,
      computing,
    );
    expect(distance(solve(v), wanted)).toBeLessThan(1e-10);
    const S = Array.from({ length: 12 }, (_, i) => i);
    const nystrom = await nystromPreconditioner(rowsOf(small, S), S, 0.1, computing);
    // The last eigenvalue stands for what is left, of which there is nothing here; M is then scaled by it.
    expect(distance(nystrom.solve(v), wanted)).toBeLessThan(1e-6);
  });

  it("are symmetric and positive definite, in float32 too", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 0, max: 1000 }),
        fc.constantFrom("float32" as const, "float64" as const),
        fc.constantFrom(1e-6, 1e-2, 1),
        async (rank, seed, storage, mu) => {
          const k = kernel(40, seed);
          const { factorT } = await partialCholesky(source(k), { ...computing, maxRank: rank, block: 4 });
          const S = Array.from({ length: rank }, (_, i) => i);
          for (const { solve } of [
            await woodburyPreconditioner(factorT, mu, { ...computing, storage }),
            await nystromPreconditioner(rowsOf(k, S), S, mu, { ...computing, storage }),
          ]) {
            const [v, w] = [random(40, 1, seed + 1).data, random(40, 1, seed + 2).data];
            const [Mv, Mw] = [solve(v), solve(w)];
            const inner = (x: Float64Array, y: Float64Array) => x.reduce((sum, c, i) => sum + c * y[i]!, 0);
            expect(inner(v, Mv)).toBeGreaterThan(0);
            const asymmetry = Math.abs(inner(w, Mv) - inner(v, Mw));
            expect(asymmetry).toBeLessThan(1e-8 * Math.sqrt(inner(v, Mv) * inner(w, Mw)));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("partialCholesky in blocks leaves what its diagonal says, whether greedy or drawn", async () => {
    let draws = 0;
    const uniform = () => (++draws * 0.618034) % 1;
    for (const options of [{ block: 1 }, { block: 8 }, { block: 8, random: uniform }]) {
      const { factorT, left, pivots } = await partialCholesky(source(k), {
        ...computing,
        maxRank: 60,
        ...options,
      });
      expect(pivots).toHaveLength(60);
      expect(new Set(pivots).size).toBe(60);
      const rest = subtract(k, multiply(transpose(factorT), factorT));
      let trace = 0;
      for (let i = 0; i < n; i++) trace += rest.data[i * n + i]!;
      expect(left).toBeCloseTo(trace / n, 12);
      expect(left).toBeLessThan(0.03);
      for (const p of pivots) expect(Math.abs(rest.data[p * n + ((p + 1) % n)]!)).toBeLessThan(1e-7);
    }
  });

  it("refuse a shift that is not positive, and landmarks that repeat", async () => {
    await expect(woodburyPreconditioner(zeros(1, 3), 0, computing)).rejects.toThrow(
      "wanted a shift above 0, got 0",
    );
    await expect(nystromPreconditioner(zeros(2, 3), [1, 1], 1, computing)).rejects.toThrow(
      "wanted 2 landmarks without repetition, got 1",
    );
    await expect(
      partialCholesky(
        { diagonal: Float64Array.of(1, NaN), rows: () => zeros(1, 2) },
        { ...computing, maxRank: 1 },
      ),
    ).rejects.toThrow("wanted finite numbers on the diagonal");
  });
});
