/**
 * @file Conjugate gradients against Cholesky: the same step, without a Gram.
 */
import { describe, expect, it } from "vitest";
import { createTrainer } from "../../src/dynamics/trainer.ts";
import { exact, type SolverOptions, type SolveReport } from "../../src/fisher/index.ts";
import { createFolder } from "../../src/linearization/weights.ts";
import { crossEntropy, mse, type Loss } from "../../src/loss/index.ts";
import type { CgState } from "../../src/matrix/conjugate-gradients.ts";
import { relativeError, tiny } from "../support/tiny.ts";

const SIZES = { depth: 3, inputs: 5, width: 12, outputs: 3, samples: 16, bias: true, seed: 5 };
const DAMPING = 1e-3;

/** Weights after one step, and how it was solved. */
async function stepped(loss: Loss, solver: SolverOptions) {
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
    const solver: SolverOptions = {
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
