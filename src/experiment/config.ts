/**
 * @file What an experiment is made of: the flags of the paper's programs with their names and defaults, and
 * natgrad's own beside them. The schema is the one source for parsing, help and documentation; every check words
 * what it wants once, and the error of any wrong value is `name: wanted that, got this`.
 */
import { z } from "zod";
import { classesFault, classGroup, className, type ClassGroup } from "../data/classes.ts";
import { demand, InputError } from "../error.ts";
import { DAMPING_SCHEDULES } from "../dynamics/damping.ts";
import { existsFor, FISHERS, NATURAL_GRADIENTS, SINGULAR } from "../fisher/index.ts";
import { DEVICES } from "../engine/engine.ts";
import { LOSS_NAMES, LOSSES, lossNamed } from "../loss/index.ts";
import { PRNGS } from "../network/initialise.ts";
import { parseBytes } from "./bytes.ts";
import { PARAMETERIZATIONS } from "../ops/parameterization.ts";

/** Methods as the command line names them; gradient descent is the one without a name. */
export const METHODS = NATURAL_GRADIENTS.map(({ name }) => name);

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number of a decimal text; NaN for another. */
const decimal = (text: string): number => (DECIMAL.test(text) ? Number(text) : NaN);

/** Reads what may be text ({@link parseFlags}), before the check, of an option that a program gives as `Given`. */
type Reader<Given> = (v: Given) => unknown;

const readNumber: Reader<number> = (v: unknown) => (typeof v === "string" && DECIMAL.test(v) ? Number(v) : v);

/** A number, or its decimal text as a command line gives it. */
const number = (wanted: string, ok: (x: number) => boolean) =>
  z.preprocess(readNumber, z.number({ error: wanted }).refine(ok, { error: wanted }));

const whole = (least: number, most = Infinity) =>
  number(
    most === Infinity ? `a whole number >= ${least}` : `a whole number from ${least} to ${most}`,
    (x) => Number.isInteger(x) && x >= least && x <= most,
  );

const SIZE = { error: "a whole number >= 1, or all" };

const readSize: Reader<number | "all"> = (v: unknown) =>
  v === "all" ? Infinity : typeof v === "string" && Number.isFinite(decimal(v)) ? decimal(v) : v;

/** A number of samples, or `all`: Infinity until the data is there. */
const size = () =>
  z.preprocess(
    readSize,
    z.custom<number>((v) => v === Infinity || (Number.isInteger(v) && (v as number) >= 1), SIZE),
  );

/** Positive, and far from where float32 over- or underflows. */
const positive = () => number("a number from 1e-30 to 1e30", (x) => x >= 1e-30 && x <= 1e30);

const notNegative = () => number("a number from 0 to 1e30", (x) => x >= 0 && x <= 1e30);

const choice = <const T extends string>(values: readonly T[]) =>
  z.enum(values as readonly [T, ...T[]], { error: `one of ${values.join(", ")}` });

const path = () => z.string({ error: "a path" }).min(1, { error: "a path" });

const readBytes: Reader<number | string> = (v) => (typeof v === "string" ? (parseBytes(v) ?? v) : v);

const bytes = () =>
  z.preprocess(
    readBytes,
    z
      .number({ error: "a size as 6GB or 512MiB" })
      .refine((x) => x >= 1e6, { error: "a size as 6GB or 512MiB, at least 1MB" }),
  );

const FLAG: Readonly<Record<string, boolean>> = { true: true, false: false };

const readFlag: Reader<boolean> = (v: unknown) => (typeof v === "string" ? (FLAG[v.toLowerCase()] ?? v) : v);

const flag = () => z.preprocess(readFlag, z.boolean({ error: "true or false" }));

const LIST = { error: "whole numbers, as 3,8 or 3 8, or groups of them, as 0+2,1+3" };

/** `3`, or `0+2` for a group; of anything else something that is refused. */
const readClass = (text: string): ClassGroup =>
  classGroup(text.split("+").map((k) => (/^\d+$/.test(k.trim()) ? Number(k) : NaN)));

const isClass = (v: unknown): boolean =>
  Array.isArray(v) ? v.length > 0 && v.every(isNumbered) : isNumbered(v);

const isNumbered = (v: unknown): boolean => Number.isSafeInteger(v) && (v as number) >= 0;

/** Classes, or groups of them: numbers and lists of numbers, or text. */
const readClasses: Reader<readonly ClassGroup[]> = (v: unknown) => {
  const items: readonly unknown[] | undefined = Array.isArray(v)
    ? v
    : typeof v === "string"
      ? [v]
      : undefined;
  return items?.flatMap((item): readonly unknown[] => {
    if (typeof item === "string") return item.split(",").map(readClass);
    return Array.isArray(item) && item.length === 1 ? item : [item];
  });
};

const classes = () =>
  z.preprocess(readClasses, z.array(z.custom<ClassGroup>(isClass, LIST), LIST).min(1, LIST).readonly());

const readMethod: Reader<string | undefined> = (v) => (v === "none" ? undefined : v);

/** What `--help` says of an option: its heading, what stands for its value, what it does. */
export type About = { readonly group: Group; readonly placeholder: string; readonly description: string };

/** Headings of the options, in the order of `--help`. */
export type Group = "Data" | "Network" | "Training" | "Prediction" | "Engine" | "Files";

const about = (group: Group, placeholder: string, description: string): About => ({
  group,
  placeholder,
  description,
});

/** Every option of an experiment. */
export const configSchema = z.strictObject({
  dataset: choice(["mnist", "cifar10", "fashion_mnist", "synthetic"])
    .default("mnist")
    .meta(about("Data", "<name>", "what to learn from; cifar10 and fashion_mnist are fetched once")),
  dataset_path: path()
    .optional()
    .meta(about("Data", "<file>", "a dataset of your own (.npz)")),
  normalise: flag()
    .default(false)
    .meta(
      about(
        "Data",
        "[bool]",
        "normalise the inputs of dataset_path as natgrad's own: one mean and deviation, then norm 1",
      ),
    ),
  n_classes: whole(2)
    .default(2)
    .meta(about("Data", "<n>", "number of classes; two share one output, with labels +0.5 and -0.5")),
  target_classes: classes()
    .optional()
    .meta(
      about(
        "Data",
        "<list...>",
        "which classes, as 3,8, or groups of them, as 0+2,1+3 (default 0 to n_classes - 1)",
      ),
    ),
  train_size: size()
    .default(100)
    .meta(about("Data", "<n>", "training samples, N, or all of these classes")),
  test_size: size()
    .default(50)
    .meta(about("Data", "<n>", "test samples, or all")),
  data_seed: whole(0, 0xffffffff)
    .optional()
    .meta(
      about(
        "Data",
        "<n>",
        "draw the samples by this seed, training and test apart (default: the first ones; synthetic: random_seed)",
      ),
    ),
  forster_transform: flag()
    .default(false)
    .meta(
      about(
        "Data",
        "[bool]",
        "move the inputs to isotropic position, by a map fitted to the training samples",
      ),
    ),
  forster_transform_n_iters: whole(1)
    .default(100)
    .meta(about("Data", "<n>", "at most so many iterations of it")),
  forster_transform_tol: positive()
    .default(1e-3)
    .meta(about("Data", "<x>", "how near to isotropy it must come")),

  n_layers: whole(1, 1000)
    .default(3)
    .meta(about("Network", "<n>", "weight layers of the ReLU network, L")),
  width: whole(1)
    .default(4096)
    .meta(about("Network", "<n>", "width of every hidden layer, M")),
  weight_variance: positive()
    .default(2)
    .meta(about("Network", "<x>", "sigma_w^2: a weight has variance sigma_w^2 / fan-in")),
  bias_variance: notNegative()
    .default(0)
    .meta(about("Network", "<x>", "sigma_b^2: variance of a bias; 0 means no biases")),
  parameterization: choice(PARAMETERIZATIONS)
    .default("ntk")
    .meta(about("Network", "<name>", "how widths scale weights and learning rates")),
  prng: choice(PRNGS)
    .default("numpy")
    .meta(about("Network", "<name>", "initial weights as NumPy draws them, or as Neural Tangents under JAX")),
  random_seed: whole(0, 0xffffffff)
    .default(1)
    .meta(about("Network", "<n>", "seed of the initial weights, and of synthetic data without data_seed")),

  natural_gradient_type: z
    .preprocess(readMethod, choice(METHODS).optional())
    .optional()
    .meta(about("Training", "<name>", "Fisher matrix of the natural gradient; without it, gradient descent")),
  loss_type: choice(LOSS_NAMES)
    .default(LOSS_NAMES[0]!)
    .meta(about("Training", "<name>", "loss to minimise")),
  n_steps: whole(0)
    .default(2)
    .meta(about("Training", "<n>", "steps")),
  batch_size: whole(1)
    .optional()
    .meta(
      about(
        "Training",
        "<n>",
        "take every step on so many training samples, each once per epoch (default: all of them)",
      ),
    ),
  log_every: whole(1)
    .default(1)
    .meta(about("Training", "<n>", "print a row every so many steps, and after the last")),
  learning_rate: positive()
    .optional()
    .meta(
      about(
        "Training",
        "<x>",
        "learning rate, eta (default 1/alpha of the theory; none for gradient descent)",
      ),
    ),
  lr_factor: positive()
    .optional()
    .meta(about("Training", "<x>", "multiplies the learning rate (default 1)")),
  damping: notNegative()
    .default(0)
    .meta(about("Training", "<x>", "rho, added to the Fisher matrix: F + rho I")),

  damping_schedule: choice(DAMPING_SCHEDULES)
    .default("constant")
    .meta(about("Training", "<name>", "keep rho, or adapt it by the reduction ratio of every step")),

  singular: choice(SINGULAR)
    .default("refuse")
    .meta(
      about(
        "Training",
        "<name>",
        "a Gram without an inverse: an error, or the least-norm step by its inverse on the numerical range",
      ),
    ),

  solver: choice(["auto", "gram", "cg"])
    .default("auto")
    .meta(
      about(
        "Training",
        "<name>",
        "exact NGD by a Cholesky factor of the NTK, or by conjugate gradients that never form it; auto: what fits",
      ),
    ),
  cg_tolerance: number("a number from 1e-30 to below 1", (x) => x >= 1e-30 && x < 1)
    .default(1e-4)
    .meta(about("Training", "<x>", "relative residual at which conjugate gradients end")),
  cg_max_iterations: whole(1)
    .default(200)
    .meta(about("Training", "<n>", "most iterations of conjugate gradients")),
  preconditioner_rank: whole(0)
    .optional()
    .meta(
      about(
        "Training",
        "<n>",
        "rank of the preconditioner of conjugate gradients (default N C / 4, at most 2000; 0: none)",
      ),
    ),

  kernel: choice(["analytic", "empirical", "both", "none"])
    .default("analytic")
    .meta(
      about(
        "Prediction",
        "<name>",
        "kernel that predicts: of the infinitely wide network, of this one, each, or no prediction",
      ),
    ),
  kernel_path: path()
    .optional()
    .meta(
      about("Prediction", "<file>", "a kernel (.npz) saved by an earlier run, in place of one made here"),
    ),
  gd_prediction: choice(["continuous", "discrete"])
    .default("continuous")
    .meta(about("Prediction", "<name>", "gradient descent predicted in continuous time, or step by step")),
  kernel_batch_size: whole(1)
    .optional()
    .meta(
      about(
        "Prediction",
        "<n>",
        "samples in a tile of the kernel; need not divide their number (default: what is fast)",
      ),
    ),

  device: choice(DEVICES)
    .default("cpu")
    .meta(about("Engine", "<name>", "where the network runs")),
  precision: choice(["float32", "float64"])
    .default("float32")
    .meta(about("Engine", "<name>", "precision of the network; Grams are always solved in float64")),
  threads: whole(1, 1024)
    .optional()
    .meta(
      about(
        "Engine",
        "<n>",
        "threads of the engine, or of each worker (default one per core, shared among workers)",
      ),
    ),
  workers: whole(1, 64)
    .default(1)
    .meta(
      about(
        "Engine",
        "<n>",
        "worker threads that share the tiles of kernels and passes, for machines of many cores; same bits for any number where threads is given",
      ),
    ),
  memory_limit: bytes()
    .optional()
    .meta(about("Engine", "<size>", "memory that a run may take, as 6GB (default 90 % of what is free)")),
  device_count: number("1, or -1 for all there are", (x) => x === 1 || x === -1)
    .optional()
    .meta(about("Engine", "<n>", "devices to use, at most 1; accepted for the sake of the JAX program")),
  store_on_device: flag()
    .default(true)
    .meta(about("Engine", "[bool]", "no effect, kernels are kept on the host; accepted for the same reason")),

  init_weights_dir: path()
    .optional()
    .meta(about("Files", "<dir>", "start from the W{l}.npy [in, out] and b{l}.npy [out] in this folder")),
  save_dataset: flag()
    .default(false)
    .meta(about("Files", "[bool]", "save the dataset")),
  save_dataset_dir: path()
    .default("./datasets")
    .meta(about("Files", "<dir>", "where to")),
  save_kernel: flag()
    .default(false)
    .meta(about("Files", "[bool]", "save the kernel that predicts")),
  save_kernel_dir: path()
    .default("./kernels")
    .meta(about("Files", "<dir>", "where to")),
  save_init_weights: flag()
    .default(false)
    .meta(about("Files", "[bool]", "save the initial weights")),
  save_init_weights_dir: path()
    .default("./weights")
    .meta(about("Files", "<dir>", "where to")),
});

/**
 * A checked configuration. Sizes that were asked for as `all` are Infinity until the data is
 * there, and the classes of a file 0.
 */
export type Config = z.output<typeof configSchema>;

/** Options of an experiment as a program gives them; a name that is not there does not compile. */
export type ConfigOptions = z.input<typeof configSchema>;

/** Names of the options, in the order of the schema. */
export const OPTIONS = Object.keys(configSchema.shape) as (keyof Config)[];

/** What `--help` says of an option. */
export const aboutOption = (name: keyof Config): About => configSchema.shape[name].meta() as About;

/** Its value when it is left out. */
export const defaultOf = (name: keyof Config): Config[keyof Config] =>
  configSchema.shape[name].safeParse(undefined).data;

/**
 * Checks options given by name, as numbers, booleans and lists.
 * @throws InputError `name: wanted ..., got ...` for the first that is wrong, or that does not go with another.
 */
export const parseConfig = (options: ConfigOptions): Config => parseFlags(options);

/**
 * The same for options of which no type is known: the text of a command line (`"64"`, `"true"`, `"3,8"`), or what a file held.
 * @throws InputError as {@link parseConfig} does.
 */
export function parseFlags(options: Readonly<Record<string, unknown>>): Config {
  demand(isRecord(options), "options", "an object of options by name", options);
  const result = configSchema.safeParse(options);
  if (!result.success) throw new InputError(explain(result.error, options));
  const config = result.data;
  const given = (name: keyof Config) => options[name] !== undefined;
  const problem = conflict(config, given);
  if (problem !== undefined) throw new InputError(problem);
  // Naming classes says how many there are.
  if (config.target_classes) config.n_classes = config.target_classes.length;
  // A file names its classes: any number that is given must be theirs.
  else if (config.dataset_path !== undefined && !given("n_classes")) config.n_classes = 0;
  return config;
}

/** Whether something has options by name. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Checks that a configuration came from {@link parseConfig}.
 * @throws InputError when it is none, or lacks what every configuration has.
 */
export function demandConfig(config: unknown): void {
  const what = "config";
  demand(isRecord(config), what, "what parseConfig returns", config);
  const missing = OPTIONS.find((name) => defaultOf(name) !== undefined && config[name] === undefined);
  if (missing !== undefined) {
    throw new InputError(`${what}: wanted what parseConfig returns, got an object without ${missing}`);
  }
}

/** The first problem as one line. */
function explain(error: z.ZodError, options: Readonly<Record<string, unknown>>): string {
  const issue = error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    return `${issue.keys[0]}: wanted one of the options of natgrad train, got an unknown name`;
  }
  const name = String(issue.path[0]);
  return `${name}: wanted ${issue.message}, got ${shown(options[name])}`;
}

/** A value in an error: text in quotes, on one line, not too long. */
export function shown(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : listed(value) || "nothing";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** A list with commas, lists in it with plus signs. */
const listed = (value: unknown): string =>
  Array.isArray(value)
    ? value.map((item: unknown) => (Array.isArray(item) ? item.join("+") || "[]" : String(item))).join()
    : String(value);

const IMAGE_CLASSES = 10;

/** Options that count only beside another one. */
const NEEDS: readonly (readonly [option: keyof Config, needs: keyof Config])[] = [
  ["save_dataset_dir", "save_dataset"],
  ["save_kernel_dir", "save_kernel"],
  ["save_init_weights_dir", "save_init_weights"],
  ["forster_transform_n_iters", "forster_transform"],
  ["forster_transform_tol", "forster_transform"],
];

/** That a mini-batch cannot be. */
export const batchTooLarge = (size: number, samples: number): string =>
  `batch_size: wanted at most ${samples} (training samples), got ${size}`;

/** What is wrong with options that are each right by themselves: an option that could have no effect is an error. */
function conflict(config: Config, given: (name: keyof Config) => boolean): string | undefined {
  const { natural_gradient_type: method, target_classes: classes, dataset, n_classes } = config;
  if (method === undefined) {
    if (config.learning_rate === undefined) {
      return `learning_rate: wanted a number for gradient descent, or a natural_gradient_type (${METHODS.join(", ")}), got neither`;
    }
    if (given("singular")) {
      return "singular: wanted a natural_gradient_type beside it, got gradient descent (it inverts no Gram)";
    }
    if (config.damping > 0) {
      return `damping: wanted 0 for gradient descent (it inverts no Fisher matrix), got ${config.damping}`;
    }
  } else if (given("gd_prediction")) {
    return `gd_prediction: wanted gradient descent beside it, got natural_gradient_type ${method}`;
  }
  const solving = FISHERS.filter(({ solvers }) => solvers).map(({ name }) => name);
  for (const option of ["solver", "cg_tolerance", "cg_max_iterations", "preconditioner_rank"] as const) {
    if (given(option) && !solving.includes(method ?? "")) {
      return `${option}: wanted natural_gradient_type ${solving.join(" or ")} beside it, got ${method ?? "gradient descent"}`;
    }
    if (option !== "solver" && given(option) && config.solver === "gram") {
      return `${option}: wanted solver cg beside it, got gram`;
    }
  }
  if (config.solver === "cg" && config.damping_schedule !== "constant") {
    return `damping_schedule: wanted constant beside solver cg, got ${config.damping_schedule}`;
  }
  if (config.batch_size !== undefined) {
    if (config.batch_size > config.train_size) return batchTooLarge(config.batch_size, config.train_size);
    if (config.damping_schedule !== "constant") {
      return `damping_schedule: wanted constant beside batch_size (its ratio compares losses of the same samples), got ${config.damping_schedule}`;
    }
    if (given("gd_prediction") && config.gd_prediction === "continuous") {
      return "gd_prediction: wanted discrete beside batch_size, got continuous";
    }
  }
  if (config.damping_schedule !== "constant" && !(config.damping > 0)) {
    return `damping: wanted a number > 0 to start damping_schedule ${config.damping_schedule} from, got ${config.damping}`;
  }
  if (config.workers > 1 && config.device !== "cpu") {
    return `workers: wanted 1 with device ${config.device}, got ${config.workers}`;
  }
  if (given("prng") && config.init_weights_dir !== undefined) {
    return `prng: wanted none beside init_weights_dir (the folder holds the weights), got ${config.prng}`;
  }
  if (given("dataset") && config.dataset_path !== undefined) {
    return `dataset: wanted none beside dataset_path (the file is the dataset), got ${dataset}`;
  }
  const fisher = FISHERS.find(({ name }) => name === method);
  if (fisher && !existsFor(fisher, lossNamed(config.loss_type))) {
    const others = LOSSES.filter((loss) => existsFor(fisher, loss)).map(({ name }) => name);
    return `natural_gradient_type: wanted another for loss_type ${config.loss_type} (${method} is for ${others.join(", ")}), got ${method}`;
  }

  if (classes) {
    if (config.dataset_path !== undefined) {
      return `target_classes: wanted none beside dataset_path (the file names its classes), got ${classes.map(className).join()}`;
    }
    if (dataset === "synthetic") {
      return `target_classes: wanted none for dataset synthetic (its classes are 0 to n_classes - 1), got ${classes.map(className).join()}`;
    }
    const fault = classesFault(classes);
    if (fault !== undefined) return `target_classes: ${fault}`;
    if (given("n_classes") && classes.length !== n_classes) {
      return `target_classes: wanted ${n_classes} classes (n_classes), got ${classes.length}`;
    }
  } else if (config.dataset_path === undefined && dataset !== "synthetic" && n_classes > IMAGE_CLASSES) {
    return `n_classes: wanted at most ${IMAGE_CLASSES} (classes of ${dataset}), got ${n_classes}`;
  }

  if (dataset === "synthetic" && config.dataset_path === undefined) {
    const endless = (["train_size", "test_size"] as const).find((name) => config[name] === Infinity);
    if (endless) return `${endless}: wanted a number for dataset synthetic (it is drawn), got all`;
  }

  if (config.data_seed !== undefined && config.train_size === Infinity && config.test_size === Infinity) {
    return "data_seed: wanted a train_size or test_size to draw beside it, got all for both";
  }

  if (config.kernel === "none") {
    const idle = (["kernel_path", "save_kernel", "gd_prediction", "kernel_batch_size"] as const).find(
      (name) => given(name) && config[name] !== false,
    );
    if (idle) return `${idle}: wanted a kernel that predicts beside it, got kernel none`;
  }
  if (config.kernel_path !== undefined) {
    if (given("kernel"))
      return `kernel: wanted none beside kernel_path (the file holds one), got ${config.kernel}`;
    if (config.save_kernel) return "save_kernel: wanted a kernel made here, got one from kernel_path";
    if (given("kernel_batch_size")) {
      return "kernel_batch_size: wanted a kernel made here, got one from kernel_path";
    }
  }
  if (config.normalise && config.dataset_path === undefined) {
    return "normalise: wanted dataset_path beside it (other datasets are normalised), got normalise alone";
  }
  if (config.dataset_path !== undefined && config.save_dataset) {
    return "save_dataset: wanted a dataset made here, got one from dataset_path";
  }
  for (const [option, needs] of NEEDS) {
    if (given(option) && !given(needs)) return `${option}: wanted ${needs} beside it, got ${option} alone`;
  }
  return undefined;
}
