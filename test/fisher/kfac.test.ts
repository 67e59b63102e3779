/**
 * @file Damped K-FAC against kfac-jax, which traces the network, makes the factors and splits the damping by its own code.
 */
import { describe, expect, it } from "vitest";
import { predictSteps } from "../../src/dynamics/function-space.ts";
import { createTrainer } from "../../src/dynamics/trainer.ts";
import { kfac } from "../../src/fisher/index.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createFolder, createWeights } from "../../src/jacobian/weights.ts";
import { crossEntropy, mse } from "../../src/loss/index.ts";
import { matrix } from "../../src/linalg/matrix.ts";
import { dense } from "../../src/ops/dense.ts";
import { serial } from "../../src/network/layers.ts";
import { relu } from "../../src/ops/relu.ts";
import { peerFixture } from "../support/fixtures.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const peer = await peerFixture("kfac");

const WIDTHS = { narrow: [6, 10, 8], wide: [24, 12, 16] } as const;
const DAMPINGS = [
  ["rho1e-1", 1e-1],
  ["rho1e-3", 1e-3],
  ["rho1e-5", 1e-5],
] as const;

/** Of a damped step, as in peers.test.ts. */
const STEP = 10 * TOLERANCE.peer;

const networks = (["narrow", "wide"] as const).flatMap((name) =>
  [1, 2, 3].flatMap((C) =>
    (C === 1 ? [mse] : [mse, crossEntropy]).map((loss) => [name, C, loss.name, loss] as const),
  ),
);

describe.each(networks)("kfac on the %s network of %i outputs with %s", (name, C, _, loss) => {
  it.each(DAMPINGS)("takes the step of kfac-jax at %s", async (word, damping) => {
    const [inputs, ...hidden] = WIDTHS[name];
    const variances = { weightVariance: 2, biasVariance: 1 };
    const layers = hidden.flatMap((width) => [dense(width, variances), relu()]);
    const network = serial(inputs, ...layers, dense(C, variances));
    const of = (key: string) => peer.get(`${name}_out${C}_${key}`);
    const thetas = network.blocks.map(({ fanIn, fanOut, columns }, l) => {
      const [W, b] = [of(`layer${l + 1}_W`).data, of(`layer${l + 1}_b`).data];
      return Float64Array.from({ length: fanOut * columns }, (__, at) => {
        const [o, i] = [Math.floor(at / columns), at % columns];
        return i < fanIn ? W[i * fanOut + o]! : b[o]!;
      });
    });
    const engine = await float64Engine();
    const linearizer = await createLinearizer(engine, network);
    const weights = createWeights(network, thetas);
    const [xTrain, xTest, y] = [peer.get(`${name}_x_train`), peer.get(`${name}_x_test`), of("y")];
    const options = { learningRate: 1, damping };
    const update = `${loss.name}_${word}`;

    // kfac-jax splits the damping of a layer of one output in another way: only the layers before it are compared.
    if (C > 1) {
      const { train, others } = await empiricalKernel(linearizer, weights, xTrain, [xTest]);
      const start = {
        train: await linearizer.forward(weights, xTrain),
        test: await linearizer.forward(weights, xTest),
      };
      const kernels = { train, test: others[0]! };
      const next = await (await predictSteps(kfac, loss, kernels, start, y, options)).step();
      for (const side of ["train", "test"] as const) {
        const moved = next[side].data.map((f, i) => start[side].data[i]! - f);
        expect(relativeError(moved, of(`${update}_df_${side}`).data), side).toBeLessThan(STEP);
      }
    }

    const before = weights.map(({ base }) => base.slice());
    const x = matrix(xTrain.rows + xTest.rows, inputs, Float64Array.of(...xTrain.data, ...xTest.data));
    await createTrainer(linearizer, weights, kfac, loss, { x, y }).step(options);
    const folder = createFolder(engine);
    for (const [l, { fanIn, fanOut, columns }] of network.blocks.slice(0, C > 1 ? 3 : 2).entries()) {
      await folder.fold(weights[l]!);
      const step = weights[l]!.base.map((w, i) => before[l]![i]! - w);
      const [dW, db] = [of(`${update}_layer${l + 1}_dW`).data, of(`${update}_layer${l + 1}_db`).data];
      const wanted = Float64Array.from({ length: fanOut * columns }, (__, at) => {
        const [o, i] = [Math.floor(at / columns), at % columns];
        return i < fanIn ? dW[i * fanOut + o]! : db[o]!;
      });
      expect(relativeError(step, wanted), `layer ${l + 1}`).toBeLessThan(STEP);
    }
  });
});
