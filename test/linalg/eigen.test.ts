/**
 * @file Symmetric eigendecompositions of every size class against their definition, known spectra and ml-matrix: random
 * matrices, and those that eigenvalue routines have failed on.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { EigenvalueDecomposition, Matrix as MlMatrix } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { buildWasm, targetOf, WASM_MODULES } from "../../scripts/build-wasm.ts";
import { InputError } from "../../src/error.ts";
import { divideAndConquer } from "../../src/linalg/divide-and-conquer.ts";
import { eigen, spectrum } from "../../src/linalg/eigen.ts";
import { identity, matrix, scale, zeros, type Matrix } from "../../src/linalg/matrix.ts";
import { product } from "../../src/linalg/product.ts";
import { applyReflectors, applyReflectorsPlainly } from "../../src/linalg/reflectors.ts";
import { secularRoots } from "../../src/linalg/secular.ts";
import { reduceBlocked } from "../../src/linalg/tridiagonal-blocked.ts";
import { reducePlainly, type Tridiagonal } from "../../src/linalg/tridiagonal.ts";
import { computing } from "../support/computing.ts";
import { random } from "../support/matrices.ts";

/** Errors against |K|, and of V^T V against the identity, allowed for n rows. */
const tolerance = (n: number): number => 1e-14 * (4 + Math.sqrt(n));

const build = (n: number, entry: (i: number, j: number) => number): Matrix =>
  matrix(
    n,
    n,
    Float64Array.from({ length: n * n }, (_, at) => entry(Math.floor(at / n), at % n)),
  );

const symmetric = (n: number, seed = 1): Matrix => {
  const { data } = random(n, n, seed);
  return build(n, (i, j) => data[Math.min(i, j) * n + Math.max(i, j)]!);
};

const gram = (n: number, rank: number): Promise<Matrix> => {
  const x = random(n, rank);
  return product(x, x, { ...computing, transB: true });
};

/** V diag(values) V^T with a random orthogonal V. */
async function withSpectrum(values: readonly number[]): Promise<Matrix> {
  const n = values.length;
  const { vectors } = await eigen(symmetric(n, 7), computing);
  const scaled = { ...vectors, data: vectors.data.map((x, at) => x * values[at % n]!) };
  const { data } = await product(scaled, vectors, { ...computing, transB: true });
  return build(n, (i, j) => (data[i * n + j]! + data[j * n + i]!) / 2);
}

const largestOf = (values: Iterable<number>): number => {
  let size = 0;
  for (const x of values) size = Math.max(size, Math.abs(x));
  return size;
};

const difference = (a: Iterable<number>, b: ArrayLike<number>): number => {
  let size = 0;
  let i = 0;
  for (const x of a) size = Math.max(size, Math.abs(x - b[i++]!));
  return size;
};

/** Holds both entry points to K V = V diag(values), V^T V = I, and to each other. Returns the eigenvalues. */
async function check(k: Matrix): Promise<Float64Array> {
  const n = k.rows;
  const before = k.data.slice();
  const { values, vectors } = await eigen(k, computing);
  expect(difference(k.data, before)).toBe(0);
  const size = largestOf(values);
  const allowed = tolerance(n);
  expect([...values]).toEqual([...values].sort((a, b) => a - b));
  expect(difference(await spectrum(k, computing), values)).toBeLessThanOrEqual(allowed * size);
  // At unit size the products neither over- nor underflow.
  const share = (x: number): number => (size === 0 ? 0 : x / size);
  const image = await product({ ...k, data: k.data.map(share) }, vectors, computing);
  const scaled = vectors.data.map((x, at) => x * share(values[at % n]!));
  expect(difference(image.data, scaled)).toBeLessThanOrEqual(allowed);
  const overlaps = await product(vectors, vectors, { ...computing, transA: true });
  expect(difference(overlaps.data, identity(n).data)).toBeLessThanOrEqual(allowed);
  return values;
}

const exponent = (min: number) => fc.double({ min, max: 0, noNaN: true });

/** Eigenvalues by ml-matrix, ascending. */
const reference = (k: Matrix): number[] =>
  new EigenvalueDecomposition(MlMatrix.from1DArray(k.rows, k.rows, k.data), {
    assumeSymmetric: true,
  }).realEigenvalues.sort((a, b) => a - b);

/** Sizes around those where the method changes: plain below 64, then blocks of 64, panels of 32, leaves of 32. */
const SIZES = [1, 2, 3, 4, 31, 33, 63, 64, 65, 66, 95, 97, 127, 128, 130, 193, 257];

describe("eigen and spectrum", () => {
  it.each(SIZES)("agree with ml-matrix on a random symmetric matrix of %i", async (n) => {
    const k = symmetric(n);
    const values = await check(k);
    expect(difference(values, reference(k))).toBeLessThan(tolerance(n) * largestOf(values));
  });

  it("decompose matrices of any size, scale, rank and repetition", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 150 }),
        fc.constantFrom(1e-308, 1e-200, 1e-20, 1, 1e20, 1e300),
        fc.array(fc.constantFrom(-1, 0, 1e-18, 1e-9, 1 - 2e-16, 1, 1 + 1e-14, 2), {
          minLength: 1,
          maxLength: 6,
        }),
        async (n, size, palette) => {
          const wanted = Array.from({ length: n }, (_, i) => palette[i % palette.length]!);
          const values = await check(scale(await withSpectrum(wanted), size));
          const sorted = wanted.toSorted((a, b) => a - b);
          expect(
            difference(
              values.map((x) => x / size),
              sorted,
            ),
          ).toBeLessThan(tolerance(n) * 4);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([
    ["zero", (n: number) => zeros(n, n)],
    ["the identity", (n: number) => identity(n)],
    ["minus the identity", (n: number) => scale(identity(n), -1)],
    [
      "a diagonal of every scale",
      (n: number) => build(n, (i, j) => (i === j ? (-1) ** i * 2 ** (-8 * (i % 97)) : 0)),
    ],
    ["ones", (n: number) => build(n, () => 1)],
    ["the reversal", (n: number) => build(n, (i, j) => Number(i + j === n - 1))],
    ["an arrow", (n: number) => build(n, (i, j) => (i === j ? i % 3 : i * j === 0 ? 1 : 0))],
    ["Hilbert's matrix", (n: number) => build(n, (i, j) => 1 / (i + j + 1))],
    [
      "Wilkinson's W+",
      (n: number) =>
        build(n, (i, j) => (i === j ? Math.abs(i - (n - 1) / 2) : Number(Math.abs(i - j) === 1))),
    ],
    [
      "glued Wilkinson matrices",
      (n: number) =>
        build(n, (i, j) =>
          i === j ? Math.abs((i % 21) - 10) : Math.abs(i - j) > 1 ? 0 : Math.max(i, j) % 21 === 0 ? 1e-8 : 1,
        ),
    ],
    [
      "the same block again and again",
      (n: number) =>
        build(n, (i, j) => (Math.floor(i / 5) === Math.floor(j / 5) ? 1 / (1 + (i % 5) + (j % 5)) : 0)),
    ],
    ["a graded matrix", (n: number) => build(n, (i, j) => 2 ** -(i + j))],
    ["a graded matrix, the other way", (n: number) => build(n, (i, j) => 2 ** (i + j - 2 * n + 2))],
    [
      "blocks without a common scale",
      (n: number) => build(n, (i, j) => (i % 2 === j % 2 ? (i % 2 ? 1e-170 : 1) / (1 + Math.abs(i - j)) : 0)),
    ],
    ["a Gaussian kernel", (n: number) => build(n, (i, j) => Math.exp(-(((i - j) / n) ** 2)))],
    [
      "the largest numbers",
      (n: number) => build(n, (i, j) => ((i === j ? 1 : -1 / n) * Number.MAX_VALUE) / 4),
    ],
  ])("agree with ml-matrix on %s", async (name, make) => {
    for (const n of [7, 70, 150]) {
      const k = make(n);
      const values = await check(k);
      // ml-matrix does not scale: it gets these at unit size.
      const lifted = name === "the largest numbers" ? 2 ** -1000 : 1;
      const wanted = reference(scale(k, lifted));
      expect(
        difference(
          values.map((x) => x * lifted),
          wanted,
        ),
      ).toBeLessThanOrEqual(2 * tolerance(n) * largestOf(wanted));
    }
  });

  it("take subnormal numbers as they are, to their last place", async () => {
    for (const n of [7, 70]) {
      const k = build(n, (i, j) => (1 + ((i + j) % 7)) * 2 ** -1070);
      const wanted = reference(scale(k, 2 ** 1000));
      const { values, vectors } = await eigen(k, computing);
      for (const found of [values, await spectrum(k, computing)]) {
        expect(
          difference(
            found.map((x) => x * 2 ** 1000),
            wanted,
          ),
        ).toBeLessThanOrEqual(2 ** -74);
      }
      expect((await eigen(scale(k, 2 ** 1000), computing)).vectors).toEqual(vectors);
    }
  });

  it("find the spectrum of the discrete Laplacian", async () => {
    const n = 300;
    const values = await check(build(n, (i, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0)));
    const wanted = Float64Array.from(
      { length: n },
      (_, i) => 4 * Math.sin((Math.PI * (i + 1)) / (2 * n + 2)) ** 2,
    );
    expect(difference(values, wanted)).toBeLessThan(tolerance(n) * 4);
  });

  it.each([40, 100, 400])("find the rank of a Gram of %i", async (n) => {
    const values = await check(await gram(n, n >> 2));
    expect(values.filter((x) => x > n * 2 ** -52 * values.at(-1)!).length).toBe(n >> 2);
  });

  it.each([100, 400, 500])(
    "take a matrix of rank one, whose rest is far below rounding, of %i",
    async (n) => {
      const values = await check(build(n, () => 1 / n));
      expect(values.at(-1)).toBeCloseTo(1, 12);
      const v = random(n, 1);
      await check(await product(v, v, { ...computing, transB: true }));
    },
  );

  it("do two matrices at once", async () => {
    const [a, b] = [symmetric(150), symmetric(130, 2)];
    const apart = [await eigen(a, computing), await eigen(b, computing)];
    expect(await Promise.all([eigen(a, computing), eigen(b, computing)])).toEqual(apart);
  });

  it("take the lower triangle", async () => {
    for (const n of [5, 80]) {
      const k = symmetric(n);
      const half = build(n, (i, j) => (j > i ? 0 : k.data[i * n + j]!));
      expect(await eigen(half, computing)).toEqual(await eigen(k, computing));
      expect(await spectrum(half, computing)).toEqual(await spectrum(k, computing));
    }
  });

  it("give nothing for no rows", async () => {
    expect(await spectrum(zeros(0, 0), computing)).toEqual(new Float64Array(0));
    expect(await eigen(zeros(0, 0), computing)).toEqual({
      values: new Float64Array(0),
      vectors: zeros(0, 0),
    });
  });

  it("refuse what is not finite or not square", async () => {
    for (const decompose of [eigen, spectrum]) {
      for (const bad of [Number.NaN, Infinity, -Infinity]) {
        for (const n of [3, 100]) {
          const k = identity(n);
          k.data[n] = bad;
          await expect(decompose(k)).rejects.toThrow(InputError);
          await expect(decompose(k)).rejects.toThrow(/^eigen: wanted finite numbers, got/);
        }
      }
      await expect(decompose(zeros(2, 3))).rejects.toThrow("eigen: wanted a square matrix, got 2 x 3");
    }
  });
});

describe("the parts", () => {
  it("reduce a matrix to the same tridiagonal one, up to signs, plainly and by panels", async () => {
    for (const n of [1, 2, 3, 40, 64, 65, 100, 129]) {
      const k = symmetric(n);
      const plain = reducePlainly(scale(k, 1));
      const blocked = await reduceBlocked(k, 1, { ...computing, vectors: true });
      expect(difference(blocked.diagonal, plain.diagonal)).toBeLessThan(1e-9);
      expect(difference(blocked.offDiagonal.map(Math.abs), plain.offDiagonal.map(Math.abs))).toBeLessThan(
        1e-9,
      );
      for (const reduced of [plain, blocked]) {
        const q = identity(n);
        for (const each of reduced.reflectors.toReversed()) applyReflectorsPlainly(each, q);
        const qt = await product(q, dense(reduced), computing);
        const back = await product(qt, q, { ...computing, transB: true });
        expect(difference(back.data, k.data)).toBeLessThan(tolerance(n) * n);
        const fast = identity(n);
        await applyReflectors(reduced.reflectors, fast, computing);
        expect(difference(fast.data, q.data)).toBeLessThan(tolerance(n));
      }
    }
  });

  it("find roots between the poles whose equation holds, near and far", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(exponent(-14), exponent(-7)), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.double({ min: -6, max: 3, noNaN: true }),
        async (draws, size) => {
          // Poles at distances from 1e-14 to 1, weights from 1e-7 to 1.
          let pole = -1;
          const d = Float64Array.from(draws, ([gap]) => (pole += 10 ** gap));
          const z = Float64Array.from(draws, ([, weight], i) => (i % 2 ? -1 : 1) * 10 ** weight);
          const rho = 10 ** size;
          const { values, distances } = await secularRoots(d, z, rho);
          const k = d.length;
          for (let j = 0; j < k; j++) {
            expect(values[j]).toBeGreaterThanOrEqual(d[j]!);
            if (j + 1 < k) expect(values[j]).toBeLessThanOrEqual(d[j + 1]!);
            let [sum, sizes] = [1 / rho, 1 / rho];
            for (let i = 0; i < k; i++) {
              const distance = distances.data[j * k + i]!;
              expect(distance > 0).toBe(i > j);
              sum += z[i]! ** 2 / distance;
              sizes += z[i]! ** 2 / Math.abs(distance);
            }
            // A root can stand no nearer than a rounding of its distance to the pole.
            expect(Math.abs(sum)).toBeLessThan(1e-14 * sizes);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("divide and conquer where everything deflates, and where nothing does", async () => {
    for (const e of [0, 1e-17, 1e-8, 1]) {
      const n = 200;
      const [diagonal, offDiagonal] = [new Float64Array(n).fill(1), new Float64Array(n - 1).fill(e)];
      const { values, rows } = await divideAndConquer(diagonal, offDiagonal, computing);
      const wanted = Float64Array.from(
        { length: n },
        (_, i) => 1 - 2 * e * Math.cos((Math.PI * (i + 1)) / (n + 1)),
      );
      expect(difference(values, wanted)).toBeLessThan(tolerance(n));
      const overlaps = await product(rows, rows, { ...computing, transB: true });
      expect(difference(overlaps.data, identity(n).data)).toBeLessThan(tolerance(n));
    }
  });

  it("come from WebAssembly that is a fresh build, under the 4 KB that browsers compile synchronously", async () => {
    const module = WASM_MODULES.find(({ name }) => name === "reflections")!;
    const fresh = await buildWasm(module);
    expect(readFileSync(new URL(`../../${targetOf(module)}`, import.meta.url), "utf8")).toBe(fresh);
    expect(Number(/(\d+) bytes/.exec(fresh)?.[1])).toBeLessThan(4096);
  });
});

function dense({ diagonal, offDiagonal }: Tridiagonal): Matrix {
  return build(diagonal.length, (i, j) =>
    i === j ? diagonal[i]! : Math.abs(i - j) === 1 ? offDiagonal[Math.min(i, j)]! : 0,
  );
}
