/**
 * @file Datasets of images that are fetched when first asked for and kept in the cache folder. A cache file that is
 * not what was written there (cut short, flipped bits) is fetched again.
 */
import { InputError } from "../../error.ts";
import { checkSelection, type Dataset, type Selection } from "../dataset.ts";
import { type ImageCollection, imageDataset } from "../images.ts";
import { cacheFolder } from "./cache.ts";
import { type Edition, type FetchedImages, type FetchOptions, fetchStore, storePath } from "./fetch-store.ts";
import { type ImageStore, isIntact, openStore } from "./image-store.ts";

/** A dataset in the cache. */
export type CachedImages = { readonly path: string; readonly store: ImageStore; readonly edition: Edition };

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
 * Fetches the dataset into the cache, unless it is there and every byte of it is right; an edition that is not the best is
 * replaced if a better one can be had.
 * @throws InputError naming what was tried and what to do, or a folder that cannot be written.
 */
export async function fetchImages(images: FetchedImages, options: FetchOptions = {}): Promise<CachedImages> {
  const found = await cachedImages(images, options.folder);
  const present = found && (await isIntact(found.store)) ? found : undefined;
  const better = present ? images.editions.indexOf(present.edition) : images.editions.length;
  if (present && better === 0) return present;
  try {
    return await fetched(images, images.editions.slice(0, better), options);
  } catch (error) {
    if (present) return present;
    throw error;
  }
}

/**
 * The first images of the target classes, from the cache or fetched into it now; normalised (see `imageDataset`).
 * @throws InputError naming the option at fault, or what was tried in vain to get the images.
 */
export async function fetchedDataset(
  images: FetchedImages,
  selection: Selection,
  options: FetchOptions = {},
): Promise<Dataset> {
  checkSelection(selection); // Before a long download.
  let cached =
    (await cachedImages(images, options.folder)) ?? (await fetched(images, images.editions, options));
  const { edition, store } = cached;
  if (edition.notice) options.notice?.(`${images.name}: ${edition.notice}`);

  const split = (name: "train" | "test"): ImageCollection => ({
    ...store[name],
    read: async (indices) => {
      const data = await cached.store[name].read(indices);
      if (data) return data;
      cached = await fetched(images, [edition], options);
      const again = await cached.store[name].read(indices);
      if (again) return again;
      throw new InputError(`${cached.path}: wanted the images written there, got others (a failing disk?)`);
    },
  });
  return imageDataset(split("train"), split("test"), selection);
}

async function fetched(
  images: FetchedImages,
  editions: readonly Edition[],
  options: FetchOptions,
): Promise<CachedImages> {
  await fetchStore(images, editions, options);
  const cached = await cachedImages(images, options.folder);
  if (cached) return cached;
  const path = storePath(images, options.folder);
  throw new InputError(`${path}: wanted the file written there, got another (a failing disk?)`);
}
