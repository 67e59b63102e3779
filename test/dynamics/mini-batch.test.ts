/**
 * @file Steps on mini-batches, in both spaces.
 */
import { describe, expect, it } from "vitest";
import { predictSteps } from "../../src/dynamics/function-space.ts";
import { createTrainer } from "../../src/dynamics/trainer.ts";
import { FISHERS, type Fisher } from "../../src/fisher/index.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { crossEntropy, mse, type Loss } from "../../src/loss/index.ts";
import { matrix, selectRows, type Matrix } from "../../src/linalg/matrix.ts";
import { relativeError, tiny } from "../support/tiny.ts";

const SIZES = { depth: 3, inputs: 4, width: 7, outputs: 2, samples: 6, bias: true, seed: 3 };
const SAMPLES = [4, 1, 5];
const LEARNING_RATE = 1e-6;
const DAMPING = 0.1;

const stack = (a: Matrix, b: Matrix): Matrix =>
  matrix(a.rows + b.rows, a.cols, Float64Array.of(...a.data, ...b.data));

async function problem(loss: Loss) {
  const t = await tiny(SIZES);
  const y = { ...t.labels, data: t.labels.data.slice() };
  if (loss !== mse) for (let i = 0; i < y.data.length; i++) y.data[i] = Number(i % 2 === (i >> 1) % 2);
  return { ...t, y, x: stack(t.train, t.test) };
}

const cells = FISHERS.flatMap((fisher) =>
  [mse, crossEntropy]
    .filter((loss) => fisher.curvature !== "newton" || loss === crossEntropy)
    .map((loss) => [fisher.name, loss.name, fisher, loss] as const),
);

describe.each(cells)("%s with %s on a mini-batch", (_, __, fisher: Fisher, loss: Loss) => {
  it("takes the step of a training set that holds nothing else, and tells the outputs of all in their order", async () => {
    const options = { learningRate: 0.1, damping: DAMPING };
    const one = await problem(loss);
    const part = createTrainer(one.linearizer, one.weights, fisher, loss, {
      x: stack(selectRows(one.train, SAMPLES), one.test),
      y: selectRows(one.y, SAMPLES),
    });
    await part.step(options);
    const wanted = await one.linearizer.forward(one.weights, one.x);

    const two = await problem(loss);
    const trainer = createTrainer(two.linearizer, two.weights, fisher, loss, two);
    const before = await trainer.evaluate();
    const { before: seen } = await trainer.step({ ...options, samples: SAMPLES });
    expect(relativeError(seen.train.data, before.train.data)).toBeLessThan(1e-12);
    expect(relativeError(seen.test.data, before.test.data)).toBeLessThan(1e-12);
    expect(relativeError((await two.linearizer.forward(two.weights, two.x)).data, wanted.data)).toBeLessThan(
      1e-12,
    );

    const three = await problem(loss);
    const alone = createTrainer(three.linearizer, three.weights, fisher, loss, three);
    const {
      before: { train, test },
    } = await alone.step({ ...options, samples: SAMPLES, evaluate: false });
    expect(relativeError(train.data, selectRows(before.train, SAMPLES).data)).toBeLessThan(1e-12);
    expect(test.rows).toBe(0);
    expect(
      relativeError((await three.linearizer.forward(three.weights, three.x)).data, wanted.data),
    ).toBeLessThan(1e-12);
  });

  it("is predicted in function space, for the samples outside the batch too", async () => {
    const { linearizer, weights, train, test, x, y } = await problem(loss);
    const { train: kernel, others } = await empiricalKernel(linearizer, weights, train, [test]);
    const trainer = createTrainer(linearizer, weights, fisher, loss, { x, y });
    const start = await trainer.evaluate();
    const options = { learningRate: LEARNING_RATE, damping: DAMPING };
    const predictor = await predictSteps(fisher, loss, { train: kernel, test: others[0]! }, start, y, {
      ...options,
      batches: true,
    });
    const predicted = await predictor.step(DAMPING, SAMPLES);
    await trainer.step({ ...options, samples: SAMPLES });
    const after = await trainer.evaluate();
    for (const side of ["train", "test"] as const) {
      const moved = after[side].data.map((f, i) => f - start[side].data[i]!);
      const wanted = predicted[side].data.map((f, i) => f - start[side].data[i]!);
      // Of first order in a small step; differences of outputs keep half of their digits.
      expect(relativeError(moved, wanted, 1e-9), side).toBeLessThan(1e-3);
    }
  });
});
