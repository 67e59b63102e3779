/**
 * @file Steps of natural gradient descent against JAX: parameter-space solves with explicit Jacobians, in float64, for
 * both losses. K-FAC has a peer of its own (kfac.test.ts).
 */
import { describe, expect, it } from "vitest";
import { predictSteps } from "../../src/dynamics/function-space.ts";
import { createTrainer } from "../../src/dynamics/trainer.ts";
import { FISHERS } from "../../src/fisher/index.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createFolder, createWeights } from "../../src/jacobian/weights.ts";
import { crossEntropy, mse } from "../../src/loss/index.ts";
import { matrix } from "../../src/linalg/matrix.ts";
import { peerFixture, peerNetwork } from "../support/fixtures.ts";
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
    const engine = await float64Engine();
    const linearizer = await createLinearizer(engine, peer.network);
    const weights = createWeights(peer.network, peer.thetas);
    const [xTrain, xTest] = [updates.get("x_train"), updates.get("x_test")];
    const y = updates.get(`y_out${C}`);
    const { train, others } = await empiricalKernel(linearizer, weights, xTrain, [xTest]);
    const start = {
      train: await linearizer.forward(weights, xTrain),
      test: await linearizer.forward(weights, xTest),
    };
    const options = { learningRate: 1, damping: rho };
    const predictor = await predictSteps(fisher, loss, { train, test: others[0]! }, start, y, options);
    const next = await predictor.step();
    for (const side of ["train", "test"] as const) {
      const moved = next[side].data.map((f, i) => start[side].data[i]! - f);
      expect(relativeError(moved, updates.get(`${key}_df_${side}`).data), side).toBeLessThan(STEP);
    }

    const before = weights.map(({ base }) => base.slice());
    const x = matrix(10, 5, Float64Array.of(...xTrain.data, ...xTest.data));
    await createTrainer(linearizer, weights, fisher, loss, { x, y }).step(options);
    const folder = createFolder(engine);
    for (const [l, { fanIn, fanOut, columns }] of peer.network.blocks.entries()) {
      await folder.fold(weights[l]!);
      const step = weights[l]!.base.map((w, i) => before[l]![i]! - w);
      const dW = updates.get(`${key}_layer${l + 1}_dW`).data;
      const db = bias === "bias" ? updates.get(`${key}_layer${l + 1}_db`).data : [];
      const wanted = Float64Array.from({ length: fanOut * columns }, (_, at) => {
        const [o, i] = [Math.floor(at / columns), at % columns];
        return i < fanIn ? dW[i * fanOut + o]! : db[o]!;
      });
      expect(relativeError(step, wanted), `layer ${l + 1}`).toBeLessThan(STEP);
    }
  });
});
