/**
 * @file Cholesky factor of one small block together with the inverse of that factor, by halves:
 *
 *     [A11      ]   [L11     ] [L11     ]^T            [   L11^-1              ]
 *     [A21  A22 ] = [L21  L22] [L21  L22]   ,   L^-1 = [-L22^-1 L21 L11^-1  L22^-1],
 *
 * with L21 = A21 L11^-T and L22 the factor of A22 - L21 L21^T; plain loops where the halves are small.
 */
import type { ComputeOptions } from "../engine/compute.ts";
import { block, rowRange, setBlock, zeros, type Matrix } from "./matrix.ts";
import { accumulate, product } from "./product.ts";

/** The extremes of the squares of the pivots met so far. */
export type Pivots = { smallest: number; largest: number };

/** Rows up to which plain loops are faster. */
const PLAIN = 64;

/**
 * Replaces a [b, b] by its Cholesky factor L (its lower triangle is read, zeros are written above) and returns L^-1;
 * undefined at a pivot that is not positive.
 */
export async function choleskyBlock(
  a: Matrix,
  pivots: Pivots,
  options: ComputeOptions,
): Promise<Matrix | undefined> {
  const b = a.rows;
  if (b <= PLAIN) return choleskyPlain(a, pivots) ? lowerInverse(a) : undefined;
  const half = Math.ceil(b / 2);
  const first = block(a, 0, half, 0, half);
  const firstInverse = await choleskyBlock(first, pivots, options);
  if (!firstInverse) return undefined;
  const below = await product(block(a, half, b, 0, half), firstInverse, {
    ...options,
    transB: true,
  });
  const second = block(a, half, b, half, b);
  await accumulate(second, -1, below, below, { ...options, transB: true });
  const secondInverse = await choleskyBlock(second, pivots, options);
  if (!secondInverse) return undefined;
  rowRange(a, 0, half).data.fill(0);
  setBlock(a, 0, 0, first);
  setBlock(a, half, 0, below);
  setBlock(a, half, half, second);
  const inverse = zeros(b, b);
  setBlock(inverse, 0, 0, firstInverse);
  setBlock(inverse, half, half, secondInverse);
  const corner = zeros(b - half, half);
  await accumulate(corner, -1, secondInverse, await product(below, firstInverse, options), options);
  setBlock(inverse, half, 0, corner);
  return inverse;
}

/** Right-looking: the column of each pivot is kept apart, so that the rows below are updated in order. */
function choleskyPlain(a: Matrix, pivots: Pivots): boolean {
  const b = a.rows;
  const { data } = a;
  const column = new Float64Array(b);
  for (let p = 0; p < b; p++) {
    const pivot = data[p * b + p]!;
    pivots.smallest = Math.min(pivots.smallest, Number.isNaN(pivot) ? 0 : pivot);
    pivots.largest = Math.max(pivots.largest, pivot);
    if (!(pivot > 0 && Number.isFinite(pivot))) return false;
    const root = Math.sqrt(pivot);
    data[p * b + p] = root;
    data.fill(0, p * b + p + 1, (p + 1) * b);
    for (let i = p + 1; i < b; i++) {
      const row = i * b;
      const weight = data[row + p]! / root;
      data[row + p] = weight;
      column[i] = weight;
      for (let j = p + 1; j <= i; j++) data[row + j]! -= weight * column[j]!;
    }
  }
  return true;
}

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
