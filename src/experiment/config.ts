/**
 * @file What an experiment is made of: the flags of the paper's programs with their names and defaults, and
 * natgrad's own beside them. The schema is the one source for parsing, help and documentation.
 */
import { z } from "zod";
import { InputError } from "../error.ts";
import { FISHERS } from "../fisher/index.ts";
import { DEVICES } from "../graph/engine.ts";

/** Methods as the command line names them; gradient descent is the one without a name. */
export const METHODS = FISHERS.map(({ name }) => name).filter((name) => name !== "gradient");

const count = z.coerce.number().int().min(1);
const positive = z.coerce.number().positive().finite();
const flag = z.union([z.boolean(), z.enum(["true", "false"]).transform((s) => s === "true")]);
const integers = z.union([
  z.array(z.number().int().min(0)),
  z
    .string()
    .regex(/^\d+(\s*,\s*\d+)*$/, "integers separated by commas")
    .transform((s) => s.split(",").map(Number)),
]);

/** Every option of an experiment. Descriptions become `--help`. */
export const configSchema = z.strictObject({
  dataset: z.enum(["mnist", "synthetic"]).default("mnist").describe("data to learn from"),
  n_classes: z.coerce.number().int().min(2).default(2).describe("classes; two share one output (labels +-0.5)"),
  target_classes: integers.optional().describe("which classes, as 3,8 (default: 0 to n_classes - 1)"),
  loss_type: z.enum(["mse"]).default("mse").describe("loss"),
  train_size: count.default(100).describe("training samples"),
  test_size: count.default(50).describe("test samples"),
  n_layers: count.default(3).describe("weight layers of the ReLU network"),
  width: count.default(4096).describe("width of every hidden layer"),
  weight_variance: positive.default(2).describe("sigma_w^2: a weight has variance sigma_w^2 / fan-in"),
  bias_variance: z.coerce.number().min(0).finite().default(0).describe("sigma_b^2; 0: no biases"),
  natural_gradient_type: z
    .enum(METHODS as [string, ...string[]])
    .optional()
    .describe("Fisher matrix; left out: gradient descent"),
  n_steps: z.coerce.number().int().min(0).default(2).describe("steps"),
  learning_rate: positive.optional().describe("default for natural gradients: 1/alpha of the theory"),
  lr_factor: positive.optional().describe("multiplies the learning rate"),
  damping: z.coerce.number().min(0).finite().default(0).describe("rho, added to the Fisher matrix (F + rho I)"),
  kernel: z.enum(["analytic", "empirical"]).default("analytic").describe("kernel that predicts the training"),
  gd_prediction: z
    .enum(["continuous", "discrete"])
    .default("continuous")
    .describe("gradient descent predicted in continuous time, or step by step"),
  kernel_batch_size: count.default(10).describe("samples in a tile of the kernel; need not divide their number"),
  device: z.enum(DEVICES as [string, ...string[]]).default("cpu").describe("where the network runs"),
  precision: z.enum(["float32", "float64"]).default("float32").describe("of the network; solves are float64"),
  threads: count.optional().describe("threads of the engine (default: all cores)"),
  device_count: z.coerce.number().int().optional().describe("devices to use; natgrad uses one"),
  store_on_device: flag.default(true).describe("accepted for the JAX program's sake; kernels are kept on the host"),
  dataset_path: z.string().min(1).optional().describe("dataset (.npz) in place of --dataset"),
  save_dataset: flag.default(false).describe("save the dataset of this run"),
  save_dataset_dir: z.string().min(1).default("./datasets").describe("where"),
  kernel_path: z.string().min(1).optional().describe("kernel (.npz) saved by an earlier run"),
  save_kernel: flag.default(false).describe("save the kernel of this run"),
  save_kernel_dir: z.string().min(1).default("./kernels").describe("where"),
  save_init_weights: flag.default(false).describe("save the initial weights of this run"),
  save_init_weights_dir: z.string().min(1).default("./weights").describe("where"),
  init_weights_dir: z.string().min(1).optional().describe("folder of W{l}.npy [in,out] (and b{l}.npy) to start from"),
  random_seed: z.coerce.number().int().min(0).max(0xffffffff).default(1).describe("seed of the initial weights"),
  forster_transform: flag.default(false).describe("isotropic position of the inputs, fitted on the training set"),
  forster_transform_n_iters: count.default(100).describe("its iterations at most"),
  forster_transform_tol: positive.default(1e-3).describe("its tolerance"),
});

/** A checked configuration. */
export type Config = z.output<typeof configSchema>;

/** Names of the options, in the order of the schema. */
export const OPTIONS = Object.keys(configSchema.shape) as (keyof Config)[];

/**
 * Checks options given by name.
 * @throws InputError `name: wanted ..., got ...` for the first that is wrong, or that does not go with another.
 */
export function parseConfig(options: Record<string, unknown>): Config {
  const result = configSchema.safeParse(options);
  if (!result.success) throw new InputError(explain(result.error, options));
  const config = result.data;
  if (config.natural_gradient_type === undefined && config.learning_rate === undefined) {
    throw new InputError("learning_rate: wanted a number for gradient descent (no natural_gradient_type), got none");
  }
  if (config.target_classes && config.target_classes.length !== config.n_classes) {
    // Naming classes says how many there are, unless n_classes says otherwise.
    if ("n_classes" in options) {
      throw new InputError(
        `target_classes: wanted ${config.n_classes} classes (n_classes), got ${config.target_classes.length}`,
      );
    }
    config.n_classes = config.target_classes.length;
  }
  if (config.device_count !== undefined && config.device_count > 1) {
    throw new InputError(`device_count: wanted at most 1, got ${config.device_count}`);
  }
  return config;
}

/** The first problem as one line. */
function explain(error: z.ZodError, options: Record<string, unknown>): string {
  const issue = error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    return `${issue.keys[0]}: wanted a known option (see --help), got this`;
  }
  const name = String(issue.path[0]);
  const schema = configSchema.shape[name as keyof typeof configSchema.shape] as z.ZodType | undefined;
  return `${name}: wanted ${wanted(issue, schema)}, got ${JSON.stringify(options[name])}`;
}

function wanted(issue: z.core.$ZodIssue, _schema: z.ZodType | undefined): string {
  switch (issue.code) {
    case "invalid_value":
      return `one of ${issue.values.join(", ")}`;
    case "too_small":
      return `a number ${issue.inclusive === false ? ">" : ">="} ${issue.minimum}`;
    case "too_big":
      return `a number <= ${issue.maximum}`;
    case "invalid_type":
      return issue.expected === "int" ? "a whole number" : `a ${issue.expected}`;
    case "invalid_union":
      return wanted(issue.errors.at(-1)?.[0] ?? { ...issue, code: "custom", message: "another value" }, undefined);
    case "invalid_format":
      return issue.message;
    default:
      return issue.message.toLowerCase();
  }
}
