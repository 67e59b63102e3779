/**
 * @file Training of a network beside its predictions, from parts that are made: prepared first, so that how isotropic the
 * method is can be told before any step, then step by step. train.ts makes the parts of a problem.
 */
import type { Stoppable } from "../breathe.ts";
import type { Fisher, Inversion, InvertOptions, Shape, Singular, SolverOptions } from "../fisher/fisher.ts";
import { viewOf } from "../fisher/view.ts";
import type { Linearizer } from "../linearization/linearize.ts";
import type { Weights } from "../linearization/weights.ts";
import { residualColumns, type Loss } from "../loss/loss.ts";
import { stackRows, type Matrix } from "../matrix/matrix.ts";
import type { Network } from "../network/network.ts";
import { miniBatches } from "../random/permutation.ts";
import type { DampingSchedule } from "./damping.ts";
import { watchDivergence } from "./divergence.ts";
import { evaluationOf, isFiniteEvaluation, type Evaluation, type TrainingData } from "./evaluation.ts";
import { prepareMovers, type Movers, type PredictingKernels } from "./function-space.ts";
import { isotropyOf, type Isotropy } from "./isotropy.ts";
import { createPrediction, type Prediction } from "./prediction.ts";
import { responseOf } from "./response.ts";
import { isRow, type Row, type Step } from "./step-report.ts";
import { createStopwatch, type Stopwatch } from "./stopwatch.ts";
import { createStepTaker, type StepTaker, type Taken } from "./take-steps.ts";
import { createTrainer, type Trainer } from "./trainer.ts";

/** What is trained, on what and how. */
export type TrainingParts = {
  readonly linearizer: Linearizer;
  /** They are trained in place. */
  readonly weights: Weights;
  readonly data: TrainingData;
  readonly loss: Loss;
  readonly method: Fisher;
  /** Kernels that predict the training; none is none. */
  readonly kernels: readonly PredictingKernels[];
};

/** How it is trained. */
export type TrainingOptions = Stoppable & {
  readonly learningRate: number;
  readonly steps: number;
  /** Rows: one per so many steps, and one after the last. Default: 1. */
  readonly every?: number | undefined;
  /** rho. Default: 0. */
  readonly damping?: number | undefined;
  /** Default: "constant". */
  readonly dampingSchedule?: DampingSchedule | undefined;
  /** What to do about a Gram without an inverse. Default: "refuse". */
  readonly singular?: Singular | undefined;
  /** How methods that need the NTK of the network alone solve with it. */
  readonly solver?: SolverOptions | undefined;
  /** Samples of a step, each sample once per epoch. Default: all of them. */
  readonly batchSize?: number | undefined;
  /** Seed of the mini-batches. Default: 1. */
  readonly batchSeed?: number | undefined;
  /** Whether gradient descent is predicted in continuous time, in place of steps. Default: false. */
  readonly continuous?: boolean | undefined;
  /** Whether to measure how far G is from alpha I. Default: false. */
  readonly isotropy?: boolean | undefined;
  /** Samples that go through the network at a time. */
  readonly tile?: number | undefined;
  /** Told how far the training is, and the parts of its steps. */
  readonly progress?: ((stage: string, done?: number, total?: number) => void) | undefined;
};

/** Training that is prepared. */
export type Training = {
  /** Of the first kernel at the start, where it was asked for and all samples are in every step. */
  readonly isotropy: Isotropy | undefined;
  /** Wall-clock seconds of its parts, so far. */
  readonly seconds: Readonly<Record<string, number>>;
  /**
   * Takes the steps, once. It ends after the last, or where training has diverged.
   * @throws SingularGramError, UnsolvedError where a step has no solution and nothing had diverged: after its row.
   */
  steps(): AsyncGenerator<Step>;
};

/** Alpha of the theory of a method on so many samples (paper, section 4); undefined where there is none. */
export const alphaOf = (
  method: Fisher,
  { weights, outputs }: Network,
  loss: Loss,
  samples: number,
  singular: Singular = "refuse",
): number | undefined =>
  method.alpha(shapeOf({ weights, outputs }, loss, samples), {
    singular,
  });

/** The sizes that alpha depends on; the width is that of the first layer. */
export const shapeOf = (
  { weights, outputs }: Pick<Network, "weights" | "outputs">,
  loss: Loss,
  samples: number,
): Shape => ({
  samples,
  layers: weights.length,
  width: weights[0]!.fanOut,
  outputs,
  columns: residualColumns(loss, outputs),
});

/** Everything that the steps of a training share. */
type Context = {
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
type Start = { readonly f: Matrix; readonly movers: readonly Movers[] };

/**
 * Prepares training.
 * @throws what {@link createTrainer} throws for parts that do not fit together; SingularGramError where a method cannot be
 * prepared on a kernel.
 */
export async function prepareTraining(parts: TrainingParts, options: TrainingOptions): Promise<Training> {
  const context = contextOf(parts, options);
  const { clock, nextBatch } = context;
  const measures = options.isotropy === true && !nextBatch && parts.kernels.length > 0;
  const start = measures ? await clock.time("prepare", () => startOf(context)) : undefined;
  const isotropy = start && (await clock.time("isotropy", () => measure(context, start)));
  return {
    isotropy,
    seconds: clock.seconds as Record<string, number>,
    steps: () => stepsOf(context, start),
  };
}

function contextOf(parts: TrainingParts, options: TrainingOptions): Context {
  const { linearizer, weights, data, loss, method } = parts;
  const { batchSize = Infinity, batchSeed = 1, singular = "refuse", signal, tile } = options;
  const N = data.yTrain.rows;
  const x = stackRows([data.xTrain, data.xTest], linearizer.engine.floats);
  const batch = { x, y: data.yTrain };
  let inversions: Inversion[] = [];
  return {
    parts,
    options,
    trainer: createTrainer(linearizer, weights, method, loss, batch, tile === undefined ? {} : { tile }),
    clock: createStopwatch(),
    nextBatch: batchSize < N ? miniBatches(batchSeed, N, batchSize) : undefined,
    inverting: { singular, signal, onInversion: (inversion) => inversions.push(inversion) },
    foreseen() {
      const found = inversions;
      inversions = [];
      return found;
    },
  };
}

/** The method on every kernel, at the start: at the initial outputs for a loss with a curvature, else at any. */
async function startOf({ parts, options, trainer, inverting }: Context): Promise<Start> {
  const { method, loss, data, kernels } = parts;
  const y = data.yTrain;
  const f = loss.curvature ? (await trainer.evaluate({ signal: options.signal })).train : y;
  const view = viewOf(method, loss, f, y, options.damping ?? 0);
  const movers: Movers[] = [];
  for (const pair of kernels) movers.push(await prepareMovers(method, pair, view, inverting));
  return { f, movers };
}

/** Isotropy on the first kernel. */
function measure({ parts, options }: Context, { f, movers }: Start): Promise<Isotropy> {
  const { method, loss, data } = parts;
  const at = { loss, f, y: data.yTrain };
  const { R, size } = responseOf(method, at, movers[0]!.train, options.damping ?? 0);
  // A product with it costs a solve a unit there.
  const few = method.usesSignals ? { maxColumns: 24, maxProbes: 24 } : {};
  return isotropyOf(R, size, { ...few, signal: options.signal });
}

async function* stepsOf(context: Context, start: Start | undefined): AsyncGenerator<Step> {
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
      // What is known of the step is told all the same.
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
