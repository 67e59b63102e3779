/**
 * @file Every method on networks that are no chains of dense layers on vectors: token-wise layers, branches and shared weights. Steps of
 * the trainer against solves with the explicit P x P Fisher matrix, and G against J times the step.
 */
import { describe, expect, it } from "vitest";
import { existsFor, FISHERS, type Fisher } from "../../src/fisher/index.ts";
import { createJacobian } from "../../src/jacobian/jacobian.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { createGrams } from "../../src/kernel/gram.ts";
import { linearizedKernel } from "../../src/kernel/linearized.ts";
import { crossEntropy, mse, type Loss } from "../../src/loss/index.ts";
import { parallel, residual, sequence, serial } from "../../src/network/layers.ts";
import { createBuilder, type Network } from "../../src/network/network.ts";
import { OPS } from "../../src/ops/index.ts";
import { keptForm } from "../../src/ops/op.ts";
import { compareStep, graphProblem } from "../support/graph-twins.ts";
import { relativeError, toRows } from "../support/tiny.ts";
import { apply } from "../support/twin.ts";

const { dense, relu, reshape, sum } = OPS;
const biases = { biasVariance: 0.3 };

/** A layer on three tokens, a branch, and a layer on all of them. */
const tokens = (C: number): Network =>
  serial([3, 2], dense(3, biases), relu(), residual(dense(3)), relu(), reshape(9), dense(C, biases));

/** Two branches that meet. */
const branches = (C: number): Network =>
  serial(
    3,
    dense(4, biases),
    relu(),
    parallel([dense(3), sequence(dense(4), relu(), dense(3))], sum()),
    relu(),
    dense(C),
  );

/** One matrix that is used twice, as in an unrolled recurrence. */
function shared(C: number): Network {
  const b = createBuilder(3);
  const first = b.apply(relu(), [b.apply(dense(3, biases), [0])]);
  const second = b.apply(relu(), [b.apply(dense(3, biases), [first], { shares: 0 })]);
  return b.finish(b.apply(dense(C), [second]));
}

/** Few positions of wide layers, whose Jacobian is kept at every position. */
const wide = (C: number): Network =>
  serial([2, 7], dense(8, biases), relu(), dense(9), relu(), reshape(18), dense(C));

const NETWORKS = { tokens, branches, shared, wide };

it("covers every form in which a Jacobian is kept", () => {
  const forms = (network: Network) => network.blocks.map((shape) => keptForm(shape, network.outputs));
  expect(forms(tokens(2))).toEqual(["rows", "rows", "outer"]);
  expect(forms(wide(2))).toEqual(["pairs", "pairs", "outer"]);
});

/** The tri-diagonal Fisher matrix is not definite: a smaller rho may come near to one of its negative eigenvalues. */
const RHOS = [1e-1, 1e-3];

const cases = Object.entries(NETWORKS).flatMap(([name, network]) =>
  [mse, crossEntropy].flatMap((loss) =>
    FISHERS.filter((fisher) => existsFor(fisher, loss) && fisher.curvature !== "newton").map(
      (fisher) => [name, fisher.name, loss.name, network, fisher, loss] as const,
    ),
  ),
);

describe.each(cases)("on %s, %s under %s", (_, __, ___, networkOf, fisher: Fisher, loss: Loss) => {
  it.each(RHOS)("takes the step of the P x P solve, in both spaces, at rho = %s", async (rho) => {
    const problem = await graphProblem(networkOf(loss === mse ? 2 : 3), loss, 7);
    await compareStep(problem, fisher, loss, rho, { functions: 1e-8, parameters: 1e-7 });
  });
});

describe.each(Object.entries(NETWORKS))("the kernel of a linearisation of %s", (_, networkOf) => {
  it("is that of the network, whatever is asked of it", async () => {
    const { linearizer, weights, train } = await graphProblem(networkOf(2), mse, 7);
    const { engine } = linearizer;
    const { train: kernel } = await empiricalKernel(linearizer, weights, train);
    const own = linearizedKernel(await linearizer.linearize(weights, train), {
      grams: createGrams(engine),
      jacobian: createJacobian(engine),
      epsilon: engine.epsilon,
    });
    const theta = await kernel.matrix();
    const v = Float64Array.from({ length: theta.rows }, (__, i) => Math.sin(i + 1));
    const pairs = [
      [(await own.matrix()).data, theta.data],
      [await own.times(v), apply(toRows(theta), [...v])],
      [(await own.diagonal()).data, (await kernel.diagonal()).data],
      [(await own.rowsOf([2, 0])).data, (await kernel.rowsOf([2, 0])).data],
    ] as const;
    for (const [got, wanted] of pairs) expect(relativeError(got, wanted)).toBeLessThan(1e-12);
  });
});
