/**
 * @file Runs an experiment and tells what happens as events: the configuration, a step at a time with what the
 * kernel predicted for it, and the end. Whoever listens decides how they look.
 */
import { join } from "node:path";
import { forsterTransform } from "../data/forster.ts";
import type { Dataset } from "../data/dataset.ts";
import { loadDataset, saveDataset } from "../data/node/npz.ts";
import { mnist } from "../data/node/mnist.ts";
import { synthetic } from "../data/synthetic.ts";
import { predictSteps, type Outputs, type Predictor } from "../dynamics/function-space.ts";
import { gradientFlow } from "../dynamics/gradient-flow.ts";
import { isotropy } from "../dynamics/isotropy.ts";
import { createTrainer } from "../dynamics/trainer.ts";
import { FISHERS, type Fisher } from "../fisher/index.ts";
import { createEngine, type Engine } from "../graph/engine.ts";
import { analyticKernel } from "../kernel/analytic.ts";
import { empiricalKernel } from "../kernel/empirical.ts";
import { createLinearizer, type Linearizer } from "../linearization/linearize.ts";
import { createWeights, type Weights } from "../linearization/weights.ts";
import { accuracy, type Loss } from "../loss/loss.ts";
import { mse } from "../loss/mse.ts";
import { matrix, type Floats, type Matrix } from "../matrix/matrix.ts";
import { initialise } from "../network/initialise.ts";
import { mlp, type Network } from "../network/network.ts";
import { randomState } from "../random/random-state.ts";
import type { Config } from "./config.ts";
import { loadKernels, loadWeights, saveKernels, saveWeights, type Kernels } from "./files.ts";

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
  target_classes: readonly number[];
  learning_rate: number;
  /** Natural gradients only: how far G is from alpha I on the kernel that predicts. */
  isotropy?: { alpha_theory: number | null; alpha: number; deviation: number; probes: number };
};

/** One row of the table. */
export type StepEvent = { event: "step"; step: number } & Metrics & { predict: Metrics };

/** The end, with wall-clock seconds of every part. */
export type DoneEvent = {
  event: "done";
  /** True when the loss stopped being a number and training with it. */
  diverged: boolean;
  seconds: number;
  peak_rss_bytes: number;
  timings: Record<string, number>;
};

export type RunEvent = ConfigEvent | StepEvent | DoneEvent;

/** Told what is being done; `done` of `total` where that is known. */
export type Progress = (stage: string, done?: number, total?: number) => void;

/**
 * Trains as `config` says.
 * @throws InputError for anything that cannot be had: data, a device, files, an invertible Gram.
 */
export async function* run(config: Config, progress: Progress = () => {}): AsyncGenerator<RunEvent> {
  const clock = stopwatch();
  const fisher = FISHERS.find(({ name }) => name === (config.natural_gradient_type ?? "gradient"))!;
  const loss = mse;

  progress("data");
  const dataset = await clock.time("data", () => loadData(config));
  const { yTrain: y } = dataset;
  const network = mlp(dataset.xTrain.cols, {
    depth: config.n_layers,
    width: config.width,
    outputs: y.cols,
    weightVariance: config.weight_variance,
    biasVariance: config.bias_variance,
  });
  const shape = { samples: y.rows, layers: network.weights.length, width: config.width, outputs: y.cols };
  const alpha = fisher.alpha(shape);
  const learningRate = (config.learning_rate ?? 1 / alpha!) * (config.lr_factor ?? 1);

  progress("engine");
  const { linearizer, engine } = await clock.time("engine", () => openNetwork(config, network));
  progress("weights");
  const weights = await clock.time("weights", () => startWeights(config, engine, network));
  const x = stack(engine, dataset.xTrain, dataset.xTest);
  const trainer = createTrainer(linearizer, weights, fisher, loss, { x, y });

  progress("kernel");
  const kernels = await clock.time("kernel", () => predictingKernels(config, linearizer, weights, dataset));
  const measured =
    alpha === undefined
      ? undefined
      : await clock.time("isotropy", () => isotropy(fisher, kernels.train, { damping: config.damping }));
  yield {
    event: "config",
    config,
    widths: [network.inputs, ...network.weights.map(({ fanOut }) => fanOut)],
    target_classes: dataset.targetClasses,
    learning_rate: learningRate,
    ...(measured ? { isotropy: { alpha_theory: alpha ?? null, ...measured } } : {}),
  };

  let predictor: Predictor | undefined;
  let predicted: Outputs | undefined;
  let diverged = false;
  const options = { learningRate, damping: config.damping };
  for (let step = 0; step <= config.n_steps && !diverged; step++) {
    progress("step", step, config.n_steps);
    let now: Outputs;
    if (step < config.n_steps) {
      const { seconds, ...outputs } = await clock.time("loop", () => trainer.step(options));
      for (const [part, value] of Object.entries(seconds)) clock.add(part, value);
      now = outputs;
    } else {
      now = await clock.time("loop", () => trainer.evaluate());
    }
    const start = now;
    predictor ??= await clock.time("predict", () =>
      createPredictor(config, fisher, loss, kernels, start, y, options),
    );
    const ready = predictor;
    predicted = step === 0 ? now : await clock.time("predict", () => ready.step());
    const metrics = measure(loss, now, dataset);
    diverged = !Object.values(metrics).every(Number.isFinite);
    yield { event: "step", step, ...metrics, predict: measure(loss, predicted, dataset) };
  }
  yield {
    event: "done",
    diverged,
    seconds: process.uptime(),
    peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
    timings: clock.seconds,
  };
}

/** The samples and labels of a run, saved where that was asked for. */
async function loadData(config: Config): Promise<Dataset> {
  const sizes = { trainSize: config.train_size, testSize: config.test_size, lossType: config.loss_type };
  const targetClasses = config.target_classes ?? Array.from({ length: config.n_classes }, (_, c) => c);
  let dataset: Dataset;
  if (config.dataset_path !== undefined) {
    dataset = await loadDataset(config.dataset_path, sizes);
  } else if (config.dataset === "synthetic") {
    const normals = randomState(config.random_seed).normalsInto;
    dataset = synthetic(normals, { ...sizes, classes: targetClasses.length });
  } else {
    dataset = await mnist({ ...sizes, targetClasses });
  }
  if (config.forster_transform) {
    dataset = await forsterTransform(dataset, {
      iterations: config.forster_transform_n_iters,
      tolerance: config.forster_transform_tol,
    });
  }
  if (config.save_dataset && config.dataset_path === undefined) {
    const forster = config.forster_transform ? "_forster" : "";
    await saveDataset(join(config.save_dataset_dir, `${fileStem(config, dataset)}${forster}.npz`), dataset);
  }
  return dataset;
}

const fileStem = (config: Config, dataset: Dataset): string =>
  `${config.dataset}_train${dataset.xTrain.rows}_test${dataset.xTest.rows}_${dataset.targetClasses.length}classes`;

async function openNetwork(
  config: Config,
  network: Network,
): Promise<{ engine: Engine; linearizer: Linearizer }> {
  const engine = await createEngine({
    device: config.device,
    precision: config.precision,
    ...(config.threads === undefined ? {} : { threads: config.threads }),
  });
  return { engine, linearizer: await createLinearizer(engine, network) };
}

async function startWeights(config: Config, engine: Engine, network: Network): Promise<Weights> {
  const thetas =
    config.init_weights_dir === undefined
      ? initialise(engine, network, config.random_seed)
      : await loadWeights(config.init_weights_dir, engine, network);
  if (config.save_init_weights) await saveWeights(config.save_init_weights_dir, network, thetas);
  return createWeights(network, thetas);
}

/** The kernels that predict: analytic, empirical at the initial weights, or loaded. */
async function predictingKernels(
  config: Config,
  linearizer: Linearizer,
  weights: Weights,
  dataset: Dataset,
): Promise<Kernels> {
  const { xTrain, xTest } = dataset;
  const { network } = linearizer;
  const samples = { train: xTrain.rows, test: xTest.rows };
  if (config.kernel_path !== undefined) return loadKernels(config.kernel_path, network, samples);
  const options = { tile: config.kernel_batch_size };
  let kernels: Kernels;
  if (config.kernel === "analytic") {
    kernels = {
      train: analyticKernel(network, xTrain, xTrain, options),
      test: analyticKernel(network, xTest, xTrain, options),
    };
  } else {
    const { train, others } = await empiricalKernel(linearizer, weights, xTrain, [xTest], options);
    kernels = { train, test: others[0]! };
  }
  if (config.save_kernel) {
    await saveKernels(
      join(config.save_kernel_dir, `${config.kernel}_${fileStem(config, dataset)}.npz`),
      kernels,
    );
  }
  return kernels;
}

function createPredictor(
  config: Config,
  fisher: Fisher,
  loss: Loss,
  kernels: Kernels,
  start: Outputs,
  y: Matrix,
  options: { learningRate: number; damping: number },
): Promise<Predictor> {
  if (fisher.name === "gradient" && config.gd_prediction === "continuous") {
    return gradientFlow(kernels, start, y, options);
  }
  return predictSteps(fisher, loss, kernels, start, y, options);
}

const measure = (loss: Loss, f: Outputs, { yTrain, yTest }: Dataset): Metrics => ({
  train_accuracy: accuracy(f.train, yTrain),
  train_loss: loss.value(f.train, yTrain),
  test_accuracy: accuracy(f.test, yTest),
  test_loss: loss.value(f.test, yTest),
});

/** Training samples, then test samples, in the engine's precision. */
function stack(engine: Engine, a: Matrix, b: Matrix): Matrix<Floats> {
  const data = engine.floats(a.data.length + b.data.length);
  data.set(a.data);
  data.set(b.data, a.data.length);
  return matrix(a.rows + b.rows, a.cols, data);
}

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
