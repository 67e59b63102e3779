/**
 * @file The analytic kernel against closed forms, wide networks, and itself in tiles.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { analyticKernel } from "../../src/kernel/analytic.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";
import { initialise } from "../../src/network/initialise.ts";
import { mlp } from "../../src/network/mlp.ts";
import { randomState } from "../../src/random/random-state.ts";
import { ntk, partsOf } from "../support/kernels.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const samples = (seed: number, rows: number, cols: number): Matrix =>
  matrix(rows, cols, randomState(seed).normalsInto(new Float64Array(rows * cols)));

/** Arc-cosine kernels of Cho & Saul for unit vectors at angle t, times 2 (so that sigma_w^2 = 2 keeps variances). */
const k1 = (t: number) => (Math.sin(t) + (Math.PI - t) * Math.cos(t)) / Math.PI;
const k0 = (t: number) => (Math.PI - t) / Math.PI;

describe("the analytic kernel of a ReLU network without biases, sigma_w^2 = 2, on the sphere of radius sqrt(M_0 / 2)", () => {
  // There every variance is one, A_1 = cos t_1 and the angle of layer l + 1 is arccos k1(t_l).
  const angle = 0.7;
  const x = matrix(2, 2, Float64Array.of(1, 0, Math.cos(angle), Math.sin(angle)));

  it.each([1, 2, 3, 4])("is the composition of arc-cosine kernels at depth %i", async (depth) => {
    const layers = await partsOf(await analyticKernel(mlp(2, { depth, width: 3 }), x));
    let t = angle;
    const slopes: number[] = [];
    for (const { A } of layers) {
      expect(A.data[1]).toBeCloseTo(Math.cos(t), 12);
      expect(A.data[0]).toBeCloseTo(1, 12);
      slopes.push(k0(t));
      t = Math.acos(k1(t));
    }
    let b = 1;
    for (let l = depth - 1; l >= 0; l--) {
      expect(layers[l]!.B.data[1]).toBeCloseTo(b, 12);
      if (l > 0) b *= slopes[l - 1]!;
    }
  });
});

describe("the analytic kernel", () => {
  it.each([1, 2, 3, 4])(
    "is the mean of wide networks at depth %i, with biases and inputs of any norm",
    async (depth) => {
      const engine = await float64Engine();
      const width = 400;
      const repeats = 24;
      const network = mlp(6, { depth, width, weightVariance: 1.8, biasVariance: 0.2 });
      const x = samples(depth, 4, 6);
      const linearizer = await createLinearizer(engine, network);
      const mean = new Float64Array(16);
      for (let seed = 0; seed < repeats; seed++) {
        const weights = createWeights(network, initialise(engine, network, seed));
        const { train } = await empiricalKernel(linearizer, weights, x);
        for (const [i, v] of (await ntk(train)).data.entries()) mean[i]! += v / repeats;
      }
      // Fluctuations of one kernel are O(1 / sqrt(width)) a layer; the mean of 24 is five times closer.
      expect(relativeError(mean, (await ntk(await analyticKernel(network, x))).data)).toBeLessThan(0.05);
    },
  );

  it("does not depend on the tile, which need not divide the samples", async () => {
    const network = mlp(5, { depth: 3, width: 4, biasVariance: 0.1 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 12 }),
        async (rows, tile) => {
          const [x1, x2] = [samples(1, rows, 5), samples(2, 4, 5)];
          const whole = await ntk(await analyticKernel(network, x1, x2));
          expect([...(await ntk(await analyticKernel(network, x1, x2, { tile }))).data]).toEqual([
            ...whole.data,
          ]);
        },
      ),
    );
  });

  it("is symmetric, and scales with the squared norm of the inputs when there are no biases", async () => {
    const network = mlp(5, { depth: 4, width: 4 });
    const x = samples(3, 6, 5);
    const theta = await ntk(await analyticKernel(network, x));
    for (let i = 0; i < 6; i++) {
      for (let j = 0; j < 6; j++) expect(theta.data[i * 6 + j]).toBeCloseTo(theta.data[j * 6 + i]!, 12);
    }
    const scaled = await ntk(
      await analyticKernel(
        network,
        matrix(
          6,
          5,
          x.data.map((v) => 3 * v),
        ),
      ),
    );
    expect(
      relativeError(
        scaled.data,
        theta.data.map((v) => 9 * v),
      ),
    ).toBeLessThan(TOLERANCE.twin);
  });

  it("takes equal and opposite samples for parallel, whatever rounding says", async () => {
    // 300 features and 130 samples: long sums, in the order of the engine's product.
    const row = samples(4, 1, 300).data;
    const size = (n: number) => (1 + (n % 7) / 3) * (n % 2 ? -1 : 1);
    const data = Float64Array.from({ length: 39_000 }, (_, i) => size(Math.floor(i / 300)) * row[i % 300]!);
    const layers = await partsOf(await analyticKernel(mlp(300, { depth: 2 }), matrix(130, 300, data)));
    // E[slope slope'] is a half for samples of one direction and nothing for opposite ones, times sigma_w^2 = 2.
    for (const [i, b] of layers[0]!.B.data.entries()) {
      const same = Math.floor(i / 130) % 2 === (i % 130) % 2;
      expect(b).toBeCloseTo(Number(same), 12);
    }
  });

  it("gives zero, not NaN, for a zero input without biases", async () => {
    const x = matrix(2, 3, Float64Array.of(0, 0, 0, 1, 2, 3));
    const theta = await ntk(await analyticKernel(mlp(3, { depth: 3 }), x));
    expect([...theta.data].every(Number.isFinite)).toBe(true);
    expect(theta.data[0]).toBe(0);
  });
});
