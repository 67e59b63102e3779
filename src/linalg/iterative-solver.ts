/**
 * @file A solver with a symmetric positive semidefinite A [n, n] that is known by its products A v: conjugate gradients, or where A may be
 * singular and the least of all best x is wanted, the minimal residual method on its range.
 */
import { InputError, UnsolvedError } from "../error.ts";
import { conjugateGradients, type CgOptions, type CgResult, type Operator } from "./conjugate-gradients.ts";
import { leastResidual } from "./least-residual.ts";
import { solveColumns, type LinearSolver } from "./linear-solver.ts";

/** Options of {@link iterativeSolver}. */
export type IterativeOptions = Omit<CgOptions, "start" | "what"> & {
  /** Name of the system in errors. */
  what: string;
  /** Solve for A^+ b: the least-squares solution of least norm. */
  leastNorm?: boolean;
  /** Relative error of the products with A. */
  epsilon?: number;
  /** Called with how each solve ended. */
  onEnd?: (report: IterationReport) => void;
};

/** How an iteration ended. */
export type IterationReport = Pick<CgResult, "iterations" | "relativeResidual" | "converged">;

/** A residual that has grown by this much, more than rounding at any condition explains, shrinks no more. */
const GROWN = 1e10;
/** Relative residual from which on what was found is no solution: less than that of x = 0, by some margin. */
const USABLE = 0.1;

/**
 * A^-1, or A^+ with `leastNorm`. What is found where the iteration ends before it converges is returned if its relative residual is
 * below {@link USABLE}. Rank and condition are unknown to it.
 * @throws InputError for a state to go on from beside `leastNorm`; the solve UnsolvedError.
 */
export function iterativeSolver(apply: Operator, size: number, options: IterativeOptions): LinearSolver {
  const { leastNorm = false, epsilon = 2 ** -52, onEnd, onIteration, state, ...rest } = options;
  const { what } = options;
  if (leastNorm && state) {
    throw new InputError(`${what}: wanted no state to go on from with singular least_norm, got one`);
  }
  const noState = (): never => {
    throw new InputError(`${what}: wanted singular refuse to save a state, got least_norm`);
  };
  const solve = async (b: Float64Array): Promise<Float64Array> => {
    let stopped = false;
    const { x, iterations, relativeResidual, converged } = leastNorm
      ? await leastResidual(apply, b, {
          ...rest,
          epsilon,
          onIteration: async (at) => {
            const answer = await onIteration?.({ ...at, state: noState });
            stopped = answer === "stop";
            return answer;
          },
        })
      : await conjugateGradients(apply, b, {
          ...rest,
          onIteration: async (at) => {
            const answer = await onIteration?.(at);
            stopped = answer === "stop";
            return at.relativeResidual > GROWN ? "stop" : answer;
          },
          ...(state ? { state } : {}),
        });
    onEnd?.({ iterations, relativeResidual, converged });
    // Who stops it decides what to do with it; a least residual is that of a solution that cannot be bettered.
    const usable = converged || relativeResidual < USABLE || leastNorm || stopped;
    if (!usable) throw new UnsolvedError(what, { relativeResidual, iterations });
    return x;
  };
  return {
    size,
    rank: undefined,
    condition: () => undefined,
    solve,
    solveMatrix: (b) => solveColumns(solve, b),
  };
}
