/**
 * @file The default learning rate where the theory has no alpha: it is measured on the network's own kernel.
 */
import { EigenvalueDecomposition, Matrix as MlMatrix } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { alphaOf, measuredRate } from "../../src/dynamics/alpha.ts";
import { train } from "../../src/dynamics/train.ts";
import { blockDiagonal, blockTriDiagonal, exact, gradient, kfac, unitWise } from "../../src/fisher/index.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";
import { mse } from "../../src/loss/index.ts";
import { initialise } from "../../src/network/initialise.ts";
import { residual, serial } from "../../src/network/layers.ts";
import { mlp } from "../../src/network/mlp.ts";
import { OPS } from "../../src/ops/index.ts";
import { randomState } from "../../src/random/random-state.ts";
import { float64Engine } from "../support/tiny.ts";

const { dense, relu, reshape } = OPS;
const N = 4;
const DAMPING = 1e-2;

/** A layer on three tokens, a branch, and a layer on all of them. */
const tokens = serial([3, 2], dense(8), relu(), residual(dense(8)), relu(), reshape(24), dense(1));

async function problem() {
  const engine = await float64Engine();
  const { normalsInto } = randomState(3);
  const draw = (rows: number, cols: number): Matrix =>
    matrix(rows, cols, normalsInto(new Float64Array(rows * cols)));
  const data = { xTrain: draw(N, 6), yTrain: draw(N, 1), xTest: draw(2, 6), yTest: draw(2, 1) };
  const linearizer = await createLinearizer(engine, tokens);
  return { engine, data, linearizer, weights: createWeights(tokens, initialise(engine, tokens, 1)) };
}

describe("alpha of the theory", () => {
  it("is there for K-FAC and unit-wise steps on chains of dense layers alone", () => {
    const chain = mlp(3, { depth: 3, width: 16 });
    expect(alphaOf(kfac, chain, mse, 5)).toBe(11);
    expect(alphaOf(unitWise, chain, mse, 5)).toBe(17);
    expect(alphaOf(kfac, tokens, mse, 5)).toBeUndefined();
    expect(alphaOf(unitWise, tokens, mse, 5)).toBeUndefined();
  });

  it("is that of exact and layer-wise steps on any network", () => {
    expect(alphaOf(exact, tokens, mse, 5)).toBe(1);
    expect(alphaOf(blockDiagonal, tokens, mse, 5)).toBe(3);
    // The branch is fed by the first layer and feeds the last, which the first feeds too: T is all ones, and singular.
    expect(() => alphaOf(blockTriDiagonal, tokens, mse, 5)).toThrow(
      /^network: wanted one whose coupling .*, got 3 blocks with a singular one$/,
    );
    expect(alphaOf(blockTriDiagonal, tokens, mse, 5, "least_norm")).toBe(1);
  });
});

describe("the measured learning rate", () => {
  it.each([kfac, unitWise])("is of tr G / n of $name, or of its largest eigenvalue", async (method) => {
    const { linearizer, weights, data } = await problem();
    const { train: kernel } = await empiricalKernel(linearizer, weights, data.xTrain);
    const G = await (await method.prepare(kernel, DAMPING)).onto(kernel);
    const columns: number[][] = [];
    for (let i = 0; i < N; i++) {
      const unit = new Float64Array(N);
      unit[i] = 1;
      columns.push([...(await G(unit))]);
    }
    const { realEigenvalues, imaginaryEigenvalues } = new EigenvalueDecomposition(
      new MlMatrix(columns).transpose(),
    );
    const stable = Math.min(
      ...realEigenvalues.map((re, i) => (2 * re) / (re ** 2 + imaginaryEigenvalues[i]! ** 2)),
    );
    const trace = realEigenvalues.reduce((sum, x) => sum + x);
    const found = await measuredRate(
      { method, linearizer, weights, data, loss: mse },
      { samples: N, damping: DAMPING },
    );
    expect(found.alpha).toBeCloseTo(trace / N, 10);
    // A narrow network is far from G = alpha I.
    expect(found.by).toBe("stability");
    expect(found.learningRate / (stable / 2)).toBeCloseTo(1, 8);
  });

  it("is 1 / alpha where G = alpha I", async () => {
    const { linearizer, weights, data } = await problem();
    const on = { method: exact, linearizer, weights, data, loss: mse };
    const { alpha, learningRate } = await measuredRate(on, { samples: N });
    expect(alpha).toBeCloseTo(1, 6);
    expect(learningRate).toBeCloseTo(1, 6);
  });

  it("is that of train()", async () => {
    const { engine, data, linearizer, weights } = await problem();
    const samples = { samples: N, damping: DAMPING };
    const on = { method: kfac, linearizer, weights, data, loss: mse };
    const { learningRate } = await measuredRate(on, samples);
    const lossAfter = async (rate?: number): Promise<number> => {
      let last = Number.NaN;
      const options = { engine, steps: 1, damping: DAMPING, kernel: "none" as const, learningRate: rate };
      for await (const { network } of train({ network: tokens, data, loss: mse, method: kfac }, options)) {
        last = network.trainLoss;
      }
      return last;
    };
    expect(await lossAfter()).toBe(await lossAfter(learningRate));
  });

  it("is not there for gradient descent", async () => {
    const { engine, data } = await problem();
    const rows = train({ network: tokens, data, loss: mse, method: gradient }, { engine, steps: 1 });
    await expect(rows.next()).rejects.toThrow("learningRate: wanted a number for gradient, got none");
  });
});
