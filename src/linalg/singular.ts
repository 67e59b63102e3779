/**
 * @file What an error reports of a matrix without a Cholesky factor: its rank and its condition, where they are cheap to find.
 */
import type { ComputeOptions } from "../engine/compute.ts";
import { SingularGramError } from "../error.ts";
import { spectrum } from "./eigen.ts";
import { matrix, norm, type Matrix } from "./matrix.ts";
import { pivotedCholesky } from "./pivoted-cholesky.ts";

/** The largest size whose condition comes from the eigenvalues; that of a larger matrix comes from the pivots. */
const LARGEST_SPECTRUM = 600;
/** The largest size whose rank is found. */
export const LARGEST_RANK = 2000;
/** Iterations of {@link growth}. */
const ITERATIONS = 4;
/** How many roundings of the largest eigenvalue an eigenvalue that is exactly zero was seen to reach, where a curvature is folded in. */
const NULL_ROUNDINGS = 16;
/** Rounding makes eigenvalues of both signs: one up to this many times the size of the most negative one is rounding too. */
const MIRRORED = 2;

/** Share of the largest eigenvalue below which an eigenvalue may be rounding, of the entries or of the factorisation in float64. */
export const roundings = (n: number, epsilon: number): number =>
  Math.max(4 * epsilon, Math.sqrt(n) * 2 ** -52);

/**
 * The size above which eigenvalues (of a matrix [n, n] whose entries have the relative error epsilon) are more than
 * rounding. Negative eigenvalues of a positive semidefinite matrix show how large the rounding is.
 */
export function numericalZero(values: Float64Array, epsilon: number, semidefinite = true): number {
  let [smallest, largest] = [0, 0];
  for (const x of values) {
    smallest = Math.min(smallest, x);
    largest = Math.max(largest, Math.abs(x));
  }
  const share = Math.max(NULL_ROUNDINGS * epsilon, roundings(values.length, 2 ** -52));
  return Math.max(share * largest, semidefinite ? -MIRRORED * smallest : 0);
}

/** The largest factor by which a linear map stretches a vector of n numbers, by a few steps of the power method. */
export function growth(apply: (b: Float64Array) => Float64Array, n: number, iterations = ITERATIONS): number {
  let [v, stretched] = [unit(start(n)), 0];
  for (let i = 0; i < iterations; i++) {
    const next = apply(v);
    stretched = length(next);
    v = unit(next);
  }
  return stretched;
}

/** The same for an asynchronous map. */
export async function growthOf(
  apply: (b: Float64Array) => Promise<Float64Array>,
  n: number,
  iterations = ITERATIONS,
): Promise<number> {
  let [v, stretched] = [unit(start(n)), 0];
  for (let i = 0; i < iterations; i++) {
    const next = await apply(v);
    stretched = length(next);
    v = unit(next);
  }
  return stretched;
}

/** The start of the power method: it has no symmetry, so that it is not orthogonal to the leading eigenvector. */
const start = (n: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => 1 + Math.sin(1 + i * i));

const length = (v: Float64Array): number => norm(matrix(v.length, 1, v));

function unit(v: Float64Array): Float64Array {
  const size = length(v);
  return v.map((x) => x / size);
}

/**
 * The error, with rank and condition from the eigenvalues; for a large matrix, the condition from `extremes` and the rank
 * from pivots.
 * @param extremes the smallest and the largest pivot or eigenvalue that is known
 * @param k the matrix [size, size], where it still exists
 */
export async function singular(
  what: string,
  size: number,
  k: Matrix | undefined,
  epsilon: number,
  extremes: { smallest: number; largest: number },
  options: ComputeOptions = {},
): Promise<SingularGramError> {
  const estimate = extremes.smallest > 0 ? extremes.largest / extremes.smallest : Infinity;
  if (!k?.data.every(Number.isFinite)) {
    return new SingularGramError({ what, size, rank: undefined, condition: k ? Infinity : estimate });
  }
  if (size > LARGEST_SPECTRUM) {
    const rank = size > LARGEST_RANK ? size : (await pivotedCholesky(k, size, size * epsilon, options)).rank;
    return new SingularGramError({ what, size, rank: rank < size ? rank : undefined, condition: estimate });
  }
  const values = await spectrum(k, options);
  const largest = Math.max(...values.map(Math.abs));
  const zero = numericalZero(values, epsilon);
  const rank = values.filter((x) => x > zero).length;
  const smallest = Math.min(...values.map(Math.abs));
  return new SingularGramError({ what, size, rank, condition: smallest > 0 ? largest / smallest : Infinity });
}
