import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createGrams } from "../../src/kernel/gram.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { linearizedKernel } from "../../src/kernel/linearized.ts";
import { restrictKernel } from "../../src/kernel/parts.ts";
import { whitenKernel } from "../../src/kernel/whiten.ts";
import { createJacobian } from "../../src/jacobian/jacobian.ts";
import { crossEntropy } from "../../src/loss/index.ts";
import { matrix, multiply, transpose, zeros, type Matrix } from "../../src/linalg/matrix.ts";
import { randomState } from "../../src/random/random-state.ts";
import { ntk, partsOf } from "../support/kernels.ts";
import { float64Engine, relativeError, tiny, tinyCase } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const close = (got: Matrix, wanted: Matrix): void => {
  expect([got.rows, got.cols]).toEqual([wanted.rows, wanted.cols]);
  expect(relativeError(got.data, wanted.data)).toBeLessThan(TOLERANCE.twin);
};

describe("Grams in tiles", () => {
  it("are a b^T, and exactly symmetric where both sides are one", async () => {
    const engine = await float64Engine();
    const grams = createGrams(engine);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 40 }),
        async (n, m, tile) => {
          const { normalsInto } = randomState(n * 100 + m);
          const [a, b] = [n, m].map((rows) => matrix(rows, 5, normalsInto(new Float64Array(rows * 5))));
          close(await grams.product(a!, b!, { tile }), multiply(a!, transpose(b!)));
          const gram = await grams.product(a!, undefined, { tile });
          close(gram, multiply(a!, transpose(a!)));
          expect(transpose(gram)).toEqual(gram);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("sum over the layers to the NTK, and tell how many tiles are done", async () => {
    await fc.assert(
      fc.asyncProperty(tinyCase({ maxSamples: 7 }), fc.integer({ min: 1, max: 4 }), async (sizes, tile) => {
        const { engine, linearizer, weights, train, test } = await tiny(sizes);
        const { train: kernel, others } = await empiricalKernel(linearizer, weights, train, [test]);
        const { layers } = await linearizer.linearize(weights, train);
        const told: [number, number][] = [];
        const theta = await createGrams(engine).theta(layers, undefined, {
          tile,
          progress: (...at) => told.push(at),
        });
        close(theta, await ntk(kernel));
        expect(transpose(theta)).toEqual(theta);
        const side = Math.ceil(train.rows / tile);
        expect(told.at(-1)).toEqual([(side * (side + 1)) / 2, (side * (side + 1)) / 2]);

        const summed = await empiricalKernel(linearizer, weights, train, [test], { needs: "ntk" });
        expect(summed.train.blocks).toBeUndefined();
        close(await ntk(summed.train), await ntk(kernel));
        close(await ntk(summed.others[0]!), await ntk(others[0]!));
      }),
      { numRuns: 20 },
    );
  });
});

describe("a kernel", () => {
  const parts = async (kernel: Kernel, chosen: readonly number[]) => {
    const n = kernel.cols * kernel.outputs;
    const v = Float64Array.from({ length: n }, (_, i) => Math.cos(i));
    return [
      await kernel.matrix(),
      matrix(n, 1, await kernel.times(v)),
      await kernel.diagonal(),
      await kernel.rowsOf(chosen),
    ];
  };

  it("of a linearisation is the sum of those of its layers, plain and with a curvature folded in", async () => {
    await fc.assert(
      fc.asyncProperty(tinyCase(), async (sizes) => {
        const { engine, linearizer, weights, train } = await tiny(sizes);
        const linearization = await linearizer.linearize(weights, train);
        const tools = {
          grams: createGrams(engine),
          jacobian: createJacobian(engine),
          epsilon: engine.epsilon,
        };
        const own = linearizedKernel(linearization, tools);
        const { train: kernel } = await empiricalKernel(linearizer, weights, train);
        const chosen = [train.rows - 1, 0].slice(0, train.rows);
        const plain = await parts(kernel, chosen);
        for (const [i, part] of (await parts(own, chosen)).entries()) close(part, plain[i]!);

        if (sizes.outputs === 1) return;
        const y = zeros(train.rows, sizes.outputs);
        for (let i = 0; i < y.rows; i++) y.data[i * y.cols] = 1;
        const { factor } = crossEntropy.curvature!(linearization.outputs, y);
        const whitened = await parts(whitenKernel(kernel, factor), chosen);
        for (const [i, part] of (await parts(whitenKernel(own, factor), chosen)).entries()) {
          close(part, whitened[i]!);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe("restrictKernel", () => {
  it("is the kernel of the samples that it keeps", async () => {
    const sizes = { depth: 3, inputs: 3, width: 4, outputs: 2, samples: 5, bias: true, seed: 8 };
    const { linearizer, weights, train, test } = await tiny(sizes);
    const kept = [3, 0, 4];
    const rows = matrix(
      3,
      3,
      Float64Array.from(kept.flatMap((n) => [...train.data.subarray(3 * n, 3 * n + 3)])),
    );
    const all = await empiricalKernel(linearizer, weights, train, [test]);
    const part = await empiricalKernel(linearizer, weights, rows, [test]);
    const restricted = restrictKernel(all.train, kept, kept);
    const cross = restrictKernel(all.others[0]!, kept);
    for (const [got, wanted] of [
      [restricted, part.train],
      [cross, part.others[0]!],
    ] as const) {
      expect(got.cols).toBe(3);
      const found = await partsOf(got);
      for (const [l, layer] of (await partsOf(wanted)).entries()) {
        close(found[l]!.A, layer.A);
        close(found[l]!.B, layer.B);
        close(found[l]!.units!.rows as Matrix, layer.units!.rows as Matrix);
        close(found[l]!.units!.train as Matrix, layer.units!.train as Matrix);
      }
    }
  });
});
