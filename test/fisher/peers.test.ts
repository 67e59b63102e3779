/**
 * @file Steps of natural gradient descent against JAX: parameter-space solves with explicit Jacobians, in float64, for
 * both losses. K-FAC has a peer of its own (kfac.test.ts).
 */
import { describe, expect, it } from "vitest";
import { FISHERS } from "../../src/fisher/index.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { crossEntropy, mse } from "../../src/loss/index.ts";
import { peerFixture, peerNetwork } from "../support/fixtures.ts";
import { functionStep, parameterStep } from "../support/steps.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const updates = await peerFixture("updates");

/** Tolerance of a damped step: the peer's own checks hold to 1e-9. */
const STEP = 10 * TOLERANCE.peer;

const cases = [3, 4].flatMap((depth) =>
  ["bias", "nobias"].flatMap((bias) =>
    [1, 3].flatMap((C) =>
      (C === 1 ? [mse] : [mse, crossEntropy]).flatMap((loss) =>
        FISHERS.filter(({ curvature, name }) => curvature !== "newton" && !name.startsWith("kfac")).map(
          (fisher) => [fisher.name, loss.name, depth, bias, C, fisher, loss] as const,
        ),
      ),
    ),
  ),
);

describe.each(cases)("%s with %s at depth %i, %s, %i outputs", (name, _, depth, bias, C, fisher, loss) => {
  const damped: [suffix: string, rho: number][] =
    loss === mse
      ? [
          ["_rho1e-2", 1e-2],
          ["_rho1e-1", 1e-1],
        ]
      : [["_rho1e-2", 1e-2]];
  const dampings: [suffix: string, rho: number][] = name === "gradient" ? [["", 0]] : damped;

  it.each(dampings)("takes JAX's step %s", async (suffix, rho) => {
    const network = `relu_depth${depth}_${bias}_out${C}`;
    const key = `${network}_${loss.name}_${name}${suffix}`;
    const peer = peerNetwork(updates, network, depth, C, bias);
    const problem = {
      linearizer: await createLinearizer(await float64Engine(), peer.network),
      weights: createWeights(peer.network, peer.thetas),
      loss,
      train: updates.get("x_train"),
      test: updates.get("x_test"),
      y: updates.get(`y_out${C}`),
    };
    const df = await functionStep(problem, fisher, rho);
    for (const side of ["train", "test"] as const) {
      expect(relativeError(df[side].data, updates.get(`${key}_df_${side}`).data), side).toBeLessThan(STEP);
    }
    const steps = await parameterStep(problem, fisher, rho);
    for (const [l, { fanIn, fanOut, columns }] of peer.network.blocks.entries()) {
      const dW = updates.get(`${key}_layer${l + 1}_dW`).data;
      const db = bias === "bias" ? updates.get(`${key}_layer${l + 1}_db`).data : [];
      const wanted = Float64Array.from({ length: fanOut * columns }, (_, at) => {
        const [o, i] = [Math.floor(at / columns), at % columns];
        return i < fanIn ? dW[i * fanOut + o]! : db[o]!;
      });
      expect(relativeError(steps[l]!, wanted), `layer ${l + 1}`).toBeLessThan(STEP);
    }
  });
});
