/** @file The share of samples on which hidden units are active, and what follows from it. */
import { describe, expect, it } from "vitest";
import { alphaOf } from "../../src/dynamics/alpha.ts";
import { isotropy } from "../../src/dynamics/isotropy.ts";
import { unitWise } from "../../src/fisher/index.ts";
import { analyticKernel } from "../../src/kernel/analytic.ts";
import { withUnits } from "../../src/kernel/units.ts";
import { mse } from "../../src/loss/index.ts";
import { activeShareOf } from "../../src/network/active-share.ts";
import { residual, serial } from "../../src/network/layers.ts";
import { mlp } from "../../src/network/mlp.ts";
import { activation } from "../../src/ops/activation.ts";
import { activationNamed } from "../../src/ops/activations/index.ts";
import { dense } from "../../src/ops/dense.ts";
import { relu } from "../../src/ops/relu.ts";
import { randomState } from "../../src/random/random-state.ts";
import { random } from "../support/matrices.ts";

const tanh = () => activation(activationNamed("tanh"));

describe("the share of samples on which hidden units are active", () => {
  it.each([
    ["ReLU", mlp(3, { width: 4 }), 1 / 2],
    ["one layer", mlp(3, { depth: 1 }), 1 / 2],
    ["tanh", mlp(3, { width: 4, activation: "tanh" }), 1],
    ["one of each", serial(3, dense(4), relu(), dense(4), tanh(), dense(1)), 3 / 4],
    ["two in a row", serial(3, dense(4), tanh(), relu(), dense(1)), 1 / 2],
    ["a branch around ReLU", serial(3, dense(4), residual(relu(), dense(4)), relu(), dense(1)), 1 / 2],
    ["a linear branch", serial(3, dense(4), residual(relu(), dense(4)), dense(1)), 1],
  ])("is right for %s", (_, network, share) => {
    expect(activeShareOf(network)).toBe(share);
  });
});

describe("alpha of unit-wise NGD", () => {
  it.each(["relu", "tanh", "leaky_relu"])("is what G measures under %s", async (name) => {
    const [N, width] = [6, 1000];
    const network = mlp(40, { depth: 3, width, activation: name });
    const x = random(N, 40);
    const kernels = { train: await analyticKernel(network, x), test: await analyticKernel(network, x, x) };
    const { train } = await withUnits(network, kernels, x, x, randomState(3));
    const theory = alphaOf(unitWise, network, mse, N)!;
    expect(theory).toBe((name === "relu" ? 1 : 2) * width + 1);
    const { alpha } = await isotropy(unitWise, train, { damping: 1e-13 });
    expect(Math.abs(alpha / theory - 1)).toBeLessThan(0.03);
  });
});
