/**
 * @file `natgrad/linalg`: dense matrices in float64 or float32, their eigenvalues, solvers with them, and NumPy's files of them as bytes.
 */
export { NotFiniteError, SingularGramError, UnsolvedError, type Fault, type Singularity } from "../error.ts";
export { factorize, factorizeGeneral, pseudoInverse } from "../linalg/checked.ts";
export type { CholeskyFactor, FactorizeOptions } from "../linalg/cholesky.ts";
export type { PseudoInverseOptions } from "../linalg/pseudo-inverse.ts";
export {
  conjugateGradients,
  type CgBreakdown,
  type CgIteration,
  type CgOptions,
  type CgResult,
  type CgState,
  type Operator,
} from "../linalg/conjugate-gradients.ts";
export type { DirectSolver, InverseSolver, LinearSolver } from "../linalg/linear-solver.ts";
export { eigen, spectrum, type Eigen } from "../linalg/eigen.ts";
export { matrix, stackRows, type Floats, type Matrix } from "../linalg/matrix.ts";
export { readNpy, writeNpy, type NpyArray, type NpySource } from "../linalg/npy.ts";
export { readNpz, writeNpz, type NpzReading } from "../linalg/npz.ts";
