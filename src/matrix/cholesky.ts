/**
 * @file Solves with symmetric positive definite matrices in float64 (LAPACK's potrf and potrs). A matrix that is not
 * numerically positive definite is an error that carries its rank and condition, never a NaN.
 *
 * L is kept in block columns, each a contiguous panel [n - start, size], so that the right-looking updates
 *
 *     A_k -= L_j[rows of k and below] L_j[rows of k]^T
 *
 * are products of contiguous matrices in place: the engine's Gemm does all but the small diagonal blocks.
 */
import { SingularGramError } from "../error.ts";
import { spectrum } from "./eigen.ts";
import { identity, matrix, norm, rowRange, zeros, type Matrix } from "./matrix.ts";
import { pivotedCholesky } from "./pivoted-cholesky.ts";
import { accumulate, product, view } from "./product.ts";

/** A factored matrix K. */
export type Factorization = {
  /** K^-1 b for a vector b [n] (a new vector). */
  solve(b: Float64Array): Float64Array;
  /** K^-1 B for a matrix B [n, m] (a new matrix). */
  solveMatrix(b: Matrix): Promise<Matrix>;
  /** K^-1 [n, n]. */
  inverse(): Promise<Matrix>;
};

/** What {@link factorize} needs to say when it fails. */
export type FactorizeOptions = {
  /** Name of the matrix in the error. */
  what: string;
  /** Relative error of the entries of the matrix (machine epsilon of whatever computed them). */
  epsilon?: number;
};

/** Columns of a panel: diagonal blocks are factored in plain loops, everything else is Gemm. */
const BLOCK = 128;
/** Pivots whose ratio is within this many roundings of zero have their smallest eigenvalue looked at. */
const SUSPICIOUS = 1e4;
/** Iterations of that look. */
const ITERATIONS = 4;
/** Beyond this size an error gives the condition of the pivots instead of that of the eigenvalues, */
const LARGEST_SPECTRUM = 600;
/** and beyond this one no rank. */
const LARGEST_RANK = 2000;

/** A panel of L: rows from `start` on, `size` columns; `inverse` is that of its lower triangular top block. */
type Panel = { readonly start: number; readonly size: number; readonly rows: Matrix; inverse: Matrix };

/**
 * Cholesky factor of a symmetric positive definite K [n, n] (its lower triangle is read).
 * @throws SingularGramError when K is not positive definite beyond rounding.
 */
export async function factorize(
  k: Matrix,
  { what, epsilon = 2 ** -52 }: FactorizeOptions,
): Promise<Factorization> {
  const n = k.rows;
  const panels = cutPanels(k);
  const pivots = { smallest: Infinity, largest: 0 };
  for (const [j, panel] of panels.entries()) {
    const top = rowRange(panel.rows, 0, panel.size);
    if (!choleskyInPlace(top, pivots)) throw await singular(what, k, epsilon, pivots);
    panel.inverse = lowerInverse(top);
    const below = rowRange(panel.rows, panel.size, panel.rows.rows);
    if (below.rows === 0) break;
    below.data.set((await product(below, panel.inverse, { transB: true })).data);
    for (const later of panels.slice(j + 1)) {
      const offset = later.start - panel.start;
      const left = rowRange(panel.rows, offset, panel.rows.rows);
      await accumulate(later.rows, -1, left, rowRange(left, 0, later.size), { transB: true });
    }
  }
  const solve = (b: Float64Array): Float64Array => solveVector(panels, b);
  if (pivots.smallest < SUSPICIOUS * epsilon * pivots.largest) {
    const [smallest, largest] = [smallestEigenvalue(solve, n), largestEigenvalue(k)];
    if (smallest < roundings(n, epsilon) * largest) {
      throw await singular(what, k, epsilon, { smallest, largest });
    }
  }
  const solveMatrix = (b: Matrix): Promise<Matrix> => solvePanels(panels, b);
  return { solve, solveMatrix, inverse: () => solveMatrix(identity(n)) };
}

/** The lower triangle of K in panels; the strict upper triangle of the top blocks is cleared by the factorisation. */
function cutPanels(k: Matrix): Panel[] {
  const n = k.rows;
  const panels: Panel[] = [];
  for (let start = 0; start < n; start += BLOCK) {
    const size = Math.min(BLOCK, n - start);
    const rows = zeros(n - start, size);
    for (let i = 0; i < rows.rows; i++) {
      const from = (start + i) * n + start;
      rows.data.set(k.data.subarray(from, from + size), i * size);
    }
    panels.push({ start, size, rows, inverse: rows });
  }
  return panels;
}

/** Replaces a [b, b] by its Cholesky factor; false at a pivot that is not positive. Notes the squares of pivots. */
function choleskyInPlace(a: Matrix, pivots: { smallest: number; largest: number }): boolean {
  const b = a.rows;
  const { data } = a;
  for (let i = 0; i < b; i++) {
    const row = i * b;
    for (let j = 0; j <= i; j++) {
      let sum = data[row + j]!;
      const other = j * b;
      for (let p = 0; p < j; p++) sum -= data[row + p]! * data[other + p]!;
      if (j < i) {
        data[row + j] = sum / data[other + j]!;
        continue;
      }
      pivots.smallest = Math.min(pivots.smallest, Number.isNaN(sum) ? 0 : sum);
      pivots.largest = Math.max(pivots.largest, sum);
      if (!(sum > 0 && Number.isFinite(sum))) return false;
      data[row + i] = Math.sqrt(sum);
    }
    data.fill(0, row + i + 1, row + b);
  }
  return true;
}

/** The inverse of a lower triangular matrix. */
function lowerInverse(l: Matrix): Matrix {
  const b = l.rows;
  const out = zeros(b, b);
  for (let i = 0; i < b; i++) {
    const row = out.data.subarray(i * b, (i + 1) * b);
    row[i] = 1;
    for (let p = 0; p < i; p++) {
      const weight = l.data[i * b + p]!;
      for (let j = 0; j <= p; j++) row[j]! -= weight * out.data[p * b + j]!;
    }
    for (let j = 0; j <= i; j++) row[j]! /= l.data[i * b + i]!;
  }
  return out;
}

/** L L^T x = b by forward and back substitution, panel by panel. */
function solveVector(panels: readonly Panel[], b: Float64Array): Float64Array {
  const x = b.slice();
  for (const { start, size, rows } of panels) {
    const { data } = rows;
    for (let i = 0; i < rows.rows; i++) {
      let sum = x[start + i]!;
      const known = Math.min(i, size);
      for (let j = 0, at = i * size; j < known; j++, at++) sum -= data[at]! * x[start + j]!;
      x[start + i] = i < size ? sum / data[i * size + i]! : sum;
    }
  }
  for (const { start, size, rows } of panels.toReversed()) {
    const { data } = rows;
    for (let i = rows.rows - 1; i >= 0; i--) {
      if (i < size) x[start + i]! /= data[i * size + i]!;
      const value = x[start + i]!;
      const known = Math.min(i, size);
      for (let j = 0, at = i * size; j < known; j++, at++) x[start + j]! -= data[at]! * value;
    }
  }
  return x;
}

/** The same for many right-hand sides, by products. */
async function solvePanels(panels: readonly Panel[], b: Matrix): Promise<Matrix> {
  const m = b.cols;
  const x = b.data.slice();
  const n = b.rows;
  for (const { start, size, rows, inverse } of panels) {
    const top = view(x, m, start, start + size);
    top.data.set((await product(inverse, top)).data);
    const below = rowRange(rows, size, rows.rows);
    if (below.rows > 0) await accumulate(view(x, m, start + size, n), -1, below, top);
  }
  for (const { start, size, rows, inverse } of panels.toReversed()) {
    const top = view(x, m, start, start + size);
    const below = rowRange(rows, size, rows.rows);
    if (below.rows > 0) await accumulate(top, -1, below, view(x, m, start + size, n), { transA: true });
    top.data.set((await product(inverse, top, { transA: true })).data);
  }
  return matrix(n, m, x);
}

/** Share of the largest eigenvalue that is rounding: of the entries, and of the factorisation in float64. */
const roundings = (n: number, epsilon: number): number => Math.max(4 * epsilon, Math.sqrt(n) * 2 ** -52);

/** An estimate of the smallest eigenvalue from above, by inverse iteration. */
const smallestEigenvalue = (solve: (b: Float64Array) => Float64Array, n: number): number =>
  1 / growth(solve, n);

/** An estimate of the largest eigenvalue from below, by power iteration on the lower triangle. */
function largestEigenvalue({ rows: n, data }: Matrix): number {
  return growth((b) => {
    const out = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const row = i * n;
      let sum = data[row + i]! * b[i]!;
      for (let j = 0; j < i; j++) {
        const x = data[row + j]!;
        sum += x * b[j]!;
        out[j]! += x * b[i]!;
      }
      out[i]! += sum;
    }
    return out;
  }, n);
}

/** By how much a linear map stretches the vector that it stretches most, after a few applications. */
function growth(apply: (b: Float64Array) => Float64Array, n: number): number {
  // A start without symmetry, so that it is orthogonal to no eigenvector that matters.
  let v: Float64Array = Float64Array.from({ length: n }, (_, i) => 1 + Math.sin(1 + i * i));
  let stretched = 0;
  for (let i = 0; i < ITERATIONS; i++) {
    const size = norm(matrix(n, 1, v));
    v = apply(v.map((x) => x / size));
    stretched = norm(matrix(n, 1, v));
  }
  return stretched;
}

/**
 * The error, with rank and condition from the eigenvalues; for a large matrix from its pivots, and from what is known of
 * the extremes.
 */
async function singular(
  what: string,
  k: Matrix,
  epsilon: number,
  extremes: { smallest: number; largest: number },
): Promise<SingularGramError> {
  const size = k.rows;
  const estimate = extremes.smallest > 0 ? extremes.largest / extremes.smallest : Infinity;
  if (!k.data.every(Number.isFinite)) {
    return new SingularGramError({ what, size, rank: undefined, condition: Infinity });
  }
  if (size > LARGEST_SPECTRUM) {
    const rank = size > LARGEST_RANK ? size : pivotedCholesky(k, size, size * epsilon).rank;
    return new SingularGramError({ what, size, rank: rank < size ? rank : undefined, condition: estimate });
  }
  const values = await spectrum(k);
  const largest = Math.max(...values.map(Math.abs));
  // A positive definite matrix is wanted: a negative eigenvalue beyond rounding counts as none.
  const rank = values.filter((x) => x > size * epsilon * largest).length;
  const smallest = Math.min(...values.map(Math.abs));
  return new SingularGramError({ what, size, rank, condition: smallest > 0 ? largest / smallest : Infinity });
}
