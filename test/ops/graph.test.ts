/**
 * @file Networks as graphs of ops: their Jacobians against differences of their outputs, also where a value has an axis more or
 * is used twice; and what they refuse.
 */
import { describe, expect, it } from "vitest";
import { analyticNtk } from "../../src/kernel/analytic.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { matrix } from "../../src/linalg/matrix.ts";
import { initialise } from "../../src/network/initialise.ts";
import { residual, serial } from "../../src/network/layers.ts";
import { type Network } from "../../src/network/network.ts";
import { OPS } from "../../src/ops/index.ts";
import { only } from "../../src/ops/op.ts";
import { randomState } from "../../src/random/random-state.ts";
import { checkJacobian } from "../support/differences.ts";
import { float64Engine } from "../support/tiny.ts";

const { dense, relu, reshape } = OPS;

const biases = { biasVariance: 0.3 };

/** dense - relu - (dense + identity) - relu - dense. */
const branching = (outputs: number): Network =>
  serial(3, dense(4, biases), relu(), residual(dense(4, biases)), relu(), dense(outputs, biases));

const folded = (outputs: number): Network =>
  serial(3, dense(6, biases), reshape(2, 3), relu(), reshape(6), dense(5), relu(), dense(outputs, biases));

describe.each([
  ["a chain with an axis more on its way", folded],
  ["a network in which a value is used twice", branching],
])("%s", (_, networkOf) => {
  it.each([1, 3])("has the Jacobian that differences of its %i outputs give", async (C) => {
    const network = networkOf(C);
    const { normalsInto } = randomState(4);
    const x = matrix(4, 3, normalsInto(new Float64Array(12)));
    await checkJacobian(network, x, 4);
    // Its kernel has a block per parameter.
    const engine = await float64Engine();
    const weights = createWeights(network, initialise(engine, network, 4));
    const linearizer = await createLinearizer(engine, network);
    const { train } = await empiricalKernel(linearizer, weights, x);
    expect(train.blocks).toHaveLength(3);
  });
});

describe("a reshape", () => {
  it("changes no kernel", async () => {
    const x = matrix(4, 3, randomState(5).normalsInto(new Float64Array(12)));
    const plain = serial(3, dense(6, biases), relu(), dense(5), relu(), dense(1, biases));
    expect([...(await analyticNtk(folded(1), x)).data]).toEqual([...(await analyticNtk(plain, x)).data]);
  });

  it("wants as many numbers as there are", () => {
    expect(() => serial(3, dense(6), reshape(2, 4), dense(1))).toThrow(
      "reshape(2, 4): wanted 8 numbers per sample, got 6 numbers per sample",
    );
    expect(() => reshape(2, 0)).toThrow("reshape: wanted a whole number >= 1, got 0");
  });
});

describe("a graph of ops", () => {
  it("refuses outputs of two axes, and two inputs where an op has one", () => {
    expect(() => serial(6, dense(6), reshape(2, 3), dense(1))).toThrow(
      "outputs: wanted values with one axis, got 2 axes",
    );
    expect(() => only("relu", [1, 2])).toThrow("relu: wanted 1 input, got 2 inputs");
  });

  it("has no analytic kernel where it branches", async () => {
    const x = matrix(2, 3, randomState(6).normalsInto(new Float64Array(6)));
    await expect(analyticNtk(branching(1), x)).rejects.toThrow(
      "analytic kernel: wanted a chain of layers, got one that branches at sum",
    );
  });
});
