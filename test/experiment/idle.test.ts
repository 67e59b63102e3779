/**
 * @file Options that nothing heeds are reported: a seed beside weights of a folder where nothing else is drawn, and a number
 * of classes that is not that of a file.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { saveDataset } from "../../src/data/node/npz.ts";
import { type ConfigOptions } from "../../src/experiment/config.ts";
import { parseConfig } from "../../src/experiment/parse-config.ts";
import { loadData, settle } from "../../src/experiment/dataset.ts";
import { idleOptions } from "../../src/experiment/idle.ts";
import { exact, unitWise, type Fisher } from "../../src/fisher/index.ts";

const folder = mkdtempSync(join(tmpdir(), "natgrad-idle-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a random_seed beside init_weights_dir", () => {
  const lines = (options: ConfigOptions = {}, method: Fisher = exact) =>
    idleOptions(
      parseConfig({ natural_gradient_type: "exact", init_weights_dir: folder, random_seed: 3, ...options }),
      [method],
      undefined,
    ).map(({ message }) => message);

  it("is reported where nothing else is drawn", () => {
    const line = ["random_seed: no effect with init_weights_dir, and nothing else is drawn by it"];
    expect(lines()).toEqual(line);
    expect(lines({ dataset: "synthetic", data_seed: 1 })).toEqual(line);
    expect(lines({ kernel: "empirical" }, unitWise)).toEqual(line);
  });

  it("is not where it draws data, mini-batches or units", () => {
    expect(lines({ dataset: "synthetic" })).toEqual([]);
    expect(lines({ batch_size: 10 })).toEqual([]);
    expect(lines({}, unitWise)).toEqual([]);
  });
});

describe("n_classes beside a file", () => {
  const path = join(folder, "three.npz");
  const config = (options: ConfigOptions = {}) =>
    parseConfig({ natural_gradient_type: "exact", train_size: "all", test_size: "all", ...options });

  it("must be the number of its classes, 2 like any other", async () => {
    const made = config({ dataset: "synthetic", n_classes: 3, train_size: 6, test_size: 3 });
    await saveDataset(path, await loadData(made));
    const file = config({ dataset_path: path });
    const dataset = await loadData(file);
    expect(settle(file, dataset).n_classes).toBe(3);
    expect(settle(file, await loadData(config({ dataset_path: path, n_classes: 3 }))).n_classes).toBe(3);
    for (const n_classes of [2, 4]) {
      await expect(loadData(config({ dataset_path: path, n_classes }))).rejects.toThrow(
        `n_classes: wanted 3 (the classes of ${path}), got ${n_classes}`,
      );
    }
  });
});
