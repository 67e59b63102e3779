/**
 * @file Eigenvalues of upper Hessenberg matrices (zero below the first subdiagonal), which need not be symmetric, by
 * the QR method with Francis's double shifts (Martin, Peters & Wilkinson, Numer. Math. 14, 1970), with the tests and
 * shifts of LAPACK's dlahqr. The matrix is not balanced: the projections on orthonormal bases that come here have
 * subdiagonal entries that are rounding alone, which balancing would enlarge (Watkins, ETNA 23, 2006).
 */
import type { Matrix } from "./matrix.ts";

/** A complex number. */
export type Complex = { readonly re: number; readonly im: number };

type Rows = readonly Float64Array[];
type Column = readonly [number, number, number];

const EPSILON = 2 ** -52;
/** Smallest number whose inverse does not overflow. */
const SAFE = 2 ** -1022;
/** The most steps, per row (and for at least ten rows). */
const STEPS = 30;
/** Every tenth step without a new eigenvalue takes an exceptional shift, to leave cycles. */
const EXCEPTIONAL = 10;

/**
 * Eigenvalues [n] of an upper Hessenberg H [n, n] of finite numbers, in no order; those that are not real come in
 * conjugate pairs.
 */
export function hessenbergEigenvalues(matrix: Matrix): Complex[] {
  const n = matrix.rows;
  const size = matrix.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  // A power of two, so that scaling by it rounds nothing.
  const unit = size === 0 ? 1 : 2 ** Math.floor(Math.log2(size));
  const h = Array.from({ length: n }, (_, i) => matrix.data.slice(i * n, (i + 1) * n).map((x) => x / unit));
  return unscaledEigenvalues(h).map(({ re, im }) => ({ re: re * unit, im: im * unit }));
}

function unscaledEigenvalues(h: Rows): Complex[] {
  const found: Complex[] = [];
  const most = STEPS * Math.max(10, h.length);
  let end = h.length - 1;
  let stalled = 0;
  for (let steps = 0; end >= 0;) {
    const start = startOfBlock(h, end);
    if (start >= end - 1) {
      found.push(...(start === end ? [{ re: h[end]![end]!, im: 0 }] : pair(h, start)));
      end = start - 1;
      stalled = 0;
    } else {
      if (steps++ === most) {
        throw new Error(`eigenvalues: wanted convergence, got none in ${most} steps`);
      }
      doubleStep(h, start, end, shift(h, start, end, ++stalled));
    }
  }
  return found;
}

/** First row of the block that ends in row `end` and has no negligible subdiagonal entry. Clears the one before it. */
function startOfBlock(h: Rows, end: number): number {
  for (let i = end; i > 0; i--) {
    if (isNegligible(h, i)) {
      h[i]![i - 1] = 0;
      return i;
    }
  }
  return 0;
}

/** Whether h[i][i-1] is rounding beside its neighbours (Ahues & Tisseur, LAPACK Working Note 122, 1997). */
function isNegligible(h: Rows, i: number): boolean {
  const [above, row] = [h[i - 1]!, h[i]!];
  const small = (SAFE * h.length) / EPSILON;
  const below = Math.abs(row[i - 1]!);
  if (below <= small) return true;
  let neighbours = Math.abs(above[i - 1]!) + Math.abs(row[i]!);
  if (neighbours === 0) neighbours = Math.abs(above[i - 2] ?? 0) + Math.abs(h[i + 1]?.[i] ?? 0);
  if (below > EPSILON * neighbours) return false;
  const [less, more] = sorted(below, Math.abs(above[i]!));
  const [near, far] = sorted(Math.abs(row[i]!), Math.abs(above[i - 1]! - row[i]!));
  const sum = far + more;
  return less * (more / sum) <= Math.max(small, EPSILON * (near * (far / sum)));
}

const sorted = (a: number, b: number): [number, number] => (a < b ? [a, b] : [b, a]);

/** Eigenvalues of the 2 x 2 block at row i. The second is the one that is nearer to the last entry of the block. */
function pair(h: Rows, i: number): [Complex, Complex] {
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

/**
 * The shift of a step, which stands for itself and its conjugate, or for itself twice where it is real: an eigenvalue of the
 * last 2 x 2 block, or an exceptional one.
 */
function shift(h: Rows, start: number, end: number, stalled: number): Complex {
  if (stalled % EXCEPTIONAL > 0) return pair(h, end - 1)[1];
  const atEnd = stalled % (2 * EXCEPTIONAL) === 0;
  const corner = atEnd ? end : start;
  const next = atEnd ? end - 1 : start + 2;
  const middle = atEnd ? end : start + 1;
  const size = Math.abs(h[middle]![middle - 1]!) + Math.abs(h[next]![next - 1]!);
  return { re: h[corner]![corner]! + 0.75 * size, im: Math.sqrt(0.4375) * size };
}

/** H <- Q^T H Q on rows and columns start to end, with Q from both shifts. */
function doubleStep(h: Rows, start: number, end: number, by: Complex): void {
  const { row: first, column } = firstColumn(h, start, end, by);
  if (first > start) h[first]![first - 1]! *= reflect(h, start, end, first, column).kept;
  else reflect(h, start, end, first, column);
  for (let k = first + 1; k < end; k++) {
    const below: Column = [h[k]![k - 1]!, h[k + 1]![k - 1]!, k + 2 <= end ? h[k + 2]![k - 1]! : 0];
    h[k]![k - 1] = reflect(h, start, end, k, below).length;
    for (let i = k + 1; i <= Math.min(k + 2, end); i++) h[i]![k - 1] = 0;
  }
}

/**
 * The row where a step begins, and the first three entries of the first column of (H - s) (H - conj(s)) from there on, up to
 * a factor. It begins below `start` where two subdiagonal entries in sequence are so small that the rows above them
 * would only drown the shift in rounding.
 */
function firstColumn(
  h: Rows,
  start: number,
  end: number,
  { re, im }: Complex,
): { row: number; column: Column } {
  for (let m = end - 2; ; m--) {
    const [row, next] = [h[m]!, h[m + 1]!];
    const off = row[m]! - re;
    const size = Math.abs(off) + Math.abs(im) + Math.abs(next[m]!);
    const share = next[m]! / size;
    const x = share * row[m + 1]! + off * (off / size) + im * (im / size);
    const y = share * (off + (next[m + 1]! - re));
    const z = share * h[m + 2]![m + 1]!;
    const sum = Math.abs(x) + Math.abs(y) + Math.abs(z);
    const column: Column = [x / sum, y / sum, z / sum];
    if (m === start) return { row: m, column };
    const diagonal = Math.abs(h[m - 1]![m - 1]!) + Math.abs(row[m]!) + Math.abs(next[m + 1]!);
    const left = Math.abs(row[m - 1]!) * (Math.abs(column[1]) + Math.abs(column[2]));
    if (left <= EPSILON * Math.abs(column[0]) * diagonal) return { row: m, column };
  }
}

/**
 * Applies on both sides, to rows k to k + 2 from column k on, and to those columns, the reflection that takes the column to
 * (length, 0, 0). `kept` is its first entry: what is left of a number above which there are zeros.
 */
function reflect(
  h: Rows,
  start: number,
  end: number,
  k: number,
  [x, y, z]: Column,
): { length: number; kept: number } {
  const size = Math.hypot(x, y, z);
  if (size === 0) return { length: 0, kept: 1 };
  const along = x < 0 ? -size : size;
  const v = [(x + along) / along, y / along, z / along];
  const last = Math.min(k + 2, end);
  // I - v v^T / v_0
  for (let j = k; j <= end; j++) {
    let sum = 0;
    for (let i = k; i <= last; i++) sum += v[i - k]! * h[i]![j]!;
    for (let i = k; i <= last; i++) h[i]![j]! -= (v[i - k]! * sum) / v[0]!;
  }
  for (let i = start; i <= Math.min(k + 3, end); i++) {
    let sum = 0;
    for (let j = k; j <= last; j++) sum += v[j - k]! * h[i]![j]!;
    for (let j = k; j <= last; j++) h[i]![j]! -= (v[j - k]! * sum) / v[0]!;
  }
  return { length: -along, kept: -x / along };
}
