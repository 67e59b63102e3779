/**
 * @file Dense row-major matrices on the host: the one type that Grams, residuals and predictions share.
 * Arithmetic on the host is float64; float32 appears only where data goes to or comes from the network.
 */

/** The element storage of a matrix. */
export type Floats = Float32Array | Float64Array;

/** A dense row-major matrix [rows, cols]: element (i, j) is `data[i * cols + j]`. */
export type Matrix<T extends Floats = Float64Array> = {
  readonly rows: number;
  readonly cols: number;
  readonly data: T;
};

/** A [rows, cols] matrix of zeros. */
export const zeros = (rows: number, cols: number): Matrix => ({
  rows,
  cols,
  data: new Float64Array(rows * cols),
});

/** The identity [n, n]. */
export const identity = (n: number): Matrix => addDiagonal(zeros(n, n), 1);

/** The identity [n, n], `count` times one below the other: [count n, n]. */
export function repeatedIdentity(count: number, n: number): Matrix {
  const out = zeros(count * n, n);
  for (let row = 0; row < out.rows; row++) out.data[row * n + (row % n)] = 1;
  return out;
}

/**
 * Wraps `data` as a [rows, cols] matrix without copying.
 * @throws RangeError when `data.length` is not `rows * cols`.
 * @example
 * import { matrix } from "natgrad";
 *
 * const x = matrix(2, 3, Float64Array.of(1, 2, 3, 4, 5, 6)); // row by row
 * console.log(x.data[1 * x.cols + 2]); // 6
 */
export function matrix<T extends Floats>(rows: number, cols: number, data: T): Matrix<T> {
  if (data.length !== rows * cols || !(rows >= 0 && cols >= 0)) {
    throw new RangeError(`matrix: wanted ${rows} x ${cols} = ${rows * cols} numbers, got ${data.length}`);
  }
  return { rows, cols, data };
}

/** A float64 copy of any matrix. */
export const toFloat64 = (a: Matrix<Floats>): Matrix => ({ ...a, data: new Float64Array(a.data) });

/** Any matrix as float64: itself where it is float64 already, else a copy. */
export const asFloat64 = (a: Matrix<Floats>): Matrix =>
  a.data instanceof Float64Array ? { ...a, data: a.data } : toFloat64(a);

/** Rows `start` (inclusive) to `end` (exclusive) as a view on the same memory. */
export const rowRange = <T extends Floats>(a: Matrix<T>, start: number, end: number): Matrix<T> => ({
  rows: end - start,
  cols: a.cols,
  data: a.data.subarray(start * a.cols, end * a.cols) as T,
});

/**
 * Matrices of the same width on top of one another, as a new matrix [n_1 + n_2 + ..., m]; any number of rows.
 * @throws RangeError when there is no matrix, or one is of another width.
 * @example
 * import { matrix, stackRows } from "natgrad";
 *
 * const train = matrix(2, 2, Float64Array.of(1, 0, 0, 1));
 * const test = matrix(1, 2, Float64Array.of(0.6, 0.8));
 * console.log(stackRows([train, test]).rows); // 3
 */
export function stackRows<T extends Floats>(parts: readonly Matrix<T>[]): Matrix<T>;
/**
 * The same, of numbers of any precision.
 * @param allocate makes the place for the result. With `engine.floats` the samples of a trainer lie where its engine reads them
 * fastest.
 */
export function stackRows<T extends Floats>(
  parts: readonly Matrix<Floats>[],
  allocate: (length: number) => T,
): Matrix<T>;
export function stackRows(
  parts: readonly Matrix<Floats>[],
  allocate?: (length: number) => Floats,
): Matrix<Floats> {
  const [first] = parts;
  if (!first) throw new RangeError("stackRows: wanted one matrix or more, got none");
  const { cols } = first;
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const data =
    allocate?.(rows * cols) ?? new (first.data.constructor as new (n: number) => Floats)(rows * cols);
  let start = 0;
  for (const part of parts) {
    if (part.cols !== cols)
      throw new RangeError(`stackRows: wanted rows of ${cols} numbers, got ${part.cols}`);
    data.set(part.data, start);
    start += part.data.length;
  }
  return { rows, cols, data };
}

/** Some of a matrix's groups of `size` rows, as a new matrix. */
export function selectRows<T extends Floats>(a: Matrix<T>, which: ArrayLike<number>, size = 1): Matrix<T> {
  const width = size * a.cols;
  const data = new (a.data.constructor as new (length: number) => T)(which.length * width);
  for (let k = 0; k < which.length; k++) {
    data.set(a.data.subarray(which[k]! * width, (which[k]! + 1) * width), k * width);
  }
  return { rows: which.length * size, cols: a.cols, data };
}

/** @throws RangeError unless `samples` are one or more different indices below N. */
export function checkSamples(samples: ArrayLike<number>, N: number): void {
  const seen = new Set<number>();
  for (let k = 0; k < samples.length; k++) {
    const n = samples[k]!;
    if (!(Number.isInteger(n) && n >= 0 && n < N) || seen.has(n)) {
      throw new RangeError(`samples: wanted whole numbers from 0 to ${N - 1}, each once, got ${n} at ${k}`);
    }
    seen.add(n);
  }
  if (seen.size === 0) throw new RangeError("samples: wanted one or more, got none");
}

/** A copy of rows [r0, r1) and columns [c0, c1). */
export function block(a: Matrix, r0: number, r1: number, c0: number, c1: number): Matrix {
  const out = zeros(r1 - r0, c1 - c0);
  for (let i = r0; i < r1; i++) {
    out.data.set(a.data.subarray(i * a.cols + c0, i * a.cols + c1), (i - r0) * out.cols);
  }
  return out;
}

/** Writes `part` into `target` with its first element at (row, col). */
export function setBlock(target: Matrix<Floats>, row: number, col: number, part: Matrix<Floats>): void {
  for (let i = 0; i < part.rows; i++) {
    target.data.set(part.data.subarray(i * part.cols, (i + 1) * part.cols), (row + i) * target.cols + col);
  }
}

/** Adds `value` to the diagonal in place and returns the same matrix. */
export function addDiagonal(a: Matrix, value: number): Matrix {
  const n = Math.min(a.rows, a.cols);
  for (let i = 0; i < n; i++) a.data[i * a.cols + i]! += value;
  return a;
}

/** Sum of the diagonal. */
export function trace(a: Matrix<Floats>): number {
  let sum = 0;
  for (let i = 0; i < Math.min(a.rows, a.cols); i++) sum += a.data[i * a.cols + i]!;
  return sum;
}

/** Frobenius norm. */
export function norm(a: Matrix<Floats>): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += a.data[i]! ** 2;
  return Math.sqrt(sum);
}

/** Whether all numbers are finite. A loop: for many numbers it is much faster than `every`. */
export function allFinite(data: Floats): boolean {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i]!)) return false;
  return true;
}

/** Elementwise `f(a)` as a new matrix. */
export function map(a: Matrix, f: (x: number, i: number) => number): Matrix {
  // Several times as fast as the array's own `map`.
  const data = new Float64Array(a.data.length);
  for (let i = 0; i < data.length; i++) data[i] = f(a.data[i]!, i);
  return { ...a, data };
}

/** `factor * a` as a new matrix. */
export function scale(a: Matrix, factor: number): Matrix {
  const data = new Float64Array(a.data.length);
  for (let i = 0; i < data.length; i++) data[i] = factor * a.data[i]!;
  return { ...a, data };
}

/** `target += factor * a` in place. */
export function addScaled(target: Matrix, factor: number, a: Matrix): Matrix {
  const { data } = target;
  for (let i = 0; i < data.length; i++) data[i]! += factor * a.data[i]!;
  return target;
}

/** `a - b` as a new matrix. */
export function subtract(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.data.length);
  for (let i = 0; i < data.length; i++) data[i] = a.data[i]! - b.data[i]!;
  return { ...a, data };
}

/** The transpose as a new matrix. */
export const transpose = (a: Matrix): Matrix => transposeInto(zeros(a.cols, a.rows), a);

/** Rows and columns of a square that stays in the first-level cache while it is transposed. */
const SQUARE = 32;

/** Writes the transpose of `a` into `out`, and returns `out`. */
export function transposeInto(out: Matrix, a: Matrix): Matrix {
  const { rows, cols, data } = a;
  for (let i0 = 0; i0 < rows; i0 += SQUARE) {
    const i1 = Math.min(i0 + SQUARE, rows);
    for (let j0 = 0; j0 < cols; j0 += SQUARE) {
      const j1 = Math.min(j0 + SQUARE, cols);
      for (let j = j0; j < j1; j++) {
        for (let i = i0; i < i1; i++) out.data[j * rows + i] = data[i * cols + j]!;
      }
    }
  }
  return out;
}

/** The product `a b` [a.rows, b.cols] in float64. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  if (a.cols !== b.rows) {
    throw new RangeError(`multiply: wanted inner sizes to agree, got ${a.cols} and ${b.rows}`);
  }
  const out = zeros(a.rows, b.cols);
  const n = b.cols;
  for (let i = 0; i < a.rows; i++) {
    const row = out.data.subarray(i * n, (i + 1) * n);
    for (let k = 0; k < a.cols; k++) {
      const x = a.data[i * a.cols + k]!;
      if (x === 0) continue;
      const offset = k * n;
      for (let j = 0; j < n; j++) row[j]! += x * b.data[offset + j]!;
    }
  }
  return out;
}
