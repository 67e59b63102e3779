/**
 * @file The NTK in one call: what the kernels with layers add up to, of both kinds, square and between two sets of samples.
 */
import { afterAll, describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/engine.ts";
import { analyticKernel } from "../../src/kernel/analytic.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { ntk } from "../../src/kernel/ntk.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";
import { initialise } from "../../src/network/initialise.ts";
import { mlp } from "../../src/network/mlp.ts";
import { randomState } from "../../src/random/random-state.ts";
import { ntk as sumOf } from "../support/kernels.ts";

const engine = await createEngine({ threads: 1, precision: "float64" });
afterAll(() => engine.release());

const { normalsInto } = randomState(2);
const samples = (rows: number): Matrix => matrix(rows, 5, normalsInto(new Float64Array(5 * rows)));
const [train, test] = [samples(6), samples(4)];
const network = mlp(5, { width: 24, outputs: 2, biasVariance: 0.1 });
const weightsOf = (seed: number) => createWeights(network, initialise(engine, network, seed));

const expectSame = (a: Matrix, b: Matrix): void => {
  expect([a.rows, a.cols]).toEqual([b.rows, b.cols]);
  for (const [i, value] of a.data.entries()) expect(value).toBeCloseTo(b.data[i]!, 10);
};

describe("the NTK in one call", () => {
  it("is that of the infinitely wide network where nothing else is said", async () => {
    expectSame(await ntk(network, train), await sumOf(await analyticKernel(network, train)));
    expectSame(await ntk(network, test, train), await sumOf(await analyticKernel(network, test, train)));
  });

  it("is that of a network at its weights, by default those of seed 1", async () => {
    const linearizer = await createLinearizer(engine, network);
    for (const seed of [1, 7]) {
      const weights = weightsOf(seed);
      const kernels = await empiricalKernel(linearizer, weights, train, [test]);
      const options = { kind: "empirical", engine, ...(seed === 1 ? {} : { weights }) } as const;
      expectSame(await ntk(network, train, train, options), await sumOf(kernels.train));
      expectSame(await ntk(network, test, train, options), await sumOf(kernels.others[0]!));
    }
  });
});
