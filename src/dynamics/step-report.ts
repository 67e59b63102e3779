/**
 * @file What training reports of each of its steps.
 */
import type { Inversion, SolveReport } from "../fisher/fisher.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Predicted } from "./prediction.ts";
import type { Stopped } from "./step-solve.ts";

/** Training after `step` steps, and what the next one did. */
export type Step = {
  /** Steps that were taken before: 0 is the start. */
  readonly step: number;
  /** The network after them, before the next; left out between rows. */
  readonly network?: Evaluation;
  /** What each kernel predicted for it, in their order; left out between rows. */
  readonly predicted?: readonly Predicted[];
  /** What the predictions inverted since the last report. */
  readonly foreseen: readonly Inversion[];
  /** The step that was taken from here, or tried; after the last one its damping alone. */
  readonly next: NextStep;
  /** Where training diverged: it ends here. */
  readonly diverged?: Diverged;
};

/** The step that follows a row. */
export type NextStep = {
  /** rho. */
  readonly damping: number;
  /** With a schedule: what the step before did to the loss over what its quadratic model said. */
  readonly reductionRatio?: number;
  /** What the method inverted, with ranks and conditions. */
  readonly inversions: readonly Inversion[];
  /** How conjugate gradients ended, where they were the solver. */
  readonly solve?: SolveReport;
  /** What was not finite, so that it was not taken. */
  readonly stopped?: Stopped;
  /** The error of a system that could not be solved, so that it was not taken. */
  readonly failure?: Error;
};

/** How training diverged (divergence.ts). */
export type Diverged = {
  /** The first step from which it had. */
  readonly at: number;
  /** What the training loss was to stay below. */
  readonly limit: number;
};

/** A step with its figures. */
export type Row = Step & Required<Pick<Step, "network" | "predicted">>;

/** Whether a step has its figures. */
export const isRow = (step: Step): step is Row => step.network !== undefined;
