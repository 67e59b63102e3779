/**
 * @file Options that are each right by themselves and do not go together. An option that could have no effect is an error.
 */
import { classesFault, className } from "../data/classes.ts";
import { existsFor, FISHERS } from "../fisher/index.ts";
import { LOSSES } from "../loss/index.ts";
import { namedOf } from "./architecture/architecture.ts";
import { architectureText } from "./architecture/describe.ts";
import type { Config, OptionName } from "./config.ts";
import { fisherOf, lossOf } from "./own.ts";
import { METHODS } from "./options/training.ts";

/** Whether an option was given, rather than left out. */
export type Given = (name: OptionName) => boolean;

/** One line about a conflict; undefined where there is none. */
type Check = (config: Config, given: Given) => string | undefined;

/** The first conflict among options, in one line; undefined where there is none. */
export function conflict(config: Config, given: Given): string | undefined {
  for (const check of CHECKS) {
    const problem = check(config, given);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The error of a mini-batch that is larger than the training set. */
export const batchTooLarge = (size: number, samples: number): string =>
  `batch_size: wanted at most ${samples} (training samples), got ${size}`;

/** Gradient descent needs a learning rate and inverts nothing. */
const methodConflict: Check = (config, given) => {
  const { natural_gradient_type: method, learning_rate, damping } = config;
  if (method !== undefined) {
    return given("gd_prediction") && !fisherOf(config).continuous
      ? `gd_prediction: wanted gradient descent beside it, got natural_gradient_type ${method}`
      : undefined;
  }
  if (learning_rate === undefined) {
    return `learning_rate: wanted a number for gradient descent, or a natural_gradient_type (${METHODS.join(", ")}), got neither`;
  }
  if (given("singular")) {
    return "singular: wanted a natural_gradient_type beside it, got gradient descent (it inverts no Gram)";
  }
  return damping > 0
    ? `damping: wanted 0 for gradient descent (it inverts no Fisher matrix), got ${damping}`
    : undefined;
};

/** Options of a solver need a method that has a choice of solvers, and the right one. */
const solverConflict: Check = (config, given) => {
  const { natural_gradient_type: method, solver, damping_schedule } = config;
  const solving = FISHERS.filter(({ solvers }) => solvers).map(({ name }) => name);
  for (const option of ["solver", "cg_tolerance", "cg_max_iterations", "preconditioner_rank"] as const) {
    if (given(option) && !fisherOf(config).solvers) {
      return `${option}: wanted natural_gradient_type ${solving.join(" or ")} beside it, got ${method ?? "gradient descent"}`;
    }
    if (option !== "solver" && given(option) && solver === "gram") {
      return `${option}: wanted solver cg beside it, got gram`;
    }
  }
  return solver === "cg" && damping_schedule !== "constant"
    ? `damping_schedule: wanted constant beside solver cg, got ${damping_schedule}`
    : undefined;
};

const batchConflict: Check = ({ batch_size, train_size, damping_schedule, gd_prediction }, given) => {
  if (batch_size === undefined) return undefined;
  if (batch_size > train_size) return batchTooLarge(batch_size, train_size);
  if (damping_schedule !== "constant") {
    return `damping_schedule: wanted constant beside batch_size (its ratio compares losses of the same samples), got ${damping_schedule}`;
  }
  return given("gd_prediction") && gd_prediction === "continuous"
    ? "gd_prediction: wanted discrete beside batch_size, got continuous"
    : undefined;
};

const scheduleConflict: Check = ({ damping_schedule, damping }) =>
  damping_schedule !== "constant" && !(damping > 0)
    ? `damping: wanted a number > 0 to start damping_schedule ${damping_schedule} from, got ${damping}`
    : undefined;

const workersConflict: Check = ({ workers, device }) =>
  workers > 1 && device !== "cpu" ? `workers: wanted 1 with device ${device}, got ${workers}` : undefined;

/** Weights and data that come from files are neither drawn nor named. */
const fileConflict: Check = ({ prng, init_weights_dir, dataset, dataset_path }, given) => {
  if (given("prng") && init_weights_dir !== undefined) {
    return `prng: wanted none beside init_weights_dir (the folder holds the weights), got ${prng}`;
  }
  return given("dataset") && dataset_path !== undefined
    ? `dataset: wanted none beside dataset_path (the file is the dataset), got ${dataset}`
    : undefined;
};

const lossConflict: Check = (config) => {
  const { natural_gradient_type: method, loss_type } = config;
  const fisher = fisherOf(config);
  if (existsFor(fisher, lossOf(config))) return undefined;
  const others = LOSSES.filter((loss) => existsFor(fisher, loss)).map(({ name }) => name);
  return `natural_gradient_type: wanted another for loss_type ${loss_type} (${method} is for ${others.join(", ")}), got ${method}`;
};

/** Classes of the collections of images. */
const IMAGE_CLASSES = 10;

const classesConflict: Check = ({ target_classes: classes, n_classes, dataset, dataset_path }, given) => {
  if (!classes) {
    return dataset_path === undefined && dataset !== "synthetic" && n_classes > IMAGE_CLASSES
      ? `n_classes: wanted at most ${IMAGE_CLASSES} (classes of ${dataset}), got ${n_classes}`
      : undefined;
  }
  const got = classes.map(className).join();
  if (dataset_path !== undefined) {
    return `target_classes: wanted none beside dataset_path (the file names its classes), got ${got}`;
  }
  if (dataset === "synthetic") {
    return `target_classes: wanted none for dataset synthetic (its classes are 0 to n_classes - 1), got ${got}`;
  }
  const fault = classesFault(classes);
  if (fault !== undefined) return `target_classes: ${fault}`;
  return given("n_classes") && classes.length !== n_classes
    ? `target_classes: wanted ${n_classes} classes (n_classes), got ${classes.length}`
    : undefined;
};

/** `all` has no meaning for data without end, and leaves a seed nothing to draw. */
const samplesConflict: Check = (config) => {
  if (config.dataset === "synthetic" && config.dataset_path === undefined) {
    const endless = (["train_size", "test_size"] as const).find((name) => config[name] === Infinity);
    if (endless) return `${endless}: wanted a number for dataset synthetic (it is drawn), got all`;
  }
  return config.data_seed !== undefined && config.train_size === Infinity && config.test_size === Infinity
    ? "data_seed: wanted a train_size or test_size to draw beside it, got all for both"
    : undefined;
};

/** Options that a model has no use for: it has its layers and its weights. */
export const BESIDE_MODEL = [
  "architecture",
  "n_layers",
  "width",
  "activation",
  "weight_variance",
  "bias_variance",
  "parameterization",
  "prng",
  "init_weights_dir",
  "save_init_weights",
] as const satisfies readonly OptionName[];

const modelConflict: Check = (config, given) => {
  const idle = BESIDE_MODEL.find((name) => given(name) && config[name] !== false);
  if (idle) {
    const got = idle === "architecture" ? architectureText(config.architecture) : config[idle];
    return `${idle}: wanted none beside model (the file has its layers and its weights), got ${got}`;
  }
  return ["analytic", "both"].includes(config.kernel)
    ? `kernel: wanted empirical or none beside model (its weights are not drawn), got ${config.kernel}`
    : undefined;
};

/** A part of a network has no infinite width, and saved kernels do not say what stays. */
const blocksConflict: Check = ({ blocks, kernel, kernel_path, save_kernel }) => {
  if (!blocks) return undefined;
  if (kernel_path !== undefined) return `kernel_path: wanted none beside blocks, got ${kernel_path}`;
  if (save_kernel) return "save_kernel: wanted none beside blocks, got true";
  return ["analytic", "both"].includes(kernel)
    ? `kernel: wanted empirical or none beside blocks (the others do not move), got ${kernel}`
    : undefined;
};

/** What a file of layers says is no option beside it, and a network with a name has the depths that it has. */
const architectureConflict: Check = (config, given) => {
  const { architecture, n_layers, parameterization, prng } = config;
  if (config.model !== undefined) return modelConflict(config, given);
  if (config.head !== undefined) return `head: wanted model beside it, got ${config.head} alone`;
  const named = namedOf(config);
  if (!named) {
    const idle = (["n_layers", "width", "activation"] as const).find(given);
    if (idle) return `${idle}: wanted none beside layers of a file (they say it), got ${config[idle]}`;
    if (parameterization === "mup")
      return "parameterization: wanted ntk or standard beside layers of a file, got mup";
  } else if (!named.depths.has(n_layers)) {
    return `n_layers: wanted ${named.depths.wanted} for architecture ${architectureText(architecture)}, got ${n_layers}`;
  }
  return prng === "jax" && architecture !== "mlp"
    ? "prng: wanted numpy beside another architecture than mlp (jax is a stream of dense layers), got jax"
    : undefined;
};

const noKernelConflict: Check = (config, given) => {
  if (config.kernel !== "none") return undefined;
  const idle = (["kernel_path", "save_kernel", "gd_prediction", "kernel_batch_size"] as const).find(
    (name) => given(name) && config[name] !== false,
  );
  return idle && `${idle}: wanted a kernel that predicts beside it, got kernel none`;
};

const kernelFileConflict: Check = ({ kernel_path, kernel, save_kernel }, given) => {
  if (kernel_path === undefined) return undefined;
  if (given("kernel")) return `kernel: wanted none beside kernel_path (the file holds one), got ${kernel}`;
  if (save_kernel) return "save_kernel: wanted a kernel made here, got one from kernel_path";
  return given("kernel_batch_size")
    ? "kernel_batch_size: wanted a kernel made here, got one from kernel_path"
    : undefined;
};

const datasetFileConflict: Check = ({
  dataset_path,
  normalise,
  save_dataset,
  sample_shape,
  channels_first,
  architecture,
}) => {
  const own = sample_shape ? "sample_shape" : channels_first ? "channels_first" : undefined;
  if (own && dataset_path === undefined) {
    return `${own}: wanted dataset_path beside it (other datasets know their samples), got ${own} alone`;
  }
  if (own && architecture === "mlp") {
    return `${own}: wanted another architecture than mlp beside it (an mlp takes a sample as a list of numbers), got mlp`;
  }
  if (normalise && dataset_path === undefined) {
    return "normalise: wanted dataset_path beside it (other datasets are normalised), got normalise alone";
  }
  return dataset_path !== undefined && save_dataset
    ? "save_dataset: wanted a dataset made here, got one from dataset_path"
    : undefined;
};

/** Options that have an effect only beside another one. */
const NEEDS: readonly (readonly [option: OptionName, needs: OptionName])[] = [
  ["save_dataset_dir", "save_dataset"],
  ["save_kernel_dir", "save_kernel"],
  ["save_init_weights_dir", "save_init_weights"],
  ["forster_transform_n_iters", "forster_transform"],
  ["forster_transform_tol", "forster_transform"],
];

const needsConflict: Check = (_, given) => {
  const [option, needs] = NEEDS.find(([name, other]) => given(name) && !given(other)) ?? [];
  return option && `${option}: wanted ${needs} beside it, got ${option} alone`;
};

/** In the order in which conflicts are reported. */
const CHECKS: readonly Check[] = [
  methodConflict,
  solverConflict,
  batchConflict,
  scheduleConflict,
  workersConflict,
  fileConflict,
  architectureConflict,
  blocksConflict,
  lossConflict,
  classesConflict,
  samplesConflict,
  noKernelConflict,
  kernelFileConflict,
  datasetFileConflict,
  needsConflict,
];
