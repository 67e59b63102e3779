/**
 * @file The samples and labels of an experiment: from a file, from a collection of images, or drawn.
 */
import { join } from "node:path";
import type { Stoppable } from "../breathe.ts";
import type { Dataset, Selection } from "../data/dataset.ts";
import { forsterTransform } from "../data/forster.ts";
import { cifar10 } from "../data/node/cifar10.ts";
import { fashionMnist } from "../data/node/fashion-mnist.ts";
import type { FetchOptions } from "../data/node/fetch-store.ts";
import { mnist } from "../data/node/mnist.ts";
import { loadDataset, saveDataset } from "../data/node/npz.ts";
import { synthetic } from "../data/synthetic.ts";
import { createEngine } from "../engine/engine.ts";
import { InputError } from "../error.ts";
import { randomState } from "../random/random-state.ts";
import type { Config } from "./config.ts";
import { lossOf } from "./own.ts";
import { datasetName } from "./names.ts";

/** The options that say what to learn from. */
export type DataOptions = Pick<
  Config,
  | "dataset"
  | "dataset_path"
  | "normalise"
  | "sample_shape"
  | "channels_first"
  | "n_classes"
  | "target_classes"
  | "train_size"
  | "test_size"
  | "data_seed"
  | "loss_type"
  | "own"
  | "random_seed"
  | "forster_transform"
  | "forster_transform_n_iters"
  | "forster_transform_tol"
  | "memory_limit"
  | "threads"
>;

/**
 * Loads, fetches or draws the dataset of an experiment.
 * @throws InputError when it cannot be had.
 */
export async function loadData(
  options: DataOptions,
  { signal, ...fetching }: FetchOptions & Stoppable = {},
): Promise<Dataset> {
  const dataset = await source(options, fetching);
  if (!options.forster_transform) return dataset;
  const { threads } = options;
  // The one of the network comes later: what it is depends on the data.
  const engine = await createEngine({
    precision: "float64",
    notice: () => {},
    ...(threads === undefined ? {} : { threads }),
  });
  try {
    return await forsterTransform(dataset, {
      iterations: options.forster_transform_n_iters,
      tolerance: options.forster_transform_tol,
      engine,
      signal,
    });
  } finally {
    await engine.release();
  }
}

async function source(options: DataOptions, fetching: FetchOptions): Promise<Dataset> {
  const { train_size: trainSize, test_size: testSize } = options;
  const loss = lossOf(options);
  const targetClasses = options.target_classes ?? Array.from({ length: options.n_classes }, (_, c) => c);
  const drawn = options.data_seed === undefined ? {} : { dataSeed: options.data_seed };
  const selection: Selection = { trainSize, testSize, loss, targetClasses, ...drawn };
  if (options.dataset_path !== undefined) {
    const dataset = await loadDataset(options.dataset_path, {
      trainSize,
      testSize,
      loss,
      ...drawn,
      normalise: options.normalise,
      sampleShape: options.sample_shape,
      channelsFirst: options.channels_first,
      memoryLimit: options.memory_limit,
      // What the Forster transform moves has norm 1 whatever it had.
      notice: options.forster_transform ? undefined : fetching.notice,
    });
    const found = dataset.targetClasses.length;
    if (options.n_classes !== 0 && found !== options.n_classes) {
      throw new InputError(
        `n_classes: wanted ${found} (the classes of ${options.dataset_path}), got ${options.n_classes}`,
      );
    }
    return dataset;
  }
  switch (options.dataset) {
    case "synthetic": {
      const { normalsInto } = randomState(options.data_seed ?? options.random_seed);
      return synthetic(normalsInto, { trainSize, testSize, loss, classes: targetClasses.length });
    }
    case "cifar10":
      return cifar10(selection, fetching);
    case "fashion_mnist":
      return fashionMnist(selection, fetching);
    default:
      return mnist(selection);
  }
}

/** The configuration as the data made it: sizes that were asked for as `all`, and the classes of a file, are numbers. */
export const settle = (config: Config, { xTrain, xTest, targetClasses }: Dataset): Config => ({
  ...config,
  n_classes: config.dataset_path === undefined ? config.n_classes : targetClasses.length,
  train_size: xTrain.rows,
  test_size: xTest.rows,
});

/** Saves the dataset of a run in the layout of the paper's programs. */
export async function saveData(config: Config, dataset: Dataset): Promise<void> {
  await saveDataset(join(config.save_dataset_dir, `${datasetName(config, dataset)}.npz`), dataset);
}
