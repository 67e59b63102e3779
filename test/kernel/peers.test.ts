/**
 * @file Kernels against Neural Tangents in float64, for depths 2 to 5, with and without biases.
 */
import { describe, expect, it } from "vitest";
import { analyticKernel } from "../../src/kernel/analytic.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { blocksOf } from "../../src/kernel/kernel.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { mlp } from "../../src/network/mlp.ts";
import { peerFixture, peerNetwork, variances } from "../support/fixtures.ts";
import { ntk, partsOf } from "../support/kernels.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const DEPTHS = [2, 3, 4, 5];
const BIASES = ["bias", "nobias"] as const;
const cases = DEPTHS.flatMap((depth) => BIASES.map((bias) => [depth, bias] as const));

const analytic = await peerFixture("analytic");
const empirical = await peerFixture("empirical");

describe.each(cases)("the analytic kernel at depth %i, %s", (depth, bias) => {
  const network = mlp(5, { depth, width: 8, ...variances(bias) });
  const [train, test] = [analytic.get("x_train"), analytic.get("x_test")];

  it.each([
    ["train", train, train],
    ["test", test, train],
    ["testtest", test, test],
  ] as const)("is that of Neural Tangents on %s, NNGP and NTK", async (side, x1, x2) => {
    const kernel = await analyticKernel(network, x1, x2, { tile: 3 });
    const { A: nngp } = (await partsOf(kernel)).at(-1)!;
    expect(
      relativeError(nngp.data, analytic.get(`relu_depth${depth}_${bias}_nngp_${side}`).data),
    ).toBeLessThan(TOLERANCE.peer);
    expect(
      relativeError((await ntk(kernel)).data, analytic.get(`relu_depth${depth}_${bias}_ntk_${side}`).data),
    ).toBeLessThan(TOLERANCE.peer);
  });
});

describe.each(cases.flatMap(([depth, bias]) => [1, 3].map((C) => [depth, bias, C] as const)))(
  "the empirical kernel at depth %i, %s, %i outputs",
  (depth, bias, C) => {
    const name = `relu_depth${depth}_${bias}_out${C}`;

    it("is that of Neural Tangents, layer by layer", async () => {
      const { network, thetas } = peerNetwork(empirical, name, depth, C, bias);
      const linearizer = await createLinearizer(await float64Engine(), network);
      const weights = createWeights(network, thetas);
      const [xTrain, xTest] = [empirical.get("x_train"), empirical.get("x_test")];
      expect(
        relativeError((await linearizer.forward(weights, xTest)).data, empirical.get(`${name}_f_test`).data),
      ).toBeLessThan(TOLERANCE.peer);
      // A tile that does not divide the number of samples.
      const { train, others } = await empiricalKernel(linearizer, weights, xTrain, [xTest], { tile: 4 });
      for (const [side, kernel] of [
        ["train", train],
        ["test", others[0]!],
      ] as const) {
        const close = (got: Matrix, wanted: string) =>
          expect(relativeError(got.data, empirical.get(`${name}_${wanted}`).data), wanted).toBeLessThan(
            TOLERANCE.peer,
          );
        close(await ntk(kernel), `ntk_${side}`);
        for (const [l, layer] of blocksOf(kernel).entries()) {
          const { A, B } = await layer.factors();
          close(await layer.ntk(), `layer${l + 1}_ntk_${side}`);
          close(A, `layer${l + 1}_input_gram_${side}`);
          close(B, `layer${l + 1}_signal_gram_${side}`);
        }
      }
    });
  },
);
