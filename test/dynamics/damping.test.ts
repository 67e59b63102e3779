/**
 * @file Damping schedules: trust, distrust, and a model that is right where the network is linear.
 */
import { describe, expect, it } from "vitest";
import { dampingController } from "../../src/dynamics/damping.ts";
import { createTrainer } from "../../src/dynamics/trainer.ts";
import { FISHERS } from "../../src/fisher/index.ts";
import { crossEntropy, mse, type Loss } from "../../src/loss/index.ts";
import { matrix, zeros, type Matrix } from "../../src/linalg/matrix.ts";
import { tiny, toRows } from "../support/tiny.ts";
import { twinCrossEntropy, twinMse } from "../support/twin-steps.ts";
import { apply, dot } from "../support/twin.ts";

describe("a constant schedule", () => {
  it("keeps its damping and has no ratio", () => {
    const controller = dampingController("constant", 0.3);
    controller.expect(-1);
    expect(controller.next(5)).toEqual({ damping: 0.3, ratio: undefined });
    expect(controller.next(9)).toEqual({ damping: 0.3, ratio: undefined });
  });
});

describe("levenberg_marquardt", () => {
  const after = (loss: number, modelChange: number) => {
    const controller = dampingController("levenberg_marquardt", 0.6);
    expect(controller.next(10)).toEqual({ damping: 0.6, ratio: undefined });
    controller.expect(modelChange);
    return controller.next(loss);
  };

  it("shrinks the damping after a step that went as the model said", () => {
    const { damping, ratio } = after(8, -2.1);
    expect(ratio).toBeCloseTo(2 / 2.1);
    expect(damping).toBeCloseTo(0.4);
  });

  it("grows it after a step that did not, or that ended in no number", () => {
    expect(after(9.9, -2).damping).toBeCloseTo(0.9);
    expect(after(12, -2).damping).toBeCloseTo(0.9);
    expect(after(Number.NaN, -2).damping).toBeCloseTo(0.9);
  });

  it("keeps it in between", () => {
    expect(after(9, -2).damping).toBe(0.6);
  });
});

describe("the quadratic model of a step", () => {
  const sizes = { depth: 3, inputs: 3, width: 12, outputs: 2, samples: 3, bias: true, seed: 4 };
  const oneHot = (y: Matrix): Matrix => {
    const out = zeros(y.rows, y.cols);
    for (let n = 0; n < y.rows; n++) out.data[n * y.cols + (n % y.cols)] = 1;
    return out;
  };
  const cells = FISHERS.flatMap((fisher) =>
    [mse, crossEntropy]
      .filter((loss) => loss === crossEntropy || fisher.curvature !== "newton")
      .map((loss: Loss) => [fisher.name, loss.name, fisher, loss] as const),
  );

  it.each(cells.filter(([name]) => name !== "block_tri_diagonal"))(
    "foresees what a small step of %s does to %s",
    async (_, __, fisher, loss) => {
      const { linearizer, weights, train, labels } = await tiny(sizes);
      const y = loss === mse ? labels : oneHot(labels);
      const x = matrix(train.rows, train.cols, train.data);
      const trainer = createTrainer(linearizer, weights, fisher, loss, { x, y });
      const learningRate = 1e-4;
      const { before, modelChange } = await trainer.step({ learningRate, damping: 0.1, model: true });
      const after = await trainer.evaluate();
      const change = loss.value(after.train, y) - loss.value(before.train, y);
      expect(change).toBeLessThan(0);
      expect(change / modelChange!).toBeCloseTo(1, 2);
    },
  );

  it.each(cells)(
    "is r.df / N + df.Lambda df / 2N for a large step of %s on %s",
    async (_, __, fisher, loss) => {
      // One layer: outputs are linear in the weights, and df is what they move by.
      const { linearizer, weights, train, labels } = await tiny({ ...sizes, depth: 1 });
      const y = loss === mse ? labels : oneHot(labels);
      const trainer = createTrainer(linearizer, weights, fisher, loss, { x: train, y });
      const { before, modelChange } = await trainer.step({ learningRate: 0.8, damping: 0.1, model: true });
      const after = await trainer.evaluate();
      const df = after.train.data.map((f, i) => f - before.train.data[i]!);
      const twin = (loss === mse ? twinMse : twinCrossEntropy)(toRows(before.train), toRows(y));
      const [N, C] = [y.rows, y.cols];
      let change = 0;
      for (const [i, r] of twin.residual.entries()) change += r * df[i]!;
      for (const [n, lambda] of twin.curvature.entries()) {
        const own = [...df.subarray(n * C, (n + 1) * C)];
        change += dot(own, apply(lambda, own)) / 2;
      }
      expect(modelChange! / (change / N)).toBeCloseTo(1, 8);
    },
  );
});
