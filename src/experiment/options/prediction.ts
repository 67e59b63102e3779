/**
 * @file Options about what predicts the training.
 */
import { aboutIn } from "./about.ts";
import { choice, path, whole } from "./values.ts";

const about = aboutIn("Prediction");

export const PREDICTION_OPTIONS = {
  kernel: choice(["auto", "analytic", "empirical", "both", "none"])
    .default("auto")
    .meta(
      about(
        "<name>",
        "kernel that predicts: of the infinitely wide network, of this one, each, or no prediction; auto: analytic for networks that have one, else empirical",
      ),
    ),
  kernel_path: path()
    .optional()
    .meta(about("<file>", "a kernel (.npz) saved by an earlier run, in place of one made here")),
  gd_prediction: choice(["continuous", "discrete"])
    .default("continuous")
    .meta(about("<name>", "gradient descent predicted in continuous time, or step by step")),
  kernel_batch_size: whole(1)
    .optional()
    .meta(
      about("<n>", "samples in a tile of the kernel; need not divide their number (default: what is fast)"),
    ),
};
