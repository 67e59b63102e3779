/**
 * @file Datasets of images that are not part of natgrad: their sources, and fetching them into the cache folder. An edition is
 * one exact content of a dataset, whose digest natgrad knows; all of its sources give the same bytes.
 */
import { join } from "node:path";
import { InputError } from "../../error.ts";
import { cacheFolder } from "./cache.ts";
import { type DownloadOptions, failure, type FetchProgress } from "./fetch.ts";
import { errorCode, makeFolder, tryFolder, writeWhole } from "./files.ts";
import { emptyStore, type LabelledImages, sealStore, type StoreShape } from "./image-store.ts";

/** Where the images of an edition can be had. */
export type ImageSource = {
  /** For errors: a host, `npm` and a package, or a file; `FOLDER` stands for the cache folder. */
  readonly name: string;
  /** True for files that the user may have put there: when there are none (ENOENT), errors do not mention this source. */
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
  /** Called with one line that a user must know about the data. */
  readonly notice?: ((line: string) => void) | undefined;
  /** Where to keep it (default: the cache folder of natgrad). */
  readonly folder?: string | undefined;
};

/** Where the dataset is kept. */
export const storePath = ({ name }: FetchedImages, folder = cacheFolder()): string =>
  join(folder, `${name}.images`);

/**
 * Fetches the first of `editions` that a source has with the right digest, and writes the whole of it into the cache.
 * @throws InputError naming what was tried and what to do, or a folder that cannot be written.
 */
export async function fetchStore(
  images: FetchedImages,
  editions: readonly Edition[],
  { progress, folder = cacheFolder() }: FetchOptions,
): Promise<void> {
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
      return;
    }
  }
  const [tried, got] = [[...failures.keys()].join(" or "), [...failures.values()].join(", ")];
  const message = `${images.name}: wanted the images from ${tried}, got ${got}; ${images.hint} or set NATGRAD_CACHE`;
  throw new InputError(message.replaceAll("FOLDER", folder));
}

/** Before a long download. */
async function checkWritable(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    await tryFolder(folder);
  } catch (error) {
    throw new InputError(
      `${folder}: wanted a writable cache folder (NATGRAD_CACHE), got ${errorCode(error)}`,
    );
  }
}
