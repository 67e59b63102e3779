/**
 * @file Products of a matrix and a vector on the host, at the speed of memory: rows are read once, in order, four
 * together, so that no sum waits for the one before it. And sums of rows.
 */
import type { Floats, Matrix } from "./matrix.ts";

/** target [rows] += factor * a v for a [rows, cols]; of `v` the first `cols` numbers are read. */
export function addTimes(target: Float64Array, factor: number, a: Matrix<Floats>, v: Float64Array): void {
  const { rows, cols, data } = a;
  let i = 0;
  for (; i + 4 <= rows; i += 4) {
    const at = i * cols;
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let j = 0, k = at; j < cols; j++, k++) {
      const value = v[j]!;
      s0 += data[k]! * value;
      s1 += data[k + cols]! * value;
      s2 += data[k + 2 * cols]! * value;
      s3 += data[k + 3 * cols]! * value;
    }
    target[i]! += factor * s0;
    target[i + 1]! += factor * s1;
    target[i + 2]! += factor * s2;
    target[i + 3]! += factor * s3;
  }
  for (; i < rows; i++) {
    let sum = 0;
    for (let j = 0, k = i * cols; j < cols; j++, k++) sum += data[k]! * v[j]!;
    target[i]! += factor * sum;
  }
}

/** target [cols] += factor * a^T v for a [rows, cols]; of `target` the first `cols` numbers change. */
export function addTimesTransposed(
  target: Float64Array,
  factor: number,
  a: Matrix<Floats>,
  v: Float64Array,
): void {
  const { rows, cols, data } = a;
  let i = 0;
  for (; i + 4 <= rows; i += 4) {
    const at = i * cols;
    const [v0, v1, v2, v3] = [factor * v[i]!, factor * v[i + 1]!, factor * v[i + 2]!, factor * v[i + 3]!];
    for (let j = 0, k = at; j < cols; j++, k++) {
      target[j]! +=
        data[k]! * v0 + data[k + cols]! * v1 + (data[k + 2 * cols]! * v2 + data[k + 3 * cols]! * v3);
    }
  }
  for (; i < rows; i++) {
    const value = factor * v[i]!;
    for (let j = 0, k = i * cols; j < cols; j++, k++) target[j]! += data[k]! * value;
  }
}

/**
 * target[to, to + length) += weight * source[from, from + length). A function of its own: called once per row, it is compiled for
 * speed within the first matrix.
 */
export function addRow(
  target: Floats,
  to: number,
  source: Floats,
  from: number,
  length: number,
  weight: number,
): void {
  for (let i = 0; i < length; i++) target[to + i]! += weight * source[from + i]!;
}
