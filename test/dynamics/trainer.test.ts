/**
 * @file What a step does when something in it is not finite, and that it does not depend on what is evaluated beside it.
 */
import { describe, expect, it } from "vitest";
import { stoppedText, type Stopped } from "../../src/dynamics/step-solve.ts";
import { createTrainer, type StepOptions } from "../../src/dynamics/trainer.ts";
import { SingularGramError, UnsolvedError } from "../../src/error.ts";
import { FISHERS, type Fisher } from "../../src/fisher/index.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights, factorsOf, type Weights } from "../../src/jacobian/weights.ts";
import { crossEntropy, mse, type Loss } from "../../src/loss/index.ts";
import { matrix, type Floats, type Matrix } from "../../src/linalg/matrix.ts";
import { initialise } from "../../src/network/initialise.ts";
import { mlp } from "../../src/network/mlp.ts";
import { randomState } from "../../src/random/random-state.ts";

const engine = await createEngine({ threads: 2 });

/** A float32 problem with weights and inputs made larger. */
async function problem({
  samples = 6,
  tests = 3,
  width = 16,
  weights: size = 1,
  inputs = 1,
  features = 5,
} = {}) {
  const network = mlp(features, { depth: 3, width, outputs: 2 });
  const thetas = initialise(engine, network, 3);
  for (const theta of thetas) for (let i = 0; i < theta.length; i++) theta[i]! *= size;
  const { normalsInto } = randomState(4);
  const rows = samples + tests;
  const x: Matrix<Floats> = matrix(rows, features, normalsInto(new Float32Array(rows * features)));
  for (let i = 0; i < x.data.length; i++) x.data[i]! *= inputs / Math.sqrt(features);
  const y = matrix(
    samples,
    2,
    Float64Array.from({ length: 2 * samples }, (_, i) => Number(i % 2 === (i >> 1) % 2)),
  );
  return {
    linearizer: await createLinearizer(engine, network),
    weights: createWeights(network, thetas),
    x,
    y,
  };
}

/** Copies of everything in the weights that counts. */
const contents = (weights: Weights) =>
  weights.map((layer) => {
    const { left, right, rank } = factorsOf(layer);
    return { base: layer.base.slice(), left: left.slice(), right: right.slice(), rank };
  });

/** What stopped a step, and whether the weights are what they were. */
async function stopped(
  fisher: Fisher,
  sizes: Parameters<typeof problem>[0],
  options: Partial<StepOptions> = {},
  loss: Loss = mse,
) {
  const { linearizer, weights, x, y } = await problem(sizes);
  const trainer = createTrainer(linearizer, weights, fisher, loss, { x, y });
  const before = contents(weights);
  const result = await trainer.step({ learningRate: 1, damping: 1e-3, ...options });
  expect(contents(weights)).toEqual(before);
  return result.stopped;
}

const methods = FISHERS.filter(({ curvature }) => curvature !== "newton").map(
  (fisher) => [fisher.name, fisher] as const,
);

describe("a step of float32 in which something is not finite is not taken, and says what:", () => {
  it.each(methods)("outputs (%s)", async (_, fisher) => {
    expect(await stopped(fisher, { weights: 1e20 })).toEqual({ what: "outputs" });
  });

  it.each(methods.filter(([name]) => name !== "gradient"))("a Gram (%s)", async (name, fisher) => {
    const found = await stopped(fisher, { inputs: 1e25 });
    expect(found?.what).toBe("Gram");
    // Methods that look at single layers name one; inputs are the first of them.
    expect(found?.layer).toBe(name === "exact" ? undefined : 1);
  });

  it("a Gram that is only multiplied with (conjugate gradients)", async () => {
    const exact = FISHERS.find(({ name }) => name === "exact")!;
    for (const rank of [0, 4]) {
      expect(await stopped(exact, { inputs: 1e25 }, { solver: { solver: "cg", rank } })).toEqual({
        what: "Gram",
      });
    }
  });

  it.each(methods)("an update (%s)", async (_, fisher) => {
    const found = await stopped(fisher, {}, { learningRate: 1e60 });
    expect(found?.what).toBe("update");
    expect(found?.layer).toBeGreaterThanOrEqual(1);
  });

  it("an update of the quadratic model's step too", async () => {
    const found = await stopped(methods[1]![1], {}, { learningRate: 1e60, model: true }, crossEntropy);
    expect(found).toEqual({ what: "update", layer: 1 });
  });

  it("in words", () => {
    const words: readonly (readonly [Stopped, string])[] = [
      [{ what: "outputs" }, "outputs"],
      [{ what: "Gram", layer: 2 }, "Gram of layer 2"],
    ];
    for (const [what, text] of words) expect(stoppedText(what)).toBe(text);
  });
});

describe("a step that cannot be solved leaves the weights as they were", () => {
  const exact = FISHERS.find(({ name }) => name === "exact")!;
  it.each([
    ["by Cholesky", {}, SingularGramError],
    ["by conjugate gradients", { solver: { solver: "cg", rank: 0 } }, UnsolvedError],
  ] as const)("%s", async (_, options, type) => {
    // 2 x 40 unknowns and 29 weights.
    const { linearizer, weights, x, y } = await problem({ samples: 40, width: 2 });
    const trainer = createTrainer(linearizer, weights, exact, mse, { x, y });
    const before = contents(weights);
    await expect(trainer.step({ learningRate: 1, ...options })).rejects.toThrow(type);
    expect(contents(weights)).toEqual(before);
  });
});

describe("a step is the same to the last bit whether or not the rest is evaluated", () => {
  // Layers this narrow change their last bits with the rows of a product.
  it.each([
    [
      "a mini-batch",
      { samples: 40, tests: 10, width: 16, features: 784 },
      Uint32Array.from({ length: 16 }, (_, i) => 39 - 2 * i),
    ],
    ["all samples, few tests", { samples: 20, tests: 10, width: 24, features: 784 }, undefined],
    ["all samples, many tests", { samples: 20, tests: 70, width: 24, features: 784 }, undefined],
  ])("on %s", async (_, sizes, samples) => {
    const fisher = FISHERS.find(({ name }) => name === "kfac")!;
    const after = async (evaluate: boolean) => {
      const { linearizer, weights, x, y } = await problem(sizes);
      const trainer = createTrainer(linearizer, weights, fisher, mse, { x, y });
      const options = { learningRate: 0.1, damping: 1e-3, ...(samples ? { samples } : {}) };
      for (let t = 0; t < 3; t++) await trainer.step({ ...options, evaluate });
      return contents(weights);
    };
    expect(await after(false)).toEqual(await after(true));
  });
});
