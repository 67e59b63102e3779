/**
 * @file The steps of a training as events of a run: notices of what its method inverted, the row, and how it ended.
 */
import type { Dataset } from "../data/dataset.ts";
import { isFiniteEvaluation } from "../dynamics/evaluation.ts";
import { isRow, type Row, type Step } from "../dynamics/step-report.ts";
import { stoppedText } from "../dynamics/step-solve.ts";
import { InputError } from "../error.ts";
import type { Solver, SolveReport } from "../fisher/index.ts";
import { allFinite } from "../linalg/matrix.ts";
import type { Config } from "./config.ts";
import { createPredictionNotices, DIVERGENCE_REMEDIES, divergenceReason } from "./divergence.ts";
import { metricsOf, type DoneEvent, type NoticeEvent, type RunEvent, type StepEvent } from "./events.ts";
import { createInversionNotices, leastNormOf } from "./inversions.ts";
import { unrepresentable } from "./representable.ts";

/** How a training ended. */
export type Ending = Pick<DoneEvent, "diverged" | "diverged_at" | "reason" | "remedies">;

/**
 * Reports the steps of a training as events.
 * @param kernels the names of the kernels that predict
 * @throws InputError for a step without a solution where nothing has diverged, and for an initial network that overflows.
 */
export async function* stepEvents(
  steps: AsyncIterable<Step>,
  config: Config,
  dataset: Dataset,
  solver: Solver | undefined,
  kernels: readonly string[],
): AsyncGenerator<RunEvent, Ending> {
  const notices = createInversionNotices();
  const judge = createPredictionNotices(kernels);
  for await (const at of steps) {
    const { step, next, foreseen, diverged } = at;
    yield* notices(next.inversions, step + 1);
    if (next.solve && !next.solve.converged) yield shortOfGoal(step + 1, next.solve, config);
    // Row 0 comes with what predicts the first step, a later row with what predicted the step that ends here.
    yield* notices(foreseen, Math.max(1, step), " of the prediction");
    if (!isRow(at)) continue;
    if (step === 0) refuseUnrepresentable(at, config, dataset);
    yield rowEvent(at, config, solver);
    if (diverged) {
      const reason = divergenceReason(at, diverged);
      return { diverged: true, diverged_at: diverged.at, reason, remedies: DIVERGENCE_REMEDIES };
    }
    if (next.failure)
      throw new InputError(`step ${step + 1}: ${next.failure.message}`, { cause: next.failure });
    yield* judge(at, step === config.n_steps);
  }
  return { diverged: false };
}

/** An initial network whose figures are not finite is an error of the options and data that it was made from. */
function refuseUnrepresentable({ network, next: { stopped } }: Row, config: Config, dataset: Dataset): void {
  const overflows = stopped !== undefined && stopped.what !== "update";
  if (isFiniteEvaluation(network) && !overflows) return;
  const what = stopped ? stoppedText(stopped) : allFinite(network.train.data) ? "loss" : "outputs";
  throw unrepresentable(what, config, dataset);
}

function rowEvent(
  { step, network, predicted, next }: Row,
  config: Config,
  solver: Solver | undefined,
): StepEvent {
  const [predict, predictEmpirical] = predicted.map(metricsOf);
  return {
    event: "step",
    step,
    ...metricsOf(network),
    ...(predict ? { predict } : {}),
    ...(predictEmpirical ? { predict_empirical: predictEmpirical } : {}),
    ...(config.singular === "least_norm" ? { least_norm: leastNormOf(next.inversions) } : {}),
    ...(solver === "cg" ? { solve: next.solve ? solveEvent(next.solve) : null } : {}),
    ...(config.damping_schedule === "constant"
      ? {}
      : { damping: next.damping, reduction_ratio: next.reductionRatio ?? null }),
  };
}

const solveEvent = ({ iterations, relativeResidual, converged, rank }: SolveReport) => ({
  iterations,
  relative_residual: relativeResidual,
  converged,
  rank,
});

const shortOfGoal = (
  step: number,
  { iterations, relativeResidual }: SolveReport,
  config: Config,
): NoticeEvent => ({
  event: "notice",
  kind: "solver",
  step,
  message:
    `step ${step}: conjugate gradients stopped at a relative residual of ${relativeResidual.toExponential(1)} ` +
    `after ${iterations} iterations, wanted ${config.cg_tolerance}`,
  remedies: [{ option: "damping" }, { option: "preconditioner_rank", change: "greater" }],
});
