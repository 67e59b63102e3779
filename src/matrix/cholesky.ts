/**
 * @file Solves with symmetric positive definite matrices, in float64: numpy.linalg.cholesky and solve. The factor is
 * made once and serves many right-hand sides. A matrix that is not numerically positive definite is an error that
 * carries its rank and condition, never a NaN.
 */
import { linalg, array } from "numpy-ts";
import { SingularGramError } from "../error.ts";
import { spectrum } from "./eigen.ts";
import { zeros, type Matrix } from "./matrix.ts";

/** A factored matrix K. */
export type Factorization = {
  /** K^-1 b for a vector b [n] (a new vector). */
  solve(b: Float64Array): Float64Array;
  /** K^-1 [n, n]. */
  inverse(): Matrix;
};

/** What {@link factorize} needs to say when it fails. */
export type FactorizeOptions = {
  /** Name of the matrix in the error. */
  what: string;
  /** Relative error of the entries of the matrix (machine epsilon of whatever computed them). */
  epsilon?: number;
};

/** Beyond this size an error gives the condition of the pivots instead of counting eigenvalues. */
const LARGEST_SPECTRUM = 600;

/**
 * Cholesky factor of a symmetric positive definite K [n, n] (its lower triangle is read).
 * @throws SingularGramError when K is not positive definite beyond rounding.
 */
export function factorize(k: Matrix, { what, epsilon = 2 ** -52 }: FactorizeOptions): Factorization {
  const n = k.rows;
  const lower = choleskyFactor(k);
  const pivots = lower && extremes(lower, n);
  if (!pivots || pivots.smallest < epsilon * pivots.largest) {
    throw new SingularGramError({ what, size: n, ...describe(k, epsilon, pivots) });
  }
  const solve = (b: Float64Array): Float64Array => substitute(lower, n, b);
  return {
    solve,
    inverse() {
      const out = zeros(n, n);
      const unit = new Float64Array(n);
      for (let j = 0; j < n; j++) {
        unit.fill(0);
        unit[j] = 1;
        // K^-1 is symmetric: its column j is its row j.
        out.data.set(solve(unit), j * n);
      }
      return out;
    },
  };
}

/** L with K = L L^T, row-major; undefined when K is not positive definite. */
function choleskyFactor(k: Matrix): Float64Array | undefined {
  try {
    const lower = linalg.cholesky(array(k.data).reshape(k.rows, k.rows));
    // A copy: numpy-ts takes the memory behind `data` back once the array is collected.
    const data = (lower.data as Float64Array).slice();
    return data.every(Number.isFinite) ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Squares of the extreme pivots of L. */
function extremes(lower: Float64Array, n: number): { smallest: number; largest: number } {
  let smallest = Infinity;
  let largest = 0;
  for (let i = 0; i < n; i++) {
    const pivot = lower[i * n + i]! ** 2;
    smallest = Math.min(smallest, pivot);
    largest = Math.max(largest, pivot);
  }
  return { smallest, largest };
}

/** Solves L L^T x = b by forward and back substitution, both along rows of L. */
function substitute(lower: Float64Array, n: number, b: Float64Array): Float64Array {
  const x = b.slice();
  for (let i = 0; i < n; i++) {
    let sum = x[i]!;
    const row = i * n;
    for (let j = 0; j < i; j++) sum -= lower[row + j]! * x[j]!;
    x[i] = sum / lower[row + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    const row = i * n;
    const value = x[i]! / lower[row + i]!;
    x[i] = value;
    for (let j = 0; j < i; j++) x[j]! -= lower[row + j]! * value;
  }
  return x;
}

function describe(
  k: Matrix,
  epsilon: number,
  pivots: { smallest: number; largest: number } | undefined,
): { rank: number | undefined; condition: number } {
  if (k.rows > LARGEST_SPECTRUM) {
    return { rank: undefined, condition: pivots ? pivots.largest / pivots.smallest : Infinity };
  }
  const absolute = spectrum(k).map(Math.abs).sort();
  const largest = absolute.at(-1)!;
  const rank = absolute.filter((x) => x > k.rows * epsilon * largest).length;
  return { rank, condition: largest / absolute[0]! };
}
