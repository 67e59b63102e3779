/**
 * @file Steps of natural gradient descent against JAX: parameter-space solves with explicit Jacobians, in float64.
 */
import { describe, expect, it } from "vitest";
import { FISHERS } from "../../src/fisher/index.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { createLinearizer } from "../../src/linearization/linearize.ts";
import { createUpdater } from "../../src/linearization/update.ts";
import { createFolder, createWeights } from "../../src/linearization/weights.ts";
import { mse } from "../../src/loss/mse.ts";
import { peerFixture, peerNetwork } from "../support/fixtures.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const updates = await peerFixture("updates");

/** Tolerance of a damped step: the peer's own checks hold to 1e-9. */
const STEP = 10 * TOLERANCE.peer;

const cases = [3, 4].flatMap((depth) =>
  ["bias", "nobias"].flatMap((bias) =>
    [1, 3].flatMap((C) => FISHERS.map((fisher) => [fisher.name, depth, bias, C, fisher] as const)),
  ),
);

describe.each(cases)("%s at depth %i, %s, %i outputs", (name, depth, bias, C, fisher) => {
  const dampings: [suffix: string, rho: number][] =
    name === "gradient"
      ? [["", 0]]
      : [
          ["_rho1e-2", 1e-2],
          ["_rho1e-1", 1e-1],
        ];

  it.each(dampings)("takes JAX's step %s", async (suffix, rho) => {
    const network = `relu_depth${depth}_${bias}_out${C}`;
    const key = `${network}_mse_${name}${suffix}`;
    const peer = peerNetwork(updates, network, depth, C, bias);
    const engine = await float64Engine();
    const linearizer = await createLinearizer(engine, peer.network);
    const weights = createWeights(peer.network, peer.thetas);
    const [xTrain, xTest] = [updates.get("x_train"), updates.get("x_test")];
    const kernels = await empiricalKernel(linearizer, weights, xTrain, [xTest]);
    const residual = mse.residual(await linearizer.forward(weights, xTrain), updates.get(`y_out${C}`)).data;
    const preconditioner = await fisher.prepare(kernels.train, rho);

    const dfTrain = (await preconditioner.propagator(kernels.train))(residual);
    const dfTest = (await preconditioner.propagator(kernels.others[0]!))(residual);
    expect(relativeError(dfTrain, updates.get(`${key}_df_train`).data)).toBeLessThan(STEP);
    expect(relativeError(dfTest, updates.get(`${key}_df_test`).data)).toBeLessThan(STEP);

    const { layers } = await linearizer.linearize(weights, xTrain);
    const coefficients = await preconditioner.coefficients(residual);
    const [updater, folder] = [createUpdater(engine), createFolder(engine)];
    for (const [l, layer] of layers.entries()) {
      const { fanIn, fanOut, rows } = layer;
      const before = weights[l]!.base.slice();
      await updater.apply(weights[l]!, layer, coefficients[l]!, 1);
      await folder.fold(weights[l]!);
      const step = weights[l]!.base.map((w, i) => w - before[i]!);
      const dW = updates.get(`${key}_layer${l + 1}_dW`).data;
      const db = bias === "bias" ? updates.get(`${key}_layer${l + 1}_db`).data : [];
      const wanted = Float64Array.from({ length: fanOut * rows }, (_, at) => {
        const [o, i] = [Math.floor(at / rows), at % rows];
        return i < fanIn ? dW[i * fanOut + o]! : db[o]!;
      });
      expect(relativeError(step, wanted), `layer ${l + 1}`).toBeLessThan(STEP);
    }
  });
});
