/**
 * @file The Forster transform, or radial isotropic position: the linear map A for which the samples x → Ax/|Ax| have
 * an isotropic second moment, (1/N) Σ_n x_n x_nᵀ = (1/r) P, P the projector on the span of the samples, r its
 * dimension.
 *
 * With N ≤ M linearly independent samples r = N and the transformed samples are orthonormal: X Xᵀ = I_N, which is
 * what K-FAC's isotropic condition asks of the input Gram (arXiv 2010.00879). With N > M it is the position of
 * Forster (2002), reached by the fixed point of Tyler (1987): whiten, put every sample back on the sphere, repeat.
 * A is unique up to a factor and a rotation of its image. natgrad takes the symmetric positive definite one, so that samples that
 * are isotropic already stay where they are. The map is fitted on training samples and moves any other by the same A;
 * what a sample has outside the span of the training samples is lost.
 */
import type { ComputeOptions } from "../engine/compute.ts";
import { InputError, demand, demandWhole } from "../error.ts";
import { eigen } from "../linalg/eigen.ts";
import { identity, type Matrix, zeros } from "../linalg/matrix.ts";
import { product } from "../linalg/product.ts";
import type { Dataset } from "./dataset.ts";
import { normaliseRows } from "./normalise.ts";
import { cholesky, distanceFromIdentity, divideRows, secondMoment, toSphere } from "./whiten.ts";

/** A = basis · core · basisᵀ, of rank r. */
export type ForsterMap = {
  /** [M, r], orthonormal columns that span the training samples */
  readonly basis: Matrix;
  /** [r, r], symmetric positive definite */
  readonly core: Matrix;
  /** How far the transformed training samples are from isotropy, ‖(r/N) Σ x xᵀ − P‖_F / √r. */
  readonly deviation: number;
  readonly iterations: number;
};

/** When to stop: after so many iterations at most, and when the deviation from isotropy is so small. */
export type ForsterOptions = ComputeOptions & { readonly iterations?: number; readonly tolerance?: number };

/** A dataset with both splits moved by the map fitted on the training split; every sample has norm 1. */
export async function forsterTransform(dataset: Dataset, options: ForsterOptions = {}): Promise<Dataset> {
  const { engine, signal } = options;
  const map = await fitForster(dataset.xTrain, options);
  // What it makes of an image is none: its numbers are no pixels.
  const { sample: _, ...rest } = dataset;
  const moved = (x: Matrix, which: string): Promise<Matrix> =>
    applyForster(map, x, `forster_transform (${which} samples)`, { engine, signal });
  return {
    ...rest,
    xTrain: await moved(dataset.xTrain, "training"),
    xTest: await moved(dataset.xTest, "test"),
  };
}

/**
 * Fits the map to samples [N, M].
 * @throws InputError when N ≤ M samples are linearly dependent, or the deviation stays above the tolerance.
 */
export async function fitForster(
  x: Matrix,
  { iterations = 100, tolerance = 1e-3, ...options }: ForsterOptions = {},
): Promise<ForsterMap> {
  demandWhole("iterations", iterations, 0);
  demand(tolerance > 0 && tolerance < Infinity, "tolerance", "a finite number above 0", tolerance);
  const { basis, scales } = await span(x, options);
  const { signal } = options;
  const r = basis.cols;
  // z = x W in the span's coordinates, from the start that whitens them.
  const w = scaleColumns(identity(r), scales);
  const z = scaleColumns(await product(x, basis, options), scales);
  if (x.rows > r) checkPosition(z);
  for (let iteration = 0; ; iteration++) {
    toSphere(z);
    const moment = await secondMoment(z, signal);
    const deviation = distanceFromIdentity(moment);
    if (deviation <= tolerance) {
      return {
        basis,
        core: await squareRoot(await product(w, w, { ...options, transB: true }), options),
        deviation,
        iterations: iteration,
      };
    }
    if (iteration >= iterations || !Number.isFinite(deviation)) {
      throw new InputError(
        `forsterTransform: wanted a deviation from isotropy of at most ${tolerance} within ${iterations} ` +
          `iterations, got ${deviation.toPrecision(3)} (raise iterations or tolerance)`,
      );
    }
    const lower = await cholesky(moment, signal);
    await divideRows(z, lower, signal);
    await divideRows(w, lower, signal);
  }
}

/**
 * Ax/|Ax| for every row of x [N, M].
 * @throws InputError naming a sample that is orthogonal to every training sample.
 */
export async function applyForster(
  { basis, core }: ForsterMap,
  x: Matrix,
  what: string,
  options: ComputeOptions = {},
): Promise<Matrix> {
  const inSpan = await product(await product(x, basis, options), core, options);
  return normaliseRows(await product(inSpan, basis, { ...options, transB: true }), what);
}

/** An orthonormal basis [M, r] of the rows of x, and 1 / (singular value) along each of its columns. */
async function span(x: Matrix, options: ComputeOptions): Promise<{ basis: Matrix; scales: Float64Array }> {
  const wide = x.rows <= x.cols;
  const gram = await product(x, x, { ...options, ...(wide ? { transB: true } : { transA: true }) });
  const { values, vectors } = await eigen(gram, options);
  const n = values.length;
  const least = Math.max(x.rows, x.cols) * 2 ** -52 * Math.max(...values);
  const kept = [...values.keys()].filter((k) => values[k]! > least);
  if (wide && kept.length < n) {
    throw new InputError(
      `forsterTransform: wanted ${n} linearly independent training samples, got rank ${kept.length}`,
    );
  }
  const scales = Float64Array.from(kept, (k) => 1 / Math.sqrt(values[k]!));
  const columns = zeros(n, kept.length);
  for (let i = 0; i < n; i++) {
    for (const [j, k] of kept.entries()) columns.data[i * kept.length + j] = vectors.data[i * n + k]!;
  }
  // The Gram's eigenvectors are the left singular vectors U: V = Xᵀ U / s.
  return {
    basis: wide ? scaleColumns(await product(x, columns, { ...options, transA: true }), scales) : columns,
    scales,
  };
}

/**
 * No map exists when N > r and one direction belongs to one sample alone: N − 1 samples then lie in r − 1 dimensions,
 * more than isotropy allows. Such a sample has leverage 1, the squared norm of its whitened row.
 */
function checkPosition({ rows, cols, data }: Matrix): void {
  for (let n = 0; n < rows; n++) {
    let leverage = 0;
    for (const value of data.subarray(n * cols, (n + 1) * cols)) leverage += value * value;
    if (leverage > 1 - 1e-9) {
      throw new InputError(
        `forsterTransform: wanted more than one training sample in every direction (${rows} samples of rank ` +
          `${cols}), got one that only sample ${n} has; take fewer samples`,
      );
    }
  }
}

/** Multiplies column j by `factors[j]` in place. */
function scaleColumns(a: Matrix, factors: Float64Array): Matrix {
  for (let i = 0; i < a.data.length; i++) a.data[i]! *= factors[i % a.cols]!;
  return a;
}

/** The symmetric positive square root, with largest eigenvalue 1. */
async function squareRoot(k: Matrix, options: ComputeOptions): Promise<Matrix> {
  const { values, vectors } = await eigen(k, options);
  const largest = Math.max(...values);
  const roots = values.map((value) => Math.sqrt(Math.max(value, 0) / largest));
  const scaled = scaleColumns({ ...vectors, data: vectors.data.slice() }, roots);
  return product(scaled, vectors, { ...options, transB: true });
}
