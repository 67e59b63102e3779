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
import { kfac as kfacPlain, kfacExpand as kfacExpandPlain } from "./kfac.ts";
import { unitWise as unitWisePlain } from "./unit-wise.ts";

/**
 * Gradient descent: the step is the gradient itself, and its learning rate must be given.
 * @example
 * import { createEngine, gradient, matrix, mlp, mse, train } from "natgrad";
 *
 * const x = matrix(4, 2, Float64Array.of(1, 0, 0, 1, -1, 0, 0, -1));
 * const y = matrix(4, 1, Float64Array.of(0.5, -0.5, 0.5, -0.5));
 * const data = { xTrain: x, yTrain: y, xTest: x, yTest: y };
 * const engine = await createEngine();
 * const problem = { network: mlp(2, { width: 256, biasVariance: 0.1 }), data, loss: mse, method: gradient };
 * for await (const { network } of train(problem, { engine, steps: 2, learningRate: 0.1 })) console.log(network.trainLoss);
 * await engine.release();
 */
export const gradient: Fisher = guarded(gradientPlain);
/**
 * The whole Fisher matrix; the default learning rate is 1.
 * @example
 * import { createEngine, exact, matrix, mlp, mse, train } from "natgrad";
 *
 * const x = matrix(4, 2, Float64Array.of(1, 0, 0, 1, -1, 0, 0, -1));
 * const y = matrix(4, 1, Float64Array.of(0.5, -0.5, 0.5, -0.5));
 * const data = { xTrain: x, yTrain: y, xTest: x, yTest: y };
 * const engine = await createEngine();
 * const problem = { network: mlp(2, { width: 256, biasVariance: 0.1 }), data, loss: mse, method: exact };
 * for await (const { network } of train(problem, { engine, steps: 2 })) console.log(network.trainLoss);
 * await engine.release();
 */
export const exact: Fisher = guarded(exactPlain);
/**
 * One block of the Fisher matrix per layer.
 * @example
 * import { blockDiagonal } from "natgrad";
 *
 * // Of G = alpha I in the limit of wide networks; the default learning rate is 1 / alpha.
 * console.log(blockDiagonal.alpha({ samples: 100, layers: 3, width: 4096, outputs: 1 })); // 3
 */
export const blockDiagonal: Fisher = guarded(blockDiagonalPlain);
/**
 * The blocks of the Fisher matrix of layers, and of neighbouring layers.
 * @example
 * import { blockTriDiagonal } from "natgrad";
 *
 * // Of G = alpha I in the limit of wide networks; the default learning rate is 1 / alpha.
 * console.log(blockTriDiagonal.alpha({ samples: 100, layers: 3, width: 4096, outputs: 1 })); // 1
 */
export const blockTriDiagonal: Fisher = guarded(blockTriDiagonalPlain);
/**
 * K-FAC: the block of a layer as a Kronecker product of two factors, which are damped.
 * @example
 * import { kfac } from "natgrad";
 *
 * // Of G = alpha I in the limit of wide networks; the default learning rate is 1 / alpha.
 * console.log(kfac.alpha({ samples: 100, layers: 3, width: 4096, outputs: 1 })); // 201
 */
export const kfac: Fisher = guarded(kfacPlain);
export const kfacExpand: Fisher = guarded(kfacExpandPlain);
export const kfacTikhonov: Fisher = guarded(kfacTikhonovPlain);
/**
 * One block of the Fisher matrix per unit.
 * @example
 * import { unitWise } from "natgrad";
 *
 * // Of G = alpha I in the limit of wide networks; the default learning rate is 1 / alpha.
 * console.log(unitWise.alpha({ samples: 100, layers: 3, width: 4096, outputs: 1 })); // 4097
 */
export const unitWise: Fisher = guarded(unitWisePlain);
export const exactPlusMse: Fisher = guarded(exactPlusMsePlain);

/** Every method; the first is gradient descent, {@link PLAIN}. */
export const FISHERS: readonly Fisher[] = [
  gradient,
  exact,
  blockDiagonal,
  blockTriDiagonal,
  kfac,
  kfacExpand,
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
export type { Cost, CostLayer, CostRows, CostSizes, Memory } from "./cost.ts";
export { bind, type Mover } from "./bind.ts";
export { SINGULAR } from "./fisher.ts";
export { SOLVERS, type Solver } from "./solver.ts";
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
