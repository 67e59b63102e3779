/**
 * @file Parameterisations: one function at the start, different kernels; and the finite and infinite faces agree on each.
 */
import { describe, expect, it } from "vitest";
import { createTrainer } from "../../src/dynamics/trainer.ts";
import { blockDiagonal, exact, gradient, kfac, type Fisher } from "../../src/fisher/index.ts";
import { analyticKernel } from "../../src/kernel/analytic.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { mse } from "../../src/loss/mse.ts";
import { matrix, norm, type Matrix } from "../../src/linalg/matrix.ts";
import { initialise } from "../../src/network/initialise.ts";
import { mlp } from "../../src/network/mlp.ts";
import { PARAMETERIZATIONS, type Parameterization } from "../../src/ops/parameterization.ts";
import { randomState } from "../../src/random/random-state.ts";
import { ntk, partsOf } from "../support/kernels.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";

const x = matrix(5, 6, randomState(1).normalsInto(new Float64Array(30)));
const y = matrix(5, 1, randomState(2).normalsInto(new Float64Array(5)));

async function open(parameterization: Parameterization, width: number, seed = 3) {
  const engine = await float64Engine();
  const network = mlp(6, { depth: 3, width, biasVariance: 0.1, parameterization });
  const linearizer = await createLinearizer(engine, network);
  return { network, linearizer, weights: createWeights(network, initialise(engine, network, seed)) };
}

/** Change of the outputs in one step, [5, 1]. */
async function change(fisher: Fisher, parameterization: Parameterization, width: number, damping: number) {
  const { linearizer, weights } = await open(parameterization, width);
  const trainer = createTrainer(linearizer, weights, fisher, mse, { x, y });
  const { before } = await trainer.step({ learningRate: 1e-4, damping });
  const after = await trainer.evaluate();
  return before.train.data.map((f, i) => (f - after.train.data[i]!) / 1e-4);
}

describe.each(PARAMETERIZATIONS)("%s", (parameterization) => {
  it("has an analytic kernel that is the mean of its wide networks", async () => {
    const width = 300;
    const { network, linearizer } = await open(parameterization, width);
    const mean = new Float64Array(25);
    const layers = network.blocks.map(() => new Float64Array(25));
    const repeats = 24;
    for (let seed = 0; seed < repeats; seed++) {
      const { weights } = await open(parameterization, width, seed);
      const { train } = await empiricalKernel(linearizer, weights, x);
      for (const [i, v] of (await ntk(train)).data.entries()) mean[i]! += v / repeats;
      for (const [l, { A }] of (await partsOf(train)).entries()) {
        for (const [i, v] of A.data.entries()) layers[l]![i]! += v / repeats;
      }
    }
    const analytic = await analyticKernel(network, x);
    expect(relativeError(mean, (await ntk(analytic)).data)).toBeLessThan(0.08);
    for (const [l, { A }] of (await partsOf(analytic)).entries()) {
      expect(relativeError(layers[l]!, A.data), `A_${l + 1}`).toBeLessThan(0.08);
    }
  });
});

describe("the standard parameterisation", () => {
  it("is the function of the NTK's at the start", async () => {
    const [ntkNetwork, standard] = [await open("ntk", 20), await open("standard", 20)];
    const f = await ntkNetwork.linearizer.forward(ntkNetwork.weights, x);
    const g = await standard.linearizer.forward(standard.weights, x);
    expect(relativeError(g.data, f.data)).toBeLessThan(1e-12);
  });
});

describe("natural gradients without damping", () => {
  it("do not see the multipliers of a layer when they treat layers apart", async () => {
    for (const fisher of [blockDiagonal, kfac]) {
      const ntkChange = await change(fisher, "ntk", 40, 0);
      expect(relativeError(await change(fisher, "standard", 40, 0), ntkChange), fisher.name).toBeLessThan(
        1e-3,
      );
    }
    expect(
      relativeError(await change(exact, "standard", 40, 0), await change(exact, "ntk", 40, 0)),
    ).toBeLessThan(1e-3);
  });
});

describe("maximal update", () => {
  it("moves the outputs by the same order at every width, damped K-FAC and gradient descent alike", async () => {
    const size = async (fisher: Fisher, width: number, damping: number) =>
      norm(matrix(5, 1, await change(fisher, "mup", width, damping)));
    for (const [fisher, damping] of [
      [gradient, 0],
      [kfac, 0.1],
    ] as const) {
      const [narrow, wide] = [await size(fisher, 100, damping), await size(fisher, 1600, damping)];
      expect(wide / narrow, fisher.name).toBeGreaterThan(0.5);
      expect(wide / narrow, fisher.name).toBeLessThan(2);
    }
  });

  it("has outputs at the start that vanish with the width as 1 / sqrt(width)", async () => {
    const size = async (width: number): Promise<number> => {
      let sum = 0;
      for (let seed = 0; seed < 10; seed++) {
        const { linearizer, weights } = await open("mup", width, seed);
        const f: Matrix = await linearizer.forward(weights, x);
        // Without the bias of the output, which does not shrink.
        const bias = weights[2]!.base.at(-1)!;
        sum += norm({ ...f, data: f.data.map((v) => v - bias) });
      }
      return sum;
    };
    const ratio = (await size(100)) / (await size(1600));
    expect(ratio).toBeGreaterThan(2.5);
    expect(ratio).toBeLessThan(6);
  });
});
