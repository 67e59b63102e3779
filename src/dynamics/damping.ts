/**
 * @file Damping that follows the training (Levenberg-Marquardt, as Martens & Grosse, arXiv 1503.05671, section 6.5): the
 * reduction ratio compares what a step did to the loss with what its local quadratic model said,
 *
 *     ratio = (L(f_{t+1}) - L(f_t)) / (r.df / N + df.Lambda df / 2N),     df = J dtheta,
 *
 * and rho shrinks after steps that the model foresaw (ratio > 3/4) and grows after those it did not (ratio < 1/4).
 */

import { demandDamping, demandName } from "../error.ts";

/** Names of the schedules. */
export const DAMPING_SCHEDULES = ["constant", "levenberg_marquardt"] as const;

/** A schedule. */
export type DampingSchedule = (typeof DAMPING_SCHEDULES)[number];

/** Factor by which rho changes. */
const FACTOR = 2 / 3;
const TRUSTED = 0.75;
const DISTRUSTED = 0.25;

/** Decides the damping of every step. */
export type DampingController = {
  /** rho for the step that starts at this loss; the ratio is of the step before. */
  next(loss: number): { damping: number; ratio: number | undefined };
  /** Notes what the quadratic model says of the step just taken. */
  expect(modelChange: number): void;
};

/**
 * A controller that starts at `damping`.
 * @throws InputError for an unknown schedule or a damping that is no number >= 0.
 */
export function dampingController(schedule: DampingSchedule, damping: number): DampingController {
  demandName("schedule", DAMPING_SCHEDULES, schedule);
  demandDamping(damping);
  if (schedule === "constant") return { next: () => ({ damping, ratio: undefined }), expect: () => {} };
  let rho = damping;
  let last: { loss: number; modelChange: number } | undefined;
  let before = Number.NaN;
  return {
    next(loss) {
      const ratio = last && (loss - last.loss) / last.modelChange;
      if (ratio !== undefined && ratio > TRUSTED) rho *= FACTOR;
      // A ratio that is NaN, because the loss is, counts as a step that the model did not foresee.
      else if (ratio !== undefined && !(ratio >= DISTRUSTED)) rho /= FACTOR;
      before = loss;
      return { damping: rho, ratio };
    },
    expect(modelChange) {
      last = { loss: before, modelChange };
    },
  };
}
