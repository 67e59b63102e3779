/**
 * @file Drawn units of the infinite network: their Grams are the analytic ones, and unit-wise steps with them are those
 * of wide networks.
 */
import { describe, expect, it } from "vitest";
import { isotropy } from "../../src/dynamics/isotropy.ts";
import { unitWise } from "../../src/fisher/index.ts";
import { analyticKernel } from "../../src/kernel/analytic.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { withUnits } from "../../src/kernel/units.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";
import { product } from "../../src/linalg/product.ts";
import { initialise } from "../../src/network/initialise.ts";
import { mlp } from "../../src/network/mlp.ts";
import { randomState } from "../../src/random/random-state.ts";
import { partsOf } from "../support/kernels.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";

const samples = (seed: number, rows: number): Matrix =>
  matrix(rows, 6, randomState(seed).normalsInto(new Float64Array(rows * 6)));
const [xTrain, xTest] = [samples(1, 5), samples(2, 3)];

const kernelsOf = async (outputs: number, width: number) => {
  const network = mlp(6, { depth: 3, width, outputs, biasVariance: 0.1 });
  const kernels = {
    train: await analyticKernel(network, xTrain),
    test: await analyticKernel(network, xTest, xTrain),
  };
  return { network, kernels };
};

describe("units drawn from the infinite network", () => {
  it.each([1, 2])("have the Grams of the analytic kernel, %i outputs", async (outputs) => {
    const { network, kernels } = await kernelsOf(outputs, 20_000);
    const units = await withUnits(network, kernels, xTrain, xTest, randomState(3));
    for (const side of ["train", "test"] as const) {
      for (const { units: drawn, B } of await partsOf(units[side])) {
        const gram = await product(drawn!.rows as Matrix, drawn!.train as Matrix, { transB: true });
        expect(relativeError(gram.data, B.data)).toBeLessThan(0.05);
      }
    }
  });

  it.each([1, 3])("predict the unit-wise step of a wide network, %i outputs", async (outputs) => {
    const width = 3000;
    const damping = 1e-3;
    const { network, kernels } = await kernelsOf(outputs, width);
    const engine = await float64Engine();
    const linearizer = await createLinearizer(engine, network);
    const weights = createWeights(network, initialise(engine, network, 4));
    const { train, others } = await empiricalKernel(linearizer, weights, xTrain, [xTest]);
    const units = await withUnits(network, kernels, xTrain, xTest, randomState(5));
    const residual = randomState(6).normalsInto(new Float64Array(5 * outputs));
    const step = async (pair: typeof units) => {
      const prepared = await unitWise.prepare(pair.train, damping);
      return (await prepared.onto(pair.test))(residual);
    };
    expect(relativeError(await step(units), await step({ train, test: others[0]! }))).toBeLessThan(0.2);
  });

  it("make unit-wise NGD isotropic with the alpha of the theory, as far as the width allows", async () => {
    const { network, kernels } = await kernelsOf(1, 4000);
    const units = await withUnits(network, kernels, xTrain, xTest, randomState(8));
    const { alpha, deviation } = await isotropy(unitWise, units.train, { damping: 1e-9 });
    const theory = unitWise.alpha({ samples: 5, layers: 3, width: 4000, outputs: 1 })!;
    expect(Math.abs(alpha / theory - 1)).toBeLessThan(0.05);
    expect(deviation).toBeLessThan(0.2);
  });

  it("are refused by unit-wise NGD when there are none", async () => {
    const { kernels } = await kernelsOf(1, 10);
    const prepared = await unitWise.prepare(kernels.train, 1e-3);
    await expect(prepared.solve(new Float64Array(5))).rejects.toThrow(/^unit_wise: wanted a kernel with/);
  });
});
