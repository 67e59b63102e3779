/**
 * @file A diagnosis: its options, which are those of an experiment that count in it, and the events in which it is told.
 */
import type { ClassGroup } from "../data/classes.ts";
import type { Isotropy } from "../dynamics/isotropy.ts";
import type { PosteriorKind } from "../dynamics/posterior.ts";
import { InputError } from "../error.ts";
import { FISHERS, gradient, type Fisher } from "../fisher/index.ts";
import { parseConfig, type Config } from "./config.ts";

/** The options of an experiment that count in a diagnosis. */
export const DIAGNOSIS_OPTIONS = [
  ...(["dataset", "dataset_path", "n_classes", "target_classes", "train_size", "test_size"] as const),
  ...(["forster_transform", "forster_transform_n_iters", "forster_transform_tol"] as const),
  ...(["n_layers", "width", "weight_variance", "bias_variance", "parameterization"] as const),
  ...(["prng", "random_seed", "init_weights_dir"] as const),
  ...(["natural_gradient_type", "damping", "singular", "kernel_batch_size"] as const),
  ...(["device", "precision", "threads", "workers"] as const),
] satisfies readonly (keyof Config)[];

/** Methods that a diagnosis looks at: those of a squared error. */
export const DIAGNOSIS_METHODS: readonly Fisher[] = FISHERS.filter(({ newtonResidual }) => !newtonResidual);

/** A checked diagnosis: the network and data of a configuration, and the methods to look at. */
export type Diagnosis = { readonly config: Config; readonly methods: readonly Fisher[] };

/** Which kernel an event is about: of the infinitely wide network, or of this one at its initial weights. */
export type KernelName = "analytic" | "empirical";

/** What was decided before any work. */
export type DiagnosisConfigEvent = {
  event: "config";
  config: Config;
  methods: readonly string[];
  /** M_0, ..., M_L. */
  widths: readonly number[];
  n_classes: number;
  /** Numbers, and lists of numbers for groups. */
  target_classes: readonly ClassGroup[];
};

/** The eigenvalues of Theta / N. */
export type SpectrumEvent = {
  event: "spectrum";
  kernel: KernelName;
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
  /** Share of |y|^2 in the leading 1, 5 and 10 eigenvectors an output. */
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
  /** tr Theta_l / tr Theta. */
  trace_share: Record<KernelName, number>;
  /** |empirical - analytic| / |analytic| in Frobenius norm, of Theta_l and of its Grams. */
  distance: { ntk: number; inputs: number | null; signals: number | null };
};

/** How near to G = alpha I a method is on a kernel, and which learning rates it bears there. */
export type MethodFigures = Isotropy & {
  /** alpha of the theory, of the limit of wide networks without damping; none for gradient descent. */
  alpha_theory: number | null;
  /** The default learning rate, 1 / alpha of the theory. */
  learning_rate: number | null;
  /** The largest stable one on this kernel. */
  max_learning_rate: number;
};

/** A method on a kernel, or why it does not exist there. */
export type MethodEvent = { event: "method"; method: string; kernel: KernelName } & (
  | MethodFigures
  | { reason: string }
);

/** The test set under infinitely many initialisations, at convergence. */
export type PosteriorFigures = {
  /** Of the mean. */
  test_accuracy: number;
  /** Of the mean. */
  test_loss: number;
  /** Standard deviation of an output, averaged over the test samples. */
  mean_deviation: number;
};

/** A posterior, or why there is none. */
export type PosteriorEvent = { event: "posterior"; kind: PosteriorKind } & (
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
 * Checks options by name, as numbers or as text. `natural_gradient_type` picks one method (none: gradient descent).
 * @throws InputError `name: wanted ..., got ...` for the first that is wrong.
 */
export function parseDiagnosis(options: Record<string, unknown>): Diagnosis {
  const known: readonly string[] = DIAGNOSIS_OPTIONS;
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new InputError(`${name}: wanted one of the options of natgrad kernel, got another name`);
    }
  }
  const { natural_gradient_type: asked, ...rest } = options;
  const only = asked === "none" ? gradient.name : asked;
  // Nothing is trained, so that gradient descent needs no learning rate here and may stand beside a damping.
  const checked = only === undefined || only === gradient.name ? "exact" : only;
  return {
    config: parseConfig({ ...rest, natural_gradient_type: checked }),
    methods: DIAGNOSIS_METHODS.filter(({ name }) => only === undefined || name === only),
  };
}
