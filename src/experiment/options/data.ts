/**
 * @file Options about what to learn from: the dataset, its classes and samples, and what is done to the inputs.
 */
import { aboutIn } from "./about.ts";
import { axes, choice, classes, flag, path, positive, size, whole } from "./values.ts";

const about = aboutIn("Data");

export const DATA_OPTIONS = {
  dataset: choice(["mnist", "cifar10", "fashion_mnist", "synthetic"])
    .default("mnist")
    .meta(about("<name>", "what to learn from; cifar10 and fashion_mnist are fetched once")),
  dataset_path: path().optional().meta(about("<file>", "a dataset of your own (.npz)")),
  sample_shape: axes()
    .optional()
    .meta(about("<list>", "axes of a sample in dataset_path, as 32,32,3 (default: those of its arrays)")),
  channels_first: flag()
    .default(false)
    .meta(about("[bool]", "images in dataset_path are [channels, height, width], as in PyTorch")),
  normalise: flag()
    .default(false)
    .meta(
      about(
        "[bool]",
        "normalise the inputs of dataset_path as natgrad's own: one mean and deviation, then norm 1",
      ),
    ),
  n_classes: whole(2)
    .default(2)
    .meta(about("<n>", "number of classes; two share one output, with labels +0.5 and -0.5")),
  target_classes: classes()
    .optional()
    .meta(
      about("<list...>", "which classes, as 3,8, or groups of them, as 0+2,1+3 (default 0 to n_classes - 1)"),
    ),
  train_size: size().default(100).meta(about("<n>", "training samples, N, or all of these classes")),
  test_size: size().default(50).meta(about("<n>", "test samples, or all")),
  data_seed: whole(0, 0xffffffff)
    .optional()
    .meta(
      about(
        "<n>",
        "draw the samples by this seed, training and test apart (default: the first ones; synthetic: random_seed)",
      ),
    ),
  forster_transform: flag()
    .default(false)
    .meta(about("[bool]", "move the inputs to isotropic position, by a map fitted to the training samples")),
  forster_transform_n_iters: whole(1).default(100).meta(about("<n>", "at most so many iterations of it")),
  forster_transform_tol: positive().default(1e-3).meta(about("<x>", "how near to isotropy it must come")),
};
