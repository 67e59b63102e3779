/**
 * @file Conjugate gradients against Cholesky: the same step, without a Gram.
 */
import { describe, expect, it } from "vitest";
import { createTrainer } from "../../src/dynamics/trainer.ts";
import { UnsolvedError } from "../../src/error.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { createGrams } from "../../src/kernel/gram.ts";
import { linearizedKernel } from "../../src/kernel/linearized.ts";
import { createJacobian } from "../../src/jacobian/jacobian.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { initialise } from "../../src/network/initialise.ts";
import { mlp } from "../../src/network/mlp.ts";
import { exact, type Coefficients, type PrepareOptions, type SolveReport } from "../../src/fisher/index.ts";
import { createFolder, createWeights } from "../../src/jacobian/weights.ts";
import { crossEntropy, mse, type Loss } from "../../src/loss/index.ts";
import type { CgState } from "../../src/linalg/conjugate-gradients.ts";
import { relativeError, tiny, toRows } from "../support/tiny.ts";
import { outputsOf } from "../support/twin.ts";
import { parameterStep, twinMse } from "../support/twin-steps.ts";

const SIZES = { depth: 3, inputs: 5, width: 12, outputs: 3, samples: 16, bias: true, seed: 5 };
const DAMPING = 1e-3;

/** Weights after one step, and how it was solved. */
async function stepped(loss: Loss, solver: PrepareOptions) {
  const { engine, linearizer, weights, train, labels } = await tiny(SIZES);
  const y = { ...labels, data: labels.data.slice() };
  if (loss !== mse) {
    y.data.fill(0);
    for (let n = 0; n < y.rows; n++) y.data[n * y.cols + (n % y.cols)] = 1;
  }
  const trainer = createTrainer(linearizer, weights, exact, loss, { x: train, y });
  const { solve } = await trainer.step({ learningRate: 0.5, damping: DAMPING, solver });
  const folder = createFolder(engine);
  for (const layer of weights) await folder.fold(layer);
  return { solve, weights: weights.flatMap(({ base }) => [...base]) };
}

describe("exact NGD by conjugate gradients", () => {
  it.each([
    ["mse", mse],
    ["cross_entropy", crossEntropy],
  ])("takes the step of the Gram for %s, with or without a preconditioner", async (_, loss) => {
    const gram = await stepped(loss, { solver: "gram" });
    expect(gram.solve).toBeUndefined();
    const iterations: number[] = [];
    for (const rank of [0, 12, 30]) {
      const cg = await stepped(loss, { solver: "cg", tolerance: 1e-12, rank });
      expect(cg.solve!.converged).toBe(true);
      expect(cg.solve!.relativeResidual).toBeLessThan(1e-12);
      expect(relativeError(cg.weights, gram.weights)).toBeLessThan(1e-9);
      iterations.push(cg.solve!.iterations);
    }
    // A better preconditioner needs fewer.
    expect(iterations[1]).toBeLessThan(iterations[0]!);
    expect(iterations[2]).toBeLessThan(iterations[1]!);
  });

  it("reports where it stopped short, and goes on from there to the same numbers", async () => {
    const states: CgState[] = [];
    const reports: SolveReport[] = [];
    const solver: PrepareOptions = {
      solver: "cg",
      tolerance: 1e-12,
      rank: 6,
      onIteration({ state }) {
        states.push(state());
      },
      onEnd: (report) => reports.push(report),
    };
    const whole = await stepped(mse, solver);
    const short = await stepped(mse, {
      ...solver,
      onIteration: ({ iteration }) => (iteration === 5 ? "stop" : undefined),
    });
    expect(short.solve).toMatchObject({ iterations: 5, converged: false });
    expect(short.solve!.relativeResidual).toBeGreaterThan(1e-12);
    const resumed = await stepped(mse, { ...solver, state: states[4]! });
    expect(resumed.weights).toEqual(whole.weights);
    expect(reports.map(({ converged }) => converged)).toEqual([true, false, true]);
  });
});

describe("a singular NTK", () => {
  // 60 unknowns and 3 (3 + 1) + 3 (3 + 1) + 3 (3 + 1) = 36 weights.
  const narrow = { depth: 3, inputs: 3, width: 3, outputs: 3, samples: 20, bias: true, seed: 5 };

  /** A step of exact NGD, as the change of every weight. */
  async function change(solver: PrepareOptions): Promise<Float64Array> {
    const { engine, linearizer, weights, train, labels } = await tiny(narrow);
    const before = weights.flatMap(({ base }) => [...base]);
    await createTrainer(linearizer, weights, exact, mse, { x: train, y: labels }).step({
      learningRate: 1,
      solver,
    });
    const folder = createFolder(engine);
    for (const layer of weights) await folder.fold(layer);
    return Float64Array.from(weights.flatMap(({ base }) => [...base]).map((after, i) => after - before[i]!));
  }

  it.each([0, 15])("is an error that tells the residual, with a preconditioner of rank %i", async (rank) => {
    const reports: SolveReport[] = [];
    const solver: PrepareOptions = {
      solver: "cg",
      tolerance: 1e-6,
      rank,
      onEnd: (report) => reports.push(report),
    };
    const error: unknown = await change(solver).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnsolvedError);
    const { message, relativeResidual, iterations } = error as UnsolvedError;
    expect(message).toMatch(
      /^exact: NTK: wanted a solution by conjugate gradients, got a relative residual of \S+ after \d+ iterations \(a Gram without an inverse/,
    );
    expect(relativeResidual).toBeGreaterThanOrEqual(0.1);
    expect(reports).toEqual([expect.objectContaining({ converged: false, relativeResidual, iterations })]);
  });

  it.each([0, 15])("has the step of least norm where that is asked for, rank %i", async (rank) => {
    const { twin, train, labels } = await tiny(narrow);
    const loss = twinMse(outputsOf(twin, toRows(train)), toRows(labels));
    const wanted = parameterStep("exact", twin, toRows(train), loss, 0).flat();
    const got = await change({
      solver: "cg",
      singular: "least_norm",
      tolerance: 1e-12,
      maxIterations: 500,
      rank,
    });
    expect(
      relativeError(
        got.map((x) => -x),
        wanted,
      ),
    ).toBeLessThan(1e-5);
  });

  it("is no singular system once it is damped", async () => {
    const { weights, train, linearizer, labels } = await tiny(narrow);
    const trainer = createTrainer(linearizer, weights, exact, mse, { x: train, y: labels });
    const { solve } = await trainer.step({ learningRate: 1, damping: 1e-3, solver: { solver: "cg" } });
    expect(solve!.converged).toBe(true);
  });
});

describe("conjugate gradients", () => {
  it("that are cut short far from a solution are an error, and near one a step that says so", async () => {
    await expect(stepped(mse, { solver: "cg", tolerance: 1e-12, rank: 6, maxIterations: 5 })).rejects.toThrow(
      UnsolvedError,
    );
    const { solve } = await stepped(mse, { solver: "cg", tolerance: 1e-12, rank: 30, maxIterations: 12 });
    expect(solve).toMatchObject({ converged: false, iterations: 12 });
    expect(solve!.relativeResidual).toBeLessThan(0.1);
  });

  it.each([0, 1, 2, Number.NaN])("have no tolerance of %s", async (tolerance) => {
    await expect(stepped(mse, { solver: "cg", tolerance })).rejects.toThrow(
      `exact: NTK: wanted a tolerance above 0 and below 1, got ${tolerance}`,
    );
  });

  it("keep to the digits of the network for right-hand sides of any size", async () => {
    const { train, labels } = await tiny(SIZES);
    const engine = await createEngine({ threads: 1 });
    const network = mlp(SIZES.inputs, { depth: 3, width: 12, outputs: 3 });
    const linearizer = await createLinearizer(engine, network);
    const weights = createWeights(network, initialise(engine, network, 1));
    const linearization = await linearizer.linearize(weights, train);
    const tools = { grams: createGrams(engine), jacobian: createJacobian(engine), epsilon: engine.epsilon };
    const kernel = linearizedKernel(linearization, tools);
    const prepared = await exact.prepare(kernel, DAMPING, { solver: "cg" });
    const solve = async (residual: Float64Array) => {
      const found = (await prepared.solve(residual)) as Coefficients;
      return found.kind === "per-sample" ? found.values : expect.unreachable();
    };
    const plain = await solve(labels.data);
    // Far outside of what float32 can hold.
    for (const exponent of [-400, 400]) {
      const scaled = await solve(labels.data.map((x) => x * 2 ** exponent));
      expect(scaled.map((x) => x / 2 ** exponent)).toEqual(plain);
    }
    await engine.release();
  });
});
