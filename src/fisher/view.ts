/**
 * @file What a method sees of a loss at outputs f: a residual, and a kernel into which the curvature is folded.
 */
import type { Stoppable } from "../breathe.ts";
import { InputError, demandDamping } from "../error.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { expandOutputs } from "../kernel/parts.ts";
import { whitenColumns, whitenKernel } from "../kernel/whiten.ts";
import { applyFactor, applyFactorRows, type CurvatureFactor } from "../loss/curvature.ts";
import type { Loss } from "../loss/loss.ts";
import type { Matrix } from "../linalg/matrix.ts";
import type { Coefficients, Fisher } from "./fisher.ts";

/** The view of a method at one f. */
export type View = {
  /** r, or r~ where there is a curvature. */
  readonly residual: Matrix;
  /** S, where the method uses a curvature that is not the identity. */
  readonly curvature: CurvatureFactor | undefined;
  /** rho on the Fisher matrix. */
  readonly damping: number;
};

/** Whether a method exists for a loss. */
export const existsFor = (fisher: Fisher, loss: Loss): boolean =>
  fisher.curvature !== "newton" || loss.newton !== undefined;

/**
 * The view of `fisher` on `loss`.
 * @throws InputError when the method does not exist for the loss, or for a damping that is no number >= 0; RangeError when
 * outputs and labels have different shapes.
 */
export function viewOf(fisher: Fisher, loss: Loss, f: Matrix, y: Matrix, damping: number): View {
  demandDamping(damping);
  if (fisher.curvature === "newton") {
    if (!loss.newton) {
      throw new InputError(
        `${fisher.name}: wanted a loss with a Newton step in the outputs, got ${loss.name}`,
      );
    }
    const residual = loss.newton(f, loss.residual(f, y), damping);
    return { residual, curvature: undefined, damping: 0 };
  }
  if (fisher.curvature === "none" || !loss.curvature) {
    return { residual: loss.residual(f, y), curvature: undefined, damping };
  }
  const { factor, residual } = loss.curvature(f, y);
  return { residual: { rows: f.rows, cols: factor.columns, data: residual }, curvature: factor, damping };
}

/**
 * The residual that `fisher` is given at outputs f for any r~ [N K] of a loss with the curvature S there: r~ itself, r = S r~,
 * or (Lambda + rho)^-1 r. What {@link viewOf} does for the r~ of labels.
 */
export function residualFor(
  fisher: Fisher,
  loss: Loss,
  f: Matrix,
  S: CurvatureFactor,
  whitened: Float64Array,
  damping: number,
): Matrix {
  const r = { ...f, data: applyFactor(S, whitened) };
  if (fisher.curvature === "newton") return loss.newton!(f, r, damping);
  return fisher.curvature === "folded" ? { rows: f.rows, cols: S.columns, data: whitened } : r;
}

/** The training kernel in a view. */
export const trainingKernel = (kernel: Kernel, { curvature }: View, options: Stoppable = {}): Kernel =>
  curvature ? whitenKernel(expandOutputs(kernel), curvature, options) : kernel;

/** A cross kernel in a view: plain in its rows. */
export const crossKernel = (kernel: Kernel, { curvature }: View, options: Stoppable = {}): Kernel =>
  curvature ? whitenColumns(expandOutputs(kernel), curvature, options) : kernel;

/** Coefficients for S^T Delta as coefficients for Delta. */
export function onPlainSignals(coefficients: Coefficients, { curvature }: View): Coefficients {
  if (!curvature) return coefficients;
  switch (coefficients.kind) {
    case "per-sample":
      return { kind: "per-sample", values: applyFactor(curvature, coefficients.values) };
    case "mixing":
      return { kind: "mixing", matrix: applyFactorRows(curvature, coefficients.matrix) };
    default:
      return coefficients;
  }
}
