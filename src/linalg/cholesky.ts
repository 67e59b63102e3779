/**
 * @file Solves with symmetric positive definite matrices in float64 (LAPACK's potrf and potrs). A matrix that is not
 * numerically positive definite is an error that carries its rank and condition, never a NaN.
 *
 * L is made a block row at a time (block-rows.ts). With W the transpose of what lies left of the diagonal block of row
 * R, its own block of rows j is
 *
 *     W_j = L_jj^-1 (A_Rj^T - L_j W_{rows above j}),   then   L_RR L_RR^T = A_RR - W^T W,
 *
 * which is n^3 / 3 operations, all but the small diagonal blocks in products with a long inner side and a small result:
 * the engine's Gemm at its best. With `overwrite` L takes the place of the matrix and nothing of its size is allocated.
 */
import { breathe } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import type { SingularGramError } from "../error.ts";
import {
  backwardBlockRows,
  forwardBlockRows,
  inverseOfBlockRows,
  multiplyVector,
  solveBlockRows,
  solveVector,
  type FactorRow,
} from "./block-row-solves.ts";
import { cutBlockRows, type BlockRow } from "./block-rows.ts";
import { choleskyBlock, type Pivots } from "./cholesky-block.ts";
import type { InverseSolver } from "./linear-solver.ts";
import { matrix, rowRange, transposeInto, zeros, type Matrix } from "./matrix.ts";
import { accumulate, productInto } from "./product.ts";
import { growth, LARGEST_RANK, roundings, singular } from "./singular.ts";

/** A factored matrix K. */
export type CholeskyFactor = InverseSolver & {
  /** L^-1 B for a matrix B [n, m] (a new matrix), K = L L^T. */
  solveLower(b: Matrix): Promise<Matrix>;
  /** L^-T B for a matrix B [n, m] (a new matrix). */
  solveUpper(b: Matrix): Promise<Matrix>;
  /**
   * Largest over smallest eigenvalue of K scaled to a unit diagonal, estimated from below by a few solves. The relative
   * error of a solution is at most about this times that of the entries; scaling rows and columns of K does not change what
   * Cholesky loses. With `scaled: false` it is the condition of K itself, for entries whose error is relative to the
   * largest of them.
   */
  condition(options?: { scaled?: boolean }): number;
};

/** What {@link factorize} needs to say when it fails, and how it may go about it. */
export type FactorizeOptions = ComputeOptions & {
  /** Name of the matrix in the error. */
  what: string;
  /** Relative error of the entries of the matrix (machine epsilon of whatever computed them). */
  epsilon?: number;
  /** The entries of the matrix are not needed any more: a large factor may take their memory. */
  overwrite?: boolean;
  /** Called with the share of the work that is done, from 0 to 1, after every block column. */
  onProgress?: (fraction: number) => void;
};

/**
 * Rows of a block row: many make faster products, few waste fewer operations around the diagonal. Powers of two are
 * slower: the columns of a block would share their places in the cache.
 */
const blockSize = (n: number): number => (n < 1500 ? 120 : 240);
/** Where the smallest pivot is below this many roundings of the largest, the smallest eigenvalue is estimated as well. */
const SUSPICIOUS = 1e4;

/**
 * Cholesky factor of a symmetric positive definite K [n, n] (its lower triangle is read).
 * @throws SingularGramError when K is not positive definite beyond rounding.
 */
export async function factorize(k: Matrix, options: FactorizeOptions): Promise<CholeskyFactor> {
  const { what, epsilon = 2 ** -52, overwrite = false, onProgress, engine, signal } = options;
  const computing = { engine, signal };
  const n = k.rows;
  // Up to LARGEST_RANK an error reports the rank, which takes the entries; a copy is small at that size.
  const inPlace = overwrite && n > LARGEST_RANK;
  const fail = (extremes: { smallest: number; largest: number }): Promise<SingularGramError> =>
    singular(what, n, inPlace ? undefined : k, epsilon, extremes, computing);
  const pivots = { smallest: Infinity, largest: 0 };
  const scales = Float64Array.from({ length: n }, (_, i) => Math.sqrt(k.data[i * n + i]!));
  const rows = await factorRows(cutBlockRows(k, blockSize(n), inPlace), pivots, computing, onProgress);
  if (!rows) throw await fail(pivots);
  const solve = (b: Float64Array): Float64Array => solveVector(rows, b);
  if (pivots.smallest < SUSPICIOUS * epsilon * pivots.largest) {
    const smallest = 1 / growth(solve, n);
    const largest = growth((v) => multiplyVector(rows, v), n);
    if (smallest < roundings(n, epsilon) * largest) throw await fail({ smallest, largest });
  }
  return {
    size: n,
    rank: n,
    solve,
    solveMatrix: (b) => solveBlockRows(rows, b, computing),
    solveLower: (b) => forwardBlockRows(rows, b, computing),
    solveUpper: (b) => backwardBlockRows(rows, matrix(b.rows, b.cols, b.data.slice()), computing),
    inverse: () => inverseOfBlockRows(rows, n, computing),
    condition({ scaled = true } = {}) {
      const d = scaled ? scales : scales.map(() => 1);
      const inverse = growth((v) => times(d, solve(times(d, v))), n, SOLVES);
      const largest = growth((v) => over(multiplyVector(rows, over(v, d)), d), n, PRODUCTS);
      return Math.max(1, inverse * largest);
    },
  };
}

/** Iterations that estimate the ends of a spectrum. The large end takes fewer: a kernel's largest eigenvalue stands well apart. */
const SOLVES = 3;
const PRODUCTS = 2;

const times = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, i) => x * b[i]!);
const over = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, i) => x / b[i]!);

/** Replaces K by L; undefined at a pivot that is not positive. */
async function factorRows(
  rows: readonly BlockRow[],
  pivots: Pivots,
  options: ComputeOptions,
  onProgress?: (fraction: number) => void,
): Promise<FactorRow[] | undefined> {
  const n = rows.reduce((sum, { size }) => sum + size, 0);
  const width = rows[0]?.size ?? 0;
  const scratch = { turned: new Float64Array(n * width), square: zeros(width, width) };
  const factored: FactorRow[] = [];
  for (const row of rows) {
    await breathe(options.signal);
    const { start, size, left, diagonal } = row;
    if (start > 0) {
      await divideLeft(left, factored, scratch, options);
      await accumulate(diagonal, -1, left, left, { ...options, transB: true });
    }
    const inverse = await choleskyBlock(diagonal, pivots, options);
    if (!inverse) return undefined;
    factored.push({ ...row, inverse });
    onProgress?.(((start + size) / n) ** 3);
  }
  return factored;
}

/** Memory that is used again for every block row: n x width and width x width numbers. */
type Scratch = { readonly turned: Float64Array; readonly square: Matrix };

/** left [size, start] <- left L^-T, with the L of all rows above. */
async function divideLeft(
  left: Matrix,
  above: readonly FactorRow[],
  scratch: Scratch,
  options: ComputeOptions,
): Promise<void> {
  const W = matrix(left.cols, left.rows, scratch.turned.subarray(0, left.data.length));
  transposeInto(W, left);
  for (const { start, size, left: Lj, inverse } of above) {
    await breathe(options.signal);
    const Wj = rowRange(W, start, start + size);
    if (start > 0) await accumulate(Wj, -1, Lj, rowRange(W, 0, start), options);
    // New memory would cost more time than the product.
    const out = matrix(size, left.rows, scratch.square.data.subarray(0, size * left.rows));
    await productInto(out, inverse, Wj, options);
    Wj.data.set(out.data);
  }
  transposeInto(left, W);
}
