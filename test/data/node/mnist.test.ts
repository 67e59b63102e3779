/** @file MNIST against the datasets of the paper's NumPy program (fixtures/golden), and IDX files on disk. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { crossEntropy, LOSSES, mse } from "../../../src/loss/index.ts";
import type { Selection } from "../../../src/data/dataset.ts";
import { idxImages, idxLabels, openIdx } from "../../../src/data/node/idx.ts";
import { mnist, mnistFolder } from "../../../src/data/node/mnist.ts";
import { loadDataset } from "../../../src/data/node/npz.ts";
import { decodeDataset } from "../../../src/data/npz-dataset.ts";
import { writeNpz } from "../../../src/linalg/npz.ts";

const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const select = (changes: Partial<Selection> = {}): Selection => ({
  targetClasses: [0, 1],
  trainSize: 100,
  testSize: 50,
  loss: mse,
  ...changes,
});

/** An IDX file of black images; the count is left 0. */
const images = (count: number, side: number) =>
  Buffer.from([0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, side, 0, 0, 0, side, ...new Uint8Array(count * side * side)]);

describe("mnist", () => {
  it.each([
    ["mnist01_100_50.npz", [0, 1]],
    ["mnist10_100_50.npz", DIGITS],
  ])("gives the numbers of %s within one float32 rounding", async (name, targetClasses) => {
    const path = fileURLToPath(new URL(`../../fixtures/golden/${name}`, import.meta.url));
    const golden = await loadDataset(path, { loss: mse });
    const data = await mnist(select({ targetClasses }));
    expect(data.targetClasses).toEqual(golden.targetClasses);
    expect(data.yTrain).toEqual(golden.yTrain);
    expect(data.yTest).toEqual(golden.yTest);
    for (const key of ["xTrain", "xTest"] as const) {
      expect(data[key]).toMatchObject({ rows: golden[key].rows, cols: 784 });
      const worst = data[key].data.reduce(
        (max, x, i) => Math.max(max, Math.abs(x - golden[key].data[i]!)),
        0,
      );
      expect(worst).toBeLessThan(3e-8);
    }
  });

  it("gives two classes two outputs for cross-entropy", async () => {
    const { yTrain } = await mnist(select({ loss: crossEntropy }));
    expect(yTrain.cols).toBe(2);
    expect([...yTrain.data.subarray(0, 4)]).toEqual([1, 0, 0, 1]);
  });

  it("takes the first digits of any group, in the order of the file", async () => {
    const even = [0, 2, 4, 6, 8];
    const odd = [1, 3, 5, 7, 9];
    const all = await mnist(select({ targetClasses: DIGITS }));
    const parity = await mnist(select({ targetClasses: [even, odd] }));
    expect(parity.targetClasses).toEqual([even, odd]);
    expect(parity.xTrain).toEqual(all.xTrain);
    const digits = Array.from({ length: 100 }, (_, n) => all.yTrain.data.indexOf(1, 10 * n) - 10 * n);
    expect([...parity.yTrain.data]).toEqual(digits.map((k) => (k % 2 === 0 ? 0.5 : -0.5)));
    const { targetClasses, yTrain } = await mnist(select({ targetClasses: [[3], 8] }));
    expect({ targetClasses, yTrain }).toEqual({
      targetClasses: [3, 8],
      yTrain: (await mnist(select({ targetClasses: [3, 8] }))).yTrain,
    });
  });

  it("is what an archive of its pixels and class numbers gives, normalised, to the bit", async () => {
    const taken = async (split: string, count: number) => {
      const path = (what: string) => join(mnistFolder(), `${split}-${what}-ubyte`);
      const { labels, read } = await openIdx(path("images-idx3"), path("labels-idx1"));
      const chosen = [...labels.keys()].filter((i) => [3, 8].includes(labels[i]!)).slice(0, count);
      return [
        { shape: [count, 28, 28], data: await read(Uint32Array.from(chosen)) },
        { shape: [count], data: Uint8Array.from(chosen, (i) => labels[i]!) },
      ] as const;
    };
    const [[arr_0, arr_1], [arr_2, arr_3]] = [await taken("train", 60), await taken("t10k", 30)];
    const arr_4 = { shape: [2], data: BigInt64Array.of(3n, 8n) };
    const bytes = writeNpz({ arr_0, arr_1, arr_2, arr_3, arr_4 });
    for (const loss of LOSSES) {
      const wanted = await mnist(select({ targetClasses: [3, 8], trainSize: 60, testSize: 30, loss }));
      expect(await decodeDataset(bytes, "d.npz", { loss, normalise: true })).toEqual({
        ...wanted,
        sample: { shape: [28, 28] },
      });
    }
  });

  it("takes all of the classes for an infinite size", async () => {
    const { xTest, yTest } = await mnist(select({ testSize: Infinity }));
    expect([xTest.rows, yTest.rows]).toEqual([2115, 2115]);
    const all = await mnist(select({ testSize: 2115 }));
    expect(all.yTest).toEqual(yTest);
    // Millions of numbers, which toEqual takes a minute to compare on a busy machine.
    expect(all.xTest.rows).toBe(2115);
    expect(all.xTest.data.every((x, i) => x === xTest.data[i])).toBe(true);
  });

  it("takes others by a seed, the same ones every time", async () => {
    const sizes = { trainSize: 40, testSize: 20 };
    const first = await mnist(select(sizes));
    const seeded = (dataSeed: number) => mnist(select({ ...sizes, dataSeed }));
    const [one, two] = [await seeded(1), await seeded(2)];
    expect(await seeded(1)).toEqual(one);
    for (const key of ["xTrain", "xTest"] as const) {
      const texts = [first, one, two].map((data) => data[key].data.join());
      expect(new Set(texts).size).toBe(3);
    }
  });

  it("refuses a seed that is none", async () => {
    await expect(mnist(select({ dataSeed: 1.5 }))).rejects.toThrow(
      "dataSeed: wanted a whole number from 0 to 4294967295, got 1.5",
    );
  });

  it("names the flag that asks for more than there is", async () => {
    await expect(mnist(select({ trainSize: 20000 }))).rejects.toThrow(
      "trainSize: wanted at most 12665 (training images of classes 0, 1), got 20000",
    );
    await expect(mnist(select({ testSize: 3000 }))).rejects.toThrow(
      "testSize: wanted at most 2115 (test images of classes 0, 1), got 3000",
    );
    await expect(mnist(select({ targetClasses: [0, 12] }))).rejects.toThrow(
      "targetClasses: wanted classes among 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 (training images), got 12",
    );
    await expect(mnist(select({ targetClasses: [3, 3] }))).rejects.toThrow(
      "targetClasses: wanted two or more different classes, got 3,3",
    );
  });
});

describe("IDX files", () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "natgrad-idx-"))));
  afterEach(() => rm(folder, { recursive: true }));

  async function collection(count: number, side = 2) {
    const bytes = images(count, side);
    bytes.writeUInt32BE(count, 4);
    for (let i = 16; i < bytes.length; i++) bytes[i] = Math.floor((i - 16) / (side * side)) % 251;
    const labels = Buffer.alloc(8 + count);
    labels.writeUInt32BE(0x801, 0);
    labels.writeUInt32BE(count, 4);
    await writeFile(join(folder, "images"), bytes);
    await writeFile(join(folder, "labels"), labels);
    return openIdx(join(folder, "images"), join(folder, "labels"));
  }

  it("hands out the images asked for, near or far apart", async () => {
    const { read, inputs } = await collection(3000, 10);
    expect(inputs).toBe(100);
    const indices = Uint32Array.of(0, 1, 2, 700, 1500, 1501, 2999);
    const got = await read(indices);
    expect(got.length).toBe(700);
    for (const [n, i] of indices.entries()) {
      expect(new Set(got.subarray(100 * n, 100 * n + 100))).toEqual(new Set([i % 251]));
    }
  });

  it("hands out every image of a large file", async () => {
    const { read } = await collection(50_000, 10);
    const got = await read(Uint32Array.from({ length: 50_000 }, (_, i) => i));
    expect([got[0], got[100], got[4_999_999]]).toEqual([0, 1, 49_999 % 251]);
  });

  it("names the file that is missing, cut, or something else", async () => {
    await collection(5);
    const [x, y] = [join(folder, "images"), join(folder, "labels")];
    await expect(openIdx(join(folder, "none"), y)).rejects.toThrow(
      "none: wanted a readable file, got ENOENT",
    );
    await expect(openIdx(y, y)).rejects.toThrow("labels: wanted IDX images (magic 0x803), got 0x801");
    await expect(openIdx(x, x)).rejects.toThrow("images: wanted IDX labels (magic 0x801), got 0x803");
    const whole = await readFile(x);
    await writeFile(x, whole.subarray(0, 30));
    await expect(openIdx(x, y)).rejects.toThrow("images: wanted 36 bytes, got 30");
    await writeFile(x, "");
    await expect(openIdx(x, y)).rejects.toThrow("images: wanted IDX images (magic 0x803), got nothing");
    const four = Buffer.from(whole.subarray(0, 32));
    four.writeUInt32BE(4, 4);
    await writeFile(x, four);
    await expect(openIdx(x, y)).rejects.toThrow("images: wanted 5 images (one per label), got 4");
    await writeFile(y, (await readFile(y)).subarray(0, 12));
    await expect(openIdx(x, y)).rejects.toThrow("labels: wanted 13 bytes, got 12");
  });

  it("decodes whole files in memory too", () => {
    const bytes = images(1, 2);
    bytes.writeUInt32BE(1, 4);
    expect(idxImages(bytes, "x")).toMatchObject({ count: 1, inputs: 4 });
    expect([...idxLabels(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9), "y")]).toEqual([7, 9]);
    expect(() => idxImages(bytes.subarray(0, 18), "x")).toThrow("x: wanted 20 bytes, got 18");
  });
});
