/**
 * @file Options about files that a run reads and writes.
 */
import { aboutIn } from "./about.ts";
import { flag, path } from "./values.ts";

const about = aboutIn("Files");

export const FILES_OPTIONS = {
  init_weights_dir: path()
    .optional()
    .meta(about("<dir>", "start from the W{l}.npy [in, out] and b{l}.npy [out] in this folder")),
  save_model: path()
    .optional()
    .meta(
      about("<file>", "write the trained network there as an ONNX model, where training has not diverged"),
    ),
  save_dataset: flag().default(false).meta(about("[bool]", "save the dataset")),
  save_dataset_dir: path().default("./datasets").meta(about("<dir>", "where to")),
  save_kernel: flag().default(false).meta(about("[bool]", "save the kernel that predicts")),
  save_kernel_dir: path().default("./kernels").meta(about("<dir>", "where to")),
  save_init_weights: flag().default(false).meta(about("[bool]", "save the initial weights")),
  save_init_weights_dir: path().default("./weights").meta(about("<dir>", "where to")),
};
