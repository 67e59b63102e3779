/**
 * @file A solver of A x = b with a symmetric positive semidefinite A [n, n] that is known only by its products A v: conjugate gradients,
 * or, for the least-squares solution of least norm where A may be singular, the minimal residual method on the range of A.
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

/** An iteration ends when its residual has grown by this much: rounding does not explain that at any condition, and it will not shrink again. */
const GROWN = 1e10;
/** What was found is a solution where its relative residual is below this; that of x = 0 is 1. */
const USABLE = 0.1;

/**
 * A solver with A^-1, or A^+ with `leastNorm`. An iteration that ends before it converges returns what it found if the relative residual
 * of that is below {@link USABLE}. Rank and condition are unknown.
 * @throws InputError for a `state` beside `leastNorm`; its `solve` throws UnsolvedError where nothing usable was found.
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
    // A caller who stops the iteration judges the result; of a least residual there is no better result.
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
