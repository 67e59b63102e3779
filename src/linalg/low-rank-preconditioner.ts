/**
 * @file Preconditioners for K + mu I from a K = F F^T + rest of low rank r, by Woodbury's identity:
 *
 *     (F F^T + shift I)^-1 v = (v - F (F^T F + shift I)^-1 F^T v) / shift,
 *
 * in O(n r) operations and the memory of F^T [r, n], which may be kept in float32: all arithmetic is float64, so that
 * the preconditioner is symmetric positive definite whatever F has become by rounding.
 *
 * F is a partial Cholesky factor (pivoted-cholesky.ts) with shift = mu, or comes from Nystrom's approximation
 * C W^+ C^T with C = K[:, S] and W = K[S, S] in the form of Frangella, Tropp & Udell (arXiv 2110.02820, section 5): with its
 * eigenvectors U and eigenvalues lambda_1 >= ... >= lambda_r,
 *
 *     M = (lambda_r + mu) U (Lambda + mu)^-1 U^T + (I - U U^T)
 *       = (lambda_r + mu) (F F^T + (lambda_r + mu) I)^-1   with F = U (Lambda - lambda_r)^(1/2),
 *
 * which takes K outside of the range of U to be lambda_r; the partial Cholesky factor takes it to be zero.
 */
import { breathe } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import { InputError } from "../error.ts";
import { factorize } from "./cholesky.ts";
import { eigen } from "./eigen.ts";
import { solveColumns, type DirectSolver } from "./linear-solver.ts";
import { addDiagonal, matrix, trace, zeros, type Floats, type Matrix } from "./matrix.ts";
import { accumulate, product } from "./product.ts";
import { growth } from "./singular.ts";
import { addTimes, addTimesTransposed } from "./vector-product.ts";

/** M = (F F^T + shift I)^-1. */
export type LowRankSolver = DirectSolver & {
  /** Rank of F. */
  readonly factorRank: number;
  /** The eigenvalue that M^-1 has outside of the range of F. */
  readonly shift: number;
};

/** How F^T is kept. */
export type PreconditionerOptions = ComputeOptions & {
  /** "float32" halves the memory of F^T. */
  storage?: "float32" | "float64";
};

/** Columns of F^T that are widened to float64 and multiplied at a time. */
const STRIP = 4096;
/** W is shifted by this share of its trace, so that it has a Cholesky factor. */
const CORE_SHIFT = 2 ** -46;

/**
 * v to (F F^T + mu I)^-1 v.
 * @param factorT F^T [r, n], of `partialCholesky`
 * @throws InputError when mu is not positive.
 */
export async function woodburyPreconditioner(
  factorT: Matrix<Floats>,
  mu: number,
  { storage = "float64", ...options }: PreconditionerOptions = {},
): Promise<LowRankSolver> {
  if (!(mu > 0 && Number.isFinite(mu))) {
    throw new InputError(`preconditioner: wanted a shift above 0, got ${mu}`);
  }
  const F = storage === "float32" ? narrow(factorT) : factorT;
  const core = addDiagonal(await gramOf(F, options), mu);
  const { solve } = await factorize(core, { ...options, what: "preconditioner: core" });
  const n = F.cols;
  const solveBoth = (v: Float64Array): Float64Array => {
    const inner = new Float64Array(F.rows);
    addTimes(inner, 1, F, v);
    const out = v.slice();
    addTimesTransposed(out, -1, F, solve(inner));
    for (let i = 0; i < out.length; i++) out[i]! /= mu;
    return out;
  };
  /** (F F^T + mu I) v. */
  const multiply = (v: Float64Array): Float64Array => {
    const inner = new Float64Array(F.rows);
    addTimes(inner, 1, F, v);
    const out = v.map((x) => mu * x);
    addTimesTransposed(out, 1, F, inner);
    return out;
  };
  return {
    size: n,
    rank: n,
    factorRank: F.rows,
    shift: mu,
    // F has fewer columns than rows, at least numerically, so that the smallest eigenvalue is mu.
    condition: () => Math.max(1, growth(multiply, n) / mu),
    solve: solveBoth,
    solveMatrix: (b) => solveColumns(solveBoth, b),
  };
}

/**
 * Frangella, Tropp & Udell's preconditioner from landmark rows of K.
 * @param rows K[S, :] [s, n]
 * @param landmarks S, s indices without repetition
 * @throws InputError when sizes disagree or mu is not positive.
 */
export async function nystromPreconditioner(
  rows: Matrix,
  landmarks: readonly number[],
  mu: number,
  { maxRank, ...options }: PreconditionerOptions & { maxRank?: number } = {},
): Promise<LowRankSolver> {
  const { engine, signal } = options;
  const computing = { engine, signal };
  if (rows.rows !== landmarks.length || new Set(landmarks).size !== landmarks.length) {
    throw new InputError(
      `preconditioner: wanted ${rows.rows} landmarks without repetition, got ${new Set(landmarks).size}`,
    );
  }
  const core = selectColumns(rows, landmarks);
  const nu = CORE_SHIFT * trace(core);
  const { solveLower } = await factorize(addDiagonal(core, nu), {
    ...computing,
    what: "preconditioner: landmarks",
  });
  // B = C L^-T, so that B B^T = C (W + nu)^-1 C^T.
  const BT = await solveLower(rows);
  const { values, vectors } = await eigen(await gramOf(BT, computing), computing);
  const r = Math.min(maxRank ?? values.length, values.length);
  const kept = values.subarray(values.length - r);
  // lambda = sigma^2 - nu, not below zero.
  const smallest = Math.max(0, (kept[0] ?? 0) - nu);
  const weights = zeros(r, values.length);
  for (let i = 0; i < r; i++) {
    const sigma2 = kept[i]!;
    const weight = sigma2 > 0 ? Math.sqrt(Math.max(0, sigma2 - nu - smallest) / sigma2) : 0;
    for (let j = 0; j < values.length; j++) {
      weights.data[i * values.length + j] = weight * vectors.data[j * values.length + values.length - r + i]!;
    }
  }
  return woodburyPreconditioner(await product(weights, BT, computing), smallest + mu, options);
}

/** F^T F [r, r], one strip of columns at a time, so that only a strip of float32 is widened to float64. */
async function gramOf(F: Matrix<Floats>, options: ComputeOptions): Promise<Matrix> {
  const out = zeros(F.rows, F.rows);
  for (let from = 0; from < F.cols; from += STRIP) {
    await breathe(options.signal);
    const width = Math.min(STRIP, F.cols - from);
    const strip = zeros(F.rows, width);
    for (let i = 0; i < F.rows; i++) {
      const start = i * F.cols + from;
      strip.data.set(F.data.subarray(start, start + width), i * width);
    }
    await accumulate(out, 1, strip, strip, { ...options, transB: true });
  }
  return out;
}

function selectColumns(a: Matrix, columns: readonly number[]): Matrix {
  const out = zeros(a.rows, columns.length);
  for (let i = 0; i < a.rows; i++) {
    for (const [j, column] of columns.entries()) out.data[i * out.cols + j] = a.data[i * a.cols + column]!;
  }
  return out;
}

const narrow = (a: Matrix<Floats>): Matrix<Floats> => matrix(a.rows, a.cols, new Float32Array(a.data));
