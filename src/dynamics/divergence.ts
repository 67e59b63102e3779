/**
 * @file When a run has diverged: at once where a figure of the network is no finite number any more, and at its end where
 * the training loss is above ten times the larger of
 *
 *     L(f_0)  and  L(0),
 *
 * the loss that it started from and the loss of outputs that are zero (0.5 mean |y|^2 for a squared error, log C for
 * cross-entropy). A loss that rises for some steps and comes back has not diverged. L(0) keeps a start that is nearly
 * perfect, from weights that were trained before, from counting every later loss as divergence.
 */
import type { Loss } from "../loss/loss.ts";
import { zeros, type Matrix } from "../linalg/matrix.ts";

/** Times the larger of the two losses. */
const FACTOR = 10;

/** Watches the training loss of one run, or of one prediction. */
export type DivergenceWatch = {
  /** Notes a loss after so many steps, in order. The first sets the limit. */
  note(step: number, trainLoss: number): void;
  /** The first step from which the loss stayed above the limit, or was no number; undefined where it is below now. */
  since(): number | undefined;
  /** Ten times the larger of the first loss and that of zero outputs; NaN before the first. */
  limit(): number;
};

/** A watch for labels `y` [N, C]. */
export function watchDivergence(loss: Loss, y: Matrix): DivergenceWatch {
  let limit = Number.NaN;
  let since: number | undefined;
  return {
    note(step, trainLoss) {
      if (Number.isNaN(limit)) limit = FACTOR * Math.max(trainLoss, loss.value(zeros(y.rows, y.cols), y));
      // NaN is not below anything.
      if (trainLoss <= limit) since = undefined;
      else since ??= step;
    },
    since: () => since,
    limit: () => limit,
  };
}
