/**
 * @file Eigenvalues and eigenvectors of symmetric matrices (numpy.linalg.eigvalsh and eigh; LAPACK's dsyevd):
 *
 *     K = Q T Q^T,  T = U diag(values) U^T,  V = Q U
 *
 * with a tridiagonal T by Householder's reflections, its eigenvalues by the QL method or, with the vectors, by divide and
 * conquer, and Q U by blocks of reflections. Errors are those of a backward stable method: small against |K|, so that an
 * eigenvalue far below the largest has that many digits less.
 */
import type { ComputeOptions } from "../engine/compute.ts";
import { InputError } from "../error.ts";
import { byQl, divideAndConquer } from "./divide-and-conquer.ts";
import { implicitQl } from "./implicit-ql.ts";
import { identity, scale, transpose, type Matrix } from "./matrix.ts";
import { applyReflectors, applyReflectorsPlainly } from "./reflectors.ts";
import { reduceBlocked } from "./tridiagonal-blocked.ts";
import { reducePlainly, type Tridiagonal } from "./tridiagonal.ts";

/** K = V diag(values) V^T: values ascending, eigenvectors in the columns of `vectors` [n, n]. */
export type Eigen = { readonly values: Float64Array; readonly vectors: Matrix };

/** Sizes below which plain loops are faster, and an engine is not used. */
const SMALL = 64;
/** The smallest normal float64: smaller numbers have fewer digits. */
const NORMAL = 2 ** -1022;
/** Brings every smaller number back to full digits. */
const LIFT = 2 ** 64;

/**
 * Decomposes a symmetric K [n, n], of which the lower triangle is read, in some 7 n^3 operations and 6 n^2 numbers of
 * memory beside K and V.
 * @throws InputError when K is not square or has entries that are not finite.
 */
export async function eigen(k: Matrix, options: ComputeOptions = {}): Promise<Eigen> {
  const scaling = scalingOf(k);
  if (!scaling) return { values: new Float64Array(k.rows), vectors: identity(k.rows) };
  const { diagonal, offDiagonal, reflectors } = await reduce(scaling, true, options);
  const small = k.rows < SMALL;
  const { values, rows } = small
    ? await byQl(diagonal, offDiagonal, options)
    : await divideAndConquer(diagonal, offDiagonal, options);
  const vectors = transpose(rows);
  if (small) for (const each of reflectors) applyReflectorsPlainly(each, vectors);
  else await applyReflectors(reflectors, vectors, options);
  return { values: scaledBack(values, scaling), vectors };
}

/**
 * Eigenvalues of a symmetric K [n, n], ascending, in 4/3 n^3 operations and n^2 / 2 numbers of memory.
 * @throws InputError as {@link eigen} does.
 */
export async function spectrum(k: Matrix, options: ComputeOptions = {}): Promise<Float64Array> {
  const scaling = scalingOf(k);
  if (!scaling) return new Float64Array(k.rows);
  const { diagonal, offDiagonal } = await reduce(scaling, false, options);
  await implicitQl(diagonal, offDiagonal, undefined, options);
  return scaledBack(diagonal.sort(), scaling);
}

/** Q and T of the scaled matrix; Q only where `vectors` are wanted. */
const reduce = async (
  { source, factor }: Scaling,
  vectors: boolean,
  options: ComputeOptions,
): Promise<Tridiagonal> =>
  source.rows < SMALL
    ? reducePlainly(scale(source, factor))
    : reduceBlocked(source, factor, { ...options, vectors });

/** `factor` times `source` is K times a power of two, so that its largest entry is in [1, 2). */
type Scaling = { readonly source: Matrix; readonly factor: number; readonly lift: number };

/** How to scale K, so that no square over- or underflows; undefined for K = 0. */
function scalingOf(k: Matrix): Scaling | undefined {
  if (k.rows !== k.cols) {
    throw new InputError(`eigen: wanted a square matrix, got ${k.rows} x ${k.cols}`);
  }
  let largest = 0;
  for (let i = 0; i < k.data.length; i++) {
    const size = Math.abs(k.data[i]!);
    if (!(size < Infinity)) {
      throw new InputError("eigen: wanted finite numbers, got NaN or Infinity in the matrix");
    }
    if (size > largest) largest = size;
  }
  if (largest === 0) return undefined;
  const lift = largest < NORMAL ? LIFT : 1;
  const factor = 2 ** -Math.floor(Math.log2(lift * largest));
  return { source: lift === 1 ? k : scale(k, lift), factor, lift };
}

/** The eigenvalues of K from those of the scaled matrix. */
const scaledBack = (values: Float64Array, { factor, lift }: Scaling): Float64Array =>
  values.map((x) => x / factor / lift);

/**
 * How large an eigenvalue of a positive semidefinite matrix may be by rounding alone: the largest one times n roundings of
 * float64 or one `epsilon`, whichever is more; and at least twice what the smallest one lies below zero.
 * @param values all n eigenvalues, ascending
 * @param epsilon relative error of the entries of the matrix
 */
export function roundingOf(values: Float64Array, epsilon: number): number {
  const [smallest = 0, largest = 0] = [values[0], values.at(-1)];
  return Math.max(largest * Math.max(epsilon, values.length * 2 ** -52), -2 * smallest);
}
