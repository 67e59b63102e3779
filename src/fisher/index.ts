/**
 * @file The list of methods. A new one is a file beside this and a line here.
 */
import { blockDiagonal } from "./block-diagonal.ts";
import { blockTriDiagonal } from "./block-tri-diagonal.ts";
import { exactPlusMse } from "./exact-plus-mse.ts";
import { exact } from "./exact.ts";
import type { Fisher } from "./fisher.ts";
import { gradient } from "./gradient.ts";
import { kfacTikhonov } from "./kfac-tikhonov.ts";
import { kfac } from "./kfac.ts";
import { unitWise } from "./unit-wise.ts";

/** Every method by name; "gradient" is what the command line calls by leaving natural_gradient_type out. */
export const FISHERS: readonly Fisher[] = [
  gradient,
  exact,
  blockDiagonal,
  blockTriDiagonal,
  kfac,
  kfacTikhonov,
  unitWise,
  exactPlusMse,
];

export { blockDiagonal, blockTriDiagonal, exact, exactPlusMse, gradient, kfac, kfacTikhonov, unitWise };
export { defaultRank } from "./matrix-free.ts";
export { bind, type Mover } from "./bind.ts";
export { SINGULAR } from "./fisher.ts";
export type {
  Coefficients,
  Fisher,
  Inversion,
  InvertOptions,
  NetworkSolve,
  Preconditioner,
  Propagator,
  Shape,
  Singular,
  SolveReport,
  Solver,
  SolverOptions,
} from "./fisher.ts";
export { crossKernel, onPlainSignals, trainingKernel, trainingTangent, viewOf, type View } from "./view.ts";
