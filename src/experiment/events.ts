/**
 * @file The events that report a run: the configuration, one event per step with what the kernels predicted for it, and the
 * end. The listener formats them.
 */
import type { Stoppable } from "../breathe.ts";
import type { ClassGroup } from "../data/classes.ts";
import type { Evaluation } from "../dynamics/evaluation.ts";
import type { Isotropy } from "../dynamics/isotropy.ts";
import type { Inversion, Solver } from "../fisher/index.ts";
import type { NetworkText } from "./architecture/describe.ts";
import type { Config } from "./config.ts";
import type { Remedy } from "./remedy.ts";

/** A matrix that was inverted on its range alone. */
export type LeastNorm = Pick<Inversion, "what" | "size" | "rank">;

/** The four numbers of a row of the table. */
export type Metrics = {
  train_accuracy: number;
  train_loss: number;
  test_accuracy: number;
  test_loss: number;
};

/** The figures of outputs as a row has them. */
export const metricsOf = (evaluation: Evaluation): Metrics => ({
  train_accuracy: evaluation.trainAccuracy,
  train_loss: evaluation.trainLoss,
  test_accuracy: evaluation.testAccuracy,
  test_loss: evaluation.testLoss,
});

/** Everything that was decided before the first step. */
export type ConfigEvent = NetworkText & {
  event: "config";
  config: Config;
  /** Why the kernel that predicts is not the analytic one, where none was named. */
  kernel_reason?: string;
  n_classes: number;
  /** Numbers, and lists of numbers for groups. */
  target_classes: readonly ClassGroup[];
  learning_rate: number;
  /** Where the theory has no alpha: tr G / n on the network's own kernel at the start, and what the learning rate is by. */
  alpha_measured?: number;
  /** "alpha": 1 / alpha; "stability": half of the largest stable one, which is less. */
  learning_rate_by?: "alpha" | "stability";
  /** The plan: memory, for long runs the time, and how exact NGD solves. */
  plan: { bytes: number; seconds?: number; solver?: Solver };
  /**
   * For natural gradients where a kernel predicts: how far G is from alpha I on that kernel at the start. For a loss with a
   * curvature it is of S^T G, with S at the initial outputs.
   */
  isotropy?: { alpha_theory: number | null } & Isotropy;
};

/** One row of the table. */
export type StepEvent = {
  event: "step";
  step: number;
  /** Absent where the option `kernel` is none. */
  predict?: Metrics;
  /** Where `kernel` is both: `predict` is by the analytic kernel, this by the empirical one. */
  predict_empirical?: Metrics;
  /** With a damping schedule: rho of the step that follows, and the reduction ratio of the step before. */
  damping?: number;
  reduction_ratio?: number | null;
  /** Where `singular` is least_norm: what was inverted on its range alone for the step that follows. */
  least_norm?: readonly LeastNorm[];
  /** With conjugate gradients: how they ended for the step that follows. */
  solve?: { iterations: number; relative_residual: number; converged: boolean; rank: number } | null;
} & Metrics;

/** Something that needs attention: it goes to stderr, and into JSON lines. */
export type NoticeEvent = {
  event: "notice";
  /** What it is about, for programs that read it. */
  kind: NoticeKind;
  /** The step that it happened in, counted from 1; 0 before the first. */
  step: number;
  /** One line that says what happened, or what was wanted and what was got. */
  message: string;
  /** What may help. */
  remedies?: readonly Remedy[];
};

/** Kinds of notices. */
export type NoticeKind = "accuracy" | "data" | "option" | "prediction" | "runtime" | "singular" | "solver";

/** The end, with wall-clock seconds of every part. */
export type DoneEvent = {
  event: "done";
  /**
   * True when something stopped being a finite number and training with it, or when the training loss ended far above
   * where it began (dynamics/divergence.ts).
   */
  diverged: boolean;
  /** With `diverged`: the first step from which that was so. */
  diverged_at?: number;
  /** With `diverged`: what happened, on one line. */
  reason?: string;
  /** With `diverged`: what may help. */
  remedies?: readonly Remedy[];
  /** Of this run, from its start. */
  seconds: number;
  /** The most that the process held during this run. */
  peak_rss_bytes: number;
  timings: Readonly<Record<string, number>>;
};

export type RunEvent = ConfigEvent | StepEvent | NoticeEvent | DoneEvent;

/** Called with what is being done; `done` of `total` where that is known. */
export type Progress = (stage: string, done?: number, total?: number) => void;

/** Listeners beside the events. */
export type RunListeners = Stoppable & {
  progress?: Progress;
};
