/** @file Datasets as archives: there and back to the bit, and the archives that are refused. */
import { describe, expect, it } from "vitest";
import { crossEntropy, mse } from "../../src/loss/index.ts";
import { decodeDataset, encodeDataset } from "../../src/data/npz-dataset.ts";
import { normalise } from "../../src/data/normalise.ts";
import type { Dataset } from "../../src/data/dataset.ts";
import { matrix } from "../../src/linalg/matrix.ts";
import { readNpz, writeNpz } from "../../src/linalg/npz.ts";
import { permutations } from "../../src/random/permutation.ts";
import { synthetic } from "../../src/data/synthetic.ts";
import { randomState } from "../../src/random/random-state.ts";
import type { NpySource } from "../../src/linalg/npy.ts";

const dataset = synthetic(randomState(1).normalsInto, {
  trainSize: 6,
  testSize: 4,
  loss: mse,
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
const classes = (...numbers: number[]): NpySource => ({
  shape: [numbers.length],
  data: Float64Array.from(numbers),
});
const groups = (...numbers: number[]): NpySource => ({
  shape: [numbers.length / 2, 2],
  data: Float64Array.from(numbers),
});
/** Six training and four test samples that are their own numbers, with labels by turns. */
const numbered: Dataset = (() => {
  const x = (...from: number[]) => matrix(from.length, 1, Float64Array.from(from));
  const y = (rows: number) =>
    matrix(
      rows,
      1,
      Float64Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? 0.5 : -0.5)),
    );
  return {
    xTrain: x(0, 1, 2, 3, 4, 5),
    yTrain: y(6),
    xTest: x(100, 101, 102, 103),
    yTest: y(4),
    targetClasses: [0, 1],
  };
})();
const decode = (changes: Record<string, NpySource>, options = {}) =>
  decodeDataset(writeNpz({ ...parts(), ...changes }), "d.npz", { loss: mse, ...options });

describe("decodeDataset", () => {
  it("reads what encodeDataset writes, to the bit", async () => {
    expect(await decodeDataset(encodeDataset(dataset), "d.npz", { loss: mse })).toEqual(dataset);
  });

  it("reads groups of classes back, which are indices for a reader that knows of none", async () => {
    const groups = { ...dataset, targetClasses: [[0, 2], 1] };
    const bytes = encodeDataset(groups);
    expect(await decodeDataset(bytes, "d.npz", { loss: mse })).toEqual(groups);
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
      loss: mse,
    });
    expect(await decodeDataset(encodeDataset(teacher), "d.npz", { loss: mse })).toEqual(teacher);
  });

  it("takes the first samples when fewer are wanted", async () => {
    const { xTrain, yTrain, xTest, yTest } = await decodeDataset(encodeDataset(dataset), "d.npz", {
      loss: mse,
      trainSize: 2,
      testSize: 3,
    });
    const all = { loss: mse, trainSize: Infinity, testSize: Infinity } as const;
    expect(await decodeDataset(encodeDataset(dataset), "d.npz", all)).toEqual(dataset);
    expect([xTrain.rows, yTrain.rows, xTest.rows, yTest.rows]).toEqual([2, 2, 3, 3]);
    expect(xTrain.data).toEqual(dataset.xTrain.data.slice(0, 6));
  });

  it("takes no class at all for a regression", async () => {
    const { targetClasses } = await decode({ arr_4: classes() });
    expect(targetClasses).toEqual([]);
  });

  it("draws samples by a seed, training and test apart, each sample with its label", async () => {
    const seeded = (dataSeed?: number, sizes = { trainSize: 3, testSize: 2 }) =>
      decodeDataset(encodeDataset(numbered), "d.npz", { loss: mse, dataSeed, ...sizes });
    const { xTrain, yTrain, xTest, yTest } = await seeded(7);
    const state = permutations(7, 6);
    // Of 6 and of 4 samples, from one stream.
    expect([...xTrain.data]).toEqual([...state().subarray(0, 3)].toSorted((a, b) => a - b));
    expect([...yTrain.data]).toEqual([...xTrain.data].map((i) => (i % 2 === 0 ? 0.5 : -0.5)));
    expect([...yTest.data]).toEqual([...xTest.data].map((i) => (i % 2 === 0 ? 0.5 : -0.5)));
    expect(new Set([...xTest.data, 100, 101, 102, 103]).size).toBe(4);
    // The choice of test samples has nothing to do with the number of training samples.
    expect((await seeded(7, { trainSize: 1, testSize: 2 })).xTest).toEqual(xTest);
    const others = await Promise.all([1, 2, 3, 4, 5].map((seed) => seeded(seed)));
    expect(new Set(others.map((data) => data.xTrain.data.join())).size).toBeGreaterThan(1);
    expect(await seeded(7, { trainSize: Infinity, testSize: Infinity })).toEqual(
      await seeded(undefined, { trainSize: 6, testSize: 4 }),
    );
    await expect(seeded(-1)).rejects.toThrow("wanted an integer seed in 0..4294967295, got -1");
  });

  it("gives cross-entropy one output per class", async () => {
    const { yTrain } = await decode({}, { loss: crossEntropy });
    expect(yTrain).toMatchObject({ rows: 6, cols: 2 });
  });

  it.each<[string, Record<string, NpySource>, string]>([
    [
      "labels of another length",
      { arr_1: array([5, 1]) },
      "wanted 6 training labels (one per sample), got 5",
    ],
    [
      "test labels of another length",
      { arr_3: array([3, 1]) },
      "wanted 4 test labels (one per sample), got 3",
    ],
    [
      "test samples of another size",
      { arr_2: array([4, 2]) },
      "wanted 3 inputs per test sample (as in training), got 2",
    ],
    ["NaN", { arr_2: array([4, 3], NaN) }, "(arr_2): wanted finite numbers, got NaN at sample 0, entry 0"],
    [
      "groups without a class",
      { target_groups: array([2, 2], 0) },
      "wanted target_groups with a class and the index of its group, 0 to 1, a row, got others of shape (2, 2)",
    ],
    ["a class that is NaN", { arr_4: classes(0, NaN) }, "(arr_4): wanted whole numbers >= 0, got NaN"],
    ["a fraction of a class", { arr_4: classes(0, 1.5) }, "(arr_4): wanted whole numbers >= 0, got 1.5"],
    ["a negative class", { arr_4: classes(-1, 1) }, "(arr_4): wanted whole numbers >= 0, got -1"],
    ["a class twice", { arr_4: classes(3, 3) }, "(arr_4): wanted two or more different classes, got 3,3"],
    ["one class", { arr_4: classes(3) }, "(arr_4): wanted two or more different classes, got 3"],
    [
      "classes in two axes",
      { arr_4: { shape: [1, 2], data: Float64Array.of(0, 1) } },
      "(arr_4): wanted one axis, got shape (1, 2)",
    ],
    [
      "a group of half a class",
      { arr_4: classes(0, 1), target_groups: groups(0.5, 0, 1, 1) },
      "(target_groups): wanted whole numbers >= 0, got 0.5",
    ],
    [
      "a class in two groups",
      { arr_4: classes(0, 1), target_groups: groups(3, 0, 3, 1) },
      "(target_groups): wanted two or more different classes, got 3,3",
    ],
    [
      "groups of classes that are no indices",
      { target_groups: groups(3, 0, 8, 1) },
      "(arr_4): wanted the indices of 2 groups, 0 to 1, got 3,8",
    ],
    [
      "groups with three columns",
      { arr_4: classes(0, 1), target_groups: { shape: [2, 3], data: Float64Array.of(3, 0, 9, 1, 9, 9) } },
      "got others of shape (2, 3)",
    ],
    ["groups in one row", { target_groups: array([4], 0) }, "got others of shape (4)"],
    ["groups that are not there", { target_groups: array([2, 2], 2) }, "got others of shape (2, 2)"],
    [
      "images of another shape",
      { arr_0: array([6, 3, 1]) },
      "wanted (3, 1) as the shape of a test sample (as in training), got (3)",
    ],
    [
      "images of another order",
      { arr_0: array([6, 4, 4, 3]), arr_2: array([4, 3, 4, 4]) },
      "wanted (4, 4, 3) as the shape of a test sample (as in training), got (3, 4, 4)",
    ],
    ["one number for all samples", { arr_0: array([]) }, "(arr_0): wanted an axis of samples, got shape ()"],
    ["labels with axes", { arr_1: array([6, 1, 1]) }, "(arr_1): wanted two axes, got shape (6, 1, 1)"],
    [
      "labels of another class",
      { arr_3: array([4, 1], 5) },
      "(arr_3): wanted class numbers (3, 8), indices (0 to 1), signs",
    ],
    [
      "outputs that are not classes",
      { arr_1: array([6, 3]), arr_3: array([4, 3]) },
      "wanted 2 outputs (one per class, or one for two), got 3",
    ],
  ])("refuses %s, naming the file", async (_, changes, message) => {
    const error = await decode(changes).then(String, String);
    expect(error).toContain("npz d.npz");
    expect(error).toContain(message);
  });

  it("encodes integer labels of any dtype, alone or in a column, for both losses", async () => {
    const train = [0, 1, 1, 0, 0, 1];
    const test = [1, 0, 1, 1];
    const stored = (labels: number[], form: (labels: number[]) => NpySource["data"], axes: number) => ({
      shape: axes === 1 ? [labels.length] : [labels.length, 1],
      data: form(labels),
    });
    const forms = [
      (labels: number[]) => Uint8Array.from(labels),
      (labels: number[]) => Int32Array.from(labels),
      (labels: number[]) => BigInt64Array.from(labels, BigInt),
      (labels: number[]) => Float32Array.from(labels),
      (labels: number[]) => BigInt64Array.from(labels, (label) => [3n, 8n][label]!),
    ];
    for (const [form, axes] of forms.flatMap((form) => [[form, 1] as const, [form, 2] as const])) {
      const changes = { arr_1: stored(train, form, axes), arr_3: stored(test, form, axes) };
      const { yTrain, yTest } = await decode(changes);
      expect([...yTrain.data]).toEqual(train.map((label) => 0.5 - label));
      expect(yTest).toEqual(
        matrix(
          4,
          1,
          Float64Array.from(test, (label) => 0.5 - label),
        ),
      );
      const soft = await decode(changes, { loss: crossEntropy, trainSize: 2 });
      expect(soft.yTrain).toEqual(matrix(2, 2, Float64Array.of(1, 0, 0, 1)));
    }
    const three = await decode({
      arr_1: { shape: [6], data: Uint8Array.of(0, 1, 2, 2, 1, 0) },
      arr_3: { shape: [4], data: Uint8Array.of(2, 2, 2, 2) },
      arr_4: { shape: [3], data: BigInt64Array.of(4n, 5n, 9n) },
    });
    expect([...three.yTrain.data]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0]);
    expect([...three.yTest.data]).toEqual([0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1]);
  });

  it("flattens images row by row", async () => {
    const data = Float64Array.from({ length: 48 }, (_, i) => Math.sin(i));
    const images = {
      arr_0: { shape: [6, 2, 2, 2], data },
      arr_2: { shape: [4, 2, 2, 2], data: data.slice(0, 32) },
    };
    const { xTrain, xTest } = await decode(images);
    expect(xTrain).toEqual(matrix(6, 8, data));
    expect(xTest).toEqual(matrix(4, 8, data.slice(0, 32)));
  });

  it("normalises the samples that are taken where that is wanted, each split by itself", async () => {
    const pixels = (count: number, step: number): NpySource => ({
      shape: [count, 3],
      data: Uint8Array.from({ length: 3 * count }, (_, i) => (i * i * step) % 251),
    });
    const changes = { arr_0: pixels(6, 7), arr_2: pixels(4, 11) };
    const taken = await decode(changes, { trainSize: 4, testSize: 2 });
    const { xTrain, xTest } = await decode(changes, { trainSize: 4, testSize: 2, normalise: true });
    expect(xTrain).toEqual(normalise(taken.xTrain, "x"));
    expect(xTest).toEqual(normalise(taken.xTest, "x"));
    await expect(decode({}, { normalise: true })).rejects.toThrow(
      "npz d.npz (arr_0): wanted a standard deviation above 0, got 0",
    );
  });

  it("tells of norms far from 1, and of labels that are taken for numbers", async () => {
    const notices = async (changes: Record<string, NpySource>, options = {}): Promise<string[]> => {
      const lines: string[] = [];
      await decode(changes, { ...options, notice: (line: string) => void lines.push(line) });
      return lines;
    };
    const grey = (count: number): NpySource => ({
      shape: [count, 3],
      data: Uint8Array.from({ length: 3 * count }, (_, i) => 100 + i),
    });
    const pixels = { arr_0: grey(6), arr_2: grey(4) };
    expect(await notices(pixels)).toEqual([
      "d.npz: wanted samples of a norm near 1, got 190 (root mean square); normalise scales them",
    ]);
    expect(await notices({ arr_0: array([6, 3], 0.01) })).toEqual([expect.stringContaining("got 0.017 ")]);
    expect(await notices({})).toEqual([]);
    expect(await notices(pixels, { normalise: true })).toEqual([]);
    expect(
      await notices({ arr_4: { shape: [0], data: new BigInt64Array(0) }, arr_3: array([4, 1], 0) }),
    ).toEqual([
      expect.stringMatching(/^d\.npz: labels 0 to 1 without classes are targets of a regression; /),
    ]);
  });

  it("refuses arrays above the limit", async () => {
    await expect(decode({}, { memoryLimit: 1000 })).rejects.toThrow(
      /^npz d\.npz: wanted an archive that takes at most 1000 bytes \(the memory limit\), got \d+$/,
    );
  });

  it("says which arrays there are when one is missing", async () => {
    const bytes = writeNpz({ arr_0: array([1, 1]), labels: array([1]) });
    await expect(decodeDataset(bytes, "d.npz", { loss: mse })).rejects.toThrow(
      "npz d.npz: wanted arrays arr_0 to arr_4, got arr_0, labels",
    );
  });

  it("refuses sizes beyond the file's", async () => {
    await expect(decode({}, { trainSize: 7 })).rejects.toThrow(
      "trainSize: wanted 1 to 6 (samples in d.npz), got 7",
    );
    await expect(decode({}, { testSize: 5 })).rejects.toThrow(
      "testSize: wanted 1 to 4 (samples in d.npz), got 5",
    );
  });
});
