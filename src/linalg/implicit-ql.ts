/**
 * @file Eigenvalues, and eigenvectors of small ones, of symmetric tridiagonal matrices by the QL method with implicit
 * shifts (Dubrulle, Martin & Wilkinson, Numer. Math. 12, 1968; EISPACK's imtql2): 2 to 3 sweeps per eigenvalue, O(n^2)
 * without vectors and O(n^3) with them.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import type { Matrix } from "./matrix.ts";

const EPSILON = 2 ** -53;
/** Sums of squares below it have lost digits to underflow, and are taken for zero. */
const TINY = 1e-290;
/** The most sweeps for one eigenvalue. 2 or 3 are usual, and none is known to take a third of this. */
const MAX_SWEEPS = 90;

/**
 * Replaces the diagonal d [n] of T, of off-diagonal [n - 1], by its eigenvalues, in no order. The largest
 * entry of T, or of the matrix that T is a part of, is near 1: entries below the rounding of that are taken for zero.
 * Rows i and i + 1 of `rows` [n, m] turn as d does: starting from the identity they become V^T.
 */
export async function implicitQl(
  d: Float64Array,
  offDiagonal: Float64Array,
  rows?: Matrix,
  { signal }: Stoppable = {},
): Promise<void> {
  const n = d.length;
  const e = new Float64Array(n);
  e.set(offDiagonal);
  // Not relative to neighbouring entries: a cluster at zero, disturbed by rounding of large eigenvalues, would never converge.
  const negligible = EPSILON * Math.max(1, largest(d), largest(e));
  for (let l = 0; l < n; l++) {
    await breathe(signal);
    for (let sweeps = 0; ; sweeps++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]!) > negligible) m++;
      if (m === l) break;
      if (sweeps > MAX_SWEEPS) throw new Error(`eigen: wanted convergence, got none in ${sweeps} sweeps`);
      sweep(d, e, l, m, rows);
    }
  }
}

/** One sweep over the unreduced block [l, m]. */
function sweep(d: Float64Array, e: Float64Array, l: number, m: number, rows: Matrix | undefined): void {
  const half = (d[l + 1]! - d[l]!) / (2 * e[l]!);
  const root = Math.sqrt(half * half + 1);
  // Wilkinson's shift, the eigenvalue of the leading 2 x 2 block that is nearest to d[l].
  let g = d[m]! - d[l]! + e[l]! / (half + (half < 0 ? -root : root));
  let [s, c, p] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const f = s * e[i]!;
    const b = c * e[i]!;
    const square = f * f + g * g;
    if (square < TINY) {
      // The block falls apart here.
      d[i + 1]! -= p;
      e[i + 1] = 0;
      e[m] = 0;
      return;
    }
    const r = Math.sqrt(square);
    e[i + 1] = r;
    s = f / r;
    c = g / r;
    const next = d[i + 1]! - p;
    const t = (d[i]! - next) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = next + p;
    g = c * t - b;
    if (rows) rotate(rows, i, c, s);
  }
  d[l]! -= p;
  e[l] = g;
  e[m] = 0;
}

/** Rows i and i + 1 <- (c x - s y, s x + c y). */
function rotate({ cols, data }: Matrix, i: number, c: number, s: number): void {
  for (let x = i * cols, y = x + cols, end = y; x < end; x++, y++) {
    const low = data[x]!;
    const high = data[y]!;
    data[x] = c * low - s * high;
    data[y] = s * low + c * high;
  }
}

function largest(values: Float64Array): number {
  let size = 0;
  for (const x of values) size = Math.max(size, Math.abs(x));
  return size;
}
