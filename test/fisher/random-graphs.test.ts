/**
 * @file Random graphs of ops, up to eight of them, with branches and shared weights: every method's step against the P x P solve in both
 * spaces, and the Jacobian against differences.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockTriDiagonal, existsFor, FISHERS } from "../../src/fisher/index.ts";
import { crossEntropy, mse } from "../../src/loss/index.ts";
import { createBuilder, type Network } from "../../src/network/network.ts";
import { OPS } from "../../src/ops/index.ts";
import type { Op } from "../../src/ops/op.ts";
import { compareStep, graphProblem } from "../support/graph-twins.ts";
import { checkJacobianAlong } from "../support/differences.ts";

const { averagePool, conv, dense, flatten, maxPool, mul, softmax, sum } = OPS;

/** Ops that may follow a value of some shape; all take [4, 3], a sequence of vectors, or [3], a vector. */
const SEQUENCE: readonly (() => Op)[] = [
  () => dense(3, { biasVariance: 0.2 }),
  () => conv(3, 2, { padding: "same" }),
  () => conv(3, 3, { padding: "circular", biasVariance: 0.3 }),
  () => averagePool(3, { padding: "same", stride: 1 }),
  () => maxPool(2, { padding: "same", stride: 1 }),
  () => softmax(),
];

/** What a graph is made from: for each step which op, on which value, and whether it meets another value or shares weights. */
const plan = fc.record({
  steps: fc.array(
    fc.record({
      op: fc.nat({ max: SEQUENCE.length - 1 }),
      on: fc.nat({ max: 7 }),
      joins: fc.option(fc.record({ by: fc.constantFrom("sum", "mul"), with: fc.nat({ max: 7 }) })),
      shares: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  outputs: fc.integer({ min: 1, max: 3 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
});
type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

/** The graph of a plan; values keep the shape [4, 3] until the end. */
function networkOf({ steps, outputs }: Plan): Network {
  const b = createBuilder([4, 3]);
  const values = [0];
  // Blocks by the op that made them, to be shared by the next of its kind.
  const made = new Map<number, number>();
  for (const { op, on, joins, shares } of steps) {
    const from = values[on % values.length]!;
    const known = made.get(op);
    const before = b.blocks.length;
    const value = b.apply(SEQUENCE[op]!(), [from], shares && known !== undefined ? { shares: known } : {});
    if (b.blocks.length > before) made.set(op, before);
    const other = joins && values[joins.with % values.length];
    const join = joins?.by === "mul" ? mul : sum;
    values.push(other === null || other === undefined ? value : b.apply(join(), [value, other]));
  }
  return b.finish(b.apply(dense(outputs, { biasVariance: 0.1 }), [b.apply(flatten(), [values.at(-1)!])]));
}

/** Values stay small enough for digits to be compared. */
const OPTIONS = { numRuns: 25, seed: 5 };

describe("random graphs of ops", () => {
  it("have the Jacobian that differences of their outputs give", async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (each) => {
        const network = networkOf(each);
        const { train } = await graphProblem(network, mse, each.seed);
        await checkJacobianAlong(network, train, each.seed);
      }),
      OPTIONS,
    );
  });

  it("have the step of the P x P solve by every method, in both spaces", async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (each) => {
        const network = networkOf(each);
        const loss = each.outputs > 1 && each.seed % 2 === 0 ? crossEntropy : mse;
        const problem = await graphProblem(network, loss, each.seed, 2);
        for (const fisher of FISHERS.filter(({ curvature }) => curvature !== "newton")) {
          expect(existsFor(fisher, loss)).toBe(true);
          // The tri-diagonal Fisher matrix is not definite: near to a negative eigenvalue no digits are left.
          const [rho, error] = fisher === blockTriDiagonal ? [1, 1e-7] : [0.1, 1e-10];
          await compareStep(problem, fisher, loss, rho, { functions: error, parameters: error });
        }
      }),
      OPTIONS,
    );
  });
});
