/** @file Datasets of images in memory: which images are taken, and that each keeps its label. */
import { describe, expect, it } from "vitest";
import { mse } from "../../src/loss/index.ts";
import { imageDataset, type ImageCollection } from "../../src/data/images.ts";
import { permutations } from "../../src/random/permutation.ts";

/** Images of two pixels whose classes take turns, and the indices that were read. */
function collection(count: number, classes = 3): ImageCollection & { taken: number[][] } {
  const labels = Uint8Array.from({ length: count }, (_, i) => i % classes);
  const taken: number[][] = [];
  return {
    labels,
    inputs: 2,
    taken,
    async read(indices) {
      taken.push([...indices]);
      return Uint8Array.from([...indices].flatMap((i) => [i + 1, 200 - i]));
    },
  };
}

const selection = { targetClasses: [0, 2], trainSize: 4, testSize: 2, loss: mse } as const;

describe("imageDataset", () => {
  it("takes the first images of the classes", async () => {
    const [train, test] = [collection(12), collection(9)];
    const { yTrain } = await imageDataset(train, test, selection);
    expect([train.taken, test.taken]).toEqual([[[0, 2, 3, 5]], [[0, 2]]]);
    expect([...yTrain.data]).toEqual([0.5, -0.5, 0.5, -0.5]);
  });

  it("draws them by a seed, training and test apart, each with its label", async () => {
    const [train, test] = [collection(12), collection(9)];
    const { yTrain } = await imageDataset(train, test, { ...selection, dataSeed: 5 });
    const ofClasses = [0, 2, 3, 5, 6, 8, 9, 11];
    const chosen = [...permutations(5, 8)().subarray(0, 4)]
      .toSorted((a, b) => a - b)
      .map((k) => ofClasses[k]!);
    expect(train.taken).toEqual([chosen]);
    expect(chosen).not.toEqual([0, 2, 3, 5]);
    expect([...yTrain.data]).toEqual(chosen.map((i) => (i % 3 === 0 ? 0.5 : -0.5)));
    // The test samples do not depend on how many training samples there are.
    const other = collection(9);
    await imageDataset(collection(12), other, { ...selection, trainSize: 7, dataSeed: 5 });
    expect(other.taken).toEqual(test.taken);
  });

  it("takes all of them for an infinite size, whatever the seed", async () => {
    const train = collection(12);
    await imageDataset(train, collection(9), { ...selection, trainSize: Infinity, dataSeed: 5 });
    expect(train.taken).toEqual([[0, 2, 3, 5, 6, 8, 9, 11]]);
  });

  it("refuses a seed that is none", async () => {
    await expect(imageDataset(collection(12), collection(9), { ...selection, dataSeed: -1 })).rejects.toThrow(
      "dataSeed: wanted a whole number from 0 to 4294967295, got -1",
    );
  });
});
