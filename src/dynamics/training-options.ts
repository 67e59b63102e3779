/**
 * @file The parts of a training, which exist already, and its options.
 */
import type { Stoppable } from "../breathe.ts";
import type { Fisher, Singular, SolverOptions } from "../fisher/fisher.ts";
import type { Linearizer } from "../jacobian/linearize.ts";
import type { Weights } from "../jacobian/weights.ts";
import type { Loss } from "../loss/loss.ts";
import type { DampingSchedule } from "./damping.ts";
import type { TrainingData } from "./evaluation.ts";
import type { PredictingKernels } from "./function-space.ts";

/** What is trained, on what and how. */
export type TrainingParts = {
  readonly linearizer: Linearizer;
  /** They are trained in place. */
  readonly weights: Weights;
  readonly data: TrainingData;
  readonly loss: Loss;
  readonly method: Fisher;
  /** Kernels that predict the training; may be empty. */
  readonly kernels: readonly PredictingKernels[];
};

/** How it is trained. */
export type TrainingOptions = Stoppable & {
  readonly learningRate: number;
  readonly steps: number;
  /** Rows: one per so many steps, and one after the last. Default: 1. */
  readonly every?: number | undefined;
  /** rho. Default: 0. */
  readonly damping?: number | undefined;
  /** Default: "constant". */
  readonly dampingSchedule?: DampingSchedule | undefined;
  /** What to do about a Gram without an inverse. Default: "refuse". */
  readonly singular?: Singular | undefined;
  /** How methods that need the NTK of the network alone solve with it. */
  readonly solver?: SolverOptions | undefined;
  /** Samples of a step, each sample once per epoch. Default: all of them. */
  readonly batchSize?: number | undefined;
  /** Seed of the mini-batches. Default: 1. */
  readonly batchSeed?: number | undefined;
  /** Whether gradient descent is predicted in continuous time, in place of steps. Default: false. */
  readonly continuous?: boolean | undefined;
  /** Whether to measure how far G is from alpha I. Default: false. */
  readonly isotropy?: boolean | undefined;
  /** Samples that go through the network at a time. */
  readonly tile?: number | undefined;
  /** Called with the progress of the training and of the parts of its steps. */
  readonly progress?: ((stage: string, done?: number, total?: number) => void) | undefined;
};
