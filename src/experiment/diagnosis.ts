/**
 * @file A diagnosis: its options, which are those of an experiment that count in it, and the events that report it.
 */
import type { ClassGroup } from "../data/classes.ts";
import type { Isotropy } from "../dynamics/isotropy.ts";
import type { PosteriorKind } from "../dynamics/posterior.ts";
import { InputError, demand } from "../error.ts";
import { existsFor, FISHERS, NATURAL_GRADIENTS, PLAIN, type Fisher } from "../fisher/index.ts";
import { lossNamed, type Loss } from "../loss/index.ts";
import type { NetworkText } from "./architecture/describe.ts";
import { type Config, type OptionName, type ConfigOptions } from "./config.ts";
import type { RunListeners } from "./events.ts";
import { isRecord, parseFlags } from "./parse-config.ts";
import { lossOf } from "./own.ts";
import { activeShareOf } from "../network/active-share.ts";
import type { Network } from "../network/network.ts";

/** Listeners beside the events. */
export type DiagnosisListeners = RunListeners & {
  /** Words the reason in an event of what a kernel does not allow. Default: the message of the error. */
  word?: (error: InputError) => string;
  /** Called with one line about something that needs attention. */
  notice?: (line: string) => void;
};

/** The options of an experiment that count in a diagnosis. */
export const DIAGNOSIS_OPTIONS = [
  ...([
    "dataset",
    "dataset_path",
    "sample_shape",
    "channels_first",
    "normalise",
    "n_classes",
    "target_classes",
  ] as const),
  ...(["train_size", "test_size", "data_seed"] as const),
  ...(["forster_transform", "forster_transform_n_iters", "forster_transform_tol"] as const),
  ...([
    "architecture",
    "n_layers",
    "width",
    "activation",
    "weight_variance",
    "bias_variance",
    "parameterization",
  ] as const),
  ...(["prng", "random_seed", "init_weights_dir"] as const),
  ...(["natural_gradient_type", "loss_type", "damping", "singular", "kernel_batch_size"] as const),
  ...(["device", "precision", "threads", "workers", "memory_limit"] as const),
] satisfies readonly OptionName[];

/**
 * Methods that a diagnosis under a loss looks at: those that exist for it, and without being named those that differ from
 * each other where layers act on whole samples.
 */
export const diagnosisMethods = (loss: string | Loss, only?: string): readonly Fisher[] =>
  FISHERS.filter((fisher) => existsFor(fisher, typeof loss === "string" ? lossNamed(loss) : loss)).filter(
    ({ name, needs }) => (only === undefined ? needs !== "positions" : name === only),
  );

/** Options of a diagnosis as a program gives them; an unknown name does not compile. */
export type DiagnosisOptions = Pick<ConfigOptions, (typeof DIAGNOSIS_OPTIONS)[number]>;

/** A number of operations that takes seconds. */
const SLOW = 1e9;

/** Whether a method on single units takes so long that it is measured only when it is asked for. */
export const isSlow = ({ needs, cost }: Fisher, network: Network, samples: number): boolean => {
  const { blocks: layers, outputs } = network;
  const activeShare = activeShareOf(network);
  return needs === "units" && cost({ samples, outputs, layers, damped: true, activeShare }).operations > SLOW;
};

/** A checked diagnosis: the network and data of a configuration, and the methods to look at. */
export type Diagnosis = { readonly config: Config; readonly methods: readonly Fisher[] };

/** Which kernel an event is about: of the infinitely wide network, or of this one at its initial weights. */
export type KernelName = "analytic" | "empirical";

/** What was decided before any work. */
export type DiagnosisConfigEvent = NetworkText & {
  event: "config";
  config: Config;
  methods: readonly string[];
  n_classes: number;
  /** Numbers, and lists of numbers for groups. */
  target_classes: readonly ClassGroup[];
  /** Why there is no analytic kernel, where there is none. */
  kernel_reason?: string;
  /** The memory that the plan allows for the diagnosis. */
  plan: { bytes: number };
};

/** The eigenvalues of Theta / N. What it says of gradient descent is of a squared error, whatever the loss. */
export type SpectrumEvent = {
  event: "spectrum";
  kernel: KernelName;
  /** The loss that learning rate and convergence times are of. */
  loss_type: string;
  /** Rows of Theta: N, or N C where it covers all outputs. */
  size: number;
  /** Outputs that it covers: 1 or C. */
  outputs: number;
  /** tr Theta / N. */
  trace: number;
  lambda_max: number;
  lambda_median: number;
  lambda_min: number;
  rank: number;
  condition: number;
  /** <Theta, y y^T> / (|Theta| |y y^T|), and the same without means. */
  alignment: number;
  centred_alignment: number;
  /** Share of |y|^2 in the leading 1, 5 and 10 eigenvectors of each output. */
  label_energy: Record<1 | 5 | 10, number>;
  /** Of gradient descent, 2 / lambda_max. */
  max_learning_rate: number;
  /** Until the training loss of gradient descent is this fraction of its start. */
  convergence: readonly Convergence[];
  /** All of them, largest first. */
  eigenvalues: readonly number[];
};

/** When a fraction of the training loss is left, from f_0 = 0 (analytic) or the network's outputs (empirical). */
export type Convergence = {
  fraction: number;
  /** Time eta t of gradient flow. */
  time: number;
  /** That time in steps of the largest stable learning rate. */
  steps: number;
  /** Steps of gradient descent itself at half of it, where no mode oscillates. */
  steps_at_half: number;
};

/** One weight layer, counted from 1, or the sum of all. */
export type LayerEvent = {
  event: "layer";
  layer: number | "all";
  fan_in: number | null;
  fan_out: number | null;
  /** tr Theta_l / tr Theta; null for an analytic kernel that is not known. */
  trace_share: { analytic: number | null; empirical: number };
  /** |empirical - analytic| / |analytic| in Frobenius norm, of Theta_l and of its Grams. */
  distance: { ntk: number | null; inputs: number | null; signals: number | null };
};

/**
 * How near to G = alpha I a method is on a kernel, and at which learning rates it is stable there. Under a loss with a
 * curvature all of them are of S^T G, with S at the initial outputs: zero for the analytic kernel, the network's for the
 * empirical one.
 */
export type MethodFigures = Isotropy & {
  /** alpha of the theory, of the limit of wide networks without damping; none for gradient descent. */
  alpha_theory: number | null;
  /** The default learning rate, 1 / alpha of the theory. */
  learning_rate: number | null;
  /** The largest stable one on this kernel. */
  max_learning_rate: number;
};

/** A method on a kernel, or why it does not exist there. */
export type MethodEvent = { event: "method"; method: string; kernel: KernelName; loss_type: string } & (
  | MethodFigures
  | { reason: string }
);

/** The test set under infinitely many initialisations, at convergence on a squared error, whatever the loss. */
export type PosteriorFigures = {
  /** Of the mean. */
  test_accuracy: number;
  /** Of the mean. */
  test_loss: number;
  /** Standard deviation of an output, averaged over the test samples. */
  mean_deviation: number;
};

/** A posterior, or why there is none. */
export type PosteriorEvent = { event: "posterior"; kind: PosteriorKind; loss_type: string } & (
  | PosteriorFigures
  | { reason: string }
);

/** The end. */
export type DiagnosisDoneEvent = { event: "done"; seconds: number; peak_rss_bytes: number };

export type DiagnosisEvent =
  | DiagnosisConfigEvent
  | SpectrumEvent
  | LayerEvent
  | MethodEvent
  | PosteriorEvent
  | DiagnosisDoneEvent;

/**
 * Checks options by name. `natural_gradient_type` picks one method (none: gradient descent).
 * @throws InputError `name: wanted ..., got ...` for the first that is wrong.
 */
export const parseDiagnosis = (options: DiagnosisOptions): Diagnosis => parseDiagnosisFlags(options);

/**
 * The same for options of any types, as the text of a command line.
 * @throws InputError as {@link parseDiagnosis} does.
 */
export function parseDiagnosisFlags(options: Readonly<Record<string, unknown>>): Diagnosis {
  demand(isRecord(options), "options", "an object of options by name", options);
  const known: readonly string[] = DIAGNOSIS_OPTIONS;
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new InputError(`${name}: wanted one of the options of natgrad kernel, got another name`);
    }
  }
  const { natural_gradient_type: asked, ...rest } = options;
  const only = asked === "none" || asked === PLAIN ? PLAIN.name : asked;
  // Nothing is trained, so that gradient descent needs no learning rate here and may stand beside a damping.
  const checked = only === undefined || only === PLAIN.name ? NATURAL_GRADIENTS[0]!.name : only;
  const config = parseFlags({ ...rest, natural_gradient_type: checked });
  const own = config.own?.natural_gradient_type;
  if (own) return { config, methods: [own.value] };
  // Given as an object it has its name there.
  const name = only === undefined || only === PLAIN.name ? only : config.natural_gradient_type;
  return { config, methods: diagnosisMethods(lossOf(config), name) };
}
