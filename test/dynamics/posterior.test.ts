/**
 * @file The law of trained infinitely wide networks, against Neural Tangents, against many wide networks, and in its
 * limits.
 */
import { describe, expect, it } from "vitest";
import { createPosterior, deviations, type PosteriorKernels } from "../../src/dynamics/posterior.ts";
import { gradientFlow } from "../../src/dynamics/gradient-flow.ts";
import { SingularGramError } from "../../src/error.ts";
import { analyticKernel } from "../../src/kernel/analytic.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { expandOutputs } from "../../src/kernel/parts.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { matrix, rowRange, trace, zeros, type Matrix } from "../../src/linalg/matrix.ts";
import { initialise } from "../../src/network/initialise.ts";
import { mlp } from "../../src/network/mlp.ts";
import { type Network } from "../../src/network/network.ts";
import { peerFixture, variances } from "../support/fixtures.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { partsOf } from "../support/kernels.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const gd = await peerFixture("gd");
const [xTrain, xTest] = [gd.get("x_train"), gd.get("x_test")];
const KINDS = ["ntk", "nngp"] as const;

const networkOf = (outputs: number, width = 8): Network =>
  mlp(5, { depth: 3, width, outputs, ...variances("bias") });
const kernelsOf = async (network: Network, train: Matrix, test: Matrix): Promise<PosteriorKernels> => ({
  train: await analyticKernel(network, train),
  test: await analyticKernel(network, test, train),
  testTest: await analyticKernel(network, test),
});
const kernels = await kernelsOf(networkOf(1), xTrain, xTest);
const y = gd.get("y_out1");

describe.each([1, 3])("the posterior with %i outputs is that of Neural Tangents", (C) => {
  const name = `relu_depth3_bias_out${C}`;
  const labels = gd.get(`y_out${C}`);
  const expectPeer = (got: Matrix, key: string, k = 0): void => {
    const wanted = gd.get(`${name}_${key}`).data.subarray(k * got.data.length, (k + 1) * got.data.length);
    expect(relativeError(got.data, wanted), key).toBeLessThan(TOLERANCE.peer);
  };

  it.each(KINDS)("at every time, %s", async (kind) => {
    const posterior = await createPosterior(kernels, labels, { kind });
    for (const [k, t] of gd.get("times").data.entries()) {
      // Its time is eta t / (N C) against eta t / N here.
      const { mean, covariance } = await posterior.at((gd.get("learning_rate").data[0]! * t) / C);
      expectPeer(mean, `ensemble_${kind}_mean`, k);
      expectPeer(covariance, `ensemble_${kind}_covariance`, k);
    }
  });

  it.each(KINDS)("at convergence, %s", async (kind) => {
    const { mean, covariance } = await (await createPosterior(kernels, labels, { kind })).at(Infinity);
    expectPeer(mean, `ensemble_${kind}_mean_inf`);
    expectPeer(covariance, `ensemble_${kind}_covariance_inf`);
  });

  it.each(KINDS)("regularised, %s", async (kind) => {
    const inverted = kind === "ntk" ? await kernels.train.matrix() : (await partsOf(kernels.train)).at(-1)!.A;
    const amounts = { relative: (0.01 * trace(inverted)) / inverted.rows, absolute: 0.01 };
    for (const [how, regularisation] of Object.entries(amounts)) {
      const { mean, covariance } = await (
        await createPosterior(kernels, labels, { kind, regularisation })
      ).at(Infinity);
      expectPeer(mean, `gp_${how}_${kind}_mean`);
      expectPeer(covariance, `gp_${how}_${kind}_covariance`);
    }
  });
});

describe.each(KINDS)("the %s posterior", (kind) => {
  it("is the prior at time 0", async () => {
    const { mean, covariance } = await (await createPosterior(kernels, y, { kind })).at(0);
    expect(Math.max(...mean.data.map(Math.abs))).toBe(0);
    const { A } = (await partsOf(kernels.testTest)).at(-1)!;
    expect(relativeError(covariance.data, A.data)).toBeLessThan(1e-14);
  });

  it("tends to that of convergence, regularised or not", async () => {
    for (const regularisation of [0, 0.1]) {
      const posterior = await createPosterior(kernels, y, { kind, regularisation });
      const [late, last] = [await posterior.at(1e6), await posterior.at(Infinity)];
      expect(relativeError(late.mean.data, last.mean.data)).toBeLessThan(TOLERANCE.twin);
      expect(relativeError(late.covariance.data, last.covariance.data)).toBeLessThan(TOLERANCE.twin);
    }
  });

  it("knows the labels of the training samples at convergence", async () => {
    const posterior = await createPosterior(await kernelsOf(networkOf(1), xTrain, xTrain), y, { kind });
    const early = await posterior.at(1);
    const last = await posterior.at(Infinity);
    expect(relativeError(last.mean.data, y.data)).toBeLessThan(TOLERANCE.twin);
    expect(Math.max(...deviations(last))).toBeLessThan(1e-6);
    expect(Math.min(...deviations(early))).toBeGreaterThan(1e-3);
  });

  it("needs no inverse at a finite time, and says so at convergence", async () => {
    const twice = zeros(4, 5);
    for (const row of [0, 2]) twice.data.set(xTrain.data.subarray(0, 10), row * 5);
    const labels = rowRange(y, 0, 4);
    const posterior = await createPosterior(await kernelsOf(networkOf(1), twice, xTest), labels, { kind });
    const { mean, covariance } = await posterior.at(1000);
    for (const x of [...mean.data, ...covariance.data]) expect(Number.isFinite(x)).toBe(true);
    await expect(posterior.at(Infinity)).rejects.toThrow(SingularGramError);
    await expect(posterior.at(-1)).rejects.toThrow("posterior time: wanted a number >= 0, got -1");
  });

  it.each(KINDS)("at any late time of samples that come twice it is that of each once, %s", async (kind) => {
    const twice = zeros(4, 5);
    for (const row of [0, 2]) twice.data.set(xTrain.data.subarray(0, 10), row * 5);
    const means = matrix(2, 1, Float64Array.of((y.data[0]! + 0.25) / 2, (y.data[1]! - 0.5) / 2));
    const labels = matrix(4, 1, Float64Array.of(y.data[0]!, y.data[1]!, 0.25, -0.5));
    const singular = await createPosterior(await kernelsOf(networkOf(1), twice, xTest), labels, { kind });
    const once = await kernelsOf(networkOf(1), rowRange(xTrain, 0, 2), xTest);
    const wanted = await (await createPosterior(once, means, { kind })).at(Infinity);
    for (const time of [1e9, 1e15, 1e18, 1e30, 1e300]) {
      const { mean, covariance } = await singular.at(time);
      expect(relativeError(mean.data, wanted.mean.data), `mean at ${time}`).toBeLessThan(1e-8);
      expect(relativeError(covariance.data, wanted.covariance.data), `at ${time}`).toBeLessThan(1e-8);
    }
  });
});

describe("the posterior", () => {
  it("of the last layer at convergence shrinks with every sample", async () => {
    const few = await kernelsOf(networkOf(1), rowRange(xTrain, 0, 3), xTest);
    const variance = async (k: PosteriorKernels, labels: Matrix) =>
      deviations(await (await createPosterior(k, labels, { kind: "nngp" })).at(Infinity));
    const [less, more] = [await variance(few, rowRange(y, 0, 3)), await variance(kernels, y)];
    for (const [n, deviation] of more.entries()) expect(deviation).toBeLessThanOrEqual(less[n]! + 1e-9);
  });

  it("has the mean and variance of wide networks trained by gradient flow", async () => {
    const engine = await float64Engine();
    const network = networkOf(1, 256);
    const linearizer = await createLinearizer(engine, network);
    const [draws, time] = [200, 30];
    const [sum, squares] = [new Float64Array(xTest.rows), new Float64Array(xTest.rows)];
    for (let seed = 0; seed < draws; seed++) {
      const weights = createWeights(network, initialise(engine, network, seed));
      const start = {
        train: await linearizer.forward(weights, xTrain),
        test: await linearizer.forward(weights, xTest),
      };
      const { train, others } = await empiricalKernel(linearizer, weights, xTrain, [xTest]);
      const flow = await gradientFlow({ train, test: others[0]! }, start, y, { learningRate: time });
      for (const [n, f] of (await flow.step()).test.data.entries()) {
        sum[n]! += f / draws;
        squares[n]! += f ** 2 / draws;
      }
    }
    const posterior = await (await createPosterior(kernels, y)).at(time);
    const wanted = deviations(posterior);
    for (const [n, mean] of sum.entries()) {
      expect(Math.abs(mean - posterior.mean.data[n]!)).toBeLessThan(0.25 * wanted[n]!);
      expect(Math.sqrt(squares[n]! - mean ** 2) / wanted[n]!).toBeCloseTo(1, 0.7);
    }
  });

  it("is refused for kernels whose outputs are not independent", async () => {
    const expanded = { ...kernels, train: expandOutputs({ ...kernels.train, copies: 3 }) };
    await expect(createPosterior(expanded, matrix(6, 3, new Float64Array(18)))).rejects.toThrow(
      "posterior: wanted kernels of one output, got 3 outputs",
    );
  });
});
