/**
 * @file `natgrad/linalg`: dense matrices in float64 or float32, their eigenvalues, solvers with them, and NumPy's files of them as bytes.
 */
export { NotFiniteError, SingularGramError, UnsolvedError, type Fault, type Singularity } from "../error.ts";
export { factorize, factorizeGeneral, pseudoInverse } from "../matrix/checked.ts";
export type { CholeskyFactor, FactorizeOptions } from "../matrix/cholesky.ts";
export type { PseudoInverseOptions } from "../matrix/pseudo-inverse.ts";
export {
  conjugateGradients,
  type CgBreakdown,
  type CgIteration,
  type CgOptions,
  type CgResult,
  type CgState,
  type Operator,
} from "../matrix/conjugate-gradients.ts";
export type { DirectSolver, InverseSolver, LinearSolver } from "../matrix/linear-solver.ts";
export { eigen, spectrum, type Eigen } from "../matrix/eigen.ts";
export { matrix, stackRows, type Floats, type Matrix } from "../matrix/matrix.ts";
export { readNpy, writeNpy, type NpyArray, type NpySource } from "../matrix/npy.ts";
export { readNpz, writeNpz, type NpzReading } from "../matrix/npz.ts";
