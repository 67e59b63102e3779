/** @file Eigenvalues of Hessenberg matrices against ml-matrix, polynomials of known roots, and traces of powers. */
import fc from "fast-check";
import { EigenvalueDecomposition, Matrix as MlMatrix } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { hessenbergEigenvalues, type Complex } from "../../src/linalg/hessenberg.ts";
import { identity, matrix, scale, zeros, type Matrix } from "../../src/linalg/matrix.ts";
import { randomState } from "../../src/random/random-state.ts";

/** The Hessenberg matrix [n, n] of these entries, which are given a normal random number each. */
function hessenberg(n: number, seed: number, entry = (_i: number, _j: number, x: number) => x): Matrix {
  const data = randomState(seed).normalsInto(new Float64Array(n * n));
  return matrix(
    n,
    n,
    data.map((x, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return i > j + 1 ? 0 : entry(i, j, x);
    }),
  );
}

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

/** The n-th roots of radius^n. */
const circle = (n: number, radius: number): Complex[] =>
  Array.from({ length: n }, (_, k) => ({
    re: radius * Math.cos((2 * Math.PI * k) / n),
    im: radius * Math.sin((2 * Math.PI * k) / n),
  }));

function reference({ rows, data }: Matrix): Complex[] {
  const { realEigenvalues, imaginaryEigenvalues } = new EigenvalueDecomposition(
    MlMatrix.from1DArray(rows, rows, data),
    { assumeSymmetric: false },
  );
  return realEigenvalues.map((re, i) => ({ re, im: imaginaryEigenvalues[i]! }));
}

/** How far the sums of the eigenvalues and of their squares are from the traces of H and H H, beside |H| and |H|^2. */
function traceErrors(h: Matrix): [number, number] {
  const { rows: n, data } = h;
  const values = hessenbergEigenvalues(h);
  expect(values.length).toBe(n);
  const sum = (of: (at: number) => number, length: number): number =>
    Array.from({ length }, (_, at) => of(at)).reduce((a, b) => a + b, 0);
  const square = sum((at) => data[at]! ** 2, n * n);
  const once = sum((i) => data[i * n + i]!, n) - sum((i) => values[i]!.re, n);
  const twice =
    sum((at) => data[at]! * data[(at % n) * n + Math.floor(at / n)]!, n * n) -
    sum((i) => values[i]!.re ** 2 - values[i]!.im ** 2, n);
  return [Math.abs(once) / Math.sqrt(square), Math.abs(twice) / square];
}

const near = (i: number, j: number): boolean => Math.abs(i - j) <= 1;

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

  it("agrees with ml-matrix where all eigenvalues lie close together", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 64 }),
        fc.integer({ min: 0, max: 1e6 }),
        fc.constantFrom(1e-1, 1e-2, 1e-4, 1e-6, 1e-9, 1e-12),
        (n, seed, spread) => {
          const h = hessenberg(n, seed, (i, j, x) => (i === j ? 3 + spread * x : near(i, j) ? spread : 0));
          expect(mismatch(hessenbergEigenvalues(h), reference(h))).toBeLessThan(1e-12);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("agrees with the traces of matrices of any grading, normal or not", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 1e6 }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.constantFrom(1e-9, 1e-3, 1),
        fc.constantFrom(0, 1, 1e6),
        (n, seed, grading, below, above) => {
          const h = hessenberg(n, seed, (i, j, x) => {
            const size = i > j ? below : i < j ? above : 1;
            return x * size * 10 ** (grading * (i + j));
          });
          if (h.data.every((x) => x === 0)) return;
          const [once, twice] = traceErrors(h);
          expect(once).toBeLessThan(1e-13);
          expect(twice).toBeLessThan(1e-13);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("agrees with the traces of a matrix of rank far below its size", () => {
    for (const n of [6, 20, 60]) {
      const h = hessenberg(n, n, (i, _, x) => (i < n / 3 ? x : 1e-17 * x));
      for (const error of traceErrors(h)) expect(error).toBeLessThan(1e-13);
    }
  });

  it("takes numbers near both ends of what floating point has", () => {
    for (const size of [1e-308, 1e307]) {
      const h = hessenberg(12, 3, (_i, _j, x) => x / 4);
      const unit = hessenbergEigenvalues(scale(h, size)).map(({ re, im }) => ({
        re: re / size,
        im: im / size,
      }));
      expect(mismatch(unit, reference(h))).toBeLessThan(1e-10);
    }
  });

  it("splits a Jordan block as the entry in its corner says", () => {
    // (lambda - 1)^n = corner
    for (const [n, corner] of [
      [4, 1e-8],
      [8, 1e-8],
      [16, 1e-4],
    ] as const) {
      const block = hessenberg(n, 0, (i, j) =>
        i === j || i === j + 1 ? 1 : i === 0 && j === n - 1 ? corner : 0,
      );
      const wanted = circle(n, corner ** (1 / n)).map(({ re, im }) => ({ re: 1 + re, im }));
      expect(mismatch(hessenbergEigenvalues(block), wanted)).toBeLessThan(1e-7);
    }
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

  it("agrees with ml-matrix on companion matrices of high degree", () => {
    // x^n = x^(n-1) + ... + 1
    for (const n of [5, 20, 64]) {
      const h = hessenberg(n, 0, (i, j) => (i === 0 || i === j + 1 ? 1 : 0));
      expect(mismatch(hessenbergEigenvalues(h), reference(h))).toBeLessThan(1e-12);
    }
  });

  it("leaves the cycle of a permutation, where plain shifts stand still", () => {
    for (const n of [2, 3, 4, 7, 16, 64]) {
      const cycle = hessenberg(n, 0, (i, j) => (i === j + 1 || (i === 0 && j === n - 1) ? 1 : 0));
      expect(mismatch(hessenbergEigenvalues(cycle), circle(n, 1))).toBeLessThan(1e-12);
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
