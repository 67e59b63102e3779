/**
 * @file Preconditioned conjugate residuals (Stiefel 1955; Saad, Iterative Methods, section 6.8) for A x = b with a symmetric
 * positive semidefinite A [n, n] that may be singular, and a b that need not be in its range:
 *
 *     alpha = z^T A z / (A p)^T M A p,   x += alpha p,   r -= alpha A p,   z = M r,   beta = z'^T A z' / z^T A z,
 *     p = z + beta p,   A p = A z + beta A p,
 *
 * one product with A and one with M each. Where conjugate gradients need a solution and run away without one, the residual
 * here is the least of all on the same space (in the norm of M) and never grows. It ends at the least-squares solution;
 * started from zero, and up to what A maps to nothing, that is A^+ b, as long as M maps the range of A to itself (the
 * identity does, and so do the preconditioners that are made of columns of A).
 */
import { InputError } from "../error.ts";
import {
  checkedOperator,
  checkGoal,
  dot,
  length,
  type CgOptions,
  type Operator,
} from "./conjugate-gradients.ts";

/** Options of {@link conjugateResiduals}. */
export type CrOptions = Pick<CgOptions, "preconditioner" | "tolerance" | "maxIterations" | "what"> & {
  /** Told every iteration. The run stops before the next one if it returns "stop". */
  onIteration?: (progress: {
    iteration: number;
    relativeResidual: number;
  }) => void | "stop" | Promise<void | "stop">;
};

/** What came of a run. */
export type CrResult = {
  readonly x: Float64Array;
  readonly iterations: number;
  /** |b - A x| / |b|, computed anew from x; what of it is left lies outside of the range of A. */
  readonly relativeResidual: number;
  /** Whether |b - A x| <= tolerance |b|, or |A M (b - A x)| <= tolerance |A M b|: nothing in the range is left. */
  readonly converged: boolean;
};

/**
 * The least-squares solution of A x = b.
 * @throws InputError when sizes disagree or the goal is none, NotFiniteError when a product has entries that are not finite.
 */
export async function conjugateResiduals(
  apply: Operator,
  b: Float64Array,
  options: CrOptions = {},
): Promise<CrResult> {
  const {
    preconditioner = (v) => v,
    tolerance = 1e-10,
    maxIterations = 10 * b.length,
    onIteration,
  } = options;
  const { what = "conjugate residuals" } = options;
  const n = b.length;
  checkGoal(what, tolerance, maxIterations);
  const scale = length(b);
  if (!Number.isFinite(scale))
    throw new InputError(`${what}: wanted finite numbers in b, got |b| = ${scale}`);
  const x = new Float64Array(n);
  if (scale === 0) return { x, iterations: 0, relativeResidual: 0, converged: true };
  const times = checkedOperator(apply, n, what, "A v");
  const precondition = checkedOperator(preconditioner, n, what, "M r");

  const r = b.slice();
  let z = (await precondition(r)).slice();
  let Az = await times(z);
  const [p, Ap] = [z.slice(), Az.slice()];
  const goal = tolerance * length(Az);
  let curvature = dot(z, Az);
  let iterations = 0;
  let [done, stop]: [boolean, void | "stop"] = [length(Az) === 0, undefined];
  while (!done && stop !== "stop" && iterations < maxIterations && curvature > 0) {
    const MAp = await precondition(Ap);
    const alpha = curvature / dot(Ap, MAp);
    for (let i = 0; i < n; i++) {
      x[i]! += alpha * p[i]!;
      r[i]! -= alpha * Ap[i]!;
    }
    z = (await precondition(r)).slice();
    Az = await times(z);
    const next = dot(z, Az);
    const beta = next / curvature;
    for (let i = 0; i < n; i++) {
      p[i] = z[i]! + beta * p[i]!;
      Ap[i] = Az[i]! + beta * Ap[i]!;
    }
    curvature = next;
    iterations++;
    done = length(r) <= tolerance * scale || length(Az) <= goal;
    stop = await onIteration?.({ iteration: iterations, relativeResidual: length(r) / scale });
  }
  const Ax = await times(x);
  const relativeResidual = length(b.map((value, i) => value - Ax[i]!)) / scale;
  return { x, iterations, relativeResidual, converged: done };
}
