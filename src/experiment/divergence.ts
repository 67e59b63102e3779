/**
 * @file What a run says when something diverges: its training, which ends the run, or a prediction, which is only reported.
 */
import { isFiniteEvaluation } from "../dynamics/evaluation.ts";
import type { Predicted } from "../dynamics/prediction.ts";
import type { Diverged, Row } from "../dynamics/step-report.ts";
import { stoppedText } from "../dynamics/step-solve.ts";
import { metricsOf, type NoticeEvent } from "./events.ts";
import type { Remedy } from "./remedy.ts";

const digits = (x: number): string =>
  x >= 1e-4 && x < 1e6 ? String(Number(x.toPrecision(4))) : x.toExponential(2);

/** What may help against divergence of a training. */
export const DIVERGENCE_REMEDIES: readonly Remedy[] = [
  { option: "learning_rate", change: "smaller" },
  { option: "lr_factor", change: "smaller" },
  { option: "damping", change: "greater" },
];

/** Says in one line that training diverged, at its last row. */
export function divergenceReason({ step, network, next }: Row, { at, limit }: Diverged): string {
  const { stopped, failure } = next;
  const since = `diverged from step ${at} on`;
  const figure = Object.entries(metricsOf(network)).find(([, value]) => !Number.isFinite(value));
  const loss = `wanted a train_loss of at most ${digits(limit)}, got ${digits(network.trainLoss)}`;
  if (figure) {
    const [name, value] = figure;
    return `training: wanted a finite ${name}, got ${value} after step ${step}, ${since}`;
  }
  if (failure) return `training: ${loss}, ${since}; step ${step + 1}: ${failure.message}`;
  if (stopped) {
    const what = `finite numbers in the ${stoppedText(stopped)}`;
    return `training: wanted ${what}, got others in step ${step + 1}, ${since}`;
  }
  return `training: ${loss} after step ${step}, ${since}`;
}

/**
 * Reports each prediction that diverged once: as soon as its figures are no finite numbers, or else at the last row.
 * @param kernels the names of what predicts
 */
export function createPredictionNotices(
  kernels: readonly string[],
): (row: Pick<Row, "step" | "predicted">, last: boolean) => NoticeEvent[] {
  const told = new Set<number>();
  const nameOf = (i: number): string =>
    kernels.length > 1 ? `the prediction of the ${kernels[i]} kernel` : "the prediction";
  return ({ step, predicted }, last) =>
    predicted.flatMap((prediction, i) => {
      if (told.has(i) || !(last ? hasDiverged(prediction) : !isFiniteEvaluation(prediction))) return [];
      told.add(i);
      const message = `${nameOf(i)} ${fate(prediction, step)}`;
      return [{ event: "notice", kind: "prediction", step, message }];
    });
}

const hasDiverged = (prediction: Predicted): boolean =>
  prediction.since !== undefined || !isFiniteEvaluation(prediction);

function fate(prediction: Predicted, step: number): string {
  const { since, limit, failure, trainLoss } = prediction;
  if (failure) return `diverged from step ${since} on; ${failure.message}`;
  return isFiniteEvaluation(prediction)
    ? `diverged: wanted a train_loss of at most ${digits(limit)}, got ${digits(trainLoss)}, from step ${since} on`
    : `is not finite from step ${step} on`;
}
