/** @file The analytic NTK and NNGP without their layers: against the factored kernel, in tiles, and mirrored. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { analyticKernel, analyticNngp, analyticNtk } from "../../src/kernel/analytic.ts";
import { tileShape, tilesOf } from "../../src/kernel/tiles.ts";
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";
import { activation } from "../../src/ops/activation.ts";
import { dense } from "../../src/ops/dense.ts";
import { serial } from "../../src/network/layers.ts";
import { mlp } from "../../src/network/mlp.ts";
import { RELU } from "../../src/ops/relu.ts";
import { randomState } from "../../src/random/random-state.ts";
import { partsOf } from "../support/kernels.ts";
import { relativeError } from "../support/tiny.ts";

const samples = (seed: number, rows: number, cols: number): Matrix =>
  matrix(rows, cols, randomState(seed).normalsInto(new Float64Array(rows * cols)));

/** Sums of a few layers in another order. */
const ROUNDING = 1e-14;

const shapes = {
  depth: fc.integer({ min: 1, max: 5 }),
  rows: fc.integer({ min: 1, max: 13 }),
  cols: fc.integer({ min: 1, max: 13 }),
  tile: fc.integer({ min: 1, max: 14 }),
  biasVariance: fc.constantFrom(0, 0.3),
};

describe("the analytic NTK as a sum", () => {
  it("is that of the factored kernel, and the NNGP kernel its last A, in every parameterisation", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ ...shapes, parameterization: fc.constantFrom("ntk" as const, "standard" as const) }),
        async ({ depth, rows, cols, tile, biasVariance, parameterization }) => {
          const network = mlp(4, { depth, width: 7, outputs: 2, biasVariance, parameterization });
          const [x1, x2] = [samples(1, rows, 4), samples(2, cols, 4)];
          const kernel = await analyticKernel(network, x1, x2);
          const theta = await analyticNtk(network, x1, x2, { tile });
          expect(relativeError(theta.data, (await kernel.matrix()).data)).toBeLessThan(ROUNDING);
          if (parameterization !== "ntk") return;
          const nngp = await analyticNngp(network, x1, x2, { tile });
          const { A } = (await partsOf(kernel)).at(-1)!;
          expect(relativeError(nngp.data, A.data)).toBeLessThan(ROUNDING);
        },
      ),
    );
  });

  it("is symmetric to the last bit on one set of samples, and what two equal sets give", async () => {
    await fc.assert(
      fc.asyncProperty(fc.record(shapes), async ({ depth, rows: n, tile, biasVariance }) => {
        const network = mlp(4, { depth, width: 7, biasVariance });
        const x = samples(3, n, 4);
        for (const entry of [analyticNtk, analyticNngp]) {
          const half = await entry(network, x, x, { tile });
          const whole = await entry(network, x, matrix(n, 4, x.data.slice()), { tile });
          expect(relativeError(half.data, whole.data)).toBeLessThan(ROUNDING);
          for (let i = 0; i < n; i++) {
            for (let j = 0; j < i; j++) expect(half.data[i * n + j]).toBe(half.data[j * n + i]);
          }
        }
      }),
    );
  });

  it("is the same in tiles of any size on samples that the engine multiplies", async () => {
    const network = mlp(200, { depth: 3, width: 4 });
    const [x1, x2] = [samples(4, 300, 200), samples(5, 700, 200)];
    for (const [a, b] of [
      [x1, x2],
      [x2, x2],
    ] as const) {
      const whole = await analyticNtk(network, a, b);
      for (const tile of [37, 256, 1000]) {
        const { data } = await analyticNtk(network, a, b, { tile });
        expect(relativeError(data, whole.data)).toBeLessThan(1e-13);
      }
    }
    const { data } = await analyticNtk(network, x2, x2, { tile: 100 });
    for (let i = 0; i < 700; i++)
      expect(data[i * 700 + ((i * 7) % 700)]).toBe(data[((i * 7) % 700) * 700 + i]);
  });

  it("is written where it was asked to be, rounded there", async () => {
    const network = mlp(4, { depth: 3, width: 4 });
    const x = samples(6, 9, 4);
    const into = new Float32Array(81);
    const { data } = await analyticNtk(network, x, x, { into, tile: 4 });
    expect(data).toBe(into);
    expect(data).toEqual(Float32Array.from((await analyticNtk(network, x)).data));
    await expect(analyticNtk(network, x, x, { into: new Float64Array(80) })).rejects.toThrow("wanted 9 x 9");
  });

  it("tells how many tiles are done", async () => {
    const seen: [number, number][] = [];
    await analyticNtk(mlp(4, { depth: 2 }), samples(7, 10, 4), undefined, {
      tile: 4,
      progress: (done, total) => seen.push([done, total]),
    });
    expect(seen).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  it("takes an activation that is formulas alone", async () => {
    const { maps: _, ...formulas } = RELU;
    const x = samples(8, 7, 4);
    const layers = (phi: typeof RELU) => [dense(5), activation(phi), dense(5), activation(phi), dense(1)];
    const plain = await analyticNtk(serial(4, ...layers(formulas)), x);
    const fast = await analyticNtk(serial(4, ...layers(RELU)), x);
    expect(relativeError(fast.data, plain.data)).toBeLessThan(ROUNDING);
  });

  it.each([
    [Number.NaN, "NaN for sample 1 of the inputs"],
    [Infinity, "Infinity for sample 1 of the inputs"],
    [1.3e154, "Infinity for sample 1 after layer 1"],
  ])("refuses samples of %d", async (value, got) => {
    const x = matrix(2, 1, Float64Array.of(1, value));
    await expect(analyticNtk(mlp(1, { depth: 2 }), x)).rejects.toThrow(
      `analytic kernel: wanted finite variances, got ${got}`,
    );
  });

  it("refuses tiles of no rows", async () => {
    await expect(analyticNtk(mlp(4), samples(1, 2, 4), undefined, { tile: 0 })).rejects.toThrow(
      "tile: wanted a whole number above 0, got 0",
    );
  });
});

describe("tiles", () => {
  it("cover a matrix once, or what of it lies on and below the diagonal", () => {
    const size = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(size, size, size, size, fc.boolean(), (n, m, rows, cols, symmetric) => {
        const total = { rows: n, cols: symmetric ? n : m };
        const seen = new Uint8Array(total.rows * total.cols);
        for (const area of tilesOf(total, { rows, cols }, symmetric)) {
          expect(area.rows > 0 && area.rows <= rows && area.cols > 0 && area.cols <= cols).toBe(true);
          for (let i = area.row; i < area.row + area.rows; i++) {
            for (let j = area.col; j < area.col + area.cols; j++) seen[i * total.cols + j]!++;
          }
        }
        for (const [at, count] of seen.entries()) {
          const above = at % total.cols > Math.floor(at / total.cols);
          if (symmetric && above) expect(count).toBeLessThanOrEqual(1);
          else expect(count).toBe(1);
        }
      }),
    );
  });

  it("are of bounded size unless more rows are asked for", () => {
    for (const rows of [undefined, 1, 10, 512, 1000]) {
      const shape = tileShape(rows, { rows: 10_000, cols: 10_000 });
      expect(shape.rows * shape.cols).toBeLessThanOrEqual(2 ** 18);
    }
  });
});
