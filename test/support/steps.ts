/**
 * @file One step of a method at learning rate 1, as what is subtracted: from the outputs, and from the parameters.
 */
import { predictSteps, type Outputs } from "../../src/dynamics/function-space.ts";
import { createTrainer, type StepOptions } from "../../src/dynamics/trainer.ts";
import type { Fisher } from "../../src/fisher/index.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import type { Linearizer } from "../../src/jacobian/linearize.ts";
import { createFolder, type Weights } from "../../src/jacobian/weights.ts";
import type { Loss } from "../../src/loss/index.ts";
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";

/** What a step is taken on. */
export type StepProblem = {
  readonly linearizer: Linearizer;
  readonly weights: Weights;
  readonly loss: Loss;
  readonly train: Matrix;
  readonly test: Matrix;
  readonly y: Matrix;
};

/** df of the training and the test samples, by the empirical kernels. */
export async function functionStep(
  { linearizer, weights, loss, train: xTrain, test: xTest, y }: StepProblem,
  fisher: Fisher,
  damping: number,
): Promise<Outputs> {
  const { train, others } = await empiricalKernel(linearizer, weights, xTrain, [xTest], {
    needs: fisher.needs === "positions" ? "positions" : "units",
  });
  const start = {
    train: await linearizer.forward(weights, xTrain),
    test: await linearizer.forward(weights, xTest),
  };
  const options = { learningRate: 1, damping };
  const predictor = await predictSteps(fisher, loss, { train, test: others[0]! }, start, y, options);
  const next = await predictor.step();
  const moved = (side: "train" | "test"): Matrix => ({
    ...start[side],
    data: start[side].data.map((f, i) => f - next[side].data[i]!),
  });
  return { train: moved("train"), test: moved("test") };
}

/** dtheta of each block, by the trainer; the weights are the same afterwards. */
export async function parameterStep(
  { linearizer, weights, loss, train, test, y }: StepProblem,
  fisher: Fisher,
  damping: number,
  options: Partial<StepOptions> = {},
): Promise<Float64Array[]> {
  const before = weights.map(({ base }) => base.slice());
  const x = matrix(train.rows + test.rows, train.cols, Float64Array.of(...train.data, ...test.data));
  const step = { learningRate: 1, damping, ...options };
  await createTrainer(linearizer, weights, fisher, loss, { x, y }).step(step);
  const folder = createFolder(linearizer.engine);
  for (const layer of weights) await folder.fold(layer);
  return weights.map(({ base }, l) => {
    const moved = Float64Array.from(base, (w, i) => before[l]![i]! - w);
    base.set(before[l]!);
    return moved;
  });
}
