/**
 * @file Datasets in `.npz` files (see `../npz-dataset.ts` for the layout).
 */
import type { Dataset } from "../dataset.ts";
import { datasetArrays, decodeDataset, type NpzOptions } from "../npz-dataset.ts";
import { npzParts, readNpz } from "../../linalg/npz.ts";
import type { NpyArray } from "../../linalg/npy.ts";
import { readWhole, writeWhole } from "./files.ts";
import { defaultMemoryLimit } from "./memory-limit.ts";

/**
 * Reads a dataset, taking `trainSize` and `testSize` samples (all by default, or for Infinity): the first ones, or those
 * that `dataSeed` draws. The file, and its arrays, may take `memoryLimit` bytes each (default: 90 % of the free memory).
 * @throws InputError naming the file and what is wrong with it.
 */
export async function loadDataset(path: string, options: NpzOptions): Promise<Dataset> {
  const limit = options.memoryLimit ?? defaultMemoryLimit();
  return decodeDataset(await readWhole(path, { limit }), path, { ...options, memoryLimit: limit });
}

/**
 * Reads all arrays of an archive, within the same limit.
 * @throws InputError naming the file and what is wrong with it.
 */
export async function loadArrays(
  path: string,
  limit = defaultMemoryLimit(),
): Promise<ReadonlyMap<string, NpyArray>> {
  return readNpz(await readWhole(path, { limit }), path, { limit });
}

/**
 * Writes a dataset whole or not at all; makes the folder.
 * @throws InputError naming a file that cannot be written.
 */
export const saveDataset = async (path: string, dataset: Dataset): Promise<void> =>
  writeWhole(path, npzParts(datasetArrays(dataset)));
