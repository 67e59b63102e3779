/** @file Eigenvalues of Hessenberg matrices against ml-matrix, and against polynomials of known roots. */
import fc from "fast-check";
import { EigenvalueDecomposition, Matrix as MlMatrix } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { hessenbergEigenvalues, type Complex } from "../../src/linalg/hessenberg.ts";
import { identity, matrix, scale, zeros, type Matrix } from "../../src/linalg/matrix.ts";
import { randomState } from "../../src/random/random-state.ts";

const hessenberg = (n: number, seed: number): Matrix => {
  const data = randomState(seed).normalsInto(new Float64Array(n * n));
  return matrix(
    n,
    n,
    data.map((x, at) => (Math.floor(at / n) > (at % n) + 1 ? 0 : x)),
  );
};

/** The companion matrix of a polynomial that has these roots. */
function companion(roots: readonly number[]): Matrix {
  const n = roots.length;
  let coefficients = [1];
  for (const root of roots) {
    const shifted = [...coefficients, 0];
    coefficients = shifted.map((c, i) => c - root * (i > 0 ? coefficients[i - 1]! : 0));
  }
  const out = zeros(n, n);
  for (let j = 0; j < n; j++) out.data[j] = -coefficients[j + 1]!;
  for (let i = 1; i < n; i++) out.data[i * n + i - 1] = 1;
  return out;
}

/** Greatest distance of a value of `a` from the nearest of `b` that is not taken yet. */
function mismatch(a: readonly Complex[], b: readonly Complex[]): number {
  expect(a.length).toBe(b.length);
  const left = [...b];
  let worst = 0;
  for (const { re, im } of a) {
    const distances = left.map((x) => Math.hypot(x.re - re, x.im - im));
    const nearest = distances.indexOf(Math.min(...distances));
    worst = Math.max(worst, distances[nearest]!);
    left.splice(nearest, 1);
  }
  return worst;
}

function reference({ rows, data }: Matrix): Complex[] {
  const { realEigenvalues, imaginaryEigenvalues } = new EigenvalueDecomposition(
    MlMatrix.from1DArray(rows, rows, data),
    { assumeSymmetric: false },
  );
  return realEigenvalues.map((re, i) => ({ re, im: imaginaryEigenvalues[i]! }));
}

describe("hessenbergEigenvalues", () => {
  it("agrees with ml-matrix on random matrices", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 1e6 }),
        fc.constantFrom(1e-100, 1, 1e100),
        (n, seed, size) => {
          const h = hessenberg(n, seed);
          const found = hessenbergEigenvalues(scale(h, size));
          const unit = found.map(({ re, im }) => ({ re: re / size, im: im / size }));
          expect(mismatch(unit, reference(h))).toBeLessThan(1e-8);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("finds the roots of polynomials", () => {
    for (const roots of [[3], [1, 2], [-1, 2, 5], [1, 2, 3, 4, 5, 6]]) {
      const found = hessenbergEigenvalues(companion(roots));
      expect(
        mismatch(
          found,
          roots.map((re) => ({ re, im: 0 })),
        ),
      ).toBeLessThan(1e-9);
    }
  });

  it("leaves the cycle of a permutation, where plain shifts stand still", () => {
    for (const n of [2, 3, 4, 7, 16]) {
      const cycle = zeros(n, n);
      cycle.data[n - 1] = 1;
      for (let i = 1; i < n; i++) cycle.data[i * n + i - 1] = 1;
      const wanted = Array.from({ length: n }, (_, k) => ({
        re: Math.cos((2 * Math.PI * k) / n),
        im: Math.sin((2 * Math.PI * k) / n),
      }));
      expect(mismatch(hessenbergEigenvalues(cycle), wanted)).toBeLessThan(1e-12);
    }
  });

  it("takes triangular matrices, zero, and none at all", () => {
    const zero = { re: 0, im: 0 };
    expect(hessenbergEigenvalues(zeros(0, 0))).toEqual([]);
    expect(mismatch(hessenbergEigenvalues(zeros(3, 3)), [zero, zero, zero])).toBe(0);
    expect(
      mismatch(hessenbergEigenvalues(identity(2)), [
        { re: 1, im: 0 },
        { re: 1, im: 0 },
      ]),
    ).toBe(0);
    const nilpotent = matrix(3, 3, Float64Array.of(0, 1, 2, 0, 0, 3, 0, 0, 0));
    expect(mismatch(hessenbergEigenvalues(nilpotent), [zero, zero, zero])).toBe(0);
  });
});
