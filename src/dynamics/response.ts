/**
 * @file A step as a square matrix: what it takes of the residual. G maps residuals to outputs; where the loss has a
 * curvature Lambda = S S^T the residual that decays is r~ [N K] with S r~ = r, and it changes by S^T df as long as S stays
 * what it is, so that
 *
 *     r~_{t+1} = (I - eta R) r~_t,     R = S^T G W   [N K, N K],
 *
 * where W makes of r~ what the method is given: r~ itself, S r~ = r for a method without curvature, (Lambda + rho)^-1 S r~ for
 * Newton's step in the outputs. Of exact NGD R is Theta~ X(Theta~, rho) / N with Theta~ = S^T Theta S, of gradient descent
 * Theta~ / N. For a squared error R is G itself. The isotropic condition, alpha and stable learning rates are of R.
 */
import type { Mover } from "../fisher/bind.ts";
import type { Fisher, Propagator } from "../fisher/fisher.ts";
import { residualFor } from "../fisher/view.ts";
import { transposeFactor } from "../loss/curvature.ts";
import type { Loss } from "../loss/loss.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { changeBy } from "./function-space.ts";

/** Where a loss is looked at: its curvature is that at the outputs f [N, C] for the labels y [N, C]. */
export type LossAt = { readonly loss: Loss; readonly f: Matrix; readonly y: Matrix };

/** R [size, size] as its product with a residual. */
export type StepResponse = { readonly R: Propagator; readonly size: number };

/** R of `fisher`, whose G on the training kernel, in its view of the loss there at that damping, is `mover`. */
export function responseOf(
  fisher: Fisher,
  { loss, f, y }: LossAt,
  mover: Mover,
  damping: number,
): StepResponse {
  const S = loss.curvature?.(f, y).factor;
  if (!S) return { R: mover.G, size: f.rows * mover.outputs };
  return {
    R: async (whitened) =>
      transposeFactor(S, await changeBy(mover, residualFor(fisher, loss, f, S, whitened, damping))),
    size: S.samples * S.columns,
  };
}
