/**
 * @file Solves with general square matrices in float64, by LU with partial pivoting (LAPACK's getrf and getrs;
 * numpy.linalg.solve). The matrix is cut into block columns; with P_j, L_j and U_j those of column j,
 *
 *     A_J <- P_j A_J,   U_jJ = L_jj^-1 A_jJ,   A_J -= L_j[rows below j] U_jJ,   for all j < J,
 *
 * after which what is left of A_J below the diagonal is factored by halves (Toledo 1997). Right-hand sides go the same
 * way. All but narrow columns and small triangles is done by the engine's Gemm.
 */
import { breathe } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import { SingularGramError } from "../error.ts";
import type { LinearSolver } from "./linear-solver.ts";
import { block, matrix, rowRange, setBlock, type Matrix } from "./matrix.ts";
import { accumulate } from "./product.ts";

/** A block column [n, size]: U above, L below, and the rows that changed places: start + i with start + swaps[i]. */
type Column = {
  readonly start: number;
  readonly size: number;
  readonly rows: Matrix;
  readonly swaps: readonly number[];
};

/** Columns of a block. */
const blockSize = (n: number): number => (n < 3000 ? 128 : 256);
/** Columns that are factored, and rows that are solved for, in plain loops. */
const NARROW = 16;
const SHORT = 32;

/**
 * P A = L U for A [n, n].
 * @param what what an error calls the matrix
 * @throws SingularGramError when a pivot is not finite, or no more than rounding of the largest; its condition is the ratio of pivots.
 */
export async function factorizeGeneral(
  a: Matrix,
  what: string,
  options: ComputeOptions = {},
): Promise<LinearSolver> {
  const { signal } = options;
  const n = a.rows;
  const columns: Column[] = [];
  const width = blockSize(n);
  let [smallest, largest] = [Infinity, 0];
  const fail = (): SingularGramError => {
    const condition = largest / smallest;
    // Also true where the ratio is NaN: 0 / 0, or a pivot that is no number.
    return new SingularGramError({
      what,
      size: n,
      rank: undefined,
      condition: Number.isNaN(condition) ? Infinity : condition,
    });
  };
  for (let start = 0; start < n; start += width) {
    const size = Math.min(width, n - start);
    const rows = block(a, 0, n, start, start + size);
    for (const earlier of columns) {
      await breathe(signal);
      await eliminate(earlier, rows, options);
    }
    const active = rowRange(rows, start, n);
    const swaps = await factorColumn(active, options);
    for (let i = 0; i < size; i++) {
      const pivot = Math.abs(active.data[i * size + i]!);
      smallest = pivot < smallest ? pivot : smallest;
      largest = Math.max(largest, pivot);
    }
    if (!swaps) throw fail();
    columns.push({ start, size, rows, swaps });
  }
  if (smallest < Math.sqrt(n) * 2 ** -52 * largest) throw fail();
  const solveMatrix = async (b: Matrix): Promise<Matrix> => {
    const x = matrix(n, b.cols, b.data.slice());
    for (const column of columns) {
      await breathe(signal);
      await eliminate(column, x, options);
    }
    for (const { start, size, rows } of columns.toReversed()) {
      await breathe(signal);
      const here = rowRange(x, start, start + size);
      await upperSolve(rowRange(rows, start, start + size), here, options);
      if (start > 0) await accumulate(rowRange(x, 0, start), -1, rowRange(rows, 0, start), here, options);
    }
    if (!x.data.every(Number.isFinite)) throw fail();
    return x;
  };
  return {
    size: n,
    rank: n,
    // The condition of the pivots.
    condition: () => largest / smallest,
    solve: async (b) => (await solveMatrix(matrix(n, 1, b))).data,
    solveMatrix,
  };
}

/** Applies a block column to the columns on its right: exchanges their rows, then subtracts L_j times its rows of U. */
async function eliminate(
  { start, size, rows, swaps }: Column,
  target: Matrix,
  options: ComputeOptions,
): Promise<void> {
  const active = rowRange(target, start, target.rows);
  swapRows(active, swaps);
  const top = rowRange(active, 0, size);
  await unitLowerSolve(rowRange(rows, start, start + size), top, options);
  const below = rowRange(active, size, active.rows);
  if (below.rows > 0) await accumulate(below, -1, rowRange(rows, start + size, rows.rows), top, options);
}

/** Replaces a [m, w] by its L and U, by halves; the rows that changed places, or undefined at a zero pivot. */
async function factorColumn(a: Matrix, options: ComputeOptions): Promise<number[] | undefined> {
  const { rows: m, cols: w } = a;
  if (w <= NARROW) return factorNarrow(a);
  const half = w >> 1;
  const left = block(a, 0, m, 0, half);
  const right = block(a, 0, m, half, w);
  const first = await factorColumn(left, options);
  if (!first) return undefined;
  swapRows(right, first);
  const top = rowRange(right, 0, half);
  const below = rowRange(right, half, m);
  await unitLowerSolve(rowRange(left, 0, half), top, options);
  if (m > half) await accumulate(below, -1, rowRange(left, half, m), top, options);
  const second = await factorColumn(below, options);
  if (!second) return undefined;
  swapRows(rowRange(left, half, m), second);
  setBlock(a, 0, 0, left);
  setBlock(a, 0, half, right);
  return [...first, ...second.map((row) => row + half)];
}

function factorNarrow({ rows: m, cols: w, data }: Matrix): number[] | undefined {
  const swaps: number[] = [];
  for (let c = 0; c < w; c++) {
    let p = c;
    for (let i = c + 1; i < m; i++) if (Math.abs(data[i * w + c]!) > Math.abs(data[p * w + c]!)) p = i;
    const pivot = data[p * w + c]!;
    if (pivot === 0 || !Number.isFinite(pivot)) return undefined;
    swaps.push(p);
    swap(data, w, p, c);
    for (let i = c + 1; i < m; i++) {
      const row = i * w;
      const weight = data[row + c]! / pivot;
      data[row + c] = weight;
      for (let j = c + 1; j < w; j++) data[row + j]! -= weight * data[c * w + j]!;
    }
  }
  return swaps;
}

/** x <- L^-1 x for x [b, m] and the L, with ones on its diagonal, in the lower triangle of `l` [b, b]. */
async function unitLowerSolve(l: Matrix, x: Matrix, options: ComputeOptions): Promise<void> {
  const b = l.rows;
  if (b > SHORT) {
    const half = b >> 1;
    const [top, below] = [rowRange(x, 0, half), rowRange(x, half, b)];
    await unitLowerSolve(block(l, 0, half, 0, half), top, options);
    await accumulate(below, -1, block(l, half, b, 0, half), top, options);
    await unitLowerSolve(block(l, half, b, half, b), below, options);
    return;
  }
  for (let i = 1; i < b; i++) for (let k = 0; k < i; k++) subtractRow(x, i, k, l.data[i * b + k]!);
}

/** x <- U^-1 x for x [b, m] and the U in the upper triangle of `u` [b, b]. */
export async function upperSolve(u: Matrix, x: Matrix, options: ComputeOptions): Promise<void> {
  const b = u.rows;
  if (b > SHORT) {
    const half = b >> 1;
    const [top, below] = [rowRange(x, 0, half), rowRange(x, half, b)];
    await upperSolve(block(u, half, b, half, b), below, options);
    await accumulate(top, -1, block(u, 0, half, half, b), below, options);
    await upperSolve(block(u, 0, half, 0, half), top, options);
    return;
  }
  for (let i = b - 1; i >= 0; i--) {
    for (let k = i + 1; k < b; k++) subtractRow(x, i, k, u.data[i * b + k]!);
    const pivot = u.data[i * b + i]!;
    for (let c = i * x.cols; c < (i + 1) * x.cols; c++) x.data[c]! /= pivot;
  }
}

/** Row i of x loses `weight` times row k. */
function subtractRow({ cols, data }: Matrix, i: number, k: number, weight: number): void {
  for (let c = 0, to = i * cols, from = k * cols; c < cols; c++) data[to + c]! -= weight * data[from + c]!;
}

function swapRows({ cols, data }: Matrix, swaps: readonly number[]): void {
  for (const [i, p] of swaps.entries()) swap(data, cols, p, i);
}

function swap(data: Float64Array, cols: number, a: number, b: number): void {
  if (a === b) return;
  for (let k = 0; k < cols; k++) {
    const kept = data[a * cols + k]!;
    data[a * cols + k] = data[b * cols + k]!;
    data[b * cols + k] = kept;
  }
}
