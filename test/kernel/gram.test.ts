import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createGrams } from "../../src/kernel/gram.ts";
import { empiricalKernel, empiricalNtk } from "../../src/kernel/empirical.ts";
import { ntk, restrictKernel } from "../../src/kernel/kernel.ts";
import { kernelTangent, linearizedTangent, whitenTangent } from "../../src/kernel/tangent.ts";
import { whitenKernel } from "../../src/kernel/whiten.ts";
import { createJacobian } from "../../src/linearization/jacobian.ts";
import { crossEntropy } from "../../src/loss/index.ts";
import { matrix, multiply, transpose, zeros, type Matrix } from "../../src/matrix/matrix.ts";
import { randomState } from "../../src/random/random-state.ts";
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
        close(theta, ntk(kernel));
        expect(transpose(theta)).toEqual(theta);
        const side = Math.ceil(train.rows / tile);
        expect(told.at(-1)).toEqual([(side * (side + 1)) / 2, (side * (side + 1)) / 2]);

        const summed = await empiricalNtk(linearizer, weights, train, [test]);
        close(summed.train.theta, ntk(kernel));
        close(summed.others[0]!.theta, ntk(others[0]!));
      }),
      { numRuns: 20 },
    );
  });
});

describe("a tangent", () => {
  const parts = async (tangent: ReturnType<typeof kernelTangent>, chosen: readonly number[]) => {
    const n = tangent.samples * tangent.outputs;
    const v = Float64Array.from({ length: n }, (_, i) => Math.cos(i));
    return [
      await tangent.gram(),
      matrix(n, 1, await tangent.apply(v)),
      await tangent.blocks(),
      await tangent.rows(chosen),
    ];
  };

  it("of a linearisation is that of its kernel, plain and with a curvature folded in", async () => {
    await fc.assert(
      fc.asyncProperty(tinyCase(), async (sizes) => {
        const { engine, linearizer, weights, train } = await tiny(sizes);
        const linearization = await linearizer.linearize(weights, train);
        const tools = {
          grams: createGrams(engine),
          jacobian: createJacobian(engine),
          epsilon: engine.epsilon,
        };
        const own = linearizedTangent(linearization, tools);
        const { train: kernel } = await empiricalKernel(linearizer, weights, train);
        const chosen = [train.rows - 1, 0].slice(0, train.rows);
        const plain = await parts(kernelTangent(kernel), chosen);
        for (const [i, part] of (await parts(own, chosen)).entries()) close(part, plain[i]!);

        if (sizes.outputs === 1) return;
        const y = zeros(train.rows, sizes.outputs);
        for (let i = 0; i < y.rows; i++) y.data[i * y.cols] = 1;
        const { factor } = crossEntropy.curvature!(linearization.outputs, y);
        const whitened = await parts(kernelTangent(await whitenKernel(kernel, factor)), chosen);
        for (const [i, part] of (await parts(whitenTangent(own, factor), chosen)).entries()) {
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
      expect(got.samples).toBe(3);
      for (const [l, layer] of wanted.layers.entries()) {
        close(got.layers[l]!.inputGram, layer.inputGram);
        close(got.layers[l]!.signalGram, layer.signalGram);
        close(got.layers[l]!.signals!.rows as Matrix, layer.signals!.rows as Matrix);
        close(got.layers[l]!.signals!.train as Matrix, layer.signals!.train as Matrix);
      }
    }
  });
});
