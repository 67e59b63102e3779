/**
 * @file Solves with a Cholesky factor in block rows (LAPACK's potrs and potri): L L^T x = b for one right-hand side at
 * the speed of memory, for many by products; and K^-1 = L^-T L^-1.
 */
import type { ComputeOptions } from "../engine/compute.ts";
import type { BlockRow } from "./block-rows.ts";
import { matrix, rowRange, setBlock, transpose, transposeInto, zeros, type Matrix } from "./matrix.ts";
import { accumulate, product, productInto } from "./product.ts";
import { addTimes, addTimesTransposed } from "./vector-product.ts";

/** A block row of L, with the inverse of its diagonal block. */
export type FactorRow = BlockRow & { readonly inverse: Matrix };

/** L L^T x = b by forward and back substitution. */
export function solveVector(rows: readonly BlockRow[], b: Float64Array): Float64Array {
  const x = b.slice();
  for (const { start, size, left, diagonal } of rows) {
    const here = x.subarray(start, start + size);
    addTimes(here, -1, left, x);
    forward(diagonal, here);
  }
  for (const { start, size, left, diagonal } of rows.toReversed()) {
    const here = x.subarray(start, start + size);
    backward(diagonal, here);
    addTimesTransposed(x, -1, left, here);
  }
  return x;
}

/** x <- L^-1 x for a small L. */
function forward({ rows, data }: Matrix, x: Float64Array): void {
  for (let i = 0; i < rows; i++) {
    let sum = x[i]!;
    for (let j = 0, at = i * rows; j < i; j++, at++) sum -= data[at]! * x[j]!;
    x[i] = sum / data[i * rows + i]!;
  }
}

/** x <- L^-T x for a small L. */
function backward({ rows, data }: Matrix, x: Float64Array): void {
  for (let i = rows - 1; i >= 0; i--) {
    const value = x[i]! / data[i * rows + i]!;
    x[i] = value;
    for (let j = 0, at = i * rows; j < i; j++, at++) x[j]! -= data[at]! * value;
  }
}

/** L L^T v: the product with the matrix that was factored. */
export function multiplyVector(rows: readonly BlockRow[], v: Float64Array): Float64Array {
  const up = new Float64Array(v.length);
  const out = new Float64Array(v.length);
  for (const { start, size, left, diagonal } of rows) {
    const end = start + size;
    addTimesTransposed(up, 1, left, v.subarray(start, end));
    addTimesTransposed(up.subarray(start, end), 1, diagonal, v.subarray(start, end));
  }
  for (const { start, size, left, diagonal } of rows) {
    const here = out.subarray(start, start + size);
    addTimes(here, 1, left, up);
    addTimes(here, 1, diagonal, up.subarray(start, start + size));
  }
  return out;
}

/** L L^T X = B for B [n, m]. */
export async function solveBlockRows(
  rows: readonly FactorRow[],
  b: Matrix,
  options: ComputeOptions,
): Promise<Matrix> {
  return backwardBlockRows(rows, await forwardBlockRows(rows, b, options), options);
}

/** x <- L^-T x for x [n, m]. */
export async function backwardBlockRows(
  rows: readonly FactorRow[],
  x: Matrix,
  options: ComputeOptions,
): Promise<Matrix> {
  const transposed = { ...options, transA: true };
  for (const { start, size, left, inverse } of rows.toReversed()) {
    const here = rowRange(x, start, start + size);
    here.data.set((await product(inverse, here, transposed)).data);
    if (start > 0) await accumulate(rowRange(x, 0, start), -1, left, here, transposed);
  }
  return x;
}

/** L X = B for B [n, m]. */
export async function forwardBlockRows(
  rows: readonly FactorRow[],
  b: Matrix,
  options: ComputeOptions,
): Promise<Matrix> {
  const x = matrix(b.rows, b.cols, b.data.slice());
  for (const { start, size, left, inverse } of rows) {
    const here = rowRange(x, start, start + size);
    if (start > 0) await accumulate(here, -1, left, rowRange(x, 0, start), options);
    here.data.set((await product(inverse, here, options)).data);
  }
  return x;
}

/** K^-1 [n, n] = L^-T L^-1, one block at a time, each mirrored. */
export async function inverseOfBlockRows(
  rows: readonly FactorRow[],
  n: number,
  options: ComputeOptions,
): Promise<Matrix> {
  const columns = await inverseColumns(rows, n, options);
  const out = zeros(n, n);
  for (const [i, column] of columns.entries()) {
    const { start, size } = rows[i]!;
    // The engine multiplies fastest when neither factor is transposed.
    const across = transpose(column);
    const [square, mirrored] = [zeros(size, columns[0]!.cols), zeros(columns[0]!.cols, size)];
    for (const [j, other] of columns.slice(0, i + 1).entries()) {
      const at = rows[j]!.start;
      const result = i === j ? zeros(size, size) : square;
      await productInto(result, across, rowRange(other, start - at, other.rows), options);
      setBlock(out, start, at, result);
      if (i !== j) setBlock(out, at, start, transposeInto(mirrored, result));
    }
  }
  return out;
}

/** M = L^-1 in block columns, each [n - start, size] from its diagonal down: M_Rj = -L_RR^-1 sum_i L_Ri M_ij. */
async function inverseColumns(
  rows: readonly FactorRow[],
  n: number,
  options: ComputeOptions,
): Promise<Matrix[]> {
  const columns: Matrix[] = [];
  for (const { start, size, left, inverse } of rows) {
    const turned = zeros(start, size);
    transposeInto(turned, left);
    for (const [j, column] of columns.entries()) {
      const from = rows[j]!.start;
      const sum = await product(rowRange(turned, from, start), rowRange(column, 0, start - from), {
        ...options,
        transA: true,
      });
      const target = rowRange(column, start - from, start - from + size);
      await accumulate(target, -1, inverse, sum, options);
    }
    const own = zeros(n - start, size);
    own.data.set(inverse.data);
    columns.push(own);
  }
  return columns;
}
