/**
 * @file The list of methods. A new one is a file beside this and two lines here.
 */
import { demandName } from "../error.ts";
import { blockDiagonal as blockDiagonalPlain } from "./block-diagonal.ts";
import { blockTriDiagonal as blockTriDiagonalPlain } from "./block-tri-diagonal.ts";
import { exactPlusMse as exactPlusMsePlain } from "./exact-plus-mse.ts";
import { exact as exactPlain } from "./exact.ts";
import type { Fisher } from "./fisher.ts";
import { gradient as gradientPlain } from "./gradient.ts";
import { guarded } from "./guard.ts";
import { kfacTikhonov as kfacTikhonovPlain } from "./kfac-tikhonov.ts";
import { kfac as kfacPlain } from "./kfac.ts";
import { unitWise as unitWisePlain } from "./unit-wise.ts";

export const gradient: Fisher = guarded(gradientPlain);
export const exact: Fisher = guarded(exactPlain);
export const blockDiagonal: Fisher = guarded(blockDiagonalPlain);
export const blockTriDiagonal: Fisher = guarded(blockTriDiagonalPlain);
export const kfac: Fisher = guarded(kfacPlain);
export const kfacTikhonov: Fisher = guarded(kfacTikhonovPlain);
export const unitWise: Fisher = guarded(unitWisePlain);
export const exactPlusMse: Fisher = guarded(exactPlusMsePlain);

/** Every method; the first is gradient descent, {@link PLAIN}. */
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

/** The method without a Fisher matrix: the one that is meant where none is named. */
export const PLAIN: Fisher = gradient;

/** All others. */
export const NATURAL_GRADIENTS: readonly Fisher[] = FISHERS.filter((fisher) => fisher !== PLAIN);

/**
 * The method of a name; without one {@link PLAIN}.
 * @throws InputError where there is none.
 */
export function fisherNamed(name: string = PLAIN.name): Fisher {
  const names = FISHERS.map((fisher) => fisher.name);
  demandName("method", names, name);
  return FISHERS[names.indexOf(name)]!;
}

export { defaultRank } from "./matrix-free.ts";
export { eigenBytes, matrixBytes } from "./cost.ts";
export type { Cost, CostRows, CostSizes, Memory } from "./cost.ts";
export { bind, type Mover } from "./bind.ts";
export { SINGULAR, SOLVERS } from "./fisher.ts";
export type {
  Coefficients,
  Fisher,
  Inversion,
  InvertOptions,
  Prepared,
  PrepareOptions,
  Propagator,
  Shape,
  Singular,
  SolveReport,
  Solver,
  SolverOptions,
} from "./fisher.ts";
export {
  crossKernel,
  existsFor,
  onPlainSignals,
  residualFor,
  trainingKernel,
  viewOf,
  type View,
} from "./view.ts";
