/**
 * @file From options to what an experiment runs on: a network on an engine, its initial weights, and the kernels that
 * predict its training.
 */
import { join } from "node:path";
import type { Stoppable } from "../breathe.ts";
import type { PredictingKernels } from "../dynamics/function-space.ts";
import { makeKernels } from "../dynamics/predicting-kernels.ts";
import { SYNTHETIC_FEATURES } from "../data/synthetic.ts";
import type { Dataset, SampleShape } from "../data/dataset.ts";
import { createEngine, type Engine, type FloatArray } from "../engine/engine.ts";
import { probeDevice } from "../engine/node/device-probe.ts";
import { createWorkerEngine } from "../engine/node/worker-engine.ts";
import type { Fisher } from "../fisher/index.ts";
import { createLinearizer, type Linearizer, type PassOptions } from "../jacobian/linearize.ts";
import type { Weights } from "../jacobian/weights.ts";
import { drawWeights } from "../network/initialise.ts";
import { type Network } from "../network/network.ts";
import { sizeOf } from "../ops/op.ts";
import { buildNetwork } from "./architecture/architecture.ts";
import type { NetworkOptions } from "./architecture/named.ts";
import type { Config } from "./config.ts";
import { kernelNeeds, type RunShape } from "./plan.ts";
import { checkKernelFile, loadKernels, saveKernels } from "./files.ts";
import { originOf } from "./identity.ts";
import { partOf } from "./model/part.ts";
import { headedWeights } from "./model/head.ts";
import { isModel, readOf, type ModelFile } from "./model/model-option.ts";
import { kernelName } from "./names.ts";
import { lossOf } from "./own.ts";
import { loadWeights, saveWeights } from "./weight-files.ts";

/** The network of an experiment on a dataset. */
export const networkOf = (options: NetworkOptions, { xTrain, yTrain, sample }: Dataset): Network =>
  buildNetwork(options, { inputs: xTrain.cols, outputs: yTrain.cols, ...(sample ? { sample } : {}) });

/** What a sample is in the sources that natgrad knows. */
const SAMPLES: Readonly<Record<Config["dataset"], SampleShape["shape"]>> = {
  mnist: [28, 28, 1],
  fashion_mnist: [28, 28, 1],
  cifar10: [32, 32, 3],
  synthetic: [SYNTHETIC_FEATURES],
};

/** Samples and network of an experiment before its data is there; undefined where they depend on the data. */
export function expectedSizes(config: Config): Pick<RunShape, "samples" | "network"> | undefined {
  const samples = { train: config.train_size, test: config.test_size };
  if (config.dataset_path !== undefined || samples.train === Infinity || samples.test === Infinity) {
    return undefined;
  }
  const shape = SAMPLES[config.dataset];
  const whole = buildNetwork(config, {
    inputs: sizeOf(shape),
    outputs: lossOf(config).outputs(config.n_classes),
    ...(config.forster_transform || shape.length === 1 ? {} : { sample: { shape } }),
  });
  return { samples, network: partOf(config, whole).network };
}

/** The options of the engine. */
export type EngineChoice = Pick<Config, "device" | "precision" | "threads" | "workers">;

/**
 * Opens an engine: in this thread, or one made of worker threads, which share the cores unless `threads` says how many each has.
 * @param notice called when WebAssembly takes the place of native code
 */
export async function openEngine(
  { device, precision, threads, workers }: EngineChoice,
  notice: (line: string) => void,
): Promise<Engine> {
  const options = { precision, notice, ...(threads === undefined ? {} : { threads }) };
  if (workers > 1) return createWorkerEngine({ ...options, workers });
  const engine = await createEngine({ ...options, device });
  // Tried in a process of its own first: libraries that look for graphics devices print what is missing, beside the one line of an error.
  if (device === "webgpu") await probeDevice(device);
  return engine;
}

/** Opens the engine, adds it to `opened`, and compiles the network for it. */
export async function openNetwork(
  options: EngineChoice,
  network: Network,
  opened: Engine[],
  notice: (line: string) => void,
): Promise<Linearizer> {
  const engine = await openEngine(options, notice);
  opened.push(engine);
  return createLinearizer(engine, network);
}

/** theta of all blocks at the start, drawn, loaded or those of a model; saved where that was asked for. */
export async function startThetas(
  config: Config,
  { engine, network }: Pick<Linearizer, "engine" | "network">,
  { signal }: Stoppable = {},
): Promise<readonly FloatArray[]> {
  const { architecture } = config;
  const thetas = isModel(architecture)
    ? await modelWeights(config, architecture, { engine, network, signal })
    : config.init_weights_dir === undefined
      ? await drawWeights(engine, network, config.random_seed, { prng: config.prng, signal })
      : await loadWeights(config.init_weights_dir, engine, network);
  if (config.save_init_weights) await saveWeights(config.save_init_weights_dir, network, thetas);
  return thetas;
}

/** The weights of a model, with those of a new last layer. */
function modelWeights(
  { head, random_seed }: Config,
  file: ModelFile,
  { engine, network, signal }: Stoppable & Pick<Linearizer, "engine" | "network">,
): FloatArray[] | Promise<FloatArray[]> {
  const model = readOf(file);
  if (head === undefined) return model.weights(engine);
  return headedWeights(model, network.outputs, engine, random_seed, { signal });
}

/** The kernels that predict, by name: one, or both, or none. */
export type Kernels = ReadonlyMap<"analytic" | "empirical" | "loaded", PredictingKernels>;

/**
 * The kernels that predict: analytic, empirical at the initial weights, both, loaded from a file, or none.
 * @param passing how samples go through the network
 */
export async function predictingKernels(
  config: Config,
  fisher: Fisher,
  linearizer: Linearizer,
  weights: Weights,
  dataset: Dataset,
  passing: PassOptions = {},
): Promise<Kernels> {
  const { xTrain, xTest } = dataset;
  const { network } = linearizer;
  const source = { config, dataset, network, weights };
  if (config.kernel_path !== undefined) {
    return new Map([["loaded", await loadKernels(config.kernel_path, source, fisher)]]);
  }
  const wanted = (["analytic", "empirical"] as const).filter((name) =>
    [name, "both"].includes(config.kernel),
  );
  const kernels = new Map<"analytic" | "empirical", PredictingKernels>();
  const needs = kernelNeeds(fisher, config);
  const signals = needs === "units";
  for (const name of wanted) {
    if (config.save_kernel) {
      const samples = { train: xTrain.rows, test: xTest.rows };
      const outputs = name === "empirical" || signals ? network.outputs : 1;
      const bytes = name === "empirical" && config.precision === "float32" ? 4 : 8;
      checkKernelFile({ samples, network, outputs, signalBytes: signals ? bytes : 0 });
    }
    const pair = await makeKernels(name, needs, linearizer, weights, dataset, {
      ...passing,
      kernelTile: config.kernel_batch_size,
      unitSeed: config.random_seed,
    });
    kernels.set(name, pair);
    if (config.save_kernel) {
      const origin = originOf(name, source, signals);
      const file = `${kernelName(config, dataset, origin, signals)}.npz`;
      await saveKernels(join(config.save_kernel_dir, file), pair, origin, { signals });
    }
  }
  return kernels;
}

/** The size of tiles that was asked for, as an option. */
export const tileOf = ({ kernel_batch_size: tile }: Pick<Config, "kernel_batch_size">): { tile?: number } =>
  tile === undefined ? {} : { tile };
