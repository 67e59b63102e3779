/**
 * @file Runs an experiment: makes data, network, weights and kernels as the options say, trains, and reports it as events
 * (events.ts).
 */
import type { Dataset } from "../data/dataset.ts";
import { alphaOf, hasAlpha, measuredRate, type MeasuredRate } from "../dynamics/alpha.ts";
import type { PredictingKernels } from "../dynamics/function-space.ts";
import { createStopwatch, type Stopwatch } from "../dynamics/stopwatch.ts";
import { prepareTraining, type Training } from "../dynamics/training.ts";
import type { TrainingOptions } from "../dynamics/training-options.ts";
import { InputError } from "../error.ts";
import { type Fisher, type Solver, type SolverOptions } from "../fisher/index.ts";
import { createLinearizer, type Linearizer } from "../jacobian/linearize.ts";
import { createWeights, type Weights } from "../jacobian/weights.ts";
import type { Loss } from "../loss/index.ts";
import type { Network } from "../network/network.ts";
import { describeNetwork } from "./architecture/describe.ts";
import { type Config } from "./config.ts";
import { demandConfig } from "./parse-config.ts";
import { batchTooLarge } from "./conflicts.ts";
import { loadData, saveData, settle } from "./dataset.ts";
import type { ConfigEvent, DoneEvent, Progress, RunEvent, RunListeners } from "./events.ts";
import { demandSavable } from "./files.ts";
import { idleOptions } from "./idle.ts";
import { kernelFor } from "./kernel-choice.ts";
import { fisherOf, lossOf } from "./own.ts";
import { memoryLimit } from "./memory.ts";
import { withModel } from "./model/model-file.ts";
import { isModel } from "./model/model-option.ts";
import { partOf, type MovingPart } from "./model/part.ts";
import { demandModelFits, saveModel, type Trained } from "./model/save.ts";
import { arrangedFor } from "./model/samples.ts";
import { planRun, type Plan } from "./plan.ts";
import { secondsOf } from "./rate.ts";
import { finiteKernels } from "./representable.ts";
import { stepEvents, type Ending } from "./rows.ts";
import { expectedSizes, networkOf, openEngine, predictingKernels, startThetas } from "./setup.ts";
import { withUse, type Use } from "./use.ts";

/**
 * Trains as it was asked for.
 * @throws InputError for anything that cannot be had: data, a device, files, an invertible Gram.
 */
export const run = (asked: Config, listeners: RunListeners = {}): AsyncGenerator<RunEvent> =>
  withUse((use) => events(asked, listeners, use));

/** What was decided from the options and the data, before anything is computed. */
type Setting = {
  readonly config: Config;
  readonly dataset: Dataset;
  readonly network: Network;
  /** What moves, of all. */
  readonly part: MovingPart;
  readonly fisher: Fisher;
  readonly loss: Loss;
  readonly plan: Plan;
  /** Samples of a step. */
  readonly batchSize: number;
  /** Of the theory. */
  readonly alpha: number | undefined;
  /** What was done to samples, so that they are inputs of a model. */
  readonly arranged?: string;
  /** Why the kernel is not the analytic one, where none was named. */
  readonly kernelReason?: string;
};

/** The learning rate, and what it was measured from where the theory has none. */
type Rate = { readonly learningRate: number; readonly measured?: MeasuredRate };

async function* events(given: Config, listeners: RunListeners, use: Use): AsyncGenerator<RunEvent> {
  demandConfig(given);
  const { progress = () => {}, signal } = listeners;
  const clock = createStopwatch();
  const asked = await withModel(given);
  refuseTooLarge(asked);
  progress("data");
  const setting = await settingOf(asked, yield* fetchedData(asked, listeners, clock));
  if (setting.arranged !== undefined)
    yield { event: "notice", kind: "data", step: 0, message: setting.arranged };
  const { config, dataset, network, plan } = setting;

  progress("engine");
  const about: string[] = [];
  const engine = await clock.time("engine", () => openEngine(config, (line) => about.push(line)));
  use.engines.push(engine);
  for (const message of about) yield { event: "notice", kind: "runtime", step: 0, message };
  const expectedSeconds = await secondsOf(plan, engine);
  progress("weights");
  const { part } = setting;
  const thetas = await clock.time("weights", () =>
    startThetas(config, { engine, network: part.whole }, { signal }),
  );
  const weights = createWeights(network, part.start(thetas));
  // What does not move is a constant of the graphs.
  const linearizer = await clock.time("engine", () => createLinearizer(engine, network));
  progress("kernel");
  const kernels = await clock.time("kernel", () => kernelsOf(setting, linearizer, weights, signal));
  const rate = await clock.time("kernel", () => rateOf(setting, linearizer, weights, signal));
  const training = await prepareTraining(
    {
      ...setting,
      method: setting.fisher,
      data: dataset,
      linearizer,
      weights,
      kernels: [...kernels.values()],
    },
    trainingOptions(setting, rate, listeners),
  );
  yield configEvent(setting, rate, training, expectedSeconds);
  for (const idle of idleOptions(config, [setting.fisher], plan.solver)) {
    yield { event: "notice", kind: "option", step: 0, ...idle };
  }
  const ending = yield* stepEvents(training.steps(), config, dataset, plan.solver, [...kernels.keys()]);
  const timings = { ...clock.seconds, ...training.seconds } as DoneEvent["timings"];
  yield* savedModel(config, ending, { engine, network: part.whole, thetas, weights });
  yield { event: "done", ...ending, ...use.measured(), timings };
}

/** Writes the trained network where that was asked for; one that diverged is not written, and a notice says so. */
async function* savedModel(config: Config, { diverged }: Ending, trained: Trained): AsyncGenerator<RunEvent> {
  const { save_model: path, n_steps } = config;
  if (path === undefined) return;
  if (!diverged) return saveModel(path, config, trained);
  const message = `save_model: not written, as training diverged (${path})`;
  yield { event: "notice", kind: "option", step: n_steps, message };
}

/** Method and loss of a configuration. */
const partsOf = (config: Config): { fisher: Fisher; loss: Loss } => ({
  fisher: fisherOf(config),
  loss: lossOf(config),
});

/** What cannot fit is refused before anything is fetched, where its sizes are known. */
function refuseTooLarge(asked: Config): void {
  const expected = expectedSizes(asked);
  if (expected) planRun({ ...expected, ...partsOf(asked) }, asked, memoryLimit(asked));
}

/** The data, with notices about it. */
async function* fetchedData(
  asked: Config,
  { progress = () => {}, signal }: RunListeners,
  clock: Stopwatch,
): AsyncGenerator<RunEvent, Dataset> {
  const remarks: string[] = [];
  const fetching = {
    signal,
    notice: (line: string) => void remarks.push(line),
    progress: (received: number, total?: number) => progress(`fetching ${asked.dataset}`, received, total),
  };
  const dataset = await clock.time("data", () => loadData(asked, fetching));
  for (const message of remarks) yield { event: "notice", kind: "data", step: 0, message };
  return dataset;
}

async function settingOf(asked: Config, source: Dataset): Promise<Setting> {
  const sized = settle(asked, source);
  if (sized.save_dataset) await saveData(sized, source);
  const { dataset, notice } = arrangedFor(sized.architecture, source);
  const part = partOf(sized, networkOf(sized, dataset));
  const { network } = part;
  const { kernel, reason } = kernelFor(sized, network);
  const config = { ...sized, kernel };
  demandSavable(config, network);
  demandModelFits(config, part.whole);
  const parts = partsOf(config);
  const N = dataset.yTrain.rows;
  const samples = { train: N, test: dataset.yTest.rows };
  const plan = planRun({ samples, network, ...parts }, config, memoryLimit(config));
  const { batch_size = N } = config;
  if (batch_size > N) throw new InputError(batchTooLarge(batch_size, N));
  // The theory is of weights that are drawn.
  const drawn = !isModel(config.architecture);
  const alpha = alphaOf(parts.fisher, network, parts.loss, batch_size, config.singular, drawn);
  return {
    config,
    dataset,
    network,
    part,
    ...parts,
    plan,
    batchSize: batch_size,
    alpha,
    ...(notice === undefined ? {} : { arranged: notice }),
    ...(reason === undefined ? {} : { kernelReason: reason }),
  };
}

/** As it was given, 1 / alpha of the theory, or measured. */
async function rateOf(
  { config, alpha, fisher, loss, dataset, batchSize, plan }: Setting,
  linearizer: Linearizer,
  weights: Weights,
  signal: AbortSignal | undefined,
): Promise<Rate> {
  const factor = config.lr_factor ?? 1;
  const given = config.learning_rate ?? (alpha === undefined ? undefined : 1 / alpha);
  if (given !== undefined) return { learningRate: given * factor };
  const { damping, singular } = config;
  const measured = await measuredRate(
    { method: fisher, linearizer, weights, data: dataset, loss },
    { samples: batchSize, damping, singular, tile: plan.tile, signal },
  );
  return { learningRate: measured.learningRate * factor, measured };
}

/** The kernels that predict, by name. */
const kernelsOf = (
  { config, dataset, fisher, plan }: Setting,
  linearizer: Linearizer,
  weights: Weights,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, PredictingKernels>> =>
  finiteKernels(
    () => predictingKernels(config, fisher, linearizer, weights, dataset, { tile: plan.tile, signal }),
    (pairs) => [...pairs.values()].flatMap(({ train, test }) => [train, test]),
    config,
    dataset,
  );

/** The options as those of the training. */
const trainingOptions = (
  { config, fisher, plan, batchSize }: Setting,
  { learningRate }: Rate,
  { progress = () => {}, signal }: RunListeners,
): TrainingOptions => ({
  learningRate,
  steps: config.n_steps,
  every: config.log_every,
  damping: config.damping,
  dampingSchedule: config.damping_schedule,
  singular: config.singular,
  ...(plan.solver ? { solver: solverOptions(config, plan.solver, progress) } : {}),
  batchSize,
  batchSeed: config.random_seed,
  // Continuous time knows no mini-batches.
  continuous:
    fisher.continuous === true && config.gd_prediction === "continuous" && config.batch_size === undefined,
  isotropy: hasAlpha(fisher),
  tile: plan.tile,
  signal,
  progress,
});

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

const configEvent = (
  { config, dataset, network, plan, alpha, kernelReason }: Setting,
  { learningRate, measured }: Rate,
  { isotropy }: Training,
  expectedSeconds: number | undefined,
): ConfigEvent => ({
  event: "config",
  config,
  ...describeNetwork(config, network),
  ...(kernelReason === undefined ? {} : { kernel_reason: kernelReason }),
  n_classes: dataset.targetClasses.length,
  target_classes: dataset.targetClasses,
  learning_rate: learningRate,
  ...(measured === undefined ? {} : { alpha_measured: measured.alpha, learning_rate_by: measured.by }),
  plan: {
    bytes: plan.bytes,
    ...(expectedSeconds === undefined ? {} : { seconds: expectedSeconds }),
    ...(plan.solver ? { solver: plan.solver } : {}),
  },
  ...(isotropy ? { isotropy: { alpha_theory: alpha ?? null, ...isotropy } } : {}),
});
