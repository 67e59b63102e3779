/**
 * @file Datasets of images that are fetched when first asked for and kept in the cache folder. Whatever the source,
 * the content is the same to the byte: the digest of each edition is part of natgrad. A cache file that is not what
 * was written there (cut short, flipped bits) is fetched again.
 */
import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../error.ts";
import type { Dataset, Selection } from "../dataset.ts";
import { type ImageCollection, imageDataset } from "../images.ts";
import { cacheFolder } from "./cache.ts";
import { type DownloadOptions, failure, type FetchProgress } from "./fetch.ts";
import { errorCode, writeWhole } from "./files.ts";
import {
  emptyStore,
  type ImageStore,
  type LabelledImages,
  openStore,
  sealStore,
  type StoreShape,
} from "./image-store.ts";

/** Where the images of an edition can be had. */
export type ImageSource = {
  /** For errors and lists: a host, or `npm` and a package. */
  readonly name: string;
  /** True for files that the user may have put in place: passed over in silence when there are none (ENOENT). */
  readonly byHand?: boolean;
  /**
   * Fills in all labels and images.
   * @param folder the cache folder
   * @throws any error when they cannot be had; another source is tried.
   */
  readonly fill: (into: LabelledImages, folder: string, options: DownloadOptions) => Promise<void>;
};

/** One content that a dataset may have. */
export type Edition = {
  /** Digest of its {@link file://./image-store.ts | store}. */
  readonly digest: string;
  /** In the order in which to try them. */
  readonly sources: readonly ImageSource[];
  /** What a user must know, when it is not what the dataset's name stands for. */
  readonly notice?: string;
};

/** A dataset of images from elsewhere. */
export type FetchedImages = StoreShape & {
  readonly name: string;
  /** The best first. */
  readonly editions: readonly Edition[];
  /** What to put where when there is no network; `FOLDER` stands for the cache folder. */
  readonly hint: string;
};

/** How to fetch. */
export type FetchOptions = {
  readonly progress?: FetchProgress | undefined;
  /** Told what a user must know of the data, on one line. */
  readonly notice?: ((line: string) => void) | undefined;
  /** Where to keep it (default: see {@link cacheFolder}). */
  readonly folder?: string | undefined;
};

/** A dataset in the cache. */
export type CachedImages = { readonly path: string; readonly store: ImageStore; readonly edition: Edition };

/** Where the dataset is kept. */
export const storePath = ({ name }: FetchedImages, folder = cacheFolder()): string =>
  join(folder, `${name}.images`);

/** The dataset in the cache, if there is a whole one. */
export async function cachedImages(
  images: FetchedImages,
  folder = cacheFolder(),
): Promise<CachedImages | undefined> {
  const path = storePath(images, folder);
  const store = await openStore(path, images);
  const edition = images.editions.find(({ digest }) => digest === store?.digest);
  return store && edition ? { path, store, edition } : undefined;
}

/**
 * Fetches the dataset into the cache, unless it is there; a lesser edition there is replaced if a better can be had.
 * @throws InputError naming what was tried and what to do, or a folder that cannot be written.
 */
export async function fetchImages(images: FetchedImages, options: FetchOptions = {}): Promise<CachedImages> {
  const present = await cachedImages(images, options.folder);
  const better = present ? images.editions.indexOf(present.edition) : images.editions.length;
  if (present && better === 0) return present;
  try {
    return await download(images, images.editions.slice(0, better), options);
  } catch (error) {
    if (present) return present;
    throw error;
  }
}

/**
 * The first images of the target classes, from the cache or fetched into it now; normalised (see `imageDataset`).
 * @throws InputError naming the flag at fault, or what was tried in vain to get the images.
 */
export async function fetchedDataset(
  images: FetchedImages,
  selection: Selection,
  options: FetchOptions = {},
): Promise<Dataset> {
  let cached =
    (await cachedImages(images, options.folder)) ?? (await download(images, images.editions, options));
  const { edition, store } = cached;
  if (edition.notice) options.notice?.(`${images.name}: ${edition.notice}`);

  const split = (name: "train" | "test"): ImageCollection => ({
    ...store[name],
    read: async (indices) => {
      const data = await cached.store[name].read(indices);
      if (data) return data;
      cached = await download(images, [edition], options);
      const again = await cached.store[name].read(indices);
      if (again) return again;
      throw new InputError(`${cached.path}: wanted the images written there, got others (a failing disk?)`);
    },
  });
  return imageDataset(split("train"), split("test"), selection);
}

/** Fetches the first of `editions` that can be had into the cache. */
async function download(
  images: FetchedImages,
  editions: readonly Edition[],
  { progress, folder = cacheFolder() }: FetchOptions,
): Promise<CachedImages> {
  await checkWritable(folder);
  const failures = new Map<string, string>();
  for (const { digest, sources } of editions) {
    for (const { name, byHand, fill } of sources) {
      const store = emptyStore(images);
      try {
        await fill(store, folder, { progress });
        const got = sealStore(store);
        if (got !== digest) throw new Error(`other content (sha256 ${got.slice(0, 12)}...)`);
      } catch (error) {
        const reason = failure(error);
        if (!byHand || reason !== "ENOENT") failures.set(name, reason);
        continue;
      }
      await writeWhole(storePath(images, folder), store.bytes);
      const cached = await cachedImages(images, folder);
      if (cached) return cached;
      failures.set(name, "a file that did not stay as it was written");
    }
  }
  throw new InputError(
    `${images.name}: wanted a download from ${[...failures.keys()].join(" or ")}, ` +
      `got ${[...failures.values()].join(", ")}; ` +
      `${images.hint.replaceAll("FOLDER", folder)} or set NATGRAD_CACHE`,
  );
}

/** Before a long download. */
async function checkWritable(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new InputError(
      `${folder}: wanted a writable cache folder (NATGRAD_CACHE), got ${errorCode(error)}`,
    );
  }
}
