/** @file Names of files: those that are documented, and that no two contents share one. */
import { describe, expect, it } from "vitest";
import type { Dataset } from "../../src/data/dataset.ts";
import { lossNamed } from "../../src/loss/index.ts";
import { parseConfig } from "../../src/experiment/parse-config.ts";
import { originOf } from "../../src/experiment/identity.ts";
import { datasetName, kernelName } from "../../src/experiment/names.ts";
import { networkOf } from "../../src/experiment/setup.ts";
import { zeros } from "../../src/linalg/matrix.ts";

type Options = Record<string, unknown>;

/** A configuration, and data of the sizes that it asks for, whose inputs are all `value`. */
function setting(options: Options, value = 1) {
  const config = parseConfig({ natural_gradient_type: "exact", ...options });
  // Of a file nobody knows how many classes it has; here it is two.
  const classes = config.n_classes || 2;
  const targetClasses = config.target_classes ?? Array.from({ length: classes }, (_, c) => c);
  const outputs = lossNamed(config.loss_type).outputs(targetClasses.length);
  const inputs = (rows: number) => {
    const x = zeros(rows, 2);
    x.data.fill(value);
    return x;
  };
  const dataset: Dataset = {
    xTrain: inputs(config.train_size),
    yTrain: zeros(config.train_size, outputs),
    xTest: inputs(config.test_size),
    yTest: zeros(config.test_size, outputs),
    targetClasses,
  };
  return { config, dataset };
}

const dataName = (options: Options = {}) => {
  const { config, dataset } = setting(options);
  return datasetName(config, dataset);
};

const kernelNameOf = (
  kernel: "analytic" | "empirical",
  options: Options = {},
  { signals = false, value = 1, weight = 1 } = {},
) => {
  const { config, dataset } = setting(options, value);
  const network = networkOf(config, dataset);
  const base = Float32Array.of(weight);
  const weights = [{ columns: 1, fanOut: 1, base, lowRank: true }];
  const origin = originOf(kernel, { config, dataset, network, weights }, signals);
  return kernelName(config, dataset, origin, signals);
};

const distinct = (names: readonly string[]) => {
  expect(names.filter((name, i) => names.indexOf(name) < i)).toEqual([]);
  for (const name of names) expect(name).toMatch(/^[\w.+-]{1,250}$/);
};

describe("datasetName", () => {
  it("is that of the paper's programs where nothing is out of the ordinary", () => {
    expect(dataName()).toBe("mnist_train100_test50_2classes");
    expect(dataName({ n_classes: 10, loss_type: "cross_entropy", width: 64, random_seed: 7 })).toBe(
      "mnist_train100_test50_10classes",
    );
    expect(dataName({ target_classes: "0,1" })).toBe("mnist_train100_test50_2classes");
    expect(dataName({ forster_transform: true })).toBe("mnist_train100_test50_2classes_forster");
    expect(dataName({ dataset: "synthetic" })).toBe(dataName({ dataset: "synthetic", data_seed: 1 }));
  });

  it("tells what differs", () => {
    expect(dataName({ target_classes: "3,8" })).toBe("mnist_train100_test50_classes3-8");
    expect(dataName({ target_classes: "0+2,1", loss_type: "cross_entropy", data_seed: 5 })).toBe(
      "mnist_train100_test50_classes0+2-1_cross_entropy_data5",
    );
  });

  it("is another for every content", () => {
    const many = (step: number) => Array.from({ length: 40 }, (_, k) => step * k);
    distinct(
      [
        {},
        { dataset: "cifar10" },
        { train_size: 99 },
        { test_size: 49 },
        { n_classes: 3 },
        { target_classes: "1,0" },
        { target_classes: "3,8" },
        { target_classes: "3+8,1" },
        { target_classes: "3,8+1" },
        { target_classes: "3,8,1" },
        { target_classes: [many(2), many(2).map((k) => k + 1)] },
        { target_classes: [many(2), many(2).map((k) => k + 3)] },
        { loss_type: "cross_entropy" },
        { data_seed: 1 },
        { data_seed: 2 },
        { forster_transform: true },
        { forster_transform: true, forster_transform_tol: 0.01 },
        { forster_transform: true, forster_transform_n_iters: 50 },
        { dataset: "synthetic" },
        { dataset: "synthetic", random_seed: 2 },
        { dataset: "synthetic", data_seed: 3 },
      ].map(dataName),
    );
  });
});

describe("kernelName", () => {
  it("begins as that of the data", () => {
    expect(kernelNameOf("analytic")).toBe("analytic_mnist_train100_test50_2classes");
    expect(kernelNameOf("empirical")).toBe("empirical_mnist_train100_test50_2classes");
    expect(kernelNameOf("empirical", { width: 64, n_layers: 4, precision: "float64", random_seed: 7 })).toBe(
      "empirical_mnist_train100_test50_2classes_4layers_width64_float64_seed7",
    );
    // Nothing else has a say in an analytic one.
    expect(kernelNameOf("analytic", { width: 64, precision: "float64", random_seed: 7, prng: "jax" })).toBe(
      "analytic_mnist_train100_test50_2classes",
    );
  });

  it("is another for every content", () => {
    const network = [
      {},
      { n_layers: 4 },
      { n_layers: 1 },
      { weight_variance: 1 },
      { bias_variance: 1 },
      { parameterization: "standard" },
      { parameterization: "standard", width: 64 },
      { parameterization: "mup" },
      { target_classes: "3,8" },
      { loss_type: "cross_entropy" },
      { data_seed: 3 },
    ];
    const drawn = [{ width: 64 }, { random_seed: 2 }, { random_seed: 2, width: 64 }];
    const own = [...drawn, { prng: "jax" }, { precision: "float64" }, { init_weights_dir: "weights" }];
    distinct([
      ...network.map((options) => kernelNameOf("analytic", options)),
      ...[...network, ...drawn].map((options) => kernelNameOf("analytic", options, { signals: true })),
      ...[...network, ...own].map((options) => kernelNameOf("empirical", options)),
      ...[...network, ...own].map((options) => kernelNameOf("empirical", options, { signals: true })),
      // Data and weights out of files of one name, but of other content.
      kernelNameOf("empirical", { init_weights_dir: "weights" }, { weight: 2 }),
      kernelNameOf("analytic", { dataset_path: "a/data.npz" }),
      kernelNameOf("analytic", { dataset_path: "b/data.npz" }, { value: 2 }),
      kernelNameOf("analytic", { dataset_path: `${"long name/".repeat(30)}${"ü".repeat(80)}.npz` }),
    ]);
  });
});
