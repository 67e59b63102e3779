/**
 * @file Pooling, flatten and transpose: values against plain loops, ways back against differences, and ties of a largest value.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createGraph } from "../../src/engine/graph.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { matrix } from "../../src/linalg/matrix.ts";
import { serial } from "../../src/network/layers.ts";
import { OPS } from "../../src/ops/index.ts";
import type { Op, Shape } from "../../src/ops/op.ts";
import { randomState } from "../../src/random/random-state.ts";
import { checkJacobianAlong } from "../support/differences.ts";
import { plainWindows, type Geometry } from "../support/plain-windows.ts";
import { float64Engine, relativeError, samplesFor } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const {
  averagePool,
  dense,
  flatten,
  globalAveragePool,
  globalMaxPool,
  globalSumPool,
  maxPool,
  reshape,
  sumPool,
  transpose,
} = OPS;

const variances = { weightVariance: 1.7, biasVariance: 0.3 };

/** The value of an op without parameters on samples of a shape. */
async function valueOf(op: Op, shape: Shape, x: Float64Array): Promise<number[]> {
  const engine = await float64Engine();
  const g = createGraph("float64");
  const given = { inputs: [g.input("x", ["N", ...shape])], shapes: [shape] };
  g.output("y", op.forward(g, given).output, ["N", ...op.shape([shape])]);
  const program = await engine.compile(g);
  const N = x.length / shape.reduce((a, b) => a * b, 1);
  const { y } = await program.run({ x: engine.tensor(x, [N, ...shape]) }, { y: null });
  await program.release();
  return [...(y!.data as Float64Array)];
}

const pair = (max: number) =>
  fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max })) as fc.Arbitrary<[number, number]>;

/** Windows in which each has a pixel, and images that they fit into. */
const windows = fc
  .record({
    kernel: pair(3),
    stride: pair(3),
    dilation: pair(2),
    padding: fc.constantFrom<Geometry["padding"]>("same", "valid", "circular", [
      [0, 1],
      [1, 0],
    ]),
    extra: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
    seed: fc.integer({ min: 0, max: 1e6 }),
  })
  .filter(({ kernel, padding }) => typeof padding === "string" || kernel.every((k) => k > 1))
  .map(({ kernel, extra, seed, ...rest }) => {
    const span = kernel.map((k, a) => (k - 1) * rest.dilation[a]! + 1);
    const shape: [number, number, number] = [span[0]! + extra[0], span[1]! + extra[1], 2];
    return { geometry: { kernel, ...rest }, shape, seed };
  });

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

type Pool = { make: typeof averagePool; of: (values: readonly number[], places: number) => number };
const POOLS: Record<string, Pool> = {
  averagePool: { make: averagePool, of: (values, places) => sum(values) / places },
  "averagePool of what a window covers": {
    make: (size, options) => averagePool(size, { ...options, countPadding: false }),
    of: (values) => sum(values) / values.length,
  },
  sumPool: { make: sumPool, of: sum },
  maxPool: { make: maxPool, of: (values) => Math.max(...values) },
};

describe.each(Object.entries(POOLS))("%s", (_, { make, of }) => {
  it("has the values of plain loops", async () => {
    await fc.assert(
      fc.asyncProperty(windows, async ({ geometry, shape, seed }) => {
        const { kernel, ...options } = geometry;
        const x = randomState(seed).normalsInto(new Float64Array(shape[0] * shape[1] * shape[2]));
        const plain = plainWindows({ shape, data: x }, geometry);
        const op = make(kernel, options);
        expect(op.shape([shape])).toEqual([plain.rows, plain.cols, 2]);
        const wanted = plain.windows.flatMap((window) =>
          [0, 1].map((c) =>
            of(
              window.flatMap((pixel) => (pixel ? [pixel[c]!] : [])),
              window.length,
            ),
          ),
        );
        expect(relativeError(await valueOf(op, shape, x), wanted)).toBeLessThan(TOLERANCE.twin);
      }),
      { numRuns: 25 },
    );
  });

  it.each([1, 3])("has the way back that differences of %i outputs give", async (C) => {
    await fc.assert(
      fc.asyncProperty(windows, async ({ geometry: { kernel, ...options }, shape, seed }) => {
        const before = shape.reduce((a, b) => a * b, 1);
        const pool = make(kernel, options);
        const network = serial(2, dense(before, variances), reshape(...shape), pool, flatten(), dense(C));
        await checkJacobianAlong(network, samplesFor(network, seed), seed);
      }),
      { numRuns: 12 },
    );
  });
});

describe("pooling", () => {
  it("strides by its size unless told otherwise, also along a sequence", async () => {
    expect(await valueOf(sumPool(2), [5, 1], Float64Array.of(1, 2, 3, 4, 5))).toEqual([3, 7]);
    expect(await valueOf(sumPool(2, { stride: 1 }), [5, 1], Float64Array.of(1, 2, 3, 4, 5))).toEqual([
      3, 5, 7, 9,
    ]);
  });

  it.each([
    ["globalAveragePool", globalAveragePool, (values: number[]) => sum(values) / values.length],
    ["globalSumPool", globalSumPool, sum],
    ["globalMaxPool", globalMaxPool, (values: number[]) => Math.max(...values)],
  ])("%s covers all positions", async (_, make, of) => {
    for (const shape of [
      [5, 2],
      [3, 2, 2],
    ]) {
      const x = randomState(3).normalsInto(new Float64Array(shape.reduce((a, b) => a * b, 1)));
      const wanted = [0, 1].map((c) => of(Array.from(x.filter((_, i) => i % 2 === c))));
      expect(make().shape([shape])).toEqual([2]);
      expect(relativeError(await valueOf(make(), shape, x), wanted)).toBeLessThan(TOLERANCE.twin);
      for (const C of [1, 3]) {
        const before = x.length;
        const network = serial(3, dense(before, variances), reshape(...shape), make(), dense(C));
        await checkJacobianAlong(network, samplesFor(network, 4), 4);
      }
    }
  });

  it.each([
    ["maxPool", maxPool(3)],
    ["globalMaxPool", globalMaxPool()],
  ])("%s sends the derivative of a tie to the first place that has it", async (_, pool) => {
    const engine = await float64Engine();
    // The bias is what moves places: two of three have the largest value.
    const network = serial(1, dense(3, variances), reshape(3, 1), pool, flatten(), dense(1));
    const weights = createWeights(network, [Float64Array.of(1, 2, 3, 2, 3, 2), Float64Array.of(1)]);
    const { layers } = await (
      await createLinearizer(engine, network)
    ).linearize(weights, matrix(1, 1, Float64Array.of(0)));
    const signals = [...layers[0]!.signals.data];
    expect(signals.map((signal) => signal !== 0)).toEqual([true, false, false]);
  });
});

describe("flatten and transpose", () => {
  it("put the numbers of a sample in another order", async () => {
    const x = Float64Array.from({ length: 12 }, (_, i) => i);
    expect(flatten().shape([[3, 2, 2]])).toEqual([12]);
    expect(await valueOf(flatten(), [3, 2, 2], x)).toEqual([...x]);
    expect(transpose(2, 0, 1).shape([[3, 2, 1]])).toEqual([1, 3, 2]);
    expect(await valueOf(transpose(1, 0), [3, 2], x)).toEqual([0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
  });

  it.each([1, 3])("have the ways back that differences of %i outputs give", async (C) => {
    const network = serial(
      2,
      dense(12, variances),
      reshape(3, 2, 2),
      transpose(2, 0, 1),
      flatten(),
      dense(C),
    );
    await checkJacobianAlong(network, samplesFor(network, 5), 5);
  });

  it("refuse what is no permutation, and other axes", () => {
    expect(() => transpose(0, 2)).toThrow('transpose: wanted each of 0, 1, ... once, got "0, 2"');
    expect(() => transpose(1, 0).shape([[3, 2, 2]])).toThrow(
      "transpose(1, 0): wanted values with 2 axes, got values with 3 axes",
    );
  });
});
