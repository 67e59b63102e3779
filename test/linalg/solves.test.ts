/**
 * @file Factorisations and products, small and large: sizes on both sides of the block and of the engine's threshold.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SingularGramError } from "../../src/error.ts";
import { cutBlockRows } from "../../src/linalg/block-rows.ts";
import { factorize } from "../../src/linalg/cholesky.ts";
import { eigen } from "../../src/linalg/eigen.ts";
import { factorizeGeneral } from "../../src/linalg/lu.ts";
import {
  addDiagonal,
  identity,
  matrix,
  multiply,
  norm,
  scale,
  setBlock,
  subtract,
  transpose,
  zeros,
  type Matrix,
} from "../../src/linalg/matrix.ts";
import { partialCholesky, pivotedCholesky } from "../../src/linalg/pivoted-cholesky.ts";
import { product } from "../../src/linalg/product.ts";
import { addTimes, addTimesTransposed } from "../../src/linalg/vector-product.ts";
import { computing } from "../support/computing.ts";
import { random } from "../support/matrices.ts";

const positive = async (n: number): Promise<Matrix> =>
  addDiagonal(scale(await product(random(n, n), random(n, n), { ...computing, transB: true }), 1 / n), 0.1);

const solveGeneral = async (a: Matrix, b: Matrix, what: string): Promise<Matrix> =>
  (await factorizeGeneral(a, what, computing)).solveMatrix(b);

const same = (a: Float64Array, b: Float64Array) => a.length === b.length && a.every((x, i) => x === b[i]);

const distance = (a: Matrix, b: Matrix) => norm(subtract(a, b)) / norm(b);

describe("factorize", () => {
  it.each([1, 5, 60, 61, 120, 121, 300, 520])("solves a system of %i", async (n) => {
    const k = await positive(n);
    const b = random(n, 3, 2);
    const factor = await factorize(k, { ...computing, what: "k" });
    const many = await factor.solveMatrix(b);
    expect(distance(await product(k, many, computing), b)).toBeLessThan(1e-10);
    for (let c = 0; c < 3; c++) {
      const column = b.data.filter((_, i) => i % 3 === c);
      const one = factor.solve(column);
      expect(
        distance(
          matrix(n, 1, one),
          matrix(
            n,
            1,
            many.data.filter((_, i) => i % 3 === c),
          ),
        ),
      ).toBeLessThan(1e-10);
    }
    expect(distance(await product(k, await factor.inverse(), computing), identity(n))).toBeLessThan(1e-10);
  });

  it.each([3, 130, 400])(
    "knows the condition of a matrix of %i, as it is and scaled to a unit diagonal",
    async (n) => {
      // An eigenvalue 1 + n a once, the others 1; rows that are scaled make no difference to a solution.
      const a = 20;
      const k = { ...identity(n), data: identity(n).data.map((x) => x + a) };
      const plain = await factorize(k, { ...computing, what: "k" });
      expect(plain.condition()).toBeCloseTo(1 + n * a, 0);
      expect(plain.condition({ scaled: false })).toBeCloseTo(1 + n * a, 0);
      const graded = {
        ...k,
        data: k.data.map((x, i) => x * 2 ** -((i % n) % 9) * 2 ** -(Math.floor(i / n) % 9)),
      };
      const factor = await factorize(graded, { ...computing, what: "k" });
      expect(factor.condition()).toBeCloseTo(1 + n * a, 0);
      expect(factor.condition({ scaled: false })).toBeGreaterThan(2 * (1 + n * a));
    },
  );

  it.each([5, 140])("solves with each of its triangles, %i", async (n) => {
    const k = await positive(n);
    const factor = await factorize(k, { ...computing, what: "k" });
    const L = await factor.solveLower(k);
    const b = random(n, 2, 3);
    expect(distance(await factor.solveUpper(await product(L, b, computing)), b)).toBeLessThan(1e-10);
  });

  it("reads the lower triangle only and leaves its argument alone", async () => {
    const k = await positive(140);
    const before = k.data.slice();
    const half = { ...k, data: k.data.map((x, i) => (i % 140 > Math.floor(i / 140) ? Number.NaN : x)) };
    const b = random(140, 1).data;
    expect([...(await factorize(half, { ...computing, what: "k" })).solve(b)]).toEqual([
      ...(await factorize(k, { ...computing, what: "k" })).solve(b),
    ]);
    expect([...k.data]).toEqual([...before]);
  });

  it("takes the memory of a large matrix when told to, and tells how far it is", async () => {
    const n = 2050;
    const half = random(n, 40);
    const k = addDiagonal(await product(half, half, { ...computing, transB: true }), 10);
    const b = random(n, 1, 2).data;
    const told: number[] = [];
    const kept = await factorize(k, { ...computing, what: "k", onProgress: (done) => told.push(done) });
    const x = kept.solve(b);
    expect(distance(await product(k, matrix(n, 1, x), computing), matrix(n, 1, b))).toBeLessThan(1e-12);
    expect(told).toEqual([...told].sort((p, q) => p - q));
    expect(told.at(-1)).toBe(1);
    const { buffer } = k.data;
    const factor = await factorize(k, { ...computing, what: "k", overwrite: true });
    expect(k.data.buffer).toBe(buffer);
    expect(same(factor.solve(b), x)).toBe(true);
  });

  it("refuses a large singular matrix whose memory it took", async () => {
    const n = 2050;
    const half = random(n, 30);
    const k = await product(half, half, { ...computing, transB: true });
    const error = await factorize(k, { ...computing, what: "k", overwrite: true }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(SingularGramError);
    expect(error as SingularGramError).toMatchObject({ size: n, rank: undefined });
  });

  it.each([3, 200, 700])(
    "refuses a singular matrix of %i with its condition, and its rank while that is cheap",
    async (n) => {
      const half = random(n, n - 1);
      const k = await product(half, half, { ...computing, transB: true });
      const error = await factorize(k, { ...computing, what: "some Gram" }).then(
        () => undefined,
        (e: unknown) => e as SingularGramError,
      );
      expect(error).toBeInstanceOf(SingularGramError);
      expect(error!.size).toBe(n);
      expect(error!.rank).toBe(n - 1);
      expect(error!.condition).toBeGreaterThan(1e10);
      expect(error!.message).toMatch(/^some Gram: wanted an invertible Gram, got [^\n]*$/);
    },
  );

  it("refuses NaN and infinite entries", async () => {
    for (const bad of [Number.NaN, Infinity, -1]) {
      const k = identity(4);
      k.data[10] = bad;
      await expect(factorize(k, { ...computing, what: "k" })).rejects.toThrow(SingularGramError);
    }
  });

  it("takes rounding of the entries into account: noise of float32 is no rank", async () => {
    const half = random(50, 40);
    const k = await product(half, half, { ...computing, transB: true });
    const rounded = matrix(50, 50, Float64Array.from(Float32Array.from(k.data)));
    await expect(factorize(rounded, { ...computing, what: "k", epsilon: 2 ** -23 })).rejects.toThrow(
      /rank 40/,
    );
  });
});

describe("cutBlockRows", () => {
  it("gives the lower triangle, in the same memory as in fresh memory", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 60 }), (width, more) => {
        const n = 4 * width + more;
        const k = random(n, n);
        const fresh = cutBlockRows(k, width);
        const L = zeros(n, n);
        for (const { start, left, diagonal } of fresh) {
          setBlock(L, start, 0, left);
          setBlock(L, start, start, diagonal);
        }
        const wanted = k.data.map((x, at) => (at % n > Math.floor(at / n) ? 0 : x));
        expect(same(L.data, wanted)).toBe(true);
        const moved = cutBlockRows(k, width, true);
        expect(moved.map(({ start, size }) => [start, size])).toEqual(
          fresh.map(({ start, size }) => [start, size]),
        );
        for (const [i, { left, diagonal }] of moved.entries()) {
          expect(same(left.data, fresh[i]!.left.data)).toBe(true);
          expect(same(diagonal.data, fresh[i]!.diagonal.data)).toBe(true);
        }
        for (const { left } of moved) expect(left.data.buffer).toBe(k.data.buffer);
      }),
    );
  });

  it("refuses block rows too wide to be made in place", () => {
    expect(() => cutBlockRows(zeros(7, 7), 2, true)).toThrow("wanted at most 1.75 rows in place, got 2");
  });
});

describe("products with a vector", () => {
  it("agree with products of matrices for every remainder of rows", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 20 }), (rows, cols) => {
        const a = random(rows, cols);
        const [v, w] = [random(cols, 1, 2), random(rows, 1, 3)];
        const [down, across] = [new Float64Array(rows), new Float64Array(cols)];
        addTimes(down, 2, a, v.data);
        addTimesTransposed(across, 2, a, w.data);
        const close = (x: Float64Array, y: Matrix) =>
          x.forEach((value, i) => expect(value).toBeCloseTo(2 * y.data[i]!, 12));
        close(down, multiply(a, v));
        close(across, multiply(transpose(a), w));
      }),
    );
  });
});

describe("the other factorisations", () => {
  it.each([1, 2, 16, 17, 33, 127, 128, 129, 300, 530])(
    "factorizeGeneral solves a system of %i that is not symmetric",
    async (n) => {
      const a = random(n, n);
      const before = a.data.slice();
      const x = random(n, 4, 2);
      const b = await product(a, x, computing);
      const solution = await solveGeneral(a, b, "a");
      // The backward error: what an exact solution of a system this close would give, whatever the condition.
      const error = norm(subtract(await product(a, solution, computing), b)) / (norm(a) * norm(solution));
      expect(error).toBeLessThan(1e-15);
      expect(distance(solution, x)).toBeLessThan(1e-9);
      expect(same(a.data, before)).toBe(true);
    },
  );

  it("factorizeGeneral changes rows where it has to", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 99 }), async (n, seed) => {
        const order = random(n, 1, seed).data;
        const rows = Array.from({ length: n }, (_, i) => i).sort((i, j) => order[i]! - order[j]!);
        const permutation = zeros(n, n);
        for (const [i, j] of rows.entries()) permutation.data[i * n + j] = 1;
        expect(
          same((await solveGeneral(permutation, identity(n), "a")).data, transpose(permutation).data),
        ).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it("factorizeGeneral refuses singular matrices and such as are not finite", async () => {
    await expect(solveGeneral(zeros(3, 3), zeros(3, 1), "a")).rejects.toThrow(SingularGramError);
    const twice = multiply(random(40, 39), random(39, 40, 2));
    await expect(solveGeneral(twice, zeros(40, 1), "a")).rejects.toThrow(
      /^a: wanted an invertible Gram, got 40 x 40/,
    );
    const broken = identity(40);
    broken.data[41 * 20] = NaN;
    await expect(solveGeneral(broken, zeros(40, 1), "a")).rejects.toThrow(SingularGramError);
  });

  it("eigen puts a symmetric matrix together again, eigenvalues ascending", async () => {
    const k = await positive(40);
    const { values, vectors } = await eigen(k, computing);
    const scaled = { ...vectors, data: vectors.data.map((x, i) => x * values[i % 40]!) };
    expect(distance(multiply(scaled, transpose(vectors)), k)).toBeLessThan(1e-12);
    expect([...values]).toEqual([...values].sort((a, b) => a - b));
  });

  it("give nothing a condition that is a number: Infinity", async () => {
    expect(await pivotedCholesky(zeros(3, 3))).toMatchObject({ rank: 0, condition: Infinity });
    const none = await partialCholesky(
      { diagonal: new Float64Array(3), rows: () => zeros(0, 3) },
      { maxRank: 2 },
    );
    expect(none.condition).toBe(Infinity);
    for (const fill of [0, Number.NaN]) {
      const error: unknown = await solveGeneral(
        matrix(2, 2, new Float64Array(4).fill(fill)),
        identity(2),
        "K",
      ).catch((thrown: unknown) => thrown);
      expect((error as SingularGramError).condition).toBe(Infinity);
    }
  });

  it("pivotedCholesky finds the rank of a Gram and a factor of it", async () => {
    const half = random(30, 6);
    const k = await product(half, half, { ...computing, transB: true });
    const { factor, rank } = await pivotedCholesky(k, 30, 1e-12);
    expect(rank).toBe(6);
    expect(distance(multiply(factor, transpose(factor)), k)).toBeLessThan(1e-12);
    expect((await pivotedCholesky(k, 4)).rank).toBe(4);
  });
});
