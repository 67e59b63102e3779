/**
 * @file The steps of a training: each is taken on the network, predicted, and reported with what it did.
 */
import type { Inversion, InvertOptions } from "../fisher/fisher.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { watchDivergence } from "./divergence.ts";
import { evaluationOf, isFiniteEvaluation } from "./evaluation.ts";
import type { Movers } from "./function-space.ts";
import { createPrediction, type Prediction } from "./prediction.ts";
import type { Step } from "./step-report.ts";
import type { Stopwatch } from "./stopwatch.ts";
import { createStepTaker, type StepTaker, type Taken } from "./take-steps.ts";
import type { Trainer } from "./trainer.ts";
import type { TrainingOptions, TrainingParts } from "./training-options.ts";

/** Everything that the steps of a training share. */
export type Context = {
  readonly parts: TrainingParts;
  readonly options: TrainingOptions;
  readonly trainer: Trainer;
  readonly clock: Stopwatch;
  readonly nextBatch: (() => ArrayLike<number>) | undefined;
  readonly inverting: InvertOptions;
  /** What the predictions inverted since that was last asked. */
  readonly foreseen: () => readonly Inversion[];
};

/** What is the same for the isotropy and for the first steps of the predictions. */
export type Start = { readonly f: Matrix; readonly movers: readonly Movers[] };

/** Takes and reports the steps. */
export async function* stepsOf(context: Context, start: Start | undefined): AsyncGenerator<Step> {
  const { parts, options, clock, foreseen } = context;
  const { steps, every = 1, progress } = options;
  const { data, loss } = parts;
  const watch = watchDivergence(loss, data.yTrain);
  const taker = takerOf(context);
  let predictions: readonly Prediction[] | undefined;
  let previous: Taken | undefined;
  for (let step = 0; step <= steps; step++) {
    progress?.("step", step, steps);
    const last = step === steps;
    const taken = last ? await taker.end() : await taker.take(step % every === 0);
    const { before, next } = taken;
    try {
      predictions = await clock.time("predict", () => predict(context, predictions, start, taken, previous));
    } catch (error) {
      // What is known of the step is reported all the same.
      yield { step, next, foreseen: foreseen() };
      throw error;
    }
    previous = taken;
    if (!before) {
      yield { step, next, foreseen: foreseen() };
      continue;
    }
    const network = evaluationOf(loss, before, data, taken.trainLoss);
    const finite = isFiniteEvaluation(network);
    watch.note(step, finite ? network.trainLoss : Number.NaN);
    const since = watch.since();
    const ends = next.stopped !== undefined || !finite;
    const failed = next.failure !== undefined;
    const diverged = ends || ((failed || last) && since !== undefined);
    yield {
      step,
      network,
      predicted: predictions.map((each) => each.predicted()),
      foreseen: foreseen(),
      next,
      ...(diverged ? { diverged: { at: since ?? step + 1, limit: watch.limit() } } : {}),
    };
    if (diverged) return;
    if (next.failure) throw next.failure;
  }
}

function takerOf({ parts, options, trainer, clock, nextBatch }: Context): StepTaker {
  const { learningRate, damping = 0, dampingSchedule = "constant", singular = "refuse" } = options;
  const { solver, signal, progress } = options;
  return createStepTaker(trainer, parts.loss, parts.data.yTrain, clock, {
    learningRate,
    damping,
    dampingSchedule,
    singular,
    signal,
    nextBatch,
    ...(solver ? { solver } : {}),
    ...(progress ? { progress: (what, done, total) => progress(`step: ${what}`, done, total) } : {}),
  });
}

/** The predictions at the start, or one step further with the damping and the samples of the step before. */
async function predict(
  { parts, options, nextBatch, inverting }: Context,
  predictions: readonly Prediction[] | undefined,
  start: Start | undefined,
  { before }: Taken,
  previous: Taken | undefined,
): Promise<readonly Prediction[]> {
  if (predictions) {
    for (const each of predictions) await each.advance(previous?.next.damping, previous?.samples);
    return predictions;
  }
  const { method, loss, kernels, data } = parts;
  const { learningRate, damping = 0, continuous = false } = options;
  const made: Prediction[] = [];
  for (const [i, pair] of kernels.entries()) {
    const settings = { ...inverting, learningRate, damping, continuous, batches: nextBatch !== undefined };
    const first = start ? { first: start.movers[i]! } : {};
    made.push(await createPrediction(method, loss, pair, before!, data, { ...settings, ...first }));
  }
  return made;
}
