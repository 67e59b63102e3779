/**
 * @file The predictions of a run, one per kernel, beside its training: what they foresaw for each step, and since when they
 * have diverged. A prediction that cannot go on after it diverged goes on with figures that are no numbers.
 */
import { SingularGramError, UnsolvedError } from "../error.ts";
import type { Fisher, InvertOptions } from "../fisher/fisher.ts";
import type { Loss } from "../loss/loss.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { watchDivergence } from "./divergence.ts";
import { evaluationOf, type Evaluation, type TrainingData } from "./evaluation.ts";
import {
  predictSteps,
  type Movers,
  type Outputs,
  type PredictingKernels,
  type Predictor,
} from "./function-space.ts";
import { gradientFlow, gradientFlowOf } from "./gradient-flow.ts";

/** What a kernel predicted for the network after so many steps. */
export type Predicted = Evaluation & {
  /** The first step from which its loss is above the limit of divergence, where it is. */
  readonly since?: number;
  /** That limit. */
  readonly limit: number;
  /** Why it could not go on after it diverged. */
  readonly failure?: Error;
};

/** One prediction, step by step. */
export type Prediction = {
  /** Takes one more step; a damping or samples are as in {@link Predictor}. */
  advance(damping?: number, samples?: ArrayLike<number>): Promise<void>;
  /** What it foresees now. */
  predicted(): Predicted;
};

/** How a prediction is made. */
export type PredictionOptions = InvertOptions & {
  readonly learningRate: number;
  readonly damping: number;
  /** Continuous time, which is of gradient descent on all samples alone, in place of steps. */
  readonly continuous: boolean;
  readonly batches: boolean;
  readonly first?: Movers;
};

/** The prediction of a method's training from the outputs `start`. */
export async function createPrediction(
  fisher: Fisher,
  loss: Loss,
  kernels: PredictingKernels,
  start: Outputs,
  data: Pick<TrainingData, "yTrain" | "yTest">,
  { continuous, ...options }: PredictionOptions,
): Promise<Prediction> {
  const y = data.yTrain;
  const predictor = continuous
    ? await flowOf(loss, kernels, start, y, options)
    : await predictSteps(fisher, loss, kernels, start, y, options);
  return watched(predictor, start, loss, data);
}

/** {@link gradientFlow} is of a squared error alone, and exact. */
const flowOf: typeof gradientFlowOf = (loss, ...rest) =>
  loss.curvature ? gradientFlowOf(loss, ...rest) : gradientFlow(...rest);

function watched(
  predictor: Predictor,
  start: Outputs,
  loss: Loss,
  data: Pick<TrainingData, "yTrain" | "yTest">,
): Prediction {
  const watch = watchDivergence(loss, data.yTrain);
  let now = start;
  let steps = 0;
  let failure: Error | undefined;
  let trainLoss = loss.value(start.train, data.yTrain);
  watch.note(0, trainLoss);
  return {
    async advance(damping, samples) {
      steps++;
      if (failure) return;
      try {
        now = await predictor.step(damping, samples);
      } catch (error) {
        const unsolved = error instanceof SingularGramError || error instanceof UnsolvedError;
        if (!unsolved || watch.since() === undefined) throw error;
        failure = error;
        now = { train: withoutNumbers(now.train), test: withoutNumbers(now.test) };
      }
      trainLoss = loss.value(now.train, data.yTrain);
      watch.note(steps, trainLoss);
    },
    predicted() {
      const since = watch.since();
      return {
        ...evaluationOf(loss, now, data, trainLoss),
        limit: watch.limit(),
        ...(since === undefined ? {} : { since }),
        ...(failure ? { failure } : {}),
      };
    },
  };
}

const withoutNumbers = (a: Matrix): Matrix => ({ ...a, data: a.data.map(() => Number.NaN) });
