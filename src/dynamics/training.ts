/**
 * @file Training of a network beside its predictions, from parts that exist: prepared first, so that the isotropy of the
 * method can be reported before any step, then step by step. train.ts makes the parts of a problem.
 */
import { demandWhole } from "../error.ts";
import type { Inversion } from "../fisher/fisher.ts";
import { viewOf } from "../fisher/view.ts";
import { stackRows } from "../linalg/matrix.ts";
import { miniBatches } from "../random/permutation.ts";
import { prepareMovers, type Movers } from "./function-space.ts";
import { isotropyOf, type Isotropy } from "./isotropy.ts";
import { responseOf } from "./response.ts";
import type { Step } from "./step-report.ts";
import { createStopwatch } from "./stopwatch.ts";
import { createTrainer } from "./trainer.ts";
import type { TrainingOptions, TrainingParts } from "./training-options.ts";
import { stepsOf, type Context, type Start } from "./training-steps.ts";

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

/**
 * Prepares training.
 * @throws InputError for numbers of steps or samples that are none; what {@link createTrainer} throws for parts that do not fit together; SingularGramError where a method cannot be
 * prepared on a kernel.
 */
export async function prepareTraining(parts: TrainingParts, options: TrainingOptions): Promise<Training> {
  demandWhole("steps", options.steps, 0);
  if (options.every !== undefined) demandWhole("every", options.every);
  if (options.batchSize !== undefined) demandWhole("batchSize", options.batchSize);
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
    inverting: {
      singular,
      engine: linearizer.engine,
      signal,
      onInversion: (inversion) => inversions.push(inversion),
    },
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
  // A product with it costs one solve per unit there.
  const few = method.needs === "units" ? { maxColumns: 24, maxProbes: 24 } : {};
  return isotropyOf(R, size, { ...few, signal: options.signal });
}
