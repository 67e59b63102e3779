/**
 * @file Runs an experiment and tells what happens as events: the configuration, a step at a time with what the kernels
 * predicted for it, and the end. Whoever listens decides how they look.
 */
import type { Stoppable } from "../breathe.ts";
import type { ClassGroup } from "../data/classes.ts";
import type { Dataset } from "../data/dataset.ts";
import { dampingController } from "../dynamics/damping.ts";
import {
  predictSteps,
  prepareMovers,
  type Movers,
  type Outputs,
  type Predictor,
  type PredictingKernels,
} from "../dynamics/function-space.ts";
import { gradientFlow, gradientFlowOf } from "../dynamics/gradient-flow.ts";
import { isotropyOf, type Isotropy } from "../dynamics/isotropy.ts";
import { responseOf } from "../dynamics/response.ts";
import { createTrainer } from "../dynamics/trainer.ts";
import { stoppedText, type Stopped } from "../dynamics/step-solve.ts";
import { InputError, SingularGramError, UnsolvedError } from "../error.ts";
import { watchDivergence } from "../dynamics/divergence.ts";
import {
  FISHERS,
  viewOf,
  type Fisher,
  type Inversion,
  type InvertOptions,
  type Solver,
  type SolverOptions,
  type SolveReport,
} from "../fisher/index.ts";
import type { Engine } from "../graph/engine.ts";
import { accuracy, lossNamed, residualColumns, type Loss } from "../loss/index.ts";
import { allFinite, stackRows, type Matrix } from "../matrix/matrix.ts";
import { miniBatches } from "../random/permutation.ts";
import { batchTooLarge, demandConfig, type Config } from "./config.ts";
import { loadData, saveData, settle } from "./dataset.ts";
import { divergenceOf, watchPrediction, type Divergence, type Prediction } from "./divergence.ts";
import { idleOptions } from "./idle.ts";
import { createInversionNotices, leastNormOf, type LeastNorm } from "./inversions.ts";
import { planRun } from "./plan.ts";
import { finiteKernels, unrepresentable } from "./representable.ts";
import { secondsOf } from "./rate.ts";
import { memoryLimit, peakBytes } from "./memory.ts";
import {
  expectedSizes,
  networkOf,
  openNetwork,
  predictingKernels,
  releasing,
  startWeights,
} from "./setup.ts";

/** The four numbers of a row of the table. */
export type Metrics = {
  train_accuracy: number;
  train_loss: number;
  test_accuracy: number;
  test_loss: number;
};

/** Everything that was decided before the first step. */
export type ConfigEvent = {
  event: "config";
  config: Config;
  /** M_0, ..., M_L. */
  widths: readonly number[];
  n_classes: number;
  /** Numbers, and lists of numbers for groups. */
  target_classes: readonly ClassGroup[];
  learning_rate: number;
  /** Memory, and for long runs the time, that the run was reckoned to take; how exact NGD solves. */
  plan: { bytes: number; seconds?: number; solver?: Solver };
  /**
   * Natural gradients only, where a kernel predicts: how far G is from alpha I on that kernel, at the start. For a loss with
   * a curvature of S^T G, S being that at the initial outputs.
   */
  isotropy?: { alpha_theory: number | null } & Isotropy;
};

/** One row of the table. */
export type StepEvent = {
  event: "step";
  step: number;
  /** Not with `--kernel none`. */
  predict?: Metrics;
  /** With `--kernel both`: `predict` is of the analytic kernel, this of the empirical one. */
  predict_empirical?: Metrics;
  /** With a damping schedule: rho of the step that follows, and the reduction ratio of the step before. */
  damping?: number;
  reduction_ratio?: number | null;
  /** With `--singular least_norm`: what was inverted on its range alone for the step that follows. */
  least_norm?: readonly LeastNorm[];
  /** With conjugate gradients: how they ended for the step that follows. */
  solve?: { iterations: number; relative_residual: number; converged: boolean; rank: number } | null;
} & Metrics;

/** What should not pass in silence: it goes to stderr, and into JSON lines. */
export type NoticeEvent = {
  event: "notice";
  /** What it is about, for programs that read it. */
  kind: NoticeKind;
  /** The step that it happened in, counted from 1; 0 before the first. */
  step: number;
  /** One line: what was wanted, what was got, what to try. */
  message: string;
};

/** Kinds of notices. */
export type NoticeKind = "accuracy" | "data" | "option" | "prediction" | "runtime" | "singular" | "solver";

/** The end, with wall-clock seconds of every part. */
export type DoneEvent = {
  event: "done";
  /**
   * True when something stopped being a finite number and training with it, or when the training loss ended far above
   * where it began (dynamics/divergence.ts).
   */
  diverged: boolean;
  /** With `diverged`: the first step from which that was so. */
  diverged_at?: number;
  /** With `diverged`: what happened, on one line, and what to try. */
  reason?: string;
  seconds: number;
  peak_rss_bytes: number;
  timings: Record<string, number>;
};

export type RunEvent = ConfigEvent | StepEvent | NoticeEvent | DoneEvent;

/** Told what is being done; `done` of `total` where that is known. */
export type Progress = (stage: string, done?: number, total?: number) => void;

/** Who listens beside the events. */
export type RunListeners = Stoppable & {
  progress?: Progress;
};

/**
 * Trains as it was asked for.
 * @throws InputError for anything that cannot be had: data, a device, files, an invertible Gram.
 */
export const run = (asked: Config, listeners: RunListeners = {}): AsyncGenerator<RunEvent> =>
  releasing((opened) => events(asked, listeners, opened));

async function* events(asked: Config, listeners: RunListeners, opened: Engine[]): AsyncGenerator<RunEvent> {
  demandConfig(asked);
  const { progress = () => {}, signal } = listeners;
  const clock = stopwatch();
  const fisher = FISHERS.find(({ name }) => name === (asked.natural_gradient_type ?? "gradient"))!;
  const loss = lossNamed(asked.loss_type);

  // What cannot fit is refused before anything is fetched, where its sizes are known.
  const expected = expectedSizes(asked);
  if (expected) planRun({ ...expected, fisher, loss }, asked, memoryLimit(asked));

  progress("data");
  const remarks: string[] = [];
  const fetching = {
    signal,
    notice: (line: string) => void remarks.push(line),
    progress: (received: number, total?: number) => progress(`fetching ${asked.dataset}`, received, total),
  };
  const dataset = await clock.time("data", () => loadData(asked, fetching));
  for (const message of remarks) yield { event: "notice", kind: "data", step: 0, message };
  const config = settle(asked, dataset);
  if (config.save_dataset) await saveData(config, dataset);
  const { yTrain: y } = dataset;
  const network = networkOf(config, dataset);
  const samples = { train: y.rows, test: dataset.yTest.rows };
  const shapeOfRun = {
    samples,
    network,
    fisher,
    loss,
  };
  const plan = planRun(shapeOfRun, config, memoryLimit(config));
  if (config.batch_size !== undefined && config.batch_size > y.rows) {
    throw new InputError(batchTooLarge(config.batch_size, y.rows));
  }
  const batchSize = Math.min(config.batch_size ?? y.rows, y.rows);
  const nextBatch = batchSize < y.rows ? miniBatches(config.random_seed, y.rows, batchSize) : undefined;
  const shape = {
    samples: batchSize,
    layers: network.weights.length,
    width: config.width,
    outputs: y.cols,
    columns: residualColumns(loss, y.cols),
  };
  const { singular } = config;
  const alpha = fisher.alpha(shape, { singular });
  const learningRate = (config.learning_rate ?? 1 / alpha!) * (config.lr_factor ?? 1);

  progress("engine");
  const about: string[] = [];
  const linearizer = await clock.time("engine", () =>
    openNetwork(config, network, opened, (line) => about.push(line)),
  );
  for (const message of about) yield { event: "notice", kind: "runtime", step: 0, message };
  const expectedSeconds = await secondsOf(plan, linearizer.engine);
  progress("weights");
  const weights = await clock.time("weights", () => startWeights(config, linearizer, { signal }));
  const x = stackRows([dataset.xTrain, dataset.xTest], linearizer.engine.floats);
  const trainer = createTrainer(linearizer, weights, fisher, loss, { x, y }, { tile: plan.tile });

  progress("kernel");
  const made = await clock.time("kernel", () =>
    finiteKernels(
      () => predictingKernels(config, fisher, linearizer, weights, dataset, { tile: plan.tile, signal }),
      (pairs) => [...pairs.values()].flatMap(({ train, test }) => [train, test]),
      config,
      dataset,
    ),
  );
  const names = [...made.keys()];
  const kernels = [...made.values()];

  const notices = createInversionNotices();
  // What predictions inverted since that was last told.
  let foreseen: Inversion[] = [];
  const inverting: InvertOptions = {
    singular,
    signal,
    onInversion: (inversion) => foreseen.push(inversion),
  };

  // A loss with a curvature has it at the initial outputs; for a squared error any outputs do.
  const first =
    alpha === undefined || nextBatch || kernels.length === 0
      ? undefined
      : await clock.time("prepare", async () => {
          const f = loss.curvature ? (await trainer.evaluate({ signal })).train : y;
          const view = viewOf(fisher, loss, f, y, config.damping);
          const movers: Movers[] = [];
          for (const pair of kernels) movers.push(await prepareMovers(fisher, pair, view, inverting));
          return { f, movers };
        });
  const measured =
    first &&
    (await clock.time("isotropy", () => {
      const at = { loss, f: first.f, y };
      const { R, size } = responseOf(fisher, at, first.movers[0]!.train, config.damping);
      // A product with it costs one solve per unit there.
      const few = fisher.needs === "units" ? { maxColumns: 24, maxProbes: 24 } : {};
      return isotropyOf(R, size, { ...few, signal });
    }));
  yield {
    event: "config",
    config,
    widths: [network.inputs, ...network.weights.map(({ fanOut }) => fanOut)],
    n_classes: dataset.targetClasses.length,
    target_classes: dataset.targetClasses,
    learning_rate: learningRate,
    plan: {
      bytes: plan.bytes,
      ...(expectedSeconds === undefined ? {} : { seconds: expectedSeconds }),
      ...(plan.solver ? { solver: plan.solver } : {}),
    },
    ...(measured ? { isotropy: { alpha_theory: alpha ?? null, ...measured } } : {}),
  };

  for (const message of idleOptions(config, plan.solver)) {
    yield { event: "notice", kind: "option", step: 0, message };
  }

  const adaptive = config.damping_schedule !== "constant";
  const controller = dampingController(config.damping_schedule, config.damping);
  let chosen = { damping: config.damping, ratio: undefined as number | undefined };
  const choose = (f: Outputs): number => {
    chosen = controller.next(loss.value(f.train, y));
    return chosen.damping;
  };
  const options = {
    learningRate,
    damping: adaptive ? choose : config.damping,
    singular,
    model: adaptive,
    signal,
    ...(plan.solver ? { solver: solverOptions(config, plan.solver, progress) } : {}),
    progress: (what: string, done: number, total: number) => progress(`step: ${what}`, done, total),
  };

  const watch = watchDivergence(loss, y);
  const predictions: Prediction[] = [];
  let diverged: Divergence | undefined;
  let previous: ArrayLike<number> | undefined;
  for (let step = 0; step <= config.n_steps && !diverged; step++) {
    progress("step", step, config.n_steps);
    const dampingBefore = chosen.damping;
    const samples = step < config.n_steps ? nextBatch?.() : undefined;
    let shown = step % config.log_every === 0 || step === config.n_steps;
    let f: Outputs;
    let solve: SolveReport | undefined;
    let stopped: Stopped | undefined;
    // A step that cannot be taken still has the row of where it starts.
    let failure: InputError | undefined;
    let inversions: readonly Inversion[] = [];
    if (step < config.n_steps) {
      const settings = { ...options, evaluate: shown, ...(samples ? { samples } : {}) };
      const result = await clock.time("loop", () => attempt(() => trainer.step(settings)));
      if (result instanceof Error) {
        failure = new InputError(`step ${step + 1}: ${result.message}`);
        f = await trainer.evaluate({ signal });
        shown = true;
      } else {
        for (const [part, value] of Object.entries(result.seconds)) clock.add(part, value);
        if (result.modelChange !== undefined) controller.expect(result.modelChange);
        ({ solve, inversions } = result);
        yield* notices(inversions, step + 1);
        if (solve && !solve.converged) yield shortOfGoal(step + 1, solve, config);
        f = result.before;
        stopped = result.stopped;
        if (!shown && stopped) {
          f = await clock.time("loop", () => trainer.evaluate({ signal }));
          shown = true;
        }
      }
    } else {
      f = await clock.time("loop", () => trainer.evaluate({ signal }));
      if (adaptive) choose(f);
    }

    const predicted = await clock.time("predict", async () => {
      const next: Outputs[] = [];
      if (step > 0) {
        for (const prediction of predictions) next.push(await prediction.step(dampingBefore, previous));
      } else {
        for (const [i, pair] of kernels.entries()) {
          const options = {
            ...inverting,
            learningRate,
            batches: nextBatch !== undefined,
            ...(first ? { first: first.movers[i]! } : {}),
          };
          const predictor = await createPredictor(config, fisher, loss, pair, f, y, options);
          const what = kernels.length > 1 ? `the prediction of the ${names[i]} kernel` : "the prediction";
          const judged = { loss, y, watch: watchDivergence(loss, y) };
          predictions.push(watchPrediction(what, predictor, f, judged));
          next.push(f);
        }
      }
      return next;
    });
    // At the start they are prepared for the first step, later for the one that ends here.
    yield* notices(foreseen, Math.max(1, step), " of the prediction");
    foreseen = [];
    previous = samples;
    if (!shown) continue;
    const metrics = measure(loss, f, dataset);
    const finite = Object.values(metrics).every(Number.isFinite);
    if (step === 0 && (!finite || (stopped && stopped.what !== "update"))) {
      const what = stopped ? stoppedText(stopped) : allFinite(f.train.data) ? "loss" : "outputs";
      throw unrepresentable(what, config, dataset);
    }
    watch.note(step, finite ? metrics.train_loss : Number.NaN);
    const [predict, predictEmpirical] = predicted.map((p) => measure(loss, p, dataset));
    yield {
      event: "step",
      step,
      ...metrics,
      ...(predict ? { predict } : {}),
      ...(predictEmpirical ? { predict_empirical: predictEmpirical } : {}),
      ...(singular === "least_norm" ? { least_norm: leastNormOf(inversions) } : {}),
      ...(plan.solver === "cg" ? { solve: solve ? solveEvent(solve) : null } : {}),
      ...(adaptive ? { damping: chosen.damping, reduction_ratio: chosen.ratio ?? null } : {}),
    };
    const since = watch.since();
    if (failure && since === undefined) throw failure;
    if (failure || stopped || !finite || (step === config.n_steps && since !== undefined)) {
      diverged = divergenceOf(watch, { step, metrics, stopped, failure });
    }
    for (const [i, p] of [predict, predictEmpirical].entries()) {
      if (!p || diverged) continue;
      const notice = predictions[i]!.judge(step, p, step === config.n_steps);
      if (notice) yield notice;
    }
  }
  yield {
    event: "done",
    diverged: diverged !== undefined,
    ...(diverged ? { diverged_at: diverged.at, reason: diverged.reason } : {}),
    seconds: process.uptime(),
    peak_rss_bytes: peakBytes(),
    timings: clock.seconds,
  };
}

const solverOptions = (config: Config, solver: Solver, progress: Progress): SolverOptions => ({
  solver,
  tolerance: config.cg_tolerance,
  maxIterations: config.cg_max_iterations,
  ...(config.preconditioner_rank === undefined ? {} : { rank: config.preconditioner_rank }),
  onRank: (rank, of) => progress("step: rank of the preconditioner", rank, of),
  onIteration({ iteration, relativeResidual }) {
    progress(`step: conjugate gradients, residual ${relativeResidual.toExponential(1)}`, iteration);
  },
});

const solveEvent = ({ iterations, relativeResidual, converged, rank }: SolveReport) => ({
  iterations,
  relative_residual: relativeResidual,
  converged,
  rank,
});

const shortOfGoal = (
  step: number,
  { iterations, relativeResidual }: SolveReport,
  config: Config,
): NoticeEvent => ({
  event: "notice",
  kind: "solver",
  step,
  message:
    `step ${step}: conjugate gradients stopped at a relative residual of ${relativeResidual.toExponential(1)} ` +
    `after ${iterations} iterations, wanted ${config.cg_tolerance}; try --damping or a greater --preconditioner_rank`,
});

/** What the work gives, or the error of a system that could not be solved. */
async function attempt<T>(work: () => Promise<T>): Promise<T | SingularGramError | UnsolvedError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SingularGramError || error instanceof UnsolvedError) return error;
    throw error;
  }
}

async function createPredictor(
  config: Config,
  fisher: Fisher,
  loss: Loss,
  kernels: PredictingKernels,
  start: Outputs,
  y: Matrix,
  options: InvertOptions & { learningRate: number; batches: boolean; first?: Movers },
): Promise<Predictor> {
  // Continuous time knows no mini-batches.
  if (fisher.continuous && config.gd_prediction === "continuous" && config.batch_size === undefined) {
    const flow = loss.curvature ? gradientFlowOf : exactFlow;
    return flow(loss, kernels, start, y, options);
  }
  return predictSteps(fisher, loss, kernels, start, y, { ...options, damping: config.damping });
}

/** {@link gradientFlow} is of a squared error alone, and exact. */
const exactFlow: typeof gradientFlowOf = (_loss, ...rest) => gradientFlow(...rest);

const measure = (loss: Loss, f: Outputs, { yTrain, yTest }: Dataset): Metrics => ({
  train_accuracy: accuracy(f.train, yTrain),
  train_loss: loss.value(f.train, yTrain),
  test_accuracy: accuracy(f.test, yTest),
  test_loss: loss.value(f.test, yTest),
});

/** Adds up wall-clock seconds by name. */
function stopwatch() {
  const seconds: Record<string, number> = {};
  const add = (name: string, value: number): void => {
    seconds[name] = (seconds[name] ?? 0) + value;
  };
  return {
    seconds,
    add,
    async time<T>(name: string, work: () => T | Promise<T>): Promise<T> {
      const start = performance.now();
      const result = await work();
      add(name, (performance.now() - start) / 1000);
      return result;
    },
  };
}
