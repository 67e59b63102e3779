/**
 * @file `natgrad/linalg`: dense matrices in float64 or float32, their eigenvalues, and NumPy's files of them as bytes.
 */
export { NotFiniteError, SingularGramError, UnsolvedError, type Fault, type Singularity } from "../error.ts";
export type { LinearSolver } from "../matrix/linear-solver.ts";
export { eigen, spectrum, type Eigen } from "../matrix/eigen.ts";
export { matrix, stackRows, type Floats, type Matrix } from "../matrix/matrix.ts";
export { readNpy, writeNpy, type NpyArray, type NpySource } from "../matrix/npy.ts";
export { readNpz, writeNpz, type NpzReading } from "../matrix/npz.ts";
