/**
 * @file Datasets in `.npz` files (see `../npz-dataset.ts` for the layout).
 */
import type { Dataset } from "../dataset.ts";
import { datasetArrays, decodeDataset, type NpzOptions } from "../npz-dataset.ts";
import { npzParts } from "../../matrix/npz.ts";
import { readWhole, writeWhole } from "./files.ts";

/**
 * Reads a dataset, taking `trainSize` and `testSize` samples (all by default, or for Infinity): the first ones, or those
 * that `dataSeed` draws.
 * @throws InputError naming the file and what is wrong with it.
 */
export const loadDataset = async (path: string, options: NpzOptions): Promise<Dataset> =>
  decodeDataset(await readWhole(path), path, options);

/**
 * Writes a dataset whole or not at all; makes the folder.
 * @throws InputError naming a file that cannot be written.
 */
export const saveDataset = async (path: string, dataset: Dataset): Promise<void> =>
  writeWhole(path, npzParts(datasetArrays(dataset)));
