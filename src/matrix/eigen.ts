/**
 * @file Eigenvalues and eigenvectors of symmetric matrices (numpy.linalg.eigh), by ml-matrix, which is loaded when
 * first needed.
 */
import { InputError } from "../error.ts";
import { matrix, type Matrix } from "./matrix.ts";

/** K = V diag(values) V^T: values ascending, eigenvectors in the columns of `vectors` [n, n]. */
export type Eigen = { readonly values: Float64Array; readonly vectors: Matrix };

/** Decomposes a symmetric K [n, n]. */
export async function eigen(k: Matrix): Promise<Eigen> {
  if (!k.data.every(Number.isFinite)) {
    throw new InputError("eigen: wanted finite numbers, got NaN or Infinity in the matrix");
  }
  const { EigenvalueDecomposition, Matrix: MlMatrix } = await import("ml-matrix");
  const decomposition = new EigenvalueDecomposition(MlMatrix.from1DArray(k.rows, k.rows, k.data), {
    assumeSymmetric: true,
  });
  const vectors = Float64Array.from(decomposition.eigenvectorMatrix.to1DArray());
  return {
    values: Float64Array.from(decomposition.realEigenvalues),
    vectors: matrix(k.rows, k.rows, vectors),
  };
}

/** Eigenvalues of a symmetric K, ascending. */
export const spectrum = async (k: Matrix): Promise<Float64Array> => (await eigen(k)).values.slice().sort();
