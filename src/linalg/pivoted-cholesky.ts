/**
 * @file Pivoted Cholesky: a factor F [n, r] with K = F F^T for a positive semidefinite K of known or bounded rank
 * (LAPACK's pstrf; Harbrecht, Peters & Schneider 2012). It reads only the diagonal and r rows of K, so that K may be
 * a function that computes them: the largest entry left on the diagonal of K - F F^T says which row is read next, and their
 * sum, tr(K - F F^T), how good F is.
 *
 * Rows that cost less together are asked for in blocks: those with the most left on the diagonal, or (with `random`)
 * drawn with chances in proportion to it, which avoids blocks of rows that are all alike (RPCholesky: Chen,
 * Epperly, Tropp & Webber, arXiv 2207.06503). What the rows of a block share is taken into account, and
 * a row of which little is left is not used.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import { InputError, NotFiniteError } from "../error.ts";
import { rowRange, transpose, zeros, type Matrix } from "./matrix.ts";
import { accumulate } from "./product.ts";

/** A factor, its rank and its condition. */
export type PivotedCholesky = {
  /** F [n, rank]. */
  readonly factor: Matrix;
  /** Steps taken before the greatest remaining pivot fell to `tolerance` times the first. */
  readonly rank: number;
  /** First pivot over last pivot; Infinity at rank zero. */
  readonly condition: number;
};

/** A positive semidefinite K [n, n] by its diagonal and its rows, which are its columns. */
export type RowSource = {
  readonly diagonal: Float64Array;
  /** Rows of K at these indices [indices, n]; the result is overwritten. */
  rows(indices: readonly number[]): Promise<Matrix> | Matrix;
};

/** Options of {@link partialCholesky}. */
export type PartialCholeskyOptions = ComputeOptions & {
  /** Rows of F^T at most. */
  maxRank: number;
  /** Ends when the greatest remaining pivot falls to this share of the first. */
  tolerance?: number;
  /** Rows asked for at a time. */
  block?: number;
  /** Uniform numbers in [0, 1): draw rows instead of taking those with the most left. */
  random?: () => number;
  /** Called with the rank so far, and the share of the trace of K that is left. */
  onProgress?: (progress: { rank: number; left: number }) => void;
};

/** K = F F^T + rest. */
export type PartialCholesky = {
  /** F^T [rank, n]. */
  readonly factorT: Matrix;
  /** The rows of K that were used, in order. */
  readonly pivots: readonly number[];
  /** First pivot over last pivot; Infinity at rank zero. */
  readonly condition: number;
  /** tr(K - F F^T) / tr K. */
  readonly left: number;
};

/** A row of a block is skipped when the rows before it leave less than this share of its diagonal entry. */
const WORTHWHILE = 0.1;

/** Factors a positive semidefinite K [n, n] in at most `maxRank` steps. */
export async function pivotedCholesky(
  k: Matrix,
  maxRank = k.rows,
  tolerance = 2 ** -52,
  { signal }: Stoppable = {},
): Promise<PivotedCholesky> {
  const n = k.rows;
  const steps = Math.min(n, maxRank);
  const rest = Float64Array.from({ length: n }, (_, i) => k.data[i * n + i]!);
  const rows: Float64Array[] = [];
  const largest = rest.reduce((a, b) => Math.max(a, b), -Infinity);
  let last = largest;
  while (rows.length < steps) {
    const p = greatest(rest);
    if (!(rest[p]! > tolerance * largest)) break;
    last = rest[p]!;
    const row = k.data.slice(p * n, (p + 1) * n);
    for (const earlier of rows) subtractRow(row, earlier, earlier[p]!);
    finishRow(row, rest, p);
    rows.push(row);
    await breathe(signal);
  }
  const factorT = zeros(rows.length, n);
  for (const [j, row] of rows.entries()) factorT.data.set(row, j * n);
  return {
    factor: transpose(factorT),
    rank: rows.length,
    condition: rows.length > 0 ? largest / last : Infinity,
  };
}

/**
 * Factors a K that is known by its rows in at most `maxRank` steps. Memory: F^T and one block of rows.
 * @throws InputError when the diagonal or a row has the wrong size or entries that are not finite.
 */
export async function partialCholesky(
  k: RowSource,
  { maxRank, tolerance = 2 ** -52, block = 1, random, onProgress, engine, signal }: PartialCholeskyOptions,
): Promise<PartialCholesky> {
  const n = k.diagonal.length;
  const rest = k.diagonal.slice();
  if (!rest.every(Number.isFinite))
    throw new NotFiniteError("pivoted Cholesky: wanted finite numbers on the diagonal, got NaN or Infinity");
  const total = sum(rest);
  const largest = rest.reduce((a, b) => Math.max(a, b), 0);
  const steps = Math.min(n, maxRank);
  const F = zeros(steps, n);
  const pivots: number[] = [];
  let last = largest;
  while (pivots.length < steps) {
    const size = Math.min(block, steps - pivots.length);
    const indices = (random ? drawn(rest, size, random) : greatestOf(rest, size)).filter(
      (p) => rest[p]! > tolerance * largest,
    );
    if (indices.length === 0) break;
    const promised = indices.map((p) => rest[p]!);
    const rows = await k.rows(indices);
    if (rows.rows !== indices.length || rows.cols !== n) {
      throw fail(`rows [${indices.length}, ${n}]`, `[${rows.rows}, ${rows.cols}]`);
    }
    if (!rows.data.every(Number.isFinite)) {
      throw new NotFiniteError(
        `pivoted Cholesky: wanted finite rows, got NaN or Infinity in one of ${indices.join(", ")}`,
      );
    }
    await subtractKnown(rows, indices, rowRange(F, 0, pivots.length), { engine, signal });
    const first = pivots.length;
    for (const [b, p] of indices.entries()) {
      await breathe(signal);
      const pivot = rest[p]!;
      if (!(pivot > tolerance * largest) || pivot < WORTHWHILE * promised[b]!) continue;
      const row = F.data.subarray(pivots.length * n, (pivots.length + 1) * n);
      row.set(rows.data.subarray(b * n, (b + 1) * n));
      for (let j = first; j < pivots.length; j++) {
        subtractRow(row, F.data.subarray(j * n, (j + 1) * n), F.data[j * n + p]!);
      }
      finishRow(row, rest, p);
      pivots.push(p);
      last = pivot;
    }
    onProgress?.({ rank: pivots.length, left: share(rest, total) });
  }
  return {
    factorT: rowRange(F, 0, pivots.length),
    pivots,
    condition: pivots.length > 0 ? largest / last : Infinity,
    left: share(rest, total),
  };
}

/** rows -= F[indices] F^T for the F^T [rank, n] so far. */
async function subtractKnown(
  rows: Matrix,
  indices: readonly number[],
  F: Matrix,
  options: ComputeOptions,
): Promise<void> {
  if (F.rows === 0) return;
  const n = F.cols;
  const weights = zeros(indices.length, F.rows);
  for (const [b, p] of indices.entries()) {
    for (let j = 0; j < F.rows; j++) weights.data[b * F.rows + j] = F.data[j * n + p]!;
  }
  await accumulate(rows, -1, weights, F, options);
}

function subtractRow(row: Float64Array, other: Float64Array, weight: number): void {
  for (let i = 0; i < row.length; i++) row[i]! -= weight * other[i]!;
}

/** Row p of what is left of K becomes a row of F^T, and the diagonal loses it. */
function finishRow(row: Float64Array, rest: Float64Array, p: number): void {
  const root = Math.sqrt(rest[p]!);
  for (let i = 0; i < row.length; i++) {
    row[i]! /= root;
    rest[i]! -= row[i]! ** 2;
  }
  rest[p] = 0;
}

function greatest(rest: Float64Array): number {
  let p = 0;
  for (let i = 1; i < rest.length; i++) if (rest[i]! > rest[p]!) p = i;
  return p;
}

/** The indices of the `count` greatest, greatest first. */
function greatestOf(rest: Float64Array, count: number): number[] {
  if (count === 1) return [greatest(rest)];
  const order = Uint32Array.from(rest, (_, i) => i).sort((a, b) => rest[b]! - rest[a]! || a - b);
  return [...order.subarray(0, count)];
}

/** `count` indices without repetition, chances in proportion to what is left. */
function drawn(rest: Float64Array, count: number, random: () => number): number[] {
  const weights = rest.map((x) => Math.max(0, x));
  const picked: number[] = [];
  let total = sum(weights);
  while (picked.length < count && total > 0) {
    let target = random() * total;
    let p = weights.length - 1;
    for (let i = 0; i < weights.length; i++) {
      target -= weights[i]!;
      if (target < 0) {
        p = i;
        break;
      }
    }
    if (!(weights[p]! > 0)) break;
    picked.push(p);
    weights[p] = 0;
    total = sum(weights);
  }
  return picked;
}

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);

const share = (rest: Float64Array, total: number): number =>
  total > 0
    ? Math.max(
        0,
        rest.reduce((a, b) => a + Math.max(0, b), 0),
      ) / total
    : 0;

const fail = (wanted: string, got: string): InputError =>
  new InputError(`pivoted Cholesky: wanted ${wanted}, got ${got}`);
