/**
 * @file Eigenvalues of upper Hessenberg matrices (zero below the first subdiagonal), which need not be symmetric, by
 * the QR method with Francis's double shifts (Martin, Peters & Wilkinson, Numer. Math. 14, 1970; EISPACK's hqr).
 */
import type { Matrix } from "./matrix.ts";

/** A complex number. */
export type Complex = { readonly re: number; readonly im: number };

const EPSILON = 2 ** -53;
/** The most iterations for one eigenvalue. Every tenth one takes an exceptional shift, to leave cycles. */
const MAX_ITERATIONS = 90;
const EXCEPTIONAL = 10;

/**
 * Eigenvalues [n] of an upper Hessenberg H [n, n] of finite numbers, in no order; those that are not real come in
 * conjugate pairs.
 */
export function hessenbergEigenvalues(matrix: Matrix): Complex[] {
  const n = matrix.rows;
  const h = Array.from({ length: n }, (_, i) => matrix.data.slice(i * n, (i + 1) * n));
  const size = matrix.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const found: Complex[] = [];
  let end = n - 1;
  for (let iteration = 0; end >= 0; iteration++) {
    const start = startOfBlock(h, end, size);
    if (start >= end - 1) {
      found.push(...(start === end ? [{ re: h[end]![end]!, im: 0 }] : pair(h, start)));
      end = start - 1;
      iteration = -1;
    } else {
      if (iteration > MAX_ITERATIONS) {
        throw new Error(`eigenvalues: wanted convergence, got none in ${iteration} iterations`);
      }
      doubleStep(h, start, end, iteration % EXCEPTIONAL === EXCEPTIONAL - 1);
    }
  }
  return found;
}

/** First row of the block that ends in row `end` and has no negligible subdiagonal entry. Clears the one before it. */
function startOfBlock(h: readonly Float64Array[], end: number, size: number): number {
  for (let i = end; i > 0; i--) {
    const neighbours = Math.abs(h[i - 1]![i - 1]!) + Math.abs(h[i]![i]!);
    if (Math.abs(h[i]![i - 1]!) <= EPSILON * (neighbours === 0 ? size : neighbours)) {
      h[i]![i - 1] = 0;
      return i;
    }
  }
  return 0;
}

/** Eigenvalues of the 2 x 2 block at row i. */
function pair(h: readonly Float64Array[], i: number): [Complex, Complex] {
  const [a, d] = [h[i]![i]!, h[i + 1]![i + 1]!];
  const bc = h[i]![i + 1]! * h[i + 1]![i]!;
  const half = (a - d) / 2;
  const square = half * half + bc;
  if (square < 0) {
    const [re, im] = [d + half, Math.sqrt(-square)];
    return [
      { re, im },
      { re, im: -im },
    ];
  }
  const far = half + (half < 0 ? -Math.sqrt(square) : Math.sqrt(square));
  return [
    { re: d + far, im: 0 },
    { re: far === 0 ? d : d - bc / far, im: 0 },
  ];
}

/** H <- Q^T H Q on rows and columns start to end, Q from both eigenvalues of the last 2 x 2 block. */
function doubleStep(h: readonly Float64Array[], start: number, end: number, exceptional: boolean): void {
  const [a, b] = [h[end - 1]![end - 1]!, h[end - 1]![end]!];
  const [c, d] = [h[end]![end - 1]!, h[end]![end]!];
  const odd = Math.abs(c) + Math.abs(h[end - 1]![end - 2]!);
  const sum = exceptional ? 1.5 * odd : a + d;
  const product = exceptional ? odd * odd : a * d - b * c;
  // The first column of (H - s1) (H - s2), with s1 + s2 and s1 s2 as above.
  const [h0, h1] = [h[start]!, h[start + 1]!];
  let column: [number, number, number] = [
    h0[start]! * (h0[start]! - sum) + product + h0[start + 1]! * h1[start]!,
    h1[start]! * (h0[start]! + h1[start + 1]! - sum),
    h1[start]! * h[start + 2]![start + 1]!,
  ];
  for (let k = start; k < end; k++) {
    reflect(h, start, end, k, column);
    column = [h[k + 1]![k]!, k + 2 <= end ? h[k + 2]![k]! : 0, k + 3 <= end ? h[k + 3]![k]! : 0];
  }
  for (let i = start + 2; i <= end; i++) h[i]!.fill(0, start, i - 1);
}

/** Applies on both sides, to rows and columns k to k + 2, the reflection that turns `column` along the first of them. */
function reflect(
  h: readonly Float64Array[],
  start: number,
  end: number,
  k: number,
  [x, y, z]: readonly [number, number, number],
): void {
  const size = Math.hypot(x, y, z);
  if (size === 0) return;
  const along = x < 0 ? -size : size;
  const v = [(x + along) / along, y / along, z / along];
  const last = Math.min(k + 2, end);
  // I - v v^T / v_0: it takes the column to (-along, 0, 0).
  for (let j = Math.max(start, k - 1); j <= end; j++) {
    let sum = 0;
    for (let i = k; i <= last; i++) sum += v[i - k]! * h[i]![j]!;
    for (let i = k; i <= last; i++) h[i]![j]! -= (v[i - k]! * sum) / v[0]!;
  }
  for (let i = start; i <= Math.min(k + 3, end); i++) {
    let sum = 0;
    for (let j = k; j <= last; j++) sum += v[j - k]! * h[i]![j]!;
    for (let j = k; j <= last; j++) h[i]![j]! -= (v[j - k]! * sum) / v[0]!;
  }
}
