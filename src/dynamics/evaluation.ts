/**
 * @file Outputs and their figures: the loss, a mean over samples, and the share of samples that are classified right, on
 * both splits.
 */
import { accuracy, type Loss } from "../loss/loss.ts";
import type { Matrix } from "../linalg/matrix.ts";
import type { Outputs } from "./function-space.ts";

/** Samples and labels: a training and a test set, inputs [N, M_0] and labels [N, C]. */
export type TrainingData = {
  readonly xTrain: Matrix;
  readonly yTrain: Matrix;
  readonly xTest: Matrix;
  readonly yTest: Matrix;
};

/** The figures of outputs. */
export type Figures = {
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
};

/** Outputs on the training samples [N, C] and the test samples [N', C], with their figures. */
export type Evaluation = Outputs & Figures;

/** The evaluation of outputs; a training loss that is known already is not computed again. */
export const evaluationOf = (
  loss: Loss,
  { train, test }: Outputs,
  { yTrain, yTest }: Pick<TrainingData, "yTrain" | "yTest">,
  trainLoss: number = loss.value(train, yTrain),
): Evaluation => ({
  train,
  test,
  trainLoss,
  trainAccuracy: accuracy(train, yTrain),
  testLoss: loss.value(test, yTest),
  testAccuracy: accuracy(test, yTest),
});

/** Whether the figures are finite numbers. */
export const isFiniteEvaluation = ({ trainLoss, trainAccuracy, testLoss, testAccuracy }: Figures): boolean =>
  [trainLoss, trainAccuracy, testLoss, testAccuracy].every(Number.isFinite);
