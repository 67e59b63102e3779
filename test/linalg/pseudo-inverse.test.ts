/**
 * @file Inverses on a range, by eigenvalues and by pivots, against ml-matrix.
 */
import { Matrix as MlMatrix, pseudoInverse as reference } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/error.ts";
import {
  addDiagonal,
  matrix,
  multiply,
  scale,
  transpose,
  zeros,
  type Matrix,
} from "../../src/linalg/matrix.ts";
import { pseudoInverse } from "../../src/linalg/pseudo-inverse.ts";
import { rangeInverse } from "../../src/linalg/range-inverse.ts";
import { computing } from "../support/computing.ts";
import { random } from "../support/matrices.ts";
import { relativeError, toRows } from "../support/tiny.ts";

/** A semidefinite matrix [n, n] of a rank. */
const gram = (n: number, rank: number): Matrix => {
  const half = random(n, rank, n + rank);
  return multiply(half, transpose(half));
};

const wanted = (k: Matrix): number[] => reference(new MlMatrix(toRows(k)), 1e-8).to1DArray();

const sizes = [
  [1, 1],
  [4, 2],
  [9, 9],
  [30, 11],
  [90, 40],
] as const;

describe("pseudoInverse", () => {
  it.each(sizes)("inverts a matrix of %i on its range of rank %i", async (n, rank) => {
    const k = gram(n, rank);
    const inverse = await pseudoInverse(k, computing);
    expect(inverse.rank).toBe(rank);
    expect(relativeError((await inverse.inverse()).data, wanted(k))).toBeLessThan(1e-9);
    const b = random(n, 3, 5);
    const x = multiply(matrix(n, n, Float64Array.from(wanted(k))), b);
    expect(relativeError((await inverse.solveMatrix(b)).data, x.data)).toBeLessThan(1e-9);
    const column = b.data.filter((_, i) => i % 3 === 1);
    const solved = inverse.solve(column);
    expect(
      relativeError(
        solved,
        x.data.filter((_, i) => i % 3 === 1),
      ),
    ).toBeLessThan(1e-9);
  });

  it("keeps negative eigenvalues of a matrix that is not semidefinite, and drops them of one that is", async () => {
    const k = zeros(3, 3);
    k.data.set([2, 0, 0, 0, -1e-3, 0, 0, 0, 1e-2]);
    const indefinite = await pseudoInverse(k, { ...computing, semidefinite: false });
    expect([...(await indefinite.inverse()).data].map((x) => Math.round(x * 10) / 10)).toEqual([
      0.5, 0, 0, 0, -1000, 0, 0, 0, 100,
    ]);
    expect((await pseudoInverse(k, computing)).rank).toBe(2);
    // Where -4e-3 is rounding, 5e-3 is rounding too.
    k.data.set([2, 0, 0, 0, -4e-3, 0, 0, 0, 5e-3]);
    expect((await pseudoInverse(k, computing)).rank).toBe(1);
  });

  it("knows the condition on the range, takes a bound on the rank, and nothing at all", async () => {
    const k = zeros(4, 4);
    for (const [i, x] of [8, 0, 2, 4].entries()) k.data[5 * i] = x;
    const whole = await pseudoInverse(k, computing);
    expect([whole.rank, whole.condition()]).toEqual([3, 4]);
    const part = await pseudoInverse(k, { ...computing, maxRank: 2 });
    expect([part.rank, part.condition()]).toEqual([2, 2]);
    const none = await pseudoInverse(zeros(3, 3), computing);
    expect([none.rank, none.condition()]).toEqual([0, 1]);
    expect([...none.solve(Float64Array.of(1, 2, 3))]).toEqual([0, 0, 0]);
    expect([...(await none.inverse()).data]).toEqual(Array.from({ length: 9 }, () => 0));
    await expect(pseudoInverse(matrix(1, 1, Float64Array.of(Number.NaN)), computing)).rejects.toThrow(
      InputError,
    );
  });

  it("takes the rounding of float32 entries for zero", async () => {
    const k = gram(50, 40);
    const rounded = { ...k, data: Float64Array.from(Float32Array.from(k.data)) };
    expect((await pseudoInverse(rounded, { ...computing, epsilon: 2 ** -23 })).rank).toBe(40);
  });
});

describe("rangeInverse", () => {
  const of = (k: Matrix, zero = 1e-13) => rangeInverse(k.rows, (i, j) => k.data[i * k.cols + j]!, zero);

  it.each(sizes)("inverts a matrix of %i on its range of rank %i", async (n, rank) => {
    const k = gram(n, rank);
    const inverse = await of(k);
    expect(inverse.rank).toBe(rank);
    const b = random(n, 1, 5).data;
    const x = multiply(matrix(n, n, Float64Array.from(wanted(k))), matrix(n, 1, b)).data;
    expect(relativeError(inverse.solve(b), x)).toBeLessThan(1e-8);
  });

  it("does not take small rows for none", async () => {
    const small = Float64Array.from({ length: 6 }, (_, i) => 10 ** (-3 * i));
    const k = addDiagonal(scale(gram(6, 3), 1), 1);
    for (let i = 0; i < 6; i++) for (let j = 0; j < 6; j++) k.data[6 * i + j]! *= small[i]! * small[j]!;
    expect((await of(k)).rank).toBe(6);
  });

  it("has nothing in rows of zeros, and reads nothing behind the matrix", async () => {
    const k = zeros(3, 3);
    k.data[0] = 4;
    expect([...(await of(k)).solve(Float64Array.of(8, 1, 1, 7))]).toEqual([2, 0, 0]);
  });
});
