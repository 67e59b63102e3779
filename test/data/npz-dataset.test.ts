/** @file Datasets as archives: there and back to the bit, and the archives that are refused. */
import { describe, expect, it } from "vitest";
import { decodeDataset, encodeDataset } from "../../src/data/npz-dataset.ts";
import { readNpz, writeNpz } from "../../src/matrix/npz.ts";
import { synthetic } from "../../src/data/synthetic.ts";
import { randomState } from "../../src/random/random-state.ts";
import type { NpySource } from "../../src/matrix/npy.ts";

const dataset = synthetic(randomState(1).normalsInto, {
  trainSize: 6,
  testSize: 4,
  lossType: "mse",
  inputs: 3,
});

const array = (shape: number[], value = 1): NpySource => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
});
const parts = (): Record<string, NpySource> => ({
  arr_0: array([6, 3]),
  arr_1: array([6, 1]),
  arr_2: array([4, 3]),
  arr_3: array([4, 1]),
  arr_4: { shape: [2], data: BigInt64Array.of(3n, 8n) },
});
const decode = (changes: Record<string, NpySource>, options = {}) =>
  decodeDataset(writeNpz({ ...parts(), ...changes }), "d.npz", { lossType: "mse", ...options });

describe("decodeDataset", () => {
  it("reads what encodeDataset writes, to the bit", async () => {
    expect(await decodeDataset(encodeDataset(dataset), "d.npz", { lossType: "mse" })).toEqual(dataset);
  });

  it("reads groups of classes back, which are indices for a reader that knows of none", async () => {
    const groups = { ...dataset, targetClasses: [[0, 2], 1] };
    const bytes = encodeDataset(groups);
    expect(await decodeDataset(bytes, "d.npz", { lossType: "mse" })).toEqual(groups);
    const arrays = await readNpz(bytes, "d.npz");
    expect([...arrays.get("arr_4")!.data]).toEqual([0, 1]);
    expect(arrays.get("target_groups")).toMatchObject({ shape: [3, 2] });
    expect([...arrays.get("target_groups")!.data]).toEqual([0, 0, 2, 0, 1, 1]);
    expect([...(await readNpz(encodeDataset(dataset), "d.npz")).keys()]).not.toContain("target_groups");
  });

  it("keeps labels that float32 cannot hold", async () => {
    const teacher = synthetic(randomState(1).normalsInto, {
      kind: "teacher",
      trainSize: 6,
      testSize: 4,
      lossType: "mse",
    });
    expect(await decodeDataset(encodeDataset(teacher), "d.npz", { lossType: "mse" })).toEqual(teacher);
  });

  it("takes the first samples when fewer are wanted", async () => {
    const { xTrain, yTrain, xTest, yTest } = await decodeDataset(encodeDataset(dataset), "d.npz", {
      lossType: "mse",
      trainSize: 2,
      testSize: 3,
    });
    const all = { lossType: "mse", trainSize: Infinity, testSize: Infinity } as const;
    expect(await decodeDataset(encodeDataset(dataset), "d.npz", all)).toEqual(dataset);
    expect([xTrain.rows, yTrain.rows, xTest.rows, yTest.rows]).toEqual([2, 2, 3, 3]);
    expect(xTrain.data).toEqual(dataset.xTrain.data.slice(0, 6));
  });

  it("gives cross-entropy one output a class", async () => {
    const { yTrain } = await decode({}, { lossType: "cross_entropy" });
    expect(yTrain).toMatchObject({ rows: 6, cols: 2 });
  });

  it.each<[string, Record<string, NpySource>, string]>([
    ["labels of another length", { arr_1: array([5, 1]) }, "wanted 6 training labels (one a sample), got 5"],
    ["test labels of another length", { arr_3: array([3, 1]) }, "wanted 4 test labels (one a sample), got 3"],
    [
      "test samples of another size",
      { arr_2: array([4, 2]) },
      "wanted 3 inputs a test sample (as in training), got 2",
    ],
    ["NaN", { arr_2: array([4, 3], NaN) }, "(arr_2): wanted finite numbers, got NaN at sample 0, entry 0"],
    [
      "groups without a class",
      { target_groups: array([2, 2], 0) },
      "wanted target_groups with a class and the index of its group, 0 to 1, a row, got others of shape (2, 2)",
    ],
    ["groups in one row", { target_groups: array([4], 0) }, "got others of shape (4)"],
    ["groups that are not there", { target_groups: array([2, 2], 2) }, "got others of shape (2, 2)"],
    ["images with axes", { arr_0: array([6, 3, 1]) }, "(arr_0): wanted two axes, got shape (6, 3, 1)"],
    [
      "outputs that are not classes",
      { arr_1: array([6, 3]), arr_3: array([4, 3]) },
      "wanted 2 outputs (one a class, or one for two), got 3",
    ],
  ])("refuses %s, naming the file", async (_, changes, message) => {
    const error = await decode(changes).then(String, String);
    expect(error).toContain("npz d.npz");
    expect(error).toContain(message);
  });

  it("says which arrays there are when one is missing", async () => {
    const bytes = writeNpz({ arr_0: array([1, 1]), labels: array([1]) });
    await expect(decodeDataset(bytes, "d.npz", { lossType: "mse" })).rejects.toThrow(
      "npz d.npz: wanted arrays arr_0 to arr_4, got arr_0, labels",
    );
  });

  it("refuses sizes beyond the file's", async () => {
    await expect(decode({}, { trainSize: 7 })).rejects.toThrow(
      "train_size: wanted 1 to 6 (samples in d.npz), got 7",
    );
    await expect(decode({}, { testSize: 5 })).rejects.toThrow(
      "test_size: wanted 1 to 4 (samples in d.npz), got 5",
    );
  });
});
