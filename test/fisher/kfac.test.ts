/**
 * @file Damped K-FAC against kfac-jax, which traces the network, makes the factors and splits the damping by its own code.
 */
import { describe, expect, it } from "vitest";
import { kfac } from "../../src/fisher/index.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { crossEntropy, mse } from "../../src/loss/index.ts";
import { dense } from "../../src/ops/dense.ts";
import { serial } from "../../src/network/layers.ts";
import { relu } from "../../src/ops/relu.ts";
import { peerFixture } from "../support/fixtures.ts";
import { functionStep, parameterStep } from "../support/steps.ts";
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
    const problem = {
      linearizer: await createLinearizer(await float64Engine(), network),
      weights: createWeights(network, thetas),
      loss,
      train: peer.get(`${name}_x_train`),
      test: peer.get(`${name}_x_test`),
      y: of("y"),
    };
    const update = `${loss.name}_${word}`;

    // kfac-jax splits the damping of a layer of one output in another way: only the layers before it are compared.
    if (C > 1) {
      const df = await functionStep(problem, kfac, damping);
      for (const side of ["train", "test"] as const) {
        expect(relativeError(df[side].data, of(`${update}_df_${side}`).data), side).toBeLessThan(STEP);
      }
    }
    const steps = await parameterStep(problem, kfac, damping);
    for (const [l, { fanIn, fanOut, columns }] of network.blocks.slice(0, C > 1 ? 3 : 2).entries()) {
      const [dW, db] = [of(`${update}_layer${l + 1}_dW`).data, of(`${update}_layer${l + 1}_db`).data];
      const wanted = Float64Array.from({ length: fanOut * columns }, (__, at) => {
        const [o, i] = [Math.floor(at / columns), at % columns];
        return i < fanIn ? dW[i * fanOut + o]! : db[o]!;
      });
      expect(relativeError(steps[l]!, wanted), `layer ${l + 1}`).toBeLessThan(STEP);
    }
  });
});
