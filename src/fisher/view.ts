/**
 * @file What a method sees of a loss at outputs f: a residual, and a kernel into which the curvature is folded.
 */
import { demandDamping, InputError } from "../error.ts";
import { expandOutputs, type Kernel } from "../kernel/kernel.ts";
import { whitenTangent, type Tangent } from "../kernel/tangent.ts";
import {
  applyFactor,
  applyFactorRows,
  whitenColumns,
  whitenKernel,
  type CurvatureFactor,
} from "../kernel/whiten.ts";
import type { Loss } from "../loss/loss.ts";
import type { Matrix } from "../matrix/matrix.ts";
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

/**
 * The view of `fisher` on `loss`.
 * @throws InputError when the method does not exist for the loss, or for a damping that is no number >= 0; RangeError when
 * outputs and labels have different shapes.
 */
export function viewOf(fisher: Fisher, loss: Loss, f: Matrix, y: Matrix, damping: number): View {
  demandDamping(damping);
  if (fisher.newtonResidual) {
    if (!loss.newton) {
      throw new InputError(
        `natural_gradient_type: wanted loss_type cross_entropy with ${fisher.name}, got ${loss.name}`,
      );
    }
    return { residual: loss.newton(f, y, damping), curvature: undefined, damping: 0 };
  }
  if (!fisher.usesCurvature || !loss.curvature) {
    return { residual: loss.residual(f, y), curvature: undefined, damping };
  }
  const { factor, residual } = loss.curvature(f, y);
  return { residual: { rows: f.rows, cols: factor.columns, data: residual }, curvature: factor, damping };
}

/** The training kernel in a view. */
export const trainingKernel = (kernel: Kernel, { curvature }: View): Kernel =>
  curvature ? whitenKernel(expandOutputs(kernel), curvature) : kernel;

/** The NTK of the training samples in a view. */
export const trainingTangent = (tangent: Tangent, { curvature }: View): Tangent =>
  curvature ? whitenTangent(tangent, curvature) : tangent;

/** A cross kernel in a view: plain in its rows. */
export const crossKernel = (kernel: Kernel, { curvature }: View): Kernel =>
  curvature ? whitenColumns(expandOutputs(kernel), curvature) : kernel;

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
